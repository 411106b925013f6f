// A piano roll that zooms: by buttons, by + and - while it has the focus, and by Ctrl and the wheel.
import { apiAddress, ask, make } from "/static/api.js";
import { COLOURS, drawNotes, whenSized } from "/static/draw.js";

const STEP = 1.5, MOST = 64; // of a zoom, and how far it goes

export async function rollOf(path) {
  const music = await ask(apiAddress("notes", path));
  const canvas = make("canvas", { class: "roll", role: "img", "aria-label": `notes of ${path}` });
  const frame = make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "piano roll; + and - zoom, arrows scroll" }, make("div", {}, canvas));
  const whole = canvas.parentElement; // as wide as the zoomed piece; the canvas is as wide as the frame and stays in it
  canvas.notes = music.parts.flatMap((part) => part.notes); // what is drawn, for whoever inspects the page
  let zoom = 1;
  const draw = () => drawNotes(canvas, music, frame.scrollLeft, whole.clientWidth);
  const scale = (factor, place = 0.5) => {
    const before = (frame.scrollLeft + place * frame.clientWidth) / whole.clientWidth;
    zoom = Math.min(MOST, Math.max(1, zoom * factor));
    whole.style.width = `${100 * zoom}%`;
    frame.scrollLeft = before * whole.clientWidth - place * frame.clientWidth;
    draw();
  };
  frame.addEventListener("keydown", (event) => {
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP }[event.key];
    if (!factor) return;
    event.preventDefault();
    scale(factor);
  });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    scale(event.deltaY < 0 ? STEP : 1 / STEP, (event.clientX - frame.getBoundingClientRect().left) / frame.clientWidth);
  }, { passive: false });
  frame.addEventListener("scroll", draw);
  whenSized(frame, draw);
  const legend = make("ul", { class: "legend" }, ...music.parts.map((part, i) => {
    const swatch = make("i", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = `var(${COLOURS[i % COLOURS.length]})`;
    return make("li", {}, swatch, `${part.name}, ${part.notes.length} notes`);
  }));
  const buttons = make("div", { class: "row" },
    make("button", { type: "button", onclick: () => scale(STEP) }, "Zoom in"), make("button", { type: "button", onclick: () => scale(1 / STEP) }, "Zoom out"));
  return make("figure", {}, frame, legend, buttons);
}
