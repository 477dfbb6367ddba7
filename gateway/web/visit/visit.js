// One participant's way through a visit: the door, the waiting room, the call, and every way out.

import { Problem } from "./api.js";
import { Call } from "./call.js";
import { Events } from "./events.js";
import { Heart } from "./heart.js";
import { dropToken } from "./token.js";
import { $, onLink, onTrack, press, show, showDoor, showEnd, showWhen, tell, told, warn } from "./view.js";

const OVER = {
  Ended: ["The visit is over", "Thank you. You can close this page."],
  Cancelled: ["The appointment was cancelled", "There is no visit to join."],
  NoShow: ["The visit is over", "It was marked as missed."],
  Expired: ["The visit is over", "The time for joining has passed."],
};
const OUT = {
  left: ["You have left the visit", "You can come back while it lasts.", true],
  stuck: ["You are cut off", "The connection did not come back by itself.", true],
  replaced: ["The visit goes on elsewhere", "You have opened it in another window or on another device.", true],
  rejected: ["The doctor cannot see you right now", "You can ask again in a minute.", true],
  removed: ["The doctor has ended your part of the visit", "Please call the clinic if you have questions.", false],
};
const SOON = new Set(["JOIN_TOO_EARLY", "KNOCK_TOO_SOON"]);

export class Visit {
  #api;
  #role;
  #devices;
  #check;
  #appointmentId = "";
  #events = null;
  #call = null;
  #waiting = null;
  #isEntering = false;
  #ownState = "";

  constructor({ api, role, devices, check }) {
    this.#api = api;
    this.#role = role;
    this.#devices = devices;
    this.#check = check;
  }

  /** The call under way, or null. */
  get call() {
    return this.#call?.isRunning ? this.#call : null;
  }

  /** Whether this tab was in the visit before it was loaded again. */
  get #wasIn() {
    return sessionStorage.getItem(this.#memory) !== null;
  }

  get #memory() {
    return `visit-joined:${this.#api.sessionId}`;
  }

  /** From the beginning: what the visit is, and the check; a page that was loaded again goes straight back in. */
  async open() {
    try {
      const session = await this.#api.session();
      this.#appointmentId = session.appointment_id;
      showWhen(session);
      if (session.state in OVER) this.#over(session.state);
      else if (this.#wasIn) await this.#check.look().then(() => this.join());
      else await this.#check.run(this.#role === "doctor" ? "Start the visit" : "Ask to join");
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Knocks: a doctor walks in, a patient may have to wait. */
  async join() {
    $("join").disabled = true;
    warn();
    try {
      await this.#api.checkIn(this.#check.passed);
      sessionStorage.setItem(this.#memory, "yes");
      this.#check.stop();
      this.#call ??= this.#newCall();
      this.#watch();
      await this.#enter();
    } catch (error) {
      this.#refused(error);
    } finally {
      $("join").disabled = false;
    }
  }

  /** Passes on how well an attempt ran; a report that is lost is no great loss. */
  report(samples, attempt) {
    this.#api.quality({ attempt, samples }).catch(() => {});
  }

  /** Leaves; coming back is possible. */
  async leave() {
    const attempt = this.call?.attempt ?? 0;
    this.#out("left");
    await this.#api.leave(attempt).catch(() => {});
  }

  /** Says goodbye while the page goes away: the other side need not find out by silence. */
  vanish() {
    if (this.call || this.#waiting) this.#api.leave(this.call?.attempt ?? 0, true).catch(() => {});
  }

  /** The doctor's word on whoever is at the door: "admit" or "reject". */
  async decide(verb) {
    const { participant } = $("door").dataset;
    showDoor(null);
    await this.#api.decide(participant, verb).catch((error) => warn(error.message));
  }

  /** Ends the visit for both. */
  async end() {
    await this.#api.end().catch((error) => warn(error.message));
  }

  #newCall() {
    return new Call({
      api: this.#api,
      start: () => this.#start(),
      stream: this.#devices.stream,
      listener: {
        onTrack,
        onLink: (state) => (state === "stuck" ? this.#out("stuck") : onLink(state)),
        onOver: (reason) => this.#out(reason === "REMOVED" ? "removed" : reason),
      },
    });
  }

  /** Asks to be let in; null while we have to wait for the doctor. */
  async #start() {
    const admission = await this.#api.start(this.#appointmentId, this.#role, crypto.randomUUID());
    return admission.attempt > 0 ? admission : null;
  }

  #watch() {
    this.#events ??= new Events(this.#api, {
      onEvent: (event) => this.#happened(event),
      onState: (isOpen) => warn(isOpen ? "" : "The connection to the clinic is lost. Trying again …"),
      onRefused: (error) => this.#refused(error),
    });
    this.#events.open();
  }

  async #enter() {
    if (this.#isEntering) return;
    this.#isEntering = true;
    try {
      const admission = await this.#start();
      if (admission) this.#beginCall(admission);
      else this.#wait();
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#isEntering = false;
    }
    // The doctor's word may have overtaken the answer that told us to wait.
    if (this.#waiting && this.#ownState === "Admitted") this.#letIn();
  }

  #beginCall(admission) {
    this.#stopWaiting();
    $("self").srcObject = this.#devices.stream;
    $("end").hidden = this.#role !== "doctor";
    press($("mute"), false, "Mute");
    press($("camera"), false, "Camera off");
    show("call");
    this.#call?.begin(admission);
  }

  #wait() {
    if (this.#waiting) return;
    const since = new Date();
    $("waiting-since").dateTime = since.toISOString();
    $("waiting-since").textContent = since.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
    this.#waiting = new Heart(this.#api, 0, () => this.join());
    this.#waiting.start();
    show("waiting");
  }

  #stopWaiting() {
    this.#waiting?.stop();
    this.#waiting = null;
  }

  #happened({ session, signal }) {
    if (signal) this.#call?.signalCame(signal);
    if (!session) return;
    if (session.state in OVER) {
      this.#over(session.state);
      return;
    }
    this.#atTheDoor(session);
    const own = session.participants.find((one) => one.participant_type.toLowerCase() === this.#role);
    this.#ownState = own?.state ?? "";
    if (own?.state === "Removed") this.#out("removed");
    else if (this.#waiting && own?.state === "Admitted") this.#letIn();
    else if (this.#waiting && own?.state === "Rejected") this.#out("rejected");
    else this.#call?.sessionChanged(session);
  }

  #letIn() {
    this.#stopWaiting();
    this.#ownState = "";
    tell("The doctor lets you in.");
    this.#enter();
  }

  #atTheDoor(session) {
    if (this.#role !== "doctor") return;
    const waiting = session.participants.find((one) => one.state === "Waiting") ?? null;
    $("door").dataset.participant = waiting?.participant_id ?? "";
    showDoor(waiting);
  }

  #out(reason) {
    this.#standDown();
    showEnd(...(OUT[reason] ?? ["You are no longer in the visit", "You can try to come back.", true]));
  }

  #over(state) {
    this.#standDown();
    dropToken();
    showEnd(...OVER[state], false);
  }

  #standDown() {
    sessionStorage.removeItem(this.#memory);
    this.#stopWaiting();
    this.#check.stop();
    this.#call?.stop();
    this.#events?.close();
    this.#call = this.#events = null;
    this.#devices.stop();
    $("self").srcObject = $("remote").srcObject = null;
    if ($("confirm").open) $("confirm").close();
    showDoor(null);
    warn();
  }

  /** What the service refused, in its own words, which are meant for people. */
  #refused(error) {
    if (!(error instanceof Problem) || error.status >= 500) {
      warn("The clinic cannot be reached. Please try again.");
      if (!this.call && !this.#waiting) $("join").disabled = false;
      return;
    }
    this.#standDown();
    if (error.status === 401) {
      dropToken();
      show("token");
      warn("Your access has run out. Please open the visit from your appointment again.");
    } else {
      showEnd("You cannot join right now", told(error), SOON.has(error.reason));
    }
  }
}
