// Jobs as their folders say they are: a reload or a second tab shows the same.
import { ask, make, send } from "/static/api.js";
import { drawLines } from "/static/draw.js";

const shown = new Map();

export function showJobs(list, jobs, say) {
  for (const job of jobs) {
    if (!shown.has(job.id)) shown.set(job.id, new Shown(job, say));
    shown.get(job.id).update(job);
  }
  const wanted = jobs.map((job) => shown.get(job.id).element);
  if (wanted.length !== list.children.length || wanted.some((each, i) => list.children[i] !== each)) list.replaceChildren(...wanted);
}

class Shown {
  constructor(job, say) {
    this.next = 0;
    this.lines = new Map();
    this.state = make("strong");
    this.words = make("span", { class: "grow" });
    this.bar = make("progress", { max: 1, value: 0, "aria-label": "progress" });
    this.chart = make("canvas", { hidden: true, role: "img", "aria-label": "loss or rating over time" });
    this.log = make("pre", { tabindex: 0, "aria-label": "what the command printed" });
    const act = (what) => async () => {
      try {
        await send(`/api/jobs/${job.id}/${what}`);
      } catch (failure) {
        say(failure.message);
      }
    };
    this.stop = make("button", { type: "button", onclick: act("stop") }, "Stop");
    this.again = make("button", { type: "button", onclick: act("continue") }, "Continue");
    this.element = make("li", { "data-job": job.id },
      make("div", { class: "row" }, this.state, make("code", { class: "grow" }, job.shown), this.stop, this.again),
      this.bar, this.words, this.chart, make("details", {}, make("summary", {}, "What it printed"), this.log));
    this.job = job;
  }

  async update(job) {
    this.job = job;
    this.state.textContent = job.state;
    this.stop.hidden = job.state !== "running";
    this.again.hidden = !["stopped", "lost", "failed"].includes(job.state);
    this.bar.hidden = job.state !== "running";
    if (this.busy || (this.ended && job.state !== "running")) return;
    this.busy = true;
    try {
      const told = await ask(`/api/jobs/${job.id}?since=${this.next}`);
      this.next = told.next;
      this.log.textContent = told.log;
      told.events.forEach((event) => this.hear(event));
      this.ended = told.state !== "running" && !told.events.length;
      if (this.lines.size) {
        this.chart.hidden = false;
        drawLines(this.chart, this.lines);
      }
    } finally {
      this.busy = false;
    }
  }

  hear(event) {
    if (event.event === "progress" && event.total) {
      this.bar.value = event.done / event.total;
      this.words.textContent = `${event.stage}: ${event.words || `${Math.round((100 * event.done) / event.total)} %`}`;
      for (const name of ["train_loss", "validation_loss", "loss", "best"]) {
        const value = event.values?.[name];
        if (value == null) continue;
        if (!this.lines.has(name)) this.lines.set(name, []);
        this.lines.get(name).push([event.done, value]);
      }
    }
    if (event.event === "say") this.words.textContent = event.line;
    if (event.event === "error") this.words.textContent = event.line;
  }
}
