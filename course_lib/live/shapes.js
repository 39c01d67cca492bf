// Shapes that marks are made of: lines, arrows, images, the scale of colours; and which numbers they span.

import { TICK_PX, ticksBetween } from "./axes.js";

export const finite = (data) => Array.from(data).filter(Number.isFinite);

export function range(data) {
  let low = Infinity, high = -Infinity;
  for (const v of data) {
    if (!Number.isFinite(v)) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return low <= high ? [low, high] : [0, 1];
}

// A curve's newest quarter, and of all before it what lies between the 2nd and the 98th percentile: a single spike may
// leave the picture, rather than flatten the rest.
export function usual(values) {
  const old = values.slice(0, Math.floor(values.length * 0.75)).sort((a, b) => a - b);
  const cut = Math.floor(old.length * 0.02);
  return [...old.slice(cut, old.length - cut), ...values.slice(old.length)];
}

export const spread = ([low, high]) => (high > low ? [low, high] : [low - 0.5, high + 0.5]);

export function pointsExtent(arrays) {
  const every = (offset) => range(arrays.flatMap((a) => Array.from(a).filter((_, i) => i % 2 === offset)));
  return { x: every(0), y: every(1) };
}

// Leaves gaps where a value is not finite, or not positive on a logarithmic axis.
export function polyline(ctx, plot, xs, ys, log = false) {
  ctx.beginPath();
  let pen = false;
  for (let i = 0; i < ys.length; i++) {
    const drawn = Number.isFinite(ys[i]) && !(log && ys[i] <= 0);
    if (drawn) pen ? ctx.lineTo(plot.x(xs[i]), plot.y(ys[i])) : ctx.moveTo(plot.x(xs[i]), plot.y(ys[i]));
    pen = drawn;
  }
}

export function outline(ctx, plot, points) {
  ctx.beginPath();
  points.forEach(([x, y], i) => (i ? ctx.lineTo(plot.x(x), plot.y(y)) : ctx.moveTo(plot.x(x), plot.y(y))));
}

export const area = (corners) => Math.abs(corners.reduce((sum, [x, y], i) => {
  const [u, v] = corners[(i + 1) % corners.length];
  return sum + (x * v - u * y) / 2;
}, 0));

export function stroke(ctx, color, width, dash = []) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.lineJoin = "round";
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

// Corners of dots that are not round, by matplotlib's names of markers, at radius 1; all are about equally dark.
const CORNERS = {
  "^": [[0, -1.2], [1.15, 0.85], [-1.15, 0.85]],
  s: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  D: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
};

export function dot(ctx, marker, x, y, radius) {
  const corners = CORNERS[marker];
  if (!corners) {
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([u, v], i) => (i ? ctx.lineTo(x + radius * u, y + radius * v) : ctx.moveTo(x + radius * u, y + radius * v)));
  ctx.closePath();
}

// A hatch, by matplotlib's names, as strokes of an SVG path that more than fills a box.
const STROKES = {
  "//": (x, y, h) => `M${x - h} ${y + h}l${h} ${-h}`,
  xx: (x, y, h) => `M${x - h} ${y + h}l${h} ${-h}M${x - h} ${y}l${h} ${h}`,
  "..": (x, y, h) => [...Array(Math.ceil(h / 6)).keys()].map((i) => `M${x - 3} ${y + 3 + 6 * i}h0.01`).join(""),
};

export function hatchPath(hatch, x, y, width, height) {
  let path = "";
  const each = STROKES[hatch], step = hatch === ".." ? 6 : 8, end = x + width + (hatch === ".." ? 6 : height);
  for (let at = x + step; each && at < end; at += step) path += each(at, y, height);
  return path;
}

export function hatched(ctx, hatch, x, y, width, height, paper) {
  if (!hatch || !(width > 0 && height > 0)) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  Object.assign(ctx, { strokeStyle: paper, lineWidth: 2, lineCap: "round" });
  ctx.stroke(new Path2D(hatchPath(hatch, x, y, width, height)));
  ctx.restore();
}

// What stands for a series in the legend, 32 pixels wide and 12 high, as the inside of an SVG.
export const SAMPLE = {
  line: (color, dash, filled) => (filled ? `<rect y="6" width="32" height="6" fill="${color}" opacity="0.3"/>` : "")
    + `<path d="M0 6H32" stroke="${color}" stroke-width="3" stroke-dasharray="${dash.join(" ")}"/>`,
  dots: (color, marker) => [8, 24].map((x) => (CORNERS[marker]
    ? `<polygon points="${CORNERS[marker].map(([u, v]) => `${x + 4.5 * u},${6 + 4.5 * v}`).join(" ")}" fill="${color}"/>`
    : `<circle cx="${x}" cy="6" r="4.5" fill="${color}"/>`)).join(""),
  bar: (color, hatch, paper) => `<rect x="4" width="24" height="12" fill="${color}"/>`
    + `<svg x="4" width="24" height="12"><path d="${hatchPath(hatch, 0, 0, 24, 12)}" stroke="${paper}" stroke-width="2" stroke-linecap="round"/></svg>`,
  arrow: (color) => `<path d="M2 6H30M23 2L30 6L23 10" stroke="${color}" stroke-width="2" fill="none"/>`,
  net: (color) => `<path d="M1 2H31M1 10H31M4 0V12M16 0V12M28 0V12" stroke="${color}" stroke-width="1.5"/>`,
  scale: (colors) => colors.map((c, i) => `<rect x="${(32 * i) / colors.length}" y="2" width="${32 / colors.length + 0.5}" height="8" fill="rgb(${c})"/>`).join(""),
};

export function arrow(ctx, x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (!(length > 0.5)) return;
  const head = Math.min(6, length / 2), turn = Math.atan2(dy, dx);
  ctx.moveTo(x, y);
  ctx.lineTo(x + dx, y + dy);
  for (const side of [-0.45, 0.45]) {
    ctx.moveTo(x + dx, y + dy);
    ctx.lineTo(x + dx - head * Math.cos(turn + side), y + dy - head * Math.sin(turn + side));
  }
}

export function offscreen(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// The colour of a value from 0 to 1, in bytes: `colors` are at equal distances, `bad` is for what is not a number.
export function mapped(t, { colors, bad }) {
  if (!Number.isFinite(t)) return bad;
  const at = Math.min(Math.max(t, 0), 1) * (colors.length - 1), i = Math.min(Math.floor(at), colors.length - 2);
  return colors[i].map((c, k) => Math.round(c + (at - i) * (colors[i + 1][k] - c)));
}

// Names on the right of the plot, each at its value, where that lies within.
export function namesBeside(ctx, plot, values, theme) {
  ctx.fillStyle = theme.ink(0.78);
  ctx.font = `${TICK_PX}px ${theme.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const [name, value] of Object.entries(values)) {
    const y = plot.y(value);
    if (y >= plot.top && y <= plot.top + plot.height) ctx.fillText(name, plot.left + plot.width + 5, y);
  }
}

export function colorBar(ctx, plot, low, high, colors, theme) {
  const left = plot.left + plot.width + 12;
  const gradient = ctx.createLinearGradient(0, plot.top + plot.height, 0, plot.top);
  colors.forEach((c, i) => gradient.addColorStop(i / (colors.length - 1), `rgb(${c})`));
  ctx.fillStyle = gradient;
  ctx.fillRect(left, plot.top, 12, plot.height);
  ctx.fillStyle = theme.ink(0.78);
  ctx.font = `${TICK_PX}px ${theme.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const { ticks, text } = ticksBetween(low, high, plot.height / 60);
  for (const v of ticks) ctx.fillText(text(v), left + 18, plot.top + plot.height * (1 - (v - low) / (high - low)));
}
