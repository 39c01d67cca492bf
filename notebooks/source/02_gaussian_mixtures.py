# %% [markdown] words="never: the course's question, no comparison"
# # 02 · Gaussian mixtures and EM: clusters that nobody labelled
#
# Naive Bayes was told which class each picture belonged to. Now nobody tells us.
# **How do you fit a model whose most important variable was never recorded?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | sample from a mixture, derive EM and run it safely, choose K, and fill in what is missing |
# | You need | notebook 01, the multivariate Gaussian, logarithms of sums |
# | Time | 35 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from sklearn import mixture as sklearn_mixture
from sklearn.metrics import adjusted_rand_score

from course_lib.chapters.nb02.plots import bumps, clouds, em_moment
from course_lib.data import load_mnist
from course_lib.live import explore
from course_lib.models.gmm import CollapsedError, GaussianMixture
from course_lib.models.gmm_em import STARTS, bic, fit, m_step, start
from course_lib.models.gmm_missing import em_step, fit_missing
from course_lib.models.gmm_subspace import Subspace
from course_lib.plots import bars, bent_lines, curves, images, plane, scatters, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises. The derivation of the bound fits on one board; let them step
# through the stepper by hand before they see the claim that the likelihood never falls, and ask why the curve is flat
# on every other half step. *Going further* (digits, conditionals, missing data) makes good homework; do not leave out
# *Continuous latent variables*, which is where the VAE comes from.
#
# - **Prepare.** Step through the stepper once yourself, also from one corner.
# - **02.average.** “like p(x)”. Draw two bumps far apart; where is the mean of one number from each?
# - **The evidence lower bound and the E-step.** On the board: the log of a sum, times q over q, Jensen, and when
#   equality holds.
# - **02.equal.** “at the three clusters”. Ask what could tell the components apart after one step: nothing that was
#   not there before.
# - **Break it: a singularity, a likelihood without a ceiling.** Let them make it infinite by hand: one mean on one
#   point, and the width to 0.
# - **02.switch.** “at the three clusters”, for each fit is right. In which order?
# - **02.purity.** guesses scatter. Ask whether a cluster has to be a digit.
# - **02.mar.** “complete cases and EM”: many data are thought to mend a bias. Whose x₂ is hidden?

# %% [markdown]
# ## A mixture: choose, then draw
# A generative model has two jobs: say how probable a point is (**density estimation**), and make new points
# (**sampling**). A **Gaussian mixture model** (GMM) does both by way of a **latent variable**, a hidden choice. First a
# component $k$ is drawn with probability $\pi_k$, then a point from that component's Gaussian:
#
# $$k \sim p(k) = \pi_k, \qquad x \mid k \sim \mathcal{N}(\mu_k, \Sigma_k), \qquad
#   p(x) = \sum_k p(k)\,p(x \mid k).$$
#
# Drawing the parents first is **ancestral sampling**. The sum is the **marginal** probability of $x$: the latent variable
# is summed out.

# %%
predict("02.average", "Someone else draws one number from EACH component and averages them, with weights π. "
        "What does the histogram look like?", options=["like p(x)", "one single bump", "as many bumps, but narrower"])

# %%
pi = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
mu = torch.tensor([-2.0, 0.5, 3.0], dtype=torch.float64)
sigma = torch.tensor([0.7, 0.3, 1.0], dtype=torch.float64)
n, rng = 5_000, seeded()

k = torch.multinomial(pi, n, replacement=True, generator=rng)                      # first the component,
drawn = mu[k] + sigma[k] * torch.randn(n, generator=rng, dtype=torch.float64)      # then the point

grid = torch.linspace(-5, 7, 601, dtype=torch.float64)
parts = pi[:, None] * torch.distributions.Normal(mu[:, None], sigma[:, None]).log_prob(grid).exp()
show(bumps(grid, parts, samples=drawn, title="Weighted bumps add up to the curve, and the samples fill it"),
     alt="Three bell curves of different height and width, their sum as a black line with three peaks, and a grey "
         "histogram of samples that follows the black line")

# %% [markdown]
# Does the histogram *fit*? Kolmogorov and Smirnov take the largest distance between the share of samples below $x$ and
# $F(x) = \sum_k \pi_k\,\Phi\bigl((x - \mu_k)/\sigma_k\bigr)$, with $\Phi$ the normal distribution function. Times
# $\sqrt{n}$, it stays below a known constant in all but one of ten thousand fair experiments.

# %%
def kolmogorov(samples):
    """√n times the largest distance between the samples' distribution function and the mixture's."""
    x = samples.sort().values
    F = (pi * torch.special.ndtr((x[:, None] - mu) / sigma)).sum(dim=1)
    steps = torch.arange(n + 1, dtype=torch.float64) / n
    return math.sqrt(n) * torch.maximum(steps[1:] - F, F - steps[:-1]).max()

averaged = (pi * (mu + sigma * torch.randn(n, 3, generator=rng, dtype=torch.float64))).sum(dim=1)
one_bump = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)    # quantiles of N(0, 1)
off = (((averaged - averaged.mean()) / averaged.std()).sort().values - one_bump).abs().mean()
with claim_table():
    claim("Ancestral samples pass the test, at the level of one in ten thousand", kolmogorov(drawn), below=2.23)
    claim("Averaged draws fail the same test", kolmogorov(averaged), above=25)
    claim("Averaged draws are one Gaussian: mean distance of their quantiles from its", off, below=0.03)
reveal("02.average", {"test against p(x)": kolmogorov(averaged), "quantiles off one Gaussian's": off},
       lambda m: "like p(x)" if m["test against p(x)"] < 2.23 else
       "one single bump" if m["quantiles off one Gaussian's"] < 0.1 else "as many bumps, but narrower")

# %% [markdown]
# A mixture adds *densities*, not numbers. Averaging independent Gaussians gives one Gaussian.
#
# ## The latent variable: nobody recorded the choice
# Two hundred and fifty points in the plane. They come from three Gaussians; which point from which is thrown away.

# %%
truth = GaussianMixture(
    pi=torch.tensor([0.5, 0.3, 0.2]), mu=torch.tensor([[-2.0, -1.0], [2.0, -1.5], [0.5, 2.5]]),
    cov=torch.tensor([[[1.2, 0.9], [0.9, 1.2]], [[0.5, -0.3], [-0.3, 1.0]], [[1.6, 0.0], [0.0, 0.3]]]))
x, _ = truth.sample(250, seeded())
x_held_out, _ = truth.sample(5_000, seeded(1))
show(scatters({"": x}, title="What we are given"),
     alt="A cloud of points in the plane with three denser regions: one slanted at the lower left, one at the lower "
         "right, one flat at the top")

# %% [markdown]
# Maximum likelihood wants $\sum_i \log \sum_k \pi_k\,\mathcal{N}(x_i; \mu_k, \Sigma_k)$ large. The sum inside the
# logarithm is the trouble: the derivatives no longer fall apart into averages; in notebook 01 they did. If we *knew*
# $k$, there would be no inner sum. So we guess $k$, softly.

# %% [markdown]
# ## The evidence lower bound and the E-step
# Write $\theta = (\pi, \mu, \Sigma)$ for all parameters together. For one point, take any weights $r_k \ge 0$ with
# $\sum_k r_k = 1$. Multiply and divide by them (where $r_k = 0$, take the limit, with $r \log r \to 0$):
#
# $$\log p(x) = \log \sum_k r_k\,\frac{p(x, k)}{r_k} \;\ge\; \sum_k r_k \log \frac{p(x, k)}{r_k} =: \mathcal{L}(r, \theta).$$
#
# The step is **Jensen's inequality**: the logarithm is concave, so the log of an average is at least the average of
# the logs. $\mathcal{L}$ is the **evidence lower bound** (ELBO; $p(x)$ is the *evidence*), here called the bound. How
# much is lost? Put $p(x, k) = p(x)\,p(k \mid x)$ into $\mathcal{L}$, and $\log p(x)$ comes out:
#
# $$\log p(x) - \mathcal{L}(r, \theta) = \sum_k r_k \log \frac{r_k}{p(k \mid x)} = \mathrm{KL}(r \,\|\, p(k \mid x)) \ge 0 .$$
#
# The loss is the **Kullback–Leibler divergence** of $r$ from the posterior $p(k \mid x)$. By Jensen again it is never
# negative, and 0 only if the two are equal. (Yet it is no distance: exchange the two, and it changes.) So nothing is
# lost exactly when $r_k = p(k \mid x)$. These posteriors are the **responsibilities**, and computing them is the
# **E-step**.

# %%
def log_joint(x, pi, mu, cov):
    """log p(x, k) = log π_k + log N(x; μ_k, Σ_k), shape (n, K), by way of Σ = L Lᵀ."""
    columns = []
    for k in range(len(pi)):
        L = torch.linalg.cholesky(cov[k])
        white = torch.linalg.solve_triangular(L, (x - mu[k]).T, upper=False)        # L⁻¹(x − μ)
        distance2 = (white**2).sum(dim=0)                                           # (x − μ)ᵀ Σ⁻¹ (x − μ)
        log_det = 2 * L.diagonal().log().sum()                                      # log |Σ|
        columns.append(pi[k].log() - 0.5 * (distance2 + log_det + x.shape[1] * math.log(2 * math.pi)))
    return torch.stack(columns, dim=1)

def e_step(x, *theta):
    """log r_ik = log p(k | x_i), shape (n, K)."""
    joint = log_joint(x, *theta)
    return joint - joint.logsumexp(dim=1, keepdim=True)

def bound(joint, r):
    """The bound of each point, shape (n,)."""
    return (r * joint + torch.special.entr(r)).sum(dim=1)                              # entr(r) = -r log r, 0 at r = 0

# %%
first = start(x, 3, seeded(6), "random points")
theta = first.pi, first.mu, first.cov
joint, log_r = log_joint(x, *theta), e_step(x, *theta)
log_p = joint.logsumexp(dim=1)

r_any = torch.rand(250, 3, generator=seeded(), dtype=torch.float64)
r_any /= r_any.sum(dim=1, keepdim=True)
gap = (r_any * (r_any.log() - log_r)).sum(dim=1)
with claim_table():
    claim("With random weights r the bound lies below log p(x): the gap of each point", log_p - bound(joint, r_any),
          above=0, exact=True)
    claim("The gap is KL(r ‖ p(k|x)): largest difference", (log_p - bound(joint, r_any) - gap).abs().max(),
          below=1e-10, exact=True)
    claim("With the responsibilities the gap is zero", (log_p - bound(joint, log_r.exp())).abs().max(), below=1e-10,
          exact=True)

# %% [markdown]
# ## The M-step: weighted means
# Keep $r$ and move the parameters: the **M-step** maximises $\sum_i \mathcal{L}$. The $r \log r$ part does not depend
# on them, so what is left is
# $Q(\theta) = \sum_i \sum_k r_{ik} \log \bigl[\pi_k\,\mathcal{N}(x_i; \mu_k, \Sigma_k)\bigr]$:
# the logarithm now meets the Gaussian, as if each point were shared out. With $N_k = \sum_i r_{ik}$:
#
# - $\partial Q/\partial \mu_k = \Sigma_k^{-1} \sum_i r_{ik}\,(x_i - \mu_k) = 0$, so
#   $\mu_k = \frac{1}{N_k} \sum_i r_{ik}\,x_i$.
# - $\partial Q/\partial \Sigma_k^{-1} = \tfrac{1}{2} \sum_i r_{ik}
#   \bigl[\Sigma_k - (x_i - \mu_k)(x_i - \mu_k)^\top\bigr] = 0$, so $\Sigma_k$ is the weighted average of the squares.
#   (Here $\partial \log |A| / \partial A = A^{-1}$ was used, for symmetric $A$.)
# - The weights must sum to one. A Lagrange multiplier $\lambda$ adds that: $N_k / \pi_k = \lambda$ for all $k$. Summing
#   $N_k = \lambda \pi_k$ gives $\lambda = n$, so $\pi_k = N_k / n$.
#
# That the flat point is the top, and the derivative of $\log |A|$, are shown in *Going further*.

# %%
def maximise(x, r):
    """π, μ, Σ that maximise Q."""
    N = r.sum(dim=0)
    mu = r.T @ x / N[:, None]
    cov = torch.stack([(r[:, [k]] * (x - mu[k])).T @ (x - mu[k]) / N[k] for k in range(len(N))])
    return N / len(x), mu, cov

def Q(logits, mu, cov):
    return (log_r.exp() * log_joint(x, logits.softmax(dim=0), mu, cov)).sum()      # softmax: they sum to one

better = maximise(x, log_r.exp())
slopes = torch.func.grad(Q, argnums=(0, 1, 2))(better[0].log(), *better[1:])
before = torch.func.grad(Q, argnums=(0, 1, 2))(theta[0].log(), *theta[1:])
with claim_table():
    claim("Before the M-step Q has a slope", max(s.abs().max() for s in before), above=1)
    claim("After it, Q is flat in all directions", max(s.abs().max() for s in slopes), below=1e-8, exact=True)

# %% [markdown]
# Put together, this is **expectation–maximization** (EM):
# $\log p_\text{new} \ge \mathcal{L}(r, \theta_\text{new}) \ge \mathcal{L}(r, \theta_\text{old}) = \log p_\text{old}$.
# The first step is the bound, the second the M-step, the third the E-step; each side is summed, or averaged, over the
# points. **The likelihood never falls.** (A **nat** is the unit of natural logarithms.)

# %%
L_old, L_new = (bound(log_joint(x, *t), log_r.exp()).mean() for t in (theta, better))
with claim_table():
    claim("At θ_old the bound is log p: difference in nats per point", log_p.mean() - L_old, near=0, within=1e-10,
          exact=True)
    claim("The M-step raises the bound, in nats per point, by", L_new - L_old, above=0.02)

# %%
ours, track = theta, []
for step in range(200):
    track.append(log_joint(x, *ours).logsumexp(dim=1).mean().item())
    ours = maximise(x, e_step(x, *ours).exp())
library, library_track = fit(x, first, steps=200)

sklearn_model = sklearn_mixture.GaussianMixture(
    3, reg_covar=0, max_iter=200, tol=1e-9, weights_init=first.pi, means_init=first.mu,
    precisions_init=torch.linalg.inv(first.cov)).fit(x)

with claim_table():
    claim("The likelihood never falls: gain of each of 199 steps", np.diff(track), above=-1e-12, exact=True)
    claim("The library takes the same path", np.abs(np.subtract(track, library_track)).max(), below=1e-10, exact=True)
    claim("Scikit-learn arrives at the same likelihood", sklearn_model.score(x) - library.log_prob(x).mean(),
          near=0, within=1e-6, exact=True)

# %% [markdown]
# ## Underflow: why logsumexp, why Cholesky
# Written as in the formulas, with densities and determinants, EM breaks: on one point that lies far out, or on points
# with as many coordinates as a picture has pixels.

# %%
far = torch.tensor([[1000.0, 1000.0]], dtype=torch.float64)
densities = log_joint(far, *better).exp()
print("densities", densities.tolist(), "  naive responsibilities", (densities / densities.sum()).tolist())
narrow = 0.1 * torch.eye(400, dtype=torch.float64)                                  # 20 x 20 pixels
log_det = 2 * torch.linalg.cholesky(narrow).diagonal().log().sum()
with claim_table():
    claim("Naive responsibilities are 0/0", bool((densities / densities.sum()).isnan().all()))
    claim("In logs they sum to one", e_step(far, *better).exp().sum(), near=1, within=1e-9, exact=True)
    claim("The determinant of a small covariance underflows", torch.linalg.det(narrow), near=0, within=0, exact=True)
    claim("Its logarithm from the Cholesky factor is right: difference", log_det - 400 * math.log(0.1), near=0,
          within=1e-9, exact=True)

# %% [markdown]
# ## EM step by step
# Click the slider `half steps`, then press the right arrow. An odd half step is an **E-step**: colours change, ellipses
# stay. An even one is an **M-step**: ellipses move, colours stay. Which of the two raises the likelihood, and which
# closes the gap to the bound? Then try other starts, other seeds and other $K$.

# %%
def stepper(half_steps=0, K=3, seed=0, begin="random points"):
    model, r = start(x, K, seeded(seed), begin), None
    log_likelihood, bounds, shown = [model.log_prob(x).mean().item()], [], (r, model)
    for half in range(1, 41):
        if half % 2:
            r = model.log_posterior(x).exp()                                        # E-step
        else:
            model = m_step(x, r)
        joint = model.log_joint(x)
        log_likelihood.append(joint.logsumexp(dim=1).mean().item())
        bounds.append(((r * joint).sum() + torch.special.entr(r).sum()).item() / len(x))
        if half == half_steps:
            shown = r, model
    title = (f"Start, {begin}: no responsibilities yet" if half_steps == 0 else
             f"After E-step {half_steps // 2 + 1}: new colours, same ellipses" if half_steps % 2 else
             f"After M-step {half_steps // 2}: new ellipses, same colours")
    if half_steps:
        title += f"; gap {abs(log_likelihood[half_steps] - bounds[half_steps - 1]):.4f} nats"
    return em_moment(x, shown[0], shown[1].mu, shown[1].cov, log_likelihood=log_likelihood, bound=bounds,
                     now=half_steps, title=title)

explore(stepper, half_steps=(0, 40, 1), K=(1, 6, 1), seed=(0, 20, 1), begin=list(STARTS),
        labels={"half_steps": "half steps", "begin": "start"},
        alt="Points coloured by responsibilities with the ellipses of the components; beside them the log-likelihood")

# %% [markdown]
# ## Break it: initialisation
# EM climbs at best to a **local optimum**, without looking around. How long it takes, and now and then where it ends,
# depends
# on the start. We try three: **random points** as the means; **k-means**, which cuts the points into $K$ groups, each
# nearest to its own mean; and **one corner**, all means close together at the lower left.

# %%
predict("02.equal", "All three components start exactly alike. Where does EM end?",
        options=["at the three clusters", "at two clusters", "with three equal components"])

# %%
same = GaussianMixture(torch.full((3,), 1 / 3), x.mean(dim=0).expand(3, 2), x.T.cov().expand(3, 2, 2))
stuck, _ = fit(x, same, steps=20)
def different(means):
    """How many of the means [K, 2] are more than 0.001 apart."""
    return len(((means[:, None] - means).norm(dim=2) < 1e-3).unique(dim=0))

ends = {1: "with three equal components", 2: "at two clusters", 3: "at the three clusters"}
reveal("02.equal", different(stuck.mu), ends.get)

# %% [markdown]
# Why for ever? Equal components share every point equally, so all $r_{ik} = \frac13$, and the M-step gives them equal
# means and covariances again. Starts that differ come apart, some of them slowly:

# %%
reg = 1e-6                                     # so small that it changes nothing here but a collapse, of which below
runs = {how: [fit(x, start(x, 3, seeded(seed), how), steps=400, reg=reg) for seed in range(10)] for how in STARTS}
height = {how: np.array([track for _, track in ten]) for how, ten in runs.items()}       # (10 starts, 400 steps)
slowest = {how: np.array(tracks).sum(axis=1).argmin() for how, tracks in height.items()}
show(curves(np.arange(5, 400), {how: height[how][slowest[how], 5:] for how in STARTS},
            title="A bad start costs hundreds of steps, or never arrives", xlabel="EM steps", ylabel="nats per point"),
     alt="Log-likelihood from step 5 to 400 for the slowest of ten starts of each kind. Nats per point at both ends: " +
         "; ".join(f"{how}, {height[how][i, 5]:.2f} and {height[how][i, -1]:.2f}" for how, i in slowest.items()))

# %%
panels = {f"{how}: {height[how][i, -1]:.2f}": (x, runs[how][i][0].log_posterior(x).exp(), runs[how][i][0].mu,
                                               runs[how][i][0].cov) for how, i in slowest.items()}
show(clouds(panels, title="Where these three starts end, with the nats per point"),
     alt="Three panels with the same points and the three ellipses that each start ended with, at " +
         ", ".join(panels) + " nats per point")

# %%
top = height["k-means"].max()
below = {how: top - height[how].min(axis=0) for how in STARTS}                    # worst of ten, after each step
two_in_one = GaussianMixture(torch.full((3,), 1 / 3), torch.tensor([[-3.0, -2.0], [-1.0, 0.0], [1.25, 0.5]]),
                             torch.tensor([0.5, 0.5, 4.0])[:, None, None] * torch.eye(2))
low, low_track = fit(x, two_in_one, steps=400)
with claim_table():
    claim("k-means: after 20 steps the worst of ten starts is below the top by", below["k-means"][20], below=0.01)
    claim("Random points and corner: after 20 steps the worst of twenty starts is below the top by",
          max(below["random points"][20], below["one corner"][20]), above=0.05)
    claim("Two means in one cluster, the third between two: after 400 steps this start is below the top by",
          top - low_track[-1], above=0.1)
    claim("Another 400 steps raise it by", fit(x, low, steps=400)[1][-1] - low_track[-1], below=1e-3)

# %% [markdown]
# The last start has reached a local optimum: two components share one cluster, and a third covers two. Slow starts and
# low ones look alike for many steps. **Repair:** begin with k-means, or begin often, run long, and keep the best.
# (Exchange two components, and $p(x)$ is the same: **label switching**. Each optimum comes in $K!$ copies, so the number
# of a component means nothing.)
#
# ## Break it: a singularity, a likelihood without a ceiling
# Put a second component onto one training point, with the weight of one point, and shrink it. In $D$ dimensions its
# density there grows by $2^D$ each time $\sigma$ is halved, and the first component takes care of all other points.

# %%
def with_a_spike(halvings):
    spike = 4.0 ** -halvings * torch.eye(2, dtype=torch.float64)
    return GaussianMixture(torch.tensor([0.996, 0.004]), torch.stack([x.mean(dim=0), x[0]]),
                           torch.stack([x.T.cov(), spike]))

halvings = np.arange(31)
spiked = [with_a_spike(int(h)) for h in halvings]
total = {"250 training points": np.array([m.log_prob(x).sum().item() for m in spiked]),
         "250 held-out points": np.array([m.log_prob(x_held_out[:250]).sum().item() for m in spiked])}
show(curves(halvings, total, title="A worthless component drives the training likelihood to infinity",
            xlabel="how often σ was halved", ylabel="log-likelihood, nats"),
     alt="Log-likelihood over the halvings. From first to last: " + "; ".join(
         f"{name}, {values[0]:.0f} and {values[-1]:.0f}" for name, values in total.items()))

# %%
gain = np.diff(total["250 training points"])[-10:]
claim("Each halving gains D log 2 nats", gain, near=2 * math.log(2), within=1e-6, exact=True)

def few_points(seed, reg):
    """EM on twelve points with four components: held-out nats per point and least step, or None if it collapses."""
    few, _ = truth.sample(12, seeded(seed))
    try:
        model, track = fit(few, start(few, 4, seeded(seed), "random points", reg=reg), steps=100, reg=reg)
    except CollapsedError:
        return None
    return model.log_prob(x_held_out[:1_000]).mean().item(), np.diff(track).min()

collapsed = np.array([few_points(seed, reg=0) is None for seed in range(20)], dtype=float)
held, least = {}, {}
for reg in (0.005, 0.05, 0.5):
    held[reg], least[reg] = np.array([few_points(seed, reg) for seed in range(20)]).T
    print(f"reg = {reg}: held-out nats per point {held[reg].mean():7.2f}, least step {least[reg].min():.1e}")
with claim_table():
    claim("Twelve points, four components: share of runs of EM that collapse by themselves", collapsed, above=0.5)
    claim("Held out, a reg of 0.05 gains over one of 0.005, in nats per point", held[0.05] - held[0.005], above=1)
    claim("With reg the likelihood can fall: least step of these runs", least[0.05].min(), below=-1e-6)

# %% [markdown] words="never: the promise was measured step by step above, and reg breaks it in the table"
# **Repair:** **regularization**, a small number (`reg`) that is added to the diagonal of every $\Sigma_k$ after each
# M-step. Without it the likelihood has no global maximum, and EM is useful only where it stops at a good local one. With
# it the step no longer ends at the top of $Q$, so the promise that the likelihood never falls is gone: it may sink a
# little near the end. And how much is small? Held-out points tell.
#
# ## Model selection: how many components?
# With more components the training data can be fitted better, by their accidents, too: **overfitting**. Two measures
# show it: the likelihood of **held-out** points, and the **Bayesian information criterion** (BIC) of Schwarz, which
# needs none: $\mathrm{BIC} = -2 \log p(x) + n_\theta \log n$.
# Here $\log p(x)$ is the sum over all $n$ points, and $n_\theta = (K - 1) + K D + K D (D + 1)/2$ counts the free
# weights, means and covariances. The smaller the better; the plot shows $-\mathrm{BIC}/2n$, so that higher is better.

# %%
sizes = np.arange(1, 11)
best = [max((fit(x, start(x, int(K), seeded(s), reg=1e-6), steps=60, reg=1e-6) for s in range(3)),
            key=lambda run: run[1][-1])[0] for K in sizes]
scores_of = {"training": np.array([m.log_prob(x).mean().item() for m in best]),
          "held out": np.array([m.log_prob(x_held_out).mean().item() for m in best]),
          "−BIC / 2n": np.array([-bic(m, x) / (2 * len(x)) for m in best])}
show(curves(sizes, scores_of, title="Training always wants more; the other two turn at the truth",
            xlabel="components K", ylabel="nats per point"),
     alt="Nats per point for one to ten components. Highest: " + ", ".join(
         f"{name} at {sizes[values.argmax()]}" for name, values in scores_of.items()))

# %%
with claim_table():
    claim("Training: ten components are ahead of three, in nats per point, by",
          best[9].log_prob(x) - best[2].log_prob(x), above=0)
    claim("Held out: three components are ahead of ten, in nats per point, by",
          best[2].log_prob(x_held_out) - best[9].log_prob(x_held_out), above=0.05)
    claim("BIC chooses this many components", sizes[scores_of["−BIC / 2n"].argmax()], near=3, within=0)

# %% [markdown]
# ## Continuous latent variables: from K clusters to infinitely many
# A cluster number says *which*, not *where in between*. With twenty clusters there are twenty means, and a style shared
# by all digits, like slant, is learned in each anew. Let the latent variable be a number, $z \sim \mathcal{N}(0, 1)$, and
# let a small network say which Gaussian belongs to it: $x \mid z \sim \mathcal{N}(\mu(z), \sigma(z)^2 I)$. (A covariance
# that is a multiple of $I$ is **isotropic**: round.) The sum becomes an integral over infinitely many Gaussians,
# approximated at even steps $z_k$:
#
# $$p(x) = \int p(z)\,p(x \mid z)\,dz \;\approx\; \sum_k \pi_k\,\mathcal{N}\bigl(x; \mu(z_k), \sigma(z_k)^2 I\bigr),
#   \qquad \pi_k \propto p(z_k).$$

# %%
rng = seeded(8)
w, b, W = (scale * torch.randn(*shape, generator=rng, dtype=torch.float64)
           for scale, shape in ((3, (8,)), (2, (8,)), (1, (8, 3))))

def network(z):
    """μ(z), shape (K, 2), and σ(z), shape (K,)."""
    out = torch.tanh(z[:, None] * w + b) @ W
    return 2.2 * torch.tanh(out[:, :2] / 2), 0.12 * torch.exp(0.25 * torch.tanh(out[:, 2]))

def bent(K):
    """The mixture of the Gaussians at K even steps of z."""
    z = torch.linspace(-4, 4, K, dtype=torch.float64)
    mu, sigma = network(z)
    return GaussianMixture((-z**2 / 2).softmax(dim=0), mu, (sigma**2)[:, None, None] * torch.eye(2))

axis, places = plane(3.0, 81)
density = {K: bent(K).log_prob(torch.tensor(places)).exp() for K in (5, 15, 50, 200, 400)}
show(bent_lines(axis, {f"{K} values of z": (density[K] ** 0.5, bent(K).mu) for K in (5, 15, 50, 200)},
                title="One number z, bent by a network of 40 weights (dots: centres μ(z); shade: √p)"),
     alt="Four densities in the plane with orange dots on their centres, of 5, 15, 50 and 200 Gaussians on a bent line")

# %%
z = torch.randn(20_000, generator=seeded(), dtype=torch.float64)                    # ancestral sampling, as before
mu_z, sigma_z = network(z)
drawn = mu_z + sigma_z[:, None] * torch.randn(20_000, 2, generator=seeded(1), dtype=torch.float64)
left_half = torch.tensor(np.heaviside(-places[:, 0].round(9), 0.5))                  # a point on the border: half
inside = (density[200] * left_half).sum() / density[200].sum()
off = {K: (density[K] - density[400]).abs().mean() / density[400].mean() for K in (5, 200)}
with claim_table():
    claim("Five Gaussians are far from the limit: mean difference, relative to the mean density", off[5], above=0.8)
    claim("Two hundred have reached it: the same mean difference", off[200], below=0.03)
    claim("The limit is a density: its integral over the square", density[200].sum() * (axis[1] - axis[0]) ** 2, near=1,
          within=0.005)
    claim("Share of samples on the left half, minus the integral's", (drawn[:, 0] < 0).double().mean() - inside, near=0,
          within=0.012)

# %% [markdown]
# Sampling stays as easy as before. The density does not: with one latent number, hundreds of Gaussians fill the line;
# with twenty, each on a grid of ten, there would be $10^{20}$. And the E-step's table of responsibilities becomes a
# density over $z$ that no formula gives. What survives is the bound $\mathcal{L}(r, \theta)$, for it holds for *any*
# $r$. Let another network propose $r$, and you have a **variational autoencoder** (VAE).

# %% [markdown]
# ## Going further
# ### The M-step ends at the top
# **The derivative.** Nudge a positive definite $A$ by a symmetric $u B$. With the eigenvalues $\nu_i$ of $A^{-1} B$,
# $\log |A + u B| = \log |A| + \sum_i \log (1 + u \nu_i)$. Its slope at $u = 0$ is $\sum_i \nu_i = \mathrm{tr}(A^{-1}
# B)$: that is $\partial \log |A| / \partial A = A^{-1}$. Each term is concave in $u$, so $\log |A|$ is concave.
#
# **The top.** Write the Gaussian with the precision $P = \Sigma^{-1}$ and $\eta = P \mu$:
# $\log \mathcal{N} = \eta^\top x - \frac12 x^\top P x + \frac12 \log |P| - \frac12 \eta^\top P^{-1} \eta$ and a constant. The
# first two terms are linear in $\eta$ and $P$, the third is concave. So is the last: it is
# $\min_v \bigl(\frac12 v^\top P v - v^\top \eta\bigr)$, the least of functions that are linear in $\eta$ and $P$. A concave
# function that is flat at a point has its maximum there. And $\sum_k N_k \log \pi_k$ is
# $-n\,\mathrm{KL}(N / n \,\|\, \pi)$ and a constant: largest where that KL is 0.

# %%
P = torch.linalg.inv(theta[2])
eta = (P @ theta[1][:, :, None])[:, :, 0]
by_autograd = torch.func.grad(lambda A: torch.logdet(A).sum())(P)

def bend(rng, h=1e-3):
    """Second difference of Q along a random line in log π, Σ⁻¹μ and Σ⁻¹, through where EM began (no flat point)."""
    a, e, B = (torch.randn(shape, generator=rng, dtype=torch.float64) for shape in ((3,), (3, 2), (3, 2, 2)))
    q = []
    for u in (-h, 0, h):
        cov = torch.linalg.inv(P + u * (B + B.mT))
        q.append(Q(theta[0].log() + u * a, (cov @ (eta + u * e)[:, :, None])[:, :, 0], cov))
    return (q[0] - 2 * q[1] + q[2]).item() / h**2

rng = seeded()
with claim_table():
    claim("The derivative of log |A| is the inverse of A: largest difference", (by_autograd - theta[2]).abs().max(),
          below=1e-9, exact=True)
    claim("Q bends down along each of 200 random lines", np.array([bend(rng) for _ in range(200)]), below=0, exact=True)

# %% [markdown]
# ### k-means is a limit of EM
# Let all weights be equal, and all covariances $\sigma^2 I$ with one small $\sigma^2$. Then $r_{ik}$ is proportional to
# $e^{-|x_i - \mu_k|^2 / 2 \sigma^2}$: as $\sigma$ shrinks, it tends to 1 for the nearest mean and to 0 for all others (a
# **hard assignment**), and the M-step averages each group. That is k-means.

# %%
distance2 = ((x[:, None] - first.mu) ** 2).sum(dim=2)
nearest = torch.eye(3, dtype=torch.float64)[distance2.argmin(dim=1)]
tight = GaussianMixture(torch.full((3,), 1 / 3), first.mu, 1e-8 * torch.eye(2).expand(3, 2, 2))
claim("Small round components share points out as k-means does: largest difference of responsibilities",
      (tight.log_posterior(x).exp() - nearest).abs().max(), below=1e-6, exact=True)

# %% [markdown]
# So the *step* is the same, too. Only the means move. The part of $Q$ that depends on them is
# $-\sum_i \sum_k r_{ik}\,|x_i - \mu_k|^2 / 2\sigma^2$, and to make that large is to make the sum of squared distances
# small, which is what k-means does. We hold EM with a fixed $\sigma$ against scikit-learn's `KMeans`, from the same
# start.

# %%
from sklearn.cluster import KMeans

def em_means(mu, sigma, steps):
    """The means [K, 2] after some steps of EM in which only the means move; all components are alike and round."""
    for _ in range(steps):
        r = (-((x[:, None] - mu) ** 2).sum(dim=2) / (2 * sigma**2)).softmax(dim=1)
        mu = r.T @ x / r.sum(dim=0)[:, None]
    return mu

def k_means(mu, steps):
    """The means [K, 2] after at most so many steps of scikit-learn's k-means."""
    done = KMeans(3, init=mu.numpy(), n_init=1, max_iter=steps, tol=0, algorithm="lloyd").fit(x.numpy())
    return torch.tensor(done.cluster_centers_)

sigmas = np.array([0.01, 0.1, 0.2, 0.4, 0.8, 1.6])
apart = {name: np.array([(em_means(first.mu, s, steps) - k_means(first.mu, steps)).norm(dim=1).max() for s in sigmas])
         for name, steps in (("after one step", 1), ("after 100 steps", 100))}
show(curves(sigmas, apart, title="With a small σ, a step of EM is a step of k-means", xlabel="σ",
            ylabel="largest distance of a mean"),
     alt="Largest distance between a mean of EM and that of k-means, from the smallest σ to the largest: " + "; ".join(
         f"{name}, {', '.join(f'{value:.2f}' for value in values)}" for name, values in apart.items()))

# %%
with claim_table():
    for steps in (1, 100):
        claim(f"σ = 0.0001, {steps} step{'s' * (steps > 1)}: largest difference of EM's means and scikit-learn's",
              (em_means(first.mu, 1e-4, steps) - k_means(first.mu, steps)).abs().max(), below=1e-9, exact=True)
    starts = [start(x, 3, seeded(seed), "random points").mu for seed in range(10)]
    claim("σ = 1.6, one step from each of ten starts: largest distance of a mean from that of k-means",
          np.array([(em_means(mu, 1.6, 1) - k_means(mu, 1)).norm(dim=1).max() for mu in starts]), above=0.5)

# %% [markdown]
# ### Label switching: an average that means nothing
# The likelihood does not know the numbers of the components: the sum over $k$ is the same in each order. So each optimum
# comes in $K!$ copies, equally high. Ten starts find the same three clusters, in different orders. What happens
# to whoever averages the ten results, $\mu_1$ with $\mu_1$ and so on?

# %%
predict("02.switch", "Average the ten fits from k-means, number by number. Where are the three means?",
        options=["at the three clusters", "all near the middle of the data", "far outside the data"])

# %%
import itertools

def renamed(model, order):
    return GaussianMixture(*(value[list(order)] for value in (model.pi, model.mu, model.cov)))

def aligned(model, target):
    """The copy of a model whose means are nearest to those of another."""
    return min((renamed(model, o) for o in itertools.permutations(range(3))), key=lambda m: (m.mu - target.mu).norm())

def average(models):
    """A mixture of the averaged parameters, number by number."""
    return GaussianMixture(*(torch.stack(values).mean(dim=0) for values in
                             zip(*((m.pi, m.mu, m.cov) for m in models), strict=True)))

ten = [model for model, _ in runs["k-means"]]
copies = torch.stack([renamed(ten[0], o).log_prob(x) for o in itertools.permutations(range(3))])
orders = len({tuple(m.mu[:, 0].argsort().tolist()) for m in ten})
by_number, by_place = average(ten), average([aligned(m, ten[0]) for m in ten])

# %%
show(clouds({"one of the ten": (x, ten[0].log_posterior(x).exp(), ten[0].mu, ten[0].cov),
             "averaged by number": (x, by_number.log_posterior(x).exp(), by_number.mu, by_number.cov),
             "aligned, then averaged": (x, by_place.log_posterior(x).exp(), by_place.mu, by_place.cov)},
            title=f"Ten fits in {orders} different orders, and two ways to average them"),
     alt="The points with three ellipses each: of one fit; of the average by number; of the average of aligned fits. "
         "Nats per point " + ", ".join(f"{m.log_prob(x).mean():.2f}" for m in (ten[0], by_number, by_place)))

# %%
spread = {name: (m.mu - x.mean(dim=0)).norm(dim=1).mean().item() for name, m in
          (("one fit", ten[0]), ("averaged", by_number))}
reveal("02.switch", spread, lambda s: "all near the middle of the data" if s["averaged"] < 0.7 * s["one fit"] else
       "at the three clusters" if s["averaged"] < 1.3 * s["one fit"] else "far outside the data")
with claim_table():
    claim("All 3! = 6 orders have the same log p(x): largest difference", (copies - copies[0]).abs().max(), below=1e-9,
          exact=True)
    claim("Averaged by number, the fit loses, in nats per point", ten[0].log_prob(x) - by_number.log_prob(x), above=0.5)
    claim("Aligned first, the average loses, in nats per point", ten[0].log_prob(x) - by_place.log_prob(x), near=0,
          within=1e-3)

# %% [markdown]
# In a Bayesian treatment with the same prior for each component, all $K!$ orders are equally probable. So the posterior
# mean of $\mu_k$ is the same for each $k$, whatever the data say. **Repair:** align the components first, as here, or
# average what has no numbers, like the density $p(x)$.

# %% [markdown]
# ### Digits: a mixture in pixel space
# A full covariance of all pixels is large. So we describe a picture by fewer numbers, its **principal component
# scores**, the coordinates $c = V^\top (x - m)$: $m$ is the mean picture, and the columns of $V$ are orthonormal, the
# directions of largest variance. What is left over counts as isotropic noise $\varepsilon$ of variance $s^2$ in each
# other direction. So
# $x = m + V c + \varepsilon$ is still a Gaussian mixture in *pixel* space, with
# $\Sigma_k^{\text{pixel}} = V \Sigma_k V^\top + s^2 (I - V V^\top)$. The labels are not used.

# %%
train, test = load_mnist("train")[:6_000].halved(), load_mnist("test").halved()      # 14 x 14 pixels
space = Subspace.of(train.flat(), d=30)
c, c_test = space.project(train.flat()), space.project(test.flat())
fitted = {K: fit(c, start(c, K, seeded(), reg=0.01), steps=steps, reg=0.01)[0] for K, steps in ((1, 1), (20, 12))}
claim("Held out, twenty components gain over a single Gaussian, in nats a picture",
      fitted[20].log_prob(c_test) - fitted[1].log_prob(c_test), above=8)

def pictures(c):
    return (space.mean + c @ space.V.T).view(-1, 14, 14)

rows = [pictures(fitted[K].sample(10, seeded(3))[0]) for K in (1, 20)] + [pictures(c_test[:10])]
show(images(torch.cat(rows), row_labels=["one Gaussian", "20 components", "real digits"],
            title="New digits, drawn and shown without the noise ε"),
     alt="Three rows of ten pictures: drawn from a single Gaussian, drawn from twenty components, and real digits in "
         "the same thirty numbers")

# %% [markdown]
# A single Gaussian draws overlaid strokes of all digits at once. A mixture chooses first, so each draw comes from one
# cluster. Did it find the ten classes?

# %%
predict("02.purity", "Name each cluster after its most frequent digit. What percentage of test pictures is then "
        "named right?", low=0, high=100)

# %%
cluster = fitted[20].log_joint(c_test).argmax(dim=1)
table = np.zeros((20, 10), dtype=int)
np.add.at(table, (cluster.numpy(), test.labels.numpy()), 1)
share = table.max(axis=1) / table.sum(axis=1).clip(1)
names = [f"{digit}: {s:.0%}" for digit, s in zip(table.argmax(axis=1), share, strict=True)]
order = table.argmax(axis=1).argsort(kind="stable")
show(images(pictures(fitted[20].mu[order]), labels=[names[i] for i in order],
            title="Each cluster's mean, its most frequent digit and that digit's share"),
     alt="Twenty average digits, with each cluster's most frequent digit and its share: " +
         ", ".join(names[i] for i in order))
reveal("02.purity", 100 * table.max(axis=1).sum() / len(test))
with claim_table():
    claim("Purity: share of test digits named right by their cluster", table.max(axis=1).sum() / len(test), near=0.78,
          within=0.05)
    claim("Adjusted Rand index (1: clusters are labels, 0: chance)", adjusted_rand_score(test.labels, cluster),
          near=0.44, within=0.07)

# %% [markdown]
# Clusters are not classes. A slanted 1 and an upright 1 are two clusters; a 4 and a 9 are often one. **Purity** counts
# what the names get right; the **adjusted Rand index** compares, pair by pair, who is together. It punishes splitting a
# digit into its styles, which the likelihood rewards. Nobody told the model about digits.
#
# ### Conditional distributions: half of it hidden
# Sort each component's $\mu$ and $\Sigma$ by hidden pixels $h$ and seen ones $o$: $\Sigma_{ho}$ has the hidden rows and
# the seen columns. Given $x_o$, the hidden pixels are Gaussian in each component $k$ (index left out), with
#
# $$\text{mean } \mu_h + \Sigma_{ho} \Sigma_{oo}^{-1} (x_o - \mu_o), \qquad
#   \text{covariance } \Sigma_{hh} - \Sigma_{ho} \Sigma_{oo}^{-1} \Sigma_{oh},$$
#
# and the weights become $p(k \mid x_o)$. All of it is exact.

# %%
pixel = {K: space.lift(model) for K, model in fitted.items()}
seen = torch.arange(196) < 98                                                       # the upper half
digit = torch.stack([test.flat()[test.labels == k][3] for k in range(10)])
mean = pixel[20].inpaint(digit, seen)
drawn = digit.clone().double()
for i in range(10):
    drawn[i, ~seen] = pixel[20].condition(digit[i], seen).sample(1, seeded(i))[0][0]

show(images(torch.cat([digit * seen, mean, drawn, digit]).view(40, 14, 14),
            row_labels=["seen", "mean", "drawn", "truth"], title="The lower half, from the exact conditional"),
     alt="Upper halves of ten digits; the same completed by the conditional mean; by a draw; the whole digits")

# %%
hidden_given_seen = torch.stack([pixel[20].condition(d, seen).log_prob(d[None, ~seen])[0] for d in digit])
difference = hidden_given_seen - (pixel[20].log_prob(digit) - pixel[20].log_prob(digit, seen))

some_test = test.flat()[:500]
error = {K: ((pixel[K].inpaint(some_test, seen) - some_test) ** 2)[:, ~seen].sum(dim=1) for K in (1, 20)}
blank = ((train.flat().mean(dim=0) - some_test) ** 2)[:, ~seen].sum(dim=1)
with claim_table():
    claim("log p(h | o) is log p(x) − log p(o): largest difference", difference.abs().max(), below=1e-6, exact=True)
    claim("One Gaussian's squared error is below that of the average picture, per picture by", blank - error[1],
          above=0.5)
    claim("Twenty components' squared error is below one Gaussian's, per picture by", error[1] - error[20],
          above=0.2)

# %% [markdown]
# Where the components disagree the mean is blurred: it is the answer with the least squared error, not a likely digit.
# From their upper halves the 2 and the 3 look like a 1, and the model says so. A draw commits itself; it also carries
# the grain $\varepsilon$, in place of strokes that thirty numbers leave out. And the
# model may answer less than white or more than black: a Gaussian knows no edges.
#
# ### Missing data: EM without filling in
# Now half of the training pictures' principal component scores are hidden, at random. A common habit, **mean
# imputation**, fills each gap with that coordinate's average. EM needs no filling: the hidden coordinates are one more
# latent variable. The E-step takes $p(k \mid x_o)$; the M-step uses the conditional mean of what is hidden
# *and adds its conditional covariance*, for a guess is not a measurement.

# %%
space6 = Subspace.of(train.flat(), d=6)
full, full_test = space6.project(train.flat()[:2_000]), space6.project(test.flat())
observed = torch.rand(full.shape, generator=seeded()) < 0.5
gappy = torch.where(observed, full, torch.nan)
filled = torch.where(observed, full, gappy.nanmean(dim=0))

begin = start(filled, 8, seeded(), reg=0.01)
models = {"nothing hidden": fit(full, begin, steps=15, reg=0.01)[0],
          "exact marginals": fit_missing(gappy, observed, begin, steps=15, reg=0.01)[0],
          "averages filled in": fit(filled, begin, steps=15, reg=0.01)[0]}
score = {name: model.log_prob(full_test) for name, model in models.items()}
print({name: round(nats.mean().item(), 2) for name, nats in score.items()}, "nats per held-out picture")

# %%
show(scatters({name: model.sample(2_000, seeded())[0][:, :2] for name, model in models.items()},
              title="What each has learned: 2,000 draws", xlabel="coordinate $c_1$", ylabel="coordinate $c_2$"),
     alt="Three clouds of draws in the plane of the first two coordinates: learned with nothing hidden, by exact "
         "marginals, and from filled-in averages")

def biased(j):
    """How far the mean of score j is estimated too low, in standard deviations, if its larger half is hidden."""
    mask = torch.ones_like(observed)
    mask[:, j] = full[:, j] < full[:, j].median()
    model, _ = fit_missing(full, mask, start(full, 1, seeded()), steps=30)
    return ((full[:, j].mean() - model.mu[0, j]) / full[:, j].std()).item()

with claim_table():
    claim("Exact marginals are ahead of filled-in averages, in nats a picture, by",
          score["exact marginals"] - score["averages filled in"], above=0.7)
    claim("Having seen everything is still worth, in nats a picture",
          score["nothing hidden"] - score["exact marginals"], above=0.1, below=1)
    claim("Hidden where it is large, a score's mean is estimated too low, in standard deviations, by",
          np.array([biased(j) for j in range(6)]), above=0.5)

# %% [markdown]
# The cross is made of filled-in averages: the fit takes them for facts. What was hidden must stay uncertain. And EM is
# safe only if data are **missing at random**: given what is seen, whether a number is hidden must not depend on its
# value. The last row of the table hides the larger half of one score, and its mean comes out too low.

# %% [markdown]
# ### Missing at random: what it takes, and what breaks without it
# Take pairs $(x_1, x_2)$ in which $x_1$ is always seen, and $x_2$ in about half of them. Rubin told three ways apart in
# which $x_2$ may be hidden: **missing completely at random** (MCAR), missing at random (MAR) and **missing not at
# random** (MNAR).
#
# | Name | Whether $x_2$ is hidden depends on | Example |
# |---|---|---|
# | MCAR | nothing | a sensor fails now and then |
# | MAR | what is seen, here $x_1$ | the second test is given to those who failed the first |
# | MNAR | what is hidden, $x_2$ itself | the rich do not tell their income |
#
# That a point's coordinates $o$ were seen, and which values they have, has the likelihood
# $p(x_o, o) = \int p(x)\,p(o \mid x)\,dx_h$. If $p(o \mid x)$ depends on $x_o$ alone, it leaves the integral:
# $p(x_o, o) = p(o \mid x_o)\,p(x_o)$, and whoever maximises $p(x_o)$, as EM does, need not know it. Otherwise it stays
# inside, and EM maximises something else.
#
# We draw pairs from a Gaussian with means 0, variances 1 and a strong correlation, hide $x_2$ in each of the three ways, and
# estimate its mean twice: from the pairs that are complete (**complete-case analysis**), and by EM.

# %%
predict("02.mar", "x₂ is mostly hidden where x₁ is large. Whose mean of x₂ is right?",
        options=["complete cases and EM", "EM only", "complete cases only", "neither"])

# %%
correlation, often = 0.8, 0.9
WAYS = ("completely at random", "at random", "not at random")

def hide(x, way, rng):
    """Mask of what is seen: x₂ is hidden 9 times in 10 where x₁ (or x₂ itself) is above 0, else 1 time in 10."""
    large = {"at random": x[:, 0] > 0, "not at random": x[:, 1] > 0}.get(way)
    p = torch.full((len(x),), 0.5) if large is None else torch.where(large, often, 1 - often)
    return torch.stack([torch.ones(len(x)), 1 - torch.bernoulli(p, generator=rng)], dim=1).bool()

def two_means(way, seed, n=500):
    """The mean of x₂ in one data set: of complete pairs, by EM, and by Anderson's formula. The truth is 0."""
    rng = seeded(seed)
    e = torch.randn(n, 2, generator=rng, dtype=torch.float64)
    pairs = torch.stack([e[:, 0], correlation * e[:, 0] + math.sqrt(1 - correlation**2) * e[:, 1]], dim=1)
    seen = hide(pairs, way, rng)
    complete = pairs[seen[:, 1]]
    begin = GaussianMixture(torch.ones(1), complete.mean(dim=0)[None], complete.T.cov()[None])
    by_em = fit_missing(torch.where(seen, pairs, torch.nan), seen, begin, steps=20)[0].mu[0, 1]
    covariance = complete.T.cov(correction=0)
    slope = covariance[0, 1] / covariance[0, 0]
    anderson = complete[:, 1].mean() + slope * (pairs[:, 0].mean() - complete[:, 0].mean())
    return complete[:, 1].mean(), by_em, anderson

means = {way: np.array([two_means(way, seed) for seed in range(12)]) for way in WAYS}       # (12 data sets, 3)

# %%
shown = {"complete cases": [means[way][:, 0].mean() for way in WAYS], "EM": [means[way][:, 1].mean() for way in WAYS]}
show(bars([f"missing {way}" for way in WAYS], shown, title="EM is right if what is hidden depends on what is seen",
          xlabel="", ylabel="mean of $x_2$, average of 12 sets", baseline=(0, "truth")),
     alt="Bars of the estimated mean of x₂, whose truth is 0: " + "; ".join(
         f"missing {way}, complete cases {shown['complete cases'][i]:.2f}, EM {shown['EM'][i]:.2f}"
         for i, way in enumerate(WAYS)))
reveal("02.mar", {"complete cases": means["at random"][:, 0].mean(), "EM": means["at random"][:, 1].mean()},
       lambda m: {(True, True): "complete cases and EM", (False, True): "EM only", (True, False): "complete cases only",
                  (False, False): "neither"}[abs(m["complete cases"]) < 0.1, abs(m["EM"]) < 0.1])

q = (2 * often - 1) * math.sqrt(2 / math.pi)             # minus the mean of seen x₁ (at random) or x₂ (not at random)
slope = correlation * (1 - q**2) / (1 - correlation**2 * q**2)          # of x₂ on x₁ among pairs chosen by x₂
with claim_table():
    claim("Completely at random: the mean of complete cases", means["completely at random"][:, 0], near=0, within=0.1)
    claim("At random: the mean of complete cases, less its limit", means["at random"][:, 0] + correlation * q,
          near=0, within=0.1)
    claim("At random: the mean by EM", means["at random"][:, 1], near=0, within=0.1)
    claim("EM ends at Anderson's formula: largest difference, all three ways",
          max(np.abs(np.diff(m[:, 1:])).max() for m in means.values()), below=1e-3, exact=True)
    claim("Not at random: the mean by EM, less its limit", means["not at random"][:, 1] + q * (1 - slope * correlation),
          near=0, within=0.1)
    claim("Not at random: the mean by EM", means["not at random"][:, 1], below=-0.2)

# %% [markdown]
# Under MAR the complete pairs are mostly those with small $x_1$, and so with small $x_2$. EM sees all $x_1$ and
# corrects for that: for a Gaussian, Anderson gave the answer in closed form, the mean of the complete pairs moved
# along their regression line to the mean of all $x_1$. The line itself is right, for given $x_1$ nothing more was
# selected. Under MNAR it is not: pairs were chosen by $x_2$, and the line is too flat. EM then repairs a part of
# the error, by what $x_1$ tells of $x_2$, and no more.
#
# We know this because we hid the numbers ourselves. Whoever has only what was seen must *argue* that the rest is
# missing at random: from how data came about.

# %% [markdown]
# ## Your turn
# **1.** The E-step for axis-parallel Gaussians, in logs. Points may lie far away, so do not leave the logs.

# %% tags=["exercise"]
def log_responsibilities(x, pi, mu, var):
    """log p(k | x), shape (n, K), from x (n, D), weights pi (K,), means mu (K, D) and variances var (K, D)."""
    ### BEGIN SOLUTION
    distance2 = ((x[:, None] - mu) ** 2 / var).sum(dim=2)
    log_joint = pi.log() - 0.5 * (distance2 + var.log().sum(dim=1))
    return log_joint - log_joint.logsumexp(dim=1, keepdim=True)
    ### END SOLUTION

# %%
check("02.log_responsibilities", log_responsibilities)

# %% [markdown]
# **2.** Sample from a mixture on the line, from random numbers that are handed in: `u` uniform in $[0, 1)$ picks the
# component (the first whose cumulated weight exceeds `u`), `e` from $\mathcal{N}(0, 1)$ makes the point.

# %% tags=["exercise"]
def sample_mixture(u, e, pi, mu, sigma):
    """One point for each pair of u and e, both (n,); weights pi, means mu and standard deviations sigma are (K,)."""
    ### BEGIN SOLUTION
    k = (u[:, None] >= pi.cumsum(dim=0)[:-1]).sum(dim=1)
    return mu[k] + sigma[k] * e
    ### END SOLUTION

# %%
check("02.sample_mixture", sample_mixture)

# %% [markdown]
# **3.** Only $x_1$ of a point in the plane was seen. What is the mean of $x_2$ given that, under the whole mixture?
# (The formulas are those of *Conditional distributions*.)

# %% tags=["exercise"]
def expected_x2(x1, pi, mu, cov):
    """E[x_2 | x_1], shape (n,), for x1 (n,), weights pi (K,), means mu (K, 2), covariances cov (K, 2, 2)."""
    ### BEGIN SOLUTION
    difference = x1[:, None] - mu[:, 0]
    log_joint = pi.log() - 0.5 * (difference**2 / cov[:, 0, 0] + cov[:, 0, 0].log())
    mean = mu[:, 1] + cov[:, 1, 0] / cov[:, 0, 0] * difference
    return (log_joint.softmax(dim=1) * mean).sum(dim=1)
    ### END SOLUTION

# %%
check("02.expected_x2", expected_x2)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(GaussianMixture)

# %%
show_source(em_step)

# %% [markdown] words="never: proved in the section on the M-step and measured there at each step"
# ## What to keep
# - A mixture adds densities: choose, then draw. The choice is a latent variable; its posterior is the responsibility.
# - $\log p(x) = \mathcal{L}(r, \theta) + \mathrm{KL}(r \,\|\, p(k \mid x))$. The E-step makes the KL zero, the M-step
#   raises the bound $\mathcal{L}$.
# - The likelihood never falls (unless `reg` is added), has no ceiling, and grows with $K$: start well, regularize,
#   choose $K$ by held-out data.
#
# **Read on:**
#
# - A. P. Dempster, N. M. Laird, D. B. Rubin, [*Maximum Likelihood from Incomplete Data via the EM
#   Algorithm*](https://doi.org/10.1111/j.2517-6161.1977.tb01600.x), Journal of the Royal Statistical Society B 39
#   (1977).
# - Z. Ghahramani, M. I. Jordan, [*Supervised Learning from Incomplete Data via an EM
#   Approach*](https://proceedings.neurips.cc/paper/1993/hash/f2201f5191c4e92cc5af043eebfd0946-Abstract.html), NIPS 6
#   (1994).
# - G. Schwarz, [*Estimating the Dimension of a Model*](https://doi.org/10.1214/aos/1176344136), Annals of Statistics 6
#   (1978).
#
# - D. B. Rubin, [*Inference and Missing Data*](https://doi.org/10.1093/biomet/63.3.581), Biometrika 63 (1976).
# - T. W. Anderson, [*Maximum Likelihood Estimates for a Multivariate Normal Distribution when Some Observations are
#   Missing*](https://doi.org/10.1080/01621459.1957.10501379), Journal of the American Statistical Association 52 (1957).
# - M. Stephens, [*Dealing with Label Switching in Mixture Models*](https://doi.org/10.1111/1467-9868.00265), Journal of
#   the Royal Statistical Society B 62 (2000).
#
# **Next:** notebook 02b, mixtures with memory, where each choice depends on the last; or straight on to notebook 03, the
# bound itself.
