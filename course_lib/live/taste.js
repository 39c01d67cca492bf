// The page on which the 1-D GAN of notebook 05 trains in the reader's own browser.

import { minus, number, themeOf } from "./axes.js";
import { GAN1D, REAL, Random } from "./gan1d.js";
import { make, makeSaid } from "./page.js";
import { Plot } from "./plot.js";

const GRID = Float32Array.from({ length: 201 }, (_, i) => -2 + i * 0.05);
const MADE = 2000, BANDWIDTH = 0.1; // numbers of G whose density is drawn, smoothed by a Gaussian of this width
const BUDGET = 12; // ms of training between two pictures
const LONGEST = 400; // points of a curve; then every second one is dropped
const SLIDERS = [
  { name: "rateD", label: "learning rate of D", low: -5, high: -1, step: 0.05, value: Math.log10(3e-3), log: true },
  { name: "rateG", label: "learning rate of G", low: -5, high: -1, step: 0.05, value: -3, log: true },
  { name: "turns", label: "steps of D per step of G", low: 1, high: 10, step: 1, value: 1 },
  { name: "batch", label: "batch size", low: 2, high: 128, step: 2, value: 32 },
  { name: "beta1", label: "momentum (Adam's β₁)", low: 0, high: 0.95, step: 0.05, value: 0.5 },
];
// What is drawn comes from noise of its own, so that looking changes nothing in training.
const looking = new Random(99);
const NOISE = looking.normals(MADE), OTHERS = looking.normals(31).map((v) => REAL.mean + REAL.std * v);
const normal = (x, m, s) => Math.exp(-(((x - m) / s) ** 2) / 2) / (s * Math.sqrt(2 * Math.PI));

class Taste {
  constructor(root, views) {
    this.root = root;
    this.h = {};
    this.seed = 0;
    this.stage = make("div", "course-stage", root);
    root.querySelector(".course-stand-in").replaceWith(this.stage);
    this.bar = make("div", "course-transport", this.stage);
    this.play = this.button("Train", () => (this.running ? this.pause() : this.go()));
    this.button("Start anew", () => { this.seed += 1; this.reset(); });
    this.button("Defaults", () => this.defaults());
    this.told = make("span", "course-step", this.bar);
    this.warning = make("span", "course-changed", this.bar);
    this.tell = makeSaid(this.stage);
    const knobs = make("div", "course-taste-knobs", this.stage);
    this.sliders = SLIDERS.map((slider) => this.slider(slider, knobs));
    const label = make("label", "", knobs);
    this.minibatch = make("input", "", label);
    this.minibatch.type = "checkbox";
    make("span", "", label, " minibatch discrimination (starts anew)");
    this.minibatch.onchange = () => this.reset();
    const pictures = make("div", "course-pictures", this.stage);
    pictures.dataset.count = views.length;
    this.plots = views.map((view) => new Plot(view, pictures, () => this.draw()));
    this.defaults();
    this.reset();
    new ResizeObserver(() => this.draw()).observe(pictures);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  }

  button(text, act) {
    const button = make("button", "course-play", this.bar, text);
    button.type = "button";
    button.onclick = act;
    return button;
  }

  slider({ name, label, low, high, step, log }, parent) {
    const row = make("label", "", parent);
    make("span", "", row, label);
    const input = make("input", "", row), said = make("span", "course-value", row);
    Object.assign(input, { type: "range", min: low, max: high, step });
    input.oninput = () => {
      this.h[name] = log ? 10 ** +input.value : +input.value;
      said.textContent = number(this.h[name]);
      input.setAttribute("aria-valuetext", said.textContent);
    };
    return input;
  }

  defaults() {
    SLIDERS.forEach(({ value }, i) => {
      this.sliders[i].value = value;
      this.sliders[i].oninput();
    });
  }

  reset() {
    this.gan = new GAN1D({ minibatch: this.minibatch.checked, seed: this.seed });
    this.curve = { step: [], lossD: [], lossG: [] };
    this.every = 1;
    this.broken = false;
    this.say(this.running ? "A new network." : "Ready.");
    this.draw();
  }

  go() {
    this.running = true;
    this.play.textContent = "Pause";
    this.say("Training.");
    this.frame();
  }

  pause(why = "Paused.") {
    this.running = false;
    this.play.textContent = "Train";
    this.say(why);
  }

  say(words) {
    this.tell(words);
    this.warning.textContent = this.broken ? words : "";
    this.root.dataset.state = this.running ? "running" : "paused";
  }

  frame() {
    if (!this.running) return;
    const until = performance.now() + BUDGET;
    do this.step(); while (performance.now() < until && !this.broken);
    this.draw();
    if (this.broken) this.pause("A loss is not a number any more: start anew, with smaller learning rates.");
    else requestAnimationFrame(() => this.frame());
  }

  step() {
    const { lossD, lossG } = this.gan.step(this.gan.draw(this.h), this.h);
    this.broken = !Number.isFinite(lossD + lossG);
    if (this.gan.steps % this.every) return;
    this.curve.step.push(this.gan.steps);
    this.curve.lossD.push(lossD);
    this.curve.lossG.push(lossG);
    if (this.curve.step.length <= LONGEST) return;
    this.every *= 2;
    for (const key of Object.keys(this.curve)) this.curve[key] = this.curve[key].filter((_, i) => i % 2);
  }

  draw() {
    const made = this.gan.G.forward(NOISE).x, theme = themeOf(this.root);
    const array = (data) => ({ data: Float32Array.from(data), shape: [data.length] });
    const arrays = {
      grid: array(GRID), real_density: array(GRID.map((x) => normal(x, REAL.mean, REAL.std))),
      generated_density: array(smoothed(made)), decision: array(this.gan.D.decision(Float64Array.from(GRID), OTHERS)),
      "metric:step": array(this.curve.step), "metric:loss_d": array(this.curve.lossD), "metric:loss_g": array(this.curve.lossG),
    };
    const m = made.reduce((a, b) => a + b, 0) / MADE;
    const std = Math.sqrt(made.reduce((a, b) => a + (b - m) ** 2, 0) / MADE);
    const words = `made numbers have mean ${m.toFixed(2)} and standard deviation ${std.toFixed(2)}, real ones 4 and 0.5`;
    const losses = this.curve.step.length ? `loss of D ${number(this.curve.lossD.at(-1))}, of G ${number(this.curve.lossG.at(-1))}` : "no step yet";
    this.plots.forEach((plot, i) => plot.draw(arrays, theme, [[words], [losses]][i]));
    const of = `step ${this.gan.steps.toLocaleString("en-US")}: mean ${m.toFixed(2)}, standard deviation ${std.toFixed(2)}`;
    this.told.textContent = minus(of);
    Object.assign(this.root.dataset, { step: this.gan.steps, mean: m, std });
  }
}

function smoothed(values) {
  const density = new Float64Array(GRID.length), reach = 4 * BANDWIDTH, spacing = GRID[1] - GRID[0];
  for (const x of values) {
    const first = Math.max(0, Math.ceil((x - reach - GRID[0]) / spacing));
    const last = Math.min(GRID.length - 1, Math.floor((x + reach - GRID[0]) / spacing));
    for (let i = first; i <= last; i++) density[i] += normal(GRID[i], x, BANDWIDTH) / values.length;
  }
  return density;
}

for (const root of document.querySelectorAll(".course-taste")) {
  new Taste(root, JSON.parse(root.querySelector(".course-views").textContent));
}
