// One mark per kind of view: `extent` says which part of the plane it fills, `draw` draws it, and flags say what the
// axes must know (floor: y begins at 0; bare: no axes; tight: the axes end where this mark does; rightRoom: pixels kept
// free for what `beside` draws next to the plot).

import { tone } from "./axes.js";
import { area, arrow, cividis, colorBar, finite, offscreen, outline, pointsExtent, polyline, range, spread, stroke, usual } from "./shapes.js";

export const MARKS = {
  curve: {
    extent: (layer, get) => {
      const steps = get("metric:step").data;
      const shown = (data) => finite(layer.log ? data.map((v) => (v > 0 ? Math.log10(v) : NaN)) : data);
      const values = layer.series.flatMap((s) => usual(shown(get(`metric:${s.key}`).data)));
      return { x: [0, Math.max(steps[steps.length - 1] ?? 0, 10)], y: values.length ? range(values) : layer.log ? [-1, 0] : [0, 1] };
    },
    draw: (ctx, plot, layer, get, theme) => {
      for (const s of layer.series) {
        polyline(ctx, plot, get("metric:step").data, get(`metric:${s.key}`).data, layer.log);
        stroke(ctx, tone(s.color, theme), 1.8);
      }
    },
  },

  density: {
    floor: true,
    extent: (layer, get) => ({
      x: range(get(layer.grid).data),
      y: [0, Math.max(...layer.series.flatMap((s) => finite(get(s.key).data)), 0)],
    }),
    draw: (ctx, plot, layer, get, theme) => {
      const x = get(layer.grid).data;
      for (const s of layer.series) {
        const line = layer.lines.includes(s.key);
        polyline(ctx, plot, x, get(s.key).data);
        ctx.setLineDash(line ? [7, 5] : []);
        stroke(ctx, tone(s.color, theme), 2.2);
        ctx.setLineDash([]);
        if (line) continue;
        ctx.lineTo(plot.x(x[x.length - 1]), plot.floor);
        ctx.lineTo(plot.x(x[0]), plot.floor);
        ctx.fillStyle = tone(s.color, theme, theme.dark ? 0.3 : 0.2);
        ctx.fill();
      }
    },
  },

  scatter: {
    extent: (layer, get) => pointsExtent(layer.series.map((s) => get(s.key).data)),
    draw: (ctx, plot, layer, get, theme) => {
      ctx.font = `600 12px ${theme.font}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      layer.series.forEach((s, k) => {
        const points = get(s.key).data, mark = layer.marks[k];
        ctx.fillStyle = tone(s.color, theme, layer.outline ? 1 : mark || theme.dark ? 0.8 : 0.65);
        const radius = layer.outline ? 3.2 : 2.6;
        ctx.beginPath();
        for (let i = 0; i < points.length; i += 2) {
          const x = plot.x(points[i]), y = plot.y(points[i + 1]);
          if (!Number.isFinite(x + y)) continue;
          if (mark) {
            ctx.fillText(mark, x, y);
            continue;
          }
          ctx.moveTo(x + radius, y);
          ctx.arc(x, y, radius, 0, 2 * Math.PI);
        }
        ctx.fill();
        if (layer.outline) stroke(ctx, "rgba(255, 255, 255, 0.85)", 0.7);
      });
    },
  },

  heatmap: {
    tight: true,
    rightRoom: 64,
    extent: (layer) => ({ x: layer.extent.slice(0, 2), y: layer.extent.slice(2) }),
    draw: (ctx, plot, layer, get) => {
      const { data, shape: [rows, columns] } = get(layer.series[0].key);
      const [low, high] = heatLimits(layer, get);
      const image = new ImageData(columns, rows);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const color = cividis((data[row * columns + column] - low) / (high - low));
          image.data.set([...color, 255], ((rows - 1 - row) * columns + column) * 4); // row 0 is at the bottom
        }
      }
      const [left, right, bottom, top] = layer.extent;
      const at = [plot.x(left), plot.y(top), plot.x(right) - plot.x(left), plot.y(bottom) - plot.y(top)];
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(offscreen(image), ...at);
    },
    beside: (ctx, plot, layer, get, theme) => colorBar(ctx, plot, ...heatLimits(layer, get), theme),
  },

  arrows: {
    extent: (layer, get) => pointsExtent([get(layer.at).data]),
    draw: (ctx, plot, layer, get, theme) => {
      const at = get(layer.at).data, to = get(layer.series[0].key).data;
      let longest = 0;
      for (let i = 0; i < to.length; i += 2) longest = Math.max(longest, Math.hypot(to[i], to[i + 1]) || 0);
      const scale = longest ? (0.1 * plot.width) / longest : 0;
      ctx.beginPath();
      for (let i = 0; i < to.length; i += 2) arrow(ctx, plot.x(at[i]), plot.y(at[i + 1]), to[i] * scale, -to[i + 1] * scale);
      stroke(ctx, tone(layer.series[0].color, theme), 1.6);
    },
  },

  mesh: {
    extent: (layer, get) => pointsExtent([get(layer.series[0].key).data]),
    draw: (ctx, plot, layer, get, theme) => {
      const { data, shape: [rows, columns] } = get(layer.series[0].key), from = get(layer.start).data;
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
        stroke(ctx, tone(layer.series[0].color, theme, 0.85), 1);
      }
    },
  },

  images: {
    bare: true,
    draw: (ctx, size, layer, get, theme) => {
      const { data, shape: [count, height, width, channels = 1] } = get(layer.series[0].key);
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
  },

  bars: {
    floor: true,
    extent: (layer, get) => {
      const values = layer.series.flatMap((s) => finite(get(s.key).data));
      return { x: [-0.6, get(layer.series[0].key).data.length - 0.4], y: [Math.min(0, ...values), Math.max(0, ...values)] };
    },
    draw: (ctx, plot, layer, get, theme) => {
      const each = 0.8 / layer.series.length;
      layer.series.forEach((s, k) => {
        ctx.fillStyle = tone(s.color, theme, 0.9);
        get(s.key).data.forEach((v, i) => {
          const left = plot.x(i - 0.4 + k * each), right = plot.x(i - 0.4 + (k + 1) * each);
          ctx.fillRect(left, plot.y(v), right - left - 1, plot.floor - plot.y(v));
        });
      });
    },
  },
};

function heatLimits(layer, get) {
  if (typeof layer.limits === "string") return spread(range(get(layer.limits).data));
  return layer.limits ?? spread(range(get(layer.series[0].key).data));
}
