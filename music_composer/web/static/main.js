// The page: rooms with the commands in them, the music, the jobs and what they wrote.
import { ask } from "/static/api.js";
import { formOf } from "/static/forms.js";
import { showJobs } from "/static/jobs.js";
import { showFiles } from "/static/sounds.js";

const ROOMS = { audio: (name) => !name.startsWith("midi"), midi: (name) => name.startsWith("midi") && name !== "midi evolve", evolve: (name) => name === "midi evolve" };
const SOON = 500, LATER = 3000; // milliseconds between two looks, shown and hidden
const FEW = 20; // results that are shown at first
let all = false;
const at = (id) => document.getElementById(id);
const say = (line) => (at("upload-said").textContent = line);

function choose(room) {
  for (const each of Object.keys(ROOMS)) {
    at(`room-${each}`).hidden = each !== room;
    at(`tab-${each}`).setAttribute("aria-selected", each === room);
    at(`tab-${each}`).tabIndex = each === room ? 0 : -1;
  }
}

function readyTabs() {
  const names = Object.keys(ROOMS);
  names.forEach((name, i) => {
    at(`tab-${name}`).addEventListener("click", () => choose(name));
    at(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = names[(i + step + names.length) % names.length];
      choose(next);
      at(`tab-${next}`).focus();
    });
  });
}

async function upload(files) {
  for (const file of files) {
    try {
      await put(file, false);
      say(`${file.name} is there`);
    } catch (failure) {
      if (failure.message.endsWith("already there") && confirm(`Replace ${file.name}?`)) await put(file, true).catch((error) => say(error.message));
      else say(failure.message);
    }
  }
}

const put = (file, replace) => ask(`/api/dataset/${encodeURIComponent(file.name)}${replace ? "?replace=yes" : ""}`, { method: "PUT", body: file });

async function look() {
  try {
    const state = await ask("/api/state");
    at("folder").textContent = state.folder;
    showFiles(at("recordings"), state.recordings, say, true);
    const shown = all ? state.results : state.results.slice(0, FEW);
    at("more").hidden = shown.length === state.results.length;
    showFiles(at("results"), shown, say);
    showJobs(at("jobs"), state.jobs, say);
  } catch (failure) {
    say(failure.message);
  }
  setTimeout(look, document.hidden ? LATER : SOON);
}

const commands = await ask("/api/forms");
for (const [room, holds] of Object.entries(ROOMS))
  for (const command of commands.filter((each) => holds(each.name))) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = `music-composer ${command.name}`.trim();
    details.append(summary);
    const open = () => {
      if (details.childElementCount === 1) details.append(formOf(command, () => at("jobs").scrollIntoView()));
      return details.lastElementChild;
    };
    details.addEventListener("toggle", () => details.open && open());
    document.addEventListener("fill", ({ detail }) => {
      if (detail.command !== command.name) return;
      choose(room);
      details.open = true;
      open().fill(detail.values);
      details.scrollIntoView();
    });
    at(`room-${room}`).append(details);
  }
readyTabs();
at("more").addEventListener("click", () => (all = true));
at("upload").addEventListener("change", (event) => upload(event.target.files));
look();
