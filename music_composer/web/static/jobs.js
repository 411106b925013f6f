// Jobs as their folders say they are: a reload or a second tab shows the same.
import { ask, clock, make, place, send } from "/static/api.js";
import { chartOf } from "/static/chart.js";
import { fileEntry } from "/static/files.js";
import { fill } from "/static/fill.js";
import { liveOf } from "/static/live.js";
import { writers } from "/static/writers.js";

const LOSSES = { loss: "loss", held_out_loss: "held-out loss", best: "best rating" }; // by the names of their values
const MOST_FILES = 8; // of a job that are shown with it
const OPEN = 2; // of the newest jobs are unfolded at first
const shown = new Map();

// Shows them, the newest first; returns them as they are shown.
export function showJobs(list, jobs, say) {
  const wanted = jobs.map((job, i) => {
    if (!shown.has(job.id)) shown.set(job.id, new Shown(job, say, i < OPEN || job.state === "running"));
    shown.get(job.id).update(job);
    return shown.get(job.id);
  });
  place(list, wanted.map((job) => job.element));
  return wanted;
}

class Shown {
  constructor(job, say, open) {
    Object.assign(this, { job, say, next: 0, lines: new Map(), files: new Map(), began: new Date(1000 * job.began).toLocaleTimeString() });
    this.state = make("strong", { class: "state" });
    this.words = make("p", { class: "words" });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": "progress of the job" });
    this.chart = chartOf("loss or rating over time", "done");
    this.chart.element.hidden = true;
    this.log = make("pre", { tabindex: 0, "aria-label": "what the command printed" });
    this.made = make("ul", { "aria-label": "files of the job" });
    this.more = make("small");
    this.live = make("div");
    const act = (what) => async () => {
      try {
        await send(`/api/jobs/${job.id}/${what}`);
      } catch (failure) {
        this.words.textContent = failure.message;
      }
    };
    this.stop = make("button", { type: "button", onclick: act("stop") }, "Stop");
    this.again = make("button", { type: "button", onclick: act("continue") }, "Continue");
    this.reuse = make("button", { type: "button", onclick: () => fill(this.command, null, this.values) }, "Use its options");
    this.element = make("li", { "data-job": job.id, class: "job" },
      make("div", { class: "row" }, this.state, make("span", { class: "grow" }, this.began), this.stop, this.again, this.reuse),
      make("details", { open }, make("summary", {}, make("code", {}, job.shown)),
        this.bar, this.words, this.live, this.chart.element, this.more, this.made, make("details", {}, make("summary", {}, "What it printed"), this.log)));
  }

  async update(job) {
    this.job = job;
    this.state.textContent = job.state;
    this.state.dataset.state = job.state;
    this.stop.hidden = this.bar.hidden = job.state !== "running";
    if (this.busy || (this.ended && job.state !== "running")) return;
    this.busy = true;
    try {
      this.hear(await ask(`/api/jobs/${job.id}?since=${this.next}`));
    } catch (failure) {
      this.words.textContent = failure.message;
    } finally {
      this.busy = false;
    }
  }

  hear(told) {
    Object.assign(this, { next: told.next, command: told.command, values: told.values });
    this.ended = told.state !== "running" && !told.events.length;
    // What is whole goes on only where there is more to be done: networks, weights.
    this.again.hidden = told.state === "running" || (told.state === "done" && told.command !== "midi evolve");
    this.log.textContent = told.log;
    told.events.forEach((event) => this.take(event));
    this.showFiles();
    if (told.stream && told.state === "running" && !this.live.childElementCount) this.live.append(liveOf(told.id));
    if (told.stream && told.state !== "running") this.live.replaceChildren();
    if (this.lines.size && told.events.length) {
      this.chart.element.hidden = false;
      this.chart.draw(this.lines, this.baseline);
    }
  }

  take(event) {
    if (event.event === "progress" && event.total) this.advance(event);
    if (event.event === "say") this.words.textContent = event.line;
    if (event.event === "error") {
      this.words.textContent = event.line;
      this.words.classList.add("error");
      document.dispatchEvent(new CustomEvent("failed", { detail: { id: this.job.id, line: event.line } }));
    }
    if (event.event === "written" && !this.files.has(event.path)) {
      writers.set(event.path, { command: this.command, values: this.values });
      this.files.set(event.path, null);
    }
  }

  // The last ones; an evolution writes thousands, and all are among the results.
  showFiles() {
    const last = [...this.files.keys()].slice(-MOST_FILES);
    for (const path of last) if (!this.files.get(path)) this.files.set(path, fileEntry({ path }, this.say));
    const more = this.files.size - last.length;
    this.more.textContent = more ? `${more} earlier files are among the results` : "";
    place(this.made, last.map((path) => this.files.get(path)));
  }

  advance(event) {
    this.bar.value = event.done / event.total;
    if (this.stage !== event.stage) Object.assign(this, { stage: event.stage, since: [event.time, event.done] });
    const pace = (event.time - this.since[0]) / (event.done - this.since[1]);
    const left = pace > 0 && event.done < event.total ? `, about ${clock(pace * (event.total - event.done))} left` : "";
    this.words.textContent = `${event.stage}: ${Math.floor((100 * event.done) / event.total)} %${left}${event.words ? `; ${event.words}` : ""}`;
    for (const [name, label] of Object.entries(LOSSES)) {
      const value = event.values?.[name];
      if (value == null) continue;
      if (!this.lines.has(label)) this.lines.set(label, []);
      this.lines.get(label).push([event.done, value]);
      if (name === "loss") this.baseline ??= { name: "loss at the start", value };
    }
  }
}
