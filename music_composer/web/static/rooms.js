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

// Forms are made when they are first seen: all of them together would take a second, and a request each.
function buildRoom(room, cards, byName, started, showRoom) {
  const forms = new Map();
  const formIn = (card, where) => {
    if (!forms.has(card)) {
      const form = formOf(card, byName.get(card.command), started);
      if (card.front.includes("gap_start")) form.own.append(gapOf(form));
      forms.set(card, form);
      where.append(form);
    }
    return forms.get(card);
  };
  const places = new Map(); // of cards: {tab, show}
  const tabs = [], panels = [];
  const add = (name) => {
    const id = `card-${number++}`;
    const tab = make("button", { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id, "aria-selected": "false" }, name);
    tabs.push(tab);
    panels.push(make("div", { role: "tabpanel", id, "aria-labelledby": tab.id, hidden: true }));
    return { tab, panel: panels.at(-1) };
  };
  for (const card of cards.filter((each) => !each.other)) {
    const { tab, panel } = add(card.name);
    places.set(card, { tab, show: () => formIn(card, panel) });
  }
  const others = cards.filter((card) => card.other);
  if (others.length) {
    const { tab, panel } = add("Other commands");
    for (const card of others) {
      const details = make("details", {}, make("summary", {}, card.name));
      details.addEventListener("toggle", () => details.open && formIn(card, details));
      panel.append(details);
      places.set(card, { tab, show: () => ((details.open = true), formIn(card, details)) });
    }
  }
  const list = make("div", { role: "tablist", class: "cards", "aria-label": `${room} cards`, hidden: tabs.length === 1 }, ...tabs);
  document.getElementById(`room-${room}`).append(list, ...panels);
  const choose = readyTabs(tabs, (tab) => [...places].filter(([card, place]) => place.tab === tab && !card.other).forEach(([, place]) => place.show()));
  choose(tabs[0]);
  // {command, card, values}: fills in the form of a card of that name, or of the first card of that command.
  document.addEventListener("fill", ({ detail }) => {
    const card = cards.find((each) => each.command === detail.command && (!detail.card || each.name === detail.card));
    if (!card) return;
    showRoom(document.getElementById(`tab-${room}`));
    choose(places.get(card).tab);
    const form = places.get(card).show();
    form.fill(detail.values);
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input, select, button")?.focus({ preventScroll: true });
  });
}
