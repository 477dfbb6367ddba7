// One participant's call: its attempts, the connection of each, and the way back when one is lost.

import { Problem, backoffMs, pause } from "./api.js";
import { Heart } from "./heart.js";
import { Peer } from "./peer.js";
import { Forwarded } from "./sfu.js";
import { Signals } from "./signals.js";

const PRESENT = new Set(["Connecting", "Connected", "Reconnecting"]);
const RESTART_AFTER_MS = 4_000;
const RENEW_AFTER_MS = 15_000;
// A provider is always there: a connection to it that does not come back soon is better made anew.
const RENEW_FORWARDED_AFTER_MS = 5_000;
const LOST = new Set(["SIGNAL_GAP", "ATTEMPT_GONE", "OUTCOME_UNKNOWN", "MEDIA_OUT_OF_ORDER"]);
const CONNECT_WITHIN_MS = 25_000;
const MOST_TRIES = 10;

/**
 * Listens to the visit's events and keeps one connection between our newest attempt and theirs.
 * `listener`: onTrack(event), onLink("connecting" | "connected" | "lost" | "alone" | "stuck"), onOver(reason).
 */
export class Call {
  #api;
  #start;
  #stream;
  #listener;
  #admission = null;
  #signals = null;
  #peer = null;
  #forwarded = null;
  #hadOthers = false;
  #heart = null;
  #tries = 0;
  #timers = new Map();
  #session = null;
  #inbox = [];
  #isOver = false;
  #isRenewing = false;

  /** `start()` asks the service to let us in and answers as StartSession does. */
  constructor({ api, start, stream, listener }) {
    this.#api = api;
    this.#start = start;
    this.#stream = stream;
    this.#listener = listener;
  }

  /** Whether an attempt is under way. */
  get isRunning() {
    return this.#admission !== null && !this.#isOver;
  }

  get attempt() {
    return this.#admission?.attempt ?? 0;
  }

  /** Whether somebody is at the other end: a provider's connection is there without. */
  get isShared() {
    return this.#peer !== null || this.#hadOthers;
  }

  get connection() {
    return (this.#peer ?? this.#forwarded)?.connection ?? null;
  }

  /** Begins an attempt with what the service answered: see StartSession. */
  begin(admission) {
    this.#dropPeer();
    this.#heart?.stop();
    this.#signals?.stop();
    this.#admission = admission;
    this.#signals = new Signals(this.#api, admission.attempt, (error) => this.#refused(error));
    this.#heart = new Heart(this.#api, admission.attempt, () => this.renew());
    this.#heart.start();
    this.#listener.onLink("alone");
    if (admission.topology === "Sfu") this.#forward();
    // Events may have overtaken the answer that began this attempt.
    if (this.#session) this.sessionChanged(this.#session);
    for (const signal of this.#inbox.splice(0)) this.signalCame(signal);
  }

  /** The session as it is now. */
  sessionChanged(session) {
    this.#session = session;
    if (!this.isRunning) return;
    const own = session.participants.find((one) => one.participant_id === this.#admission.participant_id);
    const other = session.participants.find((one) => one.participant_id !== this.#admission.participant_id);
    if ((own?.attempt ?? 0) > this.attempt && !this.#isRenewing) {
      this.stop();
      this.#listener.onOver("replaced");
      return;
    }
    const isThere = other && PRESENT.has(other.state);
    if (this.#forwarded) this.#others(isThere ? [other] : []);
    else if (isThere) this.#meet(other.attempt ?? 0);
    else if (this.#peer !== null) {
      this.#dropPeer();
      this.#heart.say("Connecting");
      this.#listener.onLink("alone");
    }
  }

  /** What the other browser said. */
  signalCame(signal) {
    if (signal.peer_attempt > this.attempt) this.#inbox.push(signal);
    if (!this.isRunning || this.#forwarded || signal.peer_attempt !== this.attempt) return;
    this.#meet(signal.attempt);
    if (signal.attempt === this.#peer?.peerAttempt) this.#peer.receive(signal.payload);
  }

  /** Begins a new attempt, after a pause that grows. */
  async renew({ isAsked = false } = {}) {
    if (this.#isRenewing || this.#isOver) return;
    if (isAsked) this.#tries = 0;
    if (this.#tries >= MOST_TRIES) {
      this.#listener.onLink("stuck");
      return;
    }
    this.#isRenewing = true;
    this.#listener.onLink("lost");
    try {
      await pause(backoffMs(this.#tries));
      this.#tries += 1;
      const admission = this.#isOver ? null : await this.#start();
      if (admission && !this.#isOver) this.begin(admission);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) this.#over(error.reason);
      else setTimeout(() => this.renew(), backoffMs(this.#tries));
    } finally {
      this.#isRenewing = false;
    }
  }

  /** Ends it on this side. */
  stop() {
    this.#isOver = true;
    this.#dropPeer();
    this.#signals?.stop();
    this.#heart?.stop();
  }

  #meet(peerAttempt) {
    if (peerAttempt <= (this.#peer?.peerAttempt ?? 0)) return;
    this.#dropPeer();
    const { ice_servers: iceServers, polite } = this.#admission;
    const peer = new Peer({
      peerAttempt,
      iceServers: iceServers.map(browserIceServer),
      polite: Boolean(polite),
      signals: this.#signals,
      stream: this.#stream,
      onTrack: this.#listener.onTrack,
      onState: (state) => this.#peer === peer && this.#linkChanged(state),
    });
    this.#peer = peer;
    this.#listener.onLink("connecting");
    this.#after("connect", CONNECT_WITHIN_MS, () => this.renew());
  }

  /** Everything goes through a provider: there is a connection to it whoever else is there. */
  #forward() {
    const forwarded = new Forwarded({
      api: this.#api,
      attempt: this.attempt,
      iceServers: this.#admission.ice_servers.map(browserIceServer),
      stream: this.#stream,
      onTrack: (event) => {
        this.#listener.onTrack(event);
        this.#listener.onLink("connected");
      },
      onState: (state) => this.#forwarded === forwarded && this.#forwardChanged(state),
      onRefused: (error) => this.#refused(error),
    });
    this.#forwarded = forwarded;
    // Without a camera and a microphone there is nothing to connect for until the other side sends something.
    if (this.#stream.getTracks().length > 0) this.#after("connect", CONNECT_WITHIN_MS, () => this.renew());
  }

  #others(others) {
    if (others.length === 0 && this.#hadOthers) this.#listener.onLink("alone");
    this.#hadOthers = others.length > 0;
    this.#forwarded.receive(others);
  }

  #forwardChanged(state) {
    if (state === "connected") {
      this.#calm();
      this.#heart.say("Connected");
    } else if (state === "disconnected") {
      this.#heart.say("Disconnected");
      this.#listener.onLink("lost");
      this.#after("renew", RENEW_FORWARDED_AFTER_MS, () => this.renew());
    } else if (state === "failed" || state === "closed") {
      this.#heart.say("Disconnected");
      this.renew();
    }
  }

  /** All is well: nothing is waited for, and the next trouble is the first. */
  #calm() {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    this.#tries = 0;
  }

  #linkChanged(state) {
    if (state === "connected") {
      this.#calm();
      this.#listener.onLink("connected");
      this.#heart.sayOnceMediaFlows(this.#peer.connection);
    } else if (state === "disconnected") {
      this.#heart.say("Disconnected");
      this.#listener.onLink("lost");
      this.#after("restart", RESTART_AFTER_MS, () => this.#restart());
      this.#after("renew", RENEW_AFTER_MS, () => this.renew());
    } else if (state === "failed" || state === "closed") {
      this.#heart.say("Disconnected");
      // Both sides see this at once. The polite one waits a moment: the other's new attempt may do for both.
      this.#after("renew", this.#admission.polite ? 1500 : 0, () => this.renew());
    }
  }

  async #restart() {
    const peer = this.#peer;
    try {
      const { ice_servers: servers } = await this.#api.iceServers(this.attempt);
      if (peer === this.#peer) peer?.restart(servers.map(browserIceServer));
    } catch {
      // The old servers may still do; a new attempt follows where they do not.
      if (peer === this.#peer) peer?.restart();
    }
  }

  #refused(error) {
    if (!(error instanceof Problem) || error.status >= 500 || LOST.has(error.reason)) this.renew();
    else this.#over(error.reason === "STALE_ATTEMPT" ? "replaced" : error.reason);
  }

  #over(reason) {
    this.stop();
    this.#listener.onOver(reason);
  }

  #dropPeer() {
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    this.#peer?.close();
    this.#forwarded?.close();
    this.#peer = this.#forwarded = null;
  }

  #after(name, ms, work) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(work, ms));
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** Empty names and credentials are left out: a STUN server with them is refused. */
export const browserIceServer = ({ urls, username, credential }) =>
  username ? { urls, username, credential } : { urls };
