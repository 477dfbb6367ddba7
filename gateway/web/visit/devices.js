// Camera and microphone: asked for once, chosen again at will, and the check of both before a visit.

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
};
const WHY = {
  NotAllowedError: "not allowed: permit it beside the address of this page, then reload",
  NotFoundError: "none found",
  NotReadableError: "in use by another program",
  OverconstrainedError: "does not fit",
};

/** What we send, and what became of asking for it. */
export class Devices {
  stream = new MediaStream();
  found = { camera: "", microphone: "" };

  /** Asks for both at once, so that there is one question; then for each alone, so that one missing does not cost both. */
  async open() {
    try {
      this.#take(await navigator.mediaDevices.getUserMedia(WANTED));
      this.found = { camera: "works", microphone: "works" };
    } catch {
      this.found.camera = await this.#openOne("video");
      this.found.microphone = await this.#openOne("audio");
    }
  }

  /** Changes to another device of one kind ("audio" or "video"). */
  async choose(kind, deviceId) {
    const wish = { ...WANTED[kind], deviceId: { exact: deviceId } };
    delete wish.facingMode;
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wish });
    for (const track of this.#tracks(kind)) {
      track.stop();
      this.stream.removeTrack(track);
    }
    this.#take(stream);
  }

  /** The devices of a kind that can be chosen, with names once permission was given. */
  async list(kind) {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === `${kind}input` && device.deviceId);
  }

  has(kind) {
    return this.#tracks(kind).length > 0;
  }

  /** Whether what this kind sends is heard or seen by others. */
  enable(kind, isOn) {
    for (const track of this.#tracks(kind)) track.enabled = isOn;
  }

  /** Lets go of both, and their lights go out. */
  stop() {
    for (const track of this.stream.getTracks()) {
      track.stop();
      this.stream.removeTrack(track);
    }
  }

  async #openOne(kind) {
    try {
      this.#take(await navigator.mediaDevices.getUserMedia({ [kind]: WANTED[kind] }));
      return "works";
    } catch (error) {
      return WHY[error.name] ?? "does not work";
    }
  }

  #take(stream) {
    for (const track of stream.getTracks()) this.stream.addTrack(track);
  }

  #tracks = (kind) => this.stream.getTracks().filter((track) => track.kind === kind);
}

/** Calls `onLevel` with the loudness of a stream, 0 to 1, ten times a second; the answer ends it. */
export function watchLevel(stream, onLevel) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((total, sample) => total + sample * sample, 0) / samples.length;
    onLevel(Math.min(1, Math.sqrt(power) * 4));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}

/** Whether this browser finds any way out at all: a first candidate within two seconds. */
export async function hasNetwork() {
  const connection = new RTCPeerConnection();
  try {
    const found = new Promise((resolve) => {
      connection.onicecandidate = ({ candidate }) => candidate && resolve(true);
      setTimeout(() => resolve(false), 2000);
    });
    connection.createDataChannel("check");
    await connection.setLocalDescription();
    return await found;
  } finally {
    connection.close();
  }
}
