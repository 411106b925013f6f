// A form for each command, made from what the server says of its options.
import { make, send } from "/static/api.js";

let number = 0;

export function formOf(command, started) {
  const inputs = new Map();
  const elements = new Map();
  const code = make("code");
  const error = make("p", { class: "error", role: "alert" });
  const values = () => Object.fromEntries([...inputs].map(([name, read]) => [name, read()]).filter(([, value]) => value != null));

  const fieldOf = (option) => {
    const id = `field-${number++}`;
    const [input, read] = inputOf(option, id);
    inputs.set(option.name, read);
    elements.set(option.name, input);
    input.addEventListener("input", refresh);
    const told = make("small", { id: `${id}-help` }, option.help);
    input.setAttribute("aria-describedby", told.id);
    return make("div", { class: "field" }, make("label", { for: id }, option.flag || option.name), input, told);
  };

  let waiting;
  function refresh() {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      try {
        const checked = await send("/api/check", { command: command.name, values: values() });
        code.textContent = checked.shown;
        error.textContent = checked.refusal;
      } catch (failure) {
        error.textContent = failure.message;
      }
    }, 150);
  }

  async function start(event) {
    event.preventDefault();
    try {
      error.textContent = "";
      started(await send("/api/jobs", { command: command.name, values: values() }));
    } catch (failure) {
      error.textContent = failure.message;
    }
  }

  // What was typed of files stays when a preset is chosen.
  const paths = () => Object.fromEntries(command.files.map((each) => [each.name, inputs.get(each.name)()]));
  const copied = make("span", { role: "status" });
  const copy = () => navigator.clipboard.writeText(code.textContent).then(() => (copied.textContent = "copied"));
  const sections = command.sections.map((section) =>
    make("details", {}, make("summary", {}, section.heading), make("div", { class: "fields" }, ...section.options.map(fieldOf))),
  );
  const form = make(
    "form",
    { "aria-label": `music-composer ${command.name}`.trim(), onsubmit: start, "data-command": command.name },
    make("p", {}, command.help.split("\n\n")[0].replaceAll("\n", " ")),
    command.presets.length
      ? make("div", { class: "row", role: "group", "aria-label": "presets" },
          ...command.presets.map((each) => make("button", { type: "button", onclick: () => form.fill({ ...paths(), ...each.values }) }, each.name)))
      : null,
    command.files.length ? make("div", { class: "fields" }, ...command.files.map(fieldOf)) : null,
    ...sections,
    make("div", { class: "command" }, code, make("button", { type: "button", onclick: copy }, "Copy"), copied,
      make("button", { class: "main" }, "Start")),
    error,
  );
  // Values by the names of the options; those that are not named are emptied.
  form.fill = (given) => {
    for (const [name, input] of elements) {
      const value = given[name];
      if (input.type === "checkbox") input.checked = value ?? input.defaultChecked;
      else input.value = value == null ? "" : [].concat(value).join(", ");
      if (value != null) input.closest("details")?.setAttribute("open", "");
    }
    refresh();
  };
  refresh();
  return form;
}

function inputOf(option, id) {
  const shown = option.default == null ? "" : String(option.default);
  if (option.kind === "flag") {
    const input = make("input", { type: "checkbox", id, checked: option.default === true });
    return [input, () => (input.checked === (option.default === true) ? null : input.checked)];
  }
  if (option.kind === "choice" && !option.several) {
    const input = make("select", { id }, make("option", { value: "" }, shown || "as it is"), ...option.choices.map((each) => make("option", { value: each }, each)));
    return [input, () => input.value || null];
  }
  const kind = { int: "number", float: "number" }[option.kind] ?? "text";
  const step = option.kind === "float" ? "any" : null;
  const input = make("input", { type: kind, id, step, min: option.least, max: option.most, placeholder: shown });
  const many = option.several || option.count > 1;
  const read = () => {
    const text = input.value.trim();
    if (!text) return null;
    return many ? text.split(/\s*,\s*/) : kind === "number" ? Number(text) : text;
  };
  return [input, read];
}
