// The best rating of each generation, a line for each evolution.
import { make } from "/static/api.js";
import { chartOf } from "/static/chart.js";

const MOST = 7; // lines beside each other
let chart = null;
let drawn = 0; // points

// jobs: as they are shown, the newest first.
export function showEvolutions(jobs) {
  const lines = new Map();
  for (const job of jobs.filter((each) => each.lines.has("best rating")).slice(0, MOST)) {
    const name = `${job.began} ${job.job.shown.replace("music-composer midi evolve ", "")}`;
    lines.set(lines.has(name) ? `${name} (${lines.size + 1})` : name, job.lines.get("best rating"));
  }
  if (!chart) {
    if (!lines.size) return;
    chart = chartOf("best rating of each generation, all evolutions", "generation");
    document.getElementById("room-evolve").append(make("section", {}, make("h2", {}, "Evolutions beside each other"), chart.element));
  }
  const points = [...lines.values()].reduce((sum, line) => sum + line.length, 0);
  if (points !== drawn) chart.draw(lines);
  drawn = points;
}
