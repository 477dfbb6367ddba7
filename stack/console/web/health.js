// How every process is, and how far the copies of the feed are behind.

import { get } from "./api.js";
import { h, notice, service, short, table } from "./dom.js";

const GOOD = new Set(["ready", "running", "SERVING"]);
const tag = (word) => h("span", { class: `tag ${GOOD.has(word) ? "good" : "bad"}` }, word);
const lag = (value) => (value === null || value === undefined ? "–" : h("span", { class: value > 0 ? "fair" : "good" }, value === 0 ? "none" : `${value} change${value === 1 ? "" : "s"}`));
const memory = (value) => (value ? `${Math.round(value / 1e6)} MB` : "–");

/** The view. */
export const health = async () => {
  const { url, shows, processes } = await get("health");
  if (!processes.length) return notice("No stack runs on this data folder any more.");
  const bad = processes.filter((one) => !GOOD.has(one.state));
  return h("div", {},
    h("p", {}, h("b", { class: bad.length ? "bad" : "good" }, bad.length ? `${bad.map((one) => one.name).join(", ")}: not well` : "Everything is well."),
      h("span", { class: "soft" }, ` The API is at ${url}.${shows ? ` Its clock started at ${shows}.` : ""}`)),
    table("Processes", [
      ["Process", (p) => service(p.name)],
      ["State", (p) => tag(p.state)],
      ["Health by name", (p) => Object.entries(p.names ?? {}).map(([name, word]) => h("div", {}, h("span", { class: "soft" }, `${short(name)} `), tag(word))), "wide"],
      ["Behind the feed", (p) => lag(p.feed_lag), "number"],
      ["Memory", (p) => memory(p.memory_bytes), "number"],
      ["Restarts", (p) => p.restarts, "number"],
      ["Port", (p) => p.port ?? "–", "number wide"],
      ["Process id", (p) => p.pid ?? "–", "number wide"],
    ], processes));
};
