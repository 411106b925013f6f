// A new name for each take: what a card writes does not replace what it wrote before.
const FOLDER = "takes";
let next = 1;

export const takeName = () => `${FOLDER}/${next}`;

// After what is there, by the paths of all results; more by a take that has just begun.
export function countTakes(paths, begun = 0) {
  const numbers = paths.map((path) => Number(path.match(/^takes\/(\d+)-/)?.[1] ?? 0));
  const found = Math.max(next + begun, ...numbers.map((each) => each + 1));
  if (found === next) return;
  next = found;
  document.dispatchEvent(new Event("take"));
}
