// How well the call runs: differences of the browser's counters, as the service and the page want them.

import { showQuality } from "./view.js";

/** Bands of the transmission rating R of the simplified E-model (ITU-T G.107): above 80 nothing is noticed. */
const BANDS = [[80, "good", "Good connection"], [60, "fair", "Fair connection"], [-Infinity, "poor", "Poor connection"]];

/** Reads one connection, over and over; each reading tells of the time since the one before. */
export class QualityMeter {
  #connection;
  #last = null;

  constructor(connection) {
    this.#connection = connection;
  }

  /** The reading, or null before there are two to compare, and when nothing came in. Times in ms, loss in percent. */
  async read() {
    const now = totals([...(await this.#connection.getStats()).values()]);
    const before = this.#last;
    this.#last = now;
    if (before === null || now.at <= before.at) return null;
    const received = now.received - before.received;
    const lost = Math.max(0, now.lost - before.lost);
    if (received + lost <= 0) return null;
    const seconds = (now.at - before.at) / 1000;
    return {
      rttMs: now.rttMs,
      jitterMs: now.jitterMs,
      lossPercent: (100 * lost) / (received + lost),
      kbitPerSecond: ((now.bytes - before.bytes) * 8) / 1000 / seconds,
      seconds,
    };
  }
}

/** The word for a reading, for the page: [level, sentence]. */
export function levelOf(reading) {
  const delay = reading.rttMs / 2 + 2 * reading.jitterMs + 10;
  const rating = 93.2 - (delay < 160 ? delay / 40 : (delay - 120) / 10) - 2.5 * reading.lossPercent;
  const [, level, sentence] = BANDS.find(([least]) => rating > least);
  return [level, sentence];
}

function totals(stats) {
  const inbound = stats.filter((one) => one.type === "inbound-rtp");
  const pair = stats.find((one) => one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime >= 0);
  const sum = (name) => inbound.reduce((total, one) => total + (one[name] ?? 0), 0);
  return {
    at: Math.max(0, ...inbound.map((one) => one.timestamp)),
    received: sum("packetsReceived"),
    lost: sum("packetsLost"),
    bytes: sum("bytesReceived"),
    jitterMs: 1000 * Math.max(0, ...inbound.map((one) => one.jitter ?? 0)),
    rttMs: 1000 * (pair?.currentRoundTripTime ?? 0),
  };
}

const EVERY_MS = 5_000;

/** Shows how well the call runs, for as long as there is one; `connectionNow()` tells which. */
export class QualityDisplay {
  #connectionNow;
  #connection = null;
  #meter = null;

  constructor(connectionNow) {
    this.#connectionNow = connectionNow;
  }

  start() {
    setInterval(() => this.#look(), EVERY_MS);
  }

  async #look() {
    const connection = this.#connectionNow();
    if (connection === null || connection.connectionState !== "connected") return;
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#meter = new QualityMeter(connection);
    }
    const reading = await this.#meter.read();
    if (reading !== null && connection === this.#connectionNow()) showQuality(...levelOf(reading));
  }
}
