// The 1-D GAN of notebook 05, as `course_lib.models.gan1d` and `course_lib.experiments.gan1d` have it, without PyTorch:
// the same networks, losses and Adam in double precision, and every gradient written out.
//
// A batch is a Float64Array, row after row. A layer is { W, b, n, m }: x W + b for rows of n numbers, rows of m come out.

export const REAL = { mean: 4, std: 0.5 };
const KERNELS = 5, KERNEL_DIM = 3; // of minibatch discrimination
const SLOPE = 0.2; // of the leaky ReLU where its input is negative
const EPS = 1e-8, BETA2 = 0.999; // Adam's

// Random numbers that a seed decides: uniform ones by Mulberry32, normal ones by Box and Muller.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  uniform() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  normals(n) {
    return Float64Array.from({ length: n }, () => this.normal());
  }
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const softplus = (a) => (a > 20 ? a : Math.log1p(Math.exp(a))); // beyond 20 PyTorch's is a, too
const slopeOfSoftplus = (a) => (a > 20 ? 1 : sigmoid(a));
const leaky = (a) => (a > 0 ? a : SLOPE * a);
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function newLayer(n, m, random, biased = true) {
  const draw = () => (2 * random.uniform() - 1) / Math.sqrt(n); // as PyTorch's nn.Linear: within ± 1/√n
  return { n, m, W: Float64Array.from({ length: n * m }, draw), b: Float64Array.from({ length: biased ? m : 0 }, draw) };
}

function forward({ W, b, n, m }, x) {
  const rows = x.length / n, y = new Float64Array(rows * m);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < m; j++) {
      let sum = b.length ? b[j] : 0;
      for (let k = 0; k < n; k++) sum += x[i * n + k] * W[k * m + j];
      y[i * m + j] = sum;
    }
  }
  return y;
}

// Adds ∂L/∂W and ∂L/∂b to the layer's own, and returns ∂L/∂x, from ∂L/∂y.
function backward(layer, x, dy) {
  const { W, n, m, dW, db } = layer, rows = x.length / n, dx = new Float64Array(x.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < m; j++) {
      const d = dy[i * m + j];
      if (db.length) db[j] += d;
      for (let k = 0; k < n; k++) {
        dW[k * m + j] += x[i * n + k] * d;
        dx[i * n + k] += W[k * m + j] * d;
      }
    }
  }
  return dx;
}

// Layers by name, their gradients, and Adam (Kingma and Ba, 2015), whose moments begin at 0.
class Network {
  constructor(layers) {
    this.layers = layers;
    this.updates = 0;
    for (const layer of Object.values(layers)) {
      for (const name of ["W", "b"]) {
        for (const kind of ["d", "m", "v"]) layer[kind + name] = new Float64Array(layer[name].length);
      }
    }
  }

  forgetGradients() {
    for (const layer of Object.values(this.layers)) for (const name of ["dW", "db"]) layer[name].fill(0);
  }

  follow(rate, beta1) {
    this.updates += 1;
    const bias1 = 1 - beta1 ** this.updates, bias2 = 1 - BETA2 ** this.updates;
    for (const layer of Object.values(this.layers)) {
      for (const name of ["W", "b"]) {
        const p = layer[name], g = layer["d" + name], m = layer["m" + name], v = layer["v" + name];
        for (let i = 0; i < p.length; i++) {
          m[i] = beta1 * m[i] + (1 - beta1) * g[i];
          v[i] = BETA2 * v[i] + (1 - BETA2) * g[i] * g[i];
          p[i] -= ((rate / bias1) * m[i]) / (Math.sqrt(v[i]) / Math.sqrt(bias2) + EPS);
        }
      }
    }
  }
}

// G(z): linear → softplus → linear.
class Generator extends Network {
  constructor(hidden, random) {
    super({ hidden: newLayer(1, hidden, random), out: newLayer(hidden, 1, random) });
  }

  forward(z) {
    const a = forward(this.layers.hidden, z), s = a.map(softplus);
    return { z, a, s, x: forward(this.layers.out, s) };
  }

  backward({ z, a, s }, dx) {
    const ds = backward(this.layers.out, s, dx);
    backward(this.layers.hidden, z, ds.map((d, i) => d * slopeOfSoftplus(a[i])));
  }
}

// The logit of D(x): two hidden layers, then a third one, or in its place minibatch discrimination (Salimans et al.,
// 2016): features times a matrix T are KERNELS rows of KERNEL_DIM numbers M_i, and o(x_i)_k = Σ_j exp(−‖M_ik − M_jk‖₁).
class Discriminator extends Network {
  constructor(width, minibatch, random) {
    super({
      hidden1: newLayer(1, width, random), hidden2: newLayer(width, width, random),
      ...(minibatch ? { minibatch: newLayer(width, KERNELS * KERNEL_DIM, random, false) }
        : { hidden3: newLayer(width, width, random) }),
      out: newLayer(minibatch ? width + KERNELS : width, 1, random),
    });
    this.width = width;
    this.minibatch = minibatch;
  }

  forward(x) {
    const { hidden1, hidden2, hidden3, minibatch, out } = this.layers;
    const a1 = forward(hidden1, x), h1 = a1.map(leaky), a2 = forward(hidden2, h1), f = a2.map(leaky);
    if (!this.minibatch) {
      const a3 = forward(hidden3, f), h = a3.map(leaky);
      return { x, a1, h1, a2, f, a3, h, logits: forward(out, h) };
    }
    const M = forward(minibatch, f), c = closeness(M, M);
    const h = beside(f, this.width, sumOverOthers(c, x.length));
    return { x, a1, h1, a2, f, M, c, h, logits: forward(out, h) };
  }

  features(x) {
    return forward(this.layers.hidden2, forward(this.layers.hidden1, x).map(leaky)).map(leaky);
  }

  // ∂L/∂x from ∂L/∂logits; adds to the gradients of the layers.
  backward({ x, a1, h1, a2, f, a3, M, c, h }, dlogits) {
    const { hidden1, hidden2, hidden3, minibatch, out } = this.layers;
    const through = (d, a) => d.map((v, i) => (a[i] > 0 ? v : SLOPE * v));
    const dh = backward(out, h, dlogits);
    let df;
    if (!this.minibatch) {
      df = backward(hidden3, f, through(dh, a3));
    } else {
      const n = x.length, all = this.width + KERNELS, dM = new Float64Array(M.length);
      const d_o = (i, k) => dh[i * all + this.width + k];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < KERNELS; k++) { // c_ijk stands in o(x_i)_k and in o(x_j)_k
            const d = -c[(i * n + j) * KERNELS + k] * (d_o(i, k) + d_o(j, k));
            for (let e = 0; e < KERNEL_DIM; e++) {
              const at = k * KERNEL_DIM + e, width = KERNELS * KERNEL_DIM;
              dM[i * width + at] += d * Math.sign(M[i * width + at] - M[j * width + at]);
            }
          }
        }
      }
      df = backward(minibatch, f, dM);
      for (let i = 0; i < n; i++) for (let k = 0; k < this.width; k++) df[i * this.width + k] += dh[i * all + k];
    }
    return backward(hidden1, x, through(backward(hidden2, h1, through(df, a2)), a1));
  }

  // D(x) on a grid. With minibatch discrimination each x stands alone among the numbers of `others`.
  decision(grid, others) {
    if (!this.minibatch) return this.forward(grid).logits.map(sigmoid);
    const f = this.features(grid), M = forward(this.layers.minibatch, f);
    const among = closeness(M, forward(this.layers.minibatch, this.features(others)));
    const o = sumOverOthers(among, others.length).map((sum) => sum + 1); // x is one of its batch, where exp(−0) = 1
    return forward(this.layers.out, beside(f, this.width, o)).map(sigmoid);
  }
}

// exp(−‖M_ik − N_jk‖₁) for all rows i of M, j of N, and kernels k.
function closeness(M, N) {
  const width = KERNELS * KERNEL_DIM, rows = M.length / width, others = N.length / width;
  const c = new Float64Array(rows * others * KERNELS);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < others; j++) {
      for (let k = 0; k < KERNELS; k++) {
        let distance = 0;
        for (let e = k * KERNEL_DIM; e < (k + 1) * KERNEL_DIM; e++) distance += Math.abs(M[i * width + e] - N[j * width + e]);
        c[(i * others + j) * KERNELS + k] = Math.exp(-distance);
      }
    }
  }
  return c;
}

// Σ_j c_ijk, rows of KERNELS numbers.
function sumOverOthers(c, others) {
  const rows = c.length / others / KERNELS, o = new Float64Array(rows * KERNELS);
  for (let at = 0; at < c.length; at++) o[Math.floor(at / (others * KERNELS)) * KERNELS + (at % KERNELS)] += c[at];
  return o;
}

// Rows of features with those of `o` after them.
function beside(f, width, o) {
  const rows = f.length / width, h = new Float64Array(rows * (width + KERNELS));
  for (let i = 0; i < rows; i++) {
    h.set(f.subarray(i * width, (i + 1) * width), i * (width + KERNELS));
    h.set(o.subarray(i * KERNELS, (i + 1) * KERNELS), i * (width + KERNELS) + width);
  }
  return h;
}

export class GAN1D {
  constructor({ hidden = 4, minibatch = false, seed = 0 } = {}) {
    this.random = new Random(seed);
    this.G = new Generator(hidden, this.random);
    this.D = new Discriminator(2 * hidden, minibatch, this.random);
    this.steps = 0;
  }

  // The numbers of one step: for each turn of D a real batch and noise, then noise for G.
  draw({ turns, batch }) {
    const D = Array.from({ length: turns }, () => ({
      real: this.random.normals(batch).map((v) => REAL.mean + REAL.std * v), noise: this.random.normals(batch),
    }));
    return { D, G: this.random.normals(batch) };
  }

  // One step, on numbers as `draw` gives them: D learns on each of its batches, then G once. Returns both losses, nats.
  step(numbers, { rateD, rateG, beta1, loss = "non-saturating" }) {
    const { G, D } = this, told = {};
    for (const { real, noise } of numbers.D) {
      D.forgetGradients();
      const seen = D.forward(real), made = D.forward(G.forward(noise).x), n = real.length;
      told.lossD = mean(seen.logits.map((a) => softplus(-a))) + mean(made.logits.map(softplus));
      D.backward(seen, seen.logits.map((a) => -slopeOfSoftplus(-a) / n));
      D.backward(made, made.logits.map((a) => slopeOfSoftplus(a) / n));
      D.follow(rateD, beta1);
    }
    G.forgetGradients();
    const fake = G.forward(numbers.G), judged = D.forward(fake.x), n = numbers.G.length;
    const saturating = loss === "saturating"; // log(1 − D(G(z))); else −log D(G(z))
    told.lossG = mean(judged.logits.map((a) => (saturating ? -softplus(a) : softplus(-a))));
    G.backward(fake, D.backward(judged, judged.logits.map((a) => -slopeOfSoftplus(saturating ? a : -a) / n)));
    G.follow(rateG, beta1);
    this.steps += 1;
    return told;
  }
}
