// Recordings and scores of the folder: seen, heard, removed.
import { ask, fileAddress, make } from "/static/api.js";
import { drawNotes, drawWaveform } from "/static/draw.js";

const isScore = (path) => /\.(mid|midi|musicxml|xml|mxl|abc|kar|rmi|smf)$/i.test(path);
const known = new Map();

export function showFiles(list, files, say, removable = false) {
  const wanted = files.map((file) => {
    const key = `${file.path} ${file.changed}`;
    if (!known.has(key)) known.set(key, entryOf(file, say, removable));
    return known.get(key);
  });
  if (wanted.length !== list.children.length || wanted.some((each, i) => list.children[i] !== each)) list.replaceChildren(...wanted);
}

// A gap that is dragged on the waveform, or typed, and filled by `generate --infill`.
function gapOf(canvas, file, sound) {
  const field = (label) => make("input", { type: "number", min: 0, max: sound.seconds, step: "any", "aria-label": `${label}, seconds` });
  const [from, to] = [field("from"), field("to")];
  const seconds = (event) => {
    const { left, width } = canvas.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - left) / width, 0), 1) * sound.seconds;
  };
  const draw = () => drawWaveform(canvas, sound, from.value && to.value ? [Number(from.value), Number(to.value)] : null);
  let began = null;
  const select = (event) => {
    if (began == null) return;
    const ends = [began, seconds(event)].sort((a, b) => a - b);
    [from.value, to.value] = ends.map((each) => each.toFixed(2));
    draw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    began = seconds(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", select);
  canvas.addEventListener("pointerup", () => (began = null));
  for (const each of [from, to]) each.addEventListener("input", draw);
  const ask = () => document.dispatchEvent(new CustomEvent("fill", { detail: { command: "generate", values: { infill: file.path, gap_start: from.value, gap_stop: to.value } } }));
  const go = () => document.dispatchEvent(new CustomEvent("fill", { detail: { command: "generate", values: { prompts: file.path, count: 1 } } }));
  return make("div", { class: "row" }, make("button", { type: "button", onclick: go }, "Continue it"),
    make("span", {}, "Gap from"), from, make("span", {}, "to"), to, make("button", { type: "button", onclick: ask }, "Fill the gap"));
}

function entryOf(file, say, removable) {
  const size = file.bytes < 1e6 ? `${Math.ceil(file.bytes / 1000)} kB` : `${(file.bytes / 1e6).toFixed(1)} MB`;
  const canvas = make("canvas", { role: "img", "aria-label": `${isScore(file.path) ? "notes" : "waveform"} of ${file.path}` });
  const details = make("details", { ontoggle: open }, make("summary", {}, `${file.path}, ${size}`), canvas);
  const address = "/" + ["api", isScore(file.path) ? "notes" : "waveform"].join("/") + "/" + fileAddress(file.path).slice(7);
  async function open() {
    if (!details.open || details.dataset.read) return;
    details.dataset.read = "yes";
    try {
      const found = await ask(address);
      (isScore(file.path) ? drawNotes : drawWaveform)(canvas, found);
      if (!isScore(file.path)) details.insertBefore(gapOf(canvas, file, found), canvas.nextSibling);
    } catch (failure) {
      say(failure.message);
    }
    if (file.picture) details.append(make("img", { src: fileAddress(file.picture), alt: `picture of ${file.path}`, loading: "lazy" }));
    if (!isScore(file.path)) details.append(make("audio", { controls: true, preload: "metadata", src: fileAddress(file.path) }));
    details.append(make("a", { href: fileAddress(file.path), download: true }, "Download"));
  }
  const remove = async () => {
    try {
      await ask("/api" + fileAddress(file.path), { method: "DELETE" });
    } catch (failure) {
      say(failure.message);
    }
  };
  return make("li", {}, details, removable ? make("button", { type: "button", onclick: remove, "aria-label": `Remove ${file.path}` }, "Remove") : null);
}
