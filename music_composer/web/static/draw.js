// Canvases: lines over time, waveforms with what is new, spectrograms, piano rolls, meters.

export const COLOURS = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6", "--line-7"];
// The ends and the middle of matplotlib's magma, as the program's own pictures have it.
const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97], [254, 194, 135], [252, 253, 191]];
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]; // seconds between two marks

// Calls draw now, whenever the element changes its size, and when light becomes dark.
export function whenSized(element, draw) {
  new ResizeObserver(draw).observe(element);
  addEventListener("theme", draw);
}

export const secondsAt = (canvas, event, sound) => {
  const { left, width } = canvas.getBoundingClientRect();
  return Math.min(Math.max((event.clientX - left) / width, 0), 1) * sound.seconds;
};

// A pen in CSS pixels; null while nothing of the canvas is to be seen.
function begin(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return null;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(canvas.width / width, canvas.height / height);
  pen.font = "11px system-ui, sans-serif";
  // Custom properties that mix light and dark are resolved by an element that uses them.
  const colour = (name) => {
    canvas.style.color = `var(${name})`;
    return getComputedStyle(canvas).color;
  };
  return { pen, width, height, colour };
}

export function drawLines(canvas, lines, baseline, unit) {
  const begun = begin(canvas);
  if (!begun || !lines.size) return;
  const { pen, width, height, colour } = begun;
  const [left, bottom] = [48, 18];
  const { most, low, high } = extentOf([...lines.values()], baseline);
  const x = (value) => left + (value / most) * (width - left - 8);
  const y = (value) => height - bottom - ((value - low) / (high - low || 1)) * (height - bottom - 12);
  pen.strokeStyle = colour("--line");
  pen.fillStyle = colour("--faint");
  for (const level of [low, (low + high) / 2, high]) {
    pen.beginPath();
    pen.moveTo(left, y(level));
    pen.lineTo(width, y(level));
    pen.stroke();
    pen.fillText(level.toPrecision(3), 2, y(level) + 4);
  }
  pen.fillText(`${most} ${unit}`.trim(), width - 8 - pen.measureText(`${most} ${unit}`.trim()).width, height - 4);
  if (baseline) {
    pen.setLineDash([4, 4]);
    pen.strokeStyle = colour("--faint");
    pen.strokeRect(left, y(baseline.value), width, 0);
    pen.setLineDash([]);
  }
  [...lines.values()].forEach((line, i) => {
    pen.strokeStyle = pen.fillStyle = colour(COLOURS[i % COLOURS.length]);
    pen.lineWidth = 1.75;
    pen.beginPath();
    const last = line.at(-1), step = Math.ceil(line.length / (2 * width)); // an evolution may have a million points
    for (let j = 0; j < line.length; j += step) pen.lineTo(x(line[j][0]), y(line[j][1]));
    pen.lineTo(x(last[0]), y(last[1]));
    pen.stroke();
    pen.fillRect(x(last[0]) - 2, y(last[1]) - 2, 4, 4);
  });
}

function extentOf(lines, baseline) {
  const found = { most: 0, low: baseline?.value ?? Infinity, high: baseline?.value ?? -Infinity };
  for (const line of lines)
    for (const [at, value] of line) {
      found.most = Math.max(found.most, at);
      found.low = Math.min(found.low, value);
      found.high = Math.max(found.high, value);
    }
  return found;
}

// sound: with `made.new`, the seconds between which it is new. gap: seconds that are chosen.
export function drawWaveform(canvas, sound, { gap = null } = {}) {
  const begun = begin(canvas);
  if (!begun) return;
  const { pen, width, height, colour } = begun;
  const count = sound.least.length;
  const [from, to] = (sound.made.new ?? [Infinity, Infinity]).map((second) => (second / sound.seconds) * width);
  const [old, fresh] = [colour("--wave"), colour("--new")];
  for (let i = 0; i < count; i++) {
    const x = (i / count) * width;
    pen.fillStyle = x >= from && x < to ? fresh : old;
    pen.fillRect(x, height / 2 - (sound.most[i] * height) / 2, Math.max(1, width / count), Math.max(1, ((sound.most[i] - sound.least[i]) * height) / 2));
  }
  if (gap) {
    pen.globalAlpha = 0.35;
    pen.fillStyle = fresh;
    pen.fillRect((gap[0] / sound.seconds) * width, 0, ((gap[1] - gap[0]) / sound.seconds) * width, height);
    pen.globalAlpha = 1;
  }
  markNew(begun, from, to, "--accent");
}

// Lines at the pixels where the new music begins and ends.
function markNew({ pen, width, height, colour }, from, to, name) {
  pen.fillStyle = colour(name);
  for (const at of [from, to]) if (at > 0 && at < width - 1) pen.fillRect(Math.round(at), 0, 2, height);
}

// image: {columns, bands, pixels}, column by column, the lowest band first.
export function drawSpectrogram(canvas, { columns, bands, pixels }, sound) {
  const begun = begin(canvas);
  if (!begun) return;
  const { pen, width, height } = begun;
  const data = new ImageData(columns, bands);
  for (let column = 0; column < columns; column++)
    for (let band = 0; band < bands; band++) data.data.set(magma(pixels[column * bands + band]), 4 * ((bands - 1 - band) * columns + column));
  const small = new OffscreenCanvas(columns, bands);
  small.getContext("2d").putImageData(data, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, width, height);
  const [from, to] = (sound.made.new ?? [Infinity, Infinity]).map((second) => (second / sound.seconds) * width);
  markNew({ ...begun, colour: () => "white" }, from, to, "");
  const step = TICKS.find((each) => (each / sound.seconds) * width > 60) ?? TICKS.at(-1);
  pen.fillStyle = "white";
  for (let second = step; second < sound.seconds; second += step) {
    const x = (second / sound.seconds) * width;
    pen.fillRect(x, height - 4, 1, 4);
    pen.fillText(`${second} s`, x + 3, height - 3);
  }
}

function magma(level) {
  const place = (level / 255) * (MAGMA.length - 1), below = Math.min(Math.floor(place), MAGMA.length - 2);
  return [...MAGMA[below].map((start, i) => start + (place - below) * (MAGMA[below + 1][i] - start)), 255];
}

// first: the pixel of the zoomed piece at which the canvas begins. whole: the pixels of all of it.
export function drawNotes(canvas, music, first, whole) {
  const begun = begin(canvas);
  const all = music.parts.flatMap((part) => part.notes);
  if (!begun || !all.length) return;
  const { pen, width, height, colour } = begun;
  const [low, high] = [Math.min(...all.map((n) => n[2])) - 1, Math.max(...all.map((n) => n[2])) + 1];
  const step = height / (high - low + 1), scale = whole / music.seconds;
  pen.fillStyle = colour("--stripe");
  for (let pitch = low; pitch <= high; pitch++) if ([1, 3, 6, 8, 10].includes(pitch % 12)) pen.fillRect(0, (high - pitch) * step, width, step);
  const beat = TICKS.find((each) => each * scale > 60) ?? TICKS.at(-1);
  music.parts.forEach((part, i) => {
    pen.fillStyle = colour(COLOURS[i % COLOURS.length]);
    for (const [from, to, pitch, velocity] of part.notes) {
      const [x, end] = [from * scale - first, to * scale - first];
      if (end < 0 || x > width) continue;
      pen.globalAlpha = 0.45 + (0.55 * velocity) / 127;
      pen.fillRect(x, (high - pitch) * step, Math.max(1.5, end - x - 1), Math.max(2, step - 1));
    }
    pen.globalAlpha = 1;
  });
  pen.fillStyle = colour("--faint");
  for (let second = Math.max(beat, Math.ceil(first / scale / beat) * beat); second * scale - first < width; second += beat) {
    pen.fillRect(second * scale - first, height - 5, 1, 5);
    pen.fillText(`${second} s`, second * scale - first + 3, height - 3);
  }
}

// levels: [peak, held peak] of each channel, 0 to 1.
export function drawMeters(canvas, levels) {
  const begun = begin(canvas);
  if (!begun) return;
  const { pen, width, height, colour } = begun;
  const each = height / levels.length;
  levels.forEach(([peak, held], i) => {
    const [top, tall] = [i * each + 1, each - 2];
    pen.fillStyle = colour("--stripe");
    pen.fillRect(0, top, width, tall);
    pen.fillStyle = colour("--new");
    pen.fillRect(0, top, peak * width, tall);
    pen.fillStyle = colour("--accent");
    if (peak > 0.95) pen.fillRect(0.95 * width, top, (peak - 0.95) * width, tall);
    pen.fillRect(held * width - 2, top, 2, tall);
  });
}
