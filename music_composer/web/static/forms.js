// The form of a card: its command with some options in front and all others folded, as the words it will run.
import { ask, make, send } from "/static/api.js";
import { fieldOf } from "/static/fields.js";
import { listenTo } from "/static/live.js";
import { countTakes, takeName } from "/static/takes.js";

const DELAY = 150; // milliseconds after the last key until the words are made anew

// card: as the server has it. started: is called with the job that it started.
export function formOf(card, command, started = () => {}) {
  const fields = new Map();
  const isTake = !card.other && !card.begins.name && command.sections.some((section) => section.options.some((each) => each.name === "name"));
  const options = new Map([...command.files, ...command.sections.flatMap((section) => section.options)].map((each) => [each.name, each]));
  const code = make("code", { class: "shown" });
  const error = make("p", { class: "error", role: "alert" });
  const values = () => Object.fromEntries([...fields].map(([name, field]) => [name, field.read()]).filter(([, value]) => value != null));
  const filled = () => ({ command: command.name, values: values() });

  // The line of the command, beside the control that it is about.
  function show(line, option = "") {
    for (const [name, field] of fields) field.say(name === option ? line : "");
    error.textContent = fields.has(option) ? "" : line;
    if (line && fields.has(option)) fields.get(option).element.closest("details")?.setAttribute("open", "");
  }

  let waiting;
  let asked = 0; // answers may come in another order than they were asked for: the last one counts
  function refresh() {
    clearTimeout(waiting);
    waiting = setTimeout(check, DELAY);
    form.dispatchEvent(new CustomEvent("filled"));
  }
  async function check() {
    const mine = ++asked;
    try {
      const checked = await send("/api/check", filled());
      if (mine !== asked) return;
      code.textContent = checked.shown;
      show(checked.refusal, checked.option);
    } catch (failure) {
      if (mine === asked) show(failure.message);
    }
  }

  async function start(event) {
    event.preventDefault();
    clearTimeout(waiting);
    asked++;
    try {
      const job = await send("/api/jobs", filled());
      code.textContent = job.shown;
      show("");
      form.job = job.id;
      if (values().stream) listenTo(job.id);
      if (isTake) countTakes([], 1);
      started(job);
    } catch (failure) {
      await blame(failure.message);
    }
  }
  const blame = async (line) => show(line, (await send("/api/blame", { ...filled(), line }).catch(() => ({}))).option);
  // What its job said when it failed; the form may not hold any more what was started.
  document.addEventListener("failed", ({ detail }) => detail.id === form.job && blame(detail.line));

  const made = (option) => {
    const field = fieldOf(option, refresh);
    fields.set(option.name, field);
    return field.element;
  };
  const front = card.front.map((name) => made(options.get(name)));
  const rest = command.sections.map((section) => {
    const left = section.options.filter((each) => !fields.has(each.name));
    return left.length ? make("section", {}, make("h3", {}, section.heading), make("div", { class: "fields" }, ...left.map(made))) : null;
  });
  const files = command.files.filter((each) => !fields.has(each.name)).map(made);
  const copied = make("span", { role: "status" });
  const copy = () => navigator.clipboard.writeText(code.textContent).then(() => (copied.textContent = "copied"), () => (copied.textContent = "select it and press Ctrl-C"));
  const folded = make("details", {}, make("summary", {}, "All options"), ...rest.filter(Boolean));
  const paths = () => Object.fromEntries([...options.values()].filter((each) => each.listed && fields.get(each.name).read() != null).map((each) => [each.name, fields.get(each.name).read()]));
  const presets = Object.entries(card.presets).map(([name, given]) => make("button", { type: "button", onclick: () => form.fill({ ...paths(), ...given }) }, name));
  const form = make("form", { "aria-label": card.name, onsubmit: start, "data-command": command.name, novalidate: true },
    make("p", {}, card.says || command.help.split("\n\n")[0].replaceAll("\n", " ")),
    presets.length ? make("div", { class: "row presets", role: "group", "aria-label": "presets" }, ...presets) : null,
    make("div", { class: "fields" }, ...files, ...front),
    make("div", { class: "own" }),
    folded,
    make("div", { class: "command" }, code, make("button", { type: "button", onclick: copy }, "Copy"), copied, make("button", { class: "main" }, "Start")),
    error);
  // Values by the names of the options; those that are not named become what the card begins with.
  form.fill = (given) => {
    const all = { ...card.begins, ...given, ...(isTake ? { name: takeName() } : {}) };
    for (const [name, field] of fields) field.write(all[name]);
    refresh();
  };
  if (isTake) document.addEventListener("take", () => form.write("name", takeName()));
  form.own = form.querySelector(".own");
  form.values = values;
  form.write = (name, value) => (fields.get(name).write(value), refresh());
  form.fill({});
  return form;
}

export const commands = await ask("/api/forms");
