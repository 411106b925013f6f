// What the server answers, and an error as the line that the command would say.

export async function ask(address, options = {}) {
  const answer = await fetch(address, options);
  const plain = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new Error(plain.error ?? `the server answered ${answer.status}`);
  return plain;
}

export const send = (address, plain) =>
  ask(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(plain ?? {}) });

export const fileAddress = (path) => "/files/" + path.split("/").map(encodeURIComponent).join("/");

// An element with text, attributes and children; text never becomes markup.
export function make(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}
