// The page: rooms with their cards, the music, the jobs and what they wrote.
import { ask } from "/static/api.js";
import { showEvolutions } from "/static/evolutions.js";
import { showFiles } from "/static/files.js";
import { commands } from "/static/forms.js";
import { showJobs } from "/static/jobs.js";
import { readyRecord } from "/static/record.js";
import { buildRooms } from "/static/rooms.js";
import { countTakes } from "/static/takes.js";
import { readyUpload } from "/static/upload.js";

const SOON = 500, LATER = 3000; // milliseconds between two looks, shown and hidden
const FEW = 12; // jobs and results that are shown at first
const all = { jobs: false, results: false };
const at = (id) => document.getElementById(id);
const say = (line) => (at("upload-said").textContent = line);

function few(kind, list) {
  const shown = all[kind] ? list : list.slice(0, FEW);
  at(`more-${kind}`).hidden = shown.length === list.length;
  return shown;
}

function listNames(id, paths) {
  const list = at(id);
  if (list.dataset.paths === paths.join("\n")) return;
  list.dataset.paths = paths.join("\n");
  list.replaceChildren(...paths.map((path) => new Option(path, path)));
}

let waiting;
async function look() {
  clearTimeout(waiting);
  try {
    const state = await ask("/api/state");
    at("folder").textContent = state.folder;
    showFiles(at("music"), state.music, say, true);
    showFiles(at("results"), few("results", state.results), say);
    const jobs = showJobs(at("jobs"), few("jobs", state.jobs), say);
    showEvolutions(jobs);
    countTakes(state.results.map((file) => file.path));
    const paths = [...state.music, ...state.results].map((file) => file.path);
    listNames("recordings-here", paths.filter((path) => !/\.(mid|midi|musicxml|xml|mxl|abc|kar|rmi|smf|html)$/i.test(path)));
    listNames("scores-here", paths.filter((path) => /\.(mid|midi|musicxml|xml|mxl|abc|kar|rmi|smf)$/i.test(path)));
  } catch (failure) {
    say(failure instanceof TypeError ? "the server does not answer: is music-composer web still running?" : failure.message);
  }
  waiting = setTimeout(look, document.hidden ? LATER : SOON);
}

function readyTheme() {
  const show = (theme) => (document.documentElement.style.colorScheme = theme || "light dark");
  const isDark = () => (localStorage.theme ? localStorage.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  show(localStorage.theme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));
  at("theme").addEventListener("click", () => {
    show((localStorage.theme = isDark() ? "light" : "dark"));
    dispatchEvent(new Event("theme"));
  });
}

buildRooms(commands, () => look().then(() => at("jobs").scrollIntoView({ block: "nearest" })));
for (const kind of Object.keys(all)) at(`more-${kind}`).addEventListener("click", () => ((all[kind] = true), look()));
readyTheme();
readyUpload(say, look);
readyRecord(say);
document.addEventListener("visibilitychange", () => document.hidden || look());
look();
