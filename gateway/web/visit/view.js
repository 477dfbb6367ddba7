// What the page shows: one screen at a time, each change told to eyes, to screen readers and to the keyboard's focus.

const SCREENS = ["token", "check", "waiting", "call", "end"];

/** An element of the page by its id. */
export const $ = (id) => document.getElementById(id);

/** Shows one screen and moves the focus to its heading, so that a reader begins there. */
export function show(name) {
  for (const screen of SCREENS) $(`screen-${screen}`).hidden = screen !== name;
  $(`${name}-title`).focus();
  document.title = `${$(`${name}-title`).textContent} · Video visit`;
}

/** Tells something that changed without taking the focus. */
export function tell(sentence) {
  $("status").textContent = sentence;
}

/** Shows what went wrong, or takes it away again. */
export function warn(sentence = "") {
  $("alert").hidden = sentence === "";
  $("alert").textContent = sentence;
}

/** The end of the visit for this page; `mayReturn` offers the way back. */
export function showEnd(title, text, mayReturn) {
  $("end-title").textContent = title;
  $("end-text").textContent = text;
  $("again").hidden = !mayReturn;
  show("end");
}

/** When the visit is, in the reader's own zone and way of writing. */
export function showWhen(session) {
  const start = new Date(session.start_time);
  const end = new Date(session.end_time);
  const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  $("when").textContent = `${day.format(start)}, ${time.format(start)} – ${time.format(end)}`;
}

/** One line of the device check: what was found, and whether that is good. */
export function showCheck(name, isGood, found) {
  const line = $(`check-${name}`);
  line.dataset.state = isGood ? "good" : "bad";
  line.querySelector(".found").textContent = found;
}

/** Fills a choice of devices. */
export function fillChoice(select, devices, what) {
  select.replaceChildren(
    ...devices.map((device, index) => new Option(device.label || `${what} ${index + 1}`, device.deviceId)),
  );
  select.disabled = devices.length < 2;
}

/** The quality of the call: level is none, poor, fair or good. */
export function showQuality(level, sentence) {
  if ($("quality").dataset.level !== level && level === "poor") tell("The connection is poor.");
  $("quality").dataset.level = level;
  $("quality-text").textContent = sentence;
}

/** A button that is pressed or not, with the word for what pressing it would do. */
export function press(button, isPressed, word) {
  button.setAttribute("aria-pressed", String(isPressed));
  button.querySelector("span").textContent = word;
}

/** Who is at the door, for the doctor; null for nobody. */
export function showDoor(waiting) {
  const wasShown = !$("door").hidden;
  $("door").hidden = waiting === null;
  if (waiting === null) return;
  const check = waiting.device_check;
  const missing = check ? ["camera", "microphone", "network"].filter((name) => !check[name]) : [];
  $("door-devices").textContent =
    missing.length > 0 ? `Their check found no working ${missing.join(" and no working ")}.` : "";
  if (!wasShown) tell("The patient is in the waiting room. You can let them in.");
}

/** What a refusal says to people. */
export function told(problem) {
  const at = problem.metadata.open_time ?? problem.metadata.knock_time;
  if (!at) return problem.message;
  const text = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return `You can join from ${text}.`;
}

const LINKS = {
  alone: ["The other participant is not here yet.", "none", "Not connected"],
  connecting: ["Connecting …", "none", "Connecting …"],
  connected: ["", "good", "Connected"],
  lost: ["The connection is lost. Trying to come back …", "none", "Reconnecting …"],
};

/** How the connection to the other side stands. */
export function onLink(state) {
  const [sentence, level, quality] = LINKS[state];
  $("remote-none").textContent = sentence;
  $("remote-none").hidden = sentence === "";
  if (state === "alone") $("remote").srcObject = null;
  showQuality(level, quality);
  tell(state === "connected" ? "You are connected." : sentence);
}

/** Sound or picture of the other side. */
export function onTrack({ track, streams }) {
  const remote = $("remote");
  const stream = streams[0] ?? new MediaStream([track]);
  if (remote.srcObject !== stream) remote.srcObject = stream;
}
