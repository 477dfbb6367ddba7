// The connection to the other browser, by WebRTC's "perfect negotiation": when both offer at once, the polite one gives way.

import { candidateOf } from "./signals.js";

/** One RTCPeerConnection between an attempt of ours and an attempt of theirs. */
export class Peer {
  #signals;
  #polite;
  #isOffering = false;
  #ignoresOffer = false;
  #work = Promise.resolve();
  #early = [];

  constructor({ peerAttempt, iceServers, polite, signals, stream, onTrack, onState }) {
    this.peerAttempt = peerAttempt;
    this.#signals = signals;
    this.#polite = polite;
    this.connection = new RTCPeerConnection({ iceServers });
    this.connection.ontrack = (event) => onTrack(event);
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
    this.connection.onicecandidate = ({ candidate }) => signals.candidate(peerAttempt, candidate);
    this.connection.onnegotiationneeded = () => this.#offer();
    this.#addMedia(stream);
  }

  /** Takes what the other browser said. One thing after the other: a candidate must not overtake its description. */
  receive(payload) {
    this.#work = this.#work.then(() => this.#apply(payload)).catch(() => this.#giveUp());
    return this.#work;
  }

  /** New paths for the same connection. */
  restart(iceServers) {
    if (iceServers) this.connection.setConfiguration({ ...this.connection.getConfiguration(), iceServers });
    this.connection.restartIce();
  }

  close() {
    const { connection } = this;
    connection.ontrack = connection.onconnectionstatechange = null;
    connection.onicecandidate = connection.onnegotiationneeded = null;
    connection.close();
  }

  /** What we send. Where we send nothing, one side asks to receive: tracks alone would never begin a negotiation. */
  #addMedia(stream) {
    for (const kind of ["audio", "video"]) {
      const track = stream.getTracks().find((one) => one.kind === kind);
      // addTrack, for a transceiver of addTransceiver would not take part in the other side's offer.
      if (track) this.connection.addTrack(track, stream);
      else if (!this.#polite) this.connection.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  async #offer() {
    try {
      this.#isOffering = true;
      await this.connection.setLocalDescription();
      this.#signals.describe(this.peerAttempt, this.connection.localDescription);
    } catch {
      this.#giveUp();
    } finally {
      this.#isOffering = false;
    }
  }

  async #apply({ description, candidates = [] }) {
    if (description) await this.#describe(description);
    for (const told of candidates) await this.#addCandidate(candidateOf(told));
  }

  async #describe({ type, sdp }) {
    const { connection } = this;
    const isOffer = type.toLowerCase() === "offer";
    const collides = isOffer && (this.#isOffering || connection.signalingState !== "stable");
    this.#ignoresOffer = collides && !this.#polite;
    if (this.#ignoresOffer) return;
    await connection.setRemoteDescription({ type: type.toLowerCase(), sdp });
    const waiting = this.#early.splice(0);
    for (const candidate of waiting) await this.#addCandidate(candidate);
    if (!isOffer) return;
    await connection.setLocalDescription();
    this.#signals.describe(this.peerAttempt, connection.localDescription);
  }

  async #addCandidate(candidate) {
    if (this.connection.remoteDescription === null) {
      if (!this.#ignoresOffer) this.#early.push(candidate);
      return;
    }
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Those of an offer that we ignored belong to nothing.
      if (!this.#ignoresOffer) throw error;
    }
  }

  /** A negotiation that cannot go on: say so as a connection that failed, for which there is a way back. */
  #giveUp() {
    const { onconnectionstatechange } = this.connection;
    if (onconnectionstatechange === null || this.connection.signalingState === "closed") return;
    this.connection.onconnectionstatechange = null;
    this.connection.close();
    onconnectionstatechange.call(this.connection);
  }
}
