# %% [markdown]
# # 11 · Score and denoising
#
# Add a little noise to a point, and again, until only noise is left: that destroys any distribution, and needs no
# learning. **Can a network learn to undo noise a little at a time, and what does it know once it can?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | noise data by a schedule, write down the score of a noised mixture, turn a predicted noise into a score or a denoised point, and tell a good loss from a small one |
# | You need | Gaussian densities and mixtures (notebook 02), Kullback–Leibler divergence (notebook 03) |
# | Time | 45 seconds to run · seed 0 |

# %%
import numpy as np
import torch

from course_lib.chapters.nb11.plots import fields, melting
from course_lib.experiments.diffusion2d import Diffusion2DExperiment, Diffusion2DHyperparameters, mixture_of
from course_lib.live import diffusion2d_lab, explore
from course_lib.models.diffusion import loss_floor, sinusoids
from course_lib.models.noised import NoisedMixture, least_error, plane_grid
from course_lib.models.schedules import KINDS, SCHEDULES, convert, target
from course_lib.plots import curves, plane, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; a good break is before "What a network can learn from draws". Ask
# for the guess about the two mixtures before the words *Fisher divergence* fall. The table of five kinds is worth the
# board: let the class fill in the weights. In the lab, start with *noise*, then *data*, and let them say from the last
# picture which end of time each is bad at, and then why, from the determinants.
#
# - **Prepare.** Write the empty table of five kinds on the board.
# - **11.blind.** “above one half”: two divergences are thought to agree. Near a mode, who else is responsible?
# - **One thing in five coordinates.** Fill the table with the class: noise, data, score, velocity, energy of one
#   point.
# - **The best denoiser.** On the board: the mean of what may lie behind a noised point; differentiate the noised
#   density to find the score in it.
# - **11.near.** “about a tenth”, as the loss says. Who dominates the loss?
# - **Live: the learned field beside the exact one.** Ask which end of time each kind is bad at, then why.

# %% [markdown] cited="0.1 20 80"
# ## Noise, a little at a time
# The **forward process** (noising) is one line. Take a data point $x_0$, draw $\varepsilon \sim \mathcal{N}(0, I)$, and set
#
# $$x_t = \alpha_t\, x_0 + \sigma_t\, \varepsilon .$$
#
# Time $t$ runs from 0, data, to 1, noise. A **noise schedule** says how $\alpha_t$ falls and $\sigma_t$ grows. What counts
# is their ratio, the **signal-to-noise ratio** $\alpha_t^2 / \sigma_t^2$, usually as its logarithm $\lambda_t$. We use three:
#
# - **cosine**: $\alpha_t = \cos(\pi t / 2)$, $\sigma_t = \sin(\pi t / 2)$.
# - **VP** (variance preserving) with a linear rate, $\beta(t)$ from 0.1 to 20: $-2\, d \log \alpha_t / dt = \beta(t)$, $\sigma_t^2 = 1 - \alpha_t^2$.
# - **straight**: $\alpha_t = 1 - t$, $\sigma_t = t$: each point goes straight to its noise.
#
# In Ho's paper $\bar\alpha_t$ is our $\alpha_t^2$: beware of the root.
#
# If the data are a mixture of round Gaussians, with means $\mu_k$ and standard deviations $s_k$, so is $x_t$. Each component
# $k$ keeps its weight; its mean becomes $\alpha_t \mu_k$, its variance $v_k = \alpha_t^2 s_k^2 + \sigma_t^2$. So here every $p_t$ is
# known **exactly**. Watch two moons, a mixture of 80 narrow Gaussians, melt:

# %%
moons = mixture_of("moons")
axis, square = plane(3.0, 61)
draws, eps = moons.sample(300, seeded()).double(), torch.randn(300, 2, generator=seeded(1)).double()
times = torch.linspace(0.002, 0.998, 200, dtype=torch.float64)

def melted(t=0.2, schedule="cosine"):
    s, at = SCHEDULES[schedule], torch.tensor(t, dtype=torch.float64)
    density = moons.log_prob(torch.from_numpy(square), s.alpha(at), s.sigma(at)).exp().reshape(61, 61)
    return melting(axis, density, s.noised(draws, at, eps), times, chosen=schedule, now=t,
                   log_snr={name: each.log_snr(times) for name, each in SCHEDULES.items()},
                   title=f"Two moons, α = {s.alpha(at):.2f}, σ = {s.sigma(at):.2f}")

explore(melted, t=(0.02, 0.98, 0.02), schedule=list(SCHEDULES), labels={"t": "time t"},
        alt="Left, the density of two noised arcs with points; right, three falling curves of the log signal-to-noise "
            "ratio, a dot at the chosen time")

# %% [markdown]
# Is that formula right? On the line we can check it without trusting any formula for mixtures: $p_t$ is the data's
# density, shrunk by $\alpha$, convolved with the noise's, an integral over $x_0$.

# %%
line = NoisedMixture(torch.tensor([[-1.0], [1.0]]), torch.tensor([0.2, 0.4]), torch.tensor([0.3, 0.7]))
x_0 = torch.linspace(-5, 5, 4001, dtype=torch.float64)
p_0 = line.log_prob(x_0[:, None]).exp()
x = torch.linspace(-4, 4, 200, dtype=torch.float64)

def normal(x, mean, std):
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * (2 * torch.pi) ** 0.5)

def by_hand(alpha, sigma):
    return torch.trapezoid(p_0 * normal(x[:, None], alpha * x_0, sigma), x_0, dim=1)

levels = [(0.95, 0.3), (0.7, 0.7), (0.2, 0.98)]
off = [(line.log_prob(x[:, None], *level).exp() - by_hand(*level)).abs().max() for level in levels]
claim("The noised mixture's density, less the integral by quadrature", torch.stack(off), below=1e-8, exact=True)

# %% [markdown]
# ## The score
# The **score** is the gradient of the log density, $\nabla \log p_t(x)$: an arrow at each point that says which way is
# uphill. It never needs a normaliser, since $\log Z$ is a constant and has no gradient. (Notebook 10b had to estimate $Z$.)
# For a mixture, with responsibilities $r_k = p(k \mid x_t)$ as in notebook 02,
#
# $$\nabla \log p_t(x) = \sum_k r_k\, \frac{\alpha_t \mu_k - x}{v_k} .$$
#
# Each component pulls towards its mean, weighted by its responsibility. Automatic differentiation of
# $\log p_t$ must give the same:

# %%
x = 3 * torch.randn(500, 2, generator=seeded(), dtype=torch.float64)
off = []
for alpha, sigma in levels:
    at = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(moons.log_prob(at, alpha, sigma).sum(), at)
    off.append((moons.score(x, alpha, sigma) - slope).abs().max())
claim("The score in closed form, less autograd's, largest", torch.stack(off), below=1e-10, exact=True)

# %%
cosine = SCHEDULES["cosine"]
net = plane(2.7, 13)[1]

def picture(t):
    at = torch.tensor(t, dtype=torch.float64)
    alpha, sigma = cosine.alpha(at), cosine.sigma(at)
    density = moons.log_prob(torch.from_numpy(square), alpha, sigma).exp().reshape(61, 61)
    return density, net, sigma * moons.score(torch.from_numpy(net), alpha, sigma)

show(fields(axis, {f"t = {t}": picture(t) for t in (0.1, 0.4, 0.8)},
            title="The score times σ: uphill, over coarser and coarser hills"),
     alt="Three maps of the density with arrows: at little noise they point to the nearest arc, at much noise all "
         "point to the middle")

# %% [markdown]
# ## Why many noise levels
# Two mixtures on the line have modes at −4 and 4, of width 1. In $p$ both weigh one half, in $q$ nine tenths and one
# tenth. How well does the score tell them apart? A natural measure is the **Fisher divergence**,
# $\mathbb{E}_p \| \nabla \log p - \nabla \log q \|^2$: it is 0 if and only if the two scores agree.

# %%
predict("11.blind", "KL(p ‖ q) is half a nat. The Fisher divergence, in which a score wrong by 1 everywhere would "
        "count 1, is …", options=["above one half", "between one tenth and one half", "below one hundredth"])

# %%
modes = torch.tensor([[-4.0], [4.0]])
p, q = NoisedMixture(modes, 1.0), NoisedMixture(modes, 1.0, torch.tensor([0.9, 0.1]))

def kl_and_fisher(alpha, sigma):
    x, cell = plane_grid(p, alpha, sigma)
    weight = p.log_prob(x, alpha, sigma).exp() * cell
    log_ratio = p.log_prob(x, alpha, sigma) - q.log_prob(x, alpha, sigma)
    off = (p.score(x, alpha, sigma) - q.score(x, alpha, sigma)).square().sum(dim=1)
    return (weight * log_ratio).sum().item(), (weight * off).sum().item()

kl_0, fisher_0 = kl_and_fisher(1.0, 0.0)
claim("KL(p ‖ q) in nats", kl_0, near=0.51, within=0.002, exact=True)
claim("Fisher divergence of the same two", fisher_0, near=0.001, within=0.0005, exact=True)
reveal("11.blind", fisher_0, pick=lambda f: "above one half" if f > 0.5 else "below one hundredth" if f < 0.01
       else "between one tenth and one half")

# %% [markdown]
# The score is nearly **blind** to the weights of distant modes: near a mode only that mode is responsible, and its weight
# cancels. The two scores differ in the valley alone, where $p$ hardly ever is. A model that learned this score from
# draws hardly knows how much of the data is where.
#
# Noise is the cure. It makes the modes overlap, and where they overlap the weights are seen. Nothing is lost over all
# levels together. Integrated over $\lambda$, the log signal-to-noise ratio, they give exactly the KL divergence:
#
# $$\mathrm{KL}(p \,\|\, q) = \frac{1}{2} \int \sigma^2\, \mathbb{E}_{p_t} \big\| \nabla \log p_t - \nabla \log q_t \big\|^2\, d\lambda .$$
#
# (It follows from de Bruijn's identity; Song and others (2021) made a training method of it.)

# %%
lam = torch.linspace(-14, 14, 281, dtype=torch.float64)
t = cosine.time(lam)
both = np.array([kl_and_fisher(a, s) for a, s in zip(cosine.alpha(t).tolist(), cosine.sigma(t).tolist(), strict=True)])
weighted = cosine.sigma(t).numpy() ** 2 * both[:, 1]
claim("Half the integral over all noise levels, less KL(p ‖ q)", np.trapezoid(weighted, lam) / 2 - kl_0, near=0,
      within=1e-4, exact=True)
show(curves(lam, {"KL(p ‖ q) that is left": both[:, 0], "σ² times Fisher divergence": weighted},
            title="With some noise, the score sees the weights", ylabel="nats",
            xlabel="λ, log signal-to-noise ratio (noise at the left)"),
     alt="Over the log signal-to-noise ratio the KL divergence rises from 0 to about a half, steepest where the Fisher "
         "divergence times σ² has its one peak, which is gone again at the right, where there is no noise")

# %% [markdown]
# ## The best denoiser
# Given $x_t$, what was $x_0$? Many answers are possible. The one with the least mean squared error is the conditional
# mean, $\hat x_0(x) = \mathbb{E}[x_0 \mid x_t = x]$: the **best denoiser**. It is the score in disguise. Differentiate
# $p_t(x) = \int p(x_0)\, \mathcal{N}(x; \alpha x_0, \sigma^2 I)\, dx_0$ under the integral:
#
# $$\begin{aligned} \nabla p_t(x) &= \int p(x_0)\, \mathcal{N}(x; \alpha x_0, \sigma^2 I)\, \frac{\alpha x_0 - x}{\sigma^2}\, dx_0 \\
#   &= p_t(x)\, \frac{\alpha\, \hat x_0(x) - x}{\sigma^2} . \end{aligned}$$
#
# Divide by $p_t$, and you have **Tweedie's formula**, $\;\hat x_0(x) = (x + \sigma^2\, \nabla \log p_t(x)) / \alpha$.
# Nothing about $p_0$ was used: it holds for photographs. Whoever can denoise knows the score.

# %%
x = torch.linspace(-3, 3, 61, dtype=torch.float64)[:, None]
off = []
for alpha, sigma in levels:
    posterior = p_0 * normal(x, alpha * x_0, sigma)
    mean = torch.trapezoid(posterior * x_0, x_0, dim=1) / torch.trapezoid(posterior, x_0, dim=1)
    off.append((mean - (x + sigma**2 * line.score(x, alpha, sigma))[:, 0] / alpha).abs().max())
claim("E[x_0 | x_t] by quadrature, less Tweedie's formula", torch.stack(off), below=1e-8, exact=True)

# %% [markdown]
# ## One thing in five coordinates
# Given $x_t$ and $t$, naming noise, data, or almost any mix of both says the same. Each is a weighted sum $a\, x_0 +
# b\, \varepsilon$:
#
# | kind | what it is | $a$ | $b$ | $\alpha b - \sigma a$ |
# |---|---|---|---|---|
# | data | $x_0$ | $1$ | $0$ | $-\sigma$ |
# | noise | $\varepsilon$ | $0$ | $1$ | $\alpha$ |
# | v | $\alpha \varepsilon - \sigma x_0$ | $-\sigma$ | $\alpha$ | $\alpha^2 + \sigma^2$ |
# | score | $-\varepsilon / \sigma$ | $0$ | $-1/\sigma$ | $-\alpha/\sigma$ |
# | velocity | $dx_t/dt$ | $d\alpha/dt$ | $d\sigma/dt$ | $\alpha\, d\sigma/dt - \sigma\, d\alpha/dt$ |
#
# A network may learn any: **x-prediction**, **ε-prediction**, **v-prediction** and so on. With
# $x_t = \alpha x_0 + \sigma \varepsilon$ these are two equations for two unknowns, and the last column is their determinant.
# Where it is 0, the way back is lost; where it is small, errors grow. (v is not the velocity of a flow, though with the
# cosine schedule the velocity is $\pi/2$ times v.) The average of a sum is the sum of the averages, so the table also
# turns the best denoiser $\mathbb{E}[x_0 \mid x_t]$ into $\mathbb{E}[\varepsilon \mid x_t]$, the score, the velocity.

# %%
x_0s, noise = torch.randn(2, 400, 2, generator=seeded(3), dtype=torch.float64)
t = 0.02 + 0.96 * torch.rand(400, generator=seeded(4), dtype=torch.float64)
worst, worst_mean = [], []
for schedule in SCHEDULES.values():
    x_t = schedule.noised(x_0s, t, noise)
    for given in KINDS:
        for wanted in KINDS:
            made = convert(target(given, schedule, t, x_0s, noise), x_t, t, schedule, given=given, wanted=wanted)
            truth = target(wanted, schedule, t, x_0s, noise)
            worst.append(((made - truth).abs() / (1 + truth.abs())).max())
        made = convert(moons.field(given, x_t, t, schedule), x_t, t, schedule, given=given, wanted="score")
        truth = moons.score(x_t, schedule.alpha(t), schedule.sigma(t))
        worst_mean.append(((made - truth).abs() / (1 + truth.abs())).max())
with claim_table():
    claim("From each kind to each other, largest relative error of a draw", torch.stack(worst), below=1e-9, exact=True)
    claim("From each kind's conditional mean to the exact score", torch.stack(worst_mean), below=1e-8, exact=True)

# %% [markdown]
# ## What a network can learn from draws
# We want a network $s_\theta(x)$ close to the score at a given level. **Explicit score matching** would minimise the
# distance from it, but the score of real data is unknown. **Denoising score matching** uses the noise that *we* added,
# $-\varepsilon/\sigma$, as the target: a noisy one, but right on average. Multiply out, and put
# $\mathbb{E}[\varepsilon \mid x_t] = -\sigma\, \nabla \log p_t(x_t)$, Tweedie's formula in the table's terms, into the mixed term:
#
# $$\begin{aligned} \mathbb{E} \big\| s_\theta(x_t) + \tfrac{\varepsilon}{\sigma} \big\|^2
#   &= \mathbb{E} \big\| s_\theta(x_t) - \nabla \log p_t(x_t) \big\|^2 \\
#   &\quad + \underbrace{\frac{D}{\sigma^2} - \mathbb{E} \big\| \nabla \log p_t(x_t) \big\|^2}_\text{the same for every network} . \end{aligned}$$
#
# $D$ is the number of coordinates; the last expectation is the **Fisher information** of $p_t$. So both losses have the same gradient, and one needs no score. Any
# function will do for a check; both sides are integrals.

# %%
def network(x):
    return torch.sin(2 * x) - 0.3 * x

e = torch.linspace(-9, 9, 1201, dtype=torch.float64)
off = []
for alpha, sigma in levels:
    x_t = alpha * x_0[:, None] + sigma * e                                           # every x_0 with every ε
    weight = p_0[:, None] * normal(e, 0, 1) * (x_0[1] - x_0[0]) * (e[1] - e[0])
    denoising = (weight * (network(x_t) + e / sigma) ** 2).sum()
    x, cell = plane_grid(line, alpha, sigma)
    density, score = line.log_prob(x, alpha, sigma).exp() * cell, line.score(x, alpha, sigma)[:, 0]
    explicit, fisher = (density * (network(x[:, 0]) - score) ** 2).sum(), (density * score**2).sum()
    off.append(denoising - explicit - (1 / sigma**2 - fisher))
claim("Denoising loss, less explicit loss, less the constant", torch.stack(off), near=0, within=1e-8, exact=True)

# %% [markdown]
# ## The floor
# That constant is the least loss that any network can have: its **floor**, and it is not 0. For every kind of the table
# it is $(\alpha b - \sigma a)^2 / \sigma^2$ times $\mathbb{E} \| x_0 - \hat x_0(x_t) \|^2$, the best denoiser's error.
# In one
# network for all levels the floor is the average over $t$. A training loss says little
# without it, since *loss = floor + squared distance from the exact field*.

# %%
t = torch.tensor(0.3, dtype=torch.float64)
alpha, sigma = cosine.alpha(t).item(), cosine.sigma(t).item()
x, cell = plane_grid(moons, alpha, sigma)
fisher = (moons.log_prob(x, alpha, sigma).exp() * moons.score(x, alpha, sigma).square().sum(dim=1)).sum() * cell
with claim_table():
    claim("The floor of the score at t = 0.3, less D/σ² + Fisher information",
          loss_floor(moons, cosine, "score", 0.3) - (2 / sigma**2 - fisher.item()), near=0, within=1e-5, exact=True)
    claim("The floor of the noise at t = 0.3: of ε's mean square, 2, so much stays unknown to any network",
          loss_floor(moons, cosine, "noise", 0.3), near=1.09, within=0.01, exact=True)

# %% [markdown] cited="30"
# ## How the network is told the time
# One network serves all levels, so it needs $t$ beside $x_t$. A single number is a poor input: small differences hardly
# move a unit. An **embedding** shows it as a pattern, here sines and cosines at sixteen frequencies $\omega$ from 1 to
# 30. Slow waves say roughly when, fast ones exactly. The waves; then training, on fresh data, times and noise:

# %%
t = torch.linspace(0, 1, 201, dtype=torch.float64)
omega, waves = np.geomspace(1, 30, 16), sinusoids(t)
figure = curves(t, {f"sin {omega[i]:.1f} t": waves[:, i] for i in (0, 7, 15)}, xlabel="t", ylabel="value",
                title="A time as a pattern: three of 32 numbers")
figure.axes[0].set_ylim(top=2)                                                       # room for the legend
show(figure, alt="Three sine waves of t: one rises slowly, one turns about once, one about five times")

# %%
def train(steps, seed, family=Diffusion2DExperiment, **knobs):
    experiment = family(Diffusion2DHyperparameters(total_steps=steps, **knobs), seed=seed)
    losses = [metrics["loss"].item() for metrics in run(experiment, steps, progress=False)]
    return experiment, np.array(losses)

trained = [train(1500, seed) for seed in range(3)]                                   # ε-prediction, cosine, two moons

# %% [markdown]
# ## Near the floor, and still wrong
# Three seeds, a few seconds each. The floor belongs under every curve:

# %%
floor = trained[0][0].floor.item()
steps = np.arange(25, 1500, 50)
show(curves(steps, {f"seed {seed}": losses.reshape(-1, 50).mean(axis=1) for seed, (_, losses) in enumerate(trained)},
            baseline=(floor, "floor, by quadrature"), xlabel="step", ylabel="loss, mean of 50 steps",
            title="Training ends just above its floor, far from 0"),
     alt="Three falling curves of the training loss that flatten a little above a dotted line, the floor")
claim("Loss of the last 300 steps over the floor, by seed", [losses[-300:].mean() / floor for _, losses in trained],
      above=1.03, below=1.12)

# %%
predict("11.near", "The loss is within a tenth of its floor. At t = 0.02, how large is the learned score's squared "
        "error, relative to the mean square of the exact score?",
        options=["a thousandth or less", "about a tenth", "more than one half"])

# %%
def relative_error(experiment):
    """Squared error of the score over the exact score's mean square, at 24 times."""
    x, at, s = experiment.level_x, experiment.level_at, experiment.schedule
    size = experiment.mixture.score(x, s.alpha(at), s.sigma(at)).square().sum(dim=1)
    return experiment.error_over_t("score")[1] / size.reshape(24, -1).mean(dim=1).numpy()

t = trained[0][0].level_t.numpy()
errors = np.array([relative_error(experiment) for experiment, _ in trained])           # [seeds, times]
reveal("11.near", errors[:, 0].mean(), pick=lambda e: "a thousandth or less" if e < 0.01 else
       "more than one half" if e > 0.5 else "about a tenth")
wide = np.array([relative_error(train(1500, seed, data="clusters")[0]) for seed in range(3)])
with claim_table():
    claim("Two moons, relative squared error of the score at t = 0.02, by seed", errors[:, 0], above=0.6, below=1.2)
    claim("Two moons, the same at t = 0.1", errors[:, 2], above=0.4, below=0.8)
    claim("Two moons, the same, mean over t above one half", errors[:, t > 0.5].mean(axis=1), below=0.002)
    claim("Three clusters three and a half times as wide, at t = 0.1", wide[:, 2], below=0.1)
    claim("Three clusters, at t = 0.02", wide[:, 0], above=0.5, below=2.2)
    claim("The floor of the loss at t = 0.02, of a mean square of 2", loss_floor(moons, cosine, "noise", 0.02),
          near=1.907, within=0.002, exact=True)

# %%
show(curves(t, {"two moons, arcs 0.1 wide": errors.mean(axis=0), "three clusters, 0.35 wide": wide.mean(axis=0)},
            bands={"two moons, arcs 0.1 wide": (errors.min(axis=0), errors.max(axis=0)),
                   "three clusters, 0.35 wide": (wide.min(axis=0), wide.max(axis=0))}, log_y=True, xlabel="time t",
            ylabel="relative squared error", title="The learned score is bad where there is little noise"),
     alt="On a logarithmic axis the relative squared error of the score falls with t, from about one near t = 0 to "
         "less than a thousandth; for wide clusters it is lower near t = 0.1, and as large at the smallest t")

# %% [markdown]
# With much noise the field is smooth, and the network has it. With little noise there are two troubles. The exact field
# turns round within the width of an arc; such sharp bends a network of smooth units learns slowly. On wider data, at the
# same $t$ and after as many steps, the error is smaller. And at the smallest $t$ even that does not help: this network
# names the noise, and the score is $-\varepsilon/\sigma$, so its squared error is that of $\varepsilon$ over a tiny $\sigma^2$.
#
# The loss shows none of this: at small $t$ no network can name much of the noise, and nearly all of the loss is floor.
#
# ## Live: the learned field beside the exact one
# Press **Start**. Above: the exact field at little noise and at much; below: the learned one, over its distance from the
# exact one. Then:
#
# 1. Choose *data* as the parametrisation. At which end of time do its errors sit, and where were those of *noise*?
# 2. Untick *told the time*. Which of the two levels suffers?
# 3. Draw your own data. Thin strokes or thick ones: which are learned sooner?

# %%
lab = diffusion2d_lab(Diffusion2DHyperparameters())
lab

# %% [markdown]
# ## Failure lab: the sign
# The network is the good one; someone writes $+\hat\varepsilon/\sigma$ for the score. The loss cannot tell: it is the
# same number. A step along the arrows can. Uphill, $\log p_t$ grows.

# %%
def gain(experiment, sign):
    """Mean change of log p_t at t = 0.4, after a short step along sign times the learned score."""
    at = torch.full((500,), 0.4, dtype=torch.float64)
    alpha, sigma = cosine.alpha(at), cosine.sigma(at)
    x = cosine.noised(moons.sample(500, seeded(7)).double(), at, torch.randn(500, 2, generator=seeded(8)).double())
    step = 0.1 * sigma[:, None] ** 2 * sign * experiment.learned("score", x, at)
    return (moons.log_prob(x + step, alpha, sigma) - moons.log_prob(x, alpha, sigma)).mean().item()

with claim_table():
    claim("log p after a step along the score, less before, by seed", [gain(e, 1) for e, _ in trained], above=0.09)
    claim("The same with the sign forgotten", [gain(e, -1) for e, _ in trained], below=-0.09)

# %% [markdown]
# ## Failure lab: a root forgotten
# $\bar\alpha$ taken for $\alpha$, and $1 - \bar\alpha$ for $\sigma$: then $x_t = \alpha^2 x_0 + \sigma^2 \varepsilon$.
# The network learns this *other* process well. Afterwards it is used for the right one.

# %%
class RootForgotten(Diffusion2DExperiment):
    def loss(self, batch):
        x_0, t, eps = batch
        x_t = self.schedule.alpha(t)[:, None] ** 2 * x_0 + self.schedule.sigma(t)[:, None] ** 2 * eps
        loss = (self.model(x_t, t) - eps).square().sum(dim=1).mean()
        return loss, {"loss": loss}

SHORT = 600
right = [train(SHORT, seed) for seed in range(3)]
squared = [train(SHORT, seed, family=RootForgotten) for seed in range(3)]

def excess(runs):
    return np.array([experiment.evaluate(False)["excess"] for experiment, _ in runs])

middles = cosine.alpha(torch.linspace(0.01, 0.99, 50, dtype=torch.float64)) ** 2           # ᾱ_t, even in t
own_floor = np.mean([(a / (1 - a)) ** 2 * least_error(moons, a, 1 - a) for a in middles.tolist()])
with claim_table():
    claim("Loss at the end over the floor, with both roots", [runs[-200:].mean() / floor for _, runs in right],
          above=1.05, below=1.2)
    claim("The same with the roots forgotten", [runs[-200:].mean() / floor for _, runs in squared], above=1.2,
          below=1.35)
    claim("The same over the floor of its own process", [runs[-200:].mean() / own_floor for _, runs in squared],
          above=1, below=1.2)
    claim("Squared distance from the exact field, over that of the right one", excess(squared) / excess(right),
          above=1.6, below=2.6)

# %% [markdown]
# Both losses fall and flatten; alone neither looks wrong, and each is about as near to the floor of its own process.
# The
# floor of the *right* process shows the error: the second stays a quarter above it.
#
# ## Failure lab: the time not told
# The same network, shown $t = 0$ whatever the level. It can only guess the level from $x_t$.

# %%
untold = [train(SHORT, seed, told_time=False) for seed in range(3)]
late = {name: np.array([relative_error(e)[t > 0.5].mean() for e, _ in runs])
        for name, runs in (("told", right), ("not told", untold))}
with claim_table():
    claim("Squared distance from the exact field: not told, over told", excess(untold) / excess(right), above=1.4,
          below=2.2)
    claim("Error of the score above t = one half: not told, over told", late["not told"] / late["told"], above=10)

# %% [markdown]
# The mean error above the middle grows: from two numbers the level cannot be read off well, so the network
# answers with an average over levels.
#
# ## Failure lab: the noise at high noise
# ε-prediction has the determinant $\alpha$: to get $x_0$ from it one divides by $\alpha$, which is nearly 0 at the end of
# time. x-prediction has the same trouble at the other end, in the noise. Three kinds, three seeds each:

# %%
runs = {"noise": right, **{kind: [train(SHORT, seed, kind=kind) for seed in range(3)] for kind in ("data", "v")}}
of_data, of_noise = ({kind: np.array([e.error_over_t(wanted)[1] for e, _ in each]) for kind, each in runs.items()}
                     for wanted in ("data", "noise"))
amplified = (cosine.sigma(torch.tensor(0.98)) / cosine.alpha(torch.tensor(0.98))).item() ** 2
with claim_table():
    claim("σ²/α² at t = 0.98: x_0's squared error over ε's", amplified, near=1013, within=1,
          exact=True)
    claim("Squared error of x_0 at t = 0.98: by ε-prediction", of_data["noise"][:, -1], above=0.5, below=12)
    for kind in ("data", "v"):
        claim(f"Orders of magnitude by which that is above the error by {kind}",
              np.log10(of_data["noise"] / of_data[kind])[:, -1], above=2, below=4.5)
    claim("Squared error of ε at t = 0.02: by x-prediction, over v-prediction",
          of_noise["data"][:, 0] / of_noise["v"][:, 0], above=10, below=100)
show(curves(t, {f"{kind} predicted": errors.mean(axis=0) for kind, errors in of_data.items()}, log_y=True,
            bands={f"{kind} predicted": (e.min(axis=0), e.max(axis=0)) for kind, e in of_data.items()},
            xlabel="time t", ylabel="squared error of x₀", title="Towards t = 1, ε-prediction loses x₀"),
     alt="On a logarithmic axis, errors of the denoised point over t: those by predicted noise rise a thousandfold "
         "towards t = 1, those by predicted data and v do not")

# %% [markdown]
# On a variance-preserving schedule v-prediction has determinant 1, at both ends of time. Salimans and Ho introduced it for
# this. Whoever keeps ε-prediction had better not *begin* the way back where $\alpha$ is nearly 0.
#
# ## Going further
# ### How hard to denoise is how much to know
# The best denoiser's error, integrated over the signal-to-noise ratio $\gamma = \alpha^2/\sigma^2$, gives the entropy of
# the data. Guo, Shamai and Verdú (2005) showed that the mutual information of $x_0$ and $x_t$ grows by half that error.
# Held against a Gaussian of variance 1, whose error is $1/(1+\gamma)$, it becomes, for one coordinate,
#
# $$H(p_0) = \tfrac{1}{2} (1 + \log 2 \pi) - \frac{1}{2} \int_0^\infty \Big( \frac{1}{1 + \gamma} - \mathbb{E}\,(x_0 - \hat x_0)^2 \Big)\, d\gamma .$$

# %%
lam = torch.linspace(-16, 18, 681, dtype=torch.float64)
gamma = lam.exp()
left = torch.tensor([least_error(line, (g / (1 + g)).sqrt().item(), (1 / (1 + g)).sqrt().item()) for g in gamma])
entropy = 0.5 * np.log(2 * np.pi * np.e) - 0.5 * torch.trapezoid((1 / (1 + gamma) - left) * gamma, lam).item()
directly = -torch.trapezoid(p_0 * p_0.log(), x_0).item()
claim("Entropy by denoising errors, less −∫ p log p, in nats", entropy - directly, near=0, within=1e-4, exact=True)

# %% [markdown]
# ### Score matching without noise
# Hyvärinen (2005) had another way round the unknown score: integrate by parts. On the line,
# $\mathbb{E}\,(s_\theta - \nabla \log p)^2 = \mathbb{E}[s_\theta^2 + 2 s_\theta'] + \mathbb{E}\,(\nabla \log p)^2$, where the last
# term knows nothing of $\theta$. In $D$ dimensions $s_\theta'$ becomes a divergence, $D$ passes backwards for each point; with
# noise one pass is enough.

# %%
x = x_0.clone().requires_grad_()
(slope,) = torch.autograd.grad(network(x).sum(), x)
score = line.score(x_0[:, None], 1.0, 0.0)[:, 0]
inside = network(x_0) ** 2 + 2 * slope + score**2 - (network(x_0) - score) ** 2
claim("Both sides' difference, by quadrature", torch.trapezoid(p_0 * inside, x_0), near=0, within=1e-8, exact=True)

# %% [markdown]
# ## Your turn
# **1.** Noise a batch as Ho's paper writes it, by $\bar\alpha$.

# %% tags=["exercise"]
def noised(x_0, alpha_bar, eps):
    """x_t [n, D] from data and noise [n, D]; alpha_bar is a float from 0 to 1, Ho's ᾱ_t."""
    ### BEGIN SOLUTION
    return alpha_bar**0.5 * x_0 + (1 - alpha_bar) ** 0.5 * eps
    ### END SOLUTION

# %%
check("11.noised", noised)

# %% [markdown]
# **2.** The score of a noised mixture on the line.

# %% tags=["exercise"]
def mixture_score(x, pi, mu, s, alpha, sigma):
    """Score of p_t at numbers x [n]; weights pi, means mu and deviations s [K] are those of the data, p_0."""
    ### BEGIN SOLUTION
    v = alpha**2 * s**2 + sigma**2
    log_joint = pi.log() - 0.5 * (x[:, None] - alpha * mu) ** 2 / v - 0.5 * v.log()
    return (log_joint.softmax(dim=1) * (alpha * mu - x[:, None]) / v).sum(dim=1)
    ### END SOLUTION

# %%
check("11.mixture_score", mixture_score)

# %% [markdown]
# **3.** A network has named the noise. What is the denoised point, and what the score?

# %% tags=["exercise"]
def from_noise(x_t, eps_hat, alpha, sigma):
    """The tuple (x_0 hat, score), both [n, D], of noised points and predicted noise [n, D]; alpha, sigma are floats."""
    ### BEGIN SOLUTION
    return (x_t - sigma * eps_hat) / alpha, -eps_hat / sigma
    ### END SOLUTION

# %%
check("11.from_noise", from_noise)

# %% [markdown]
# **4.** The loss of a network that predicts the score, each point weighted by its $\sigma^2$: squared distances summed over
# coordinates, mean over points.

# %% tags=["exercise"]
def score_loss(s_hat, eps, sigma):
    """The loss, 0-d, of predicted scores and noise [n, D], with levels sigma [n]."""
    ### BEGIN SOLUTION
    return (sigma[:, None] * s_hat + eps).square().sum(dim=1).mean()
    ### END SOLUTION

# %%
check("11.score_loss", score_loss)

# %% [markdown]
# ## What to keep
# - $x_t = \alpha_t x_0 + \sigma_t \varepsilon$. Noise level by noise level, the score, the best denoiser, the predicted
#   noise, v and the velocity are one thing in different coordinates.
# - Without noise, scores are nearly blind to the weights of distant modes. All levels together see them.
# - Denoising score matching has a floor that is not 0. Draw it under the curve, or the loss says little.
# - Errors travel by the determinant: ε-prediction is lost where $\alpha \to 0$, x-prediction where $\sigma \to 0$.
#
# **Read on:**
#
# - A. Hyvärinen, [*Estimation of Non-Normalized Statistical Models by Score
#   Matching*](https://jmlr.org/papers/v6/hyvarinen05a.html), JMLR 6 (2005).
# - P. Vincent, [*A Connection Between Score Matching and Denoising Autoencoders*](https://doi.org/10.1162/NECO_a_00142),
#   Neural Computation 23 (2011).
# - B. Efron, [*Tweedie's Formula and Selection Bias*](https://doi.org/10.1198/jasa.2011.tm11181), Journal of the American
#   Statistical Association 106 (2011).
# - D. Guo, S. Shamai, S. Verdú, [*Mutual Information and Minimum Mean-Square Error in Gaussian
#   Channels*](https://arxiv.org/abs/cs/0412108), IEEE Transactions on Information Theory 51 (2005).
# - J. Sohl-Dickstein et al., [*Deep Unsupervised Learning using Nonequilibrium
#   Thermodynamics*](https://arxiv.org/abs/1503.03585), ICML (2015).
# - Y. Song, S. Ermon, [*Generative Modeling by Estimating Gradients of the Data
#   Distribution*](https://arxiv.org/abs/1907.05600), NeurIPS (2019).
# - J. Ho, A. Jain, P. Abbeel, [*Denoising Diffusion Probabilistic Models*](https://arxiv.org/abs/2006.11239), NeurIPS
#   (2020).
# - L. Wenliang, H. Kanagawa, [*Blindness of score-based methods to isolated components and mixing
#   proportions*](https://arxiv.org/abs/2008.10087), arXiv preprint (2020).
# - Y. Song, C. Durkan, I. Murray, S. Ermon, [*Maximum Likelihood Training of Score-Based Diffusion
#   Models*](https://arxiv.org/abs/2101.09258), NeurIPS (2021).
# - A. Nichol, P. Dhariwal, [*Improved Denoising Diffusion Probabilistic Models*](https://arxiv.org/abs/2102.09672), ICML
#   (2021): the cosine schedule.
# - D. Kingma, T. Salimans, B. Poole, J. Ho, [*Variational Diffusion Models*](https://arxiv.org/abs/2107.00630), NeurIPS
#   (2021): everything over $\lambda$.
# - T. Salimans, J. Ho, [*Progressive Distillation for Fast Sampling of Diffusion
#   Models*](https://arxiv.org/abs/2202.00512), ICLR (2022): v.
#
# **Next:** notebook 11b, the way back. With a score for every level, noise can be turned into data.
