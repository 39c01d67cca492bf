# %% [markdown] cited="11"
# # 11b · The bound and the way back
#
# A score for every noise level turns noise into data. **Which ways lead back, what does each lose in few steps, and what
# would a perfect network give us?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | derive the reverse SDE and the probability-flow ODE, write a diffusion model's bound term by term, choose a sampler, compute a likelihood by an ODE, and say why a perfect denoiser copies |
# | You need | score, denoiser and schedules (notebook 11), the evidence lower bound (notebook 03) |
# | Time | 75 seconds to run · seed 0 |

# %%
import numpy as np
import torch

from course_lib.comparisons.digits8 import flat_digits, train_diffusion
from course_lib.experiments.diffusion2d import Diffusion2DExperiment, Diffusion2DHyperparameters, mixture_of
from course_lib.live import explore
from course_lib.measure import frechet_distance, wasserstein1
from course_lib.models.diffusion_bound import eps_weight, gap
from course_lib.models.flow_matching import follow
from course_lib.models.noised import NoisedMixture
from course_lib.models.ode_likelihood import exact_log_prob
from course_lib.models.samplers import VARIANCES, ancestral, ddim, drift_and_diffusion, langevin, reverse_sde
from course_lib.models.schedules import SCHEDULES
from course_lib.models.velocity import log_prob
from course_lib.plots import curves, images, plane, scatters, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; a good break is before "What the ODE is good for". Let the class
# derive the reverse SDE from its two halves, on the board: a step along the ODE, and a step of Langevin. Before the
# paradox, ask what the *best possible* denoiser of a thousand pictures would draw; few say "the thousand pictures".
#
# - **Prepare.** Two halves of the board, for the ODE and for Langevin.
# - **Back with dice.** On the board: half a step without dice, half a step of Langevin; add, and watch the terms
#   combine.
# - **11b.few.** “ancestral, with dice” is rarely chosen, Heun most often, for its order. An order promises something
#   of short steps only.
# - **A deep latent-variable model.** The bound of notebook 03 with a chain of codes: let them name prior, posterior
#   and decoder.
# - **The paradox of the perfect network.** Ask what the best denoiser of a finite data set returns without noise.

# %% [markdown] cited="11"
# ## Noise as a process in time
# Notebook 11 jumped from $x_0$ to $x_t$ at once. The same $p_t$ come from a **stochastic differential equation**
# (**SDE**), in which $x$ fades a little and a little noise is added at each moment:
#
# $$dx = f(t)\, x\, dt + g(t)\, dw, \qquad f = \frac{d \log \alpha_t}{dt}, \quad g^2 = -\sigma_t^2\, \frac{d \lambda_t}{dt} .$$
#
# In a step of length $h$, $g\, dw$ is $g \sqrt{h}\, z$ with $z \sim \mathcal{N}(0, I)$; $\lambda_t$ is the log signal-to-noise
# ratio. On a VP schedule $f = -\beta(t)/2$ and $g^2 = \beta(t)$. The density obeys the **Fokker–Planck equation**,
# $\partial_t p_t = -\nabla \cdot (f x\, p_t) + \frac{1}{2} g^2 \nabla \cdot \nabla p_t$. Now write $\nabla p_t = p_t \nabla \log p_t$:
#
# $$\partial_t p_t = -\nabla \cdot (u\, p_t), \qquad u(x, t) = f x - \tfrac{1}{2} g^2\, \nabla \log p_t(x) .$$
#
# That is how density moves when each point just follows $u$, without dice: the **probability-flow ODE**
# $dx/dt = u(x, t)$ has the same $p_t$ as the SDE. The field $u$ is the *velocity* of notebook 11's table.

# %%
line = NoisedMixture(torch.tensor([[-1.0], [1.0]]), 0.25, torch.tensor([0.3, 0.7]))
vp, cosine = SCHEDULES["VP"], SCHEDULES["cosine"]
off, unlike = [], []
for now in (0.1, 0.3, 0.6):
    x = torch.linspace(-3, 3, 301, dtype=torch.float64)[:, None].requires_grad_()
    t = torch.full((301,), now, dtype=torch.float64, requires_grad=True)
    p = line.log_prob(x, vp.alpha(t), vp.sigma(t)).exp()
    f, g2 = drift_and_diffusion(vp, t)
    u = f[:, None] * x - 0.5 * g2[:, None] * line.score(x, vp.alpha(t), vp.sigma(t))
    (dp_dt,) = torch.autograd.grad(p.sum(), t, create_graph=True)
    (outflow,) = torch.autograd.grad((u[:, 0] * p).sum(), x)
    off.append((dp_dt + outflow[:, 0]).abs().max())
    unlike.append((u - line.field("velocity", x, t, vp)).abs().max())
with claim_table():
    claim("∂p/∂t + ∂(u p)/∂x, which must be 0, largest", torch.stack(off), below=1e-10, exact=True)
    claim("u, less the velocity of notebook 11", torch.stack(unlike), below=1e-10, exact=True)

# %% [markdown]
# ## Back with dice
# **Langevin's** steps $x + h' s(x) + \sqrt{2h'}\, z$, with the score $s$, leave a density as it is (up to an error that falls
# with $h'$). Follow the ODE back from $t$ to $t - h$, and add such a step with $h' = \frac{1}{2} g^2 h$:
#
# $$x_{t-h} = x_t - h \big( f x_t - g^2\, \nabla \log p_t(x_t) \big) + g \sqrt{h}\, z .$$
#
# This is one step of Euler and Maruyama's method for the **reverse SDE** (Anderson). The half of the score that the
# ODE has, and the half that pays for the dice, make one whole.
#
# Langevin's steps alone, at no noise, would do if they ran for ever. From $\mathcal{N}(0, 1)$ they settle in the nearer mode:
# inside a mode the score hides the weights, three to seven here. The reverse SDE passes all levels. Both have the
# *exact*
# score, so nothing is to blame but the sampler.

# %%
def noise(n, seed, D=1):
    return torch.randn(n, D, generator=seeded(seed), dtype=torch.float64)

def score(x, t):
    return line.score(x, vp.alpha(t), vp.sigma(t))

shares = {"Langevin": [], "reverse SDE": []}
for seed in range(5):
    alone = langevin(lambda x: line.score(x, 1.0, 0.0), noise(1000, seed), 0.005, 300, seeded(seed + 10))
    passed = reverse_sde(score, noise(1000, seed), torch.linspace(1, 0, 301).double(), vp, seeded(seed + 10))[-1]
    for name, x in (("Langevin", alone), ("reverse SDE", passed)):
        shares[name].append((x > 0).double().mean().item())
with claim_table():
    claim("Share of draws in the heavier mode, Langevin's steps alone", shares["Langevin"], above=0.45, below=0.6)
    claim("The same by the reverse SDE; in the data it is .7", shares["reverse SDE"], near=0.7, within=0.06)

# %% [markdown]
# ## Slow motion
# Three ways back, step by step, from the same noise with the exact denoiser of the two moons. Ancestral sampling and
# DDIM are explained below; Heun follows the ODE. Right: the guess $\hat x_0(x_t)$ of each point.
# Click through the steps: at much noise every guess is the mean, and the guesses spread out gradually.

# %%
moons = mixture_of("moons")
T = 16
times = torch.linspace(1, 0, T + 1, dtype=torch.float64)

def guess(x, t):
    return moons.field("data", x, t, cosine)

def velocity(x, t):
    return moons.field("velocity", x, t, cosine)

start = noise(250, 0, D=2)
heun = [start, *(follow(velocity, start, i, "heun", 1.0, max(1 - i / T, 1e-3)) for i in range(1, T + 1))]
walks = {"ancestral": ancestral(guess, start, times, cosine, seeded(1)), "DDIM": ddim(guess, start, times, cosine),
         "Heun": torch.stack(heun)}

def step_of(step=10, sampler="ancestral"):
    x, t = walks[sampler][step], times[step].clamp(min=1e-3)
    return scatters({"$x_t$": x, "guess of $x_0$": guess(x, t)}, limit=3,
                    title=f"{sampler}, step {step} of {T}: t = {t:.2f}")

explore(step_of, step=(0, T, 1), sampler=list(walks),
        alt="Left, points that go from a round cloud to two arcs as the steps pass; right, guesses that begin at one "
            "place and end on the arcs")

# %% [markdown]
# ## A deep latent-variable model
# Ho's **denoising diffusion probabilistic model** (**DDPM**) is notebook 03's latent-variable model with $T$ layers: the
# latents are $x$ at times $t_1 < \dots < t_T$. The encoder $q$ adds noise and learns nothing. The decoder goes back,
# $p(x_s \mid x_t) = \mathcal{N}(a x_t + c\, \hat x_0(x_t), v I)$. For $s < t$, Bayes' rule for Gaussians gives, with
# $\beta = \sigma_t^2 - (\alpha_t/\alpha_s)^2 \sigma_s^2$, what a step back would be if $x_0$ were known:
#
# $$q(x_s \mid x_t, x_0) = \mathcal{N} \Big( \underbrace{\tfrac{\alpha_t \sigma_s^2}{\alpha_s \sigma_t^2}}_{a} x_t + \underbrace{\tfrac{\alpha_s \beta}{\sigma_t^2}}_{c} x_0,\; \underbrace{\tfrac{\beta \sigma_s^2}{\sigma_t^2}}_{\tilde\beta} I \Big) .$$
#
# **Ancestral sampling** puts $\hat x_0$ for $x_0$ and draws. The negative evidence bound, with $s$ the time before $t$:
#
# $$\begin{aligned} -\log p(x_0) \le\; & \mathrm{KL}(q(x_{t_T} \mid x_0) \,\|\, p(x_{t_T})) - \mathbb{E} \log p(x_0 \mid x_{t_1}) \\
#   & + \sum_{t > t_1} \mathbb{E}\, \mathrm{KL} \big( q(x_s \mid x_t, x_0) \,\|\, p(x_s \mid x_t) \big) . \end{aligned}$$
#
# Each KL is between two Gaussians with the means $c\,(x_0 - \hat x_0)$ apart:
#
# $$\mathrm{KL} = \frac{D}{2} \Big( \log \frac{v}{\tilde\beta} + \frac{\tilde\beta}{v} - 1 \Big) + \frac{c^2}{2 v}\, \| x_0 - \hat x_0 \|^2 .$$

# %% [markdown]
# ## The gap, exactly
# On average over the data the last square is the best denoiser's error, which we know. So the bound is a sum of integrals,
# and the **gap** is the bound less the entropy $H(p_0)$: what the model loses by its form alone. Three choices of $v$: $\beta$,
# $\tilde\beta$, and the **optimal variance** $\tilde\beta + c^2\, \mathbb{E} \| x_0 - \hat x_0 \|^2 / D$ (Bao and others), where the
# derivative by $v$ is 0. (In the last step to $t = 0$, where $\tilde\beta = 0$, $\beta$ stands for it.) Data: a Gaussian of
# deviation one half, and two narrow ones.

# %%
single, pair = NoisedMixture(torch.zeros(1, 1), 0.5), NoisedMixture(torch.tensor([[-1.0], [1.0]]), 0.25)
counts = [1, 3, 10, 30, 100, 300, 1000]
gaps = {name: {v: np.array([gap(data, cosine, T, v) for T in counts]) for v in VARIANCES}
        for name, data in (("Gaussian", single), ("pair", pair))}
beta, tilde, best = (gaps["Gaussian"][v] for v in VARIANCES)
with claim_table():
    claim("Gaussian data: the gap with β times T, for T from 10 to 1,000", beta[2:] * counts[2:], above=0.5, below=0.65,
          exact=True)
    claim("The gap itself with β̃, for the same T", tilde[2:], above=0.6, exact=True)
    claim("The gap with the optimal variance, every T", np.abs(best), below=1e-8, exact=True)
    claim("Two Gaussians: the gap at T = 1, any variance", [gaps["pair"][v][0] for v in VARIANCES], above=0.72,
          below=0.73, exact=True)
    claim("With β at T = 1,000", gaps["pair"]["beta"][-1], near=0.0029, within=0.0001, exact=True)
    claim("With the optimal variance: of the gap with β, for T from 30 on",
          (gaps["pair"]["optimal"] / gaps["pair"]["beta"])[3:], above=0.4, below=0.6, exact=True)

# %%
names = {"beta": "β", "beta_tilde": "β̃", "optimal": "optimal"}
show(curves(counts, {f"{names[v]}": gaps["pair"][v] for v in VARIANCES}, log_x=True, log_y=True, xlabel="steps T",
            ylabel="gap in nats", title="Two Gaussians: the gap falls as 1/T, but not with β̃"),
     alt="On logarithmic axes the gap with β and with the optimal variance falls in parallel lines from ten steps on; "
         "with the variance if x_0 were known it stays near one nat")

# %% [markdown]
# For a Gaussian the true step back *is* a Gaussian, so the right variance leaves nothing. For the pair, $p(x_s \mid x_t)$ has
# two bumps if the step is long; many short steps mend that. $\tilde\beta$ is the variance of one who knows $x_0$. In the
# first steps after $t = 0$ it is too small by a factor that does not shrink with $T$: there a step changes $\lambda_t$ by as
# much at any $T$.
#
# ## Without dice: DDIM
# **DDIM** (Song, Meng, Ermon) keeps the noise that belongs to the guess, $\hat\varepsilon = (x_t - \alpha_t \hat x_0)/\sigma_t$, and puts it back at the
# lower level: $x_s = \alpha_s \hat x_0 + \sigma_s \hat\varepsilon$. For short steps it follows the ODE. **Heun**'s method asks for the
# velocity at both ends of a step and takes the mean: two calls a step. How far are the draws from the
# data at equal numbers of *calls*? On the line the error is the earth mover's distance $W_1$ (notebook 09b).

# %%
predict("11b.few", "The denoiser is exact. Which sampler's draws are nearest to the data after only 4 calls of it?",
        options=["ancestral, with dice", "DDIM", "Heun"])

# %%
n, calls = 4000, [4, 8, 16, 32, 64, 128]
axis = torch.linspace(-4, 4, 8001, dtype=torch.float64)
cdf = line.log_prob(axis[:, None]).exp().cumsum(0) * 0.001
truth = np.interp((np.arange(n) + 0.5) / n, cdf, axis + 0.0005)
even = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)[:, None]  # N(0, 1) without chance

def denoise(x, t):
    return line.field("data", x, t, cosine)

made = {"ancestral, β": [], "DDIM": [], "Heun": []}
for T in calls:
    times = torch.linspace(1, 0, T + 1, dtype=torch.float64)
    ends = {"ancestral, β": [ancestral(denoise, noise(n, s), times, cosine, seeded(s + 9))[-1] for s in range(3)],
            "DDIM": [ddim(denoise, even, times, cosine)[-1]],
            "Heun": [follow(lambda x, t: line.field("velocity", x, t, cosine), even, T // 2, "heun", end=1e-3)]}
    for name, x in ends.items():
        made[name].append([wasserstein1(each.numpy().ravel(), truth) for each in x])
errors_at = {name: np.array([np.mean(row) for row in rows]) for name, rows in made.items()}
reveal("11b.few", {name: e[0] for name, e in errors_at.items()},
       pick=lambda e: {"ancestral, β": "ancestral, with dice"}.get(min(e, key=e.get), min(e, key=e.get)))
with claim_table():
    claim("4 calls: DDIM's error over ancestral's", errors_at["DDIM"][0] / np.array(made["ancestral, β"][0]), above=1.3)
    claim("4 calls: Heun's error over ancestral's", errors_at["Heun"][0] / np.array(made["ancestral, β"][0]), above=1.8)
    claim("DDIM: error over that with twice the calls, from 32 on", errors_at["DDIM"][3:5] / errors_at["DDIM"][4:],
          above=1.8, below=2.2, exact=True)
    claim("Heun: the same", errors_at["Heun"][3:5] / errors_at["Heun"][4:], above=3, below=4.5, exact=True)
    claim("64 calls: DDIM's error over Heun's", errors_at["DDIM"][4] / errors_at["Heun"][4], above=5, exact=True)

# %%
show(curves(calls, errors_at, log_x=True, log_y=True, xlabel="calls of the denoiser", ylabel="W₁ from the data",
            title="Dice are best with 4 calls, a better solver with many"),
     alt="Three falling lines on logarithmic axes: ancestral lowest at four calls, then flat where the chance of its "
         "draws shows; DDIM falls straight; Heun starts highest and falls twice as steeply")

# %% [markdown] cited="10"
# DDIM is of first order, its error halves with twice the calls; Heun's falls to about a quarter. Ancestral draws soon end
# at the chance of so few draws. Not a rule: with learned networks on pictures DDIM's authors found DDIM ahead in few
# steps.
#
# ## What the ODE is good for
# An ODE has no dice, so it is an invertible map from data to noise: a **normalizing flow** (notebook 10) without couplings. Along a
# way $x_t$ the density changes only as the field squeezes space,
#
# $$\log p_0(x_0) = \log p_1(x_1) + \int_0^1 \nabla \cdot u(x_t, t)\, dt .$$
#
# For a mixture the divergence is exact: that of $\hat x_0$ is $\alpha_t/\sigma_t^2$ times the trace of
# $\mathrm{Cov}(x_0 \mid x_t)$. A solver that chooses its own steps gets `rtol`, each step's relative error:

# %%
x = moons.sample(200, seeded()).double()
loose, tight = (exact_log_prob(moons, x, cosine, rtol) for rtol in (1e-3, 1e-6))
with claim_table():
    claim("log p by the ODE, less the density, at rtol 1e-6: largest of 200",
          (tight[0] - moons.log_prob(x)).abs().max(),
          below=1e-5, exact=True)
    claim("At rtol 1e-3: largest of 200", (loose[0] - moons.log_prob(x)).abs().max(), below=0.1, exact=True)
    claim("Calls of the field at rtol 1e-6", tight[1], above=100, below=400, exact=True)

# %% [markdown] cited="10"
# Now with a *learned* field: three seeds, v-prediction, a few seconds each. Its divergence takes two backward passes a
# call.
# Where the field is wrong, so is the density that belongs to it: summed over the square, we get
# $\mathrm{KL}(\text{data} \,\|\, \text{model})$, as for notebook 10's flows on the same moons.

# %%
def learn(seed, steps=2500):
    experiment = Diffusion2DExperiment(Diffusion2DHyperparameters(total_steps=steps, kind="v", width=128, t_low=0.001,
                                                                  t_high=0.999), seed=seed)
    list(run(experiment, steps, progress=False))
    return experiment

networks = [learn(seed) for seed in range(3)]
square = torch.from_numpy(plane(3.0, 61)[1])
log_p = moons.log_prob(square)
weight = log_p.softmax(dim=0)                                   # of each point of the square, in the data
log_q = [log_prob(lambda x, t, e=e: np.pi / 2 * e.average(x, t), square.float(), 24).double()
         for e in networks]
kls = [(weight * (log_p - q)).sum().item() for q in log_q]
with claim_table():
    claim("Mass of the learned densities on the square", [q.exp().sum().item() * 0.01 for q in log_q], near=1,
          within=0.03)
    claim("KL(data ‖ model) in nats, by seed", kls, above=0.1, below=0.4)

# %% [markdown] cited="10"
# Notebook 10's splines came closer on these moons. These networks learned
# for seconds, and by a loss that is not the likelihood.

# %% [markdown]
# ## The paradox of the perfect network
# What would be the least training loss on a *finite* set of $n$ pictures $x_i$? The best denoiser is known: that of a
# mixture with $s = 0$, a softmax over the training pictures, $\hat x_0(x) = \sum_i r_i x_i$ with
# $r_i \propto \exp ( -\| x - \alpha_t x_i \|^2 / 2 \sigma_t^2 )$. Sample with it. The pictures are the 8x8 digits of
# notebook 10b; for comparison three networks are trained on them.

# %%
pictures, new = (2 * x - 1 for x in flat_digits())                                       # −1 paper, 1 ink
perfect = NoisedMixture(pictures, 0.0)
times = torch.linspace(1, 0, 31, dtype=torch.float64)

def from_set(x, t):
    return perfect.field("data", x, t, cosine)

@torch.no_grad()
def drawn(denoiser, seed):
    return ancestral(denoiser, noise(360, seed, 64), times, cosine, seeded(seed + 20))[-1].float()

def copied(x, of):
    """Share of black and white pictures that one of the set equals."""
    return (torch.cdist(x.sign(), of).amin(dim=1) < 0.5).float().mean().item()

def by_network(network):
    return lambda x, t: network(x.float(), t.float()).double()

digit_networks = [train_diffusion(pictures, 2000, seeded(seed)) for seed in range(3)]
copies = [drawn(from_set, seed) for seed in range(6)]
own = [drawn(by_network(network), seed) for seed, network in enumerate(digit_networks)]
far = [torch.cdist(x, pictures).amin(dim=1).max().item() for x in copies]

# %%
scores = {name: [frechet_distance(x.numpy(), pictures.numpy()) for x in each] for name, each in
          (("perfect", copies), ("network", own), ("test", [new]))}
with claim_table():
    claim("Perfect denoiser: largest distance of a draw from the nearest training picture, by seed", far, below=1e-3)
    claim("Its Fréchet distance over that of the test pictures, by seed",
          np.array(scores["perfect"]) / scores["test"], below=1)
    claim("The networks' Fréchet distance over that of the test pictures",
          np.array(scores["network"]) / scores["test"], above=1.1)
    claim("Networks: share of draws that equal a training picture", [copied(x, pictures) for x in own], below=0.15)
    claim("Test pictures: the same share", copied(new, pictures), near=0.042, within=0.001, exact=True)

# %%
shown = torch.cat([copies[0][:10], pictures[torch.cdist(copies[0][:10], pictures).argmin(dim=1)], own[0][:10]])
show(images(shown.reshape(-1, 8, 8), low=-1, high=1, row_labels=["perfect", "its nearest", "network"],
            title="The perfect denoiser draws its training pictures"),
     alt="Three rows of ten small digits: the first two rows are the same, pixel for pixel; the third has other "
         "digits, some odd")

# %% [markdown]
# Every draw is a copy, and the Fréchet distance is *better* than that of new real digits: whoever copies wins this measure.
# A diffusion model that makes new pictures has a network that is **not** perfect. How does the softmax come to its choice? Count pictures: the
# **effective number** is $e^{H(r)}$, with the entropy of the weights.

# %%
t_s = np.linspace(0.3, 0.99, 24)
effective = []
for t in torch.from_numpy(t_s):
    x = cosine.noised(pictures[:200].double(), t, noise(200, 5, 64))
    r = perfect.posterior(x, cosine.alpha(t), cosine.sigma(t))
    effective.append(torch.special.entr(r).sum(dim=1).exp().mean().item())
show(curves(t_s, {"effective number of pictures": effective}, log_y=True, xlabel="t", ylabel="pictures",
            baseline=(len(pictures), "all of them"), title="The choice falls between t = 0.8 and 0.4"),
     alt="On a logarithmic axis, a curve that rises from one picture at t below 0.4 to all of them at t = 1")

# %%
@torch.no_grad()
def error(denoiser, x_0, t, seed=6):
    x = cosine.noised(x_0.double(), torch.tensor(t), noise(len(x_0), seed, 64))
    return (denoiser(x, torch.full((len(x),), t).double()) - x_0).square().sum(dim=1).mean().item()

seen, unseen = pictures[:360], new
rows = [[error(by_network(net), x_0, 0.3) for net in digit_networks] for x_0 in (seen, unseen)]
with claim_table():
    claim("Effective number at t = 0.3", effective[0], below=1.6)
    claim("Effective number at t = 0.99, of 1,437", effective[-1], above=1400)
    claim("Squared error at t = 0.3, training pictures: perfect", error(from_set, seen, 0.3), below=0.5)
    claim("The same, test pictures: perfect", error(from_set, unseen, 0.3), above=10)
    claim("Training pictures: networks", rows[0], above=3, below=6)
    claim("Test pictures: networks", rows[1], above=4, below=7)

# %% [markdown]
# On what it has seen, the perfect denoiser is far better; on new pictures far worse than the network, which errs nearly
# alike on both. The network has not reached the optimum for its training set, and new pictures are what it gains.
# With ten pictures it comes close enough to copy:

# %%
ten = pictures[:10]
few = [drawn(by_network(train_diffusion(ten, 800, seeded(seed))), seed) for seed in range(3)]
claim("Networks trained on ten pictures: share of draws that equal one of the ten", [copied(x, ten) for x in few],
      above=0.9)

# %% [markdown]
# ## Failure lab: the last step does not reach the prior
# Someone keeps the steps of a long schedule and uses fewer of them: noise ends at $t < 1$, where $\alpha_t$ is not small.
# The sampler starts from $\mathcal{N}(0, I)$ all the same. The data: moons moved to mean 2.

# %%
moved = NoisedMixture(moons.mu + 2, moons.s)

def mean_of(end, seed, right_start=False):
    x, at = noise(400, seed, 2), torch.tensor(end, dtype=torch.float64)
    if right_start:
        x = vp.noised(moved.sample(400, seeded(seed + 50)).double(), at, x)
    way = torch.linspace(end, 0, 61, dtype=torch.float64)
    return ddim(lambda x, t: moved.field("data", x, t, vp), x, way, vp)[-1].mean().item()

with claim_table():
    for end, low, high in ((1.0, 1.9, 2.1), (0.4, 1.4, 1.8), (0.2, 0.9, 1.5)):
        claim(f"Noise up to t = {end}, α = {vp.alpha(torch.tensor(end)):.2f}: mean of the draws, by seed",
              [mean_of(end, s) for s in range(5)], above=low, below=high)
    claim("Noise up to t = 0.2, from the right start", [mean_of(0.2, s, True) for s in range(5)], near=2, within=0.1)

# %% [markdown]
# The draws crowd on the side of the moons towards 0: what the start does not know, the way back cannot
# learn. In the bound it is the first term, the prior's KL.

# %% [markdown]
# ## Going further
# ### The simple loss
# In terms of the noise the square's weight is $c^2 \sigma_t^2/(2 v \alpha_t^2)$. With $v = \tilde\beta$ it is
# $\frac{1}{2}(e^{\lambda_s - \lambda_t} - 1)$, so for short steps $\frac{1}{2} |d\lambda_t|$ (also with $v = \beta$, as
# in the code). Ho's **simple loss** $\mathbb{E} \| \varepsilon - \hat\varepsilon \|^2$ weighs all steps alike.

# %%
T = 1000
grid = torch.linspace(0, 1, T + 1, dtype=torch.float64)[1:-1]
weights = {name: torch.stack([eps_weight(s, t, t - 1 / T) for t in grid[1:]]) for name, s in SCHEDULES.items()}
limit = {name: -0.5 * s.d_log_snr(grid[1:] - 0.5 / T) / T for name, s in SCHEDULES.items()}
middle = slice(100, 900)
claim("Weight in the bound over ½ |dλ|, t from .1 to .9, largest ratio's distance from 1",
      [(weights[n] / limit[n] - 1)[middle].abs().max().item() for n in SCHEDULES], below=0.02, exact=True)
claim("Cosine: the bound's weight at t = .01 over that at t = .5", weights["cosine"][8] / weights["cosine"][498],
      above=20, exact=True)
show(curves(grid[1:], {name: weights[name] / weights[name][498] for name in SCHEDULES}, log_y=True, xlabel="t",
            ylabel="weight, 1 at t = ½", baseline=(1.0, "simple loss"),
            title="The bound weighs both ends of time more"),
     alt="Three curves of weights on a logarithmic axis over a flat dotted line: all rise steeply towards t = 0, two "
         "of them towards t = 1, too")

# %% [markdown]
# The simple loss is the bound with other weights. Towards $t = 0$ the bound pays for fine detail. Towards $t = 1$,
# where $x_t$ is nearly $\varepsilon$ itself, a large weight meets a small error. Last, DDIM with the learned networks:

# %%
fine = ddim(guess, start, torch.linspace(1, 0, 401).double(), cosine)[-1]

def distance(denoiser, T):
    end = ddim(denoiser, start, torch.linspace(1, 0, T + 1).double(), cosine)[-1]
    return (end - fine).square().sum(dim=1).mean().sqrt().item()

steps = [5, 10, 20, 40, 80]
exact = np.array([distance(guess, T) for T in steps])
learned = np.array([[distance(lambda x, t, e=e: e.learned("data", x, t), T) for T in steps] for e in networks])
with claim_table():
    claim("Exact denoiser: distance from the fine ODE with 20 steps over that with 80", exact[2] / exact[4], above=1.5)
    claim("Learned: the same ratio, by seed", learned[:, 2] / learned[:, 4], above=0.7, below=2)
    claim("80 steps: the learned one's distance over the exact one's", learned[:, 4] / exact[4], above=2)
show(curves(steps, {"exact denoiser": exact, "learned, three seeds": learned.mean(axis=0)}, log_x=True, log_y=True,
            bands={"learned, three seeds": (learned.min(axis=0), learned.max(axis=0))}, xlabel="DDIM steps",
            ylabel="distance from the fine ODE", title="Past some steps, the network is the error"),
     alt="Two falling lines on logarithmic axes: with the exact denoiser straight down, with learned ones flat from "
         "about twenty steps on")


# %% [markdown]
# ### Failure lab: too few steps
# DDIM in one step from $t = 1$ lands each point on $\hat x_0(x_1)$, the mean of all data. After three steps many points are
# still on their way, off both arcs.

# %%
def off_the_arcs(T, seed):
    end = ddim(guess, noise(400, seed, 2), torch.linspace(1, 0, T + 1).double(), cosine)[-1]
    return (torch.cdist(end, moons.mu).amin(dim=1) > 0.3).double().mean().item()    # three widths from both arcs

with claim_table():
    claim("Share of draws off both arcs with 3 steps, by seed", [off_the_arcs(3, s) for s in range(5)], above=0.12)
    claim("With 30 steps", [off_the_arcs(30, s) for s in range(5)], below=0.05)

# %% [markdown]
# ## Your turn
# In all four the schedule is variance preserving: $\sigma^2 = 1 - \alpha^2$.
#
# **1.** One ancestral step from $t$ to $s$, with the variance $\beta$.

# %% tags=["exercise"]
def ancestral_step(x_t, x_0_hat, alpha_t, alpha_s, z):
    """x_s [n, D] of noised points, guesses and standard normal noise z, all [n, D]; the alphas are floats."""
    ### BEGIN SOLUTION
    var_t, var_s = 1 - alpha_t**2, 1 - alpha_s**2
    beta = var_t - (alpha_t / alpha_s) ** 2 * var_s
    mean = alpha_t / alpha_s * var_s / var_t * x_t + alpha_s * beta / var_t * x_0_hat
    return mean + beta**0.5 * z
    ### END SOLUTION

# %%
check("11b.ancestral_step", ancestral_step)

# %% [markdown]
# **2.** One KL of the bound, for numbers: $D = 1$.

# %% tags=["exercise"]
def kl_term(error, alpha_t, alpha_s, v):
    """KL(q(x_s | x_t, x_0) ‖ N(a x_t + c x̂_0, v)) [n] of squared errors (x_0 − x̂_0)² [n]; the rest are floats."""
    ### BEGIN SOLUTION
    var_t, var_s = 1 - alpha_t**2, 1 - alpha_s**2
    beta = var_t - (alpha_t / alpha_s) ** 2 * var_s
    tilde, c = beta * var_s / var_t, alpha_s * beta / var_t
    return 0.5 * (np.log(v / tilde) + tilde / v - 1 + c**2 * error / v)
    ### END SOLUTION

# %%
check("11b.kl_term", kl_term)

# %% [markdown]
# **3.** One DDIM step of a network that names the noise.

# %% tags=["exercise"]
def ddim_step(x_t, eps_hat, alpha_t, alpha_s):
    """x_s [n, D] of noised points and predicted noise [n, D]; the alphas are floats."""
    ### BEGIN SOLUTION
    x_0 = (x_t - (1 - alpha_t**2) ** 0.5 * eps_hat) / alpha_t
    return alpha_s * x_0 + (1 - alpha_s**2) ** 0.5 * eps_hat
    ### END SOLUTION

# %%
check("11b.ddim_step", ddim_step)

# %% [markdown]
# **4.** One step of the reverse SDE, from $t$ to $t - h$, with $f = -\beta/2$ and $g^2 = \beta$.

# %% tags=["exercise"]
def reverse_step(x, score, beta, h, z):
    """x [n, D] a time h nearer to the data; the score there and standard normal noise z [n, D]; beta, h are floats."""
    ### BEGIN SOLUTION
    return x + h * (0.5 * beta * x + beta * score) + (beta * h) ** 0.5 * z
    ### END SOLUTION

# %%
check("11b.reverse_step", reverse_step)

# %% [markdown]
# ## What to keep
# - One $p_t$, three processes: the forward SDE; the probability-flow ODE, without dice; the reverse SDE, which is the ODE
#   and a step of Langevin.
# - A diffusion model is a latent-variable model with a fixed encoder. Its bound is a sum of closed-form KLs, and its gap falls as
#   $1/T$ if the variance is right.
# - Here dice won with few calls, Heun with many.
# - The perfect denoiser of a finite set copies it, and wins the Fréchet distance. What we want is an imperfect one.
#
# **Read on:**
#
# - B. Anderson, [*Reverse-time Diffusion Equation Models*](https://doi.org/10.1016/0304-4149%2882%2990051-5), Stochastic
#   Processes and their Applications 12 (1982).
# - J. Sohl-Dickstein et al., [*Deep Unsupervised Learning using Nonequilibrium
#   Thermodynamics*](https://arxiv.org/abs/1503.03585), ICML (2015).
# - R. Chen et al., [*Neural Ordinary Differential Equations*](https://arxiv.org/abs/1806.07366), NeurIPS (2018).
# - J. Ho, A. Jain, P. Abbeel, [*Denoising Diffusion Probabilistic Models*](https://arxiv.org/abs/2006.11239), NeurIPS
#   (2020).
# - Y. Song et al., [*Score-Based Generative Modeling through Stochastic Differential
#   Equations*](https://arxiv.org/abs/2011.13456), ICLR (2021).
# - J. Song, C. Meng, S. Ermon, [*Denoising Diffusion Implicit Models*](https://arxiv.org/abs/2010.02502), ICLR (2021).
# - D. Kingma, T. Salimans, B. Poole, J. Ho, [*Variational Diffusion Models*](https://arxiv.org/abs/2107.00630), NeurIPS
#   (2021).
# - F. Bao, C. Li, J. Zhu, B. Zhang, [*Analytic-DPM: an Analytic Estimate of the Optimal Reverse Variance in Diffusion
#   Probabilistic Models*](https://arxiv.org/abs/2201.06503), ICLR (2022).
# - T. Karras, M. Aittala, T. Aila, S. Laine, [*Elucidating the Design Space of Diffusion-Based Generative
#   Models*](https://arxiv.org/abs/2206.00364), NeurIPS (2022): Heun.
# - M. Kamb, S. Ganguli, [*An analytic theory of creativity in convolutional diffusion
#   models*](https://arxiv.org/abs/2412.20292), arXiv preprint (2024): what holds a network back from copying.
#
# **Next:** notebook 11c, the same ODE as a task of its own: learn the velocity, along straight ways.
