// How booking goes, day by day, as the appointment service tells it.

import { get } from "./api.js";
import { h, notice, percent, svg, table } from "./dom.js";

const W = 560, H = 190, LEFT = 46, BOTTOM = 22, TOP = 10;
const day = (date) => date.slice(5);

const frame = (caption, days, most, written, legend, ...drawn) => {
  const step = (W - LEFT) / days.length, marks = [0, 0.5, 1];
  return h("figure", { class: "panel" },
    h("figcaption", {}, caption),
    svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `${caption}; the table below has the numbers` },
      marks.map((share) => {
        const y = H - BOTTOM - share * (H - BOTTOM - TOP);
        return [svg("line", { class: "grid", x1: LEFT, x2: W, y1: y, y2: y }), svg("text", { class: "soft", x: LEFT - 5, y: y + 4, "text-anchor": "end" }, written(share * most))];
      }),
      days.map((one, index) => index % Math.ceil(days.length / 8) === 0 && svg("text", { class: "soft", x: LEFT + (index + 0.5) * step, y: H - 6, "text-anchor": "middle" }, day(one.date))),
      drawn),
    legend && h("div", { class: "legend" }, legend.map(([name, kind]) => h("span", { class: kind }, h("span", { class: "dot" }), h("span", { class: "soft" }, name)))));
};

const scale = (most) => (value) => (value / most) * (H - BOTTOM - TOP);

const bars = (caption, days, parts) => {
  const most = Math.max(4, ...days.map((one) => parts.reduce((sum, [, , of]) => sum + of(one.figures), 0)));
  const step = (W - LEFT) / days.length, high = scale(most);
  return frame(caption, days, most, (value) => Math.round(value), parts.map(([name, kind]) => [name, kind]),
    days.map((one, index) => {
      let below = 0;
      return parts.map(([name, kind, of]) => {
        const value = of(one.figures), height = high(value), y = H - BOTTOM - high(below) - height;
        below += value;
        return value > 0 && svg("rect", { class: `fill ${kind}`, x: LEFT + index * step + 1.5, y, width: Math.max(1, step - 3), height }, svg("title", {}, `${one.date}: ${value} ${name}`));
      });
    }));
};

const lines = (caption, days, parts) => {
  const step = (W - LEFT) / days.length, high = scale(1);
  const point = (value, index) => [LEFT + (index + 0.5) * step, H - BOTTOM - high(value)];
  return frame(caption, days, 1, percent, parts.map(([name, kind]) => [name, kind]),
    parts.map(([name, kind, of]) => {
      const known = days.map((one, index) => [of(one.figures), index, one.date]).filter(([value]) => value !== null);
      const path = known.map(([value, index], n) => `${n ? "L" : "M"}${point(value, index).join(",")}`).join(" ");
      return [svg("path", { class: `line ${kind}`, d: path }),
        known.map(([value, index, date]) => svg("circle", { class: `fill ${kind}`, cx: point(value, index)[0], cy: point(value, index)[1], r: 3 }, svg("title", {}, `${date}: ${percent(value)} ${name}`)))];
    }));
};

const card = (told, value, more) => h("div", { class: "panel card" }, h("b", {}, value), told, more && h("div", { class: "soft" }, more));
const rate = (rated, attempts) => (attempts ? rated : null);
const shown = (value) => (value === null ? "–" : percent(value));

/** The view. */
export const bookings = async () => {
  const { days = [], total, specialties = [], timezone } = await get("analytics");
  if (!total || !(total.smart_attempts + total.manual_attempts + total.hold_attempts))
    return notice("Nobody has tried to book anything in the last 30 days.");
  return h("div", {},
    h("p", { class: "soft" }, `The last ${days.length} days, in ${timezone}.`),
    h("div", { class: "cards" },
      card("visits booked", total.bookings, `${total.confirmed_holds} of them held first`),
      card("by smart booking", total.smart_bookings, `${shown(rate(total.smart_success_rate, total.smart_attempts))} of ${total.smart_attempts} attempts`),
      card("by hand", total.manual_bookings, `${shown(rate(total.manual_success_rate, total.manual_attempts))} of ${total.manual_attempts} attempts`),
      card("with the patient's own doctor", total.continuity_bookings, total.bookings ? `${percent(total.continuity_bookings / total.bookings)} of bookings` : ""),
      card("mean match score", total.average_match_score.toFixed(2))),
    h("h2", {}, "Day by day"),
    h("div", { class: "charts" },
      bars("Visits booked", days, [["smart", "c1", (f) => f.smart_bookings], ["by hand", "c0", (f) => f.manual_bookings], ["holds confirmed", "c3", (f) => f.confirmed_holds]]),
      lines("Attempts that succeed", days, [["smart", "c1", (f) => rate(f.smart_success_rate, f.smart_attempts)], ["by hand", "c0", (f) => rate(f.manual_success_rate, f.manual_attempts)]]),
      bars("With the patient's own doctor", days, [["continuity bookings", "c2", (f) => f.continuity_bookings]])),
    total.failures?.length > 0 && [h("h2", {}, "Why attempts failed"), table("Failures by reason", [["Reason", (f) => f.reason], ["Attempts", (f) => f.count, "number"]], total.failures)],
    specialties.length > 0 && [h("h2", {}, "By specialty"), table("Success by specialty", [
      ["Specialty", (s) => s.specialty], ["Attempts", (s) => s.attempts, "number"], ["Succeeded", (s) => s.successes, "number"], ["Share", (s) => percent(s.success_rate), "number"]], specialties)],
    h("h2", {}, "Numbers"),
    table("Bookings by day", [
      ["Day", (d) => d.date, "time"], ["Booked", (d) => d.figures.bookings, "number"], ["Smart", (d) => d.figures.smart_bookings, "number"],
      ["By hand", (d) => d.figures.manual_bookings, "number"], ["Own doctor", (d) => d.figures.continuity_bookings, "number"],
      ["Smart success", (d) => shown(rate(d.figures.smart_success_rate, d.figures.smart_attempts)), "number wide"],
      ["Success by hand", (d) => shown(rate(d.figures.manual_success_rate, d.figures.manual_attempts)), "number wide"],
    ], [...days].reverse()));
};
