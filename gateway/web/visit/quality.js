// How well the call runs: differences of the browser's counters, shown on the page and told to the service.

import { showQuality } from "./view.js";

const READ_EVERY_MS = 5_000;
const READINGS_A_REPORT = 3;
/** Bands of the transmission rating R of the simplified E-model (ITU-T G.107): above 80 nothing is noticed. */
const BANDS = [[80, "good", "Good connection"], [60, "fair", "Fair connection"], [-Infinity, "poor", "Poor connection"]];

/**
 * Reads the connection every five seconds, for as long as there is one with somebody at its other end.
 * `underWay()` tells the call or null; `report(samples, attempt)` passes on what was read.
 */
export class Quality {
  #underWay;
  #report;
  #connection = null;
  #counters = null;
  #attempt = 0;
  #number = 0;
  #samples = [];

  constructor({ underWay, report }) {
    this.#underWay = underWay;
    this.#report = report;
  }

  start() {
    setInterval(() => this.#look(), READ_EVERY_MS);
  }

  async #look() {
    const call = this.#underWay();
    const connection = call?.isShared ? call.connection : null;
    if (connection === null || connection.connectionState !== "connected") return;
    const { attempt } = call;
    const counters = countersOf([...(await connection.getStats()).values()]);
    if (connection !== this.#underWay()?.connection) return;
    const before = connection === this.#connection ? this.#counters : null;
    this.#connection = connection;
    this.#counters = counters;
    const reading = before && readingOf(before, counters);
    if (!reading) return;
    showQuality(...levelOf(reading));
    this.#keep(reading, attempt);
  }

  #keep(reading, attempt) {
    if (attempt !== this.#attempt) {
      this.#attempt = attempt;
      this.#number = 0;
      this.#samples = [];
    }
    this.#number += 1;
    this.#samples.push({ number: this.#number, ...reading });
    if (this.#samples.length >= READINGS_A_REPORT) this.#report(this.#samples.splice(0), attempt);
  }
}

/** What happened between two states of the counters, as the service takes it; null when no time has passed. */
export function readingOf(before, now) {
  const seconds = (now.at - before.at) / 1000;
  if (!(seconds >= 1)) return null;
  let received = 0;
  let lost = 0;
  let bytes = 0;
  let jitter = 0;
  for (const [id, track] of now.tracks) {
    const old = before.tracks.get(id) ?? { received: 0, lost: 0, bytes: 0 };
    received += track.received - old.received;
    lost += Math.max(0, track.lost - old.lost);
    bytes += track.bytes - old.bytes;
    // A track that has ended keeps its last jitter for ever.
    if (track.received > old.received) jitter = Math.max(jitter, track.jitter);
  }
  return {
    seconds: Math.min(seconds, 60),
    round_trip_ms: 1000 * now.roundTrip,
    jitter_ms: 1000 * jitter,
    loss_percent: received + lost > 0 ? (100 * lost) / (received + lost) : 0,
    bitrate_kbps: (bytes * 8) / 1000 / seconds,
  };
}

/** The word for a reading: [level, sentence]. */
export function levelOf({ round_trip_ms: roundTrip, jitter_ms: jitter, loss_percent: loss, bitrate_kbps: bitrate }) {
  if (bitrate === 0) return ["poor", "Nothing comes in"];
  const delay = roundTrip / 2 + 2 * jitter + 10;
  const rating = 93.2 - (delay < 160 ? delay / 40 : (delay - 120) / 10) - 2.5 * loss;
  const [, level, sentence] = BANDS.find(([least]) => rating > least);
  return [level, sentence];
}

function countersOf(stats) {
  const inbound = stats.filter((one) => one.type === "inbound-rtp");
  const pair = stats.find((one) => one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime >= 0);
  const tracks = inbound.map((one) => [
    one.id,
    {
      received: one.packetsReceived ?? 0,
      lost: one.packetsLost ?? 0,
      bytes: one.bytesReceived ?? 0,
      jitter: one.jitter ?? 0,
    },
  ]);
  return {
    at: Math.max(0, ...inbound.map((one) => one.timestamp)),
    roundTrip: pair?.currentRoundTripTime ?? 0,
    tracks: new Map(tracks),
  };
}
