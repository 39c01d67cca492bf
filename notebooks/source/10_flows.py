# %% [markdown]
# # 10 · Change of variables and normalizing flows
#
# Draw noise, bend it by an **invertible** network, and the density of each point that comes out can be written down.
# **Which networks can say exactly how probable a point is, and what do they give up for it?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | change variables and check it, build a normalizing flow and measure its exact KL, say what invertibility costs; and, going further, unmix sources and mask a network so that it is a distribution |
# | You need | Gaussian densities, determinants; notebooks 02 (mixtures), 04 and 05 (VAE, GAN) and 07 (the chain rule over pixels) |
# | Time | 45 seconds to run · seed 0 |

# %%
import math
import time
from itertools import pairwise, product

import numpy as np
import torch
from torch import nn
from torch.autograd.functional import jacobian

from course_lib.chapters.nb10.plots import stretched
from course_lib.comparisons import flow_hole
from course_lib.data import load_digits8
from course_lib.data.moons import CIRCLE, MOONS
from course_lib.experiments.flow import FlowExperiment, FlowHyperparameters, square_grid
from course_lib.live import Curve, Density, HeatMap, LiveLab, Mesh, Scatter, explore
from course_lib.measure import amari_error, bits_per_dimension, kl, normal_density
from course_lib.models import gmm_em, ica, made, splines
from course_lib.models.flows import Flow
from course_lib.models.pixelrnn import RowLSTM
from course_lib.plots import bent_lines, curves, images, matrices, scatters, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes without *Going further*; a good break is before "Coupling layers". Draw the
# stretched square on the board and let the class guess the sign of the logarithm before you write it. In the lab, ask
# for the grid before and after; then untick *halves take turns* and let them find out by the picture at the right what
# the flow can no longer do. Independent components and MADE, under *Going further*, make a session of their own.
#
# - **Prepare.** A sheet of rubber or a drawn grid, to be stretched.
# - **Change of variables: a stretched line.** On the board: equal areas over dz and dx; who divides by what?
# - **10.forget.** one: it looks like a density. Ask where the bell is stretched.
# - **Coupling layers: the determinant is free.** On the board: the triangular Jacobian, its diagonal, and why s may
#   be any network.
# - **10.hole.** “about once” or “about ten times”. Can a stretched sheet get a hole?
# - **10.gauss.** “as small as before”: Gaussians are taken for the easy case. Rotate a round cloud.
# - **10.comon.** “none of the four”, after the last result. Only the plane of the two is lost.

# %% [markdown]
# ## Change of variables: a stretched line
# Draw $z \sim \mathcal{N}(0, 1)$ and put it through a function that only rises: $x = f(z)$. What is the density of $x$?
# The draws between $z$ and $z + dz$ are those between $x$ and $x + dx$. None is lost, so the two areas are equal:
#
# $$p(x)\,|dx| = p(z)\,|dz| \quad\Longrightarrow\quad p(x) = p(z)\,\left|\frac{dz}{dx}\right|, \qquad z = f^{-1}(x) .$$
#
# This is the **change of variables**. It needs $f$ to be invertible: each $x$ has one $z$, and only one. The letter
# $p$ stands for two functions here; the argument says which. Where $f$ stretches, the density gets thinner. Take
# $f = \sinh$: then $z = \operatorname{asinh}(x)$, and $dx/dz = \cosh z = \sqrt{1 + x^2}$.

# %%
predict("10.forget", "Someone forgets |dz/dx| and takes the height of the bell at asinh(x) for the density of x. "
        "What is the area under that?", low=0, high=5)

# %%
z = np.linspace(-8, 8, 20_001)
x, height = np.sinh(z), normal_density(z, 0, 1)

area_right = np.trapezoid(height / np.sqrt(1 + x**2), x)
area_wrong = np.trapezoid(height, x)
with claim_table():
    claim("Area under p(z) |dz/dx|", area_right, near=1, within=1e-5, exact=True)
    claim("Area without the factor: the mean of cosh z, which is the root of e", area_wrong, near=np.exp(0.5),
          within=1e-3, exact=True)
reveal("10.forget", area_wrong)

# %% [markdown]
# ## The Jacobian: a stretched square
# In the plane, $f$ maps a tiny square at $z$ to a parallelogram at $x$. Its sides are the columns of the **Jacobian**
# $\partial x / \partial z$, so its area is $|\det \partial x / \partial z|$ times the square's. The rest of the argument
# stays, in any number of dimensions:
#
# $$\log p(x) = \log p(z) - \log \left|\det \frac{\partial x}{\partial z}\right| .$$
#
# Below, the first number passes as it is, and decides how the second is stretched, by $e^s$, and shifted, by $t$:
# $\;x_a = z_a$, $\;x_b = z_b\, e^{s(z_a)} + t(z_a)$. In the picture $a$ is $1$ and $b$ is $2$. Orange cells grow, blue
# ones shrink. Which slider changes areas?

# %%
def coupled(z, stretch, shift):
    """x [n, 2] from z [n, 2], and s [n]."""
    z_a, z_b = z.T
    s, t = stretch * np.tanh(z_a), shift * (z_a**2 - 1)
    return np.stack([z_a, z_b * np.exp(s) + t], axis=1), s

def area(corners):
    """Of a polygon with these corners [n, 2], by the shoelace formula."""
    (x, y), (x_next, y_next) = corners.T, np.roll(corners, -1, axis=0).T
    return abs((x * y_next - x_next * y).sum()) / 2

net = np.stack(np.meshgrid(np.linspace(-1.1, 1.1, 11), np.linspace(-1.1, 1.1, 11)), axis=-1)

def coupling_picture(stretch=0.8, shift=0.3, column=7):
    x, s = (value.reshape(11, 11, -1) for value in coupled(net.reshape(-1, 2), stretch, shift))
    before, after = (v[5:7, column:column + 2].reshape(4, 2)[[0, 1, 3, 2]] for v in (net, x))
    grown = area(after) / area(before)
    return stretched(net, x, s[..., 0], cell=(5, column), title=f"The marked cell's area is multiplied by {grown:.2f}")

explore(coupling_picture, stretch=(-1.0, 1.0, 0.1), shift=(-1.0, 1.0, 0.1), column=(0, 9, 1),
        labels={"stretch": "stretch", "shift": "shift", "column": "marked column"},
        alt="Left a square net of noise, right the same net with its columns stretched and shifted, one cell marked")

# %%
small = np.array([0.7, 0.4]) + 1e-3 * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
moved, s = coupled(small, stretch=0.8, shift=0.9)
stretched_by = area(moved) / area(small) / np.exp(s[0])
moved, _ = coupled(small, stretch=0.0, shift=0.9)
with claim_table():
    claim("Growth of a small square's area over exp(s)", stretched_by, near=1, within=1e-3, exact=True)
    claim("Growth of the area by a shift alone", area(moved) / area(small), near=1, within=1e-9, exact=True)

# %% [markdown]
# ## Coupling layers: the determinant is free
# A network $x = f(z)$ can bend. But we need its inverse, and the determinant of a $D \times D$ matrix, for every point.
# The **coupling layer** gives us both: $a$ passes, and a network of $a$ decides what happens to $b$. Its Jacobian is
# triangular:
#
# $$\frac{\partial x}{\partial z} = \begin{pmatrix} I & 0 \\ \partial x_b / \partial z_a & \operatorname{diag}(e^{s})
#   \end{pmatrix}, \qquad \log \det = \sum_j s_j .$$
#
# The determinant of a triangular matrix is the product of its diagonal, so the messy corner does not matter. Nor
# need the network be inverted: $x_a = z_a$, so $s$ and $t$ are known on the way back, $z_b = (x_b - t)\,e^{-s}$.
#
# Layers in a row, $f = f_L \circ \dots \circ f_1$, are a **normalizing flow**: determinants multiply, so the layers'
# $\log|\det|$ *add up*, and the way back, $f^{-1}$, makes the data normal. From layer to layer the halves **take
# turns**. With this coupling the flow is **Real NVP**; with $s = 0$, and one scaling of each number at the end, it is
# **NICE**.

# %%
class AffineCoupling(nn.Module):
    """One layer for points in the plane. `forward` is z → x, `inverse` x → z; both tell log |det|, [n]."""

    def __init__(self, network, swap):
        super().__init__()
        self.network, self.swap = network, swap

    def s_and_t(self, a):
        s, t = self.network(a).chunk(2, dim=1)
        return 3 * torch.tanh(s / 3), t                                # no layer stretches more than e³ times

    def forward(self, z):
        a, b = z.flip(1).chunk(2, dim=1) if self.swap else z.chunk(2, dim=1)
        s, t = self.s_and_t(a)
        x = torch.cat([a, b * s.exp() + t], dim=1)
        return x.flip(1) if self.swap else x, s.sum(dim=1)

    def inverse(self, x):
        a, b = x.flip(1).chunk(2, dim=1) if self.swap else x.chunk(2, dim=1)
        s, t = self.s_and_t(a)
        z = torch.cat([a, (b - t) * (-s).exp()], dim=1)
        return z.flip(1) if self.swap else z, -s.sum(dim=1)

# %%
library = FlowExperiment(FlowHyperparameters(n_couplings=6, width=16)).model.double()
for parameter in library.parameters():
    nn.init.normal_(parameter, std=0.4, generator=seeded(parameter.numel()))       # any weights will do
ours = Flow([AffineCoupling(layer.network, layer.swap) for layer in library.layers])

z = torch.randn(200, 2, generator=seeded(), dtype=torch.float64)
with torch.no_grad():
    x, log_det = ours(z)
    back, log_det_back = ours.inverse(x)
# Each x depends on its own z alone, so the sum over all points mixes nothing: one pass gives every Jacobian.
J = jacobian(lambda z: ours(z)[0].sum(dim=0), z).movedim(1, 0)                      # [200, 2, 2], by autograd
with claim_table():
    claim("log p(x) is that of the library's flow: difference at 200 points",
          (ours.log_prob(x) - library.log_prob(x)).detach().abs(), below=1e-9, exact=True)
    claim("The log-determinants are autograd's: difference", (log_det - J.det().abs().log()).abs(), below=1e-9,
          exact=True)
    claim("z → x → z leads back: largest error of each point", (back - z).abs().amax(dim=1), below=1e-6, exact=True)
    claim("The two log-determinants add up to 0", log_det + log_det_back, near=0, within=1e-9, exact=True)

# %% [markdown]
# A line is a stiff bend. Any rising function whose slope and inverse we know will do, for instance a **spline** of
# fractions of parabolas: from $a$ the network makes the widths and heights of eight bins, and the seven slopes between
# them. Outside the bins the spline is the identity.

# %%
at = splines.knots(0.7 * torch.randn(1, 23, generator=seeded(2), dtype=torch.float64).expand(401, -1))
v = torch.linspace(-5, 5, 401, dtype=torch.float64)
y, log_slope = splines.spline(v, at)
claim("v → y → v by the root of a quadratic leads back: error at 401 places",
      (splines.spline_inverse(y, at)[0] - v).abs().flatten(), below=1e-6, exact=True)
figure = curves(v, {"spline": y, "slope": log_slope.exp(), "identity": v},
                title="A rising bend of eight pieces, and its slope", xlabel="v", ylabel="y, and dy/dv")
figure.axes[0].plot(at.x[0], at.y[0], "ko", markersize=5)                          # where the pieces meet
show(figure, alt="A wavy rising curve about the diagonal, which it joins at both ends, with nine dots where its pieces "
     "meet, and its slope, always above zero")

# %% [markdown]
# Training is maximum likelihood: make $\log p(x) = \log \mathcal{N}(f^{-1}(x); 0, I) + \log|\det \partial z/\partial x|$
# large on data. No bound, no second player.
#
# ## Live: two moons
# Two arcs, blurred: their true density is known too, so we can watch $\mathrm{KL}(\text{data} \,\|\, \text{flow})$ fall.
# (It is measured now and then, so its curve has steps.) Press **Start**. Drag the little slider at the picture to bend
# the grid from noise to data. Then:
#
# 1. untick *halves take turns*. What happens to $x_1$, at the right?
# 2. choose *additive* couplings: shifts, and one scaling at the end. What is missing?
# 3. choose *spline*: each coupling bends $b$ by such a curve instead of a line.

# %%
lab = LiveLab(
    FlowExperiment(FlowHyperparameters(), seed=0),
    views=[
        HeatMap("density", extent=(-2, 2, -2, 2), title="The flow's density", xlabel="x₁", ylabel="x₂", wide=True,
                switch="density")
        + Mesh("grid_x", start="grid_z", switch="the grid of z", colors={"grid_x": "sky"})
        + Scatter("real", switch="data", colors={"real": "green"}, outline=True, on=False)
        + Scatter("made", switch="drawn from the flow", colors={"made": "vermillion"}, outline=True, on=False),
        Density("real_x1", "made_x1", grid="axis", labels={"real_x1": "data", "made_x1": "flow"},
                title="Density of x₁", xlabel="x₁", ylabel="density", ylim=(0, 0.6)),
        Curve("kl", labels={"kl": "KL(data ‖ flow)"}, title="How far from the truth", ylabel="nats", log=True),
    ],
    knobs=["data", "kind", "n_couplings", "permute", "width", "learning_rate", "batch_size"],
    headless_steps=100,
)
lab

# %% [markdown]
# ## The exact KL of a flow
# In the lab: additive couplings move areas and keep their size, up to the scaling at the end, so all grid cells grow by
# one factor; a spline bends more in one coupling.
#
# Now a few seconds of each, and for comparison mixtures fitted by EM (notebook 02). (The flows see new points at every
# step, the mixtures the same ones again.) On a grid every integral is a sum, so the numbers below are exact to the digits
# shown, and every density must add up to one, less what lies outside the square. The last column is
#
# $$\mathbb{E}_p[-\log q] = H(p) + \mathrm{KL}(p \,\|\, q), \qquad H(p) = \mathbb{E}_p[-\log p] :$$
#
# training lowers it, and only the KL can fall.

# %%
def train(steps, **knobs):
    experiment = FlowExperiment(FlowHyperparameters(total_steps=steps, **knobs), seed=0)
    for _ in run(experiment, steps):
        pass
    return experiment.model.requires_grad_(False)

affine = train(1500, kind="affine", learning_rate=5e-3)
bent = train(600, kind="spline", n_couplings=6, width=32, learning_rate=3e-3)

# %%
axis, square = square_grid(200)
cell, edges = (axis[1] - axis[0]).item() ** 2, np.linspace(-2, 2, 200)
log_p = MOONS.log_prob(square)
x_train = MOONS.sample(5_000, seeded())
log_q = {"affine couplings": affine.log_prob(square), "splines": bent.log_prob(square)}
for K in (2, 20):
    start = gmm_em.start(x_train, K, seeded())
    log_q[f"mixture of {K}"] = gmm_em.fit(x_train, start, steps=60, reg=1e-4)[0].log_prob(square).float()

def kl_on_the_square(log_p, log_q):
    return ((log_p.exp() * (log_p - log_q)).sum() * cell).item()

entropy = -(log_p.exp() * log_p).sum().item() * cell
distance = {name: kl_on_the_square(log_p, q) for name, q in log_q.items()}
for name in log_q:
    print(f"{name:18} KL {distance[name]:.3f}   mean of -log q {entropy + distance[name]:.3f} nats")
claim("Each density adds up, in the square, to 1", np.array([(q.exp().sum() * cell).item() for q in log_q.values()]),
      near=1, within=0.02, exact=True)

# %%
with claim_table():
    claim("Affine couplings: KL from the truth, nats", distance["affine couplings"], above=0, below=0.17)
    claim("Splines: KL from the truth, nats", distance["splines"], above=0, below=0.035)
    claim("Mixture of 2: KL from the truth, nats", distance["mixture of 2"], above=0.65, below=0.85)
    claim("Mixture of 20: KL from the truth, nats", distance["mixture of 20"], above=0, below=0.02)
pictures = {"truth": log_p, "mixture of 20": log_q["mixture of 20"], "affine couplings": log_q["affine couplings"],
            "splines": log_q["splines"]}
show(bent_lines(edges, {name: (q.exp(), np.empty((0, 2))) for name, q in pictures.items()},
                title="Two moons: the truth, and three densities fitted to it"),
     alt="Four maps of the plane, each with two arcs: the truth; and with their KL from it, " + ", ".join(
         f"{name} {distance[name]:.3f}" for name in list(pictures)[1:]))

# %% [markdown]
# A mixture of two is far off; look at that of twenty. Ellipses tile two arcs well, so in the plane a mixture is a strong
# rival, and nothing here speaks for a flow. Its case is many dimensions, where ellipses would have to tile a surface.
# (With more steps both flows come closer: `benchmarks/flows.py` in the course's repository.)
#
# ## Failure lab: a half without a turn
# If $a$ is the same half in every layer, no layer moves $x_1$.

# %%
stuck = train(400, kind="affine", permute=False, learning_rate=5e-3)               # the halves do not take turns
x_new = MOONS.sample(1_000, seeded(1))

p_1 = log_p.exp().view(200, 200).sum(dim=0).numpy() * (axis[1] - axis[0]).item()
floor = kl(p_1, normal_density(axis.numpy(), 0, 1), axis.numpy())
stuck_kl = kl_on_the_square(log_p, stuck.log_prob(square))
with claim_table():
    claim("z_1 is x_1, after all layers: difference at 1,000 points",
          (stuck.inverse(x_new)[0][:, 0] - x_new[:, 0]).abs(), below=1e-6, exact=True)
    claim("KL(p(x_1) ‖ N(0, 1)), a floor below the stuck flow's KL, nats", floor, near=0.164,
          within=0.002)
    claim("KL of the stuck flow, less this floor", stuck_kl - floor, above=0.25)
    claim("KL of the flow with turns, less this floor", distance["affine couplings"] - floor, below=0)

# %%
show(curves(axis, {"data": p_1, "flow without turns": normal_density(axis.numpy(), 0, 1)},
            title="Without turns the first coordinate stays what it was: a bell", xlabel="x₁", ylabel="density of x₁"),
     alt="The data's density of the first coordinate, with four clear peaks and steep sides, over a plain bell curve")

# %% [markdown]
# The chain rule for KL explains the floor; both terms are at least 0:
#
# $$\mathrm{KL}(p \,\|\, q) = \mathrm{KL}(p(x_1) \,\|\, q(x_1)) +
#   \mathbb{E}_{p(x_1)}\big[\mathrm{KL}(p(x_2 \mid x_1) \,\|\, q(x_2 \mid x_1))\big] .$$
#
# The first term is the floor. The second stays large too: given $x_1$, all layers together scale and shift $z_2$, so
# $x_2$ is *one* Gaussian; but where the arcs overlap the data have two peaks. The best such flow can be computed. Ours
# comes close to it, so its short training is not to blame:

# %%
given = log_p.exp().view(200, 200) / log_p.exp().view(200, 200).sum(dim=0)                # p(x_2 | x_1), a column each
mean = (given * axis[:, None]).sum(dim=0)
deviation = (given * (axis[:, None] - mean) ** 2).sum(dim=0).sqrt()
best = -0.5 * axis**2 - 0.5 * ((axis[:, None] - mean) / deviation) ** 2 - (2 * math.pi * deviation).log()
best_kl = kl_on_the_square(log_p, best.flatten())
with claim_table():
    claim("KL of the best flow without turns, nats", best_kl, near=0.494, within=0.005)
    claim("KL of the stuck flow, less that", stuck_kl - best_kl, above=-1e-3, below=0.05)

# %% [markdown]
# The repair: let the halves take turns (`permute=True` here, `swap` in every second layer of our class).
#
# ## As many z as x
# The change of variables needs a determinant, so the Jacobian must be square: as many $z$ as $x$. Could one noise number
# be enough for a plane? Its points lie on a curve, and a curve has no area. Halve the pixels' side: an area touches four
# times as many, a curve only twice. The curve's probability stays, on half the area: with every halving the density on
# it doubles.

# %%
def touched(points, side):
    """How many of side · side pixels of the square have a point in them."""
    place = ((points + 2) / 4 * side).long().clamp(0, side - 1)
    return len((place[:, 0] * side + place[:, 1]).unique())

one = torch.rand(400_000, 1, generator=seeded())
on_a_curve = torch.cat([3 * one - 1.5, torch.sin(6 * one)], dim=1)
spread = 3 * torch.rand(400_000, 2, generator=seeded()) - 1.5
with claim_table():
    for name, points, factor in (("by the curve", on_a_curve, 2), ("by the area", spread, 4)):
        claim(f"Pixels touched {name}: side 128 over side 64", touched(points, 128) / touched(points, 64), near=factor,
              within=0.2)

# %% [markdown]
# On the curve the density is infinite, elsewhere zero: $\log p(x)$ of real data would be $-\infty$. (A VAE escapes with
# noise on $x$, at the price of a bound; a GAN has no density.) So a flow of MNIST pictures needs as many noise numbers
# as pixels, not fewer. (Grey levels are whole numbers, so their density would be infinite, too: noise between
# the levels must be added first, **dequantization**.) Nor do the numbers mean anything by themselves: turn the noise, and
# the density stays.

# %%
class Turn(nn.Module):
    """z → R z, by one radian. No area changes."""

    R = torch.tensor([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])

    def forward(self, z):
        return z @ self.R.T, torch.zeros(len(z))

    def inverse(self, x):
        return x @ self.R, torch.zeros(len(x))

turned = Flow([Turn(), *bent.layers])                                              # f(R z)
with claim_table():
    claim("Noise turned: mean length of the change of z",
          (turned.inverse(x_new)[0] - bent.inverse(x_new)[0]).norm(dim=1).mean(), above=0.8)
    claim("Noise turned: change of log p(x) at 1,000 points", (turned.log_prob(x_new) - bent.log_prob(x_new)).abs(),
          below=1e-4, exact=True)

# %% [markdown] words="cannot: a continuous map keeps loops, stated as a fact of topology and not measured"
# ## What invertibility makes expensive
# $f$ and its inverse are continuous, so $f$ bends the plane; it cannot tear it or punch a hole. The noise has no
# hole. A blurred circle has one, or nearly: almost no point lies in the middle.

# %%
predict("10.hole", "A flow of splines learns the circle. How many times the true probability does it give to the disc "
        "in the middle, of radius 0.6, after 500 steps?",
        options=["about once", "about ten times", "more than twenty times"])

# %%
ring = train(500, data="circle", kind="spline", n_couplings=6, width=32, learning_rate=3e-3)
log_p_ring, log_q_ring = CIRCLE.log_prob(square), ring.log_prob(square)
middle = square.norm(dim=1) < 0.6
inside_p, inside_q = ((log[middle].exp().sum() * cell).item() for log in (log_p_ring, log_q_ring))
print(f"in the middle: truth {inside_p:.1e}, flow {inside_q:.1e}")
with claim_table():
    claim("Probability of the middle: flow over truth", inside_q / inside_p, above=50)
    claim("KL(circle ‖ flow), small in spite of the bridge, nats", kl_on_the_square(log_p_ring, log_q_ring), above=0,
          below=0.03)
reveal("10.hole", inside_q / inside_p, pick=lambda times: "about once" if times < 3 else "about ten times" if times < 20
       else "more than twenty times")
show(bent_lines(edges, {"truth": (log_p_ring.clamp(min=-7), np.empty((0, 2))),
                       "flow": (log_q_ring.clamp(min=-7), np.empty((0, 2)))},
                title="Log density: the flow bridges the hole"),
     alt="Two maps of the log density: left the truth, a ring on white; right the flow, whose middle is filled. In the "
         f"middle the flow has {inside_q / inside_p:.0f} times the true probability")

# %% [markdown]
# The first printed line: next to nothing of the data lies in the middle; the flow puts little there too, yet many times
# as much. Why a bridge? The circle, seen in $z$, is a closed loop. What lies inside the loop has some probability under
# the noise, and $f$ carries it to the inside of the circle: all of it. The flow can make the *inside* of the loop small,
# but that needs ever steeper slopes. So it is not forbidden, it takes training. Here is the record of
# `benchmarks/flow_hole.py`: such flows, trained for longer.

# %%
rows = flow_hole.recorded()
lengths, ratios = [row.steps for row in rows], np.array([row.ratio for row in rows])      # [lengths], [lengths, seeds]
show(curves(lengths, {"mean of the seeds": ratios.mean(axis=1)}, log_x=True, log_y=True, baseline=(1, "the truth"),
            bands={"mean of the seeds": (ratios.min(axis=1), ratios.max(axis=1))}, xlabel="steps of training",
            ylabel="probability of the middle, flow over truth", title="The bridge gets thinner with training, slowly"),
     alt="On logarithmic axes, how many times the true probability flows give to the middle, over the steps: "
         + ", ".join(f"{mean:.0f} after {steps}" for steps, mean in zip(lengths, ratios.mean(axis=1), strict=True)))
with claim_table():
    claim("Longest training: the ratio over that after 500 steps, seed by seed",
          ratios[-1] / ratios[lengths.index(500)], below=0.3)
    claim("Longest training: flow over truth, seed by seed", ratios[-1], above=8)
print("KL of those flows:", ", ".join(f"{np.mean(row.kl):.3f} after {row.steps}" for row in rows))

# %% [markdown]
# (For a *true* hole, of probability zero, no such flow would do. A generator without an inverse may *wrap* the plane
# around
# the circle, and leave the hole empty. Of separate modes: what is connected stays connected, in a GAN too, and threads
# remain.)
#
# ## Going further
# ### Independent component analysis: the linear case
# Four speakers, four microphones: $x = A z$, with independent $z_j$ and an unknown matrix $A$. This is **independent
# component analysis**, **ICA**: find $W$ so that the numbers $W x$ are independent.
#
# 1. **Whiten**: $y = K x$ with covariance $I$. Scales are free, so call each source's variance $1$: then only a rotation
#    is missing between $y$ and $z$.
# 2. Sums of independent numbers are closer to Gaussian than their farthest part. So look for unit vectors $w$ along
#    which the
#    points are *least* Gaussian: where $\mathbb{E}[\log \cosh(w^\top y)]$ is extreme on the sphere. ($\log \cosh$ grows
#    like the absolute value, so no single far point decides.) Newton's step leads there.
# 3. **Decorrelate**: all rows of $W$ move together, to the nearest rotation.
#
# %% [markdown]
# The step is **Newton's**. On the sphere an extreme point has $\mathbb{E}[y \tanh(w^\top y)] - \lambda w = 0$, with a
# multiplier $\lambda$: the gradient points along $w$. With $g' = 1 - \tanh^2(w^\top y)$ the derivative of the left side in
# $w$ is
#
# $$\mathbb{E}[y y^\top g'] - \lambda I \approx (\mathbb{E}[g'] - \lambda)\, I,$$
#
# since $\mathbb{E}[y y^\top] = I$, and $g'$ is treated as if it were independent of $y y^\top$. Newton's step, $w$ less the
# left side over its derivative, times $\mathbb{E}[g'] - \lambda$, is
#
# $$(\mathbb{E}[g'] - \lambda)\, w - \mathbb{E}[y \tanh(w^\top y)] + \lambda w =
#   -\bigl(\mathbb{E}[y \tanh(w^\top y)] - \mathbb{E}[g']\, w\bigr) .$$
#
# $\lambda$ cancels, and a factor does not matter, since $w$ is brought back to length 1:
# $w \leftarrow \mathbb{E}[y \tanh(w^\top y)] - \mathbb{E}[g']\, w$. This is **FastICA**.

# %%
def rotation(W):
    """The orthogonal matrix closest to W."""
    U, _, V = torch.linalg.svd(W)
    return U @ V

def unmix(x, rng, rounds=100):
    """FastICA: W with sources W (x - mean), of points x [n, D]."""
    x, D = x - x.mean(dim=0), x.shape[1]
    values, directions = torch.linalg.eigh(x.T.cov(correction=0))
    K = directions.T / values.sqrt()[:, None]
    y = x @ K.T                                                                   # covariance I
    W = rotation(torch.randn(D, D, generator=rng, dtype=torch.float64))
    for _ in range(rounds):
        g = torch.tanh(y @ W.T)
        W = rotation(g.T @ y / len(x) - (1 - g**2).mean(dim=0)[:, None] * W)
    return W @ K

# %%
def draw_sources(n, rng):
    """Four independent numbers of variance 1: flat, two-peaked, peaked, and a wave. Shape [n, 4]."""
    u = 2 * torch.rand(n, 4, generator=rng, dtype=torch.float64) - 1
    two_peaks = 0.9 * u[:, 1].sign() + math.sqrt(0.19) * torch.randn(n, generator=rng, dtype=torch.float64)
    peaked = u[:, 2].sign() * (1 - u[:, 2].abs()).log() / math.sqrt(2)
    return torch.stack([math.sqrt(3) * u[:, 0], two_peaks, peaked, math.sqrt(2) * torch.sin(math.pi * u[:, 3])], dim=1)

z = draw_sources(10_000, seeded())
A = torch.randn(4, 4, generator=seeded(1), dtype=torch.float64)
x = z @ A.T
W = unmix(x, seeded(2))
found = (x - x.mean(dim=0)) @ W.T

match = torch.corrcoef(torch.cat([z, found], dim=1).T)[:4, 4:].abs()              # sources against findings
which = match.argmax(dim=1)
K = ica.whitening(x)
y = (x - x.mean(dim=0)) @ K.T
rows = W @ torch.linalg.inv(K)                                                     # the w of each find
gradients = torch.tanh(y @ rows.T).T @ y / len(y)
with claim_table():
    claim("Each find: cosine of w and the gradient, in size", torch.cosine_similarity(rows, gradients).abs(), near=1,
          within=1e-3, exact=True)
    claim("Each source: largest correlation with a find", match.amax(dim=1), above=0.998, exact=True)
    claim("Each source has a find of its own", len(set(which.tolist())) == 4)
    claim("Amari error, 0 if perfect up to order and scale", amari_error(W, A), below=0.015)
    claim("The library's Amari error less ours", amari_error(ica.fast_ica(x, seeded(2)).W, A) - amari_error(W, A),
          near=0, within=1e-3, exact=True)

# %%
shown = slice(0, 1500)
panels = {"sources": z[shown, :2], "mixed": x[shown, :2], "whitened": (x @ K.T)[shown, :2],
          "unmixed": found[shown][:, which[:2]]}
show(scatters({name: p / p.std(dim=0) for name, p in panels.items()}, xlabel="first", ylabel="second",
              title="Two of the four numbers: mixed, whitened, and told apart again"),
     alt="Four clouds of points in a row: the sources, mixed, whitened, and unmixed")

# %% [markdown]
# *Which* find is which source, and its sign and scale, no method can say: $A$ may swap, flip and rescale as well. For the
# rest Comon (1994) proved that independence is enough, if *at most one* source is Gaussian.
#
# ### Failure lab: Gaussian sources
# The same, with four Gaussian sources.

# %%
predict("10.gauss", "In ten repeats, four Gaussian sources are mixed and unmixed. Where is the median Amari error?",
        options=["as small as before", "about ten times as large", "more than twenty times as large"])

# %%
errors, gaussian_errors, blind = [], [], []
for seed in range(10):
    rng = seeded(100 + seed)
    A_seed = torch.randn(4, 4, generator=rng, dtype=torch.float64)
    for draw, kept in ((draw_sources, errors),
                       (lambda n, rng: torch.randn(n, 4, generator=rng, dtype=torch.float64), gaussian_errors)):
        kept.append(amari_error(unmix(draw(10_000, rng) @ A_seed.T, rng), A_seed))
    turns = torch.randn(10, 4, 4, generator=rng, dtype=torch.float64)
    blind += [amari_error(rotation(turn), np.eye(4)) for turn in turns]
times = np.median(gaussian_errors) / np.median(errors)
with claim_table():
    claim("Sources as above, ten mixtures: Amari error", errors, below=0.01)
    claim("Gaussian sources, ten mixtures: Amari error", gaussian_errors, near=0.42, within=0.12)
    claim("Whitening and a rotation drawn blindly: Amari error", blind, near=0.42, within=0.06)
reveal("10.gauss", times, pick=lambda times: "as small as before" if times < 3 else
       "about ten times as large" if times < 20 else "more than twenty times as large")

# %% [markdown]
# Whitened Gaussians are round: $\mathcal{N}(z; 0, I)$ depends on $\|z\|$ alone, so after any rotation the points look
# the same. No algorithm can repair that, the direction is not in the data: FastICA scores about like a blind rotation.
#
# Would other noise cure it? With a matrix $A$, yes, as you saw. But once $f$ may bend, no: whatever the noise, there
# are many $f$ that explain the same $x$ by independent numbers, and they mix the $z_j$ differently (Hyvärinen and
# Pajunen, below). **Nonlinear ICA** needs more than the points. So a flow learns a density, not the sources.

# %% [markdown]
# ### Comon's condition: how many Gaussian sources?
# *At most one*, says **Comon's condition**. Then the sources are **identifiable**: the points settle everything but
# order, sign and scale. Why one is allowed shows in the plane of two independent sources. Turn the direction $w$ from
# the first source ($0$ degrees) to the second ($90$), and measure how far from Gaussian the points are along it.

# %%
degrees, root_3 = np.arange(0, 181, 3), math.sqrt(3)
nodes, weights = np.polynomial.legendre.leggauss(64)                               # quadrature: no draws, no noise
flat = root_3 * nodes, weights / 2                                                 # uniform, of variance 1
nodes, weights = np.polynomial.hermite_e.hermegauss(64)
bell = nodes, weights / weights.sum()

def contrast(first, second, degrees):
    """E[log cosh] of two independent sources, each (values, weights), along a direction."""
    (a, p), (b, q), t = first, second, np.radians(degrees)
    return p @ np.log(np.cosh(a[:, None] * np.cos(t) + b * np.sin(t))) @ q

along = {name: np.array([contrast(*pair, t) for t in degrees])
         for name, pair in {"no Gaussian": (flat, flat), "second Gaussian": (flat, bell),
                            "both Gaussian": (bell, bell)}.items()}
show(curves(degrees, along, title="Two Gaussian sources: no direction stands out", xlabel="direction, degrees",
            ylabel="E[log cosh], along it"),
     alt="E log cosh over the direction, for three pairs of sources. From least to largest: " + ", ".join(
         f"{name} {np.ptp(values):.4f}" for name, values in along.items()))
with claim_table():
    claim("Both Gaussian: largest less least value", np.ptp(along["both Gaussian"]), below=1e-4, exact=True)
    claim("Second Gaussian: largest less least value", np.ptp(along["second Gaussian"]), above=0.01, exact=True)
    claim("Second Gaussian: the largest value is at the first source, at degrees",
          degrees[along["second Gaussian"].argmax()] % 180, near=0, within=1, exact=True)

# %% [markdown]
# With one Gaussian the other source is the peak, and the Gaussian is what is at right angles to it. With two the curve
# is level. Now the four sources from above, of which none, one or two are replaced by Gaussians.

# %%
predict("10.comon", "Two of the four sources are Gaussian. Which does FastICA find?",
        options=["none of the four", "the two others", "all four"])

# %%
amari, others, gaussians = ({count: [] for count in (0, 1, 2)} for _ in range(3))
for count, seed in product(amari, range(32)):
    rng = seeded(1100 + 100 * seed + 10 * count)
    A_seed, z = torch.randn(4, 4, generator=rng, dtype=torch.float64), draw_sources(5_000, rng)
    z[:, :count] = torch.randn(5_000, count, generator=rng, dtype=torch.float64)
    x = z @ A_seed.T
    W = unmix(x, rng, rounds=60)
    amari[count].append(amari_error(W, A_seed))
    match = torch.corrcoef(torch.cat([z, x @ W.T], dim=1).T)[:4, 4:].abs().amax(dim=1)
    others[count].append(match[count:].min().item())
    gaussians[count].append(match[:count].mean().item())
for count in amari:
    print(f"{count} Gaussian: Amari error {np.mean(amari[count]):.3f}, from {min(amari[count]):.3f} to "
          f"{max(amari[count]):.3f}")
found_by_two = {"others": np.mean(others[2]), "Gaussians": np.mean(gaussians[2])}
reveal("10.comon", found_by_two, pick=lambda c: "none of the four" if c["others"] < 0.98 else
       "the two others" if c["Gaussians"] < 0.98 else "all four")

# %%
with claim_table():
    for count in (0, 1):
        claim(f"{count} Gaussian, 32 mixtures: Amari error", amari[count], below=0.02)
    claim("1 Gaussian: correlation of the Gaussian source with its find", gaussians[1], above=0.99)
    claim("2 Gaussian, 32 mixtures: Amari error", amari[2], above=0.04, below=0.15)
    claim("2 Gaussian: least correlation of the two others with their finds", others[2], above=0.99)
    claim("2 Gaussian: correlation of a Gaussian source with its best find, blindly 2 √2 / π", gaussians[2],
          near=2 * math.sqrt(2) / math.pi, within=0.1)

# %% [markdown]
# One Gaussian does no harm. With two, the others are still found; of the Gaussian plane the points tell nothing. There
# FastICA does as a direction drawn blindly would: the best of two finds has the correlation
# $\max(|\cos|, |\sin|)$ of a random angle, whose mean is the number in the last row.

# %% [markdown]
# ### Autoregressive networks: MADE
# Now pictures, and notebook 07's chain rule: $p(x) = \prod_j p(x_j \mid x_1, \dots, x_{j-1})$. An **autoregressive**
# network has no $z$ at all. **MADE** computes all factors in *one* pass of an ordinary network. Each unit gets a
# **degree**. Pixel $j$ has degree $j$. A hidden unit of degree $m$ listens to degrees up to its own, so it knows the first
# $m$ pixels at most. Output $j$ listens to degrees *below* $j$, so it knows at most the first $j - 1$. The **masks**
# remove all other weights.

# %%
def masks(m):
    """From degrees of each layer, input to output, the mask [units, units below] of each layer of weights."""
    hidden = [(above[:, None] >= below).float() for below, above in pairwise(m[:-1])]
    return [*hidden, (m[-1][:, None] > m[-2]).float()]

m = [torch.arange(1, 10), torch.arange(1, 9), torch.arange(1, 10)]                # nine pixels, eight hidden units
first, last = masks(m)
claim("The masks are the library's", all(torch.equal(a, b) for a, b in zip(masks(m), made.masks(made.degrees(9, [8])),
                                                                      strict=True)))
show(matrices({"first layer": first, "last layer": last, "paths, pixel to output": last @ first},
              title="Through both masks (columns: from, rows: to), paths lead only to later pixels", columns=3),
     alt="Two tables of zeros and ones, and their product, whose entries are all below the diagonal")

# %%
every = torch.tensor(list(product((0, 1), repeat=9))).view(512, 3, 3)
sums = {"right": [], "leaking": []}
with torch.no_grad():
    for seed in range(20):
        network = made.MADE((3, 3), [8], seeded(seed))
        for parameter in network.parameters():
            parameter.mul_(4)                                                      # any weights will do
        sums["right"].append(network.log_prob(every).exp().sum().item())
        network.network[-1].mask = (m[-1][:, None] >= m[-2]).float()               # one sign: output j sees pixel j
        sums["leaking"].append(network.log_prob(every).exp().sum().item())
with claim_table():
    claim("Twenty untrained networks: the probabilities of all 512 pictures add up to 1", sums["right"], near=1,
          within=1e-5, exact=True)
    claim("With ≥ in the last mask: how far the sum of the 512 \"probabilities\" is from 1",
          np.abs(np.array(sums["leaking"]) - 1), above=0.03)

# %% [markdown]
# ### Digits of 8 x 8
# Now trained, on real, if small, digits in black and white; beside it the network that leaks, and what is known without
# any network: each pixel's own frequency. Which of the three numbers would you publish?

# %%
digits = load_digits8()
x_train, x_test = digits.train.long(), digits.test.long()

def fit(network, steps, rng):
    """Test −log p(x) in nats after so many steps; decayed weights, since the pictures are few."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=0.1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * min(1, 2 * (1 - step / steps))
        loss = -network.log_prob(x_train[torch.randint(len(x_train), (64,), generator=rng)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return -network.log_prob(x_test).mean()

# %%
network, leaking = (made.MADE((8, 8), [256], seeded()) for _ in range(2))
leaking.network[-1].mask = (torch.arange(1, 65)[:, None] >= made.degrees(64, [256])[1]).float()
share = (x_train.sum(dim=0) + 0.5) / (len(x_train) + 1)
independent = -(x_test * share.log() + (1 - x_test) * (1 - share).log()).sum(dim=(1, 2)).mean()

with claim_table():
    claim("Independent pixels: −log p of a test digit, nats", independent, near=24.93, within=0.02)
    claim("MADE: −log p of a test digit, nats", fit(network, 1300, seeded(1)), above=16.4, below=17.8)
    claim("MADE that leaks: \"−log p\" of a test digit, nats", fit(leaking, 300, seeded(1)), below=8.5)

# %%
start = time.process_time()
with torch.no_grad():
    network.log_prob(x_test)
scored = time.process_time() - start
start = time.process_time()
drawn = network.sample(len(x_test), seeded()).images
claim("Time to draw 360 digits over the time to score 360", (time.process_time() - start) / scored, above=15)
show(images(torch.cat([x_test[:10], drawn[:20]]), title="Test digits (top), and drawn by MADE, pixel by pixel",
            columns=10), alt="One row of real small digits and two rows of drawn ones, many of them legible")

# %% [markdown]
# Publish MADE's. The leaking network's number is the smallest and worthless: where "probabilities" need not add up to
# one, as above, their $-\log$ may be as small as you like.
#
# One pass to score, sixty-four to draw: the price of the chain rule. (The clock says less than sixty-four times: scoring
# has work of its own besides the pass.) A flow of couplings does both in one pass, and pays with layers that must be
# invertible. Exactness has a price in each family, and each pays it somewhere else.

# %% [markdown]
# ### Dequantization: a density for whole numbers
# Grey levels are whole numbers, here $0$ to $16$, and a flow is a density on real ones. Give each level $x$ the cell
# from $x$ to $x + 1$: a density $p$ *is* a model $P$ of whole numbers, and by Jensen's inequality (Theis et al.)
#
# $$P(x) = \int_0^1 p(x + u)\, du, \qquad \log P(x) \ge \int_0^1 \log p(x + u)\, du .$$
#
# So train on $x + u$ with fresh uniform noise $u$: **uniform dequantization**. What is maximised is a lower bound of a
# discrete model's log-likelihood. On average over the data it cannot exceed $-H(P_\text{data})$, as no $\log P$ can. The
# smallest flow is one spline for one number; we fit one to each of eleven pixels. Its $P(x)$ is known twice: by adding up
# the density in each cell, and by $\Phi$, since noise below $z(y)$ is what ends below $y$.

# %%
grey = load_digits8(grey=True)
shares = nn.functional.one_hot(grey.train.flatten(1).long(), 17).double().mean(dim=0)         # [64, 17]
entropies = torch.special.entr(shares).sum(dim=1)
varied = (entropies > 2.3).nonzero()[::3, 0]                                       # pixels with many levels in use
P_data, H, level = shares[varied], entropies[varied], torch.arange(17, dtype=torch.float64)

def bend(parameters, y):
    """z and log p(y), each [pixels, m], of numbers y [m]: a spline of 16 bins for each pixel."""
    at = splines.Knots(*(knot[:, None].expand(-1, len(y), -1) for knot in splines.knots(parameters)))
    z, log_slope = splines.spline(((y - 8.5) / 2.5).expand(len(parameters), -1), at)
    return z, -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + log_slope - math.log(2.5)

def fit_levels(noise, steps, rng):
    parameters = torch.zeros(len(varied), 47, dtype=torch.float64, requires_grad=True)
    optimizer, track = torch.optim.Adam([parameters]), []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.02 * min(1, 2 * (1 - step / steps))
        u = torch.rand(17, 3, generator=rng, dtype=torch.float64) if noise else torch.full((17, 1), 0.5)
        log_p = bend(parameters, (level[:, None] + u).flatten())[1].unflatten(1, (17, -1)).mean(dim=2)
        track.append((P_data * log_p).sum(dim=1))
        optimizer.zero_grad()
        (-track[-1].sum()).backward()
        optimizer.step()
    return parameters.detach(), track[-1].detach()

# %%
noisy, _ = fit_levels(True, 200, seeded(1200))
whole, on_levels = fit_levels(False, 300, seeded(1200))
u = (torch.arange(512, dtype=torch.float64) + 0.5) / 512
y = (level[:, None] + u).flatten()
log_density = bend(noisy, y)[1].unflatten(1, (17, 512))                            # [pixels, levels, places in a cell]
log_P = log_density.logsumexp(dim=2) - math.log(512)
bound = log_density.mean(dim=2)                                                    # uniform dequantization
z_edge = bend(noisy, torch.arange(18, dtype=torch.float64))[0]
with claim_table():
    claim("P(x) by adding up the cell, less that by Φ: each pixel, each level",
          (log_P.exp() - torch.special.ndtr(z_edge).diff(dim=1)).flatten(), near=0, within=2e-4, exact=True)
    claim("log P(x) less the bound: each pixel, each level", (log_P - bound).flatten(), above=-1e-12, exact=True)
    claim("The bound's mean over the data less −H, each pixel", (P_data * bound).sum(dim=1) + H, below=0, exact=True)
    claim("The same of log P", (P_data * log_P).sum(dim=1) + H, below=0, exact=True)

# %% [markdown]
# ### Break it: no noise
# The same flow, trained on the levels as they are, at the middle of each cell. Its log density at the data goes above
# $-H(P_\text{data})$, so it is no log-probability of anything. It is the singularity of notebook 02 again: nothing
# keeps the flow from narrowing a peak at each level. Bumps of width $s$ at the levels show the rate: each halving of $s$
# doubles the density, and there is no end to it.

# %%
widths = 0.1 / 2.0 ** np.arange(8)
far = (level[:, None] - level) ** 2
climb = np.array([(P_data[0] * (P_data[0].log() - 0.5 * far / s**2 - math.log(s * math.sqrt(2 * math.pi)))
                   .logsumexp(dim=1)).sum() for s in widths])
spiky = bend(whole, y)[1].unflatten(1, (17, 512))
with claim_table():
    claim("Trained without noise: log density at the levels, the data's mean less −H, eleven pixels", on_levels + H,
          above=0.8)
    claim("Bumps: gain of the mean log density by each halving of their width", np.diff(climb), near=math.log(2),
          within=1e-6, exact=True)
k = (on_levels + H).argmax()                                                       # the pixel that climbed most
show(curves(y, {"trained with noise": log_density[k].flatten().exp(),
                "trained without": spiky[k].flatten().exp().clamp(min=1e-4),       # the figure's floor
                "share of each level": P_data[k].repeat_interleave(512)}, log_y=True, ylabel="density",
            xlabel="grey level of one pixel, and noise", title="Without noise a flow makes peaks at the levels"),
     alt="Over the grey levels 0 to 17: the shares of the levels as steps, the density trained with noise along them, "
         f"at most {log_density[k].max().exp():.2f}, and that trained without, in narrow peaks up to "
         f"{spiky[k].max().exp():.1f}")

# %% [markdown]
# ### Variational dequantization
# Uniform noise wastes something unless $p$ is level within each cell. Noise with a density $q(u \mid x)$ of its own
# (Ho et al.) gives the exact account of notebook 03, with $u$ for the latent variable:
#
# $$\log P(x) = \mathbb{E}_{q}\left[\log \frac{p(x + u)}{q(u \mid x)}\right] +
#   \mathrm{KL}\bigl(q(u \mid x) \,\|\, p(u \mid x)\bigr), \qquad p(u \mid x) = \frac{p(x + u)}{P(x)} .$$
#
# To train $q$ with $p$ is **variational dequantization**; in Flow++ $q$ is a second flow. Here the best $q$ that is
# constant in each of some equal bins of the cell is known. In a bin it is in proportion to the exponential of the mean
# of $\log p$ there, for that makes the KL least. One bin is uniform noise.

# %%
def best_bound(bins):
    """The bound [pixels, levels] under the best q that is constant in each of so many bins."""
    return log_density.unflatten(2, (bins, -1)).mean(dim=3).logsumexp(dim=2) - math.log(bins)

gap = {bins: (P_data * (log_P - best_bound(bins))).sum(dim=1) for bins in (1, 2, 4, 8, 32, 128, 512)}
for bins, lost in gap.items():
    print(f"{bins:4} bins: log P less the bound, mean of the pixels {lost.mean():.4f} nats")
with claim_table():
    claim("One bin less uniform dequantization: each pixel, each level", (best_bound(1) - bound).flatten(), near=0,
          within=1e-9, exact=True)
    claim("Finer bins: change of the gap at each step, each pixel, nats", torch.stack(list(gap.values())).diff(
        dim=0).flatten(), below=1e-12, exact=True)
    claim("q as fine as the density: gap, nats", gap[512], near=0, within=1e-9, exact=True)
    claim("Eight bins: gap over that of uniform noise, eleven pixels", gap[8] / gap[1], below=0.25)

# %% [markdown]
# ### Bits a pixel: flows beside discrete models
# Dequantized, a flow can stand beside models of classes: both give bits a pixel of the same whole-number pictures, the
# flow an
# upper bound of its own. Now all pixels, and the same test digits for all.

# %%
def fit_grey(log_prob, parameters, steps, lr, rng):
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.1)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * min(1, 2 * (1 - step / steps))
        loss = -log_prob(grey.train[torch.randint(len(grey.train), (64,), generator=rng)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

centre = grey.train.flatten(1).float().mean(dim=0) + 0.5
scale = (grey.train.flatten(1).float().var(dim=0) + 1 / 12).sqrt()                # 1/12: the variance of the noise

def grey_flow(noise, steps, rng):
    """log p(y) of pictures y [n, 8, 8], from a flow trained with or without noise."""
    flow = Flow([splines.SplineCoupling(64, 64, swap, rng) for swap in (False, True)], 64)
    shuffle = torch.randperm(64, generator=rng)

    def log_p(y):
        return flow.log_prob(((y.flatten(1) - centre) / scale)[:, shuffle]) - scale.log().sum()

    fit_grey(lambda x: log_p(x + (torch.rand(x.shape, generator=rng) if noise else 0.5)), flow.parameters(), steps,
             5e-3, rng)
    return log_p

# %%
with_noise, without = grey_flow(True, 300, seeded(1300)), grey_flow(False, 100, seeded(1400))
row_lstm = RowLSTM((8, 8), 17, 24, 1, generator=seeded(1500))
fit_grey(row_lstm.log_prob, row_lstm.parameters(), 100, 1e-2, seeded(1600))
smoothed = (nn.functional.one_hot(grey.train.long(), 17).sum(dim=0) + 0.5) / (len(grey.train) + 8.5)
x_grey, rng = grey.test, seeded(1700)
with torch.no_grad():
    draws = torch.stack([with_noise(x_grey + torch.rand(x_grey.shape, generator=rng)) for _ in range(16)])
    nats = {"each pixel's own shares": -smoothed.log().expand(360, -1, -1, -1).gather(
                3, x_grey[..., None].long()).sum(dim=(1, 2, 3)),
            "Row LSTM, 17 classes": -row_lstm.log_prob(x_grey),
            "flow, uniform noise: at most": -draws.mean(dim=0),
            "flow, log of the mean of 16 draws": math.log(16) - draws.logsumexp(dim=0),
            "trained without noise, at the levels": -without(x_grey + 0.5),
            "trained without noise, scored with it": -without(x_grey + torch.rand(x_grey.shape, generator=rng))}
bits_a_pixel = {name: bits_per_dimension(value, 64) for name, value in nats.items()}
for name, value in bits_a_pixel.items():
    print(f"{name:38}{value.mean():6.2f} bits a pixel")
own, classes, uniform, sixteen, at_levels, scored_with = bits_a_pixel.values()
with claim_table():
    claim("Each pixel's own shares less the flow's bound, bits a pixel, 360 digits", own - uniform, above=0.15)
    claim("Row LSTM: bits a pixel", classes.mean(), above=1.95, below=2.25)
    claim("One draw less the mean of 16 inside the logarithm, bits a pixel, 360 digits", uniform - sixteen, above=0.03)
    claim("Without noise, at the levels: \"bits\" a pixel", at_levels, below=1.4)
    claim("The same flow scored with noise, at most: bits a pixel", scored_with, above=3)

# %% [markdown]
# The flow's bound lies below what single pixels can say; how it compares with the Row LSTM at their best we did not try.
# Sixteen draws inside the logarithm (notebook 03c) show that a part of its bits is the bound's. Trained without noise,
# it would seem to beat all of them; scored with noise, its bound is the worst of them.
#
# ## Your turn
# **1.** Let $z \sim \mathcal{N}(0, 1)$ and $x = \sinh(r z + t)$, where $r \neq 0$ may be negative. Write $\log p(x)$.

# %% tags=["exercise"]
def log_density(x, r, t):
    """log p(x) in nats, of numbers x [n] (numpy); r and t are floats."""
    ### BEGIN SOLUTION
    z = (np.arcsinh(x) - t) / r
    return -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(abs(r)) - 0.5 * np.log1p(x**2)
    ### END SOLUTION

# %%
check("10.log_density", log_density)

# %% [markdown]
# **2.** A coupling in any even number of dimensions, from $z$ to $x$, with its log-determinant. The first half passes.

# %% tags=["exercise"]
def coupling(z, s, t):
    """x [n, D] and log |det ∂x/∂z| [n], of z [n, D]; s and t [n, D/2] are log scales and shifts of the second half."""
    ### BEGIN SOLUTION
    a, b = z.chunk(2, dim=1)
    return torch.cat([a, b * s.exp() + t], dim=1), s.sum(dim=1)
    ### END SOLUTION

# %%
check("10.coupling", coupling)

# %% [markdown]
# **3.** One mask of MADE.

# %% tags=["exercise"]
def mask(below, above, last):
    """Float mask [n_above, n_below] from the degrees (int64) of two layers; `last` is True for the layer of outputs."""
    ### BEGIN SOLUTION
    allowed = above[:, None] > below if last else above[:, None] >= below
    return allowed.float()
    ### END SOLUTION

# %%
check("10.mask", mask)

# %% [markdown]
# ## What to keep
# - Change of variables: $\log p(x) = \log p(z) - \log |\det \partial x / \partial z|$. Where $f$ stretches, the density
#   gets thinner.
# - A coupling layer's Jacobian is triangular: its log-determinant is a sum, its inverse costs no more than itself. The
#   halves must take turns.
# - A flow has as many $z$ as $x$, and no tears: holes get bridges and gaps get threads, which only steep slopes make thin.
# - An autoregressive network with masks gives all conditionals in one pass, and is normalised whatever its weights are.
#   Drawing takes a pass a pixel.
#
# **Read on:**
#
# - A. Hyvärinen, E. Oja, [*Independent Component Analysis: Algorithms and
#   Applications*](https://doi.org/10.1016/S0893-6080%2800%2900026-5), Neural Networks 13 (2000).
# - L. Dinh, D. Krueger, Y. Bengio, [*NICE: Non-linear Independent Components
#   Estimation*](https://arxiv.org/abs/1410.8516), ICLR workshop (2015).
# - L. Dinh, J. Sohl-Dickstein, S. Bengio, [*Density Estimation Using Real NVP*](https://arxiv.org/abs/1605.08803), ICLR
#   (2017).
# - C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, [*Neural Spline Flows*](https://arxiv.org/abs/1906.04032),
#   NeurIPS (2019).
# - M. Germain et al., [*MADE: Masked Autoencoder for Distribution Estimation*](https://arxiv.org/abs/1502.03509), ICML
#   (2015).
# - A. Hyvärinen, P. Pajunen, [*Nonlinear Independent Component Analysis: Existence and Uniqueness
#   Results*](https://doi.org/10.1016/S0893-6080%2898%2900140-3), Neural Networks 12 (1999).
# - P. Comon, [*Independent Component Analysis, a New Concept?*](https://doi.org/10.1016/0165-1684%2894%2990029-9), Signal
#   Processing 36 (1994).
# - D. Rezende, S. Mohamed, [*Variational Inference with Normalizing Flows*](https://arxiv.org/abs/1505.05770), ICML
#   (2015).
# - L. Theis, A. van den Oord, M. Bethge, [*A Note on the Evaluation of Generative
#   Models*](https://arxiv.org/abs/1511.01844), ICLR (2016): the bound of uniform dequantization.
# - J. Ho et al., [*Flow++: Improving Flow-Based Generative Models with Variational Dequantization and Architecture
#   Design*](https://arxiv.org/abs/1902.00275), ICML (2019).
# - G. Papamakarios et al., [*Normalizing Flows for Probabilistic Modeling and
#   Inference*](https://arxiv.org/abs/1912.02762), JMLR 22 (2021): an overview.
#
# **Next:** notebook 10b: models with an energy for each picture, and a sum over all pictures that is out of reach.
