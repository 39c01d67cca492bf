// The marks: each draws the kind of view of its name, as `views.py` describes it. A mark is given the layer: what `spec`
// in `views.py` says, and `bend`, which its slider says. `extent` tells which part of the plane it fills, `draw` draws it.
// Some have more: `names` are those under the x axis, `bends` asks for a slider, and `rightRoom` says how many pixels are
// kept free for what `beside` draws next to the plot. `sample` is what stands for a series in the legend.

import { tone } from "./axes.js";
import { SAMPLE, area, arrow, colorBar, dot, finite, hatched, mapped, namesBeside, offscreen, outline, pointsExtent, polyline, range, spread, stroke, usual } from "./shapes.js";

export const curve = {
  rightRoom: (layer) => 7.5 * Math.max(0, ...Object.keys(layer.levels).map((name) => name.length)), // of a letter's width
  extent: (layer, get) => {
    const steps = get(layer.x).data;
    const shown = (data) => finite(layer.log ? data.map((v) => (v > 0 ? Math.log10(v) : NaN)) : data);
    const values = [...layer.series.flatMap((s) => usual(shown(get(s.array).data))), ...shown(Object.values(layer.levels))];
    return { x: [0, Math.max(steps[steps.length - 1] ?? 0, layer.look.steps)], y: values.length ? range(values) : layer.log ? [-1, 0] : [0, 1] };
  },
  draw: (ctx, plot, layer, get, theme) => {
    for (const s of layer.series) {
      polyline(ctx, plot, get(layer.x).data, get(s.array).data, layer.log);
      stroke(ctx, tone(s.color, theme), layer.look.line, s.dash);
    }
    const { line, dash } = layer.look.level;
    for (const value of Object.values(layer.levels)) {
      ctx.beginPath();
      ctx.moveTo(plot.left, plot.y(value));
      ctx.lineTo(plot.left + plot.width, plot.y(value));
      stroke(ctx, theme.ink(0.78), line, dash);
    }
  },
  beside: (ctx, plot, layer, get, theme) => namesBeside(ctx, plot, layer.levels, theme),
  sample: (layer, s, color) => SAMPLE.line(color, s.dash),
};

export const density = {
  extent: (layer, get) => ({
    x: range(get(layer.grid).data),
    y: [0, Math.max(...layer.series.flatMap((s) => finite(get(s.array).data)), 0)],
  }),
  draw: (ctx, plot, layer, get, theme) => {
    const x = get(layer.grid).data, look = layer.look;
    for (const s of layer.series) {
      polyline(ctx, plot, x, get(s.array).data);
      stroke(ctx, tone(s.color, theme), look.line, s.dash);
      if (!s.filled) continue;
      ctx.lineTo(plot.x(x[x.length - 1]), plot.floor);
      ctx.lineTo(plot.x(x[0]), plot.floor);
      ctx.fillStyle = tone(s.color, theme, theme.dark ? 0.3 : look.opacity);
      ctx.fill();
    }
  },
  sample: (layer, s, color) => SAMPLE.line(color, s.dash, s.filled),
};

export const scatter = {
  extent: (layer, get) => pointsExtent(layer.series.map((s) => get(s.array).data)),
  draw: (ctx, plot, layer, get, theme) => {
    const { outlined, marks, ...dots } = layer.look;
    ctx.font = `600 ${marks.size}px ${theme.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    layer.series.forEach((s, k) => {
      const points = get(s.array).data, mark = layer.marks[k];
      ctx.fillStyle = tone(s.color, theme, layer.outline ? 1 : mark ? marks.opacity : theme.dark ? 0.8 : dots.opacity);
      const radius = layer.outline ? outlined.radius : dots.radius;
      ctx.beginPath();
      for (let i = 0; i < points.length; i += 2) {
        const x = plot.x(points[i]), y = plot.y(points[i + 1]);
        if (!Number.isFinite(x + y)) continue;
        if (mark) {
          ctx.fillText(mark, x, y);
          continue;
        }
        dot(ctx, s.marker, x, y, radius);
      }
      ctx.fill();
      if (layer.outline) stroke(ctx, outlined.edge_color, outlined.edge);
    });
  },
  sample: (layer, s, color) => SAMPLE.dots(color, s.marker),
};

export const heatmap = {
  rightRoom: () => 64,
  extent: (layer) => ({ x: layer.extent.slice(0, 2), y: layer.extent.slice(2) }),
  draw: (ctx, plot, layer, get) => {
    const { data, shape: [rows, columns] } = get(layer.series[0].array);
    const [low, high] = heatLimits(layer, get);
    const image = new ImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const color = mapped((data[row * columns + column] - low) / (high - low), layer.look);
        image.data.set([...color, 255], ((rows - 1 - row) * columns + column) * 4); // row 0 is at the bottom
      }
    }
    const [left, right, bottom, top] = layer.extent;
    const at = [plot.x(left), plot.y(top), plot.x(right) - plot.x(left), plot.y(bottom) - plot.y(top)];
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(offscreen(image), ...at);
  },
  beside: (ctx, plot, layer, get, theme) => colorBar(ctx, plot, ...heatLimits(layer, get), layer.look.colors, theme),
  sample: (layer) => SAMPLE.scale(layer.look.colors),
};

function heatLimits(layer, get) {
  if (typeof layer.limits === "string") return spread(range(get(layer.limits).data));
  return layer.limits ?? spread(range(get(layer.series[0].array).data));
}

export const arrows = {
  extent: (layer, get) => pointsExtent([get(layer.at).data]),
  draw: (ctx, plot, layer, get, theme) => {
    const at = get(layer.at).data, to = get(layer.series[0].array).data;
    let longest = 0;
    for (let i = 0; i < to.length; i += 2) longest = Math.max(longest, Math.hypot(to[i], to[i + 1]) || 0);
    const scale = longest ? (layer.look.longest * plot.width) / longest : 0;
    ctx.beginPath();
    for (let i = 0; i < to.length; i += 2) arrow(ctx, plot.x(at[i]), plot.y(at[i + 1]), to[i] * scale, -to[i + 1] * scale);
    stroke(ctx, tone(layer.series[0].color, theme), layer.look.line);
  },
  sample: (layer, s, color) => SAMPLE.arrow(color),
};

export const mesh = {
  bends: true,
  extent: (layer, get) => pointsExtent([get(layer.series[0].array).data]),
  draw: (ctx, plot, layer, get, theme) => {
    const { data, shape: [rows, columns] } = get(layer.series[0].array), from = get(layer.start).data;
    const place = (row, column, t = layer.bend) => [0, 1].map((k) => {
      const i = 2 * (row * columns + column) + k;
      return (1 - t) * from[i] + t * data[i];
    });
    const corners = [[0, 0], [0, 1], [1, 1], [1, 0]];
    for (let row = 0; row < rows - 1; row++) {
      for (let column = 0; column < columns - 1; column++) {
        const cell = corners.map(([r, c]) => place(row + r, column + c));
        const squeezed = area(corners.map(([r, c]) => place(row + r, column + c, 0))) / Math.max(area(cell), 1e-6);
        ctx.fillStyle = tone(layer.series[0].color, theme, Math.min(0.35, 0.07 * squeezed));
        outline(ctx, plot, [...cell, cell[0]]);
        ctx.fill();
      }
    }
    const lines = [...Array(rows).keys()].map((row) => [...Array(columns).keys()].map((column) => place(row, column)));
    for (const line of [...lines, ...lines[0].map((_, column) => lines.map((each) => each[column]))]) {
      outline(ctx, plot, line);
      stroke(ctx, tone(layer.series[0].color, theme, layer.look.opacity), layer.look.line);
    }
  },
  sample: (layer, s, color) => SAMPLE.net(color),
};

export const images = {
  draw: (ctx, size, layer, get, theme) => {
    const { data, shape: [count, height, width, channels = 1] } = get(layer.series[0].array);
    const columns = Math.min(layer.columns, count), rows = Math.ceil(count / columns), gap = 3;
    const unit = Math.min((size.width - gap * (columns - 1)) / (columns * width),
                          (size.height - gap * (rows - 1)) / (rows * height));
    const left = (size.width - columns * unit * width - gap * (columns - 1)) / 2;
    ctx.imageSmoothingEnabled = false;
    ctx.strokeStyle = theme.ink(0.2);
    for (let i = 0; i < count; i++) {
      const image = new ImageData(width, height);
      for (let p = 0; p < width * height; p++) {
        const from = (i * width * height + p) * channels;
        const colour = channels > 1 ? data.slice(from, from + 3) : Array(3).fill(255 - data[from]);  // ink is dark
        image.data.set([...colour, 255], p * 4);
      }
      const x = left + (i % columns) * (unit * width + gap), y = Math.floor(i / columns) * (unit * height + gap);
      ctx.drawImage(offscreen(image), x, y, unit * width, unit * height);
      ctx.strokeRect(x, y, unit * width, unit * height);
    }
  },
};

export const bars = {
  names: (layer, get) => layer.names ?? Array.from(get(layer.series[0].array).data, (_, i) => `${i}`),
  extent: (layer, get) => {
    const values = layer.series.flatMap((s) => finite(get(s.array).data));
    const count = get(layer.series[0].array).data.length, margin = layer.look.margin;
    return { x: [-margin, count - 1 + margin], y: [Math.min(0, ...values), Math.max(0, ...values)] };
  },
  draw: (ctx, plot, layer, get, theme) => {
    const { width, opacity } = layer.look, each = width / layer.series.length;
    layer.series.forEach((s, k) => {
      ctx.fillStyle = tone(s.color, theme, opacity);
      get(s.array).data.forEach((v, i) => {
        const left = plot.x(i - width / 2 + k * each), right = plot.x(i - width / 2 + (k + 1) * each);
        ctx.fillRect(left, plot.y(v), right - left - 1, plot.floor - plot.y(v));
        hatched(ctx, s.hatch, left, Math.min(plot.y(v), plot.floor), right - left - 1, Math.abs(plot.floor - plot.y(v)), theme.paper);
      });
    });
  },
  sample: (layer, s, color, theme) => SAMPLE.bar(color, s.hatch, theme.paper),
};
