// What one attempt says to the other browser: numbered without a gap, candidates gathered into batches.

import { Problem } from "./api.js";

const BATCH_MS = 60;
const MOST_CANDIDATES = 32;

/**
 * The outgoing signals of one attempt, sent one after the other, so that none overtakes another.
 * `onRefused(problem)` is called once, when nothing more can be sent in this attempt.
 */
export class Signals {
  #api;
  #attempt;
  #onRefused;
  #sent = 0;
  #queue = [];
  #isSending = false;
  #isStopped = false;
  #gathering = null;

  constructor(api, attempt, onRefused) {
    this.#api = api;
    this.#attempt = attempt;
    this.#onRefused = onRefused;
  }

  /** Sends a description to an attempt of the other participant. */
  describe(peerAttempt, { type, sdp }) {
    this.#flush();
    this.#push(peerAttempt, { description: { type, sdp } });
  }

  /** Sends a candidate; `null` says that no more follow. */
  candidate(peerAttempt, candidate) {
    if (this.#gathering?.peerAttempt !== peerAttempt) this.#flush();
    this.#gathering ??= { peerAttempt, candidates: [], end: false, timer: setTimeout(() => this.#flush(), BATCH_MS) };
    if (candidate === null) this.#gathering.end = true;
    else this.#gathering.candidates.push(wire(candidate));
    if (candidate === null || this.#gathering.candidates.length === MOST_CANDIDATES) this.#flush();
  }

  /** Says nothing more. */
  stop() {
    this.#isStopped = true;
    this.#queue = [];
    clearTimeout(this.#gathering?.timer);
    this.#gathering = null;
  }

  #flush() {
    const batch = this.#gathering;
    this.#gathering = null;
    if (batch === null) return;
    clearTimeout(batch.timer);
    this.#push(batch.peerAttempt, { candidates: batch.candidates, end_of_candidates: batch.end });
  }

  #push(peerAttempt, payload) {
    if (this.#isStopped) return;
    this.#queue.push({ attempt: this.#attempt, peer_attempt: peerAttempt, payload });
    this.#drain();
  }

  async #drain() {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const [next] = this.#queue;
      try {
        // Numbered only now, for one that is refused leaves its number to the next.
        await this.#api.signal({ ...next, number: this.#sent + 1 });
        this.#sent += 1;
        this.#queue.shift();
      } catch (error) {
        this.#refused(error, next.peer_attempt);
      }
    }
    this.#isSending = false;
  }

  #refused(error, peerAttempt) {
    if (this.#isStopped) return;
    if (isOfPeer(error)) {
      // They have begun another attempt, of which the next event tells: what was meant for this one is void.
      this.#queue = this.#queue.filter((one) => one.peer_attempt !== peerAttempt);
      return;
    }
    this.stop();
    this.#onRefused(error);
  }
}

const isOfPeer = (error) =>
  error instanceof Problem && error.reason === "STALE_ATTEMPT" && "peer_attempt" in error.metadata;

function wire(candidate) {
  const told = { candidate: candidate.candidate };
  if (candidate.sdpMid !== null) told.sdp_mid = candidate.sdpMid;
  if (candidate.sdpMLineIndex !== null) told.sdp_m_line_index = candidate.sdpMLineIndex;
  if (candidate.usernameFragment) told.username_fragment = candidate.usernameFragment;
  return told;
}

/** A candidate as RTCPeerConnection takes it. */
export const candidateOf = (told) => ({
  candidate: told.candidate,
  sdpMid: told.sdp_mid ?? null,
  sdpMLineIndex: told.sdp_m_line_index ?? null,
  usernameFragment: told.username_fragment || null,
});
