// Scales, ticks, colours, and the frame around a plot.

import { rgb } from "./page.js";

export const TICK_PX = 12.5;
const LABEL_PX = 13.5;

export function themeOf(el) {
  const style = getComputedStyle(el);
  const [r, g, b] = (style.color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  const dark = (0.299 * r + 0.587 * g + 0.114 * b) > 128; // light text stands on a dark ground
  const ink = (alpha) => `rgba(${r}, ${g}, ${b}, ${alpha})`;
  return { dark, ink, paper: dark ? "#111" : "#fff", font: style.fontFamily };
}

// Dark colours are hard to see on a dark ground: mix some white into them.
export function tone(hex, theme, alpha = 1) {
  const mix = theme.dark ? 0.28 : 0;
  const [r, g, b] = rgb(hex).map((c) => Math.round(c + (255 - c) * mix));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

export function ticksBetween(low, high, wanted) {
  const raw = (high - low) / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999) ?? 10 * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) ticks.push(i * step || 0); // no −0
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / power - 2.5) < 1e-9 ? 1 : 0));
  return { ticks, text: (v) => minus(bigOr(v, () => v.toLocaleString("en-US", fixed(decimals)))) };
}

// Ticks of a logarithmic axis, as exponents: 1, 2 and 5 of each decade, or decades alone, or round numbers if narrow.
function logTicks(low, high) {
  const inside = (e) => e >= low - 1e-9 && e <= high + 1e-9;
  const decades = [];
  for (let e = Math.floor(low); e <= Math.ceil(high); e++) decades.push(e);
  const every = Math.max(1, Math.ceil((high - low) / 6));
  let ticks = high - low > 2.5 ? decades.filter((e) => e % every === 0)
    : decades.flatMap((e) => [1, 2, 5].map((m) => e + Math.log10(m)));
  ticks = ticks.filter(inside);
  if (ticks.length < 3) ticks = ticksBetween(10 ** low, 10 ** high, 4).ticks.filter((v) => v > 0).map(Math.log10).filter(inside);
  return { ticks, text: (e) => minus(number(10 ** e)) };
}

const fixed = (d) => ({ minimumFractionDigits: d, maximumFractionDigits: d });
const bigOr = (v, text) => (Math.abs(v) >= 1e6 ? `${+(v / 1e6).toPrecision(3)}M` : text());
export const minus = (text) => text.replace(/-(?=[\d.])/g, "−");
export const number = (v) => (Number.isFinite(v) ? `${+v.toPrecision(3)}` : "not a number");

// Limits that do not tremble: kept while the data fit in and fill more than half, else set anew with some air.
export function steady(before, [low, high], floor) {
  if (!(high > low)) [low, high] = floor ? [0, Math.max(high, 1e-9) * 2] : [low - 0.5, low + 0.5];
  if (before && low >= before[0] && high <= before[1] && high - low > 0.5 * (before[1] - before[0])) return before;
  const air = high - low;
  return [floor && low >= 0 ? 0 : low - 0.08 * air, high + 0.12 * air];
}

export function fitCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height };
}

// Draw ticks, grid, labels; returns the plot: its box in pixels and the two scales.
export function drawAxes(ctx, size, theme, axis) {
  const { xlim, ylim, log, names, equal, rightRoom } = axis;
  const top = 10, right = 14 + rightRoom, bottom = 24 + (axis.xlabel ? 20 : 0);
  ctx.font = `${TICK_PX}px ${theme.font}`;
  const yAxis = log ? logTicks(...ylim) : ticksBetween(...ylim, (size.height - top - bottom) / 48);
  const widest = Math.max(...yAxis.ticks.map((v) => ctx.measureText(yAxis.text(v)).width), 14);
  const left = Math.ceil(widest) + 12 + (axis.ylabel ? 20 : 0);
  const box = { left, top, width: Math.max(size.width - left - right, 10), height: size.height - top - bottom };
  let [x0, x1] = xlim, [y0, y1] = ylim;
  if (equal) {
    const scale = Math.max((x1 - x0) / box.width, (y1 - y0) / box.height);
    const growX = (box.width * scale - (x1 - x0)) / 2, growY = (box.height * scale - (y1 - y0)) / 2;
    [x0, x1, y0, y1] = [x0 - growX, x1 + growX, y0 - growY, y1 + growY];
  }
  const x = (v) => box.left + ((v - x0) / (x1 - x0)) * box.width;
  const linearY = (v) => box.top + box.height - ((v - y0) / (y1 - y0)) * box.height;
  const y = log ? (v) => linearY(Math.log10(v)) : linearY;
  const widestX = ctx.measureText(ticksBetween(x0, x1, 2).text(x1)).width;
  const widestName = Math.max(0, ...(names ?? []).map((name) => ctx.measureText(name).width));
  const every = Math.ceil(((names ?? []).length * (widestName + 6)) / box.width) || 1; // where names are crowded
  const xAxis = names
    ? { ticks: names.map((_, i) => i).filter((i) => i % every === 0), text: (i) => names[i] }
    : ticksBetween(x0, x1, box.width / Math.max(72, widestX + 34));

  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.ink(0.1);
  ctx.fillStyle = theme.ink(0.78);
  ctx.beginPath();
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const v of yAxis.ticks) {
    const at = Math.round(linearY(v)) + 0.5;
    ctx.moveTo(box.left, at);
    ctx.lineTo(box.left + box.width, at);
    ctx.fillText(yAxis.text(v), box.left - 8, at);
  }
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (const v of xAxis.ticks) {
    const at = Math.round(x(v)) + 0.5;
    if (!names) {
      ctx.moveTo(at, box.top);
      ctx.lineTo(at, box.top + box.height);
    }
    ctx.fillText(xAxis.text(v), at, box.top + box.height + 7);
  }
  ctx.stroke();
  ctx.strokeStyle = theme.ink(0.55);
  ctx.beginPath();
  ctx.moveTo(box.left + 0.5, box.top);
  ctx.lineTo(box.left + 0.5, box.top + box.height + 0.5);
  ctx.lineTo(box.left + box.width, box.top + box.height + 0.5);
  ctx.stroke();

  ctx.font = `${LABEL_PX}px ${theme.font}`;
  ctx.fillStyle = theme.ink(0.9);
  if (axis.xlabel) {
    ctx.textBaseline = "bottom";
    ctx.fillText(axis.xlabel, box.left + box.width / 2, size.height - 1);
  }
  if (axis.ylabel) {
    ctx.save();
    ctx.translate(12, box.top + box.height / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textBaseline = "middle";
    ctx.fillText(axis.ylabel, 0, 0);
    ctx.restore();
  }
  return { ...box, x, y, floor: log ? box.top + box.height : Math.min(linearY(0), box.top + box.height) };
}
