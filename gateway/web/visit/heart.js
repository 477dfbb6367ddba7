// Signs of life: every ten seconds, and at each change, whether this attempt is connected.

import { Problem } from "./api.js";

const EVERY_MS = 10_000;
const LOOK_EVERY_MS = 200;

/** The heartbeat of one attempt (0: of the waiting room). `onLost` is called when the service has given us up. */
export class Heart {
  #api;
  #attempt;
  #onLost;
  #number = 0;
  #state = "Connecting";
  #timer = null;
  #watch = null;

  constructor(api, attempt, onLost) {
    this.#api = api;
    this.#attempt = attempt;
    this.#onLost = onLost;
  }

  start() {
    this.#timer = setInterval(() => this.#beat(), EVERY_MS);
    this.#beat();
  }

  stop() {
    clearInterval(this.#timer);
    clearInterval(this.#watch);
    this.#timer = this.#watch = null;
  }

  /** The connection's new state: "Connecting", "Connected" or "Disconnected". */
  say(state) {
    clearInterval(this.#watch);
    if (state === this.#state || this.#timer === null) return;
    this.#state = state;
    this.#beat();
  }

  /** Says "Connected" once something really comes in, or at once where the other side sends nothing. */
  sayOnceMediaFlows(connection) {
    clearInterval(this.#watch);
    this.#watch = setInterval(async () => {
      if (!receives(connection) || (await packetsIn(connection)) > 0) this.say("Connected");
    }, LOOK_EVERY_MS);
  }

  async #beat() {
    this.#number += 1;
    const report = { attempt: this.#attempt, number: this.#number, connection_state: this.#state };
    try {
      const answer = await this.#api.heartbeat(report);
      if (answer.participant_state === "Left" && this.#timer !== null) this.#lose();
    } catch (error) {
      // A beat that is lost is followed by the next; one that is refused will be refused again.
      if (error instanceof Problem && error.reason === "STALE_ATTEMPT" && this.#timer !== null) this.#lose();
    }
  }

  #lose() {
    this.stop();
    this.#onLost();
  }
}

const receives = (connection) =>
  connection.getTransceivers().some(({ currentDirection }) => ["sendrecv", "recvonly"].includes(currentDirection));

async function packetsIn(connection) {
  let packets = 0;
  for (const one of (await connection.getStats()).values()) {
    if (one.type === "inbound-rtp") packets += one.packetsReceived ?? 0;
  }
  return packets;
}
