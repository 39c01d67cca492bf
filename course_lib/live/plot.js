// One plot of a lab, whoever has its frames: a canvas gets them from the kernel, a player has them all.

import { fitCanvas, drawAxes, number, steady, tone } from "./axes.js";
import * as MARKS from "./marks.js";
import { make } from "./page.js";

// The arrays of a frame, by name, from their layout in an ArrayBuffer: views of it, no copies.
export function unpack(layout, bytes) {
  const types = { float32: Float32Array, uint8: Uint8Array };
  return Object.fromEntries(Object.entries(layout).map(([name, [type, shape, offset]]) =>
    [name, { shape, data: new types[type](bytes, offset, shape.reduce((a, b) => a * b, 1)) }]));
}

// One plot: title, legend, canvas. `redraw` asks for the last frame once more.
export class Plot {
  constructor(view, parent, redraw) {
    this.view = view;
    this.layers = view.layers.map((layer) => ({ ...layer, bend: 1 })); // with what switches and sliders say here
    this.memory = {};
    const figure = make("figure", view.wide ? "course-picture course-wide" : "course-picture", parent);
    const head = make("figcaption", "course-head", figure);
    make("span", "course-title", head, view.title);
    const legend = make("span", "course-legend", head);
    this.entries = this.inLegend().map((series) => {
      const entry = make("span", "course-series", legend);
      const swatch = make("span", "course-swatch", entry);
      make("span", "", entry, series.label);
      return { series, swatch, value: make("span", "course-value", entry) };
    });
    this.swatches = this.layers.filter((layer) => layer.switch).map((layer) => this.makeSwitch(layer, legend, redraw));
    this.canvas = make("canvas", "course-plot", figure);
    this.canvas.setAttribute("role", "img");
    this.canvas.tabIndex = -1; // a click on it gives it the focus, so that keys are for the lab, not for the cell
  }

  // A checkbox that shows or hides a layer; a net has a slider beside it that bends it.
  makeSwitch(layer, legend, redraw) {
    const label = make("label", "course-series course-switch", legend);
    const box = make("input", "", label), swatch = make("span", "course-swatch", label);
    box.type = "checkbox";
    box.checked = layer.on;
    make("span", "", label, layer.switch);
    box.onchange = () => { layer.on = box.checked; redraw(); };
    if (MARKS[layer.kind].bends) {
      const slider = make("input", "course-bend", legend);
      Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.01, value: layer.bend, title: "Bend the grid: noise at the left, where the network takes it at the right" });
      slider.setAttribute("aria-label", "Bend the grid from noise to where the network takes it");
      slider.oninput = () => { layer.bend = +slider.value; layer.on = box.checked = true; redraw(); };
    }
    return { layer, swatch };
  }

  inLegend() {
    const named = this.layers.filter((layer) => layer.legend && !layer.switch);
    const series = named.flatMap((layer) => layer.series.map((s) => ({ ...s, layer })));
    return series.length > 1 || series.some((s) => s.layer.legend === "values") ? series : [];
  }

  draw(arrays, theme, words) {
    const get = (name) => arrays[name];
    const { ctx, width, height } = fitCanvas(this.canvas);
    if (!width) return; // not laid out yet
    const layers = this.layers.map((layer) => ({ layer, mark: MARKS[layer.kind] }));
    const shown = layers.filter(({ layer }) => layer.on); // those that are hidden keep their place in the axes
    const bare = this.layers.some((layer) => layer.bare);
    const plot = bare ? { width, height } : drawAxes(ctx, { width, height }, theme, this.axis(layers, get));
    ctx.save();
    if (!bare) {
      ctx.beginPath();
      ctx.rect(plot.left, plot.top - 2, plot.width + 2, plot.height + 3);
      ctx.clip();
    }
    for (const { layer, mark } of shown) mark.draw(ctx, plot, layer, get, theme);
    ctx.restore();
    for (const { layer, mark } of shown) mark.beside?.(ctx, plot, layer, get, theme);
    this.describe(get, theme, words);
  }

  axis(layers, get) {
    const tight = layers.filter(({ layer }) => layer.tight);
    const extents = (tight.length ? tight : layers).map(({ layer, mark }) => mark.extent(layer, get));
    const join = (side) => [Math.min(...extents.map((e) => e[side][0])), Math.max(...extents.map((e) => e[side][1]))];
    const floor = layers.some(({ layer }) => layer.floor);
    const first = this.layers[0];
    const { xlim, ylim, xlabel, ylabel } = this.view;
    const exactX = tight.length > 0 || first.exact;
    this.memory.y = tight.length > 0 ? join("y") : steady(this.memory.y, join("y"), floor);
    this.memory.x = exactX ? join("x") : steady(this.memory.x, join("x"), false);
    const names = MARKS[first.kind].names?.(first, get);
    const logged = (limits) => (first.log ? limits.map(Math.log10) : limits);
    return {
      xlabel, ylabel, names, log: first.log, equal: first.equal,
      xlim: xlim ?? this.memory.x, ylim: ylim ? logged(ylim) : this.memory.y,
      rightRoom: Math.max(...layers.map(({ mark }) => mark.rightRoom ?? 0)),
    };
  }

  // Legend, where curves say their last value, and text alternative: the words of what is shown, one for each layer.
  describe(get, theme, words) {
    for (const { series, swatch, value } of this.entries) {
      sample(swatch, series.layer, series, theme);
      if (series.layer.legend !== "values") continue;
      const data = get(series.array).data;
      value.textContent = data.length ? number(data[data.length - 1]).replace("-", "−") : "";
    }
    for (const { layer, swatch } of this.swatches) sample(swatch, layer, layer.series[0], theme);
    const name = this.view.title || this.view.layers.map((l) => l.kind).join(" and ");
    const said = words.filter((_, i) => this.layers[i].on).join("; ");
    this.canvas.setAttribute("aria-label", [name, said].filter(Boolean).join(": "));
  }
}

function sample(swatch, layer, series, theme) {
  const drawn = `<svg width="32" height="12" aria-hidden="true">${MARKS[layer.kind].sample(layer, series, tone(series.color, theme), theme)}</svg>`;
  if (swatch.drawn !== drawn) swatch.innerHTML = swatch.drawn = drawn; // layout is dear, and this is asked at each frame
}
