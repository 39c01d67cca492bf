# %% [markdown]
# # 05 · Generative adversarial networks: the forger and the police
#
# Two networks compete: one makes fakes, the other tells fakes from real. Neither is told what the data look like.
# **What do two competing networks learn, and how can you tell from outside how the game stands?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | derive the best discriminator, say what the generator then minimises, and read a GAN's two losses |
# | You need | cross-entropy, KL divergence, densities, gradients; notebook 01 |
# | Time | 15 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from torch.nn.functional import softplus

from course_lib.experiments.gan1d import GAN1DExperiment, GAN1DHyperparameters
from course_lib.live import Curve, Density, LiveLab
from course_lib.measure import js, kl, normal_density, optimal_discriminator
from course_lib.models.gan1d import Discriminator, Generator
from course_lib.plots import curves, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Start with the live lab for two minutes, sound off, and ask
# what the curve of D is doing; come back to it at the end with words for what they saw. The proof of the best
# discriminator fits on one board. Let the class read the log near the end before they see the second reading.
#
# - **Prepare.** Start the live lab once, and note where the losses settle.
# - **05.perfect.** “above one half”: the number is real. From whom could D know?
# - **The best discriminator.** On the board: the bracket at one x, its derivative, and where it vanishes.
# - **05.log.** “near 0”, for the loss of D is large. Whose loss is which? Do the arithmetic on the board.
# - **Live: the game in training.** Ask what the dashed line would do at a perfect generator, before the start.
# - **05.r1.** the largest weight. Ask what too much of a brake does.

# %% [markdown]
# ## The game
# A **generative adversarial network**, GAN, is a game of two networks. The **generator** $G$, like a forger, turns noise
# $z$ into numbers $x = G(z)$. It is shown no real one. The **discriminator** $D$, like the police, sees real and made
# numbers and answers $D(x)$, the probability that $x$ is real. $D$ learns to tell them apart; $G$ learns to make $D$
# wrong.
#
# This is not reinforcement learning, although it sounds like reward and punishment. A reward is one number. $G$ gets
# more: the *gradient* of $D$, which says in which direction to change each number to look more real.

# %% [markdown] cited="0.5"
# ## Two small networks
# The real numbers come from $p = \mathcal{N}(4, 0.5^2)$, so that we can check everything. The noise is
# $z \sim \mathcal{N}(0, 1)$. $G$ has one hidden layer of four units, with the softplus, a smooth bend:
# $\mathrm{softplus}(a) = \log(1 + e^a)$. $D$ has three of eight, with a **leaky ReLU**, which passes positive numbers and
# shrinks negative ones. (`init="pytorch"` starts the weights as PyTorch's layers do;
# `minibatch` is for notebook 05b.)
#
# $D$ ends with a **logit** $a$: any number, of which the sigmoid makes the probability $D = \sigma(a)$. So in formulas
# $D(x)$ is the probability; *in code `D(x)` returns the logit*.

# %%
rng = seeded()
G = Generator(hidden_size=4, init="pytorch", generator=rng)
D = Discriminator(width=8, activation="leaky_relu", minibatch=False, init="pytorch", generator=rng)

z = torch.randn(5, 1, generator=rng)
for name, value in (("noise z", z), ("made x = G(z)", G(z)), ("logit of D(x)", D(G(z)))):
    print(f"{name:14} shape {tuple(value.shape)}")

# %%
show_source(Generator.forward)

# %%
show_source(Discriminator)

# %% [markdown]
# From the logit, $-\log D = \mathrm{softplus}(-a)$ and $-\log(1 - D) = \mathrm{softplus}(a)$: no logarithm of a rounded
# zero.
#
# ## What each one wants
# $D$ is a classifier with two classes, real and made, seen equally often. Its cost is twice the mean cross-entropy of
# notebook 01, for there is one average over each class:
#
# $$L_D = -\,\mathbb{E}_{x \sim p}[\log D(x)] - \mathbb{E}_{z}[\log(1 - D(G(z)))].$$
#
# $G$ wants the opposite. Its part is the second term, and it can put it in two ways: make
# $\log(1 - D(G(z)))$ small, the **saturating loss**, or make $-\log D(G(z))$ small, the **non-saturating loss**.
# (Below we see what saturates.) Training alternates: $D$ takes $K$ steps, here one, then $G$ takes one, each on a batch
# of fresh numbers, over which the losses are averaged.

# %%
def train_step(G, D, optimizer_g, optimizer_d, real, z_d, z_g):
    """D learns once (K = 1), then G: Algorithm 1 of Goodfellow et al., but non-saturating. D(…) is a logit."""
    fake = G(z_d).detach()                                # D's step must not change G
    loss_d = (softplus(-D(real)) + softplus(D(fake))).mean()
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()

    loss_g = softplus(-D(G(z_g))).mean()                  # non-saturating
    optimizer_g.zero_grad()
    loss_g.backward(inputs=list(G.parameters()))          # the gradient passes through D and stays in G
    optimizer_g.step()
    return loss_d.detach(), loss_g.detach()

# %% [markdown]
# The library's experiment does the same. We check it: same start, same numbers, twenty steps.

# %%
plain = GAN1DHyperparameters(minibatch=False)
library, ours = GAN1DExperiment(plain, seed=0), GAN1DExperiment(plain, seed=0)
for _ in run(library, steps=20, progress=False):
    train_step(ours.G, ours.D, ours.optimizer_g, ours.optimizer_d,
               ours.real_batch(), ours.noise_batch(), ours.noise_batch())

difference = max((a - b).abs().max().item() for a, b in zip(library.G.parameters(), ours.G.parameters(), strict=True))
claim("Twenty steps of both: largest difference of the weights of the two generators", difference, below=1e-6)

# %%
predict("05.perfect", "The generator has become perfect. What does the best possible discriminator answer about a "
        "real number?", options=["below one half", "one half", "above one half"])

# %% [markdown] cited="2.5"
# ## The best discriminator
# Freeze $G$, and call the density of its numbers $q$. For what $D$ is $L_D$ smallest? Write it as one integral:
#
# $$L_D = -\int \bigl[\,p(x) \log D(x) + q(x) \log(1 - D(x))\,\bigr]\,dx .$$
#
# $D$ may choose its value at each $x$ separately, so we choose at one $x$. With $d = D(x)$, the derivative of the bracket
# is $p/d - q/(1 - d)$. It vanishes where $p\,(1 - d) = q\,d$, that is at
#
# $$D^*(x) = \frac{p(x)}{p(x) + q(x)} .$$
#
# The bracket is concave in $d$, as both logarithms are, so this is its maximum. Where real and made numbers are equally
# frequent, $D^*$ is one half. Its odds are $D^*/(1 - D^*) = p/q$, so its logit is $\log \frac{p}{q}$, a **log density
# ratio**. Does a network find that? We train $D$ alone against a frozen generator, $q = \mathcal{N}(2.5, 1)$.

# %%
grid = np.linspace(-2, 7, 901)
p, q = normal_density(grid, 4.0, 0.5), normal_density(grid, 2.5, 1.0)

D_alone = Discriminator(width=32, activation="leaky_relu", minibatch=False, init="pytorch", generator=rng)
optimizer = torch.optim.Adam(D_alone.parameters(), lr=1e-2)
for step in range(2000):
    if step == 1000:
        optimizer.param_groups[0]["lr"] = 1e-3            # large steps first, then small ones
    real, fake = 4 + 0.5 * torch.randn(512, 1, generator=rng), 2.5 + torch.randn(512, 1, generator=rng)
    loss_d = (softplus(-D_alone(real)) + softplus(D_alone(fake))).mean()
    optimizer.zero_grad()
    loss_d.backward()
    optimizer.step()

# %%
learned = torch.sigmoid(D_alone(torch.tensor(grid, dtype=torch.float32)[:, None])).detach().numpy()
best = optimal_discriminator(p, q)
show(curves(grid, {"real density p": p, "made density q": q, "best D* = p/(p+q)": best, "D after training": learned},
            title="A network trained to tell real from made learns a ratio of densities", xlabel="x",
            ylabel="probability, or density"),
     alt="Two bell curves, p narrow at 4 and q wide at 2.5; D* rises from 0 to near 1 over p and falls again to its "
         f"right; the learned D, {np.abs(learned - best)[p + q > 0.02].mean():.2f} from it on average where numbers "
         f"occur, {np.abs(learned - best)[grid > 6].mean():.2f} on the far right, where none do")

seen = p + q > 0.02
with claim_table():
    claim("The logit of D* less log(p/q), where numbers occur", np.log(best / (1 - best))[seen] - np.log(p / q)[seen],
          near=0, within=1e-9, exact=True)
    claim("Distance of the learned D from D*, where numbers occur: largest", np.abs(learned - best)[seen].max(),
          below=0.1)
    claim("Distance of the learned D from D*, where numbers occur: mean", np.abs(learned - best)[seen].mean(),
          below=0.02)

# %% [markdown]
# Look to the right of the bell: $D^*$ falls again, for there $q$ is the larger of two tiny densities. The network saw
# hardly a number there, and nothing ties it to $D^*$: what it says where it saw nothing need mean nothing.

# %% [markdown]
# ## What the generator then minimises
# Put $D^*$ into the game. The logarithms become $\log \frac{p}{p + q}$ and $\log \frac{q}{p + q}$. With the mixture
# $m = (p + q)/2$ we have $p + q = 2m$, so $\log \frac{p}{p + q} = \log \frac{p}{m} - \log 2$, and the same for $q$:
#
# $$\begin{aligned}
# -L_D^* &= \int p \log \frac{p}{2m} + \int q \log \frac{q}{2m} \\
#        &= \mathrm{KL}(p \,\|\, m) + \mathrm{KL}(q \,\|\, m) - 2 \log 2 = 2\,\mathrm{JS}(p, q) - 2 \log 2 .
# \end{aligned}$$
#
# Here $\mathrm{KL}(p \,\|\, m) = \int p \log \frac{p}{m}$ is the **KL divergence** (notebook 03), in **nats** since the
# logarithm is the natural one: 0 if $p = m$, else positive.
# $\mathrm{JS}(p, q) = \frac12 \mathrm{KL}(p \,\|\, m) + \frac12 \mathrm{KL}(q \,\|\, m)$ is the **Jensen–Shannon
# divergence**: zero if and only if $p = q$, else positive. So the loss of the best
# discriminator measures how far the generator is from perfect, and it is at most $2 \log 2$. We check by quadrature: an
# integral becomes a sum over a fine grid.

# %%
loss_at_best = -np.trapezoid(p * np.log(best) + q * np.log(1 - best), grid)
loss_learned = -np.trapezoid(p * np.log(learned) + q * np.log(1 - learned), grid)
undecided = optimal_discriminator(p, p)                                # a perfect generator: q = p
reveal("05.perfect", undecided[450], lambda d: "one half" if abs(d - 0.5) < 1e-9 else
       "below one half" if d < 0.5 else "above one half")
with claim_table():
    claim("L_D* + 2 JS - 2 log 2, by quadrature", loss_at_best + 2 * js(p, q, grid) - 2 * np.log(2), near=0,
          within=1e-5, exact=True)
    claim("How far the exact loss of the trained D lies above L_D*", loss_learned - loss_at_best, above=0, below=0.008)
    claim("A perfect generator: loss of the best D, less 2 log 2",
          -np.trapezoid(p * np.log(undecided) + p * np.log(1 - undecided), grid) - 2 * np.log(2), near=0, within=1e-6,
          exact=True)
    claim("A perfect generator: its non-saturating loss, less log 2",
          -np.trapezoid(p * np.log(undecided), grid) - np.log(2), near=0, within=1e-6, exact=True)

# %% [markdown]
# ## The two ways to put it are not equivalent
# Both of $G$'s objectives reward a larger $D(G(z))$, and some texts call them equivalent. Let $\theta$ be a parameter of
# $G$, on which $q$ depends, and take $D = D^*$, *held fixed* while $\theta$ moves.
#
# **Saturating:** the gradient of $\mathbb{E}_q[\log(1 - D^*)]$ is that of $2\,\mathrm{JS}(p, q)$. To see why, recall that $2\,\mathrm{JS}$ is
# $-L_D^*$ up to a constant. When $\theta$ moves, $D^*$ moves too. By the chain rule the slope of $L_D^*$ has two parts:
# what $q$ changes with $D^*$ held fixed, and what $D^*$ changes with $q$ held fixed. The second part is zero, for at its
# minimum $L_D$ has slope zero in every $D(x)$. This is the **envelope theorem**; the gradient with $D^*$ held fixed is left.

# %% [markdown]
# **Non-saturating:** the gradient of $-\mathbb{E}_q[\log D^*]$ is that of $\mathrm{KL}(q \,\|\, p) - 2\,\mathrm{JS}(p, q)$.
# For $-\log \frac{p}{p+q} = \log \frac{q}{p} - \log \frac{q}{p+q}$, and the last part is the saturating objective with its
# sign turned. The mean of the first is the KL, whose own gradient has two parts again: what the mean over $q$ changes with
# $\log \frac{q}{p}$ held fixed, which we want, and what the logarithm changes. That second part is zero:
# $\int q\,\frac{\partial \log q}{\partial\theta} = \int \frac{\partial q}{\partial\theta} =
# \frac{\partial}{\partial\theta} \int q = 0$, since $\int q = 1$.
#
# We check with $q_\theta = \mathcal{N}(\theta, 1)$.

# %%
theta, h = 2.5, 1e-4
q_right, q_left = normal_density(grid, theta + h, 1.0), normal_density(grid, theta - h, 1.0)

def slope(right, left):
    return (right - left) / (2 * h)

saturating = slope(*(np.trapezoid(q_moved * np.log(1 - best), grid) for q_moved in (q_right, q_left)))
non_saturating = slope(*(-np.trapezoid(q_moved * np.log(best), grid) for q_moved in (q_right, q_left)))
slope_js = slope(js(p, q_right, grid), js(p, q_left, grid))
slope_kl = slope(kl(q_right, p, grid), kl(q_left, p, grid))

with claim_table():
    claim("Gradient of the saturating loss less that of 2 JS", saturating - 2 * slope_js, near=0, within=1e-6,
          exact=True)
    claim("Gradient of the non-saturating loss less that of KL - 2 JS", non_saturating - (slope_kl - 2 * slope_js),
          near=0, within=1e-6, exact=True)
    claim("Non-saturating gradient over saturating gradient, here", non_saturating / saturating, near=10.5, within=0.1,
          exact=True)

# %% [markdown]
# Why it matters: early in training $D$ wins easily, so its logit $a$ about made numbers is very negative. The two losses
# have different slopes in $a$: $\log(1 - \sigma(a))$ has $-D$, and $-\log \sigma(a)$ has $-(1 - D)$.

# %%
a = torch.linspace(-6, 6, 121)
show(curves(a, {"saturating: log(1 − D)": -softplus(a), "non-saturating: −log D": softplus(-a)},
            title="D sure of a fake (left): only the non-saturating loss has a slope", xlabel="logit a of D(G(z))",
            ylabel="loss of G (nats)"),
     alt="Two falling curves over the logit. Left of zero the saturating one is flat at zero and the other falls with "
         "slope one; right of zero it is the other way round")

# %% [markdown]
# With the non-saturating loss the slope is largest where $D$ sees through $G$. We let eight games run for two hundred
# steps and measure the gradient that $G$ would get from each loss. At one number the non-saturating slope is $(1 -
# D)/D$ times the other: more than one where $D < \frac12$, less where $D$ takes made numbers for real. So games differ,
# and the claim is
# about their mean; beside it stands how many of the eight keep the limit by themselves. (Adam, the optimiser here, divides each step by the size of
# the last gradients, so small ones alone do not stop it. They may when $D$ becomes ever surer: notebook 05b shows such
# games.)

# %%
ratios = []
for seed in range(100, 108):
    game = GAN1DExperiment(plain, seed=seed)
    for _ in run(game, steps=200, progress=False):
        pass
    size = game.generator_gradients()
    ratios.append(size["non-saturating"] / size["saturating"])
claim("Logarithm (base 10) of the size of G's gradient after 200 steps, eight games: non-saturating less saturating",
      np.log10(ratios), above=0.4)

# %% [markdown]
# ## Live: the game in training
# Press **Start**. In the left picture solid (blue) is real, dash-dotted (vermillion) is made, and dashed is what $D$
# answers. Watch the made numbers move towards 4, $D$ settle near one half where both are, and the losses near the
# dotted lines. Then, while it trains:
#
# 1. turn the learning rate of $D$ all the way down. Where does $G$ go, when the dashed line hardly moves?
# 2. turn on the *saturating* loss, raise $K$ to ten and press **Reset**. Does the generator get away from 0?
# 3. try other learning rates and batch sizes, and **Reset**: does the width come out right? (The box *minibatch
#    discrimination* adds a remedy that notebook 05b explains.)

# %%
lab = LiveLab(
    GAN1DExperiment(GAN1DHyperparameters(minibatch=False), seed=0),
    views=[
        Density("real_density", "generated_density", grid="grid", lines=["decision"],
                labels={"real_density": "real", "generated_density": "made", "decision": "D(x)"},
                title="What is real, what is made, what D answers", xlabel="x", ylabel="density, or probability",
                xlim=(-2, 8), ylim=(0, 2)),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"},
              levels={"2 log 2": 2 * np.log(2), "log 2": np.log(2)}, title="Dotted: if D answers one half to all",
              ylabel="nats"),
    ],
    headless_steps=1000,
)
lab

# %% [markdown] cited="6.63 0.14 6.35 0.33"
# In our tries $G$ moved up the nearly frozen dashed line, whether or not real numbers lie there; in
# the second game $D$ was sure at once, and most of our tries stayed near 0; and the width came out right in some tries
# and wrong in others, the question of notebook 05b.
#
# ## Reading a log
# Suppose that a script for this game prints, after thousands of steps, lines like these two (loss of $D$, loss of $G$):
# 6.63 and 0.14, later 6.35 and 0.33. How does the game stand? Do the arithmetic before you go on, as if every number had the
# average loss.

# %%
predict("05.log", "In that log, what does D answer about made numbers?",
        options=["near 0: it sees through them", "near one half: it cannot tell", "near 1: it takes them for real"])

# %%
for loss_d_printed, loss_g_printed in ((6.63, 0.14), (6.35, 0.33)):
    D_of_made = np.exp(-loss_g_printed)                               # loss_g = -log D(G(z))
    rest = loss_d_printed + np.log(1 - D_of_made)                     # what is left is -log D(x) on real numbers
    print(f"D of made numbers {D_of_made:.2f}, D of real numbers {np.exp(-rest):.3f}")
reveal("05.log", D_of_made, lambda d: "near 0: it sees through them" if d < 1 / 3 else
       "near one half: it cannot tell" if d < 2 / 3 else "near 1: it takes them for real")

# %% [markdown]
# So it takes made numbers for real *and* real ones for made? Numbers need not have the average loss. Let $D$ take most
# made numbers for real, nearly sure of it, and see through a few.

# %%
D_made = np.repeat([0.9988, 0.06], [95, 5])                           # of a hundred made numbers
D_real = np.exp(-(6.63 + np.log(1 - D_made).mean()))                  # what the loss of D leaves for real numbers
D_right = np.repeat([1 - 1e-9, 1e-9], [19, 1])                        # what D gives to the right answer
with claim_table():
    claim("Loss of G with these answers, less that of the first line", -np.log(D_made).mean() - 0.14, near=0,
          within=0.005, exact=True)
    claim("What D answers about real numbers, given the first line's loss of D", D_real, near=0.79, within=0.01,
          exact=True)
    claim("Loss of a D that is right nineteen times in twenty, and sure each time, less 2 log 2",
          -2 * np.log(D_right).mean() - 2 * np.log(2), near=0.686, within=0.001, exact=True)

# %% [markdown]
# The same line, and now real numbers are taken for real. So read no more than this: $D$ takes most made numbers for real.
# Each one with $D < \frac12$ costs $G$ at least $\log 2$, so their share is at most the loss over $\log 2$: about a fifth
# in the first line, just under half in the second.
# A loss of $D$ above $2 \log 2$ means: worse than to answer one half about every number. It does not mean that $D$ errs
# more often than a coin; a few errors of which it is *sure* are enough. A cure to try: let $D$ learn faster, or more
# often. The two networks need a balance, and the losses hint at which is behind.
#
# | loss of $D$ | loss of $G$, non-saturating | reading |
# |---|---|---|
# | near 0 | large | $D$ is sure and right, **saturated**; with the saturating loss $G$ would get almost no gradient |
# | near $2 \log 2$ | near $\log 2$ | as if $D$ answered one half to all: perhaps $q = p$, perhaps $D$ misses the difference; look at its answers |
# | above $2 \log 2$ | small | $D$ does worse than answering one half to all, and takes most made numbers for real |

# %% [markdown]
# ## Going further
# ### Read the log density ratio off $D$
# The logit of the best $D$ is $\log \frac{p}{q}$. So a trained classifier *is* an estimate of a log density ratio, wherever
# both kinds of numbers occur, though nobody wrote down a density.
#
# A **relativistic** discriminator (Jolicoeur-Martineau) is asked another question: of a *pair*, one real and one made
# number, which is the real one? That it is $x$ and not $\tilde x$ has the probability $\sigma(a(x) - a(\tilde x))$, for
# logits $a$ of single numbers. The **pairing loss** of $D$ is the mean of $-\log \sigma(a(x) - a(\tilde x)) =
# \mathrm{softplus}(a(\tilde x) - a(x))$ at a real $x$ and a made $\tilde x$; $G$'s has the two exchanged. Only
# differences of logits
# count. Which $a$ is best? "Real first" and "made first" are two classes of pairs, with densities $p(x)\,q(\tilde x)$
# and $q(x)\,p(\tilde x)$, so the best logit of a pair is the logarithm of their ratio,
# $\log \frac{p(x)}{q(x)} - \log \frac{p(\tilde x)}{q(\tilde x)}$: the same log density ratio, up to a constant that
# nobody sees.

# %%
D_of_pairs = Discriminator(width=32, activation="leaky_relu", minibatch=False, init="pytorch", generator=rng)
optimizer = torch.optim.Adam(D_of_pairs.parameters(), lr=1e-2)
for step in range(2000):
    if step == 1000:
        optimizer.param_groups[0]["lr"] = 1e-3
    real, fake = 4 + 0.5 * torch.randn(512, 1, generator=rng), 2.5 + torch.randn(512, 1, generator=rng)
    loss_of_pairs = softplus(D_of_pairs(fake) - D_of_pairs(real)).mean()
    optimizer.zero_grad()
    loss_of_pairs.backward()
    optimizer.step()

# %%
def logit(D):
    return D(torch.tensor(grid, dtype=torch.float32)[:, None]).detach().numpy()

log_ratio, both = np.log(p / q), np.minimum(p, q) > 0.01                     # where both kinds of numbers occur
off_alone, off_pairs = ((logit(D) - log_ratio)[both] for D in (D_alone, D_of_pairs))
constant = off_pairs.mean()
show(curves(grid[both], {"log p/q": log_ratio[both], "logit of D": logit(D_alone)[both],
                         "logit of D of pairs, less a constant": logit(D_of_pairs)[both] - constant},
            title="Two discriminators, one log density ratio", xlabel="x", ylabel="logit, or log ratio (nats)"),
     alt="Where both kinds of numbers occur: an arch, log p/q, and two learned logits, off by "
         f"{np.abs(off_alone).mean():.2f} and {np.abs(off_pairs - constant).mean():.2f} on average")
answers = 1 / (1 + np.exp(log_ratio[:, None] - log_ratio))                  # σ(−(a(x) − a(x̃))) at a = log p/q
slope_of_loss = -p * (answers * q).sum(axis=1) + q * (answers.T * p).sum(axis=1)    # by a(x), at each x
with claim_table():
    claim("The logit of the trained D: mean distance from log p/q, where both occur", np.abs(off_alone).mean(),
          below=0.25)
    claim("Pairing loss at a = log p/q: real numbers pull a(x) up, made ones down. The pulls cancel at each x: their "
          "sum over one of them",
          slope_of_loss / (p * (answers * q).sum(axis=1)), near=0, within=1e-9, exact=True)
    claim("The logit of the D of pairs: mean distance from log p/q plus a constant, where both occur",
          np.abs(off_pairs - constant).mean(), below=0.25)

# %% [markdown]
# ### R1: a penalty that brings the game to rest
# The smallest GAN (Mescheder et al.): real numbers are 0, $G$ makes one number $\theta$, and $D$'s logit is a line
# through 0, $a(x) = \psi x$. All is well at $\theta = \psi = 0$. $D$'s loss is
# $\mathrm{softplus}(\psi \theta) + \log 2$ and $G$'s is $\mathrm{softplus}(-\psi \theta)$; the pairing loss of $D$
# differs by the $\log 2$ alone. Take tiny steps of training, a motion in time, **gradient flow**:
# each player's speed is minus the slope of its own loss. Near 0 every $\sigma$ is near one half, so to first order
# $\theta$ moves with speed $\psi / 2$, and $\psi$ with speed $-\theta / 2$: a rotation, at one distance from 0. How
# does the distance $r$ change exactly? With $\sigma(a) - \sigma(-a) = \tanh \frac{a}{2}$,
#
# $$\frac{d}{dt}\, \frac{\theta^2 + \psi^2}{2} = \theta\psi\, \bigl(\sigma(-\theta\psi) - \sigma(\theta\psi)\bigr)
#   = -\,\theta\psi \tanh \frac{\theta\psi}{2} \le 0 .$$
#
# So the game comes in, but ever more slowly: near 0 the rate is $-\frac12 \theta^2 \psi^2$. On a circle the mean of
# $\theta^2 \psi^2$ is $r^4/8$, so $\frac{d}{dt} \frac{r^2}{2} = -\frac{r^4}{16}$. Divided
# by $-r^4/2$ that is $\frac{d}{dt} r^{-2} = \frac18$, and from $r = 1$ on gives $r \approx 1/\sqrt{1 + t/8}$ after the time $t$.

# %% [markdown]
# **R1** adds to $D$'s loss $\frac{\gamma}{2}$ times the squared slope of the logit at real numbers, here $\frac{\gamma}{2}
# \psi^2$, and so $-\gamma \psi$ to the speed of $\psi$. Near 0 the speeds are a matrix times $(\theta, \psi)$, with
# eigenvalues $-\frac{\gamma}{2} \pm \frac{1}{2} \sqrt{\gamma^2 - 1}$. Their real parts say how fast the game comes in.

# %%
predict("05.r1", "Which weight of R1 brings the smallest GAN to rest fastest?", options=["0", "0.3", "1", "3"])

# %%
def speeds(players, gamma):
    """How theta and psi move, each down its own loss; from a pair of both."""
    theta, psi = players
    loss_d, loss_g = softplus(psi * theta) + gamma / 2 * psi**2, softplus(-psi * theta)
    return torch.stack([-torch.autograd.grad(loss_g, theta, create_graph=True)[0],
                        -torch.autograd.grad(loss_d, psi, create_graph=True)[0]])

def at(*players):
    return torch.tensor(players, dtype=torch.float64, requires_grad=True)

def follow(gamma, share=0.5):
    """Distance from 0 in 400 steps of time 0.2, from (1, 0) on, each with the speeds at a `share` of a plain step."""
    players, path = at(1, 0), []
    for _ in range(400):
        path.append(players.detach().norm().item())
        ahead = (players + share * 0.2 * speeds(players.unbind(), gamma)).detach().requires_grad_()
        players = (players + 0.2 * speeds(ahead.unbind(), gamma)).detach().requires_grad_()
    return np.array(path)

# %%
gammas, errors, far = (0.0, 0.3, 1.0, 3.0), [], {}
for gamma in gammas:
    matrix = torch.autograd.functional.jacobian(lambda players, gamma=gamma: speeds(players.unbind(), gamma), at(0, 0))
    root = np.sqrt(complex(gamma**2 - 1))
    errors.append(abs(np.poly(matrix.numpy()) - np.poly([(-gamma + root) / 2, (-gamma - root) / 2])).max())
    far[f"γ = {gamma:g}"] = follow(gamma)

# %%
time = 0.2 * np.arange(400)
show(curves(time, far, log_y=True, xlabel="time t", ylabel="distance from θ = ψ = 0",
            title="R1 of weight 1 is fastest; too little or too much is slow"),
     alt="Distance from the solution over the time, on a logarithmic axis; at the end "
         + ", ".join(f"{name}: {path[-1]:.1g}" for name, path in far.items()))
reveal("05.r1", {name[4:]: path[-1] for name, path in far.items()}, lambda far: min(far, key=far.get))
with claim_table():
    claim("Eigenvalues of the speeds, for four weights: their polynomial less that of the formula", np.array(errors),
          near=0, within=1e-12, exact=True)
    claim("Without R1: distance less 1/√(1 + t/8), at each step", far["γ = 0"] - 1 / np.sqrt(1 + time / 8), near=0,
          within=0.04, exact=True)
    claim("Without R1: distance at the end", far["γ = 0"][-1], near=0.302, within=0.005, exact=True)
    claim("The same by plain simultaneous steps, less √(2·0.2)", follow(0.0, share=0)[-1] - np.sqrt(0.4), near=0,
          within=0.02, exact=True)
    claim("R1 of weight 1: distance at the end", far["γ = 1"][-1], below=1e-12, exact=True)
    claim("Weights 0.3 and 3, relative to weight 1: logarithm (base 10) of the distance",
          np.log10([far[name][-1] / far["γ = 1"][-1] for name in ("γ = 0.3", "γ = 3")]), above=3, exact=True)

# %% [markdown]
# Below $\gamma = 1$ both real parts are $-\gamma/2$. At $\gamma = 1$ the root vanishes; above it one of the eigenvalues goes
# back towards 0: $D$ is then held so flat that it hardly tells $G$ where to go. We took each step with the speeds half a
# step ahead (the midpoint method). Plain simultaneous steps of a size $\eta$ point outwards on a circle: each adds
# $\eta^2 r^2/4$ to $r^2$. Without R1 a step also takes $\eta\, r^4/8$ away, the slow way in.
# The two are equal at $r = \sqrt{2\eta}$, and there the game stays.
#
# **R3GAN** (Huang et al.) is the pairing loss with R1 and with **R2**, the same penalty at *made* numbers. In this game the
# slope is $\psi$ everywhere, so R2 doubles $\gamma$. The pairing loss by itself changes nothing here: it is the penalties
# that bring the game to rest. What is shown for two numbers need not hold for networks: notebook 06
# measures what R1 does to a $D$ of pictures.

# %% [markdown]
# ## Your turn
# **1.** Of all numbers that $D$ sees, a share `pi` is real and the rest is made. What is the best $D$ now? (With `pi` one half the cost is half of $L_D$, so the answer must be $D^*$.)

# %% tags=["exercise"]
def best_discriminator(p, q, pi):
    """The D(x) that minimises -pi E_p[log D] - (1 - pi) E_q[log(1 - D)]; densities p and q are arrays of one shape."""
    ### BEGIN SOLUTION
    return pi * p / (pi * p + (1 - pi) * q)
    ### END SOLUTION

# %%
check("05.best_discriminator", best_discriminator)

# %% [markdown]
# **2.** Write both losses of $G$ from logits, the non-saturating one first, so that logits of $\pm 200$ give no infinities.

# %% tags=["exercise"]
def generator_losses(logits):
    """Means of -log D (non-saturating) and log(1 - D) (saturating), a tuple of two 0-d tensors, from logits of D."""
    ### BEGIN SOLUTION
    return softplus(-logits).mean(), -softplus(logits).mean()
    ### END SOLUTION

# %%
check("05.generator_losses", generator_losses)

# %% [markdown]
# **3.** A colleague's GAN learns strangely: when $D$ learns, $G$ gets gradients too. The colleague wrote
#
# ```python
# return (softplus(-D(real)) + softplus(D(G(z)))).mean()
# ```
#
# where `D(…)` is a logit. Repair it: the function returns $D$'s loss, a later `backward()` on it leaves every gradient of
# $G$ untouched, and $G$ can still be trained afterwards.

# %% tags=["exercise"]
def repaired_loss_d(G, D, real, z):
    """D's loss as in L_D above; after its backward(), D's parameters have gradients and G's are as before."""
    ### BEGIN SOLUTION
    return (softplus(-D(real)) + softplus(D(G(z).detach()))).mean()
    ### END SOLUTION

# %%
check("05.repaired_loss_d", repaired_loss_d)

# %% [markdown]
# ## What to keep
# - The best discriminator is $p/(p + q)$; its logit is the log density ratio $\log \frac{p}{q}$. Against it, held fixed, the saturating loss has the
#   gradient of $2\,\mathrm{JS}(p, q)$, and the non-saturating loss that of $\mathrm{KL}(q\,\|\,p) - 2\,\mathrm{JS}(p, q)$.
# - Use the loss that is steep where $D$ sees through $G$, the non-saturating one.
# - Losses near $2 \log 2$ and $\log 2$ are those of a $D$ that answers one half to all. They do not say that $G$ is right.
#
# **Read on:**
#
# - I. Goodfellow et al., [*Generative Adversarial Nets*](https://arxiv.org/abs/1406.2661), NIPS (2014).
# - M. Arjovsky, L. Bottou, [*Towards Principled Methods for Training Generative Adversarial
#   Networks*](https://arxiv.org/abs/1701.04862), ICLR (2017).
# - I. Goodfellow, [*NIPS 2016 Tutorial: Generative Adversarial Networks*](https://arxiv.org/abs/1701.00160), arXiv
#   (2016).
# - L. Mescheder, A. Geiger, S. Nowozin, [*Which Training Methods for GANs do actually
#   Converge?*](https://arxiv.org/abs/1801.04406), ICML (2018): the smallest GAN, R1 and R2.
# - A. Jolicoeur-Martineau, [*The Relativistic Discriminator: a Key Element Missing from Standard
#   GAN*](https://arxiv.org/abs/1807.00734), ICLR (2019).
# - N. Huang, A. Gokaslan, V. Kuleshov, J. Tompkin, [*The GAN is Dead; Long Live the GAN! A Modern GAN
#   Baseline*](https://arxiv.org/abs/2501.05441), NeurIPS (2024): R3GAN.
#
# **Next:** notebook 05b, how GAN training fails: why the same game ends well with one seed and badly with the next, and a remedy.
