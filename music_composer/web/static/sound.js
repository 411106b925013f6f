// A recording: waveform over spectrogram, what is new in it, and a line where it plays.
import { apiAddress, ask, clock, fileAddress, make } from "/static/api.js";
import { drawSpectrogram, drawWaveform, secondsAt, whenSized } from "/static/draw.js";

// Returns {element, sound}. Clicks on the pictures play from there.
export async function soundOf(path) {
  const sound = await ask(apiAddress("waveform", path));
  const wave = make("canvas", { class: "wave", role: "img", "aria-label": `waveform of ${path}${wordsOf(sound)}` });
  const spectrum = make("canvas", { class: "spectrum", role: "img", "aria-label": `spectrogram of ${path}` });
  const audio = make("audio", { controls: true, preload: "metadata", src: fileAddress(path), "aria-label": path });
  const head = make("i", { class: "head", "aria-hidden": "true", hidden: true });
  whenSized(wave, () => drawWaveform(wave, sound));
  pixelsOf(path).then((image) => image && whenSized(spectrum, () => drawSpectrogram(spectrum, image, sound)));
  const follow = () => {
    head.hidden = false;
    head.style.left = `${(100 * audio.currentTime) / sound.seconds}%`;
    if (!audio.paused && audio.isConnected) requestAnimationFrame(follow);
  };
  for (const kind of ["play", "seeked"]) audio.addEventListener(kind, follow);
  for (const canvas of [wave, spectrum])
    canvas.addEventListener("click", (event) => {
      audio.currentTime = secondsAt(canvas, event, sound);
      audio.play();
    });
  const facts = make("figcaption", {}, `${clock(sound.seconds)}${wordsOf(sound)}`);
  return { element: make("figure", {}, make("div", { class: "pictures" }, wave, spectrum, head), facts, audio), sound };
}

function wordsOf({ made, seconds }) {
  if (!made.new) return "";
  const [from, to] = made.new;
  return to < seconds ? `, new from ${from.toFixed(2)} s to ${to.toFixed(2)} s` : `, new music from ${from.toFixed(2)} s on`;
}

async function pixelsOf(path) {
  const answer = await fetch(apiAddress("spectrogram", path));
  if (!answer.ok) return null;
  const [columns, bands] = ["x-columns", "x-bands"].map((name) => Number(answer.headers.get(name)));
  return { columns, bands, pixels: new Uint8Array(await answer.arrayBuffer()) };
}
