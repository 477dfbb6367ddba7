// The connection through a forwarding provider: one for all, negotiated with the provider by way of the service.

import { Problem, pause } from "./api.js";
import { wantedTracks } from "./tracks.js";

const GATHER_MS = 2_000;
const LOOK_AGAIN_MS = 1_000;
const MOST_LOOKS = 15;

/** Everything that one attempt of ours sends and receives. What it does, it does one after the other. */
export class Forwarded {
  #api;
  #attempt;
  #stream;
  #onTrack;
  #onRefused;
  #work = Promise.resolve();
  #remote = null;
  #remoteOf = "";
  #received = new Set();
  #participants = [];
  #isClosed = false;

  constructor({ api, attempt, iceServers, stream, onTrack, onState, onRefused }) {
    this.#api = api;
    this.#attempt = attempt;
    this.#stream = stream;
    this.#onTrack = onTrack;
    this.#onRefused = onRefused;
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
    this.connection.ontrack = ({ track }) => this.#take(track);
    if (stream.getTracks().length > 0) this.#queue(() => this.#publish());
  }

  /** Receives what the others send now; what is missing is asked for again as long as they say that they send it. */
  receive(others) {
    this.#participants = others;
    if (wantedTracks(others, this.#received).length > 0) this.#queue(() => this.#subscribe());
  }

  close() {
    this.#isClosed = true;
    this.connection.ontrack = this.connection.onconnectionstatechange = null;
    this.connection.close();
  }

  #queue(step) {
    this.#work = this.#work
      .then(() => (this.#isClosed ? null : step()))
      .catch((error) => {
        if (!this.#isClosed) this.#onRefused(error);
      });
  }

  async #publish() {
    const sent = this.#stream.getTracks().map((track) => ({
      transceiver: this.connection.addTransceiver(track, { direction: "sendonly", streams: [this.#stream] }),
      // Said to the provider, so it tells of nobody.
      name: crypto.randomUUID(),
    }));
    await this.connection.setLocalDescription();
    await gathered(this.connection);
    const { answer, tracks } = await this.#api.publish({
      attempt: this.#attempt,
      offer: wire(this.connection.localDescription),
      tracks: sent.map(({ transceiver, name }) => ({ mid: transceiver.mid, name })),
      request_id: crypto.randomUUID(),
    });
    if (!answer) throw new Problem(409, { reason: "NOTHING_SENT", detail: `${tracks.length} tracks were refused` });
    await this.connection.setRemoteDescription(heard(answer));
  }

  async #subscribe(look = 0) {
    const wanted = wantedTracks(this.#participants, this.#received);
    if (wanted.length === 0) return;
    const { offer, tracks } = await this.#api.subscribe({
      attempt: this.#attempt,
      tracks: wanted.map(({ participant_id, name }) => ({ participant_id, name })),
      request_id: crypto.randomUUID(),
    });
    const good = wanted.filter((_, index) => !failed(tracks[index]));
    for (const track of good) this.#received.add(track.key);
    if (offer) {
      this.#renewRemote(good[0]?.participant_attempt ?? "");
      await this.connection.setRemoteDescription(heard(offer));
      await this.connection.setLocalDescription();
      await gathered(this.connection);
      const answer = wire(this.connection.localDescription);
      await this.#api.answer({ attempt: this.#attempt, answer, request_id: crypto.randomUUID() });
    }
    if (good.length < wanted.length && look < MOST_LOOKS) {
      // What the other side sends may take a moment to arrive at the provider.
      pause(LOOK_AGAIN_MS).then(() => this.#queue(() => this.#subscribe(look + 1)));
    }
  }

  /** A new attempt of theirs is a new picture: the old tracks carry nothing any more. */
  #renewRemote(of) {
    if (of === this.#remoteOf) return;
    this.#remoteOf = of;
    this.#remote = new MediaStream();
  }

  #take(track) {
    this.#remote ??= new MediaStream();
    this.#remote.addTrack(track);
    this.#onTrack({ track, streams: [this.#remote] });
  }
}

const failed = (result) => !result || (result.error && result.error !== "Unspecified");
const wire = ({ type, sdp }) => ({ type, sdp });
const heard = ({ type, sdp }) => ({ type: type.toLowerCase(), sdp });

/** Returns once all candidates are in the description, or after two seconds with those that are. */
async function gathered(connection) {
  if (connection.iceGatheringState === "complete") return;
  const done = new Promise((resolve) => {
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState === "complete") resolve();
    });
  });
  await Promise.race([done, pause(GATHER_MS)]);
}
