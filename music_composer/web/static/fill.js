// Asks the card of a command to fill in its form.
export const fill = (command, card, values) => document.dispatchEvent(new CustomEvent("fill", { detail: { command, card, values } }));
