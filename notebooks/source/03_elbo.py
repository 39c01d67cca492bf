# %% [markdown]
# # 03 · The evidence lower bound: variational inference
#
# A latent variable model explains what you see by a cause that you do not see. To fit it you need $\log p(x)$, an
# integral over all causes, and for most models nobody can compute it.
# **How do you climb a mountain whose height nobody can measure?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | derive the evidence lower bound, say what each step on it does to $\log p(x)$, and compute its KL |
# | You need | Bayes' rule, Gaussian densities, expectation; notebook 02 (EM, responsibilities) |
# | Time | 15 seconds to run · seed 0 |

# %%
import numpy as np
import torch

from course_lib.chapters.nb03.plots import bound_and_densities, divergences_and_densities
from course_lib.live import explore
from course_lib.measure import kl, kl_diagonal, kl_standard, kl_standard_log_std, normal_density
from course_lib.models.latent1d import DZ, NODES, WEIGHTS, Z, Latent1D
from course_lib.plots import bound_bars, curves, show, small_multiples
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Put the picture of the bars on the board first and keep it
# there: every later step moves some of its three numbers. The derivation goes slowly if each line is read out with
# its reason. It is often said that a step in θ raises bound and log p(x); let the class find the counterexample by
# sliders
# before you run the cell that does.
#
# - **Prepare.** Draw the three bars where they can stay for the whole lesson.
# - **The derivation.** Each line with its reason at the right. Ask at the end which of the two terms we can compute.
# - **03.move_q.** “all three change”. Ask for q in log p(x): there is none.
# - **03.theta.** “yes, for every q”, as many texts say. The KL may shrink by more than the bound gains; let the
#   sliders find it.
# - **03.width.** “to the posterior's”, as if the fit alone knew a balance. What is left that rewards width?
# - **03.peaks.** “it covers both modes”: so would maximum likelihood. Which order charges for the valley?
# - **Forward and reverse KL: mass-covering and mode-seeking.** On the board: both integrals, one above the other, and
#   where each integrand is infinite.

# %% [markdown]
# ## One latent variable, one seen number
# The cause, a **latent variable** (a hidden number), is $z$ with the **prior** $p(z) = \mathcal{N}(0, 1)$. What we see
# is a bent copy of it, with noise: the **likelihood** is $p_\theta(x \mid z) = \mathcal{N}(x;\, f_\theta(z),\,
# \sigma_x^2)$ with $f_\theta(z) = z + \theta z^2$. Say $\theta = 1$, and we see $x = 2$. Two causes would fit exactly:
# $z = 1$ and $z = -2$.
#
# Bayes' rule gives the **posterior**, $p(z \mid x) = p(z)\, p(x \mid z) / p(x)$. Its denominator is the **marginal
# likelihood**, also called the **evidence**: $p(x) = \int p(z)\, p(x \mid z)\, dz$, with $z$ integrated out. With one
# latent number a sum over a fine grid of $z$ *is* this integral, to ten digits. So every statement below can be
# checked.

# %%
model, x = Latent1D(theta=1.0, sigma_x=0.7), 2.0

def integral(values):
    return values.sum(axis=-1) * DZ                       # Z is the grid, DZ its step

log_prior = model.log_prior(Z)                            # log p(z)
log_likelihood = -0.5 * ((x - (Z + Z**2)) / 0.7) ** 2 - np.log(0.7 * np.sqrt(2 * np.pi))
log_joint = log_prior + log_likelihood                    # log p(x, z)
log_p = np.log(integral(np.exp(log_joint)))               # log p(x), the log marginal likelihood
log_posterior = log_joint - log_p                         # log p(z | x), by Bayes' rule

with claim_table():
    claim("log p(x) minus the library's", log_p - model.log_evidence(x), near=0, within=1e-10, exact=True)
    claim("log p(x) from half of the grid points, minus that from all", np.log(np.exp(log_joint[::2]).sum() * 2 * DZ)
          - log_p, near=0, within=1e-10, exact=True)

# %%
view = slice(1600, 3201, 5)                               # z from -4 to 4
show(curves(Z[view], {"posterior p(z | x)": np.exp(log_posterior[view]), "prior p(z)": np.exp(log_prior[view])},
            title="One seen number, two possible causes", xlabel="z", ylabel="density"),
     alt="The prior is one wide bell around 0; the posterior has a high narrow peak near 1 and a low one near -2")

# %% [markdown]
# With twenty latent numbers the grid would have more points than there are atoms in you. So we bring a density of our
# own, $q(z \mid x)$, one that we can handle: here a Gaussian. It is called the **approximate posterior** or
# **variational distribution**, and to choose it so that it comes near the posterior is **variational inference**. It
# need not be right. What does it buy us?

# %% [markdown]
# ## The derivation
# 1. $\log p(x)$ does not depend on $z$, and $q$ integrates to one: $\;\log p(x) = \int q(z|x)\, \log p(x)\, dz$.
# 2. The product rule, $p(x, z) = p(z|x)\,p(x)$: $\;= \int q(z|x)\, \log \frac{p(x, z)}{p(z|x)}\, dz$.
# 3. Multiply and divide by $q$: $\;= \int q(z|x)\, \log \Bigl[\frac{p(x, z)}{q(z|x)} \cdot \frac{q(z|x)}{p(z|x)}\Bigr]
#    dz$.
# 4. The log of a product is a sum of logs:
#
# $$\log p(x) = \underbrace{\int q(z|x) \log \frac{p(x, z)}{q(z|x)}\, dz}_{\mathcal{L}}
#   + \underbrace{\int q(z|x) \log \frac{q(z|x)}{p(z|x)}\, dz}_{\mathrm{KL}(q(z|x) \,\|\, p(z|x))}.$$
#
# 5. The second term is a Kullback–Leibler divergence, and a KL is never negative, so $\log p(x) \ge \mathcal{L}$. Why
#    never? $\log u \le u - 1$ for every $u > 0$. Let $p$ stand for $p(z|x)$ and $u = p/q$: $\;-\mathrm{KL} = \int q
#    \log \frac{p}{q} \le \int q\, \bigl(\frac{p}{q} - 1\bigr) = 1 - 1 = 0$. Equality needs $u = 1$ everywhere, that is
#    $q = p$. (A KL is no distance, though: exchange $q$ and $p$, and its value changes.)
#
# $\mathcal{L}$ is the **evidence lower bound**, or **ELBO**. No line asked $q$ to be good. We take a bad one and
# evaluate each.

# %%
q = normal_density(Z, -0.5, 0.8)
log_q = np.log(q)

bound = integral(q * (log_joint - log_q))
KL = integral(q * (log_q - log_posterior))
lines = {"1": integral(q * log_p),
         "2": integral(q * (log_joint - log_posterior)),
         "3": integral(q * ((log_joint - log_q) + (log_q - log_posterior))),
         "4": bound + KL}
print(f"log p(x) {log_p:.10f}    bound {bound:.10f}    KL {KL:.10f}")
with claim_table():
    for number, value in lines.items():
        claim(f"Line {number} minus log p(x)", value - log_p, near=0, within=1e-10, exact=True)
    claim("Line 5: log p(x) minus the bound is not negative", log_p - bound, above=0, exact=True)

# %% [markdown]
# ## The form you can compute
# Split the joint once more, $p(x, z) = p(z)\,p(x|z)$, and collect:
#
# $$\mathcal{L} = \int q \log \frac{p(z)\, p(x|z)}{q}\, dz
#   = -\,\mathrm{KL}(q(z|x) \,\|\, p(z)) + \mathbb{E}_{q}[\log p(x|z)].$$
#
# In words: *explain what you saw, and stay close to the prior*. The posterior has gone: $\mathcal{L}$ needs only the
# prior, the likelihood and $q$, and all three are ours. Mind the two KLs. The one above, from $q$ to the *posterior*,
# needs the posterior, which we lack; the one here, from $q$ to the *prior*, needs only what we have. It is the second
# that stands in a loss.

# %%
kl_to_prior = integral(q * (log_q - log_prior))
expected_fit = integral(q * log_likelihood)
with claim_table():
    claim("-KL(q || p(z)) + E_q[log p(x|z)], minus the bound", -kl_to_prior + expected_fit - bound, near=0,
          within=1e-10, exact=True)
    claim("The library's bound, minus the bound", model.elbo(q, x) - bound, near=0, within=1e-10, exact=True)
print(f"bound {bound:.4f} = - {kl_to_prior:.4f} (KL to the prior) + {expected_fit:.4f} (fit)")

# %%
predict("03.move_q", "Now q moves further away from the posterior. What happens to the three numbers?",
        options=["log p(x) stays, the bound falls, the KL grows", "log p(x) and the bound fall, the KL stays",
                 "all three change"])

# %% [markdown]
# ## The bound and the KL as bars
# Every bar below begins at an arbitrary floor, for a log density has no natural zero: the length of $\mathcal{L}$, or
# of a whole bar, means nothing. Only its upper part, the KL, has a length that means something, and only changes of
# the rest do. The title has the numbers.
#
# Move $q$ first: close the gap by hand. How small can you make the KL? Then tick *best q*, and move θ. At which θ can a
# Gaussian close the gap altogether, and why there? Last, untick it and move θ alone.

# %%
def bars_picture(mu=-0.5, sigma=0.8, theta=1.0, best_q=False):
    model = Latent1D(theta, sigma_x=0.7)
    if best_q:
        mu, sigma = model.best_gaussian(x)
    q = normal_density(Z, mu, sigma)
    log_p, bound = model.log_evidence(x), model.elbo(q, x)
    seen = {"q": q[view], "prior": normal_density(Z[view], 0, 1), "posterior": model.posterior(x)[view]}
    return bound_and_densities(Z[view], seen, log_p, bound, floor=-8, top=-1.5, height=2.2,
                               title=f"log p(x) {log_p:.3f}  =  bound {bound:.3f}  +  KL {log_p - bound:.3f}")

explore(bars_picture, mu=(-3.0, 3.0, 0.1), sigma=(0.1, 1.5, 0.1), theta=(0.0, 2.0, 0.1), best_q=False,
        labels={"mu": "mean of q", "sigma": "standard deviation of q", "theta": "θ", "best_q": "best q"},
        alt="Left, a bar for log p(x) split into the bound and the KL; right, q, the prior and the posterior over z")

# %%
movers = [normal_density(Z, mu, sigma) for mu in np.linspace(-2, 2, 9) for sigma in (0.5, 0.8, 1.2)]
bounds = np.array([model.elbo(q, x) for q in movers])
gaps = np.array([integral(q * (np.log(q) - log_posterior)) for q in movers])
with claim_table():
    claim("27 densities q: the largest |bound + KL - log p(x)|", np.abs(bounds + gaps - log_p).max(), below=1e-10,
          exact=True)
    claim("How far the bound moved among them, in nats", bounds.max() - bounds.min(), near=70.6, within=0.1)
def change(f):
    """What a number gains when q moves to the right, away from the posterior's high mode."""
    return f(normal_density(Z, 2.0, 0.5)) - f(normal_density(Z, 1.0, 0.5))

gain = {"bound": change(lambda q: model.elbo(q, x)), "KL": change(lambda q: integral(q * (np.log(q) - log_posterior)))}
gain["log p(x)"] = gain["bound"] + gain["KL"]
reveal("03.move_q", gain, lambda m: "all three change" if min(map(abs, m.values())) > 1e-8 else
       "log p(x) stays, the bound falls, the KL grows" if m["bound"] < 0 < m["KL"] else
       "log p(x) and the bound fall, the KL stays")

# %%
best = normal_density(Z, *model.best_gaussian(x))
right = np.where(Z > -0.5, np.exp(log_posterior), 0)       # the right mode alone,
right /= integral(right)                                   # as a density
centre = integral(right * Z)
std = np.sqrt(integral(right * (Z - centre) ** 2))
straight = Latent1D(theta=0.0, sigma_x=0.7)
best_straight = normal_density(Z, *straight.best_gaussian(x))
with claim_table():
    claim("The best Gaussian q leaves this KL: the posterior has two modes, a Gaussian one",
          log_p - model.elbo(best, x), near=0.268, within=0.002)
    claim("The mean of the best Gaussian, minus that of the right mode", model.best_gaussian(x)[0] - centre,
          near=0.013, within=0.005)
    claim("Its standard deviation, relative to the right mode's", model.best_gaussian(x)[1] / std,
          near=0.88, within=0.01)
    claim("At θ = 0 the best Gaussian leaves no KL: there the posterior is Gaussian",
          straight.log_evidence(x) - straight.elbo(best_straight, x), near=0, within=1e-8, exact=True)
    claim("The exact posterior as q leaves no KL either", log_p - model.elbo(np.exp(log_posterior), x),
          near=0, within=1e-10, exact=True)

# %% [markdown]
# The best Gaussian does not spread over both modes. It sits on the higher one, and its standard deviation is about that
# mode's. Keep that in mind: at the end we shall see why.

# %%
predict("03.theta", "Now q stays, and we move θ so that the bound rises. Must log p(x) rise too?",
        options=["yes, for every q", "yes, if q was the exact posterior before the move", "no, for no q"])

# %% [markdown]
# ## Moving θ
# It is often said that then both rise. That is true if the KL was zero before the move. With $q$ the exact posterior
# under the old $\theta$, and $\theta'$ the new one,
#
# $$\log p_{\theta'}(x) \ge \mathcal{L}(q, \theta') \quad\text{(a bound)}, \qquad
#   \log p_\theta(x) = \mathcal{L}(q, \theta) \quad\text{(no gap)}.$$
#
# Subtract: $\log p$ rises *at least* as much as $\mathcal{L}$ does. Without the second half nothing follows. In
# general $\Delta \log p = \Delta \mathcal{L} + \Delta \mathrm{KL}$, and the KL may shrink by more than the bound
# gains. We look for such a $\theta'$.

# %%
thetas = np.linspace(0, 3, 121)
worlds = [Latent1D(theta, sigma_x=0.7) for theta in thetas]
gain_p = np.array([world.log_evidence(x) for world in worlds]) - log_p

exact, poor = np.exp(log_posterior), normal_density(Z, 1.4, 0.3)
gain_exact, gain_poor = (np.array([world.elbo(q, x) for world in worlds]) - model.elbo(q, x)
                         for q in (exact, poor))

broken = (gain_poor > 0) & (gain_p < 0)
found = np.argmax(np.where(broken, gain_poor, -np.inf))
print(f"with a poor q, from θ = 1 to θ = {thetas[found]:.2f}: "
      f"bound {gain_poor[found]:+.2f}, log p(x) {gain_p[found]:+.2f}")
with claim_table():
    claim("From the exact posterior as q, the smallest of (gain of log p) - (gain of the bound)",
          (gain_p - gain_exact).min(), above=-1e-10, exact=True)
    claim("From a poor q the bound rises by this many nats", gain_poor[found], near=3.23, within=0.01)
    claim("In the same move log p(x) falls by", -gain_p[found], near=0.181, within=0.001)
least = {"least (gain of log p) - (gain of the bound), exact q": (gain_p - gain_exact).min(),
         "moves with a poor q that raised the bound and lowered log p": broken.sum()}
reveal("03.theta", least, lambda seen: "no, for no q" if min(seen.values()) < -1e-10 else
       "yes, if q was the exact posterior before the move" if broken.any() else "yes, for every q")

# %%
moved = worlds[found]
show(bound_bars(["poor q, θ = 1", f"same q, θ = {thetas[found]:.2f}"], [log_p, moved.log_evidence(x)],
                [model.elbo(poor, x), moved.elbo(poor, x)], floor=-7, xlabel="before and after the move",
                title="θ moved with a poor q: the bound rises, log p(x) falls"),
     alt=f"Two bars, before and after the move. The bound moves by {gain_poor[found]:+.2f}, the line of log p(x) by "
         f"{gain_p[found]:+.2f}; the KL between them is what is left")

# %% [markdown]
# ## EM: coordinate ascent on the bound
# Move $q$ until $\mathcal{L}$ is as high as it gets (**E-step**), then θ (**M-step**), and again. Each half step
# raises $\mathcal{L}$ or leaves it. For a Gaussian mixture the latent variable is discrete: the number $k$ of the
# component. So the integral is a sum over $k$: **discrete latent variables with few values can be marginalised
# exactly**. $q$
# is a table of responsibilities, and the exact posterior is a matter of dividing: every E-step brings the KL to zero,
# so $\log p$ rises too. Six points, two components of variance one:

# %%
points = np.array([-2.2, -1.6, -1.1, 0.4, 1.5, 2.4])

def log_joint_of(means):
    """log p(x_i, k), shape (6, 2), with equal weights."""
    return np.log(0.5) - 0.5 * (points[:, None] - means) ** 2 - 0.5 * np.log(2 * np.pi)

def log_p_and_bound(r, means):
    """log p(x) and the bound, summed over the points, for responsibilities r."""
    joint = log_joint_of(means)
    return np.logaddexp.reduce(joint, axis=1).sum(), (r * (joint - np.log(r))).sum()

# %%
r, means = np.full((6, 2), 0.5), np.array([0.0, 1.0])
history = {"start": log_p_and_bound(r, means)}
for turn in "123":
    joint = log_joint_of(means)
    r = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])        # E: the exact posterior
    history[f"E{turn}"] = log_p_and_bound(r, means)
    means = (r * points[:, None]).sum(axis=0) / r.sum(axis=0)              # M: weighted means
    history[f"M{turn}"] = log_p_and_bound(r, means)

log_ps, bounds_along = np.array(list(history.values())).T
with claim_table():
    claim("The largest KL after an E-step", (log_ps - bounds_along)[1::2].max(), near=0, within=1e-10, exact=True)
    claim("The smallest rise of the bound over the six half steps", np.diff(bounds_along).min(), above=0, exact=True)
    claim("The smallest (rise of log p) - (rise of the bound) over the M-steps",
          (np.diff(log_ps) - np.diff(bounds_along))[1::2].min(), above=0, exact=True)
show(bound_bars(list(history), log_ps, bounds_along, floor=-17, xlabel="half step",
                title="E closes the gap; M lifts the bound, and log p(x) higher still"),
     alt="Seven bars of the bound with the line of log p(x), after the start and after each half step; the gap between "
         f"them after each M-step: {', '.join(f'{gap:.3f}' for gap in (log_ps - bounds_along)[2::2])}")

# %% [markdown]
# This is the same climb as in any mixture: responsibilities, then weighted means. Where the exact posterior is out of
# reach, $q$ goes only as high as it can, a gap stays, and $\log p$ is no longer sure to rise (**variational EM**). A
# **variational autoencoder** (VAE) goes one step further: a network gives $q$, and both half steps are taken at once by
# gradient.
#
# ## The KL of two Gaussians
# A VAE needs $\mathrm{KL}(q \,\|\, p)$ thousands of times a second. For Gaussians no integral is left.
#
# - $\mathbb{E}_q[\log q] = -\frac12 \log(2\pi\sigma_q^2) - \frac12$, since $\mathbb{E}_q (z - \mu_q)^2 = \sigma_q^2$.
# - $\mathbb{E}_q[\log p] = -\frac12 \log(2\pi\sigma_p^2) - \frac{\sigma_q^2 + (\mu_q - \mu_p)^2}{2\sigma_p^2}$: write
#   $z - \mu_p = (z - \mu_q) + (\mu_q - \mu_p)$ and square; the mixed term has mean zero.
#
# The KL is the first minus the second; over independent dimensions KLs add up:
#
# $$\mathrm{KL}(q \,\|\, p) = \sum_j \tfrac12 \Bigl[\log \frac{\sigma_{p,j}^2}{\sigma_{q,j}^2}
#   + \frac{\sigma_{q,j}^2 + (\mu_{q,j} - \mu_{p,j})^2}{\sigma_{p,j}^2} - 1\Bigr].$$

# %%
rng = np.random.default_rng(0)
worst = 0.0
for mu_q, mu_p, v_q, v_p in rng.uniform(-1, 1, size=(20, 4)):                 # v is a log-variance
    exact_kl = 0.5 * (v_p - v_q + (np.exp(v_q) + (mu_q - mu_p) ** 2) / np.exp(v_p) - 1)
    by_grid = kl(normal_density(Z, mu_q, np.exp(v_q / 2)), normal_density(Z, mu_p, np.exp(v_p / 2)), Z)
    library = kl_diagonal(*(torch.tensor([value]) for value in (mu_q, v_q, mu_p, v_p))).item()
    worst = max(worst, abs(exact_kl - by_grid), abs(exact_kl - library))
claim("20 random pairs: the largest distance between formula, quadrature and library", worst, below=1e-8, exact=True)

# %% [markdown]
# ## Two ways to store a standard deviation
# A network must output any real number, and a standard deviation is positive. So the network gives a logarithm. Which
# one? For $q = \mathcal{N}(m, s^2)$ and $p = \mathcal{N}(0, 1)$:
#
# - **log-variance** $v = \log s^2$: $\;\tfrac12 (e^{v} - 1 - v + m^2)$;
# - **log standard deviation** $\rho = \log s$, when you draw $z = m + e^{\rho} \varepsilon$:
#   $\;\tfrac12 (e^{2\rho} - 1 - 2\rho + m^2)$.
#
# The two are easily mixed, and such a mixture looks right: *Going further* descends one.

# %%
def distances(formula):
    """From the KL by quadrature, at 200 random (m, rho), where the standard deviation is e^rho."""
    pairs = torch.tensor(np.random.default_rng(1).uniform(-1, 0.5, size=(200, 2)))
    truth = [kl(normal_density(Z, m, np.exp(rho)), normal_density(Z, 0, 1), Z) for m, rho in pairs.tolist()]
    return (formula(*pairs.T[:, :, None]) - torch.tensor(truth, dtype=torch.float64)).abs()

with claim_table():
    claim("The formula in the log standard deviation: its largest distance from the KL by quadrature",
          distances(kl_standard_log_std).max(), below=1e-8, exact=True)
    claim("The formula in the log-variance v = 2 rho: its largest distance",
          distances(lambda m, rho: kl_standard(m, 2 * rho)).max(), below=1e-8, exact=True)

# %%
predict("03.width", "We leave the KL out and only maximise the fit, E_q log p(x|z). Where does the standard "
        "deviation of q go?", options=["to the posterior's", "to the prior's", "to 0"])

# %% [markdown]
# ## Break it: the KL left out, or counted twice
# We weigh the KL by a factor $\beta$ and let gradient descent find $q$, for the model of the beginning. $\beta = 1$ is
# the bound; $\beta = 0$ leaves the KL out; $\beta = 2$ is what a forgotten ½ amounts to. $\mathbb{E}_q[\log p(x|z)]$
# is a weighted sum over three points $\varepsilon$ (Gauss–Hermite), exact for polynomials up to degree five; ours has
# degree four.

# %%
def fit_q(beta, steps, penalty=kl_standard_log_std):
    """Means and standard deviations of q after descending -E_q[log p(x|z)] + beta KL(q || prior), one for each beta."""
    m, rho = torch.full_like(beta, 0.5).requires_grad_(), torch.zeros_like(beta).requires_grad_()
    optimizer = torch.optim.Adam([m, rho], lr=0.02)
    for _ in range(steps):
        z = m[:, None] + rho.exp()[:, None] * torch.tensor(NODES)
        fit = -0.5 * ((x - (z + z**2)) / 0.7) ** 2 @ torch.tensor(WEIGHTS)
        loss = -fit + beta * penalty(m[:, None], rho[:, None])
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return m.detach().numpy(), rho.exp().detach().numpy()

betas = torch.tensor([0, 0.5, 1, 2], dtype=torch.float64)
centres, stds = fit_q(betas, 1_000)
_, later = fit_q(betas, 1_500)

# %%
best_centre, best_std = model.best_gaussian(x)
with claim_table():
    claim("β = 1: the distance of its standard deviation from that of the best q", abs(stds[2] - best_std), below=1e-5)
    claim("β = 0: its standard deviation after a thousand steps", stds[0], near=0.047, within=0.005)
    claim("β = 0: five hundred more steps multiply it by", later[0] / stds[0], near=0.706, within=0.02)
    claim("β = 2: its standard deviation, over that of the best q", stds[3] / best_std, near=1.561, within=0.01)
spread = np.sqrt(integral(np.exp(log_posterior) * (Z - integral(np.exp(log_posterior) * Z)) ** 2))
ends = {"to the posterior's": spread, "to the prior's": 1.0, "to 0": 0.0}
reveal("03.width", later[0], lambda std: min(ends, key=lambda name: abs(ends[name] - std)))

bound_at = model.gaussian_elbo(centres, stds, x)
claim("The bound at β = 2 stays below the best bound by", bound_at[2] - bound_at[3], near=0.2455, within=0.002)
show(bound_bars([f"β = {beta:g}" for beta in betas], np.full(4, log_p), bound_at, floor=-5,
                xlabel="weight of the KL to the prior",
                title="Only the whole KL, counted once, reaches the best bound"),
     alt="Four bars, one for each β, with the bound in nats: " +
         ", ".join(f"{b:.2f} at β = {beta:g}" for beta, b in zip(betas, bound_at, strict=True)))

# %% [markdown]
# Without the KL, a standard deviation only costs: a spread $z$ misses $x$ more often. So $q$ becomes a point, and a VAE
# trained so an ordinary autoencoder. With the KL twice, $q$ is too wide. A $\beta$ other than 1 can be a choice,
# not an accident.
#
# **Repair:** put the KL back, with its ½, in the parametrisation you draw with.

# %% [markdown]
# ## Forward and reverse KL: mass-covering and mode-seeking
# Fit $p_\theta$ to data from $p_\text{data}$. With many examples the average log-likelihood is an expectation, and
#
# $$\mathbb{E}_{p_\text{data}}[\log p_\theta(x)]
#   = \mathbb{E}_{p_\text{data}}[\log p_\text{data}(x)] - \mathbb{E}_{p_\text{data}}\Bigl[\log
#     \frac{p_\text{data}(x)}{p_\theta(x)}\Bigr] = \text{const} - \mathrm{KL}(p_\text{data} \,\|\, p_\theta):$$
#
# add and subtract $\log p_\text{data}$; the first term knows nothing of $\theta$. So the highest likelihood has the
# smallest **forward KL**, with the data first. Fitting $q$ to a posterior minimised $\mathrm{KL}(q \,\|\, p(z|x))$,
# the **reverse KL**, with our own density first. The order decides what is costly: forward, to miss where data are;
# reverse, to be where none are.

# %%
predict("03.peaks", "One Gaussian is fitted to two separate modes by minimising the reverse KL. What does it do?",
        options=["it covers both modes", "it sits on one mode"])

# %%
grid = Z[::4]

def two_modes(separation):
    return 0.5 * normal_density(grid, -separation / 2, 0.6) + 0.5 * normal_density(grid, separation / 2, 0.6)

def compare(mean=1.0, std=1.5, separation=4.0):
    p, q = two_modes(separation), normal_density(grid, mean, std)
    shown = slice(300, 901, 3)
    forward, reverse = kl(p, q, grid), kl(q, p, grid)
    return divergences_and_densities(grid[shown], {"data": p[shown], "your Gaussian": q[shown]},
                                     {"forward": forward, "reverse": reverse}, top=6, height=0.8,
                                     title=f"forward KL {forward:.2f}, reverse KL {reverse:.2f}")

explore(compare, mean=(-3.0, 3.0, 0.1), std=(0.3, 3.0, 0.1), separation=(0.0, 6.0, 0.25),
        labels={"mean": "mean of the Gaussian", "std": "its standard deviation", "separation": "between the modes"},
        alt="Left, a bar for each of the two KLs; right, a density with two modes and a Gaussian over it")

# %% [markdown]
# Make the forward KL small, then the reverse one. Now bring the modes together, until both want the same. Then let
# gradient descent do it, from four starts.

# %%
p = torch.tensor(two_modes(4.0))
step, tensor_grid = grid[1] - grid[0], torch.tensor(grid)

def fit_gaussian(direction, starts=(-3.0, -1.0, 1.0, 3.0), steps=500):
    """Means, standard deviations and KLs of Gaussians, one for each start."""
    mean, rho = torch.tensor(starts, dtype=torch.float64, requires_grad=True), torch.zeros(4, requires_grad=True)
    optimizer = torch.optim.Adam([mean, rho], lr=0.03)
    for _ in range(steps):
        log_q = torch.distributions.Normal(mean[:, None], rho.exp()[:, None]).log_prob(tensor_grid)
        forward, reverse = p * (p.log() - log_q), log_q.exp() * (log_q - p.log())
        divergence = (forward if direction == "forward" else reverse).sum(dim=1) * step
        optimizer.zero_grad()
        divergence.sum().backward()
        optimizer.step()
    return mean.detach().numpy(), rho.detach().exp().numpy(), divergence.detach().numpy()

forward, reverse = fit_gaussian("forward"), fit_gaussian("reverse")

# %%
spread = np.sqrt(0.6**2 + 2.0**2)                         # standard deviation of the two modes together
with claim_table():
    claim("Forward: the largest |mean| over the starts", np.abs(forward[0]).max(), below=0.01)
    claim("Forward: the largest distance of the standard deviation from the data's", np.abs(forward[1] - spread).max(),
          below=0.001)
    claim("Reverse: the largest distance of |mean| from a mode", np.abs(np.abs(reverse[0]) - 2).max(), below=0.01)
    claim("Reverse: both modes are found, by different starts", len(set(np.sign(reverse[0]))) == 2)
    claim("Reverse: the KL left is nearly that of half the data, log 2", reverse[2].max(), near=np.log(2), within=0.003)
reveal("03.peaks", np.abs(reverse[0]).min(),
       lambda mean: "it sits on one mode" if mean > 1 else "it covers both modes")

shown = slice(300, 901, 3)
panels = {name: {"data": two_modes(4.0)[shown],
                 "start left": normal_density(grid[shown], means[0], stds[0]),
                 "start right": normal_density(grid[shown], means[3], stds[3])}
          for name, (means, stds, _) in (("forward: mass-covering", forward), ("reverse: mode-seeking", reverse))}
show(small_multiples(grid[shown], panels, xlabel="x", ylabel="density", ylim=(0, 0.75),
                     title="One Gaussian for two modes"),
     alt="The two modes, and the Gaussians from a start on the left and one on the right. Their means: forward "
         f"{forward[0][0]:.1f} and {forward[0][3]:.1f}; reverse {reverse[0][0]:.1f} and {reverse[0][3]:.1f}")

# %% [markdown]
# The reverse KL is **mode-seeking**: it picks a mode and leaves the other out. That is what the best $q$ did with the
# posterior. The forward KL is **mass-covering**: a model too simple for its data, trained by maximum likelihood, puts
# some of its samples where no data are, in the valley.

# %% [markdown]
# ## Going further
# ### What a bound prefers
# Where each bound lies over θ, with its $q$ held still:

# %%
low = thetas <= 1.2
show(curves(thetas[low], {"log p(x)": (gain_p + log_p)[low], "bound, q exact at θ = 1": (gain_exact + log_p)[low],
                          "bound, poor q": (gain_poor + model.elbo(poor, x))[low]},
            title="A bound touches log p(x) where its q is exact, and nowhere else", xlabel="θ", ylabel="nats"),
     alt="Over θ, the line of log p(x); below it the bound with q exact at θ = 1; and the bound of the poor q, highest "
         f"at θ = {thetas[low][gain_poor[low].argmax()]:.2f}")

# %% [markdown]
# A bound has a preference of its own: where $q$ is Gaussian, $\mathcal{L}$ prefers models whose posterior is nearly
# Gaussian. At each θ, the best Gaussian $q$:

# %%
climbed = [world.gaussian_elbo(*world.best_gaussian(x), x) for world in worlds]
show(curves(thetas, {"log p(x)": gain_p + log_p, "bound of the best Gaussian q": np.array(climbed)},
            title="The bound prefers a small θ, log p(x) a large one", xlabel="θ", ylabel="nats"),
     alt=f"Over θ from 0 to 3 two curves: log p(x), highest at {thetas[gain_p.argmax()]:.2f}, and the bound, highest "
         f"at {thetas[np.argmax(climbed)]:.2f}")
with claim_table():
    claim("The θ with the highest log p(x)", thetas[gain_p.argmax()], near=2.05, within=0.03)
    claim("The θ with the highest bound, best Gaussian q at each", thetas[np.argmax(climbed)], near=0.3, within=0.03)
    claim("At θ = 0 log p(x) minus the bound", gain_p[0] + log_p - climbed[0], near=0, within=1e-6, exact=True)
    claim("At θ = 3 log p(x) minus the bound", gain_p[-1] + log_p - climbed[-1], near=0.612, within=0.002)

# %% [markdown]
# ### The KL by Monte Carlo
# For densities without a formula: draw from $q$ and average $\log q - \log p$ (**Monte Carlo**). It comes
# with an error bar, the standard deviation of the terms over $\sqrt{n}$.

# %%
n = np.array([100, 300, 1_000, 3_000, 10_000, 30_000, 100_000])
draws = 0.8 * rng.standard_normal(n[-1]) - 0.5                                # from q, and p is the prior
terms = -0.5 * ((draws + 0.5) / 0.8) ** 2 - np.log(0.8) + 0.5 * draws**2      # log q - log p
estimate, error = (np.array([function(terms[:count]) for count in n]) for function in (np.mean, np.std))
error /= np.sqrt(n)
claim("The largest distance of an estimate from the exact KL, in standard errors",
      np.abs((estimate - kl_to_prior) / error).max(), below=4)
show(curves(n, {"exact": np.full(7, kl_to_prior), "Monte Carlo, ± 2 standard errors": estimate}, log_x=True,
            bands={"Monte Carlo, ± 2 standard errors": (estimate - 2 * error, estimate + 2 * error)},
            title="A hundred times the draws, a tenth of the error", xlabel="draws", ylabel="KL in nats"),
     alt="A dashed line in a band over the number of draws, and the horizontal line of the exact KL; the band misses "
         f"it at {(np.abs(estimate - kl_to_prior) > 2 * error).sum()} of seven places, one in twenty is expected")

# %% [markdown]
# ### A penalty that mixes two parametrisations
# Suppose a program draws $z = m + e^{\rho} \varepsilon$, yet charges $e^{\rho} - (1 + \rho) + m^2$. That curve has its
# minimum in the right place, but it belongs to the log-variance, and it lacks the factor ½. So the mean is penalised
# twice as much as it should be, and the standard deviation, near $\rho = 0$, half as much.

# %%
def wrong(m, rho):
    return (rho.exp() - (1 + rho) + m**2).squeeze(dim=1)

v = torch.linspace(-3, 1.5, 91)[:, None]
twice = 2 * kl_standard(0 * v, v)                                          # the missing one half
show(curves(v.squeeze(), {"right, if this is log s²": twice / 2, "the mixed penalty: twice that": twice,
                          "right, if this is log s": kl_standard_log_std(0 * v, v)},
            title="All three are lowest at 0; only their steepness differs", xlabel="what the network puts out",
            ylabel="penalty in nats, for m = 0"),
     alt="Three curves with their lowest point at 0: the KL as a function of the log-variance, twice that, and the KL "
         "as a function of the log standard deviation")

# %%
one = torch.ones(1, dtype=torch.float64)
off_centre, off_std = (values[0] for values in fit_q(one, 1_500, wrong))
with claim_table():
    claim("The mixed penalty is twice the KL in the log-variance: the largest distance",
          (twice - wrong(0 * v, v)).abs().max(), near=0, within=1e-5, exact=True)
    claim("The mixed penalty's distance from the KL, at 200 random (m, rho)", distances(wrong), above=0.08)
    claim("Descending it, the mean over that of the best q", off_centre / best_centre, near=0.944, within=0.005)
    claim("Descending it, the standard deviation over that of the best q", off_std / best_std, near=0.957, within=0.005)
    claim("Its bound stays below the best by, in nats", bound_at[2] - model.gaussian_elbo(off_centre, off_std, x),
          near=0.025, within=0.002)

# %% [markdown]
# Too near the prior in its mean, too far from it in its standard deviation, and here the bound hardly notices. Nor
# would your eye, on the curve: hold a formula against the integral.

# %% [markdown]
# ### Maximum likelihood and the forward KL, by samples
# The best forward fit has the data's own mean and standard deviation, which is what maximum likelihood gives on
# examples.

# %%
samples = rng.choice([-2.0, 2.0], size=20_000) + 0.6 * rng.standard_normal(20_000)
log_q = -0.5 * ((samples - forward[0][0]) / forward[1][0]) ** 2 - np.log(forward[1][0] * np.sqrt(2 * np.pi))
p_array = p.numpy()
expected = (p_array * np.log(p_array)).sum() * step - forward[2][0]
with claim_table():
    claim("Maximum likelihood on samples: its standard deviation minus that of the forward fit",
          samples.std() - forward[1][0], near=0, within=0.015)
    claim("The average log-likelihood minus (const - KL), in standard errors",
          (log_q.mean() - expected) / (log_q.std() / np.sqrt(len(samples))), near=0, within=4)

# %% [markdown]
# ## Your turn
# **1.** The KL of two Gaussians with $D$ independent dimensions each. The logs are log-variances. A batch has $n$ rows,
# and each row gets its own KL.

# %% tags=["exercise"]
def kl_gaussians(mean_q, log_var_q, mean_p, log_var_p):
    """KL(q || p) in nats, shape (n,), from four tensors of shape (n, D)."""
    ### BEGIN SOLUTION
    ratio = (log_var_q - log_var_p).exp()
    distance = (mean_q - mean_p) ** 2 / log_var_p.exp()
    return 0.5 * (log_var_p - log_var_q + ratio + distance - 1).sum(dim=1)
    ### END SOLUTION

# %%
check("03.kl_gaussians", kl_gaussians)

# %% [markdown]
# **2.** Assemble $\mathcal{L}$. A library gave you the cross-entropy of each pixel, $-\log p(x_j \mid z)$, and the KL
# of each latent dimension. The bound of an example is about *all* its pixels; report the mean over the examples.

# %% tags=["exercise"]
def elbo(cross_entropy, kl_terms):
    """The bound in nats, 0-d: mean over n examples. cross_entropy has shape (n, pixels), kl_terms (n, latent)."""
    ### BEGIN SOLUTION
    return (-cross_entropy.sum(dim=1) - kl_terms.sum(dim=1)).mean()
    ### END SOLUTION

# %%
check("03.elbo", elbo)

# %% [markdown]
# **3.** An M-step for $f_\theta(z) = z + \theta z^2$: given $q$ for each of $n$ seen numbers, which $\theta$ makes the
# sum of their bounds largest? Only $\mathbb{E}_q[\log p_\theta(x|z)]$ depends on $\theta$: set its derivative to zero.
# $\sigma_x$ cancels.

# %% tags=["exercise"]
def best_theta(x, z, q):
    """A number. x: shape (n,); z: grid of m causes, shape (m,); q: probabilities, (n, m), each row sums to one."""
    ### BEGIN SOLUTION
    return (q * (x[:, None] - z) * z**2).sum() / (q * z**4).sum()
    ### END SOLUTION

# %%
check("03.best_theta", best_theta)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(kl_diagonal)

# %%
show_source(Latent1D)

# %% [markdown]
# ## What to keep
# - $\log p(x) = \mathcal{L} + \mathrm{KL}(q \,\|\, p(z|x))$, for every $q$. Moving $q$ trades one for the other;
#   moving θ moves the sum, and $\log p(x)$ is sure to rise with $\mathcal{L}$ only from where the KL was zero.
# - $\mathcal{L} = -\mathrm{KL}(q \,\|\, p(z)) + \mathbb{E}_q[\log p(x|z)]$: stay near the prior, explain what you saw.
#   Leave the first out and the standard deviation of $q$ goes to zero.
# - Maximum likelihood minimises the forward KL, which is mass-covering; fitting $q$ minimises the reverse KL, which is
#   mode-seeking.
#
# **Read on:**
#
# - M. Jordan et al., [*An Introduction to Variational Methods for Graphical
#   Models*](https://doi.org/10.1023/A:1007665907178), Machine Learning 37 (1999).
# - R. Neal, G. Hinton, [*A View of the EM Algorithm that Justifies Incremental, Sparse, and Other
#   Variants*](https://doi.org/10.1007/978-94-011-5014-9_12), in Learning in Graphical Models (1998).
# - D. Kingma, M. Welling, [*Auto-Encoding Variational Bayes*](https://arxiv.org/abs/1312.6114), ICLR (2014).
#
# **Next:** notebook 03b, gradient estimators: how to climb the bound with a few draws of $z$.
