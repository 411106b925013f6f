// What the server answers, and an error as the line that the command would say.

export async function ask(address, options = {}) {
  const answer = await fetch(address, options);
  const plain = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(plain.error ?? `the server answered ${answer.status}`), { status: answer.status });
  return plain;
}

export const send = (address, plain) =>
  ask(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(plain ?? {}) });

const quoted = (path) => path.split("/").map(encodeURIComponent).join("/");
export const fileAddress = (path) => `/files/${quoted(path)}`;
export const apiAddress = (kind, path) => `/api/${kind}/${quoted(path)}`;

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

// Children in their order, touched only where it changes: what has the focus keeps it.
export function place(list, wanted) {
  wanted.forEach((each, i) => list.children[i] !== each && list.insertBefore(each, list.children[i] ?? null));
  while (list.children.length > wanted.length) list.lastElementChild.remove();
}

// Seconds as 7.5 s or 3:07.
export const clock = (seconds) =>
  seconds < 60 ? `${Number(seconds.toFixed(1))} s` : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
