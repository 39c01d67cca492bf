# %% [markdown]
# # 10c · Denoising chains and maximum mean discrepancy
#
# Some models learn one step of a chain, and what the chain draws in the end is the model. Others have neither a density
# nor a chain, and compare averages.
# **How do you learn a distribution without writing down its density?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | check where a denoising chain ends, train one, match distributions by a kernel, and compare five families on the same digits |
# | You need | notebooks 05 (a generator) and 10b (Gibbs sampling, stationary distributions); Bayes' rule |
# | Time | 40 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from IPython.display import Markdown, display

from course_lib.chapters.nb10b.plots import convergence
from course_lib.chapters.nb10c.plots import densities
from course_lib.comparisons import digits8
from course_lib.experiments.mmd2d import MMDExperiment, MMDHyperparameters
from course_lib.live import Curve, LiveLab, Scatter, explore
from course_lib.measure import mmd2, mmd2_gaussians, normal_density, wasserstein1
from course_lib.models.gsn import MixtureDenoiser, walk, walkback_loss
from course_lib.models.rbm import ais, bernoulli, log_mean_exp
from course_lib.plots import images, scatters, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. The chain on a line is a matrix, so every statement about its
# end can be looked up: let the class guess first. What lies under *Going further* is another way of training the chain.
# The table before it carries on from notebook 10.
#
# - **Prepare.** Choose two noises for the chain on the line, one small and one large.
# - **10c.one_peak.** “at the data's distribution”: mean and width are right. What of a posterior with two peaks?
# - **One step of a chain as a model.** On the board: noise and denoise as one matrix, and its fixed vector.
# - **Compare averages: maximum mean discrepancy.** On the board: two means in the space of features, squared; three
#   sums of kernels remain.
# - **Live: the width of the kernel.** Let them choose the width before the start; too narrow sees only twins, too
#   wide only the mean.

# %% [markdown]
# ## One step of a chain as a model
# A **generative stochastic network** has no energy. It learns one step of a Markov chain. **Corrupt**:
# $\tilde x \sim C(\tilde x \mid x)$. Then **denoise** by a draw: $x' \sim p_\theta(x \mid \tilde x)$, what it may have
# been.
#
# If $p_\theta$ is the true posterior, the data's distribution is stationary. For $x$ from the data, $(x, \tilde x)$ is a
# draw from the joint $p(x)\, C(\tilde x \mid x)$; and $x'$, drawn given $\tilde x$ as $x$ was distributed given
# $\tilde x$, has the distribution of $x$ again:
#
# $$\sum_{\tilde x} p(\tilde x)\, p(x' \mid \tilde x) = p(x') .$$
#
# On a line we can compute the whole chain as a matrix, and leave learning for later.

# %%
predict("10c.one_peak",
        "A network puts out one mean and one width for x given x̃, the right ones; the noise is 0.8. Where does its "
        "chain end?",
        options=["at the data's distribution", "elsewhere"])

# %%
grid = np.linspace(-5, 5, 251)
data = 0.4 * normal_density(grid, -1, 0.25) + 0.6 * normal_density(grid, 1, 0.4)
data /= data.sum()                                        # probabilities of the grid's points

def transition(noise, one_peak):
    """Row x, column x': the probability of a step, exact for this data set."""
    C = normal_density(grid, grid[:, None], noise)
    C /= C.sum(axis=1, keepdims=True)                     # row x, column x̃
    posterior = data * C.T                                # row x̃, column x: Bayes' rule
    posterior /= posterior.sum(axis=1, keepdims=True)
    if one_peak:
        mean = posterior @ grid
        variance = posterior @ grid**2 - mean**2
        posterior = np.exp(-0.5 * (grid - mean[:, None]) ** 2 / variance[:, None])
        posterior /= posterior.sum(axis=1, keepdims=True)
    return C @ posterior

def stationary(T):
    return np.linalg.matrix_power(T, 2**15)[125]          # wherever it starts

def w1(p):
    """Distance from the data, as wasserstein1: the area between the two distribution functions."""
    return np.abs(np.cumsum(p - data)).sum() * (grid[1] - grid[0])

# %%
def chain_picture(noise=0.3, one_peak=False):
    T, unit = transition(noise, one_peak), 1 / (grid[1] - grid[0])
    end, ten = stationary(T), np.linalg.matrix_power(T, 10)[100]
    shown = slice(50, 201)
    return densities(grid[shown], {"data": data[shown] * unit, "where the chain ends": end[shown] * unit,
                                   "ten steps from -1": ten[shown] * unit}, height=1.2,
                     title=f"W₁ from the data: {w1(end):.3f} in the end, {w1(ten):.3f} after ten steps")

explore(chain_picture, noise=(0.1, 2.0, 0.1), one_peak=False,
        labels={"noise": "noise of the corruption", "one_peak": "a denoiser with one peak"},
        alt="The data's density with two peaks, the chain's stationary density, and its density ten steps after -1")

# %% [markdown]
# Little noise: one peak is a good enough answer, but the chain takes long to cross from mode to mode. Much noise: it
# crosses at once, but now $x$ given $\tilde x$ has two peaks, and one peak is wrong. Which noise would you choose?

# %%
off = {noise: w1(stationary(transition(noise, True))) for noise in (0.1, 0.8)}
reveal("10c.one_peak", off[0.8], pick=lambda w: "elsewhere" if w > 0.05 else "at the data's distribution")

def memory(noise):
    """Steps in which the slowest difference shrinks e times: -1 / log of the second eigenvalue."""
    return -1 / np.log(np.sort(np.abs(np.linalg.eigvals(transition(noise, False))))[-2])

with claim_table():
    for noise in (0.3, 0.8):
        claim(f"Right posterior, noise {noise}: the chain ends at the data, |stationary − data| at each point",
              np.abs(stationary(transition(noise, False)) - data), below=1e-9, exact=True)
    claim("One peak, noise 0.1: distance W₁ of the chain's end from the data", off[0.1], near=0.0104, within=0.002)
    claim("One peak, noise 0.8: distance W₁ of the chain's end from the data", off[0.8], near=0.15, within=0.02)
    claim("Noise 0.1: steps of memory", memory(0.1), above=300)
    claim("Noise 0.8: steps of memory", memory(0.8), below=5)

# %% [markdown]
# Which noise, then? As much as the denoiser can undo: one peak needs little noise, and patience.
#
# ## Training by denoising
# Now learn the posterior: a small network puts out a mixture of $K$ Gaussians for $x$ given $\tilde x$. It is trained by
# **denoising**: corrupt a data point, and raise $\log p_\theta(x \mid \tilde x)$ of the point that it was. (Three
# denoisers are trained here; the second, by **walkback**, is explained under *Going further*.)

# %%
blobs = np.interp((np.arange(4000) + 0.5) / 4000, np.cumsum(data), grid + 0.02) # the data's quantiles

def learn(K, noise, walkback, steps=1000):
    generator = seeded(8)
    denoiser = MixtureDenoiser(K, noise, generator)
    optimizer = torch.optim.Adam(denoiser.parameters(), fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1, 2 - 2 * step / steps)
        x = torch.tensor(blobs, dtype=torch.float32)[torch.randint(4000, (256,), generator=generator)][:, None]
        loss = walkback_loss(denoiser, x, walkback, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return denoiser

denoisers = {"five peaks, noise 0.3": learn(5, 0.3, 1), "five peaks, noise 0.3, walkback": learn(5, 0.3, 3),
           "one peak, noise 0.8": learn(1, 0.8, 1)}

# %%
counts, reached = (1, 3, 10, 30, 100, 300), {}
for name, denoiser in denoisers.items():
    generator = seeded(9)
    x, reached[name] = torch.randn(4000, 1, generator=generator), []
    for more in np.diff((0, *counts)):
        x = walk(denoiser, x, int(more), generator)
        reached[name].append(wasserstein1(x.numpy(), blobs))
plain, walkback, one_peak = reached.values()
show(convergence(counts, {name: reached[name] for name in ("five peaks, noise 0.3", "one peak, noise 0.8")},
                 title=f"Five peaks end at {plain[-1]:.2f}, one peak at noise 0.8 at {one_peak[-1]:.2f}",
                 xlabel="steps of the chain", ylabel="W₁ from the data"),
     alt="Distance from the data over the steps of the chain. After ten and after three hundred: " + ", ".join(
         f"{name} {w[2]:.2f} and {w[-1]:.2f}" for name, w in reached.items()))
with claim_table():
    claim("Five peaks, noise 0.3: distance W₁ after three hundred steps", plain[-1], below=0.3)
    claim("One peak, noise 0.8: distance W₁ after three hundred steps", one_peak[-1], above=0.12)

# %% [markdown]
# ## Compare averages: maximum mean discrepancy
# Now neither a density nor a chain. Two distributions are equal if *every* average is: of $x$, of $x^2$, of all
# functions. A **kernel** is an inner product of features, $k(x, y) = \varphi(x) \cdot \varphi(y)$; those of
# $k(x, y) = e^{-\|x - y\|^2 / 2s^2}$ are infinitely many. The **maximum mean discrepancy**, **MMD**, is the distance
# between their averages. With $x'$ a second, independent draw from where $x$ came from, and $y'$ likewise, expanding the
# square gives
#
# $$\mathrm{MMD}^2 = \bigl\|\mathbb{E}[\varphi(x)] - \mathbb{E}[\varphi(y)]\bigr\|^2 =
#   \mathbb{E}[k(x, x')] + \mathbb{E}[k(y, y')] - 2\, \mathbb{E}[k(x, y)].$$
#
# No feature is computed, and samples are all it needs. It is zero only if both distributions are the same: the Gaussian
# kernel is **characteristic**, a theorem we only quote. A generator can descend it: no discriminator, no game.
#
# To estimate it without bias, leave out the pairs of a point with itself: $k(x_i, x_i) = 1$ says nothing.

# %%
def our_mmd2(x, y, s):
    def k(a, b):
        return torch.exp(-torch.cdist(a, b) ** 2 / (2 * s**2))

    n, m = len(x), len(y)
    return (k(x, x).sum() - n) / (n * (n - 1)) + (k(y, y).sum() - m) / (m * (m - 1)) - 2 * k(x, y).mean()

generator = seeded(10)
shift, spread = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 1.5])
pairs = [(torch.randn(30, 2, generator=generator), shift + spread * torch.randn(20, 2, generator=generator))
         for _ in range(500)]
estimates = torch.stack([our_mmd2(x, y, 1.0) for x, y in pairs])
truth = mmd2_gaussians(torch.zeros(2), torch.eye(2), shift, torch.diag(spread**2), 1.0)
library = torch.stack([mmd2(x, y, (1.0,)) for x, y in pairs])
with claim_table():
    claim("The estimates are the library's: difference, each of 500", (estimates - library).abs(), below=1e-5,
          exact=True)
    claim("Without bias: estimates less the closed form, over their standard deviation",
          (estimates - truth) / estimates.std(), near=0, within=0.3)

# %% [markdown]
# How wide should the kernel be? Two distributions differ from a standard Gaussian, one by its mean, one by its
# variance. For each width we compute the exact MMD², and the scatter of its estimate from batches of a hundred where
# both are the same.

# %%
widths = np.logspace(-1.5, 1.5, 61)
zero, one = torch.zeros(1).double(), torch.eye(1).double()                # float32 would cancel at the wide end
far = {"mean moved by 1": (zero + 1, one), "variance doubled": (zero, 2 * one)}
seen_by = {name: np.array([mmd2_gaussians(zero, one, *q, float(s)) for s in widths]) for name, q in far.items()}
generator = seeded(11)
batches = [torch.randn(2, 100, 1, generator=generator).double() for _ in range(50)]
noise = np.array([np.std([our_mmd2(x, y, s) for x, y in batches]) for s in widths])        # of two equal Gaussians
show(convergence(widths, {**seen_by, "noise of a batch of 100": noise}, xlabel="width s of the kernel", ylabel="MMD²",
                 title="Too narrow nears the noise, too wide sees only the mean"),
     alt="MMD² over the width of the kernel on logarithmic axes: both curves peak near one; to the left all shrink and "
         "the noise comes up to the signals; to the right the curve for the variance falls most, below the noise")
signal = {name: values / noise for name, values in seen_by.items()}
with claim_table():
    claim("Narrowest kernel: MMD² of the moved mean over the noise", signal["mean moved by 1"][0], below=4)
    claim("Width 1: MMD² of the moved mean over the noise", signal["mean moved by 1"][30], above=10)
    claim("Widest kernel: MMD² of the doubled variance over the noise", signal["variance doubled"][-1], below=0.1)
    claim("Widest kernel: MMD of the moved mean over MMD of the doubled variance",
          np.sqrt(np.divide(*seen_by.values()))[-1], above=10)
    claim("Width at which the moved mean gives the largest MMD²", widths[seen_by["mean moved by 1"].argmax()],
          above=0.5, below=2)

# %% [markdown]
# ## Live: the width of the kernel
# The ring has eight modes. Start, then move the width of the kernel from left to right. Where do the points stop
# feeling the ring, and where do they only match its centre and its size? Another width is another measure: the
# curve jumps although no point has moved.

# %%
mmd_lab = LiveLab(
    MMDExperiment(MMDHyperparameters(), seed=1),
    views=[Scatter("real", "made", equal=True, title="What is real, what is made", xlim=(-3, 3), ylim=(-3, 3),
                   xlabel="x₁", ylabel="x₂"),
           Curve("mmd2", title="MMD² of each batch, unbiased", ylabel="MMD²")],
    knobs=["width", "learning_rate", "batch_size"],
    headless_steps=200,
)
mmd_lab

# %%
made, near = {}, {}
for width in (0.02, 0.3, 2.0):
    experiment = MMDExperiment(MMDHyperparameters(width=width, total_steps=500), seed=1)
    for _ in run(experiment, steps=500, progress=False):
        pass
    made[f"s = {width}"], near[width] = experiment.samples(600).numpy(), experiment.evaluate(False)["near"]
picture = scatters(made, title="Of three widths one brings many points near a mode")
for ax in picture.axes:
    ax.plot(*np.array(experiment.data.centres).T, "+", color="black", markersize=10)
    ax.set(aspect="equal", xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
show(picture, alt="Three clouds of made points, with crosses at the eight modes. Share of the points near a mode: "
                  + ", ".join(f"{share:.2f} for width {width}" for width, share in near.items()))
with claim_table():
    claim("Width 0.02: share of points within three standard deviations of a mode", near[0.02], below=0.04)
    claim("Width 0.3: share of points within three standard deviations of a mode", near[0.3], above=0.06, below=0.8)
    claim("Width 2: share of points within three standard deviations of a mode", near[2.0], below=0.06)

# %% [markdown]
# ## Five families on the same digits
# Black and white digits, eight by eight, for independent pixels, the RBM of notebook 10b, the two families of today,
# and
# MADE of notebook 10. Sixteen hidden units keep the RBM's partition function enumerable.
#
# - *Consistent*: with ever more data and training it would end at the data's distribution.
# - *Pixels at once*: one pass makes all pixels of a picture.
# - *Fréchet*: between Gaussians with the samples' and the training pictures' mean and covariance of raw pixels, all
#   it sees. Small sets score worse, so each is as large as the test set, whose own distance is the last row.
#
# To compare another model, add a `TableRow`.

# %%
train, test = digits8.flat_digits()
ink = digits8.frequencies(train)
digit_rbm = digits8.train_rbm(train, H=16, steps=5000, generator=seeded(20))
made_digits = digits8.train_made(train, steps=1300, generator=seeded(23))
denoiser = digits8.train_denoiser(train, steps=1200, generator=seeded(21))
G = digits8.train_generator(train, steps=1200, generator=seeded(22))

def independent_pixels(count, generator):
    return bernoulli(ink.expand(count, -1), generator)

def pixel_by_pixel(count, generator):
    return made_digits.sample(count, generator).images.flatten(1).float()

def rbm_chain(count, generator):
    return digit_rbm.gibbs(independent_pixels(count, generator), 200, generator)

def denoising_chain(count, generator):
    return walk(denoiser, independent_pixels(count, generator), 50, generator)

def generate(count, generator):
    return bernoulli(G(torch.randn(count, digits8.NOISE_SIZE, generator=generator)), generator)

# %%
rows = [
    digits8.TableRow("independent pixels", "exact", "no", "1", "yes", "none", independent_pixels,
                lambda x: x @ ink.log() + (1 - x) @ (1 - ink).log()),
    digits8.TableRow("MADE", "exact", "with ever more hidden units", "64, one a pixel", "no",
                "paths lead to later pixels only", pixel_by_pixel,
                lambda x: made_digits.log_prob(x.view(-1, 8, 8).long())),
    digits8.TableRow("RBM, 16 hidden units", "needs Z: exact here, else AIS", "with ever more hidden units and rounds",
                "200 rounds", "yes, in each round", "two layers, joined by an energy", rbm_chain, digit_rbm.log_prob),
    digits8.TableRow("denoising chain", "none", "if p(x|x̃) is right, as it is not here", "50 steps",
                "yes, in each step", "any that takes x̃ and gives a distribution", denoising_chain),
    digits8.TableRow("MMD generator", "none", "with this kernel and ever more units", "1", "yes", "any with a gradient",
                generate),
]
measured = [digits8.measure(row, train, test, seeded(30)) for row in rows]
real = digits8.TableRow("the test pictures themselves", "–", "–", "–", "–", "–", lambda count, _: test.repeat(4, 1))
floor = digits8.measure(real, train, test, seeded())._replace(seconds=float("nan"))       # nothing is drawn
display(Markdown(digits8.table([*rows, real], [*measured, floor])))

# %%
picked = np.concatenate([m.samples[:12] for m in measured] + [test[:12].numpy()]).reshape(-1, 8, 8)
show(images(picked, columns=12, title="Independent pixels fall apart; four families make rough digits",
            row_labels=["independent", "MADE", "RBM", "denoising chain", "MMD", "real"]),
     alt="Six rows of twelve small pictures, drawn from independent pixels, MADE, the RBM, the denoising chain and the "
         "MMD generator, and real digits")
independent, autoregressive, rbm, chain, moments = measured
log_w = ais(digit_rbm, torch.logit(ink), torch.linspace(0, 1, 1001), 100, seeded(31))
with claim_table():
    claim("Independent pixels: −log p of a test digit, nats", independent.nll, near=24.94, within=0.05)
    claim("RBM: nats below independent pixels", independent.nll - rbm.nll, above=6)
    claim("MADE: nats below the RBM", rbm.nll - autoregressive.nll, above=0.8, below=1.6)
    claim("The RBM's log Z by annealed importance sampling, less the sum over all hidden states",
          log_mean_exp(log_w) - digit_rbm.log_partition(), near=0, within=0.1)
    claim("Test pictures themselves: Fréchet distance", floor.frechet, near=0.295, within=0.01)
    three = [autoregressive.frechet, rbm.frechet, chain.frechet]
    claim("MADE, RBM and denoising chain: the largest Fréchet distance", max(three), above=0.37, below=0.5)
    claim("RBM less denoising chain: Fréchet distance", rbm.frechet - chain.frechet, near=0, within=0.05)
    claim("MMD generator: Fréchet distance", moments.frechet, above=1, below=1.6)
    claim("Independent pixels: Fréchet distance", independent.frechet, above=1.75)
    claim("Time to draw, the fastest of MADE, RBM and chain over the MMD generator",
          min(m.seconds for m in (autoregressive, rbm, chain)) / moments.seconds, above=8)

# %% [markdown]
# Read it with care: one training of each, of one size. Only rows with a density can be ranked by $-\log p$; here MADE has
# the least. By Fréchet, RBM and denoising chain are close, but a Gaussian with the right covariance would be perfect
# there. Of these four the MMD generator draws fastest, and is farthest by Fréchet: *consistent* speaks of a limit,
# and no training gets there.
#
# ## Going further
# ### Walkback
# A denoiser sees corrupted data points; a chain also reaches places where corrupted data points are rare. Walkback
# training (Bengio et al.) runs the chain itself for some steps from each data point, and teaches the way back from each
# place on it. The second denoiser above was trained so, with three steps.

# %%
show(convergence(counts, {name: reached[name] for name in ("five peaks, noise 0.3", "five peaks, noise 0.3, walkback")},
                 title="In these two trainings walkback arrives sooner", xlabel="steps of the chain",
                 ylabel="W₁ from the data"),
     alt="Distance from the data over the steps of the chain, plain denoising and walkback. After ten steps "
         f"{plain[2]:.2f} and {walkback[2]:.2f}, after three hundred {plain[-1]:.2f} and {walkback[-1]:.2f}")
with claim_table():
    claim("Walkback: distance W₁ after ten steps", walkback[2], below=0.05)
    claim("After ten steps: distance of plain denoising over that of walkback", plain[2] / walkback[2], above=2)
    claim("Walkback: distance W₁ after three hundred steps", walkback[-1], below=0.1)

# %% [markdown]
# It has a price: after several steps the point where the chain began is not a draw from $p(x \mid \tilde x)$ for *one*
# corruption. So the network learns another target, and the chain may end elsewhere. For the digits above we trained
# without it: see `help(digits8.train_denoiser)`.
#
# ## Your turn
# **1.** A denoising chain as a matrix: of the data's probabilities and of the corruption, make the matrix of one step.

# %% tags=["exercise"]
def chain_matrix(p, C):
    """T (n, n), row x, column x', of one step: corrupt by C (n, m), row x, column x̃; then draw x' given x̃. p (n,)."""
    ### BEGIN SOLUTION
    joint = p[:, None] * C
    posterior = joint / joint.sum(axis=0)                 # Bayes' rule, for each x̃ a column
    return C @ posterior.T
    ### END SOLUTION

# %%
check("10c.chain_matrix", chain_matrix)

# %% [markdown]
# **2.** The Gaussian kernel of all pairs.

# %% tags=["exercise"]
def gaussian_kernel(x, y, s):
    """exp(−‖x − y‖² / 2s²), shape (n, m), of points x (n, D) and y (m, D); s is a float."""
    ### BEGIN SOLUTION
    return torch.exp(-torch.cdist(x, y) ** 2 / (2 * s**2))
    ### END SOLUTION

# %%
check("10c.gaussian_kernel", gaussian_kernel)

# %% [markdown]
# **3.** The unbiased MMD², from the three matrices of the kernel: within $x$, within $y$, and across.

# %% tags=["exercise"]
def mmd2_from_kernels(k_xx, k_yy, k_xy):
    """The unbiased estimate, 0-d, from kernel values (n, n), (m, m) and (n, m); n and m may differ."""
    ### BEGIN SOLUTION
    n, m = k_xy.shape
    within_x = (k_xx.sum() - k_xx.diagonal().sum()) / (n * (n - 1))
    within_y = (k_yy.sum() - k_yy.diagonal().sum()) / (m * (m - 1))
    return within_x + within_y - 2 * k_xy.mean()
    ### END SOLUTION

# %%
check("10c.mmd2_from_kernels", mmd2_from_kernels)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(mmd2)

# %% [markdown]
# ## What to keep
# - A chain of corrupting and denoising steps has the data as its stationary distribution if each step draws from the
#   true posterior.
# - Much noise makes the chain fast and the posterior hard: the denoiser must be able to express it.
# - Maximum mean discrepancy needs no density, chain or discriminator; the kernel's width decides what it can see.
#
# **Read on:**
#
# - Y. Bengio et al., [*Generalized Denoising Auto-Encoders as Generative Models*](https://arxiv.org/abs/1305.6663), NIPS
#   (2013): walkback.
# - Y. Bengio et al., [*Deep Generative Stochastic Networks Trainable by Backprop*](https://arxiv.org/abs/1306.1091),
#   ICML (2014).
# - A. Gretton et al., [*A Kernel Two-Sample Test*](https://jmlr.org/papers/v13/gretton12a.html), JMLR 13 (2012).
# - Y. Li, K. Swersky, R. Zemel, [*Generative Moment Matching Networks*](https://arxiv.org/abs/1502.02761), ICML (2015).
# - G. Dziugaite, D. Roy, Z. Ghahramani, [*Training Generative Neural Networks via Maximum Mean Discrepancy
#   Optimization*](https://arxiv.org/abs/1505.03906), UAI (2015).
#
# **Next:** notebook 11, where the noise comes in many levels, and one network learns to undo them all.
