// Calls of the video service's JSON: with the caller's token, a time limit, and a repeat where the service asks for one.

const LIMIT_MS = 12_000;
const TRIES = 4;

/** A refusal, as problem+json says it. `reason` is for the program, the message for people. */
export class Problem extends Error {
  constructor(status, document, retryAfterMs) {
    super(document.detail || "The service did not answer as it should.");
    this.status = status;
    this.reason = document.reason ?? "UNKNOWN";
    this.metadata = document.metadata ?? {};
    this.retryAfterMs = retryAfterMs;
  }
}

/** Waits. */
export const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** 0.3 s doubling to 7 s, with jitter so that two browsers do not keep colliding. */
export const backoffMs = (attempt) => Math.min(300 * 2 ** attempt, 7000) * (0.7 + 0.6 * Math.random());

/** The calls of one visit by one participant. Every one of them is safe to repeat, so a lost answer is asked for again. */
export class VisitApi {
  constructor(token, sessionId) {
    this.token = token;
    this.sessionId = sessionId;
  }

  session = () => this.#send("GET", this.#path(""));

  start = (appointmentId, role, requestId) =>
    this.#send("POST", `/video/sessions/${encodeURIComponent(appointmentId)}/start`, {
      participant_type: role,
      request_id: requestId,
    });

  checkIn = (devices) => this.#send("POST", this.#path("/check-in"), devices);

  decide = (participantId, verb) =>
    this.#send("POST", this.#path(`/participants/${encodeURIComponent(participantId)}/${verb}`), {});

  signal = (body) => this.#send("POST", this.#path("/signals"), body);

  ticket = () => this.#send("POST", this.#path("/stream-tickets"), {});

  iceServers = (attempt) => this.#send("POST", this.#path("/ice-servers"), { attempt });

  publish = (body) => this.#send("POST", this.#path("/tracks/publish"), body);

  subscribe = (body) => this.#send("POST", this.#path("/tracks/subscribe"), body);

  answer = (body) => this.#send("POST", this.#path("/tracks/answer"), body);

  heartbeat = (body) => this.#send("POST", this.#path("/heartbeat"), body, { tries: 1 });

  quality = (body) => this.#send("POST", this.#path("/quality"), body, { tries: 1 });

  leave = (attempt, keepalive = false) =>
    this.#send("POST", this.#path("/leave"), { attempt }, { tries: keepalive ? 1 : TRIES, keepalive });

  end = () => this.#send("POST", this.#path("/end"), {});

  eventsUrl = (ticket, afterSeq) =>
    `${this.#path("/events")}?${new URLSearchParams({ ticket, after_seq: String(afterSeq) })}`;

  #path = (rest) => `/video/sessions/${encodeURIComponent(this.sessionId)}${rest}`;

  async #send(method, path, body, { tries = TRIES, keepalive = false } = {}) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(method, path, body, keepalive);
      } catch (error) {
        const isPassing = !(error instanceof Problem) || error.status === 503 || error.status === 429;
        if (!isPassing || attempt + 1 >= tries) throw error;
        await pause(Math.max(error.retryAfterMs ?? 0, backoffMs(attempt)));
      }
    }
  }

  async #once(method, path, body, keepalive) {
    const response = await fetch(path, {
      method,
      keepalive,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: keepalive ? undefined : AbortSignal.timeout(LIMIT_MS),
    });
    const document = await response.json().catch(() => ({}));
    if (response.ok) return document;
    const seconds = Number(response.headers.get("retry-after"));
    throw new Problem(response.status, document, Number.isFinite(seconds) ? seconds * 1000 : 0);
  }
}
