// Recordings, scores and pages of the folder: seen, heard, gone on from, removed.
import { apiAddress, ask, clock, fileAddress, make, place } from "/static/api.js";
import { fill } from "/static/fill.js";
import { drawWaveform, whenSized } from "/static/draw.js";
import { rollOf } from "/static/roll.js";
import { soundOf } from "/static/sound.js";
import { writers } from "/static/writers.js";

const known = new Map();
const SCORE = /\.(mid|midi|musicxml|xml|mxl|abc|kar|rmi|smf)$/i, PAGE = /\.html$/i;
const kindOf = (path) => (SCORE.test(path) ? "score" : PAGE.test(path) ? "page" : "recording");

export function showFiles(list, files, say, removable = false) {
  place(list, files.map((file) => {
    const key = `${file.path} ${file.changed}`;
    if (!known.has(key)) known.set(key, fileEntry(file, say, removable));
    if (file.seconds != null) known.get(key).querySelector(".length").textContent = clock(file.seconds);
    return known.get(key);
  }));
}

// file: {path, bytes}. Its contents are asked for when it is seen or opened.
export function fileEntry(file, say, removable = false) {
  const kind = kindOf(file.path);
  const size = file.bytes == null ? "" : file.bytes < 1e6 ? `${Math.ceil(file.bytes / 1000)} kB` : `${(file.bytes / 1e6).toFixed(1)} MB`;
  const mini = kind === "recording" ? make("canvas", { class: "mini", "aria-hidden": "true" }) : null;
  if (mini) whenSeen(mini, async () => {
    const sound = await ask(apiAddress("waveform", file.path)).catch(() => null);
    if (sound) whenSized(mini, () => drawWaveform(mini, sound));
  });
  const name = make("span", { class: "name" }, file.path.replace(/^input_music_dataset\//, ""));
  const details = make("details", {}, make("summary", {}, mini, name, make("span", { class: "length" }), make("span", { class: "size" }, size)));
  details.addEventListener("toggle", async () => {
    if (!details.open || details.dataset.opened) return;
    details.dataset.opened = "yes";
    try {
      details.append(await { score: scoreView, page: pageView, recording: soundView }[kind](file.path));
    } catch (failure) {
      delete details.dataset.opened;
      details.append(make("p", { class: "error", role: "alert" }, failure.message));
    }
  });
  const remove = () => ask(apiAddress("files", file.path), { method: "DELETE" }).catch((failure) => say(failure.message));
  return make("li", { class: "file" }, details, removable ? make("button", { type: "button", onclick: remove, "aria-label": `Remove ${file.path}` }, "Remove") : null);
}

function whenSeen(element, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((each) => each.isIntersecting)) return;
    observer.disconnect();
    act();
  });
  observer.observe(element);
}

const button = (words, act) => make("button", { type: "button", onclick: act }, words);
const download = (path) => make("a", { href: fileAddress(path), download: path.split("/").at(-1) }, "Download");

async function soundView(path) {
  const { element, sound } = await soundOf(path);
  const { seed, number = 0 } = sound.made;
  const again = () => {
    const { command, values } = writers.get(path) ?? { command: "generate", values: { count: number + 1 } };
    fill(command, null, { ...values, seed });
  };
  return make("div", { class: "view" }, element,
    make("div", { class: "row" }, button("Continue it", () => fill("generate", "Continue", { prompts: [path], count: 1 })),
      button("Fill a gap in it", () => fill("generate", "Fill a gap", { infill: path })),
      button("Blend it", () => fill("generate", "Blend", { blend: [path] })),
      seed == null ? null : button("Again with this seed", again), download(path),
      seed == null ? null : make("a", { href: fileAddress(path.replace(/\.[^.]+$/, ".json")), target: "_blank", rel: "noopener" }, `How it was made (seed ${seed})`)));
}

async function scoreView(path) {
  const roll = await rollOf(path);
  return make("div", { class: "view" }, roll,
    make("div", { class: "row" }, button("Compose on from it", () => fill("midi generate", "Compose", { primer: path, count: 1 })),
      button("Render it", () => fill("midi render", "Render", { files: [path] })),
      button("Evolve from it", () => fill("midi evolve", "Evolve", { files: [path] })), download(path)));
}

// Pages of this program, without scripts: see the server's policy for them.
async function pageView(path) {
  const frame = make("iframe", { src: fileAddress(path), sandbox: "allow-same-origin", title: path, loading: "lazy" });
  return make("div", { class: "view" }, frame, make("a", { href: fileAddress(path), target: "_blank", rel: "noopener" }, "Open it by itself"));
}
