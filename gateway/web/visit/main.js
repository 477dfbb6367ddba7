// The visit page: takes the token, makes the visit, and wires the buttons.

import { VisitApi } from "./api.js";
import { DeviceCheck } from "./check.js";
import { Devices } from "./devices.js";
import { Quality } from "./quality.js";
import { keepToken, roleOf, takeToken } from "./token.js";
import { $, press, show, tell, warn } from "./view.js";
import { Visit } from "./visit.js";

const sessionId = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const devices = new Devices();
const check = new DeviceCheck(devices);
let visit = null;

/** Begins with the token at hand; without a good one, asks for it. Tells whether there was one. */
function begin() {
  const token = takeToken();
  const role = roleOf(token);
  if (!role) {
    show("token");
    return false;
  }
  visit = new Visit({ api: new VisitApi(token, sessionId), role, devices, check });
  visit.open();
  return true;
}

function toggle(button, kind, words) {
  const isOff = button.getAttribute("aria-pressed") !== "true";
  devices.enable(kind, !isOff);
  press(button, isOff, isOff ? words.turnOn : words.turnOff);
  tell(isOff ? words.isOff : words.isOn);
}

const MICROPHONE = { turnOff: "Mute", turnOn: "Unmute", isOff: "You are muted.", isOn: "You can be heard." };
const CAMERA = { turnOff: "Camera off", turnOn: "Camera on", isOff: "Your camera is off.", isOn: "You can be seen." };

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value.trim());
  $("token").value = "";
  warn(begin() ? "" : "That is not an access token of a patient or a doctor.");
});
$("join").addEventListener("click", () => visit.join());
$("mute").addEventListener("click", () => toggle($("mute"), "audio", MICROPHONE));
$("camera").addEventListener("click", () => toggle($("camera"), "video", CAMERA));
$("leave").addEventListener("click", () => visit.leave());
$("leave-waiting").addEventListener("click", () => visit.leave());
$("admit").addEventListener("click", () => visit.decide("admit"));
$("reject").addEventListener("click", () => visit.decide("reject"));
$("end").addEventListener("click", () => $("confirm").showModal());
$("confirm-no").addEventListener("click", () => $("confirm").close());
$("confirm-yes").addEventListener("click", () => {
  $("confirm").close();
  visit.end();
});
$("again").addEventListener("click", () => visit.open());
addEventListener("pagehide", () => visit?.vanish());

new Quality({
  underWay: () => visit?.call ?? null,
  report: (samples, attempt) => visit?.report(samples, attempt),
}).start();
begin();
