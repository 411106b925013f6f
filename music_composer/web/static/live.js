// A stream that is heard while it is made, with a meter for each channel.
import { make } from "/static/api.js";
import { drawMeters } from "/static/draw.js";

const FLOOR = -60; // dB at which a meter is empty
const FALL = 20; // dB a second by which a held peak falls

// Only the tab that started the stream, or asks for it, listens: others would keep it going.
export function liveOf(job) {
  const audio = make("audio", { controls: true, preload: "none", src: `/api/jobs/${job}/sound`, "aria-label": "the stream" });
  const canvas = make("canvas", { class: "meters", role: "img", "aria-label": "levels of the left and the right channel" });
  audio.addEventListener("play", () => meter(audio, canvas), { once: true });
  if (sessionStorage.heard === job) audio.play().catch(() => audio.load()); // after a reload it waits for a click
  audio.addEventListener("play", () => (sessionStorage.heard = job));
  return make("div", { class: "live" }, audio, canvas);
}

export const listenTo = (job) => (sessionStorage.heard = job);

function meter(audio, canvas) {
  const context = new AudioContext();
  const source = context.createMediaElementSource(audio);
  const splitter = context.createChannelSplitter(2);
  source.connect(context.destination);
  source.connect(splitter);
  const ears = [0, 1].map((channel) => {
    const ear = context.createAnalyser();
    splitter.connect(ear, channel);
    return { ear, samples: new Float32Array(ear.fftSize), held: FLOOR };
  });
  let before = performance.now();
  const show = (now) => {
    if (!canvas.isConnected) return context.close();
    const levels = ears.map((each) => {
      each.ear.getFloatTimeDomainData(each.samples);
      const peak = Math.max(FLOOR, 20 * Math.log10(each.samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6)));
      each.held = Math.max(peak, each.held - (FALL * (now - before)) / 1000);
      return [peak, each.held].map((level) => 1 - level / FLOOR);
    });
    before = now;
    canvas.levels = levels;
    drawMeters(canvas, levels);
    requestAnimationFrame(show);
  };
  context.resume();
  requestAnimationFrame(show);
}
