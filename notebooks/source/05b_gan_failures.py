# %% [markdown]
# # 05b · How GAN training fails: underfitting, mode collapse, cycles
#
# The game of notebook 05, the same code, the same data: with one seed the generator learns to make numbers of the right
# width, with the next it does not. **Why does a GAN succeed with one seed and fail with another, and what helps?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | measure a failure over many seeds, name it, build minibatch discrimination, say why two players circle |
# | You need | notebook 05 |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch

from course_lib.chapters.nb05b.plots import strip
from course_lib.comparisons.gan1d_seeds import GAN1DSeeds, score, train_many
from course_lib.experiments.fool import FoolExperiment
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DHyperparameters
from course_lib.live import Arrows, Curve, Density, LiveLab, Scatter, explore
from course_lib.measure import normal_quantiles, recovered, wasserstein1
from course_lib.models.bilinear import METHODS, path
from course_lib.models.gan1d import MinibatchDiscrimination
from course_lib.plots import histogram, paths, show, small_multiples
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import run

torch.set_num_threads(1)   # for models this small one thread is as fast as two, and steadier
SEEDS = range(2000, 2016)  # sixteen games; no setting was chosen on these seeds

# %% [markdown] tags=["teacher"]
# **For the teacher.** An hour and a quarter. The point of the first half is method: one run of a GAN proves nothing, so
# ask for the distribution over seeds before you show any remedy. *Fool the discriminator* is worth projecting: let the
# class call the moves. The game $x \cdot y$ stands alone and fits on a board.
#
# - **Prepare.** Decide what counts as recovered before the class sees a game, and write it on the board.
# - **05b.plain.** nearly all, after notebook 05's good game; or hardly any. Both are guesses from one run.
# - **05b.longer.** some more. Hardly anyone expects good games to be spoiled meanwhile.
# - **05b.minibatch.** all sixteen, as a remedy is hoped to cure. Ask for its price: the answer for a number depends
#   on its batch.
# - **05b.fast_g.** “they spread too wide”: fast is taken for wild. Ask where D's slope sends every z alike.
# - **Why two players circle.** On the board: the two slopes of x·y, one step of each, and Pythagoras: the radius
#   grows in every step.

# %% [markdown] cited="0.15 0.5 0.1"
# ## When is it a success?
# We call a game **recovered** if, at its last step, three things are right about the made numbers: the mean (4, give or
# take 0.15), the standard deviation (0.5, give or take 0.1), and the **Wasserstein distance** to the real ones (below
# 0.15). That is how far, on average, numbers must be moved until they lie like the real ones. On a line the smallest
# goes to the smallest: if two ways crossed, exchanging their ends would not make the total longer. So sorting gives it
# exactly. Why the third condition? Take two spikes, one standard deviation to either side of the mean.

# %%
spikes = np.tile([3.5, 4.5], 500)
distance = wasserstein1(spikes, normal_quantiles(1000, 4.0, 0.5))
with claim_table():
    claim("Two spikes at 3.5 and 4.5: standard deviation as of real numbers", spikes.std(), near=0.5, within=1e-9,
          exact=True)
    claim("The Wasserstein distance of the two spikes to the real numbers is too large", distance, near=0.268,
          within=0.002, exact=True)
    claim("So the two spikes do not count as recovered", not recovered(spikes))

# %% [markdown]
# ## Sixteen games
# One run proves nothing. We train sixteen at once, as parameters with a leading dimension of seeds. A failure that is
# often named is **mode collapse**: $G$ makes only a few of the things that it should, here one number or nearly, for
# every $z$. A **mode** is a peak of the data's density.

# %%
predict("05b.plain", "Of sixteen games with the plain GAN, how many recover the data?", low=0, high=16)

# %%
sixteen = GAN1DSeeds(GAN1DHyperparameters(minibatch=False), SEEDS)
for _ in run(sixteen, steps=3000, progress=False):
    pass
plain_games = sixteen.hand_out()
plain = score(plain_games)
reveal("05b.plain", plain.recovered.sum())
with claim_table():
    claim("Plain GAN: games recovered, of 16", plain.recovered.sum(), above=1, below=14)
    claim("Plain GAN: distance of the games' means from 4", np.abs(plain.mean - 4), below=0.06)
    claim("Plain GAN: smallest standard deviation of 16 games", plain.std.min(), above=0.1, below=0.4)
    claim("Plain GAN: largest standard deviation of 16 games", plain.std.max(), above=0.6, below=1.2)

# %% [markdown]
# Every game finds the place. The width is another matter. You may read that a plain GAN suffers from mode collapse.
# In these sixteen games none has: the width is not tiny, it is **arbitrary**, too narrow here, too wide there.
#
# Why? Notebook 05 says that the best $D$ would notice. So we ask each $D$: how large is your loss, and how small could
# it be, against this very generator? Where the two are far apart, $D$ **underfits**: a better one exists.

# %%
now, least = np.array([game.loss_of_d() for game in plain_games]).T
failed = ~plain.recovered
flat = failed & (now > 2 * np.log(2) - 0.01)
print("failed games, loss of D and the least:",
      ", ".join(f"{n:.2f} of {m:.2f}" for n, m in zip(now[failed], least[failed], strict=True)))

def far_from_half(game):
    """The largest distance of D from one half, where numbers occur."""
    seen = game.snapshot()
    return np.abs(seen["decision"] - 0.5)[seen["real_density"] + seen["generated_density"] > 0.02].max()

with claim_table():
    claim("Failed games whose D has a loss of 2 log 2, or nearly", flat.sum(), above=1)
    claim("The least loss that a D could have in those games, on average", least[flat].mean(), below=1.3)
    claim("Largest distance of D(x) from one half in any of them, where numbers occur",
          max(far_from_half(plain_games[i]) for i in np.flatnonzero(flat)), below=0.15)
    claim("Failed games whose D is not flat", (failed & ~flat).sum(), above=0)

# %%
def picture(game):
    now = game.snapshot()
    return {"real": now["real_density"], "made": now["generated_density"], "D(x)": now["decision"]}

picks = {"recovered": plain.recovered, "D underfits: flat": flat, "D not flat, G behind": failed & ~flat}
chosen = {name: plain_games[int(np.argmax(np.where(mask, np.abs(plain.std - 0.5), -1)))]
          for name, mask in picks.items()}
chosen["recovered"] = plain_games[int(np.argmin(plain.w1))]
show(small_multiples(plain_games[0].snapshot()["grid"], {name: picture(game) for name, game in chosen.items()},
                     title="One success and two failures, at this step", xlabel="x", ylim=(0, 1.6)),
     alt="Three panels of real and made density with D(x): a game that recovered; one whose D is flat, with made "
         "numbers of the wrong width; and one that failed although its D is not flat")

# %% [markdown]
# - **$D$ underfits and is flat.** It answers one half, or nearly, wherever numbers occur, and its loss is $2 \log 2$,
#   although a better $D$ exists. The gradient of a flat $D$ in $x$ is small, and so is what $G$ learns from it. Both
#   losses look like success.
# - **$D$ is not flat, $G$ is behind.** $D$ sees that the shape is wrong, and $G$ has not mended it.
#
# Are these two kinds of games? Or is this what we happened to see at the step where we stopped? Train the same sixteen
# on, with nothing changed, for as many steps again.

# %%
predict("05b.longer", "Of the games that failed, how many will have recovered by then?", low=0, high=16)

# %%
for _ in run(sixteen, steps=3000, progress=False):
    pass
later = score(sixteen.hand_out())
mended, spoiled = failed & later.recovered, plain.recovered & ~later.recovered
for name, kind in (("D was flat", flat), ("D was not", failed & ~flat), ("had recovered", plain.recovered)):
    print(f"{name:14} standard deviation",
          ", ".join(f"{a:.2f} → {b:.2f}" for a, b in zip(plain.std[kind], later.std[kind], strict=True)))
reveal("05b.longer", mended.sum())
print(f"mended {mended.sum()}, spoiled {spoiled.sum()}, recovered now {later.recovered.sum()} of 16")
claim("Games that changed sides in 3,000 more steps: mended or spoiled", (mended | spoiled).sum(), above=1)
claim("How much the standard deviation of a failed game changed in 3,000 more steps",
      np.abs(later.std - plain.std)[failed], above=0.03)

# %% [markdown]
# Games change sides: what we called kinds are **snapshots**. So a count of recovered games belongs to a number of
# steps; those of the remedies are after 3,000. And to stop a game at a step where it looks right, **early stopping**,
# is
# no remedy by itself: you must know what right looks like, and have measured it.
#
# $D$ *can* see the spread, number by number; this small, slow one often does not. Does a faster one?

# %%
fast_d = score(train_many(GAN1DHyperparameters(minibatch=False, learning_rate_d=0.01), SEEDS, steps=3000))

def right_width(games):
    """1 for a game whose numbers have the right standard deviation, give or take 0.1, else 0."""
    return 1.0 * (np.abs(games.std - 0.5) < 0.1)

claim("Share of games with the right width: with a faster D, less the plain ones",
      right_width(fast_d) - right_width(plain), above=0)
print(f"with a faster D recovered: {fast_d.recovered.sum()} of 16")

# %% [markdown]
# ## Minibatch discrimination
# With a faster $D$ more games have the right width; that is not yet the right shape. **Minibatch discrimination**
# (Salimans et al.) changes what $D$ sees: with each number, *how close the others of its batch are*. A batch of
# made numbers that lie too close together differs in that from a real one.
#
# Take features $f_i$ of number $i$ from inside $D$. A tensor $T$ turns each into $M_i$, five **kernels** of three numbers. Then
#
# $$c_{ijk} = \exp\bigl(-\lVert M_{ik} - M_{jk} \rVert_1\bigr), \qquad o_{ik} = \sum_j c_{ijk}.$$
#
# We follow the shapes, for a batch of 8 numbers with 6 features each.

# %%
rng = seeded()
f = torch.randn(8, 6, generator=rng)
layer = MinibatchDiscrimination(6, "pytorch", rng)

M = (f @ layer.T.detach()).view(8, 5, 3)                     # project: 5 kernels of dimension 3
difference = M[:, None] - M[None]                   # all pairs, by broadcasting
distance = difference.abs().sum(dim=3)              # L1
c = torch.exp(-distance)                            # near 1: close; near 0: far
o = c.sum(dim=1)                                    # over the batch
features = torch.cat([f, o], dim=1)                 # what D goes on with
for name in ("M", "difference", "distance", "o", "features"):
    print(f"{name:10} {tuple(locals()[name].shape)}")

# %%
by_loop = torch.zeros(8, 5)
for i in range(8):
    for j in range(8):
        by_loop[i] += torch.exp(-(M[i] - M[j]).abs().sum(dim=1))
claim("A plain loop gives the same features: largest difference", (by_loop - o).abs().max(), below=1e-5, exact=True)
claim("The library's layer gives the same features: largest difference", (layer(f) - o).abs().max(), below=1e-5,
      exact=True)

# %%
predict("05b.minibatch", "And of sixteen games with minibatch discrimination?", low=0, high=16)

# %%
minibatch = score(train_many(GAN1DHyperparameters(minibatch=True), SEEDS, steps=3000))
reveal("05b.minibatch", minibatch.recovered.sum())
with claim_table():
    claim("Share of games recovered: with minibatch discrimination, less the plain ones",
          1.0 * minibatch.recovered - plain.recovered, above=0)
    claim("Share of games recovered with minibatch discrimination", 1.0 * minibatch.recovered, above=0.5)
    claim("Plain GAN: interquartile range of the standard deviations", np.ptp(np.quantile(plain.std, [0.25, 0.75])),
          above=0.06)
    claim("Minibatch discrimination: interquartile range of the standard deviations",
          np.ptp(np.quantile(minibatch.std, [0.25, 0.75])), below=0.05)

# %%
show(strip({"plain": plain.std, "faster D": fast_d.std, "minibatch": minibatch.std}, band=(0.4, 0.6, "right width"),
           filled={"plain": plain.recovered, "faster D": fast_d.recovered, "minibatch": minibatch.recovered},
           filled_means="recovered", title="Sixteen games each, after 3,000 steps",
           ylabel="standard deviation, last step"),
     alt="Three columns of sixteen dots, standard deviations; recovered and filled of them: "
         + ", ".join(f"{name} {games.recovered.sum()}" for name, games in
                     (("plain", plain), ("faster D", fast_d), ("minibatch", minibatch))))

# %% [markdown]
# It is no guarantee: a game may still fail. And the remedy has a price: the answer for one number now depends on
# its batch, so **the batch size becomes a hyperparameter** of the model itself. Show $D$ a batch four times as large,
# and its features leave the range on which it was trained. (They grow not quite fourfold: each number's closeness to
# itself is 1 in any batch.)

# %%
small, large = torch.randn(32, 6, generator=rng), torch.randn(128, 6, generator=rng)
ratio = layer(large).mean() / layer(small).mean()
claim("Four times the batch: factor by which the features grow", ratio, near=3.6, within=0.5)

# %% [markdown]
# ## Mode collapse, and a saturated discriminator
# Both games are plain. In the first, $G$'s learning rate is a hundred times larger.

# %%
predict("05b.fast_g", "A generator a hundred times too fast: what becomes of its numbers?",
        options=["they spread too wide", "all lie at one point, another in each game",
                 "they stay where they began"])

# %%
fast_g = score(train_many(GAN1DHyperparameters(minibatch=False, learning_rate_g=0.1), SEEDS, steps=1500))
middle = {"median standard deviation": np.median(fast_g.std),
          "distance of the mean from 4": np.median(np.abs(fast_g.mean - 4))}
reveal("05b.fast_g", middle, lambda m: "they spread too wide" if m["median standard deviation"] > 0.5 else
       "they stay where they began" if m["distance of the mean from 4"] > 3 else
       "all lie at one point, another in each game")
claim("Fast G: share of the games that collapsed, to a standard deviation below 0.1", 1.0 * (fast_g.std < 0.1),
      above=0.4)
claim("Fast G: range of the means over 16 games, so the points lie apart", np.ptp(fast_g.mean), above=1.5)

# %% [markdown]
# That is mode collapse. In the second, $D$ learns ten times faster, and $G$ has the saturating loss of notebook 05. A
# $D$ that is sure of its answers is **saturated**: its sigmoid is flat there.

# %%
sure_d = GAN1DHyperparameters(minibatch=False, learning_rate_d=0.03, loss="saturating")
stuck = score(train_many(sure_d, SEEDS, steps=1500))
moving = score(train_many(sure_d.replace(loss="non-saturating"), SEEDS, steps=1500))
far_off = {loss: 1.0 * (np.abs(games.mean - 4) > 2) for loss, games in (("saturating", stuck), ("not", moving))}
print(f"recovered: {stuck.recovered.sum()} with the saturating loss, {moving.recovered.sum()} with the other")
with claim_table():
    claim("Fast D, saturating loss: share of the games whose mean is off by more than 2", far_off["saturating"],
          above=0.4)
    claim("Share of such games: saturating loss, less non-saturating loss, with the same fast D",
          far_off["saturating"] - far_off["not"], above=0.3)

# %% [markdown]
# A saturated $D$ leaves the saturating loss hardly a slope, a **vanishing gradient**: many of these games are still far
# from 4. How many recovered is printed above. One word in the code, $-\log D$ for $\log(1 - D)$, and many of them move.

# %% [markdown]
# ## Fool the discriminator
# Now you are the generator. Five numbers are yours, to which a little noise is added; $D$ learns live to tell them from
# real ones. Set the speed to `100 steps/s`, press **Start**, and move your numbers to make the *loss of G* small. The
# arrows show the gradient: which way a network in your place would go.
#
# 1. Put all five at 4, the most likely real value, and wait. Why does $D$ stop believing you?
# 2. Spread them like the real ones. What happens to both losses, and do the arrows still agree on anything?

# %%
LiveLab(
    FoolExperiment(seed=0),
    views=[
        Density("real_density", grid="grid", lines=["decision"], xlim=(-2, 8), ylim=(-0.08, 1.1), xlabel="x",
                labels={"real_density": "real", "decision": "D(x)"}, colors={"decision": "green"},
                title="Your numbers, at the height of D", ylabel="density, or probability")
        + Scatter("numbers", labels={"numbers": "your numbers"}, colors={"numbers": "vermillion"})
        + Arrows("pull", at="numbers", labels={"pull": "where G would go"}, colors={"pull": "vermillion"}),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G (yours)"}, title="The score",
              ylabel="nats", colors={"loss_d": "green", "loss_g": "vermillion"}),
    ],
    headless_steps=200,
)

# %% [markdown]
# ## Why two players circle
# Failed games changed their width as they went on. One network alone goes down its loss until it reaches a minimum.
# Two players have no common loss. They look for a **Nash equilibrium**, a point where neither can gain by moving alone.
# Take the smallest such game: $x$ wants $V = x \cdot y$ small, $y$ wants it large. The equilibrium is $(0, 0)$. Both move
# by their gradient, with step size $\eta$:
#
# - **simultaneous**: $x' = x - \eta y$ and $y' = y + \eta x$. Then $x'^2 + y'^2 = (1 + \eta^2)(x^2 + y^2)$, since the
#   cross terms cancel. It spirals *out*, whatever $\eta$.
# - **alternating**, as GANs do: $y$ answers the new $x'$, so $y' - \eta x' = y$, and $x' + \eta y = x$. Then $x'^2 + y'^2 -
#   \eta x' y' = x'^2 + y' y = x'(x' + \eta y) + y^2 = x^2 + y^2 - \eta x y$ stays the same: for $\eta < 2$ an orbit, an
#   ellipse.
# - **extragradient**: look one step ahead, and take the gradient *there*. For small $\eta$ it comes in; how small,
#   you will find out in exercise 3.

# %%
def circle(eta=0.3, steps=40):
    return paths({m: path(1.0, 0.0, eta, m, steps) for m in METHODS}, limit=3, xlabel="x, who wants x·y small",
                 ylabel="y, who wants it large", title=f"Three ways to play x·y, step size {eta:.2f}")

explore(circle, eta=(0.05, 1.2, 0.05), steps=(5, 100, 5), labels={"eta": "step size η"},
        alt="Three paths from (1, 0) around the origin: one spirals outwards, one stays on an ellipse, one "
            "spirals in if the step size is below 1")

# %%
eta = 0.3
simultaneous, alternating, extragradient = (path(1.0, 0.0, eta, method, 50) for method in METHODS)
size = (simultaneous**2).sum(axis=1)
growth = size[1:] / size[:-1]
orbit = (alternating**2).sum(axis=1) - eta * alternating.prod(axis=1)
with claim_table():
    claim("Simultaneous steps: growth of x² + y² in each of fifty steps, less 1 + η²", growth - (1 + eta**2), near=0,
          within=1e-9, exact=True)
    claim("Alternating steps: change of x² + y² - ηxy over fifty steps", orbit - 1, near=0, within=1e-9, exact=True)
    claim("Extragradient: x² + y² after fifty steps", (extragradient[-1] ** 2).sum(),
          near=0.014, within=0.001, exact=True)

# %% [markdown]
# A GAN, too, is two players, trained by alternating steps. Its losses need not settle when nothing is
# wrong, and, as the flat $D$ showed, they may settle when much is wrong.
#
# ## Going further
# ### Reading a published setting
# A published script of this game (Glover) starts all weights from $\mathcal{N}(0, 1)$ and takes noise that is almost
# fixed: eight evenly spaced spikes from $-8$ to 8, a hundredth wide. Here it recovers in fewer than half of the games.
# Is the noise to blame? Change only the noise.

# %%
games = train_many(TEXTBOOK, SEEDS, steps=3000)
normal_noise = train_many(TEXTBOOK.replace(noise="normal"), SEEDS, steps=3000)
with claim_table():
    claim("The script's setting, scored on z all over [-8, 8]: share of the games recovered",
          1.0 * score(games).recovered, below=0.5)
    claim("The script's setting, scored on the noise of training: share of the games recovered",
          1.0 * score(games, as_trained=True).recovered, below=0.5)
    claim("The script's setting with normal noise: share of the games recovered", 1.0 * score(normal_noise).recovered,
          below=0.5)

game = games[int(np.argmin(score(games).w1))]
show(histogram({"z as in training": game.samples(8000, as_trained=True), "z all over [-8, 8]": game.samples(8000)},
               title="Its best game: trained on eight spikes, drawn over all z", xlabel="made number", bins=80),
     alt="Two histograms of made numbers: with the noise of training eight thin spikes, with noise that fills the "
         "whole interval a broad distribution")

# %% [markdown]
# The noise alone is not the cause: with normal noise the setting fails, too. But look at the figure. In training $G$
# meets eight values of $z$ and makes eight numbers; a figure drawn with continuous $z$ shows numbers that no
# $D$ was shown. Draw what you train.

# %% [markdown]
# ## Your turn
# **1.** To *draw* $D$ with minibatch discrimination, a number must be put into a batch of others. Write its features:
# the closeness of each row of $M$ to all rows of that other batch, without loops.

# %% tags=["exercise"]
def closeness_to(M, others):
    """Sums over `others` of exp(-L1 distance), shape (n, kernels). M is (n, kernels, dim), others (m, kernels, dim)."""
    ### BEGIN SOLUTION
    distance = (M[:, None] - others[None]).abs().sum(dim=3)
    return torch.exp(-distance).sum(dim=1)
    ### END SOLUTION

# %%
check("05b.closeness_to", closeness_to)

# %% [markdown]
# **2.** The Wasserstein distance between two samples of equal size on a line.

# %% tags=["exercise"]
def distance_by_sorting(a, b):
    """W1 between two samples, arrays of shape (n,): the mean way, as short as possible. Returns a float."""
    ### BEGIN SOLUTION
    return float(np.abs(np.sort(a) - np.sort(b)).mean())
    ### END SOLUTION

# %%
check("05b.wasserstein1", distance_by_sorting)

# %% [markdown]
# **3.** For $V = x \cdot y$, an extragradient step is $x' = x - \eta\,(y + \eta x)$ and $y' = y + \eta\,(x - \eta y)$. By
# what factor does it change $x^2 + y^2$, and for which positive $\eta$ does it come in?

# %% tags=["exercise"]
def extragradient_growth(eta):
    """The factor, and whether the game converges: two arrays of eta's shape, the second one of bools."""
    ### BEGIN SOLUTION
    return (1 - eta**2) ** 2 + eta**2, (eta > 0) & (eta < 1)
    ### END SOLUTION

# %%
check("05b.extragradient", extragradient_growth)

# %%
show_source(MinibatchDiscrimination)

# %% [markdown]
# ## What to keep
# - Judge a GAN by many seeds and by a measure of its samples, not by one run or by its losses; and say after how many
#   steps. A result is a snapshot.
# - A discriminator that underfits, flat at one half, looks like success. Compare its loss with the least possible one,
#   where you can.
# - Mode collapse: $G$ makes one thing, or few. A saturated $D$ with the saturating loss: a vanishing gradient.
# - Minibatch discrimination lets $D$ see the batch: here that recovered most games. Then the batch size matters.
# - Two players circle. With small steps alternating stays on an orbit, and extragradient comes in.
#
# **Read on:**
#
# - T. Salimans et al., [*Improved Techniques for Training GANs*](https://arxiv.org/abs/1606.03498), NIPS (2016).
# - M. Heusel et al., [*GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
#   Equilibrium*](https://arxiv.org/abs/1706.08500), NIPS (2017).
# - G. Gidel et al., [*A Variational Inequality Perspective on Generative Adversarial
#   Networks*](https://arxiv.org/abs/1802.10551), ICLR (2019).
# - G. Korpelevich, *The Extragradient Method for Finding Saddle Points and Other Problems*, Ekonomika i Matematicheskie
#   Metody 12 (1976), in print only.
# - J. Glover, [*gan-intro*](https://github.com/AYLIEN/gan-intro), code (2016): the script, for which he drew on one of
#   E. Jang.
#
# **Next:** notebook 06, the same game with images: convolutions on both sides.
