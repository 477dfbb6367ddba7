// Which view is shown: the part of the address after #, so that every view and every search can be linked to.

import { get } from "./api.js";
import { h } from "./dom.js";
import { bookings } from "./bookings.js";
import { health } from "./health.js";
import { serviceMap } from "./map.js";
import { statements } from "./statements.js";
import { trace } from "./trace.js";
import { traces } from "./traces.js";

// Each view: its title, what makes it, and after how many seconds it is made anew.
const VIEWS = {
  health: ["Health", health, 2],
  traces: ["Traces", traces, 0],
  trace: ["Trace", trace, 0],
  map: ["Service map", serviceMap, 5],
  statements: ["Statements", statements, 0],
  bookings: ["Bookings", bookings, 0],
};
const view = document.getElementById("view");
let timer, shown = 0;

const address = () => {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, rest = ""] = path.split("/");
  return { name: name in VIEWS ? name : "health", rest, parameters: Object.fromEntries(new URLSearchParams(query)) };
};

const failed = (error) =>
  h("div", { class: "notice error", role: "alert" },
    h("p", {}, error.message), h("p", {}, h("button", { onclick: () => show(true) }, "Try again")));

const show = async (moved) => {
  const { name, rest, parameters } = address();
  const [title, make, seconds] = VIEWS[name];
  const number = ++shown;
  clearTimeout(timer);
  if (moved) {
    document.title = `${title} · Telemed scheduler operations`;
    for (const link of document.querySelectorAll("nav a")) {
      const here = link.hash === `#/${name === "trace" ? "traces" : name}`;
      here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    }
    view.setAttribute("aria-busy", "true");
  }
  const made = await make(parameters, rest).catch(failed);
  if (number !== shown) return; // somebody has gone on meanwhile
  view.replaceChildren(h("h1", {}, title), made);
  view.removeAttribute("aria-busy");
  view.dataset.view = name;
  if (seconds) timer = setTimeout(() => show(false), seconds * 1000);
};

const tellStore = async () => {
  const said = document.getElementById("store");
  try {
    const store = await get("store");
    said.textContent = store.receives
      ? `${store.spans.toLocaleString()} spans of ${store.traces.toLocaleString()} traces`
      : "traces are sent elsewhere";
  } catch {
    said.textContent = "no answer";
  }
  setTimeout(tellStore, 3000);
};

addEventListener("hashchange", () => {
  show(true);
  view.focus({ preventScroll: true });
});
show(true);
tellStore();
