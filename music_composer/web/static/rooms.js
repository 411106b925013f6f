// Rooms, and the cards in them; what another part of the page fills in opens its card.
import { make } from "/static/api.js";
import { formOf } from "/static/forms.js";
import { gapOf } from "/static/gap.js";
import { readyTabs } from "/static/tabs.js";

let number = 0;

export function buildRooms({ commands, rooms }, started) {
  const byName = new Map(commands.map((each) => [each.name, each]));
  const showRoom = readyTabs([...document.querySelectorAll("#rooms [role=tab]")], (tab) => (location.hash = tab.textContent.toLowerCase()));
  for (const [room, cards] of Object.entries(rooms)) buildRoom(room, cards, byName, started, showRoom);
  document.getElementById(`tab${location.hash.replace("#", "-")}`)?.click();
}

function buildRoom(room, cards, byName, started, showRoom) {
  const tabs = [], panels = [];
  const add = (name, fill) => {
    const id = `card-${number++}`;
    const tab = make("button", { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id, "aria-selected": "false" }, name);
    const panel = make("div", { role: "tabpanel", id, "aria-labelledby": tab.id, hidden: true }, fill);
    tabs.push(tab);
    panels.push(panel);
    return tab;
  };
  const others = cards.filter((card) => card.other);
  const forms = new Map();
  const makeForm = (card) => {
    const form = formOf(card, byName.get(card.command), started);
    if (card.front.includes("gap_start")) form.own.append(gapOf(form));
    forms.set(card, form);
    return form;
  };
  const opened = new Map();
  for (const card of cards.filter((each) => !each.other)) opened.set(card, add(card.name, makeForm(card)));
  if (others.length) {
    const list = make("div", {}, ...others.map((card) => make("details", {}, make("summary", {}, card.name), makeForm(card))));
    const tab = add("Other commands", list);
    for (const card of others) opened.set(card, tab);
  }
  const root = document.getElementById(`room-${room}`);
  const list = make("div", { role: "tablist", class: "cards", "aria-label": `${room} cards` }, ...tabs);
  list.hidden = tabs.length === 1;
  root.append(list, ...panels);
  const choose = readyTabs(tabs);
  choose(tabs[0]);
  // {command, card, values}: fills in the form of a card of that name, or of the first card of that command.
  document.addEventListener("fill", ({ detail }) => {
    const card = cards.find((each) => each.command === detail.command && (!detail.card || each.name === detail.card));
    if (!card) return;
    showRoom(document.getElementById(`tab-${room}`));
    choose(opened.get(card));
    forms.get(card).closest("details")?.setAttribute("open", "");
    forms.get(card).fill(detail.values);
    forms.get(card).scrollIntoView({ block: "nearest" });
    forms.get(card).querySelector("input, select, button")?.focus({ preventScroll: true });
  });
}
