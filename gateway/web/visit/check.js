// The check before a visit: what camera and microphone give, and whether there is a way out of this device.

import { hasNetwork, watchLevel } from "./devices.js";
import { $, fillChoice, show, showCheck, tell, warn } from "./view.js";

/** The check's screen. `passed` holds what was found last, as the service takes it. */
export class DeviceCheck {
  passed = { camera: false, microphone: false, network: false };
  #devices;
  #stopLevel = () => {};

  constructor(devices) {
    this.#devices = devices;
    $("camera-choice").addEventListener("change", ({ target }) => this.#choose("video", target.value));
    $("microphone-choice").addEventListener("change", ({ target }) => this.#choose("audio", target.value));
  }

  /** Asks for the devices and looks at them, without showing anything. */
  async look() {
    await this.#devices.open();
    this.passed = {
      camera: this.#devices.has("video"),
      microphone: this.#devices.has("audio"),
      network: await hasNetwork(),
    };
  }

  /** The same on its screen; `word` is what the button to go on says. */
  async run(word) {
    show("check");
    await this.look();
    const { camera, microphone, network } = this.passed;
    showCheck("camera", camera, this.#devices.found.camera);
    showCheck("microphone", microphone, this.#devices.found.microphone);
    showCheck("network", network, network ? "works" : "no way out of this device was found");
    fillChoice($("camera-choice"), await this.#devices.list("video"), "Camera");
    fillChoice($("microphone-choice"), await this.#devices.list("audio"), "Microphone");
    this.#preview();
    const isWhole = camera && microphone;
    $("check-hint").textContent = isWhole ? "" : "You can join without, but the other side will miss something.";
    tell(isWhole && network ? "Camera, microphone and connection work." : "The check found a problem.");
    $("join").textContent = word;
    $("join").disabled = false;
  }

  /** The level is no longer shown. */
  stop() {
    this.#stopLevel();
    this.#stopLevel = () => {};
    $("preview").srcObject = null;
  }

  #preview() {
    this.stop();
    $("preview").srcObject = this.#devices.stream;
    $("preview-none").hidden = this.#devices.has("video");
    if (this.#devices.has("audio")) {
      this.#stopLevel = watchLevel(this.#devices.stream, (level) => ($("level").value = level));
    }
  }

  async #choose(kind, deviceId) {
    try {
      await this.#devices.choose(kind, deviceId);
      this.#preview();
    } catch {
      warn("That device cannot be used.");
    }
  }
}
