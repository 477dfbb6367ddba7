// The events of a visit: a server-sent stream that is opened by one-time tickets and goes on where it was cut.

import { Problem, backoffMs, pause } from "./api.js";

/** Calls `onEvent` for each event in order, and `onState(true or false)` as the stream comes and goes. */
export class Events {
  #api;
  #onEvent;
  #onState;
  #onRefused;
  #source = null;
  #seq = 0;
  #failures = 0;
  #isOpen = false;

  constructor(api, { onEvent, onState, onRefused }) {
    this.#api = api;
    this.#onEvent = onEvent;
    this.#onState = onState;
    this.#onRefused = onRefused;
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#connect();
  }

  close() {
    this.#isOpen = false;
    this.#source?.close();
    this.#source = null;
  }

  async #connect() {
    try {
      const { ticket } = await this.#api.ticket();
      if (!this.#isOpen) return;
      this.#listen(new EventSource(this.#api.eventsUrl(ticket, this.#seq)));
    } catch (error) {
      if (error instanceof Problem && error.status < 500 && error.status !== 429) {
        this.close();
        this.#onRefused(error);
        return;
      }
      this.#again();
    }
  }

  #listen(source) {
    this.#source = source;
    source.onopen = () => {
      this.#failures = 0;
      this.#onState(true);
    };
    source.onmessage = (message) => {
      this.#seq = Math.max(this.#seq, Number(message.lastEventId) || 0);
      this.#onEvent(JSON.parse(message.data));
    };
    // A ticket is good for once, so the browser's own way to reconnect would be refused.
    source.onerror = () => {
      source.close();
      if (this.#source === source) this.#again();
    };
  }

  async #again() {
    this.#source = null;
    if (!this.#isOpen) return;
    // Streams end now and then as they should; only one that does not come back is worth a word.
    if (this.#failures > 0) this.#onState(false);
    await pause(backoffMs(this.#failures));
    this.#failures += 1;
    if (this.#isOpen) this.#connect();
  }
}
