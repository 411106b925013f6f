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
    } catch (failure) {
      say(failure.message);
    }
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
