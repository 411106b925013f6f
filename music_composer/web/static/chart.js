// Lines over time with a legend, drawn anew when the page changes its size.
import { make, place } from "/static/api.js";
import { COLOURS, drawLines, whenSized } from "/static/draw.js";

// Returns {element, draw}: draw takes lines, [[x, y], ...] by their names, and a level to compare with.
export function chartOf(label, unit) {
  const canvas = make("canvas", { class: "chart", role: "img", "aria-label": label });
  const legend = make("ul", { class: "legend" });
  const entries = new Map();
  let last = [new Map(), null];
  const again = () => drawLines(canvas, ...last, unit);
  whenSized(canvas, again);
  function draw(lines, baseline = null) {
    last = [lines, baseline];
    canvas.lines = lines; // what is drawn, for whoever inspects the page
    const texts = [...lines].map(([name, line], i) => [name, `${name}: ${line.at(-1)[1].toPrecision(4)}`, COLOURS[i % COLOURS.length]]);
    if (baseline) texts.push(["baseline", `${baseline.name}: ${baseline.value.toPrecision(4)}`, "--faint"]);
    place(legend, texts.map(([name, text, colour]) => {
      if (!entries.has(name)) entries.set(name, make("li", {}, make("i", { class: "swatch", "aria-hidden": "true" }), make("span")));
      const entry = entries.get(name);
      entry.firstChild.style.background = `var(${colour})`;
      entry.lastChild.textContent = text;
      return entry;
    }));
    again();
  }
  return { element: make("figure", {}, canvas, legend), draw };
}
