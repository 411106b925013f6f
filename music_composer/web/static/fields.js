// One field of a form for each kind of option: an element, what it holds, and how it is filled.
import { make } from "/static/api.js";

let number = 0;

// Returns {element, read, write, say}: read gives null for the default, say puts an error beside the field.
export function fieldOf(option, changed) {
  const id = `field-${number++}`;
  const told = make("small", { id: `${id}-help` }, option.help);
  const error = make("p", { class: "error", id: `${id}-error`, role: "alert" });
  const words = (option.flag || option.name).replace(/^-+/, "").replaceAll("-", " ");
  const name = [words[0].toUpperCase() + words.slice(1), option.flag ? make("code", {}, ` ${option.flag}`) : ""];
  const described = { "aria-describedby": `${told.id} ${error.id}` };
  const build = option.kind === "flag" ? flag : option.kind === "choice" ? (option.several ? checks : choice)
    : option.kind === "float" && option.least != null && option.most != null ? slider : option.several || option.count > 1 ? several : single;
  const { control, inputs, read, write, group } = build(option, id, described);
  control.addEventListener("input", changed);
  const element = group
    ? make("fieldset", { class: "field", ...described }, make("legend", {}, ...name), control, told, error)
    : make("div", { class: "field" }, make("label", { for: id }, ...name), control, told, error);
  const say = (line) => {
    error.textContent = line;
    for (const each of inputs()) each.setAttribute("aria-invalid", Boolean(line));
  };
  return { element, read, write, say };
}

const text = (value) => (value == null ? "" : String(value));
const typeOf = (option) => ({ int: "number", float: "number" }[option.kind] ?? "text");
const listOf = (option) => (option.listed ? `${option.listed}-here` : null);
const valueOf = (option, typed) => (typeOf(option) === "number" ? Number(typed) : typed);

function single(option, id, described) {
  const step = option.kind === "float" ? "any" : null;
  const control = make("input", { type: typeOf(option), id, step, min: option.least, max: option.most, placeholder: text(option.default), list: listOf(option), autocomplete: "off", ...described });
  return { control, inputs: () => [control], read: () => (control.value.trim() ? valueOf(option, control.value.trim()) : null), write: (value) => (control.value = text(value)) };
}

function flag(option, id, described) {
  const control = make("input", { type: "checkbox", id, checked: option.default === true, ...described });
  const read = () => (control.checked === (option.default === true) ? null : control.checked);
  return { control, inputs: () => [control], read, write: (value) => (control.checked = value ?? option.default === true) };
}

function choice(option, id, described) {
  const control = make("select", { id, ...described }, make("option", { value: "" }, option.default == null ? "default" : `${option.default} (default)`),
    ...option.choices.map((each) => make("option", { value: each }, each)));
  return { control, inputs: () => [control], read: () => control.value || null, write: (value) => (control.value = text(value)) };
}

function checks(option, id) {
  const boxes = option.choices.map((each, i) => make("input", { type: "checkbox", id: `${id}-${i}`, value: each }));
  const control = make("div", { class: "checks" }, ...boxes.map((box) => make("label", { for: box.id }, box, ` ${box.value}`)));
  const read = () => {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    return chosen.length ? chosen : null;
  };
  return { control, group: true, inputs: () => boxes, read, write: (value) => boxes.forEach((box) => (box.checked = [value ?? []].flat().includes(box.value))) };
}

function slider(option, id, described) {
  const control = make("input", { type: "range", id, min: option.least, max: option.most, step: 0.01, value: option.default, ...described });
  const shown = make("output", { for: id }, text(option.default));
  const row = make("div", { class: "row" }, control, shown);
  control.addEventListener("input", () => (shown.value = control.value));
  const write = (value) => (shown.value = control.value = text(value ?? option.default));
  return { control: row, inputs: () => [control], read: () => (Number(control.value) === option.default ? null : Number(control.value)), write };
}

// Several values: as many inputs as the option takes, or one more than there are values.
function several(option, id, described) {
  const control = make("div", { class: "several" });
  const fixed = option.count > 1 ? option.count : 0;
  const inputs = () => [...control.querySelectorAll("input")];
  const add = (value = "") => {
    const place = control.childElementCount;
    const label = `${option.flag || option.name}, ${place + 1}`;
    control.append(make("input", { type: typeOf(option), id: `${id}-${place}`, value, list: listOf(option), autocomplete: "off", "aria-label": label, ...described }));
  };
  const grow = () => !fixed && inputs().every((each) => each.value.trim()) && add();
  const write = (value) => {
    const given = [value ?? []].flat();
    control.replaceChildren();
    for (let i = 0; i < (fixed || given.length); i++) add(text(given[i]));
    grow();
  };
  const read = () => {
    const given = inputs().map((each) => each.value.trim()).filter(Boolean).map((each) => valueOf(option, each));
    return given.length ? given : null;
  };
  control.addEventListener("input", grow);
  write(null);
  return { control, group: true, inputs, read, write };
}
