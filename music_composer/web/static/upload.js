// Files come into the dataset by the file dialog or by dropping them.
import { send } from "/static/api.js";

const at = (id) => document.getElementById(id);

export function readyUpload(say, done) {
  const take = async (files) => {
    const lines = [];
    for (const file of files) lines.push(await put(file));
    say(lines.join("\n"));
    at("upload").value = "";
    done();
  };
  at("upload").addEventListener("change", (event) => take([...event.target.files]));
  const drop = at("drop");
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => (event.preventDefault(), drop.classList.add("over")));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => (event.preventDefault(), take([...event.dataTransfer.files])));
  document.addEventListener("recorded", ({ detail }) => take([detail]));
}

// What became of a file, in a line.
async function put(file) {
  try {
    const replace = await mayReplace(file);
    if (replace == null) return `${file.name} is left as it was`;
    await sent(file, replace);
    return `${file.name} is there`;
  } catch (failure) {
    return failure.message;
  }
}

// Whether to replace a file of that name; null for no. What is refused is refused before it is sent.
async function mayReplace(file) {
  try {
    await send("/api/room", { name: file.name, bytes: file.size });
    return false;
  } catch (failure) {
    if (!failure.message.endsWith("already there")) throw failure;
    if (!confirm(`Replace ${file.name}?`)) return null;
    await send("/api/room", { name: file.name, bytes: file.size, replace: true });
    return true;
  }
}

// fetch does not say how much it has sent.
function sent(file, replace) {
  const bar = at("upload-progress");
  const request = new XMLHttpRequest();
  request.open("PUT", `/api/dataset/${encodeURIComponent(file.name)}${replace ? "?replace=yes" : ""}`);
  request.upload.addEventListener("progress", (event) => (bar.value = event.total ? event.loaded / event.total : 0));
  bar.hidden = false;
  return new Promise((resolve, reject) => {
    request.addEventListener("load", () => {
      if (request.status === 200) return resolve();
      let line = `the server answered ${request.status}`;
      try {
        line = JSON.parse(request.responseText).error ?? line;
      } catch {
        // not from our server: its number says enough
      }
      reject(new Error(line));
    });
    request.addEventListener("error", () => reject(new Error(`${file.name} was cut off`)));
    request.send(file);
  }).finally(() => (bar.hidden = true));
}
