# %% [markdown]
# # 03b · Gradients and bounds from draws
#
# The ELBO is an average over $q$. A program averages a few draws, and must then climb.
# **Which way is up, and how far below log p(x) does the climb end?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | pick a gradient estimator by its variance, name the gaps below log p(x), and tighten a bound by weights |
# | You need | the ELBO of notebook 03, Gaussians in several dimensions |
# | Time | 30 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn.functional import logsigmoid

from course_lib.chapters.nb03b.plots import estimates, gap_maps, powers, proposal, running, two_gaussians
from course_lib.live import explore
from course_lib.measure import effective_sample_size, iw_bound
from course_lib.models.circle import Circle, Encoder
from course_lib.models.ppca import PPCA
from course_lib.plots import bars, curves, plane, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

def noise(*shape, seed=0):
    """Standard normal numbers: same seed, same numbers. In float64, so that an identity can be held to 1e-9."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)

def error_in_its_own_unit(values, truth):
    """How many standard errors the mean of `values` lies above the truth."""
    return (values.mean() - truth) / (values.std() / len(values) ** 0.5)

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two lessons: gradients up to *What can go wrong*, bounds from *A model without secrets* on. The
# first prediction divides a class well: most say ten. Behind the circle is the example to remember: every
# diagnostic is at its best there, and the answer is wrong. The proof of the order of the bounds fits on one board.

# %% [markdown]
# ## A gradient through an average
# A picture has $D$ pixels, all inked. Pixel $j$ has its own latent number $z_j$ and is inked with probability
# $\sigma(z_j)$, and $q(z) = \prod_j \mathcal{N}(z_j; \mu_j, s^2)$. The ELBO holds the average
# $F(\mu) = \mathbb{E}_q[f(z)]$ of $f(z) = \log p(x \mid z) = \sum_j \log \sigma(z_j)$. We want
# $\partial F / \partial \mu_1$.
#
# Each pixel adds its own term, so the exact answer is one integral over a line, whatever $D$ is. In code, `F` is the
# term of one pixel.

# %%
mu, s = torch.tensor(0.5, dtype=torch.float64), 1.0
z_grid = torch.linspace(-12, 12, 4_801, dtype=torch.float64)
dz = z_grid[1] - z_grid[0]

def F(mu):
    """E_q[log sigmoid(z)] by quadrature."""
    return (Normal(mu, s).log_prob(z_grid).exp() * logsigmoid(z_grid)).sum() * dz

exact = torch.func.grad(F)(mu)
claim("the exact gradient agrees with a finite difference", exact - (F(mu + 1e-4) - F(mu - 1e-4)) / 2e-4,
      near=0, within=1e-8)

# %% [markdown]
# **The score function** (REINFORCE). Differentiate the integral; $f$ does not contain $\mu_1$, $q$ does. Since
# $\partial q = q\, \partial \log q$, the derivative is an average over $q$ again, one that draws can estimate:
#
# $$\frac{\partial}{\partial \mu_1} \int q(z)\, f(z)\, dz
#   = \int q(z)\, f(z)\, \frac{\partial \log q(z)}{\partial \mu_1}\, dz
#   = \mathbb{E}_q\Bigl[f(z)\, \frac{z_1 - \mu_1}{s^2}\Bigr] .$$
#
# **Reparameterisation.** Move $\mu$ out of $q$ instead: $z_j = \mu_j + s\,\varepsilon_j$ with
# $\varepsilon_j \sim \mathcal{N}(0, 1)$. What is drawn no longer depends on $\mu$, so the derivative goes inside, and by
# the chain rule
#
# $$\frac{\partial}{\partial \mu_1}\, \mathbb{E}_\varepsilon[f(\mu + s\,\varepsilon)]
#   = \mathbb{E}_\varepsilon\Bigl[\frac{\partial f}{\partial z_1}(\mu + s\,\varepsilon)\Bigr] .$$
#
# The first needs only values of $f$. The second needs its slope.

# %%
def f(z):
    """log p(x | z) of a picture that is all ink: (n, D) to (n,)."""
    return logsigmoid(z).sum(dim=1)

def score_function(f, eps, baseline=0.0):
    """One estimate of the gradient by each mu_j from each draw, (n, D). The baseline is explained below."""
    return (f(mu + s * eps) - baseline)[:, None] * eps / s          # (z − mu)/s² = eps/s

def reparameterised(f, eps):
    """The same, through the draw: each z_j moves with its own mu_j, at rate 1."""
    z = (mu + s * eps).requires_grad_()
    return torch.autograd.grad(f(z).sum(), z)[0]

eps = noise(100_000, 3)
for name, values in (("score function", score_function(f, eps)), ("reparameterised", reparameterised(f, eps))):
    claim(f"{name}: unbiased, so its mean lies within 4 standard errors of the exact gradient",
          error_in_its_own_unit(values[:, 0], exact), near=0, within=4)

# %% [markdown]
# Both are right on average. Most programs take a single draw, so what counts is the variance. We can have it exactly,
# too: all but one of the $D$ terms of $f$ are independent of $z_1$, so only the mean and variance of their sum matter.

# %%
predict("03b.variance", "From 10 pixels to 100: how does the variance of the score-function estimate change?",
        options=["it stays", "ten times larger", "a hundred times larger"])

# %%
q, score = Normal(mu, s).log_prob(z_grid).exp(), (z_grid - mu) / s**2
g = logsigmoid(z_grid)

def average(values):
    """E_q of a function of one z, by quadrature."""
    return (q * values).sum() * dz

m_g, var_g = average(g), average(g**2) - average(g)**2

def exact_score_variance(D, baseline=0.0):
    """Of (f − baseline)·score for one pixel: the D − 1 others enter only by the mean and variance of their sum."""
    a, v = (D - 1) * m_g - baseline, (D - 1) * var_g
    return average(score**2 * (g**2 + 2 * a * g + a**2 + v)) - exact**2

# %%
sizes = [1, 3, 10, 30, 100, 300]
formula = {"score function": [exact_score_variance(D) for D in sizes],
           "score function, baseline": [exact_score_variance(D, D * m_g) for D in sizes],
           "reparameterised": [average(torch.sigmoid(-z_grid)**2) - exact**2] * len(sizes)}
measured = {name: [] for name in formula}
for D in sizes:
    eps = noise(10_000, D, seed=D)
    for values, seen in zip((score_function(f, eps), score_function(f, eps, D * m_g), reparameterised(f, eps)),
                            measured.values(), strict=True):
        seen.append(values[:, 0].var())

show(powers(sizes, formula, measured, title="The score function pays for every pixel, the slope only for its own",
            xlabel="pixels D", ylabel="variance of one estimate"),
     alt="Two logarithmic axes, exact lines and measured marks. From 10 pixels to 100 the variance is multiplied by " +
         ", ".join(f"{v[4] / v[2]:.3g} ({name})" for name, v in formula.items()))

# %%
ratio = formula["score function"][4] / formula["score function"][2]
reveal("03b.variance", ratio, lambda r: "a hundred times larger" if r > 30 else "ten times larger" if r > 3 else
       "it stays")
off = [abs(seen / true - 1) for name in formula for seen, true in zip(measured[name], formula[name], strict=True)]
claim("largest relative distance of a measured variance from the exact one", max(off), below=0.2)
claim("D = 100: variance of the score function over that of reparameterisation",
      formula["score function"][4] / formula["reparameterised"][4], near=84_400, within=1_000)

# %% [markdown]
# Why the square? The estimate multiplies the *whole* $f$, which grows like $D$, by the score of one pixel. The slope
# $\partial f / \partial z_1$ knows which pixel it belongs to. Only the dashed line is left to explain.
#
# ## A baseline
# A constant $b$ may be taken from $f$ for nothing, because the score has mean 0:
# $\int q\, \partial \log q = \int \partial q = \partial \int q = \partial 1 = 0$. With $b = \mathbb{E}[f]$ the product
# holds only what *varies* in $f$, which grows like $\sqrt{D}$, and the variance grows like $D$.

# %%
eps = noise(100_000, 10)
with_baseline = score_function(f, eps, baseline=10 * m_g)[:, 0]
claim("with a baseline, still unbiased: distance in standard errors", error_in_its_own_unit(with_baseline, exact),
      near=0, within=4)
claim("ten pixels: the baseline divides the variance by", formula["score function"][2] /
      formula["score function, baseline"][2], above=15)
claim("a hundred pixels: by", formula["score function"][4] / formula["score function, baseline"][4], above=150)

# %% [markdown]
# **Live.** Both estimators, a few thousand single draws each. Raise $D$. Switch the baseline on. Then make $q$ narrow,
# as a trained one often is: which estimate gets better, which worse, and where in the two formulas do you see it? Last,
# send the mean to 3, where $f$ is almost 0.

# %%
def two_estimators(D=10, mean=0.5, width=1.0, baseline=False):
    eps = noise(4_000, D)
    z = mean + width * eps
    value = f(z)                                # its mean as a baseline: with 4,000 draws the bias is negligible
    by_score = (value - (value.mean() if baseline else 0)) * eps[:, 0] / width
    by_slope = torch.sigmoid(-z[:, 0])                              # the derivative of log sigmoid(z)
    truth = (Normal(mean, width).log_prob(z_grid).exp() * torch.sigmoid(-z_grid)).sum() * dz
    return estimates({"score function": by_score, "reparameterised": by_slope}, float(truth),
                     title=f"Standard deviation: score function {by_score.std():.3g}, "
                           f"reparameterised {by_slope.std():.2g}", xlabel="one estimate of dF/dμ, from one draw")

explore(two_estimators, D=(1, 100, 1), mean=(-3.0, 3.0, 0.25), width=(0.25, 2.0, 0.25), baseline=False,
        labels={"D": "pixels D", "mean": "mean μ", "width": "width s"},
        alt="Histograms of single gradient estimates by both methods around the exact gradient")

# %% [markdown]
# In a narrow $q$ the slope hardly varies, while the score divides by $s$. At mean 3 even the bare score does well: it
# pays for the *size* of $f$, which is small there. A baseline makes $f$ look small everywhere.
#
# ## What can go wrong
# **A "true" gradient that is noise.** It is common to average a thousand draws and call the result the truth. Here is
# what that would be, for a hundred pixels.

# %%
thousand = score_function(f, noise(1_000, 100, seed=1))[:, 0]
claim("standard error of the average of a thousand draws, over the exact gradient",
      thousand.std() / 1_000**0.5 / exact, above=3)
claim("millions of draws for an error of one percent", exact_score_variance(100) / (0.01 * exact)**2 / 1e6, above=100)

# %% [markdown]
# **A function that jumps.** Let $f(z) = 1$ for $z > 0$ and 0 elsewhere: a classifier's decision, or a word that is
# chosen. Then $F(\mu)$ is the probability of $z > 0$, and its gradient the density of $q$ at 0.

# %%
predict("03b.step", "What does reparameterisation say the gradient is?",
        options=["the right value, with little noise", "the right value, with much noise", "0, always"])

# %%
def step(z):
    return (z > 0).double().sum(dim=1) + 0 * z.sum(dim=1)     # the 0 lets autograd through: its slope is 0

eps, truth = noise(100_000, 1), Normal(mu, s).log_prob(torch.zeros(1)).exp()
by_slope = reparameterised(step, eps)[:, 0]
def says(slope):
    """What these estimates are, by the answers that were offered."""
    unsure = slope["standard deviation"] > slope["exact"]
    return ("0, always" if slope["mean"] == slope["standard deviation"] == 0 else
            "the right value, with much noise" if unsure else "the right value, with little noise")

reveal("03b.step", {"mean": by_slope.mean(), "standard deviation": by_slope.std(), "exact": truth}, says)
claim("the exact gradient", truth, near=0.352, within=0.001)
claim("the score function: distance in standard errors", error_in_its_own_unit(score_function(step, eps)[:, 0], truth),
      near=0, within=4)

# %% [markdown]
# The derivation put a derivative inside the integral, and a jump forbids that. The score function differentiates
# $q$, which is smooth. And smooth is not enough for a low variance: let $f(z) = \cos \omega z$ wiggle faster and faster.

# %%
omegas = [0.5, 1, 2, 4, 8, 16]
wiggle = {"score function": [], "reparameterised": []}
for omega in omegas:
    true = average(torch.cos(omega * z_grid) * score)
    wiggle["score function"].append(average((torch.cos(omega * z_grid) * score)**2) - true**2)
    wiggle["reparameterised"].append(average((omega * torch.sin(omega * z_grid))**2) - true**2)

def cosine(omega):
    return lambda z: torch.cos(omega * z).sum(dim=1)

eps = noise(10_000, 1, seed=2)
seen = {"score function": [score_function(cosine(omega), eps).var() for omega in omegas],
        "reparameterised": [reparameterised(cosine(omega), eps).var() for omega in omegas]}
show(powers(omegas, wiggle, seen, title="On a wiggly function the slope is the worse guide",
            xlabel="frequency ω of cos ωz", ylabel="variance of one estimate"),
     alt="Two logarithmic axes, exact lines and measured marks. From the lowest frequency to the highest the variance "
         "goes " + ", ".join(f"from {v[0]:.2g} to {v[-1]:.3g} ({name})" for name, v in wiggle.items()))
claim("at the fastest wiggle: reparameterised variance over the score function's",
      wiggle["reparameterised"][-1] / wiggle["score function"][-1], near=256, within=3)

# %% [markdown]
# So "reparameterisation has the lower variance" is a habit of slowly varying $f$ in many dimensions, not a theorem. Nor
# is $\mathbb{E}[f]$ the best baseline: it is a good one where $f$ hardly knows the score, and can even hurt.

# %%
cosine_mean, cosine_slope = average(torch.cos(z_grid)), average(torch.cos(z_grid) * score)
without = average((torch.cos(z_grid) * score)**2) - cosine_slope**2
subtracted = average(((torch.cos(z_grid) - cosine_mean) * score)**2) - cosine_slope**2
claim("cos z: variance of the score function without a baseline", without, near=0.306, within=0.002)
claim("with the baseline E[f]", subtracted, near=0.589, within=0.002)

# %% [markdown]#
# ## A model without secrets
# How far below $\log p(x)$ does the climb end? We need models whose $\log p(x)$ is known. In **probabilistic PCA** a
# linear map and noise make $x$ from $z$:
#
# $$z \sim \mathcal{N}(0, I), \qquad x = W z + \mu + \text{noise}, \quad \text{noise} \sim \mathcal{N}(0, \sigma^2 I) .$$
#
# Sums of Gaussians are Gaussian, and covariances of independent parts add up: $x \sim \mathcal{N}(\mu, C)$ with
# $C = W W^\top + \sigma^2 I$. For the posterior, collect in $\log p(x, z)$ what depends on $z$:
#
# $$-\tfrac{1}{2\sigma^2} \lVert x - \mu - W z \rVert^2 - \tfrac12 \lVert z \rVert^2
#   = -\tfrac{1}{2\sigma^2}\, z^\top M z + \tfrac{1}{\sigma^2}\, z^\top W^\top (x - \mu) + \dots,
#   \quad M = W^\top W + \sigma^2 I .$$
#
# That is a Gaussian in $z$: covariance $\sigma^2 M^{-1}$, the same for every $x$; mean $M^{-1} W^\top (x - \mu)$, affine
# in $x$.

# %%
rng = seeded(2)
stretch = torch.tensor([2.0, 0.7], dtype=torch.float64)
world = PPCA(noise(5, 2, seed=2) * stretch, noise(5, seed=3), 0.5)
x, _ = world.sample(500, rng)
model = PPCA.fit(x, d=2)                                    # maximum likelihood, in closed form

C = model.W @ model.W.T + model.sigma2 * torch.eye(5, dtype=torch.float64)
M = model.W.T @ model.W + model.sigma2 * torch.eye(2, dtype=torch.float64)
log_p = MultivariateNormal(model.mu, C).log_prob(x)
mean, covariance = (x - model.mu) @ model.W @ torch.linalg.inv(M), model.sigma2 * torch.linalg.inv(M)

claim("log p(x): largest distance to the library's", (log_p - model.log_prob(x)).abs().max(), below=1e-9)
claim("posterior: largest distance to the library's", max((a - b).abs().max() for a, b in zip(
    (mean, covariance), model.posterior(x), strict=True)), below=1e-9)
scikit = torch.tensor(PCA(2).fit(x.numpy()).get_covariance()) * 499 / 500       # it divides by n − 1
claim("C: largest distance to scikit-learn's", (C - scikit).abs().max(), below=1e-9)

# %%
show_source(PPCA.elbo)

# %% [markdown]
# For $q = \mathcal{N}(m, S)$ the ELBO has a closed form, above. It needs an average square, and a KL to the prior:
#
# $$\mathbb{E}_q \lVert x - \mu - W z \rVert^2 = \lVert x - \mu - W m \rVert^2 + \mathrm{tr}(W S W^\top), \qquad
#   \mathrm{KL}(q \,\|\, p(z)) = \tfrac12 \bigl(\mathrm{tr}\, S + \lVert m \rVert^2 - d - \log \det S\bigr) .$$
#
# Notebook 03 proved
# $\log p(x) = \text{ELBO} + \mathrm{KL}(q \,\|\, p(z \mid x))$. Now every number in it is exact.

# %%
touch = (log_p - model.elbo(x, mean, covariance)).abs().max()
claim("q is the posterior: the ELBO touches log p(x), distance", touch, below=1e-9)

root = noise(2, 2, seed=4)
m_any, S_any = mean + noise(500, 2, seed=5), root @ root.T + 0.1 * torch.eye(2)
gap = log_p - model.elbo(x, m_any, S_any)
kl = kl_divergence(MultivariateNormal(m_any, S_any), MultivariateNormal(mean, covariance))
claim("some other q: its average gap in nats", gap, above=20)
claim("the gap minus the KL, largest over 500 points", (gap - kl).abs().max(), below=1e-9)

# %% [markdown]
# ## Two reasons to stay below
# Most VAEs take a $q$ with **independent** coordinates. Turn the latent plane by an angle: $W$ becomes $W R$, and
# $W R R^\top W^\top = W W^\top$, so no $p(x)$ changes. But the posterior turns, and its coordinates become correlated.
# Which $q$ with independent coordinates of variances $v_j$ is best? Its mean is the posterior's. With the **precision**
# $\Lambda$, the inverse of the posterior's covariance,
#
# $$\mathrm{KL} = \tfrac12 \sum_j (\Lambda_{jj} v_j - \log v_j) + \text{const}, \quad \text{so} \quad
#   v_j = 1 / \Lambda_{jj} .$$
#
# `PPCA.fit` returns orthogonal columns of $W$, so $M$ is diagonal, and the gap 0, until we turn it. Turn it:

# %%
def turned(angle):
    """The same model in turned latent coordinates; its posterior at x, and the best independent q."""
    t = math.radians(angle)
    R = torch.tensor([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]], dtype=torch.float64)
    turned_model = PPCA(model.W @ R, model.mu, model.sigma2)
    mean, covariance = turned_model.posterior(x)
    independent = torch.diag(1 / torch.linalg.inv(covariance).diagonal())
    return turned_model, mean, covariance, independent

def draw_turned(angle=0):
    turned_model, mean, covariance, independent = turned(angle)
    log_p, bound = turned_model.log_prob(x[:1]), turned_model.elbo(x[:1], mean[:1], independent)
    return two_gaussians({"posterior": (mean[0], covariance), "best independent q": (mean[0], independent)},
                         title=f"log p(x) {log_p.item():.3f}, best bound {bound.item():.3f}", limit=1.4)

explore(draw_turned, angle=(0, 90, 5), labels={"angle": "angle in degrees"},
        alt="Ellipses of the posterior and of the best q with independent coordinates, in the latent plane")

# %%
turned_model, mean_t, covariance_t, independent = turned(45)
precision = torch.linalg.inv(covariance_t)
by_formula = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
gap = turned_model.log_prob(x) - turned_model.elbo(x, mean_t, independent)
claim("turning changes no log p(x): largest change", (turned_model.log_prob(x) - log_p).abs().max(), below=1e-9)
claim("at 45 degrees the best independent q stays below by, in nats", gap.mean(), above=0.05)
claim("which is half of (sum of log diagonal precisions - log determinant), to", (gap - by_formula).abs().max(),
      below=1e-9)

# %% [markdown]
# This is the **approximation gap**: the family holds nothing better than $q^*$, its best $q$ for this $x$. The second
# reason is that nobody searches $q^*$ for each $x$ anew. One network, the encoder, with weights $\phi$, gives a $q_\phi$
# for every $x$, and what that loses against $q^*$ is the **amortisation gap**, named by Cremer et al. (2018):
#
# $$\log p(x) - \mathcal{L}(q_\phi)
#   = \underbrace{\log p(x) - \mathcal{L}(q^*)}_{\text{approximation}}
#   + \underbrace{\mathcal{L}(q^*) - \mathcal{L}(q_\phi)}_{\text{amortisation}} .$$
#
# What the encoder failed to learn from its training points counts into the second. In this model the best mean is
# affine in $x$, and the covariance constant. So an affine encoder loses nothing. We
# *train* one, and ask it about points it has never seen.

# %%
A, b, L = (torch.zeros(2, 5, dtype=torch.float64, requires_grad=True),
           torch.zeros(2, dtype=torch.float64, requires_grad=True), torch.eye(2, dtype=torch.float64).requires_grad_())
optimizer = torch.optim.LBFGS([A, b, L], max_iter=500, tolerance_grad=1e-11, tolerance_change=0,
                              line_search_fn="strong_wolfe")

def loss():
    optimizer.zero_grad()
    cost = -model.elbo(x, x @ A.T + b, L @ L.T).mean()
    cost.backward()
    return cost

optimizer.step(loss)
x_new, _ = world.sample(500, rng)
gap = (model.log_prob(x_new) - model.elbo(x_new, x_new @ A.T + b, L @ L.T)).detach()
claim("a trained affine encoder on new points: largest of both gaps together", gap.max(), below=1e-6)

# %% [markdown]
# ## Bend the line
# Now a model with one curve in it: $z \sim \mathcal{N}(0, 1)$ is an angle, and
# $x = (\cos 2z, \sin 2z) + \text{noise}$. The angle is $2z$; the noise has standard deviation $\sigma = 2/5$. One latent number, so quadrature gives $\log p(x)$; and for
# $q = \mathcal{N}(m, s^2)$ the ELBO has a closed form, since $\mathbb{E}_q[\cos 2z] = e^{-2 s^2} \cos 2m$. At the back of
# the circle, $(-1, 0)$, $z = \pi/2$ and $z = -\pi/2$ land on the same point: either sign of $z$ explains $x$, and $q$
# can have only one. `best_gaussian` searches $q^*$: on a grid of $m$ and $s$, then on finer ones around the best.

# %%
circle = Circle()
x_train, _ = circle.sample(1_000, seeded())
x_test, _ = circle.sample(2_000, seeded(1))
best = circle.elbo(x_test, *circle.best_gaussian(x_test))
approximation = circle.log_prob(x_test) - best

def train_encoder(hidden, steps=1_000):
    """An encoder trained on the exact ELBO of the training points: no draws, so no noise to blame."""
    encoder = Encoder(hidden, seeded()).double()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = -circle.elbo(x_train, *encoder(x_train)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return encoder.requires_grad_(False)

# %%
encoders = {"affine": train_encoder(()), "8 hidden": train_encoder((8,)), "32 + 32 hidden": train_encoder((32, 32))}
amortisation = {name: best - circle.elbo(x_test, *encoder(x_test)) for name, encoder in encoders.items()}
show(bars(list(encoders), {"approximation gap": [approximation.mean().item()] * 3,
                           "amortisation gap": [a.mean().item() for a in amortisation.values()]},
          title="A larger encoder closes one of the gaps, not the other", xlabel="encoder",
          ylabel="mean over new points, nats"),
     alt=f"Three pairs of bars. The approximation gap is {approximation.mean():.2f} nats for all encoders; the "
         "amortisation gap: " + ", ".join(f"{a.mean():.2f} ({name})" for name, a in amortisation.items()))

# %%
claim("mean approximation gap", approximation.mean(), near=0.145, within=0.02)
claim("mean amortisation gap, affine encoder", amortisation["affine"].mean(), above=1)
claim("with 8 hidden units", amortisation["8 hidden"].mean(), above=0.2, below=0.7)
claim("with two layers of 32", amortisation["32 + 32 hidden"].mean(), below=0.15)
claim("point by point, what the affine encoder loses more than 8 hidden units",
      amortisation["affine"] - amortisation["8 hidden"], above=1)
claim("and 8 hidden units more than two layers", amortisation["8 hidden"] - amortisation["32 + 32 hidden"], above=0.1)
claim("no gap is negative: the smallest", min(a.min() for a in (approximation, *amortisation.values())), above=-1e-9)

# %%
axis, grid = plane(2, 41)
grid = torch.tensor(grid)
m_grid, s_grid = circle.best_gaussian(grid)
best_grid = circle.elbo(grid, m_grid, s_grid)
show(gap_maps(axis, {"approximation gap": circle.log_prob(grid) - best_grid,
                     "amortisation gap, 32 + 32": best_grid - circle.elbo(grid, *encoders["32 + 32 hidden"](grid))},
              title="Both gaps are largest behind the centre", high=0.8),
     alt="Two maps of the plane with the circle dotted: left the approximation gap, right the amortisation gap of the "
         "largest encoder, both in nats")

amortised = amortisation["32 + 32 hidden"].sort(descending=True).values
claim("the largest amortisation gap of a new point, far beyond the colours, in nats", amortised[0], above=5)
claim("share of the mean that one point in fifty accounts for", amortised[:40].sum() / amortised.sum(), above=0.7)

# %%
behind = torch.tensor([[-1.0, 0.0]], dtype=torch.float64)
q_behind = circle.best_gaussian(behind)
claim("approximation gap at (-1, 0)", circle.log_prob(behind) - circle.elbo(behind, *q_behind), near=math.log(2),
      within=0.005)

# %% [markdown]
# The white line marks half of the scale, and what lies beyond the scale has the last colour: the mean amortisation gap
# comes from few points. Two equal peaks, and $q$ covers one: half of the posterior is missing, which costs $\log 2$. There too the best $m$
# jumps from one sign to the other, and a smooth network cannot jump: it must pass through values that suit nobody.

# %% [markdown]
# ## Many draws for one bound
# A draw $z \sim q$ carries the **weight** $w = p(x, z) / q(z \mid x)$. Its average is
# $\mathbb{E}_q[w] = \int q\, \frac{p(x, z)}{q}\, dz = p(x)$. The ELBO is the average of $\log w$. Burda et al. (2016)
# take the logarithm later:
#
# $$\mathcal{L}_k = \mathbb{E}\Bigl[\log \frac{w_1 + \dots + w_k}{k}\Bigr] \le \log p(x), \qquad
#   \mathcal{L}_1 = \text{ELBO} .$$
#
# If $q > 0$ wherever the posterior is, then $\mathcal{L}_k \to \log p(x)$ as $k \to \infty$. Burda et al. prove it for
# bounded weights. A finite ELBO is enough: averages of $w$ tend to $p(x)$ by the law of large numbers, so their logs tend
# to $\log p(x)$. And these logs cannot spoil their mean by rare, very low values, for they lie above the averages of
# $\log w$, which settle at the ELBO. We estimate $\mathbb{E}$ from one set of draws, cut into groups of $k$, and write
# $\hat{\mathcal{L}}_k$ for the estimate.

# %%
predict("03b.order", "Estimated from one and the same set of 50 draws, which inequality can fail?",
        options=["L̂_1 ≤ L̂_5", "L̂_5 ≤ L̂_50", "L̂_50 ≤ log p(x)", "none"])

# %% [markdown]
# The logarithm is concave, so the log of an average is at least the average of the logs (Jensen). Cut fifty draws into
# groups of five: the log of the average over all is the log of the average of ten group averages. Jensen once: it is
# at least the average of the ten logs. Jensen within each group: that is at least the average of all the logs. So for
# *these very draws* $\hat{\mathcal{L}}_1 \le \hat{\mathcal{L}}_5 \le \hat{\mathcal{L}}_{50}$, without luck. The last step, to
# $\log p(x) = \log \mathbb{E}[w]$, is Jensen for the expectation: $\mathcal{L}_{50}$ obeys it, its estimate only on
# average.

# %%
x_inside = torch.tensor([[0.3, 0.2]], dtype=torch.float64)
log_p_inside = circle.log_prob(x_inside)

def log_weights(x, m, s, draws, repeats, seed=0):
    """log p(x, z) − log q(z), shape (draws, repeats), at one point x and for z from q = N(m, s²)."""
    z = m + s * noise(draws, repeats, seed=seed)
    return circle.log_joint(x.expand(repeats, 2), z) - Normal(m, s).log_prob(z)

log_w = log_weights(x_inside, torch.zeros(1), torch.ones(1), 50, 20_000)     # q is the prior: the laziest encoder
L_1 = log_w.mean(dim=0)
L_5 = (log_w.reshape(10, 5, 20_000).logsumexp(dim=1) - math.log(5)).mean(dim=0)
L_50 = log_w.logsumexp(dim=0) - math.log(50)

# %%
by_hand = {1: L_1, 5: L_5, 50: L_50}
claim("the library regroups in the same way", max((iw_bound(log_w, k) - L).abs().max() for k, L in by_hand.items()),
      below=1e-12)
claim("in each of 20,000 repetitions L̂_1 ≤ L̂_5 ≤ L̂_50",
      bool(((L_1 <= L_5 + 1e-12) & (L_5 <= L_50 + 1e-12)).all()))
too_high = (L_50 - log_p_inside > 0).double().mean()
fails = {"L̂_1 ≤ L̂_5": (L_1 > L_5 + 1e-12).double().mean(), "L̂_5 ≤ L̂_50": (L_5 > L_50 + 1e-12).double().mean(),
         "L̂_50 ≤ log p(x)": too_high}
reveal("03b.order", fails, lambda shares: max(shares, key=shares.get) if max(shares.values()) > 0 else "none")
claim("how often L̂_50 lies above log p(x)", too_high, above=0.2, below=0.8)
claim("but not on average: mean of L̂_50 less log p(x), in standard errors",
      error_in_its_own_unit(L_50, log_p_inside), below=-2)
claim("mean of L̂_1 less the exact ELBO, in standard errors",
      error_in_its_own_unit(L_1, circle.elbo(x_inside, torch.zeros(1), torch.ones(1))), near=0, within=4)

# %% [markdown]
# How fast does it rise? Write an average of $k$ weights as $p(x)(1 + \delta)$. Then
# $\log(1 + \delta) \approx \delta - \delta^2/2$, and the mean of $\delta$ is 0: the gap is about half the variance of
# $\delta$, that is $\mathrm{Var}(w)/(2k\,p(x)^2)$. Quadrature knows that variance.

# %%
z_line = torch.linspace(-9, 9, 3_601, dtype=torch.float64)[:, None]
posterior = (circle.log_joint(x_inside, z_line) - log_p_inside).exp()[:, 0]
prior = Normal(0.0, 1.0).log_prob(z_line)[:, 0].exp()
variance = (posterior**2 / prior).sum() * (z_line[1, 0] - z_line[0, 0]) - 1          # Var(w)/p(x)²
ks = [1, 2, 5, 10, 25, 50]
bound = [iw_bound(log_w, k).mean() for k in ks]
lines = {"$\\hat{\\mathcal{L}}_k$, mean of all repetitions": bound,
         "$\\log p(x) - \\mathrm{Var}(w) / (2k\\,p(x)^2)$": [log_p_inside - variance / 2 / k for k in ks],
         "$\\log p(x)$, exact": [log_p_inside.item()] * len(ks)}
show(curves(ks, lines, log_x=True, title="The bound climbs towards log p(x)", xlabel="draws k in each group",
            ylabel="nats"),
     alt="Over k, the mean of L̂_k, the curve log p minus variance over 2k, the line of log p(x). The mean goes from "
         f"{bound[0]:.2f} to {bound[-1]:.2f}, log p(x) is {log_p_inside.item():.2f}")
claim("k = 50: the gap, over Var/(2k), in each repetition", (log_p_inside - iw_bound(log_w, 50)) / (variance / 100),
      near=1, within=0.5)

# %% [markdown]
# **Live.** Choose a place for $x$, move and stretch $q$, and raise $k$. Find a $q$ whose estimates are narrow, and wrong.

# %%
places = {"inside": (0.3, 0.2), "in front": (1.0, 0.0), "behind": (-1.0, 0.0)}

def weigh(place="inside", m=0.0, s=1.0, k=5):
    x = torch.tensor([places[place]], dtype=torch.float64)
    log_w, log_p = log_weights(x, torch.tensor([m]), torch.tensor([s]), k, 1_000), circle.log_prob(x)
    z = torch.linspace(-3.5, 3.5, 281, dtype=torch.float64)
    values = iw_bound(log_w, k)
    return proposal(z, (circle.log_joint(x, z[:, None]) - log_p)[:, 0].exp(), Normal(m, s).log_prob(z).exp(),
                    values, log_p.item(), value_label=f"log of an average of {k} weights",
                    title=f"Mean of $\\hat{{\\mathcal{{L}}}}_{{{k}}}$ {values.mean():.2f}, log p(x) {log_p.item():.2f}"
                          f"; effective sample size {effective_sample_size(log_w).mean():.1f} of {k}")

explore(weigh, place=list(places), m=(-3.0, 3.0, 0.1), s=(0.1, 1.5, 0.05), k=(1, 50, 1),
        labels={"place": "place of x", "m": "mean m of q", "s": "width s of q", "k": "draws k"},
        alt="Left the posterior and q, right the histogram of estimates with log p(x)")

# %% [markdown]
# ## Break it: settled, and wrong
# The **effective sample size** $(\sum w)^2 / \sum w^2$ says how many equal weights would be as good. Two ways to fool
# yourself:
#
# - $q$ too **narrow**. Take $\mathcal{N}(0, I)$ as the posterior and $q = \mathcal{N}(0, r^2 I)$. Then
#   $\mathbb{E}_q[w^2] \propto \int e^{-z^2 + z^2 / (2 r^2)}\, dz$, which is infinite unless $r^2 > \tfrac12$, so the law
#   $\mathrm{Var}/(2k)$ does not hold here.
# - $q$ on **one peak**: the best Gaussian behind the circle.

# %%
predict("03b.settled", "Behind the circle, 20,000 draws from the best Gaussian: how many nats below log p(x) is the "
        "estimate?", low=0, high=2)

# %%
n = 20_000
draws = np.unique(np.geomspace(10, n, 120).astype(int))

def estimate_so_far(log_w):
    """log of the average weight after each number of draws, (repeats, len(draws)), from log weights (n, repeats)."""
    return (log_w.logcumsumexp(dim=0)[draws - 1].T - torch.tensor(draws).log())

def narrow(r, d, seed):
    eps = noise(n, d, seed=seed)                          # z = r·eps, and log w relative to log p(x)
    return (0.5 * eps**2 - 0.5 * (r * eps)**2 + math.log(r)).sum(dim=1)

too_narrow = torch.stack([narrow(0.5, 20, seed) for seed in range(4)], dim=1)
one_peak = log_weights(behind, *q_behind, n, 4) - circle.log_prob(behind)

# %% [markdown]
# **Repair.** Take half of the draws from the prior: $q_\text{safe} = \tfrac12 q + \tfrac12 p(z)$. Then
# $w \le 2 \max_z p(x \mid z)$: every weight is bounded, and no peak that the prior knows is left out. With one latent
# number that is enough.

# %%
from_prior = noise(n, 4, seed=6)
z = torch.where(torch.arange(n)[:, None] % 2 == 0, from_prior, q_behind[0] + q_behind[1] * noise(n, 4, seed=7))
log_q = torch.logaddexp(Normal(*q_behind).log_prob(z), Normal(0.0, 1.0).log_prob(z)) - math.log(2)
repaired = circle.log_joint(behind.expand(4, 2), z) - log_q - circle.log_prob(behind)

show(running(draws, {"too narrow, 20 dimensions": estimate_so_far(too_narrow), "one of two peaks":
                     estimate_so_far(one_peak), "half from the prior": estimate_so_far(repaired)},
             title="Bounded weights settle at the truth, in one dimension", ylabel="estimate - log p(x), nats",
             limit=6),
     alt="Four runs each of three proposals over the draws, estimate less log p(x). The last estimates of the four: " +
         "; ".join(f"{name}, {', '.join(f'{e:.2f}' for e in last)}" for name, last in (
             ("too narrow", estimate_so_far(too_narrow)[:, -1]), ("one peak", estimate_so_far(one_peak)[:, -1]),
             ("half from the prior", estimate_so_far(repaired)[:, -1]))))

# %%
reveal("03b.settled", -estimate_so_far(one_peak)[:, -1].mean())
claim("one peak: the four runs stay below log p(x) by log 2, up to",
      (estimate_so_far(one_peak)[:, -1] + math.log(2)).abs().max(), below=0.02)
claim("while its effective sample size, as a share of the draws, is", effective_sample_size(one_peak).min() / n,
      above=0.95)
claim("the other peak is this many standard deviations of q away", 2 * abs(q_behind[0]) / q_behind[1], above=12)
far = torch.tensor([[-12.0]], dtype=torch.float64)
claim("log w at z = -12, on the side where q is not", circle.log_joint(behind, far) - Normal(*q_behind).log_prob(far),
      above=1_000)
claim("too narrow: effective share of the draws, the largest of four runs", effective_sample_size(too_narrow).max() / n,
      below=0.05)
claim("too narrow: mean of L̂_50", iw_bound(too_narrow, 50).mean(), below=-2)
claim("repaired: the worst of four runs", estimate_so_far(repaired)[:, -1].abs().max(), below=0.1)

# %% [markdown]
# Too narrow: every draw misses the tails, until one lands there and outweighs thousands. The estimate jumps, then
# sinks again as the others dilute it. The alarm works: the effective sample size is next to nothing. One peak: no
# jump, no spread, no alarm.
#
# A small effective sample size is an alarm; a large one is no proof. It compares the draws you have, and says nothing
# about places where $q$ hardly ever goes. $\mathcal{L}_k$ does reach $\log p(x)$ in the end; that the weights of this $q$
# have no bound does not matter for that. But here the end is farther away than any computer.
#
# And the repair? Add nine latent numbers, each seen directly, with little noise. For these $q$ is the exact posterior.
# The weights are as bounded as before.

# %%
others, width = 9, math.sqrt(0.1**2 / (1 + 0.1**2))                    # x_j = z_j + 0.1·noise; we see x_j = 0
seen = Normal(0.0, math.sqrt(1 + 0.1**2)).log_prob(torch.zeros(1)) * others      # log p of these x_j
silent = []
for seed in range(4):
    first, rest = noise(n, 2, seed=20 + seed), noise(n, others, seed=30 + seed)
    half = torch.arange(n) % 2 == 0                                     # these rows come from the prior
    z1 = torch.where(half, first[:, 0], q_behind[0] + q_behind[1] * first[:, 1])
    z_rest = torch.where(half[:, None], rest, width * rest)
    log_prior = Normal(0.0, 1.0).log_prob(z1) + Normal(0.0, 1.0).log_prob(z_rest).sum(dim=1)
    log_best = Normal(*q_behind).log_prob(z1) + Normal(0.0, width).log_prob(z_rest).sum(dim=1)
    log_joint = circle.log_joint(behind.expand(n, 2), z1) + (
        Normal(0.0, 1.0).log_prob(z_rest) + Normal(z_rest, 0.1).log_prob(torch.zeros(1))).sum(dim=1)
    log_safe = torch.logaddexp(log_best, log_prior) - math.log(2)
    silent.append(log_joint - log_safe - circle.log_prob(behind) - seen)
silent = torch.stack(silent, dim=1)
claim("ten latent numbers, repaired: the four runs miss log p(x) by log 2, up to",
      (estimate_so_far(silent)[:, -1] + math.log(2)).abs().max(), below=0.03)
claim("effective share of the draws, the smallest of four runs: no alarm", effective_sample_size(silent).min() / n,
      above=0.4)

# %% [markdown]
# In ten dimensions prior draws no longer find the other peak, and the silence returns. That half of the weights are next
# to nothing is what you would expect of the prior's half. A bound on the weights is worth something only where
# $\max_z p(x \mid z)$ is not far above $p(x)$.

# %% [markdown]
# ## Your turn
# **1.** Reparameterise: turn standard normal numbers `eps` into draws of $q = \prod_j \mathcal{N}(m_j, s_j^2)$ and give
# $\log q(z)$ with them. Networks output $\log s$, so that $s$ is positive.

# %% tags=["exercise"]
def draw_q(m, log_s, eps):
    """z, shape (draws, n, d), and log q(z), shape (draws, n). m and log_s: (n, d); eps: (draws, n, d)."""
    ### BEGIN SOLUTION
    z = m + log_s.exp() * eps
    log_q = -0.5 * eps**2 - log_s - 0.5 * math.log(2 * math.pi)
    return z, log_q.sum(dim=2)
    ### END SOLUTION

# %%
check("03b.draw_q", draw_q)

# %% [markdown]
# **2.** Where $\mathbb{E}[f]$ is unknown, the other draws can stand in for it: for draw $i$ take the mean of $f$ over
# all draws *but* $i$ as its baseline. (With $i$ itself the baseline would depend on $z_i$, and bias the estimate.) There are
# $n \ge 2$ draws.

# %% tags=["exercise"]
def leave_one_out(f, score):
    """The score-function gradient, a 0-d tensor, averaged over draws. f and score: shape (n,), one entry a draw."""
    ### BEGIN SOLUTION
    n = len(f)
    others = (f.sum() - f) / (n - 1)
    return ((f - others) * score).mean()
    ### END SOLUTION

# %%
check("03b.leave_one_out", leave_one_out)

# %% [markdown]
# **3.** Any quantity `h` of known mean 0 is a **control variate**: $g - c\,h$ has the mean of $g$ for every number $c$.
# A baseline is one: $h$ is the score, and $c = b$. The variance is
# $\mathrm{Var}(g) - 2c\,\mathrm{Cov}(g, h) + c^2\,\mathrm{Var}(h)$. Use the best $c$, with the sample covariance and
# variance. (Estimating $c$ from the same draws costs a bias of order $1/n$; here we accept it.)

# %% tags=["exercise"]
def control_variate(g, h):
    """The corrected estimates g − c·h, shape (n,), with the c of least variance. g and h: shape (n,)."""
    ### BEGIN SOLUTION
    g_rest, h_rest = g - g.mean(), h - h.mean()
    return g - (g_rest * h_rest).mean() / (h_rest**2).mean() * h
    ### END SOLUTION

# %%
check("03b.control_variate", control_variate)

# %% [markdown]
# **4.** Estimate $\mathcal{L}_k$, in groups of `k` consecutive draws. Expect log weights like $-1000$.

# %% tags=["exercise"]
def weighted_bound(log_w, k):
    """An estimate of L_k for each column, shape (n,). log_w: (draws, n), where k divides draws."""
    ### BEGIN SOLUTION
    draws, n = log_w.shape
    groups = log_w.reshape(draws // k, k, n)
    return (groups.logsumexp(dim=1) - math.log(k)).mean(dim=0)
    ### END SOLUTION

# %%
check("03b.weighted_bound", weighted_bound)

# %% [markdown]
# ## What to keep
# - Score function and reparameterisation both point the right way on average. With many dimensions and a slowly varying
#   $f$ reparameterise; where $f$ jumps, take the score function and a baseline.
# - Below $\log p(x)$ lie two gaps: the family of $q$ is too poor, and the encoder is not the best of the family.
# - Averaging $k$ weights before the logarithm lifts the bound. Where $q$ hardly ever goes, no $k$ that you
#   can afford helps.
#
# **Read on:**
#
# - D. Kingma, M. Welling, [*Auto-Encoding Variational Bayes*](https://arxiv.org/abs/1312.6114), ICLR (2014).
# - R. Williams, [*Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
#   Learning*](https://doi.org/10.1007/BF00992696), Machine Learning 8 (1992).
# - S. Mohamed et al., [*Monte Carlo Gradient Estimation in Machine Learning*](https://arxiv.org/abs/1906.10652), JMLR
#   21 (2020).
# - M. Tipping, C. Bishop, [*Probabilistic Principal Component Analysis*](https://doi.org/10.1111/1467-9868.00196),
#   Journal of the Royal Statistical Society B 61 (1999).
# - C. Cremer, X. Li, D. Duvenaud, [*Inference Suboptimality in Variational
#   Autoencoders*](https://arxiv.org/abs/1801.03558), ICML (2018).
# - Y. Burda, R. Grosse, R. Salakhutdinov, [*Importance Weighted Autoencoders*](https://arxiv.org/abs/1509.00519), ICLR
#   (2016).
# - T. Rainforth et al., [*Tighter Variational Bounds Are Not Necessarily Better*](https://arxiv.org/abs/1802.04537),
#   ICML (2018).
#
# **Next:** notebook 04, the variational autoencoder: one encoder, one decoder, trained together on digits by what you have here.
