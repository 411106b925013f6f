// Canvases: lines over time, waveforms with the cut marked, piano rolls.

function begin(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  // Custom properties that mix light and dark are resolved by an element that uses them.
  const probe = (name) => {
    canvas.style.color = `var(${name})`;
    return getComputedStyle(canvas).color;
  };
  return { pen, width, height, probe };
}

export function drawLines(canvas, lines) {
  const { pen, width, height, probe } = begin(canvas);
  const points = [...lines.values()].flat();
  const [most, low, high] = [Math.max(...points.map((p) => p[0])), Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
  let i = 0;
  for (const [name, line] of lines) {
    pen.strokeStyle = probe(["--accent", "--new", "--faint"][i % 3]);
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const [x, y] of line) pen.lineTo((x / most) * (width - 8) + 4, height - 6 - ((y - low) / (high - low || 1)) * (height - 24));
    pen.stroke();
    pen.fillStyle = pen.strokeStyle;
    pen.fillText(`${name} ${line.at(-1)[1].toPrecision(4)}`, 6 + 150 * i++, 12);
  }
}

export function drawWaveform(canvas, sound, gap = null) {
  const { pen, width, height, probe } = begin(canvas);
  const count = sound.least.length;
  const cut = sound.cut == null ? Infinity : (sound.cut / sound.seconds) * width;
  for (let i = 0; i < count; i++) {
    const x = (i / count) * width;
    pen.fillStyle = probe(x < cut ? "--faint" : "--new");
    const top = height / 2 - (sound.most[i] * height) / 2;
    pen.fillRect(x, top, Math.max(1, width / count), Math.max(1, ((sound.most[i] - sound.least[i]) * height) / 2));
  }
  if (gap) {
    pen.globalAlpha = 0.35;
    pen.fillStyle = probe("--new");
    pen.fillRect((gap[0] / sound.seconds) * width, 0, ((gap[1] - gap[0]) / sound.seconds) * width, height);
    pen.globalAlpha = 1;
  }
  if (cut < width) {
    pen.fillStyle = probe("--accent");
    pen.fillRect(Math.round(cut), 0, 2, height);
  }
}

export function drawNotes(canvas, music) {
  const { pen, width, height, probe } = begin(canvas);
  const all = music.parts.flatMap((part) => part.notes);
  const [low, high] = [Math.min(...all.map((n) => n[2])), Math.max(...all.map((n) => n[2]))];
  const step = height / (high - low + 1);
  music.parts.forEach((part, i) => {
    pen.fillStyle = probe(["--accent", "--new", "--faint"][i % 3]);
    for (const [from, to, pitch] of part.notes)
      pen.fillRect((from / music.seconds) * width, (high - pitch) * step, Math.max(1, ((to - from) / music.seconds) * width - 1), Math.max(1, step - 1));
  });
}
