# %% [markdown] cited="11"
# # 11c · Flow matching: straight ways
#
# Noise can be carried to data by following arrows. **Which arrows are right, how are they learned without being known,
# and how few steps will do if the ways are straight?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | train a flow on straight paths, follow it with Euler, midpoint or Heun, make its ways straight by the choice of pairs, and read a density off it |
# | You need | the noised mixture, the best denoiser and the five kinds of notebook 11 |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from scipy.integrate import solve_ivp

from course_lib.chapters.nb11c.plots import ways
from course_lib.experiments.diffusion2d import mixture_of
from course_lib.experiments.flow_matching2d import FlowMatching2DExperiment, FlowMatching2DHyperparameters, paired
from course_lib.live import flow_matching2d_lab
from course_lib.measure import optimal_pairs, sliced_wasserstein2, straightness, transport_cost
from course_lib.models.flow_matching import follow
from course_lib.models.noised import NoisedMixture, plane_grid
from course_lib.models.schedules import VP, Straight
from course_lib.models.velocity import log_prob, marginal_velocity, trajectory, with_divergence
from course_lib.plots import curves, plane, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; a good break is before "Which noise for which point". Draw two
# crossing ways on the board and ask what one arrow at the crossing can say: all of the notebook follows from that. In
# the lab, let them train with independent pairs until the eight-step picture is good, and only then choose *reflow*.
#
# - **Prepare.** Coloured pens for the crossing ways; try the lab's *reflow* once.
# - **Straight ways, and their average.** On the board: two crossing ways and the one arrow at the crossing; then the
#   mean that it has to be.
# - **Learned without being known.** On the board: the square, split into what depends on θ and the floor. It is the
#   argument of notebook 11.
# - **11c.one.** “near the moons, a bit blurred”: one step is taken for a rough version of many. What does z know of
#   the data at t = 1?
# - **11c.reflow.** “about a half”. Ask what bends a way, and whether new pairs still cross.
# - **Euler, midpoint, Heun.** Let them predict the slopes of the three lines before the figure.
# - **Live: bend them straight.** The loss falls at *reflow*: less is left to average, not more is learned.

# %% [markdown] cited="11"
# ## Arrows move a density
# A **velocity field** $v(x, t)$ is an arrow at each place and time. A point follows it: $dx/dt = v(x, t)$, an **ordinary
# differential equation** (ODE). If many points with density $p_t$ follow it, nothing appears or vanishes on the way.
# What leaves a small region has flowed out of it. That is the **continuity equation**,
#
# $$\frac{\partial p_t}{\partial t} + \nabla \cdot (p_t\, v) = 0 , \qquad \text{or} \qquad
# \frac{\partial \log p_t}{\partial t} + v \cdot \nabla \log p_t + \nabla \cdot v = 0 .$$
#
# The **divergence** $\nabla \cdot v = \sum_j \partial v_j / \partial x_j$ is the rate at which volume grows. As in
# notebook 11, $t = 0$ is data and $t = 1$ is noise. (Lipman and others count the other way, so their velocity has the
# other sign.)
#
# Two moons melt along the straight path, with $\alpha_t = 1 - t$ and $\sigma_t = t$. Their densities $p_t$ are known exactly. Here is a
# velocity that claims to move them. Does it?

# %%
path, moons = Straight(), mixture_of("moons")
v = marginal_velocity(moons)                                          # where it comes from: next section
x = 1.2 * torch.randn(300, 2, generator=seeded(), dtype=torch.float64)
t = 0.05 + 0.9 * torch.rand(300, generator=seeded(1), dtype=torch.float64)
at, now = x.clone().requires_grad_(), t.clone().requires_grad_()
log_p = moons.log_prob(at, path.alpha(now), path.sigma(now))
slope_x, slope_t = torch.autograd.grad(log_p.sum(), (at, now))
arrows, divergence = with_divergence(v, x, t)
claim("The continuity equation's left side at 300 places and times",
      slope_t + (arrows * slope_x).sum(dim=1) + divergence, near=0, within=1e-8, exact=True)

# %% [markdown] cited="11"
# ## Straight ways, and their average
# Take a data point $x_0$ and a noise $\varepsilon$. The **conditional path** between the two is straight,
# $x_t = (1 - t)\, x_0 + t\, \varepsilon$, and its velocity $\varepsilon - x_0$ is the same all along. But ways of different pairs
# cross, and at a crossing one arrow must serve all of them. The right one is the average, over all pairs whose way passes
# there just then: the **marginal velocity**
#
# $$v(x, t) = \mathbb{E}[\varepsilon - x_0 \mid x_t = x] .$$
#
# Why the average? Through a small region each pair carries its share of the density with its own velocity. What flows in total
# is the sum of these, $p_t$ times their mean, and the continuity equation asks for nothing but the total.
#
# The average of a difference is the difference of averages: $v = \mathbb{E}[\varepsilon \mid x_t] - \mathbb{E}[x_0 \mid x_t]$,
# two rows of notebook 11's table. So for a mixture it is closed form. On the line, by quadrature:

# %%
line = NoisedMixture(torch.tensor([[-1.0], [1.0]]), torch.tensor([0.2, 0.4]), torch.tensor([0.3, 0.7]))
x_0 = torch.linspace(-5, 5, 4001, dtype=torch.float64)
p_0 = line.log_prob(x_0[:, None]).exp()
x = torch.linspace(-2.5, 2.5, 51, dtype=torch.float64)[:, None]
on_line, off, off_table = marginal_velocity(line), [], []
for now in (0.2, 0.5, 0.9):
    weight = p_0 * torch.exp(-0.5 * ((x - (1 - now) * x_0) / now) ** 2)               # of each x_0, given x_t = x
    way = (x - (1 - now) * x_0) / now - x_0                                           # ε − x_0, ε being what must be
    at = torch.full((51,), now, dtype=torch.float64)
    off.append(((weight * way).sum(dim=1) / weight.sum(dim=1) - on_line(x, at)[:, 0]).abs().max())
    off_table.append((line.field("velocity", x, at, path) - on_line(x, at)).abs().max())
with claim_table():
    claim("Mean velocity of all pairs that pass, by quadrature, less the closed form", torch.stack(off), below=1e-8,
          exact=True)
    claim("The conversion from the best denoiser, less the same", torch.stack(off_table), below=1e-8, exact=True)

# %%
n, times = 40, torch.linspace(1, 0, 101, dtype=torch.float64)
eps, partner = torch.randn(n, 1, generator=seeded(2), dtype=torch.float64), line.sample(n, seeded(3)).double()
straight = times[:, None, None] * eps + (1 - times[:, None, None]) * partner
flow = trajectory(on_line, eps, 100)
beside = [torch.cat([times[:, None, None].expand(-1, n, 1), way], dim=2) for way in (straight, flow)]
show(ways({"pairs at random": beside[0], "the flow of their average": beside[1]}, xlabel="time t", ylabel="x",
          title="Straight ways cross; the flow's ways bend and do not"),
     alt="Left, forty straight lines from noise at t = 1 to data at t = 0, crossing everywhere; right, forty "
         "curves from the same noise that part into two bundles and never cross")

# %% [markdown]
# On the left each noise goes to a point at random; on the right it follows the average. No way crosses another: at one
# place and time there is one arrow. The ends are distributed alike, and whose end it is has changed.

# %%
many = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64)[:, None]
gaps = trajectory(on_line, many, 200).diff(dim=1)
claim("The least gap between neighbours of 101 ordered noises, at any of 201 times", gaps.amin(), above=0, exact=True)

# %% [markdown]
# ## Learned without being known
# To train a network $v_\theta$ on $v$ one would have to know $v$. **Flow matching** takes the velocity of one pair as the target,
# $\mathbb{E}\, \| v_\theta(x_t, t) - (\varepsilon - x_0) \|^2$. It is the argument of denoising score matching again: the target is
# noisy, and right on average. Split it into $v$ and the rest, whose mean given $x_t$ is 0:
#
# $$\mathbb{E}\, \| v_\theta - (\varepsilon - x_0) \|^2 = \mathbb{E}\, \| v_\theta - v \|^2 + \mathbb{E}\, \| v - (\varepsilon - x_0) \|^2 .$$
#
# The last term does not know $\theta$: it is the floor, and the **gradients are equal**. Any function will do for a check,
# with both expectations as integrals:

# %%
theta = torch.tensor([0.3, -0.7, 0.2], dtype=torch.float64, requires_grad=True)

def some_network(x, now):
    return theta[0] * x + theta[1] * torch.sin(2 * x + theta[2]) + theta[2] * now

e = torch.linspace(-9, 9, 1201, dtype=torch.float64)
density = torch.exp(-0.5 * e**2) / (2 * torch.pi) ** 0.5
off, floors = [], []
for now in (0.2, 0.5, 0.9):
    weight = p_0[:, None] * density * (x_0[1] - x_0[0]) * (e[1] - e[0])                # every x_0 with every ε
    x_t = (1 - now) * x_0[:, None] + now * e
    matching = (weight * (some_network(x_t, now) - (e - x_0[:, None])) ** 2).sum()
    x, cell = plane_grid(line, 1 - now, now)
    best = on_line(x, torch.full((len(x),), now, dtype=torch.float64))
    regression = (line.log_prob(x, 1 - now, now).exp() * cell * ((some_network(x, now) - best) ** 2)[:, 0]).sum()
    off.append(torch.autograd.grad(matching, theta)[0] - torch.autograd.grad(regression, theta)[0])
    floors.append((matching - regression).item())
with claim_table():
    claim("Gradient of flow matching, less that of regression on the marginal velocity", torch.cat(off), near=0,
          within=1e-8, exact=True)
    claim("Difference of the two losses, the floor, at the three times", floors, above=0.1, exact=True)

# %% [markdown]
# ## One step
# Sampling is the ODE backwards: start at $x_1 = z \sim \mathcal{N}(0, I)$ and walk to $t = 0$. **Euler's method** asks for the
# arrow, walks straight along it for a step, and asks again.

# %%
predict("11c.one", "With the exact velocity, and one Euler step all the way from noise to data, where do samples land?",
        options=["near the moons, a bit blurred", "all on one point", "spread like the noise"])

# %%
z = torch.randn(2000, 2, generator=seeded(4), dtype=torch.float64)
one = follow(v, z, 1, "euler")
claim("Distance of every sample from the data's mean", (one - moons.pi @ moons.mu).norm(dim=1), below=1e-12, exact=True)
reveal("11c.one", one.std().item(), pick=lambda spread: "all on one point" if spread < 0.01 else
       "spread like the noise" if spread > 0.9 else "near the moons, a bit blurred")

# %% [markdown] cited="11"
# At $t = 1$ nothing is left of the data, so $x_t = z$ says nothing of $x_0$: the average way leads from $z$ to the mean,
# $v(z, 1) = z - \mathbb{E}[x_0]$. One step from there is exactly that mean. More steps are needed to correct the course.
#
# ## The same flow on another clock
# Any noise schedule has such a flow: its average $\mathbb{E}[dx_t/dt \mid x_t]$, the **probability-flow ODE** of diffusion models. Are these different
# generators? Only the signal-to-noise ratio decides what $x_t$ tells. So let $\tau$ be the time at which a variance
# preserving schedule (VP, notebook 11) has the ratio that the straight path has at $t$. Its points are the same, but for a factor:
#
# $$x_\text{straight}(t) = \sqrt{\alpha_t^2 + \sigma_t^2}\; x_\text{VP}(\tau) , \qquad \alpha_t = 1 - t,\; \sigma_t = t .$$
#
# Both flows, solved to eleven digits:

# %%
vp = VP()

def solve(field, x, start, end):
    def slope(now, flat):
        return field(torch.from_numpy(flat).view(x.shape), torch.tensor(now).expand(len(x))).flatten().numpy()
    made = solve_ivp(slope, (start, end), x.flatten().numpy(), method="DOP853", rtol=1e-11, atol=1e-11)
    return torch.from_numpy(made.y[:, -1]).view(x.shape)

t = torch.tensor([0.99, 0.5, 0.1], dtype=torch.float64)
tau, scale = vp.time(path.log_snr(t)).tolist(), (path.alpha(t) ** 2 + path.sigma(t) ** 2).sqrt().tolist()
begin = z[:20] * scale[0]
other = [solve(lambda x, now: moons.field("velocity", x, now, vp), begin / scale[0], tau[0], end) for end in tau[1:]]
straight = [solve(v, begin, 0.99, end) for end in t[1:].tolist()]
with claim_table():
    claim("t = 0.5 and 0.1: the straight flow, less the VP flow at the matching time, scaled",
          torch.stack([(a - s * b).abs().max() for a, b, s in zip(straight, other, scale[1:], strict=True)]),
          below=1e-8, exact=True)
    claim("The same without the scale",
          torch.stack([(a - b).abs().max() for a, b in zip(straight, other, strict=True)]), above=0.05, exact=True)

# %% [markdown]
# So the schedule does not decide where a noise ends. It decides how the way there is walked: how fast, and how bent.
#
# ## Euler, midpoint, Heun
# With exact arrows, what is left is the solver's error. The **midpoint method** goes half a step, asks there, and takes
# the whole step with that answer; **Heun's method** takes the mean of the arrows at both ends. Each costs two calls of
# the velocity a step. Half the step, half the error: that is a method of **order** one.
# At order two it is a quarter.

# %%
calls, start = np.array([4, 8, 16, 32, 64, 128, 256, 512]), z[:300]
fine = solve(v, start, 1.0, 0.0)

def error(method, steps):
    return (follow(v, start, steps, method) - fine).square().sum(dim=1).mean().sqrt().item()

errors = {"Euler": [error("euler", n) for n in calls], "midpoint": [error("midpoint", n // 2) for n in calls],
          "Heun": [error("heun", n // 2) for n in calls]}
order = {name: np.log2(e[-2] / e[-1]) for name, e in errors.items()}
with claim_table():
    claim("Order of Euler, from the last two points", order["Euler"], near=1, within=0.25, exact=True)
    claim("Of midpoint", order["midpoint"], near=2, within=0.25, exact=True)
    claim("Of Heun", order["Heun"], near=2, within=0.25, exact=True)
    claim("With four calls: Heun's error over Euler's", errors["Heun"][0] / errors["Euler"][0], above=0.5, exact=True)
    claim("With 64 calls: Heun's error over Euler's", errors["Heun"][4] / errors["Euler"][4], below=0.2, exact=True)
show(curves(calls, errors, log_x=True, log_y=True, xlabel="calls of the velocity", ylabel="rms distance from fine flow",
            title="Twice the calls: half the error, or a quarter"),
     alt="On logarithmic axes the errors of Euler, midpoint and Heun fall with the number of calls; Euler's line has "
         "slope one, the other two start lower and fall with slope two")

# %% [markdown] cited="64"
# A high order pays once the steps are small beside the bends of the way. With four calls it gains less.
#
# ## Which noise for which point
# So bent ways cost steps. They bend where straight ways of different pairs cross. But who says that a noise must be paired with
# a point *at random*? Flow matching holds for any **coupling**, any joint distribution with the right noise and the
# right data. Three of them:
#
# - **Independent**: as above.
# - **Minibatch optimal transport**: in each group of 64 points and 64 noises, pair them so that the sum of squared
#   distances is least, the assignment problem (`scipy.optimize.linear_sum_assignment`).
# - **Reflow** (rectified flow): train with independent pairs. Then let the flow carry noises to points, and train on these pairs.
#   They are the ends of ways that do not cross.

# %%
predict("11c.reflow", "Samples are made in one step. How far off the data are they after reflow, beside those of the "
        "flow with independent pairs?", options=["nearly as far", "about a half", "less than a fifth"])

# %%
STEPS = 1200

def train(steps, seed, family=FlowMatching2DExperiment, **knobs):
    experiment = family(FlowMatching2DHyperparameters(total_steps=steps, **knobs), seed=seed)
    losses = [metrics["loss"].item() for metrics in run(experiment, steps, progress=False)]
    return experiment, np.array(losses)

def reflowed(steps, seed):
    experiment, _ = train(steps, seed)
    experiment.set(coupling="reflow", total_steps=2 * steps)              # from here on it learns from its own pairs
    losses = [metrics["loss"].item() for metrics in run(experiment, steps, progress=False)]
    return experiment, np.array(losses)

runs = {"independent": [train(STEPS, seed) for seed in range(3)],
        "optimal transport": [train(STEPS, seed, coupling="optimal transport") for seed in range(3)],
        "reflow": [reflowed(STEPS, seed) for seed in range(3)]}

# %%
noise, data = torch.randn(4000, 2, generator=seeded(5)), moons.sample(4000, seeded(6))
counts = [1, 2, 4, 8, 16]

def off(experiment, steps):
    return sliced_wasserstein2(experiment.samples(noise, steps).numpy(), data.numpy())

apart = {name: np.array([[off(e, n) for n in counts] for e, _ in each]) for name, each in runs.items()}
bent = {name: np.array([straightness(trajectory(e.velocity, noise[:500], 50).numpy()) for e, _ in each])
        for name, each in runs.items()}
reveal("11c.reflow", apart["reflow"][:, 0].mean() / apart["independent"][:, 0].mean(), pick=lambda share:
       "less than a fifth" if share < 0.2 else "nearly as far" if share > 0.8 else "about a half")
with claim_table():
    for name, low, high in (("independent", 0.4, 0.7), ("optimal transport", 0, 0.02), ("reflow", 0, 0.01)):
        claim(f"Straightness, {name}: mean squared change of velocity along a way, by seed", bent[name], above=low,
              below=high)
    for name, low, high in (("independent", 0.55, 0.75), ("optimal transport", 0, 0.12), ("reflow", 0, 0.13)):
        claim(f"Off the data after one step, {name}", apart[name][:, 0], above=low, below=high)
    claim("After 16 steps, independent", apart["independent"][:, -1], below=0.15)
    claim("Another 4,000 points of the data, in the same measure",
          sliced_wasserstein2(moons.sample(4000, seeded(7)).numpy(), data.numpy()), below=0.05)

# %%
show(curves(counts, {name: e.mean(axis=0) for name, e in apart.items()}, log_x=True, log_y=True,
            bands={name: (e.min(axis=0), e.max(axis=0)) for name, e in apart.items()}, xlabel="Euler steps",
            ylabel="sliced W₂ to the data", title="Straight ways need few steps"),
     alt="On logarithmic axes the error with independent pairs falls from about two thirds to a tenth with the number "
         "of steps; those with optimal transport and reflow start near a tenth and are flat")
places = {name: trajectory(each[0][0].velocity, noise[:60], 50) for name, each in runs.items()}
show(ways(places, title="From noise to the moons: bent ways, and nearly straight ones", xlabel="$x_1$", ylabel="$x_2$"),
     alt="Three panels of sixty ways from noise to two moons: with independent pairs they go to the middle and then "
         "bend; with optimal transport and after reflow they are nearly straight")

# %% [markdown]
# **Straightness** is the mean squared distance of the velocity from that of the straight way between the same ends; 0 is
# straight. With independent pairs, all ways set out for the mean and turn late. The loss of the other two is lower,
# since pairs that hardly cross leave little to average.
#
# How near to the cheapest pairing are they? The **transport cost** is the mean squared distance between partners. In the
# limit of many points its minimum is $W_2^2$, the squared Wasserstein distance; *sliced* $W_2$ averages it over shadows
# on lines. We compare with the exact assignment of the same
# thousand points and noises.

# %%
def costs(seed):
    """Mean squared distance of partners, and the least for the same points and noises, for each coupling."""
    x, eps = moons.sample(1024, seeded(10 + seed)), torch.randn(1024, 2, generator=seeded(20 + seed))
    kept = runs["reflow"][seed][0].pairs                                 # noises, and where the first flow carried them
    pairs = [[part.numpy() for part in both] for both in
             ((x, eps), (x, paired(x, eps)), (kept.x[:1024], kept.eps[:1024]))]
    return [(transport_cost(a, b), transport_cost(a, b[optimal_pairs(a, b)])) for a, b in pairs]

cost = np.array([costs(seed) for seed in range(3)])                       # [seeds, couplings, 2]
with claim_table():
    claim("Transport cost, independent, by seed", cost[:, 0, 0], near=3, within=0.35)
    claim("The exact assignment of the same points and noises", cost[:, 0, 1], near=0.42, within=0.1)
    claim("Over the exact assignment: minibatch optimal transport", cost[:, 1, 0] / cost[:, 1, 1], above=1, below=1.6)
    claim("Over the exact assignment: the flow's own pairs", cost[:, 2, 0] / cost[:, 2, 1], near=1, within=0.05)

# %% [markdown]
# No other pairing of the flow's noises and points is much cheaper. On the line that is a theorem (see below). In the
# plane it is what these flows do, and not promised.
#
# ## Live: bend them straight
# Press **Start**. Compare one step with eight, drag the slider below the net, and watch the two plots at the bottom.
#
# 1. When eight steps look good, choose *reflow* as the coupling. What happens to one step, and to the loss?
# 2. Begin again with *optimal transport*. Where does the loss settle, beside the floor of independent pairs?
# 3. Draw your own data: two far spots, then one long line. For which does one step look worst with independent pairs?

# %%
lab = flow_matching2d_lab(FlowMatching2DHyperparameters())
lab

# %% [markdown] cited="10"
# ## A density from a flow
# A flow is invertible: run it from data to noise. Along one point's way the continuity equation reads
# $d \log p_t / dt = -\nabla \cdot v$. So the density of what the flow generates is known, with $x_1$ the noise that $x_0$ becomes:
#
# $$\log p_0(x_0) = \log \mathcal{N}(x_1; 0, I) + \int_0^1 \nabla \cdot v(x_t, t)\, dt .$$
#
# This is notebook 10's change of variables, in infinitely many steps. The exact divergence costs one backward pass for
# each dimension. **Hutchinson's estimate** needs one in all: for a random $w$ with mean 0 and covariance $I$, the mean of
# $w^\top J w$ is the trace of the Jacobian $J$. With random signs in the plane there are only two cases, and their average is the trace.

# %%
x = moons.sample(300, seeded(8)).double()
exact = moons.log_prob(x, 1.0, 0.0)
by_flow = log_prob(v, x, 200)
now = torch.full((300,), 0.5, dtype=torch.float64)
at = path.noised(x, now, z[:300])
signs = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
guesses = torch.stack([with_divergence(v, at, now, w.expand(300, 2))[1] for w in signs])
trace = with_divergence(v, at, now)[1]
with claim_table():
    claim("log p by the exact flow in 200 Heun steps, less that of the mixture", (by_flow - exact).abs(), below=0.02,
          exact=True)
    claim("Average of Hutchinson's estimates over both signs, less the trace", guesses.mean(dim=0) - trace, near=0,
          within=1e-9, exact=True)
    claim("Spread of one estimate around the trace, rms", (guesses[0] - trace).square().mean().sqrt(), above=0.1,
          exact=True)

# %%
test = moons.sample(1000, seeded(9))

def kl(experiment, steps=40):
    return (moons.log_prob(test, 1.0, 0.0) - log_prob(experiment.velocity, test, steps)).mean().item()

with claim_table():
    claim("KL(moons ‖ learned flow), nats, independent pairs, by seed", [kl(e) for e, _ in runs["independent"]],
          above=0.35, below=0.9)
    claim("The same after reflow", [kl(e) for e, _ in runs["reflow"]], above=0.35, below=0.9)

# %% [markdown]
# Samples that look right, and a density about half a nat off: the arcs are narrow, and the learned ones are blurred. A
# sliced distance hardly sees that; a likelihood does.

# %% [markdown]
# ## Failure lab: crossing ways, averaged
# A flow is trained, and to be quick it is sampled in one step. The result looks as if nothing had been learned.

# %%
def spread(experiment):
    return (experiment.samples(noise, 1).std(dim=0).norm() / data.std(dim=0).norm()).item()

with claim_table():
    claim("Spread of one-step samples over the data's, independent pairs, by seed", [spread(e) for e, _ in
          runs["independent"]], below=0.25)
    claim("After reflow", [spread(e) for e, _ in runs["reflow"]], near=1, within=0.1)
    claim("Independent pairs: error after 16 steps over that after one", apart["independent"][:, -1]
          / apart["independent"][:, 0], below=0.25)

# %% [markdown]
# The network is fine: it has learned the average, as it should, and where all ways cross the average is the mean. Take
# more steps, or pairs that do not cross.
#
# ## Failure lab: the divergence's sign
# Someone *subtracts* the integral. The number looks harmless. A density must integrate to 1: that is a test without any
# truth at hand.

# %%
axis, square = plane(3.0, 81)
grid, cell = torch.from_numpy(square).float(), (axis[1] - axis[0]) ** 2

def both_signs(experiment):
    z = follow(experiment.velocity, grid, 40, start=0.0, end=1.0).detach()
    right, noise_part = log_prob(experiment.velocity, grid, 40), -0.5 * z.square().sum(dim=1) - np.log(2 * np.pi)
    return [(lp.double().exp().sum() * cell).item() for lp in (right, 2 * noise_part - right)]

mass = np.array([both_signs(e) for e, _ in runs["independent"]])
with claim_table():
    claim("Integral of the density, with the right sign, by seed", mass[:, 0], near=1, within=0.1)
    claim("With the wrong sign", mass[:, 1], below=0.5)

# %% [markdown] cited="0.3 0.7"
# ## Failure lab: an end of time not covered
# Times are drawn from 0.3 to 1 in training, or from 0 to 0.7. Each loss is as near to its own floor as any. But sampling
# walks through all of time, and at one end these networks were not asked anything.

# %%
SHORT = 600
ranges = {"all": {}, "from 0.3": {"t_low": 0.3}, "to 0.7": {"t_high": 0.7}}
short = {name: [train(SHORT, seed, **limits) for seed in range(3)] for name, limits in ranges.items()}
over = {name: np.array([off(e, 16) for e, _ in each]) for name, each in short.items()}

def wide(experiment):
    return (experiment.samples(noise, 16).std(dim=0).norm() / data.std(dim=0).norm()).item()

with claim_table():
    for name, each in short.items():
        claim(f"Loss at the end over its floor, times {name}", [ls[-200:].mean() / e.floor.item() for e, ls in each],
              above=0.98, below=1.25)
    claim("Off the data after 16 steps: times from 0.3, over all times", over["from 0.3"] / over["all"], above=1.3)
    claim("Spread of these samples over the data's: all times", [wide(e) for e, _ in short["all"]], above=0.85, below=1)
    claim("Times from 0.3", [wide(e) for e, _ in short["from 0.3"]], above=0.6, below=0.82)
    claim("Off the data: times to 0.7, over all times", over["to 0.7"] / over["all"], below=1.5)

# %% [markdown]
# Without the times near the data, the samples stop on their way from the mean and are too close together. Without those near
# the noise little is lost here: the exact field is nearly linear in $x$ there, and what the network extrapolates
# will do. Do not count on that with pictures.
#
# ## Going further
# ### On the line, one reflow is exact
# In one dimension ways that do not cross keep their order. So the flow pairs the smallest noise with the smallest point,
# and so on: the cheapest pairing of all. Straight ways between these pairs do not cross either, and one Euler step of the
# second flow gives what the first gave in many.

# %%
eps = torch.randn(400, 1, generator=seeded(11), dtype=torch.float64)
carried = follow(on_line, eps, 400)
best = optimal_pairs(carried.numpy(), eps.numpy())
order = eps[:, 0].argsort()
straight = torch.stack([(1 - s) * carried[order] + s * eps[order] for s in torch.linspace(0, 1, 21)])
with claim_table():
    claim("Cost of the flow's pairs, less that of the exact assignment", transport_cost(carried.numpy(), eps.numpy())
          - transport_cost(carried.numpy(), eps[best].numpy()), near=0, within=1e-10, exact=True)
    claim("Least gap between neighbours on the straight ways", straight.diff(dim=1).amin(), above=0, exact=True)

# %% [markdown]
# ### A data set is a mixture of points
# For a finite training set the same formula holds with widths 0: $v(x, t) = (x - \sum_k r_k x_k) / t$, where the $r_k$ are a softmax of
# $-\| x - (1 - t) x_k \|^2 / 2 t^2$. A network that reached the floor of its loss would give back training points.

# %%
points = moons.sample(50, seeded(12)).double()
finite, x = NoisedMixture(points, 0.0), z[:200]
softmax = torch.softmax(-0.5 * torch.cdist(x, 0.4 * points) ** 2 / 0.6**2, dim=1)
by_hand = (x - softmax @ points) / 0.6
at = torch.full((200,), 0.6, dtype=torch.float64)
ends = follow(lambda x, now: finite.field("velocity", x, now, path), x, 200, "euler")
with claim_table():
    claim("Velocity by the softmax, less the closed form",
          (by_hand - finite.field("velocity", x, at, path)).abs().amax(), below=1e-10, exact=True)
    claim("Distance of 200 samples from the nearest of 50 points", torch.cdist(ends, points).amin(dim=1), below=0.05,
          exact=True)

# %% [markdown]
# ## Your turn
# **1.** A point of the straight path, and the target of its training.

# %% tags=["exercise"]
def straight_path(x_0, eps, t):
    """The tuple (x_t, velocity), both [n, D], of data and noise [n, D] at times t [n]; data are at t = 0."""
    ### BEGIN SOLUTION
    t = t[:, None]
    return (1 - t) * x_0 + t * eps, eps - x_0
    ### END SOLUTION

# %%
check("11c.straight", straight_path)

# %% [markdown]
# **2.** One step of the midpoint method on the way *back*, from time $t$ to $t - h$.

# %% tags=["exercise"]
def midpoint_step(v, x, t, h):
    """Points [n, D] at time t − h, from points x [n, D] at time t; v(x, t) are velocities [n, D], t and h floats."""
    ### BEGIN SOLUTION
    middle = x - h / 2 * v(x, t)
    return x - h * v(middle, t - h / 2)
    ### END SOLUTION

# %%
check("11c.midpoint", midpoint_step)

# %% [markdown]
# **3.** A point was followed from data to noise in equal steps, and the divergence noted in each.

# %% tags=["exercise"]
def log_density(z, divergences):
    """log p_0 [n] of points that became noise z [n, D]; divergences [steps, n] were met on the way from t = 0 to 1."""
    ### BEGIN SOLUTION
    D = z.shape[1]
    return divergences.mean(dim=0) - 0.5 * (z.square().sum(dim=1) + D * np.log(2 * np.pi))
    ### END SOLUTION

# %%
check("11c.log_density", log_density)

# %% [markdown]
# **4.** The loss of reflow: the network's own flow makes the partner of each noise. Which part of this must not learn?

# %% tags=["exercise"]
def reflow_loss(network, z, t):
    """Squared error of velocities, summed over coordinates, mean over points, 0-d. network(x_t, t) gives velocities
    [n, D] at times t [n]; network.carry(z) the points [n, D] to which its flow carries noises z [n, D]."""
    ### BEGIN SOLUTION
    x = network.carry(z).detach()
    x_t = (1 - t[:, None]) * x + t[:, None] * z
    return (network(x_t, t) - (z - x)).square().sum(dim=1).mean()
    ### END SOLUTION

# %%
check("11c.reflow", reflow_loss)

# %% [markdown]
# ## What to keep
# - The marginal velocity is the mean of $\varepsilon - x_0$ given $x_t$. Single pairs as targets give the same
#   gradient.
# - The schedule is a clock and a scale: the same noise ends at the same point.
# - With independent pairs, one step lands on the mean. Bends cost steps; the pairing decides them.
# - $\log p_0 = \log \mathcal{N}(x_1; 0, I) + \int \nabla \cdot v\, dt$, from data to noise. Integrate the density to
#   test the sign.
#
# **Read on:**
#
# - R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, [*Neural Ordinary Differential
#   Equations*](https://arxiv.org/abs/1806.07366), NeurIPS (2018).
# - W. Grathwohl et al., [*FFJORD: Free-form Continuous Dynamics for Scalable Reversible Generative
#   Models*](https://arxiv.org/abs/1810.01367), ICLR (2019): Hutchinson's estimate.
# - Y. Song et al., [*Score-Based Generative Modeling through Stochastic Differential
#   Equations*](https://arxiv.org/abs/2011.13456), ICLR (2021): the probability-flow ODE.
# - Y. Lipman et al., [*Flow Matching for Generative Modeling*](https://arxiv.org/abs/2210.02747), ICLR (2023).
# - X. Liu, C. Gong, Q. Liu, [*Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified
#   Flow*](https://arxiv.org/abs/2209.03003), ICLR (2023): reflow, straightness.
# - M. Albergo, E. Vanden-Eijnden, [*Building Normalizing Flows with Stochastic
#   Interpolants*](https://arxiv.org/abs/2209.15571), ICLR (2023).
# - A. Tong et al., [*Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal
#   Transport*](https://arxiv.org/abs/2302.00482), TMLR (2024).
#
# **Next:** notebook 11d, pictures. The same loss, a network that sees, and digits that are made to order.
