// The gap of a recording, dragged on its waveform; the form's own fields hold its seconds.
import { apiAddress, ask, make } from "/static/api.js";
import { drawWaveform, secondsAt, whenSized } from "/static/draw.js";

export function gapOf(form) {
  const canvas = make("canvas", { class: "wave", role: "img", "aria-label": "waveform; drag on it to choose the gap, or type its seconds", hidden: true });
  let sound = null, shown = "", began = null;
  const gap = () => {
    const { gap_start: from, gap_stop: to } = form.values();
    return from != null && to != null ? [from, to] : null;
  };
  const draw = () => sound && drawWaveform(canvas, sound, { gap: gap() });
  const look = async () => {
    const path = form.values().infill ?? "";
    if (path === shown) return draw();
    shown = path;
    sound = path ? await ask(apiAddress("waveform", path)).catch(() => null) : null;
    if (path !== shown) return;
    canvas.hidden = !sound;
    draw();
  };
  const select = (event) => {
    if (began == null) return;
    const ends = [began, secondsAt(canvas, event, sound)].sort((a, b) => a - b);
    form.write("gap_start", ends[0].toFixed(2));
    form.write("gap_stop", ends[1].toFixed(2));
  };
  canvas.addEventListener("pointerdown", (event) => {
    began = secondsAt(canvas, event, sound);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", select);
  canvas.addEventListener("pointerup", () => (began = null));
  form.addEventListener("filled", look);
  whenSized(canvas, draw);
  return canvas;
}
