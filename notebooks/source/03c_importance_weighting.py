# %% [markdown]
# # 03c · Importance weighting: gaps and tighter bounds
#
# A VAE climbs the ELBO in the place of $\log p(x)$, the log marginal likelihood.
# **How far below log p(x) does the climb end, and what do more draws buy?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | name the gaps below $\log p(x)$, tighten a bound by importance weights, and doubt a calm estimate |
# | You need | the ELBO of notebook 03, estimators from draws (notebook 03b), Gaussians in several dimensions |
# | Time | 20 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.nn.functional import logsigmoid

from course_lib.chapters.nb03c.plots import gap_maps, proposal, running, two_gaussians
from course_lib.live import explore
from course_lib.measure import effective_sample_size, iw_bound, ratio_moments
from course_lib.models.circle import Circle, Encoder
from course_lib.models.ppca import PPCA
from course_lib.plots import bars, curves, plane, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

def noise(*shape, seed=0):
    """Standard normal numbers: same seed, same numbers. In float64, so that an identity can be held to 1e-9."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)

# %% [markdown] tags=["teacher"]
# **For the teacher.** One long lesson, or two with a break before *Importance weights*. Behind the circle is the
# example to remember: every diagnostic is at its best there, and the answer is wrong. The proof of the order of the
# bounds fits on one board.
#
# - **Prepare.** Try the picture behind the circle once: how sure everything looks.
# - **Approximation gap and amortisation gap.** Two arrows on the board, from log p(x) down to the best q of the
#   family, and from there to the encoder's q.
# - **Importance weights: many draws for one bound.** On the board: the mean of the weights is unbiased, Jensen does
#   the rest; then why more draws never lower it.
# - **03c.order.** “none”, for all three are proved. They are proved of means; which of them holds within one set of
#   draws?
# - **03c.settled.** nearly 0: nothing warns. What can a q know that never draws on the other side?
# - **03c.climb.** all of it. To which maximum does a climb lead?
# - **03c.noise.** “it rises”: a tighter bound is taken for a better one. Better for θ; for the encoder its signal
#   dies first.

# %% [markdown]
# ## Probabilistic PCA: a model with a known marginal likelihood
# To see how far a bound stays below $\log p(x)$ we need models whose $\log p(x)$ is known. In **probabilistic PCA** a
# linear map and **isotropic** noise (the same variance in every direction, none correlated) make $x$ from the latent
# variable $z$:
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
# That is a Gaussian in $z$: covariance $\sigma^2 M^{-1}$, the same for every $x$; mean $M^{-1} W^\top (x - \mu)$,
# affine in $x$.

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

scikit = torch.tensor(PCA(2).fit(x.numpy()).get_covariance()) * 499 / 500       # it divides by n − 1
with claim_table():
    claim("The largest distance of log p(x) from the library's", (log_p - model.log_prob(x)).abs().max(), below=1e-9,
          exact=True)
    claim("The largest distance of the posterior's mean or covariance from the library's", max(
        (a - b).abs().max() for a, b in zip((mean, covariance), model.posterior(x), strict=True)), below=1e-9,
        exact=True)
    claim("The largest distance of C from scikit-learn's", (C - scikit).abs().max(), below=1e-9, exact=True)

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
root = noise(2, 2, seed=4)
m_any, S_any = mean + noise(500, 2, seed=5), root @ root.T + 0.1 * torch.eye(2)
gap = log_p - model.elbo(x, m_any, S_any)
kl = kl_divergence(MultivariateNormal(m_any, S_any), MultivariateNormal(mean, covariance))
with claim_table():
    claim("Where q is the posterior, the ELBO touches log p(x): their largest distance", touch, below=1e-9, exact=True)
    claim("Some other q: its gap at each of 500 points, in nats", gap, above=1)
    claim("The largest distance of a gap from KL(q || p(z | x))", (gap - kl).abs().max(), below=1e-9, exact=True)

# %% [markdown]
# ## Approximation gap and amortisation gap
# There are two reasons to stay below $\log p(x)$. The first: most VAEs take a $q$ with **independent** coordinates.
# Turn the latent plane by an angle: $W$ becomes $W R$, and $W R R^\top W^\top = W W^\top$, so no $p(x)$ changes. But
# the posterior turns, and its coordinates become correlated. Which $q$ with independent coordinates (a **mean-field**
# $q$) of variances $v_j$ is best? Its mean is the posterior's. With the **precision** $\Lambda$, the inverse of the
# posterior's covariance,
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
with claim_table():
    claim("Turning the latent plane changes no log p(x): the largest change",
          (turned_model.log_prob(x) - log_p).abs().max(), below=1e-9, exact=True)
    claim("At 45 degrees the best independent q stays below log p(x), by this many nats", gap.mean(), above=0.05)
    claim("The largest distance of that gap from half of (sum of log diagonal precisions - log determinant)",
          (gap - by_formula).abs().max(), below=1e-9, exact=True)

# %% [markdown]
# This is the **approximation gap**: the family holds nothing better than $q^*$, its best $q$ for this $x$. The second
# reason is that nobody searches $q^*$ for each $x$ anew. One network, the encoder, with weights $\phi$, gives a
# $q_\phi$ for every $x$: the cost of the search is shared by all $x$, which is **amortisation**. What $q_\phi$ loses
# against $q^*$ is the **amortisation gap**. Cremer et al. (2018) named both, and their sum the **inference gap**:
#
# $$\log p(x) - \mathcal{L}(q_\phi)
#   = \underbrace{\log p(x) - \mathcal{L}(q^*)}_{\text{approximation}}
#   + \underbrace{\mathcal{L}(q^*) - \mathcal{L}(q_\phi)}_{\text{amortisation}} .$$
#
# What the encoder failed to learn from its training points, or learned too well (**overfitting**), counts into the
# second. In this model the best mean is affine in $x$, and the covariance constant. So an affine encoder need lose
# nothing (*Going further* trains one). In the next model no affine encoder is right.

# %% [markdown]
# ## A model whose posterior has two modes
# Now a model with one curve in it: $z \sim \mathcal{N}(0, 1)$, and $x = (\cos 2z, \sin 2z) + \text{noise}$. The angle
# is $2z$; the noise has standard deviation $\sigma = 2/5$. One latent number, so quadrature
# gives $\log p(x)$; and for $q = \mathcal{N}(m, s^2)$ the ELBO has a closed form, since $\mathbb{E}_q[\cos 2z] = e^{-2
# s^2} \cos 2m$. At the back of the circle, $(-1, 0)$, $z = \pi/2$ and $z = -\pi/2$ land on the same point: either sign
# of $z$ explains $x$, and $q$ has only one peak. `best_gaussian` searches $q^*$: on a grid of $m$ and $s$, then on
# finer ones around the best.

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
with claim_table():
    claim("The approximation gap of new points", approximation, near=0.148, within=0.025)
    claim("The amortisation gap of the affine encoder", amortisation["affine"], above=1.5)
    claim("Point by point, what the affine encoder loses more than 8 hidden units",
          amortisation["affine"] - amortisation["8 hidden"], above=1.1)
    claim("Point by point, what 8 hidden units lose more than two layers of 32",
          amortisation["8 hidden"] - amortisation["32 + 32 hidden"], above=0.1)
    claim("The amortisation gap of two layers of 32", amortisation["32 + 32 hidden"], below=0.16)
    claim("The smallest of all these gaps: none is negative", min(a.min() for a in (
        approximation, *amortisation.values())), above=-1e-9, exact=True)

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
with claim_table():
    claim("The largest amortisation gap of a new point, far beyond the colours, in nats", amortised[0], above=5)
    claim("The share of the mean that the worst fiftieth of points makes", amortised[:40].sum() / amortised.sum(),
          above=0.7)

# %%
behind = torch.tensor([[-1.0, 0.0]], dtype=torch.float64)
q_behind = circle.best_gaussian(behind)
claim("The approximation gap at (-1, 0) is nearly log 2", circle.log_prob(behind) - circle.elbo(behind, *q_behind),
      near=math.log(2), within=0.002)

# %% [markdown]
# The white line marks half of the scale, and what lies beyond the scale has the last colour: most of the mean
# amortisation gap comes from few points. Behind the circle the posterior has two equal modes, and the best $q$ covers
# one of them (it is **mode-seeking**, as in notebook 03). Half of the posterior is missing, and that costs $\log 2$:
# on its half $q$ is about twice the posterior. There too the best $m$ jumps from one sign to the other. A continuous
# network has no jumps; between the two it passes through values of $m$ that suit neither side.

# %% [markdown]
# ## Importance weights: many draws for one bound
# A draw $z \sim q$ carries the **importance weight** $w = p(x, z) / q(z \mid x)$. Its average is the marginal
# likelihood: $\mathbb{E}_q[w] = \int q\, \frac{p(x, z)}{q}\, dz = p(x)$. The ELBO is the average of $\log w$. Burda et
# al. (2016) take the logarithm later, and get the **importance-weighted bound**:
#
# $$\mathcal{L}_k = \mathbb{E}\Bigl[\log \frac{w_1 + \dots + w_k}{k}\Bigr] \le \log p(x), \qquad
#   \mathcal{L}_1 = \text{ELBO} .$$
#
# If $q > 0$ wherever the posterior is, then $\mathcal{L}_k \to \log p(x)$ as $k \to \infty$. Burda et al. prove it for
# bounded weights. A finite ELBO is enough: averages of $w$ tend to $p(x)$ by the law of large numbers, so their logs
# tend to $\log p(x)$. Rare, very low values of these logs do not pull their mean down in the limit: each log lies
# above the average of the same $\log w$, and that settles at the ELBO (Fatou's lemma, for the difference). We estimate
# $\mathbb{E}$ from one set of draws, cut into groups of $k$, and write $\hat{\mathcal{L}}_k$ for the estimate.

# %%
predict("03c.order", "Estimated from one and the same set of 50 draws, which inequality can fail?",
        options=["L̂_1 ≤ L̂_5", "L̂_5 ≤ L̂_50", "L̂_50 ≤ log p(x)", "none"])

# %% [markdown]
# The logarithm is concave, so the log of an average is at least the average of the logs: **Jensen's inequality**. Cut
# fifty draws into groups of five: the log of the average over all is the log of the average of ten group averages.
# Jensen once: it is at least the average of the ten logs. Jensen within each group: that is at least the average of all
# the logs. So for *these very draws* $\hat{\mathcal{L}}_1 \le \hat{\mathcal{L}}_5 \le \hat{\mathcal{L}}_{50}$,
# without luck. The last step, to $\log p(x) = \log \mathbb{E}[w]$, is Jensen for the expectation: $\mathcal{L}_{50}$
# obeys it, its estimate only on average.

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
too_high = (L_50 - log_p_inside > 0).double().mean()
fails = {"L̂_1 ≤ L̂_5": (L_1 > L_5 + 1e-12).double().mean(), "L̂_5 ≤ L̂_50": (L_5 > L_50 + 1e-12).double().mean(),
         "L̂_50 ≤ log p(x)": too_high}
reveal("03c.order", fails, lambda shares: max(shares, key=shares.get) if max(shares.values()) > 0 else "none")
with claim_table():
    claim("The largest distance of these bounds from the library's", max(
        (iw_bound(log_w, k) - L).abs().max() for k, L in by_hand.items()), below=1e-12, exact=True)
    claim("In each of 20,000 repetitions L̂_1 ≤ L̂_5 ≤ L̂_50",
          bool(((L_1 <= L_5 + 1e-12) & (L_5 <= L_50 + 1e-12)).all()))
    claim("The share of repetitions in which L̂_50 lies above log p(x)", too_high, near=0.5, within=0.04)
    claim("On average L̂_50 lies below log p(x): their difference", L_50 - log_p_inside, below=0)
    claim("The mean of L̂_1 is the exact ELBO: their difference in each repetition",
          L_1 - circle.elbo(x_inside, torch.zeros(1), torch.ones(1)), near=0, within=0.05)

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
claim("At k = 50 the gap of each repetition, over Var(w)/(2k p(x)²)",
      (log_p_inside - iw_bound(log_w, 50)) / (variance / 100), near=1, within=0.5)

# %% [markdown]
# **Live.** Choose a place for $x$, move and stretch $q$, and raise $k$. Find a $q$ whose estimates vary
# little, and are wrong. (The title says how wrong, so the picture is not needed.)

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
        labels={"place": "place of x", "m": "mean m of q", "s": "standard deviation s of q", "k": "draws k"},
        alt="Left the posterior and q, right the histogram of estimates with log p(x)")

# %% [markdown]
# ## Break it: effective sample size, and a confident wrong answer
# The **effective sample size** $(\sum w)^2 / \sum w^2$ says how many equal weights would be as good. Two ways to fool
# yourself:
#
# - $q$ too **narrow**. Take $\mathcal{N}(0, I)$ as the posterior and $q = \mathcal{N}(0, r^2 I)$. Then
#   $\mathbb{E}_q[w^2] \propto \int e^{-z^2 + z^2 / (2 r^2)}\, dz$, which is infinite unless $r^2 > \tfrac12$; our $r =
#   \tfrac12$ breaks the law $\mathrm{Var}/(2k)$.
# - $q$ on **one mode** of two: the best Gaussian behind the circle.

# %%
predict("03c.settled", "Behind the circle, 20,000 draws from the best Gaussian: how many nats below log p(x) is the "
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
one_mode = log_weights(behind, *q_behind, n, 4) - circle.log_prob(behind)

# %% [markdown]
# **Repair: defensive importance sampling.** Take half of the draws from the prior:
# $q_\text{safe} = \tfrac12 q + \tfrac12 p(z)$. Then $q_\text{safe} \ge \tfrac12 p(z)$, so
# $w = p(z)\, p(x \mid z) / q_\text{safe}(z) \le 2 \max_z p(x \mid z)$: every weight is bounded, and no mode that the
# prior knows is left out. With one latent number that is enough.

# %%
from_prior = noise(n, 4, seed=6)
z = torch.where(torch.arange(n)[:, None] % 2 == 0, from_prior, q_behind[0] + q_behind[1] * noise(n, 4, seed=7))
log_q = torch.logaddexp(Normal(*q_behind).log_prob(z), Normal(0.0, 1.0).log_prob(z)) - math.log(2)
repaired = circle.log_joint(behind.expand(4, 2), z) - log_q - circle.log_prob(behind)

show(running(draws, {"too narrow, 20 dimensions": estimate_so_far(too_narrow), "one of two modes":
                     estimate_so_far(one_mode), "half from the prior": estimate_so_far(repaired)},
             title="Bounded weights settle at the truth, in one dimension", ylabel="estimate - log p(x), nats",
             limit=6),
     alt="Four runs each of three proposals over the draws, estimate less log p(x). The last estimates of the four: " +
         "; ".join(f"{name}, {', '.join(f'{e:.2f}' for e in last)}" for name, last in (
             ("too narrow", estimate_so_far(too_narrow)[:, -1]), ("one mode", estimate_so_far(one_mode)[:, -1]),
             ("half from the prior", estimate_so_far(repaired)[:, -1]))))

# %%
reveal("03c.settled", -estimate_so_far(one_mode)[:, -1].mean())
far = torch.tensor([[-12.0]], dtype=torch.float64)
with claim_table():
    claim("On one mode the four runs end at log p(x) - log 2: the largest distance from it",
          (estimate_so_far(one_mode)[:, -1] + math.log(2)).abs().max(), below=0.003)
    claim("On one mode the effective sample size as a share of the draws: the smallest of four runs",
          effective_sample_size(one_mode).min() / n, above=0.97)
    claim("The other mode lies this many standard deviations of q away", 2 * abs(q_behind[0]) / q_behind[1],
          near=14.7, within=0.1)
    claim("log w at z = -12, far in the tail of q",
          circle.log_joint(behind, far) - Normal(*q_behind).log_prob(far), near=1_227, within=2)
    claim("Too narrow: the effective share of the draws, the largest of four runs",
          effective_sample_size(too_narrow).max() / n, below=0.004)
    claim("Too narrow: the mean of L̂_50, less log p(x)", iw_bound(too_narrow, 50).mean(), near=-3.19, within=0.2)
    claim("Repaired: the largest distance of four runs from log p(x)", estimate_so_far(repaired)[:, -1].abs().max(),
          below=0.08)

# %% [markdown]
# Too narrow: every draw misses the tails, until one lands there and outweighs thousands. The estimate jumps, then
# sinks again as the others dilute it. The diagnostic works: the effective sample size is next to nothing. On one mode:
# no jump, no spread, no warning.
#
# A small effective sample size is a warning; a large one is no proof. It compares the draws you have, and says nothing
# about places where $q$ hardly ever goes. $\mathcal{L}_k$ does reach $\log p(x)$ in the end; that the weights of this
# $q$ have no bound does not matter for that. But here the end is farther away than any computer.

# %% [markdown]
# ## Going further
# ### An affine encoder without a gap
# We train the affine encoder of probabilistic PCA, and ask it about points that it has not seen. Its ELBO has a closed
# form, no noise; L-BFGS, which notebook 03b used, brings it to its maximum.

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
claim("The largest inference gap of a trained affine encoder on new points, in nats", gap.max(), below=1e-9)

# %% [markdown]
# ### Each gap closed by its own means
# The amortisation gap is closed by searching after all: start at the encoder's $q$ and climb the ELBO of each point
# by itself. This is the **semi-amortised** inference of Kim et al. (2018). The approximation gap needs a richer family: a
# $q$ that mixes two Gaussians, its ELBO by quadrature, climbed in the same way for some of the points.

# %%
predict("03c.climb", "From the affine encoder's q each point climbs its own ELBO. How much of the amortisation gap of "
        "1.8 nats is closed, in percent?", low=0, high=100)

# %%
def climb(parameters, bound, steps=300):
    """The bound of each point after a climb on the parameters of its own q, tensors (n,), and these parameters."""
    parameters = [p.clone().requires_grad_() for p in parameters]
    optimizer = torch.optim.Adam(parameters, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        (-bound(*parameters).sum()).backward()
        optimizer.step()
        schedule.step()
    return bound(*parameters).detach(), [p.detach() for p in parameters]

left, ends = {}, {}
for name in ("affine", "32 + 32 hidden"):
    m, s = encoders[name](x_test)
    reached, (ends[name], _) = climb([m, s.log()], lambda m, log_s: circle.elbo(x_test, m, log_s.exp()))
    left[name] = best - reached

# %%
some = x_test[:400]
z_nodes = torch.linspace(-7, 7, 281, dtype=torch.float64)[:, None]
joint = circle.log_joint(some, z_nodes)                             # (281, 400)

def mixture_bound(logit, m_1, log_s_1, m_2, log_s_2):
    """The ELBO of q = σ(logit) N(m_1, s_1²) + σ(−logit) N(m_2, s_2²); no s below what the grid can see."""
    log_q = torch.logaddexp(logsigmoid(logit) + Normal(m_1, log_s_1.clamp(min=-2.4).exp()).log_prob(z_nodes),
                            logsigmoid(-logit) + Normal(m_2, log_s_2.clamp(min=-2.4).exp()).log_prob(z_nodes))
    return (log_q.exp() * (joint - log_q)).sum(dim=0) * (z_nodes[1, 0] - z_nodes[0, 0])

m, s = circle.best_gaussian(some)
two_left = circle.log_prob(some) - climb([torch.zeros_like(m), m, s.log(), -m, s.log()], mixture_bound)[0]
bound_left = {"encoder": amortisation["32 + 32 hidden"][:400], "climb from it": left["32 + 32 hidden"][:400]}
show(bars([*bound_left, "climb, two Gaussians"],
          {"approximation gap": [approximation[:400].mean().item()] * 2 + [two_left.mean().item()],
           "amortisation gap": [gap.mean().item() for gap in bound_left.values()] + [0.0]},
          title="A climb closes one gap, a richer q most of the other", xlabel="q for each point",
          ylabel="mean over 400 new points, nats"),
     alt=f"Three pairs of bars, in nats. Approximation gap: {approximation[:400].mean():.3f}, the same, and with two "
         f"Gaussians {two_left.mean():.3f}. Amortisation gap: " + ", ".join(
             f"{gap.mean():.3f} ({name})" for name, gap in bound_left.items()) + ", and none where all is searched")

# %%
closed = 100 * (1 - left["affine"].mean() / amortisation["affine"].mean())
reveal("03c.climb", closed)
stuck = left["affine"] > 0.01
elsewhere = (ends["affine"] - circle.best_gaussian(x_test)[0]).abs() > 0.5
with claim_table():
    claim("From the affine encoder the climb closes this percentage of its amortisation gap", closed, near=87.5,
          within=5)
    claim("What is left at the worst point, in nats", left["affine"].max(), above=5)
    claim("Of the points with more than 0.01 nats left, the share whose m is another than the best one, by over 0.5",
          elsewhere[stuck].double().mean(), above=0.95)
    claim("From two layers of 32 what the climb leaves", left["32 + 32 hidden"], below=0.035)
    claim("Point by point, what two Gaussians gain over the best one", approximation[:400] - two_left, above=0.07)
    claim("The smallest gap of all: no bound lies above log p(x) or the best one", min(
        gap.min() for gap in (two_left, *left.values())), above=-1e-6, exact=True)

# %% [markdown]
# What is left after the climb from the affine encoder belongs to points that ended in another mode: a climb finds the
# nearest maximum of the ELBO, not the highest one. So a search can be wrong, too. What two Gaussians still lose counts as approximation gap; a part of it may be a climb that
# ended too soon.

# %% [markdown]
# ### The repair in ten dimensions
# Add nine latent numbers, each seen directly, with little noise. For these $q$ is the exact posterior. The weights are
# bounded as before.

# %%
others, std = 9, math.sqrt(0.1**2 / (1 + 0.1**2))                    # x_j = z_j + 0.1·noise; we see x_j = 0
seen = Normal(0.0, math.sqrt(1 + 0.1**2)).log_prob(torch.zeros(1)) * others      # log p of these x_j
silent = []
for seed in range(4):
    first, rest = noise(n, 2, seed=20 + seed), noise(n, others, seed=30 + seed)
    half = torch.arange(n) % 2 == 0                                     # these rows come from the prior
    z1 = torch.where(half, first[:, 0], q_behind[0] + q_behind[1] * first[:, 1])
    z_rest = torch.where(half[:, None], rest, std * rest)
    log_prior = Normal(0.0, 1.0).log_prob(z1) + Normal(0.0, 1.0).log_prob(z_rest).sum(dim=1)
    log_best = Normal(*q_behind).log_prob(z1) + Normal(0.0, std).log_prob(z_rest).sum(dim=1)
    log_joint = circle.log_joint(behind.expand(n, 2), z1) + (
        Normal(0.0, 1.0).log_prob(z_rest) + Normal(z_rest, 0.1).log_prob(torch.zeros(1))).sum(dim=1)
    log_safe = torch.logaddexp(log_best, log_prior) - math.log(2)
    silent.append(log_joint - log_safe - circle.log_prob(behind) - seen)
silent = torch.stack(silent, dim=1)
with claim_table():
    claim("In ten dimensions the repaired runs end at log p(x) - log 2: the largest distance of four from it",
          (estimate_so_far(silent)[:, -1] + math.log(2)).abs().max(), below=0.008)
    claim("The effective share of the draws, the smallest of four runs: no warning",
          effective_sample_size(silent).min() / n, above=0.4)

# %% [markdown]
# In ten dimensions the prior's draws no longer find the other mode, and the error is silent again. That half of the
# weights are next to nothing is what you would expect of the prior's half. A bound on the weights is worth something
# only where $\max_z p(x \mid z)$ is not far above $p(x)$.

# %% [markdown]
# ### A tighter bound, and an encoder's gradient lost in noise
# Climb $\mathcal{L}_k$ by the gradient from one group of $k$ draws, reparametrised,
# $\sum_i w_i\, \partial \log w_i / \sum_i w_i$. Is a larger $k$ better? Judge a gradient by its **signal-to-noise
# ratio**: the size of its mean over its standard deviation.
#
# - A parameter of the model moves $\log p(x)$ itself. The mean tends to a constant; the noise of an average of $k$ falls
#   like $1/\sqrt{k}$. So the ratio should rise like $\sqrt{k}$.
# - A parameter of the encoder moves only the gap, which is about $\mathrm{Var}(w) / (2k\,p(x)^2)$. The mean falls like
#   $1/k$, the noise only like $1/\sqrt{k}$. So the ratio should *fall* like $1/\sqrt{k}$, say Rainforth et al. (2018).
#
# For a model with one latent number the ratio can be had exactly, though it depends on $k$ draws. For $y > 0$,
#
# $$\frac1y = \int_0^\infty e^{-ty}\, dt, \qquad \frac1{y^2} = \int_0^\infty t\, e^{-ty}\, dt .$$
#
# With $y = w_1 + \dots + w_k$ the exponential is a product over the draws, which are independent. So
# $\mathbb{E}[a_1 / y] = \int \mathbb{E}[a\, e^{-tw}]\, \mathbb{E}[e^{-tw}]^{k-1}\, dt$: integrals over one $z$, and one
# over $t$. `ratio_moments` does that, and the same for the square.

# %%
predict("03c.noise", "From 1 draw to 1,024: the signal-to-noise ratio of the gradient for the encoder's mean m?",
        options=["it rises", "it stays", "it falls"])

# %% [markdown]
# The model: $z \sim \mathcal{N}(\theta, 1)$, $x \sim \mathcal{N}(z, 1)$, at $\theta = 0$ and $x = 2$. So $\log p(x) =
# \log \mathcal{N}(x; \theta, 2)$ has the slope $(x - \theta)/2 = 1$, and the posterior is $\mathcal{N}(1, \frac12)$. We
# give $q$ the variance $\frac23$, as Rainforth et al. do, and the mean $m = \frac32$, so that there is something to learn.

# %%
def log_weight(m, theta, eps):
    z = m + math.sqrt(2 / 3) * eps
    x = torch.tensor(2.0, dtype=torch.float64)
    return Normal(theta, 1.0).log_prob(z) + Normal(z, 1.0).log_prob(x) - Normal(m, math.sqrt(2 / 3)).log_prob(z)

eps_line = torch.linspace(-9, 9, 721, dtype=torch.float64)
shares = torch.softmax(-0.5 * eps_line**2, dim=0)                   # of N(0, 1), at these nodes
m_each, theta_each = (torch.full_like(eps_line, value, requires_grad=True) for value in (1.5, 0.0))
log_w_line = log_weight(m_each, theta_each, eps_line)
by_m, by_theta = torch.autograd.grad(log_w_line.sum(), (m_each, theta_each))       # ∂ log w, draw by draw
log_w_line, w_line = log_w_line.detach(), log_w_line.detach().exp()

groups = [2**i for i in range(11)]
moments = {"θ, of the model": ratio_moments(log_w_line, w_line * by_theta, shares, groups),
           "m, of the encoder": ratio_moments(log_w_line, w_line * by_m, shares, groups)}
with claim_table():
    claim("k = 1, for m: the mean, less -(1.5 - 1)/0.5, the slope of the ELBO", moments["m, of the encoder"][0][0] + 1,
          near=0, within=1e-9, exact=True)
    claim("k = 1,024, for θ: the mean, less the slope of log p(x)", moments["θ, of the model"][0][-1] - 1, near=0,
          within=0.0005)

# %% [markdown]
# The program that one would write, by `iw_bound` and draws, agrees.

# %%
parameters = [torch.full((20_000,), value, dtype=torch.float64, requires_grad=True) for value in (1.5, 0.0)]
gradients = torch.autograd.grad(iw_bound(log_weight(*parameters, noise(16, 20_000, seed=8)), 16).sum(), parameters)
mean_16, std_16 = (values[4] for values in moments["m, of the encoder"])
with claim_table():
    claim("k = 16, for m: the mean of these gradients less the exact one, in standard errors",
          (gradients[0].mean() - mean_16) / (std_16 / math.sqrt(20_000)), near=0, within=4)
    claim("Their standard deviation over the exact one", gradients[0].std() / std_16, near=1, within=0.03)
    claim("The gradient for m is 2 minus twice that for θ, group by group: the largest distance",
          (gradients[0] - 2 + 2 * gradients[1]).abs().max(), near=0, within=1e-9, exact=True)

# %% [markdown]
# In this model both gradients come from the same random number. Their noise is the same, up to the factor 2: only their
# means go different ways, one to 1, the other to 0.
#
# **A repair.** For a fixed $z$, $\log w$ still holds $-\log q(z)$, whose derivative by $m$ is minus a score, weighted by
# $w_i / \sum_j w_j$. Its mean is no longer 0, since the weight depends on $z_i$, so it may not be dropped, as
# notebook 03b drops it for $k = 1$. But a score times a function of $z$ can be reparametrised once more. What comes out
# is the **doubly reparametrised gradient** of Tucker et al. (2019):
#
# $$\sum_i \Bigl(\frac{w_i}{\sum_j w_j}\Bigr)^{2}\, \frac{\partial \log w_i}{\partial z_i}\,
#   \frac{\partial z_i}{\partial m} .$$

# %%
z_nodes = 1.5 + math.sqrt(2 / 3) * eps_line
by_z = -z_nodes + (2.0 - z_nodes) + (z_nodes - 1.5) / (2 / 3)       # of log w by z, with m and θ held still
moments["m, doubly reparametrised"] = ratio_moments(log_w_line, w_line**2 * by_z, shares, groups, power=2)
ratios = {name: mean.abs() / std for name, (mean, std) in moments.items()}
show(curves(groups, ratios, log_x=True, log_y=True, title="More draws drown the encoder's plain gradient, no other",
            xlabel="draws k in one group", ylabel="signal-to-noise ratio"),
     alt="Two logarithmic axes, the ratio over the draws from 1 to 1,024: " + "; ".join(
         f"{name}, from {r[0]:.2f} to {r[-1]:.2g}" for name, r in ratios.items()))

# %%
def exponent(values):
    """The power of k between the last two points: the slope on logarithmic axes."""
    return math.log2(values[-1] / values[-2])

reveal("03c.noise", ratios["m, of the encoder"][-1] / ratios["m, of the encoder"][0],
       lambda r: "it falls" if r < 0.8 else "it rises" if r > 1.25 else "it stays")
with claim_table():
    claim("The exponent of k for θ", exponent(ratios["θ, of the model"]), near=0.5, within=0.005, exact=True)
    claim("The exponent of k for m", exponent(ratios["m, of the encoder"]), near=-0.5, within=0.005, exact=True)
    claim("The exponent of k for m, doubly reparametrised", exponent(ratios["m, doubly reparametrised"]), near=0.5,
          within=0.005, exact=True)
    claim("Its mean over that of the plain gradient, less 1: the largest of all k",
          (moments["m, doubly reparametrised"][0] / moments["m, of the encoder"][0] - 1).abs().max(), near=0,
          within=1e-6, exact=True)

# %% [markdown]
# With the plain gradient a larger $k$ makes the bound tighter and the encoder's gradient worse. Averaging the gradients
# of several groups helps both: over $n$ groups each ratio is $\sqrt{n}$ times as large. So many small groups suit the
# encoder's gradient; few large ones give the model a tighter bound, not a better ratio. The doubly reparametrised
# gradient
# needs no such choice here.

# %% [markdown]
# ## Your turn
# **1.** Estimate $\mathcal{L}_k$, in groups of `k` consecutive draws. Expect log weights like $-1000$.

# %% tags=["exercise"]
def weighted_bound(log_w, k):
    """An estimate of L_k for each column, shape (n,). log_w: (draws, n), where k divides draws."""
    ### BEGIN SOLUTION
    draws, n = log_w.shape
    groups = log_w.reshape(draws // k, k, n)
    return (groups.logsumexp(dim=1) - math.log(k)).mean(dim=0)
    ### END SOLUTION

# %%
check("03c.weighted_bound", weighted_bound)

# %% [markdown]
# **2.** The effective sample size, as a share of the draws: 1 if all weights are equal. Again from log weights, which
# may lie near $-1000$ or $800$.

# %% tags=["exercise"]
def effective_share(log_w):
    """(Σ w)² / Σ w², over the number of draws, for each column, shape (n,). log_w: (draws, n)."""
    ### BEGIN SOLUTION
    w = log_w.softmax(dim=0)                        # sums to 1; the scale of the weights does not matter
    return 1 / (w**2).sum(dim=0) / len(log_w)
    ### END SOLUTION

# %%
check("03c.effective_share", effective_share)

# %% [markdown]
# **3.** The best $q$ with independent coordinates for posteriors $\mathcal{N}(m, S)$: return its variances $v_j$, for a
# whole batch of covariances.

# %% tags=["exercise"]
def independent_variances(covariance):
    """Variances of the best q with independent coordinates, shape (n, d). covariance: (n, d, d)."""
    ### BEGIN SOLUTION
    return 1 / torch.linalg.inv(covariance).diagonal(dim1=1, dim2=2)
    ### END SOLUTION

# %%
check("03c.independent_variances", independent_variances)

# %% [markdown]
# ## What to keep
# - Below $\log p(x)$ lie two gaps: the approximation gap, for the family of $q$ is too poor; and the amortisation gap,
#   for the encoder is not the best of the family. Together they are the inference gap.
# - Averaging $k$ importance weights before the logarithm tightens the bound. Where $q$ hardly ever goes, no $k$ that
#   you can afford helps.
# - A small effective sample size is a warning. A large one is no proof.
#
# **Read on:**
#
# - M. Tipping, C. Bishop, [*Probabilistic Principal Component Analysis*](https://doi.org/10.1111/1467-9868.00196),
#   Journal of the Royal Statistical Society B 61 (1999).
# - C. Cremer, X. Li, D. Duvenaud, [*Inference Suboptimality in Variational
#   Autoencoders*](https://arxiv.org/abs/1801.03558), ICML (2018).
# - Y. Burda, R. Grosse, R. Salakhutdinov, [*Importance Weighted Autoencoders*](https://arxiv.org/abs/1509.00519), ICLR
#   (2016).
# - T. Hesterberg, [*Weighted Average Importance Sampling and Defensive Mixture
#   Distributions*](https://doi.org/10.1080/00401706.1995.10484303), Technometrics 37 (1995).
# - T. Rainforth et al., [*Tighter Variational Bounds Are Not Necessarily Better*](https://arxiv.org/abs/1802.04537),
#   ICML (2018).
# - Y. Kim et al., [*Semi-Amortized Variational Autoencoders*](https://arxiv.org/abs/1802.02550), ICML (2018).
# - G. Tucker et al., [*Doubly Reparameterized Gradient Estimators for Monte Carlo
#   Objectives*](https://arxiv.org/abs/1810.04152), ICLR (2019).
#
# **Next:** notebook 04, the variational autoencoder: one encoder, one decoder, trained together on digits by what you
# have here.
