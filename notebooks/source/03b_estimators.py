# %% [markdown]
# # 03b · Gradient estimators: score function and reparametrisation
#
# The ELBO is an average over $q$. A program averages a few draws, and must then climb.
# **Which way is up, and how much noise is in the answer?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | derive two gradient estimators, compare their variances, and tell where each of them fails |
# | You need | the ELBO of notebook 03, partial derivatives under an integral, autograd (`torch.func.grad`) |
# | Time | 10 seconds to run · seed 0 |

# %%
import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from course_lib.chapters.nb03b.plots import estimates, logarithmic, powers
from course_lib.live import explore
from course_lib.plots import bars, curves, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

def noise(*shape, seed=0):
    """Standard normal numbers: same seed, same numbers. In float64, so that rounding errors stay small."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)

def error_in_its_own_unit(values, truth):
    """How many standard errors, standard deviation over √n, the mean of n `values` lies above the truth."""
    return (values.mean() - truth) / (values.std() / len(values) ** 0.5)

# %% [markdown] tags=["teacher"]
# **For the teacher.** One lesson with the exercises. The first prediction divides a class well: most say ten. Put the
# two derivations side by side on the board, and ask for each which function is differentiated: that alone explains the
# jump, the wiggle and the narrow $q$.
#
# - **Prepare.** Two halves of the board, one for each estimator.
# - **03b.variance.** “ten times larger”: most say so. Which factor multiplies every term of the sum?
# - **03b.step.** “the right value, with much noise”. Differentiate a step by hand.
# - **03b.best_baseline.** “at E[f]”, the usual one. Its best value weighs f by the squared score.
# - **03b.landing.** “the full one”, since the other lands without noise. But only where $s$ is the posterior's.
# - **03b.temperature.** “less of both”. Draw the softmax as it gets steeper.

# %% [markdown]
# ## A gradient through an expectation
# A picture has $D$ pixels, all inked. Pixel $j$ has its own latent number $z_j$ and is inked with probability
# $\sigma(z_j) = 1 / (1 + e^{-z_j})$, and $q(z) = \prod_j \mathcal{N}(z_j; \mu_j, s^2)$. The ELBO holds the average
# $F(\mu) = \mathbb{E}_q[f(z)]$ of $f(z) = \log p(x \mid z) = \sum_j \log \sigma(z_j)$. We want
# $\partial F / \partial \mu_1$. (The ELBO's other term, the KL divergence of $q$ from a Gaussian prior, has a formula
# that can be differentiated without any draw, so we leave it out.)
#
# $F$ is a sum over the pixels, and only the first term holds $\mu_1$. So the exact answer is one integral over a line,
# whatever $D$ is. In code, `F` is that one term, and all $\mu_j$ have the same value, `mu`. A sum over a fine grid,
# times the grid's spacing, replaces the integral: that is **quadrature**. ($\mu$ and $s$ are **variational
# parameters**: they belong to $q$, the variational distribution.)

# %%
mu, s = torch.tensor(0.5, dtype=torch.float64), 1.0
z_grid = torch.linspace(-12, 12, 4_801, dtype=torch.float64)
dz = z_grid[1] - z_grid[0]

def F(mu):
    """E_q[log sigmoid(z)] by quadrature."""
    return (Normal(mu, s).log_prob(z_grid).exp() * logsigmoid(z_grid)).sum() * dz

exact = torch.func.grad(F)(mu)
claim("The exact gradient less a finite difference, of F a small step to both sides",
      exact - (F(mu + 1e-4) - F(mu - 1e-4)) / 2e-4, near=0, within=1e-8, exact=True)

# %% [markdown]
# **The score-function estimator** (also REINFORCE, or likelihood ratio). Differentiate the integral; $f$ does not
# contain $\mu_1$, $q$ does. Since $\partial q = q\, \partial \log q$, the derivative is an average over $q$ again, one
# that draws can estimate. The **score**, or **score function**, is the derivative of $\log q$ with respect to a
# parameter. Here $\log q(z) = -(z_1 - \mu_1)^2 / (2 s^2)$ plus terms without $\mu_1$, so the score is
# $(z_1 - \mu_1) / s^2$:
#
# $$\frac{\partial}{\partial \mu_1} \int q(z)\, f(z)\, dz
#   = \int q(z)\, f(z)\, \frac{\partial \log q(z)}{\partial \mu_1}\, dz
#   = \mathbb{E}_q\Bigl[f(z)\, \frac{z_1 - \mu_1}{s^2}\Bigr] .$$
#
# **Reparametrisation** (also pathwise gradient). Move $\mu$ out of $q$ instead: $z_j = \mu_j + s\,\varepsilon_j$ with
# $\varepsilon_j \sim \mathcal{N}(0, 1)$. What is drawn no longer depends on $\mu$, so the derivative goes inside, and
# by the chain rule
#
# $$\frac{\partial}{\partial \mu_1}\, \mathbb{E}_\varepsilon[f(\mu + s\,\varepsilon)]
#   = \mathbb{E}_\varepsilon\Bigl[\frac{\partial f}{\partial z_1}(\mu + s\,\varepsilon)\Bigr] .$$
#
# The first needs only values of $f$. The second needs its **slope**, $\partial f / \partial z_1$; for our $f$ it is
# $1 - \sigma(z_1) = \sigma(-z_1)$. (*Going further* says when derivative and integral may be swapped.)
# (Texts on diffusion models and score matching call $\partial \log p(x) / \partial x$ the score, too: a derivative with
# respect to the *place*, not a parameter.)

# %%
def f(z):
    """log p(x | z) of a picture that is all ink: (n, D) to (n,)."""
    return logsigmoid(z).sum(dim=1)

def score_function(f, eps, baseline=0.0):
    """One estimate of the gradient with respect to each mu_j from each draw, (n, D). The baseline is 0 for now."""
    return (f(mu + s * eps) - baseline)[:, None] * eps / s          # (z − mu)/s² = eps/s

def reparametrised(f, eps):
    """The same, through the draw: each z_j moves with its own mu_j, at rate 1."""
    z = (mu + s * eps).requires_grad_()
    return torch.autograd.grad(f(z).sum(), z)[0]

eps = noise(100_000, 3)
with claim_table():
    for name, values in (("score function", score_function(f, eps)), ("reparametrised", reparametrised(f, eps))):
        claim(f"The {name} estimate is unbiased: its mean less the exact gradient, in standard errors",
              error_in_its_own_unit(values[:, 0], exact), near=0, within=4)

# %% [markdown]
# (In `reparametrised` the sum serves autograd, which differentiates one number: the value of a draw depends on its own
# $z$ alone, so each gets its own slope.) Both are right on average: they are **unbiased**. The proof is the two derivations; that the measured means lie within
# a few standard errors is only a check. Most programs take a single draw, so what counts is the variance.
#
# We can have it exactly, too. The variance of an estimate is the mean of its square, less the squared gradient. The
# square is $f(z)^2$ times the squared score, and the score holds $z_1$ alone. Split $f(z)$ in two: its one term that
# depends on $z_1$, in code `g`, and the sum of the other $D - 1$ terms, independent of it. With `a` for the mean of that
# sum and `v` for its variance, the mean of $f(z)^2$ at a given $z_1$ is `(g + a)² + v`. One integral over $z_1$ is left.
#
# The picture shows a third line, for the next section. There a constant, a **baseline**, is subtracted from
# $f$, and so from `a`.

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
           "score function with a baseline": [exact_score_variance(D, D * m_g) for D in sizes],
           "reparametrised": [average(torch.sigmoid(-z_grid)**2) - exact**2] * len(sizes)}
measured = {name: [] for name in formula}
for D in sizes:
    eps = noise(10_000, D, seed=D)
    for values, seen in zip((score_function(f, eps), score_function(f, eps, D * m_g), reparametrised(f, eps)),
                            measured.values(), strict=True):
        seen.append(values[:, 0].var())

show(powers(sizes, formula, measured, title="The score function pays for every pixel, reparametrisation for its own",
            xlabel="pixels D", ylabel="variance of one estimate"),
     alt="Two logarithmic axes, exact lines and measured marks. From 10 pixels to 100 the variance is multiplied by " +
         ", ".join(f"{v[4] / v[2]:.3g} ({name})" for name, v in formula.items()))

# %%
ratio = formula["score function"][4] / formula["score function"][2]
reveal("03b.variance", ratio, lambda r: "a hundred times larger" if r > 30 else "ten times larger" if r > 3 else
       "it stays")
off = [abs(seen / true - 1) for name in formula for seen, true in zip(measured[name], formula[name], strict=True)]
claim("The largest relative distance of a measured variance from the exact one", max(off), below=0.2)
claim("At 100 pixels the score function's variance, over that of reparametrisation",
      formula["score function"][4] / formula["reparametrised"][4], near=84_360, within=50)

# %% [markdown]
# Why the square? The estimate multiplies the *whole* $f$ by the score of one pixel. For large $D$ the sum $f$ is, in proportion, close
# to its mean $D\, \mathbb{E}[\log \sigma(z_1)]$. So the estimate is nearly that constant times the score, which has
# variance $1/s^2$: it has about the variance $D^2\, \mathbb{E}[\log \sigma(z_1)]^2 / s^2$. (Ten times the pixels give a
# little less than a hundred times the variance. For ten pixels terms of order $D$ still add to the $D^2$: the
# variance of $f$, and how its own term varies with the squared score.) The slope
# $\partial f / \partial z_1$ knows which pixel it belongs to: the other terms of $f$ are gone before anything is
# multiplied. Only the line "with a baseline" is left to explain.

# %% [markdown]
# ## A baseline
# A constant $b$, the baseline, may be subtracted from $f$ for nothing, since the score has mean 0:
# $\int q\, \partial \log q = \int \partial q = \partial \int q = \partial 1 = 0$. With $b = \mathbb{E}[f]$ the estimate
# holds only what *varies* in $f$, with variance $D\, \mathrm{Var}(\log \sigma(z_1))$. Nearly all of that comes from other
# pixels, independent of the score. For two independent factors of mean 0 the
# variance of the product is the mean of the product of squares, so the product of the two variances. So the estimate has about the
# variance $D\, \mathrm{Var}(\log \sigma(z_1)) / s^2$: in proportion to $D$, no longer to its square.

# %%
eps = noise(100_000, 10)
with_baseline = score_function(f, eps, baseline=10 * m_g)[:, 0]
with_and_without = formula["score function"], formula["score function with a baseline"]
with claim_table():
    claim("With a baseline the estimate is still unbiased: its error in standard errors",
          error_in_its_own_unit(with_baseline, exact), near=0, within=4)
    for i, limits in ((2, {"near": 18.75, "within": 0.05}), (4, {"near": 189.3, "within": 0.2})):
        claim(f"At {sizes[i]} pixels the baseline divides the variance by", with_and_without[0][i] /
              with_and_without[1][i], **limits)
    claim("At 100 pixels it is, with the baseline, still this many times that of reparametrisation",
          with_and_without[1][4] / formula["reparametrised"][4], near=445.7, within=0.5)

# %% [markdown]
# So a baseline repairs much, and does not make the two level: the score function still pays for the other pixels.
#
# **Live.** Both estimators, a few thousand single draws each. Raise $D$. Then make $q$ narrow, as a trained one often
# is: which estimate varies less, which more, and where in the two formulas do you see it? Say it before you read on below.
# Switch the baseline on and narrow $q$ again. Last, with few pixels and no baseline, send the mean to 3, where each term of $f$ is almost 0.

# %%
def two_estimators(D=10, mean=0.5, std=1.0, baseline=False):
    eps = noise(4_000, D)
    z = mean + std * eps
    value = f(z)                                # its mean as a baseline: with 4,000 draws the bias is negligible
    by_score = (value - (value.mean() if baseline else 0)) * eps[:, 0] / std
    by_slope = torch.sigmoid(-z[:, 0])                              # the slope of log sigmoid(z)
    truth = (Normal(mean, std).log_prob(z_grid).exp() * torch.sigmoid(-z_grid)).sum() * dz
    return estimates({"score function": by_score, "reparametrised": by_slope}, float(truth),
                     title=f"Standard deviation: score function {by_score.std():.3g}, "
                           f"reparametrised {by_slope.std():.2g}", xlabel="one estimate of dF/dμ, from one draw")

explore(two_estimators, D=(1, 100, 1), mean=(-3.0, 3.0, 0.25), std=(0.25, 2.0, 0.25), baseline=False,
        labels={"D": "pixels D", "mean": "mean μ", "std": "standard deviation s"},
        alt="Histograms of single gradient estimates by both methods around the exact gradient")

# %%
eps = noise(100_000, 10)

def deviation(width, share):
    """Standard deviation of the score-function estimate in a q of this width, with a share of E[f] as the baseline."""
    value = f(mu + width * eps)
    return ((value - share * value.mean()) * eps[:, 0] / width).std()

with claim_table():
    for name, share, limits in (("without a baseline", 0, {"near": 3.13, "within": 0.1}),
                                ("with the baseline E[f]", 1, {"near": 0.89, "within": 0.04})):
        claim(f"Ten pixels, {name}: standard deviation in a q a quarter as wide, over that before",
              deviation(0.25, share) / deviation(1.0, share), **limits)

# %% [markdown]
# In a narrow $q$ the slope hardly varies. The score has the standard deviation $1/s$, which grows. Without a baseline
# it multiplies the mean of $f$, which stays about as large, so the estimate varies more. With the baseline it
# multiplies only what varies in $f$, and that shrinks with $s$: the two nearly cancel, and the estimate varies even a
# little less.
#
# At mean 3 and with few pixels even the estimate without a baseline varies little: it pays for the *size* of $f$, which
# is small there. With many pixels many small terms add up. A baseline takes away the mean of $f$, not its variance.
#
# ## What can go wrong
# **An average that is taken for the truth.** It is common to average a thousand draws and call the result the truth.
# Here is what that would be, for a hundred pixels and the score-function estimator without a baseline.

# %%
thousand = score_function(f, noise(1_000, 100, seed=1))[:, 0]
with claim_table():
    claim("The standard error of the average of a thousand draws, over the exact gradient",
          thousand.std() / 1_000**0.5 / exact, near=4.7, within=0.6)
    claim("Millions of draws that are needed for an error of one percent",
          exact_score_variance(100) / (0.01 * exact)**2 / 1e6, near=216.3, within=0.5)

# %% [markdown]
# The standard error is several times the gradient: such a "truth" may even have the wrong sign.
#
# **A function that jumps.** Let $f(z) = 1$ for $z > 0$ and 0 elsewhere: a classifier's decision, or a word that is
# chosen. Then $F(\mu)$ is the probability of $z > 0$, which is $\Phi(\mu / s)$, with $\Phi$ the distribution function
# of the standard Gaussian. Its derivative is $\mathcal{N}(\mu / s; 0, 1) / s = \mathcal{N}(0; \mu, s^2)$: the density
# of $q$ at 0.

# %%
predict("03b.step", "What does reparametrisation say the gradient is?",
        options=["the right value, with little noise", "the right value, with much noise", "0, always"])

# %%
def step(z):
    return (z > 0).double().sum(dim=1) + 0 * z.sum(dim=1)     # the 0 lets autograd through: its slope is 0

eps, truth = noise(100_000, 1), Normal(mu, s).log_prob(torch.zeros(1)).exp()
by_slope = reparametrised(step, eps)[:, 0]
def says(slope):
    """What these estimates are, by the answers that were offered."""
    unsure = slope["standard deviation"] > slope["exact"]
    return ("0, always" if slope["mean"] == slope["standard deviation"] == 0 else
            "the right value, with much noise" if unsure else "the right value, with little noise")

reveal("03b.step", {"mean": by_slope.mean(), "standard deviation": by_slope.std(), "exact": truth}, says)
with claim_table():
    claim("The exact gradient of the probability of z > 0", truth, near=0.352, within=0.001)
    claim("The score-function estimate is unbiased for a jump, too: its error in standard errors",
          error_in_its_own_unit(score_function(step, eps)[:, 0], truth), near=0, within=4)

# %% [markdown]
# Reparametrisation put a derivative of $f$ inside the integral, and a jump forbids that. The score-function estimator
# differentiates $q$, which is smooth. Nor does a smooth $f$ make the variance of
# reparametrisation low: let $f(z) = \cos \omega z$
# wiggle faster and faster.

# %%
omegas = [0.5, 1, 2, 4, 8, 16]
wiggle = {"score function": [], "reparametrised": []}
for omega in omegas:
    true = average(torch.cos(omega * z_grid) * score)
    wiggle["score function"].append(average((torch.cos(omega * z_grid) * score)**2) - true**2)
    wiggle["reparametrised"].append(average((omega * torch.sin(omega * z_grid))**2) - true**2)

def cosine(omega):
    return lambda z: torch.cos(omega * z).sum(dim=1)

eps = noise(10_000, 1, seed=2)
seen = {"score function": [score_function(cosine(omega), eps).var() for omega in omegas],
        "reparametrised": [reparametrised(cosine(omega), eps).var() for omega in omegas]}
show(powers(omegas, wiggle, seen, title="On a wiggly function reparametrisation varies more",
            xlabel="frequency ω of cos ωz", ylabel="variance of one estimate"),
     alt="Two logarithmic axes, exact lines and measured marks. From the lowest frequency to the highest the variance "
         "goes " + ", ".join(f"from {v[0]:.2g} to {v[-1]:.3g} ({name})" for name, v in wiggle.items()))
claim("At the highest frequency the variance of reparametrisation, over the score function's",
      wiggle["reparametrised"][-1] / wiggle["score function"][-1], near=256, within=0.1)

# %% [markdown]
# Where does that factor come from? For large $\omega$ the gradient is almost 0, and both $\cos^2$ and $\sin^2$ average
# to one half. So the variances are about $1/(2s^2)$ and $\omega^2/2$, the second $\omega^2 s^2$ times the first. That
# "reparametrisation has the lower variance" is a habit of slowly varying $f$ in many dimensions, not a theorem.
#
# Nor is $\mathbb{E}[f]$ the best baseline. With $r$ for the score, the best is $\mathbb{E}[f r^2] / \mathbb{E}[r^2]$, as
# *Going further* derives: a mean in which each draw counts by its squared score. For $f(z) = \cos z$ and $s = 1$ it is 0,
# and there $\mathbb{E}[f]$ hurts. By quadrature, without any draw:

# %%
cosine_mean, cosine_slope = average(torch.cos(z_grid)), average(torch.cos(z_grid) * score)
without = average((torch.cos(z_grid) * score)**2) - cosine_slope**2
subtracted = average(((torch.cos(z_grid) - cosine_mean) * score)**2) - cosine_slope**2
with claim_table():
    claim("The best baseline for f = cos z", average(torch.cos(z_grid) * score**2) / average(score**2), near=0,
          within=1e-8, exact=True)
    claim("The variance of the score-function estimate for f = cos z, without a baseline", without, near=0.306,
          within=0.001)
    claim("The same with the baseline E[f]: larger", subtracted, near=0.589, within=0.001)

# %% [markdown]
# ## Which estimator when
# | property | score-function estimator | reparametrisation |
# |---|---|---|
# | what $f$ must give | its values | its slope at each draw |
# | what $q$ must give | the score | draws as a smooth function of parameters and noise |
# | works if $f$ jumps, or $z$ is discrete | yes | no |
# | its variance grows with | the size of $f$; with a baseline, the variation of $f$ | the variation of $f$'s slope |
#
# A third way needs no draws: where $z$ is discrete and takes few values, add up all of them. Such **discrete latent
# variables are marginalised exactly**, as the components of notebook 02 were. The tag sequences of notebook 02b are too
# many to add up one by one; there a recursion along the chain gave their sum.

# %% [markdown]
# ## Going further
# ### When derivative and integral may be swapped
# They may if there is *one* function $g(z)$ with a finite integral such that the
# integrand's derivative is at most $g(z)$ in size, whichever $\mu_1$ near by we take (**dominated convergence**).
#
# - In the score function's formula that derivative is $q f$ times the score. A Gaussian's tails hold it down if $f$ grows no faster
#   than a polynomial. Whether $f$ jumps does not matter.
# - In reparametrisation it is the slope of $f$, times the density of the noise. A kink in $f$ does no harm: $f$ is still the
#   integral of its slope. What $f$ gains by a jump is in no slope, so $f$ must not jump.
#
# **The gradient with respect to $s$.** Both estimators work alike. If pixel $j$ has an $s_j$ of its own, $\log q$ holds
# $-\log s_1 - (z_1 - \mu_1)^2 / (2 s_1^2)$. So the score is $(\varepsilon_1^2 - 1) / s_1$, with $\varepsilon_1 =
# (z_1 - \mu_1) / s_1$; and in reparametrisation $z_1$ moves with $s_1$ at the rate $\varepsilon_1$, so the slope is
# multiplied by $\varepsilon_1$.

# %% [markdown]
# ### The best baseline, step by step
# As above, $r$ is the score.
#
# 1. The estimate is $(f - b)\, r$. Its mean is the gradient for every $b$, since $\mathbb{E}[r] = 0$. So $b$ changes
#    the variance by way of the mean square alone.
# 2. Multiply out: $\;\mathbb{E}[(f - b)^2 r^2] = \mathbb{E}[f^2 r^2] - 2b\, \mathbb{E}[f r^2] + b^2\, \mathbb{E}[r^2]$.
# 3. Set the derivative with respect to $b$ to zero: $\;-2\, \mathbb{E}[f r^2] + 2b\, \mathbb{E}[r^2] = 0$. The second
#    derivative, $2\, \mathbb{E}[r^2]$, is positive, so this is the lowest point:
#
# $$b^* = \frac{\mathbb{E}[f r^2]}{\mathbb{E}[r^2]} .$$
#
# 4. Complete the square: with another $b$ the variance is higher by $\mathbb{E}[r^2]\, (b - b^*)^2$.
#
# So this **optimal baseline** is a mean of $f$, too, but one in which a draw counts by its squared score: the mean
# under the density $q\, r^2 / \mathbb{E}[r^2]$. A draw near $\mu$, where the score is 0, hardly counts.

# %%
predict("03b.best_baseline", "f(z) = cos 2z, and s = 1. Where is the best baseline?",
        options=["at E[f]", "at 0", "on the other side of 0 than E[f]"])

# %%
def best_baseline(values):
    return average(values * score**2) / average(score**2)

def variance_with(values, b):
    """Of (f − b)·score, by quadrature, for the values of f on the grid."""
    return average(((values - b) * score)**2) - average(values * score)**2

functions = {"log σ(z)": g, "a jump": torch.heaviside(z_grid, torch.tensor(0.5, dtype=torch.float64)),
             "cos z/2": torch.cos(z_grid / 2), "cos z": torch.cos(z_grid), "cos 2z": torch.cos(2 * z_grid)}
choices = {"no baseline": lambda values: 0, "E[f]": average, "best": best_baseline}
with_choice = {name: [variance_with(values, b(values)).item() for values in functions.values()]
               for name, b in choices.items()}
show(bars(list(functions), with_choice, title="For cos z and cos 2z the baseline E[f] is worse than none", xlabel="f",
          ylabel="variance of one estimate"),
     alt="Three bars for each function, variance without a baseline, with E[f], and with the best one: " + "; ".join(
         f"{name} {', '.join(f'{v:.2f}' for v in each)}"
         for name, each in zip(functions, zip(*with_choice.values(), strict=True), strict=True)))

# %%
reveal("03b.best_baseline", best_baseline(functions["cos 2z"]) / average(functions["cos 2z"]),
       lambda ratio: "at E[f]" if ratio > 0.5 else "on the other side of 0 than E[f]" if ratio < -0.5 else "at 0")
squares = [variance_with(values, average(values)) - variance_with(values, best_baseline(values))
           - average(score**2) * (average(values) - best_baseline(values))**2 for values in functions.values()]
by_frequency = [best_baseline(wave) / average(wave) - (1 - omega**2)
                for omega in (0.5, 1, 2, 3) for wave in [torch.cos(omega * z_grid)]]
ten_pixels = [exact_score_variance(10, b) for b in (10 * m_g, 9 * m_g + best_baseline(g))]
with claim_table():
    claim("Step 4 for these functions, with E[f] for b: the largest distance of the two sides",
          max(map(abs, squares)), below=1e-12, exact=True)
    claim("The best baseline for cos ωz over E[f], less 1 − ω²s²: the largest distance at four ω",
          max(map(abs, by_frequency)), below=1e-9, exact=True)
    claim("One pixel, f = log σ(z): the best baseline's variance over that of E[f]",
          with_choice["best"][0] / with_choice["E[f]"][0], near=0.908, within=0.001)
    claim("Ten pixels: the same", ten_pixels[1] / ten_pixels[0], near=0.981, within=0.001)

# %% [markdown]
# Why 0 for $\cos z$? Look at what $\cos z$ is averaged over.

# %%
shown = slice(1_600, 3_401, 10)                           # z from -4 to 5
weighted = q * score**2 / average(score**2)
show(curves(z_grid[shown], {"q": q[shown], "q, weighted": weighted[shown],
                            "cos z": torch.cos(z_grid)[shown]},
            title="Weighted by the squared score, cos z has the mean 0", xlabel="z", ylabel="density, or cos z"),
     alt=f"Over z, q with one hump at {mu:.1f}; the weighted density with two humps, at {mu - 2**0.5 * s:.1f} and "
         f"{mu + 2**0.5 * s:.1f}, and 0 between them; and cos z. Its mean is {average(torch.cos(z_grid)):.2f} under q, "
         f"{abs((weighted * torch.cos(z_grid)).sum() * dz):.2f} under the other")

# %% [markdown]
# The weighted density has two humps, at $\mu \pm \sqrt2\, s$. There $\cos z$ has both signs, and they cancel: exactly
# so at $\omega s = 1$. For $f(z) = \cos \omega z$, in general, $b^* = (1 - \omega^2 s^2)\, \mathbb{E}[f]$:
#
# 1. Let $\varphi(\omega) = \mathbb{E}[\cos \omega\varepsilon]$. Its derivative $-\mathbb{E}[\varepsilon \sin
#    \omega\varepsilon]$ is, integrated by parts, $-\omega\, \varphi(\omega)$; and $\varphi(0) = 1$. So $\varphi(\omega) =
#    e^{-\omega^2/2}$.
# 2. The second derivative of $\varphi$ is $-\mathbb{E}[\varepsilon^2 \cos \omega\varepsilon]$, and also
#    $(\omega^2 - 1)\, \varphi(\omega)$.
# 3. $\cos \omega(\mu + s\varepsilon) = \cos \omega\mu \cos \omega s\varepsilon - \sin \omega\mu \sin \omega
#    s\varepsilon$. The sine is odd, so its mean is 0, with $\varepsilon^2$ as weight, too.
# 4. So $\mathbb{E}[f] = \varphi(\omega s) \cos \omega\mu$, and $b^* = \mathbb{E}[f\varepsilon^2] = (1 - \omega^2 s^2)\,
#    \varphi(\omega s) \cos \omega\mu$.
#
# On waves much longer than $q$ is wide $\mathbb{E}[f]$ is nearly the best baseline; on short ones, with $\omega s > 1$,
# even its sign is wrong. (The answer above: $b^* / \mathbb{E}[f] = 1 - 4$.)
#
# With many pixels the choice matters little. What $\mathbb{E}[f]$ costs,
# $\mathbb{E}[r^2]\, (\mathbb{E}[f] - b^*)^2$, comes from the pixel's own term of $f$: the others are independent of
# $r$, and add the same to both baselines. The variance grows with $D$, that cost does not.

# %% [markdown]
# ### Sticking the landing: a gradient without noise
# Take the whole ELBO, $\mathbb{E}_q[\log p(x, z) - \log q(z)]$, and reparametrise. The draw $z = \mu + s\,\varepsilon$
# moves with $\mu$, and $\log q(z)$ holds $\mu$ twice: in the draw, and as its own parameter. By the chain rule one
# estimate is
#
# $$\underbrace{\frac{\partial}{\partial z} \bigl[\log p(x, z) - \log q(z)\bigr]}_{\text{through the draw}}
#   - \underbrace{\frac{\partial \log q(z)}{\partial \mu}}_{\text{the score}} .$$
#
# The score has mean 0. Roeder et al. (2017) leave it out: the **path-derivative gradient** is the first term alone,
# and unbiased, too. If $q$ is the posterior, $\log p(x, z) - \log q(z) = \log p(x)$, whatever $z$ is: its slope is 0.
# So every draw gives exactly 0, the right gradient at the top of the bound; they call that **sticking the landing**.
# The full estimate gives minus the score there, with the variance $1/s^2$.
#
# In code one keeps the gradient from reaching the parameters of $\log q$. A model with a Gaussian posterior:
# $z \sim \mathcal{N}(0, 1)$, $x \sim \mathcal{N}(z, 1)$. At $x = 2$ the posterior is $\mathcal{N}(1, \frac12)$.

# %%
predict("03b.landing", "q has the posterior's mean, and half its standard deviation. Which estimate varies more?",
        options=["the full one", "the path-derivative one", "both alike"])

# %%
def log_joint(z):
    return Normal(0.0, 1.0).log_prob(z) + Normal(z, 1.0).log_prob(torch.tensor(2.0, dtype=torch.float64))

def elbo_gradients(mean, std, eps, path_only):
    """Of the ELBO by the mean and the standard deviation of q: one estimate from each draw, two tensors (n,)."""
    mean, std = (torch.full_like(eps, float(value)).requires_grad_() for value in (mean, std))
    z = mean + std * eps
    log_q = (Normal(mean.detach(), std.detach()) if path_only else Normal(mean, std)).log_prob(z)
    return torch.autograd.grad((log_joint(z) - log_q).sum(), (mean, std))

eps, top = noise(10_000), 0.5**0.5                        # the posterior's standard deviation
path, full = (elbo_gradients(1.0, top, eps, path_only) for path_only in (True, False))
off_path, off_full = (elbo_gradients(1.4, 0.6, eps, path_only)[0] for path_only in (True, False))
with claim_table():
    claim("q is the posterior: the largest path-derivative estimate, of both gradients and all draws, in size",
          torch.stack(path).abs().max(), below=1e-12, exact=True)
    claim("There the variance of the full estimate for the mean, times s²", full[0].var() * top**2, near=1,
          within=0.06)
    claim("Another q: the path-derivative estimate's error in standard errors", error_in_its_own_unit(
        off_path, -(1.4 - 1) / top**2), near=0, within=4)

# %% [markdown]
# And away from the landing? Let the posterior be $\mathcal{N}(\mu_*, s_*^2)$. The slope of $\log p(x, z)$ in $z$ is
# $-(z - \mu_*)/s_*^2$. The slope of $-\log q(z)$ in $z$, and the score as well, are $(z - \mu)/s^2$. Put
# $z = \mu + s\,\varepsilon$ in.
# Both estimates have the mean $-(\mu - \mu_*)/s_*^2$, and what varies is
#
# $$\text{full:}\; -\frac{s}{s_*^2}\, \varepsilon, \qquad
#   \text{path:}\; \Bigl(\frac{1}{s} - \frac{s}{s_*^2}\Bigr)\, \varepsilon .$$
#
# In a $q$ wider than the posterior the second factor is negative, and smaller in size than the first. In a narrower one it
# is positive, and smaller if $1/s < 2s/s_*^2$. So the path-derivative estimate varies less if $s > s_*/\sqrt2$, wherever
# the mean is.

# %%
widths = torch.tensor([0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1.01, 1.05, 1.2, 1.5, 2.0],
                      dtype=torch.float64)                # s/s_*

def by_formula(widths):
    return {"full": (widths / top)**2, "path-derivative": ((1 / widths - widths) / top)**2}

by_draws = {name: [elbo_gradients(1.4, width * top, eps, name != "full")[0].var() for width in widths]
            for name in by_formula(widths)}
fine = 10 ** torch.linspace(-0.523, 0.302, 800, dtype=torch.float64)
line = by_formula(fine)
show(powers(fine, line, by_draws, marks_at=widths, title="In a q much too narrow the path-derivative varies more",
            xlabel="standard deviation of q, over the posterior's", ylabel="variance of one estimate"),
     alt="Two logarithmic axes, exact lines and measured marks, from 0.3 to 2 posterior standard deviations. The full "
         f"estimate's variance goes from {line['full'][0]:.2g} to {line['full'][-1]:.2g}; the other's from "
         f"{line['path-derivative'][0]:.3g} down to 0 at 1, and up to {line['path-derivative'][-1]:.2g}")

# %%
ratio = by_draws["path-derivative"][1] / by_draws["full"][1]
reveal("03b.landing", ratio, lambda r: "the path-derivative one" if r > 1.5 else "the full one" if r < 0.67 else
       "both alike")
with claim_table():
    claim("The largest relative distance of a measured variance from its formula", max(
        abs(seen / true - 1) for name, exact_ones in by_formula(widths).items()
        for seen, true in zip(by_draws[name], exact_ones, strict=True)), below=0.06)
    claim("A q half as wide as the posterior: the path-derivative variance over the full one", ratio, near=9,
          within=1e-6, exact=True)

# %% [markdown]
# The score has mean 0, so any multiple of it may be added to the full estimate: it is a **control variate**, as exercise
# 3 below will use them. To leave the score out is to add it once. The multiple of least variance is $(s/s_*)^2$. That
# is 1 only where $s = s_*$.
#
# For most models the posterior is not in the family of $q$. One inked pixel, with the prior $\mathcal{N}(0, 1)$, has the posterior
# density $\propto \sigma(z)\, \mathcal{N}(z; 0, 1)$, not quite a Gaussian. By quadrature the ELBO has no noise, so in Adam's
# place we can take **L-BFGS**, which estimates the curvature from the last gradients and so knows how far to go:

# %%
slope = torch.sigmoid(-z_grid) - z_grid                   # of log p(x, z)
mean, log_std = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2))
optimizer = torch.optim.LBFGS([mean, log_std], max_iter=100, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

def minus_elbo():
    optimizer.zero_grad()
    log_q = Normal(mean, log_std.exp()).log_prob(z_grid)
    loss = (log_q.exp() * (log_q - logsigmoid(z_grid) + z_grid**2 / 2)).sum() * dz      # up to a constant
    loss.backward()
    return loss

optimizer.step(minus_elbo)
with torch.no_grad():
    density = Normal(mean, log_std.exp()).log_prob(z_grid).exp() * dz
    no_noise = slope + (z_grid - mean) / (2 * log_std).exp()
    spread = [((density * v**2).sum() - (density * v).sum()**2).item() for v in (slope, no_noise)]
claim("One pixel, the best Gaussian q: the full estimate's variance over the path-derivative one's",
      spread[0] / spread[1], near=1_840, within=20)

# %% [markdown]
# ### Discrete latents: Gumbel-softmax and straight-through
# Two bits, $z_1$ and $z_2$, and one inked pixel: $f(z) = \log p(x \mid z) = \log \sigma(5 z_1 - 4 z_2 + 2 z_1 z_2 - 2)$.
# Under $q$ the bits are independent, and bit $j$ is 1 with probability $\sigma(a_j)$: $a_1$ and $a_2$ are their **logits**.
# We want $\partial\, \mathbb{E}_q[f] / \partial
# a_1$. Four states are soon enumerated, so the exact gradient is known, and so is the variance of the score-function
# estimator. Its score is $z_1 - \sigma(a_1)$: $\log q$ holds $z_1 a_1 - \log(1 + e^{a_1})$. With fifty bits one would have
# to draw.
#
# Reparametrise a bit: $z_j = 1$ if $a_j + \ell_j > 0$, with the logistic noise $\ell_j = \log u_j - \log(1 - u_j)$ and
# $u_j$ uniform on $(0, 1)$. That happens if $u_j > \sigma(-a_j)$, so with probability $\sigma(a_j)$. This is the
# **Gumbel-max trick** for two categories, named after a noise that is added where there are more (below). But the bit
# jumps, so its slope is 0.

# %% [markdown]
# A soft bit does not: $\tilde z_j = \sigma\bigl((a_j + \ell_j) / \tau\bigr)$, with a **temperature** $\tau$. For
# $\tau \to 0$ it becomes the bit. **Straight-through**, **Gumbel-softmax** and a mixture of both differ in where they ask
# $f$, in the **forward pass** (values), and in what they multiply its slope by, in the **backward pass** (gradients):
#
# | estimator | forward: $f$ is asked at | backward: the slope of $f$ there, times the derivative by $a_j$ of |
# |---|---|---|
# | straight-through (Bengio et al.) | the bit $z_j$ | its probability, $\sigma(a_j)$ |
# | Gumbel-softmax (Jang et al.), or *concrete* (Maddison et al.) | the soft bit $\tilde z_j$ | the soft bit, $\tilde z_j$ |
# | straight-through Gumbel-softmax | the bit $z_j$ | the soft bit, $\tilde z_j$ |
#
# (For more categories: to each logit is added **Gumbel noise**, $-\log(-\log u)$ with another $u$ for each. The largest
# sum is the category; the softmax of the sums over $\tau$ is its soft version. For two categories only the difference of
# the two noises counts, and that is logistic noise.)
#
# All three need $f$ between the bits, or its slope at them, where the model says nothing. Expect a bias.

# %%
a = torch.tensor([1.0, -0.5], dtype=torch.float64)
states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 2)

def log_pixel(z):
    """log p(x | z) of an inked pixel, for bits z (…, 2) or for numbers in their place."""
    return logsigmoid(5 * z[..., 0] - 4 * z[..., 1] + 2 * z[..., 0] * z[..., 1] - 2)

def q_of_states(a):
    return torch.where(states > 0, torch.sigmoid(a), torch.sigmoid(-a)).prod(dim=1)

def slope_1(z):
    """∂f/∂z_1."""
    z = z.clone().requires_grad_()
    return torch.autograd.grad(log_pixel(z).sum(), z)[0][..., 0]

def moments(weights, values):
    """Mean and variance."""
    mean = (weights * values).sum()
    return torch.stack([mean, (weights * values**2).sum() - mean**2])

# %%
exact_bits = torch.func.grad(lambda a: (q_of_states(a) * log_pixel(states)).sum())(a)[0]
q_4, value, on = q_of_states(a), log_pixel(states), torch.sigmoid(a[0])
score_1 = states[:, 0] - on
best_b = (q_4 * value * score_1**2).sum() / (q_4 * score_1**2).sum()
found = {"score function": moments(q_4, value * score_1),
         "score function, best baseline": moments(q_4, (value - best_b) * score_1),
         "straight-through": moments(q_4, slope_1(states) * on * (1 - on))}
with claim_table():
    claim("The exact gradient", exact_bits, near=0.677, within=0.001)
    claim("The score-function estimators' means over the four states, less it: the largest of two",
          max(abs(found[name][0] - exact_bits) for name in list(found)[:2]), below=1e-12, exact=True)
    claim("The bias of straight-through", found["straight-through"][0] - exact_bits, near=-0.269, within=0.001)

# %%
predict("03b.temperature", "The temperature of the soft bits is lowered. What happens to the Gumbel-softmax estimate?",
        options=["less bias, more variance", "more bias, less variance", "less of both"])

# %% [markdown]
# Mean and variance of the other two are integrals over both noises, so quadrature gives them. Draws from the program check them. (`torch.nn.functional.gumbel_softmax` has both, as `hard=False` and
# `hard=True`.) In the picture that follows, estimators without a temperature have level lines; and the two of the score
# function are missing on the right: their bias is 0, for which a logarithmic axis has no place.

# %%
def drawn(tau, hard, n=100_000):
    logits, u = a.expand(n, 2).clone().requires_grad_(), torch.rand(n, 2, generator=seeded(5), dtype=torch.float64)
    soft = torch.sigmoid((logits + u.log() - (1 - u).log()) / tau)
    z = (soft > 0.5).double() + soft - soft.detach() if hard else soft   # hard: the bit, with the gradient of the soft
    return torch.autograd.grad(log_pixel(z).sum(), logits)[0][:, 0]

h = 0.1
y = (torch.arange(-180, 180, dtype=torch.float64) + 0.5) * h           # logit plus noise; no point at the jump
noises = torch.outer(*(torch.sigmoid(y - a_j) * torch.sigmoid(a_j - y) * h for a_j in a))     # logistic densities

def by_quadrature(tau, hard):
    soft = torch.sigmoid(y / tau)
    z = torch.stack(torch.meshgrid(*[(y > 0).double() if hard else soft] * 2, indexing="ij"), dim=-1)
    return moments(noises, slope_1(z) * (soft * (1 - soft) / tau)[:, None])

kinds = {"Gumbel-softmax": False, "straight-through Gumbel-softmax": True}
with claim_table():
    for name, hard in kinds.items():
        claim(f"{name} at τ = 0.5: the mean of the draws less that by quadrature, in standard errors",
              error_in_its_own_unit(drawn(0.5, hard), by_quadrature(0.5, hard)[0]), near=0, within=4)

# %%
taus = torch.logspace(-1, 1, 25, dtype=torch.float64)
found |= {name: torch.stack([by_quadrature(tau, hard) for tau in taus], dim=1) for name, hard in kinds.items()}
bias = {name: (mean - exact_bits).abs().expand(25) for name, (mean, _) in list(found.items())[2:]}
deviation_of = {name: variance.sqrt().expand(25) for name, (_, variance) in found.items()}
show(logarithmic(taus, {"standard deviation": deviation_of, "size of the bias": bias},
                 title="Gumbel-softmax at a low temperature: little bias, much noise", xlabel="temperature τ"),
     alt="Two panels over the temperature. From 0.1 to 10 the standard deviation of one estimate goes " + ", ".join(
         f"from {d[0]:.2f} to {d[-1]:.2f} ({name})" for name, d in deviation_of.items()) +
     "; the size of the bias " + ", ".join(f"from {b[0]:.2f} to {b[-1]:.2f} ({name})" for name, b in bias.items()))

# %%
colder = {name: [by_quadrature(tau, hard) for tau in (0.2, 0.1)] for name, hard in kinds.items()}
(warm_mean, warm_variance), (cold_mean, cold_variance) = colder["Gumbel-softmax"]
change = {"bias": (cold_mean - exact_bits) / (warm_mean - exact_bits), "variance": cold_variance / warm_variance}
reveal("03b.temperature", change, lambda c: "less of both" if max(c.values()) < 1 else
       "less bias, more variance" if c["bias"] < c["variance"] else "more bias, less variance")
two_ends = (q_4 * slope_1(states)).reshape(2, 2) / torch.stack([1 - on, on])[:, None]     # ∂f/∂z_1 · q(z_2)
limit = on * (1 - on) * two_ends.sum(dim=1).mean()
with claim_table():
    claim("Gumbel-softmax from τ = 0.2 to 0.1: the bias is multiplied by", change["bias"], near=0.487, within=0.005)
    claim("The variance is multiplied by", change["variance"], near=2.25, within=0.02)
    claim("The bias that straight-through Gumbel-softmax keeps as τ → 0", limit - exact_bits, near=-0.0636,
          within=0.0005)
    claim("A straight line through its means at τ = 0.2 and 0.1 ends at τ = 0 this far from that limit",
          2 * colder["straight-through Gumbel-softmax"][1][0] - colder["straight-through Gumbel-softmax"][0][0] - limit,
          near=0, within=0.003)

# %% [markdown]
# The slope of a soft bit is nearly 0, unless the noise lands within about $\tau$ of the threshold; there it is about
# $1/\tau$. Such draws have a probability of about $\tau$, so the mean stays, and the mean square grows like $1/\tau$.
# The slope is the derivative of the soft bit $z$ by the noise. So the mean of $f'(z)$ times the slope, an integral over the noise, becomes an integral over $z$. As $\tau \to 0$ only noise at the threshold counts, with the density
# $\sigma(a)\, \sigma(-a)$: a common factor. In one bit the means tend to that factor times
#
# $$\text{soft: } \int_0^1 f'(z)\, dz = f(1) - f(0), \qquad \text{hard: } \tfrac12 f'(0) + \tfrac12 f'(1) .$$
#
# The first is what enumeration gives: $\sigma(a)\, f(1) + \sigma(-a)\, f(0)$, differentiated. So the bias goes. The second knows the slopes at the two ends alone, each half of
# the time: the integral by the **trapezoid rule** with one interval. That is right if $f'$ is a straight line, and
# ours is not, so a bias stays however low the temperature.
#
# Averaging takes away noise, and no bias. With $n$ draws the mean squared error is the squared bias plus the variance
# over $n$. Each gets its best temperature for that $n$.

# %%
def error_with(n):
    """Root mean squared error of the average of n draws, at the best temperature, by the estimator's name."""
    return {name: ((mean - exact_bits)**2 + variance / n).min().sqrt().item()
            for name, (mean, variance) in found.items()}

n_draws = [1, 3, 10, 30, 100, 300, 1_000]
rmse = {name: [error_with(n)[name] for n in n_draws] for name in found}
show(logarithmic(n_draws, {"root mean squared error": rmse}, xlabel="draws that are averaged",
                 title="With few draws Gumbel-softmax errs least, with many the best baseline"),
     alt="Two logarithmic axes, the error over the number of draws, from 1 to 1,000: " + "; ".join(
         f"{name} {e[0]:.2f} to {e[-1]:.3f}" for name, e in rmse.items()))
least = [min(found, key=error_with(n).get) for n in range(1, 31)]
with claim_table():
    claim("One draw: the error of Gumbel-softmax over that of the score function with its best baseline",
          rmse["Gumbel-softmax"][0] / rmse["score function, best baseline"][0], near=0.531, within=0.005)
    claim("Of all five Gumbel-softmax errs least with 1 to 7 draws, the score function and best baseline with 8 to 30",
          least == 7 * ["Gumbel-softmax"] + 23 * ["score function, best baseline"], exact=True)
    claim("The score function without a baseline errs less than Gumbel-softmax from this many draws on", min(
        n for n in range(1, 1_000) if error_with(n)["score function"] < error_with(n)["Gumbel-softmax"]), near=124,
          within=3, exact=True)

# %% [markdown]
# So with one draw, as is usual in training, Gumbel-softmax can be the better bargain. Where the border lies depends on
# $f$, on the number of bits and on the baseline, and without the enumeration nobody would know bias, or best
# temperature.

# %% [markdown]
# ## Your turn
# **1.** Reparametrise: turn standard normal numbers `eps` into draws of $q = \prod_j \mathcal{N}(m_j, s_j^2)$ and give
# $\log q(z)$ with them. Networks output $\log s$, so that $s$ is positive. There are `n` data points, each with its own
# $m$ and $s$ in `d` coordinates, and several draws for each point.

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
# all draws *but* $i$ as its baseline. (With $i$ itself the baseline would depend on $z_i$, and bias the estimate.)
# There are $n \ge 2$ draws.

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
# ## What to keep
# - The score-function estimator points the right way on average; so does reparametrisation, if $f$ does not jump. With
#   many dimensions and a slowly varying $f$ reparametrise; where $f$ jumps, take the score-function estimator and a
#   baseline.
# - A baseline costs nothing on average. Which one is best depends on how $f$ and the score vary together.
#
# **Read on:**
#
# - D. Kingma, M. Welling, [*Auto-Encoding Variational Bayes*](https://arxiv.org/abs/1312.6114), ICLR (2014).
# - R. Williams, [*Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
#   Learning*](https://doi.org/10.1007/BF00992696), Machine Learning 8 (1992).
# - S. Mohamed et al., [*Monte Carlo Gradient Estimation in Machine Learning*](https://arxiv.org/abs/1906.10652), JMLR
#   21 (2020).
# - G. Roeder, Y. Wu, D. Duvenaud, [*Sticking the Landing: Simple, Lower-Variance Gradient Estimators for Variational
#   Inference*](https://arxiv.org/abs/1703.09194), NeurIPS (2017).
# - E. Jang, S. Gu, B. Poole, [*Categorical Reparameterization with Gumbel-Softmax*](https://arxiv.org/abs/1611.01144),
#   ICLR (2017).
# - C. Maddison, A. Mnih, Y. W. Teh, [*The Concrete Distribution: A Continuous Relaxation of Discrete Random
#   Variables*](https://arxiv.org/abs/1611.00712), ICLR (2017).
# - Y. Bengio, N. Léonard, A. Courville, [*Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
#   Computation*](https://arxiv.org/abs/1308.3432), arXiv (2013).
# - E. Greensmith, P. Bartlett, J. Baxter, [*Variance Reduction Techniques for Gradient Estimates in Reinforcement
#   Learning*](https://jmlr.org/papers/v5/greensmith04a.html), JMLR 5 (2004).
#
# **Next:** notebook 03c, importance weighting: how far below $\log p(x)$ the climb ends, and how to tighten the bound.
