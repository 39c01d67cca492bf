# %% [markdown]
# # 06b · Measuring generated pictures: Inception Score, FID, and what fools them
#
# A generator has no likelihood to report, and its losses say little. So people score its pictures. Each score of this
# notebook can be fooled: by noise, by ten pictures, by copies, by copies that are moved one pixel.
# **How do you measure generated pictures, what fools which measure, and what do failures look like in numbers?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | compute and criticise three scores of generated pictures, and recognise five failures of a GAN in pictures and in numbers |
# | You need | notebook 06: the DCGAN and its training step; Gaussians and covariances; notebook 04's VAE |
# | Time | 80 seconds to run · seed 0 |

# %%
import copy
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from course_lib.data import load_mnist
from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters
from course_lib.experiments.vae import elbo_of
from course_lib.measure import coverage_kl, frechet_distance, nearest_neighbours, sharpness
from course_lib.models.naive_bayes import BernoulliNB
from course_lib.plots import bars, curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import fastest_precision, load_pretrained, run
from course_lib.training.image_scores import (
    as_bytes,
    features_and_probabilities,
    reference_features,
    scores,
    stand_ins,
)

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Give the class the table of pictures first, without numbers,
# and let them rank the rows; then reveal one column after the other. The failure labs are short on purpose: say what a
# longer run might change. The section on likelihood works well as a debate.
#
# - **Prepare.** Print the rows of pictures without the numbers; the class ranks them first.
# - **06b.score.** the row that looks best. What does the formula reward, and what does it never look at?
# - **What the Fréchet distance computes.** On the board, for one number: means and widths; then let them name two
#   different densities at distance 0.
# - **06b.moment.** the last one, for training is thought to go uphill.
# - **06b.range.** “yes, by D”. Both scales are numbers; nobody checks.
# - **06b.collapse.** two or three. Look at the shares before counting.
# - **06b.damage.** the one that the eye minds most.
# - **06b.features.** the same damage again. Other features, another distance.
# - **06b.shares.** “none”: they are no digits. Each lies amid its digit all the same.

# %% [markdown]
# ## Models, and what to hold them against
# Ten thousand pictures of each kind: the DCGAN and the VAE that come trained with the course (of the VAE both the means
# and the pixels drawn from them), naive Bayes of notebook 01, the mean picture of each digit a thousand times, **exact
# copies** of training pictures, as of a model that has memorised them, and the **shifted copies** of notebook 06, each
# moved one pixel to the right.

# %%
(G, card), (vae, _) = load_pretrained("dcgan"), load_pretrained("vae_z20")
seconds = {}

def timed(name, sample):
    start = time.process_time()
    made = sample()
    seconds[name] = (time.process_time() - start) / 10
    return made

gan = as_bytes(timed("GAN", lambda: G.sample(10_000, seeded())))     # greys from 0 to 255: a quarter of the memory
drawn, means = (as_bytes(x).view(-1, 28, 28) for x in timed("VAE", lambda: vae.sample(10_000, seeded())))
others = stand_ins(seed=0)
kinds = {"GAN": gan, "VAE means": means, "VAE drawn": drawn, "naive Bayes": others["naive Bayes"],
         "class means": others["ten class means"], "exact copies": others["training images"],
         "shifted copies": others["training images"].roll(1, dims=2)}
show(images(torch.cat([x[:10] for x in kinds.values()]) / 255, row_labels=list(kinds), title="Ten of each kind"),
     alt="Seven rows: digits of the GAN; soft digits; grainy digits; loose dust in the shape of digits; ten smeared "
         "averages, one of each digit; real digits; the same, one pixel further to the right")

# %%
predict("06b.score", "Which of these rows gets the highest classifier score, copies apart?",
        options=list(kinds)[:5])

# %% [markdown]
# ## Three scores
# All three ask the course's convolutional **classifier**, trained on real digits, half of them binarized: so it knows
# grain. Its **features** of a picture are the numbers that its last layer gets.
#
# - **Classifier score**: $\exp\, \mathbb{E}_x\, \mathrm{KL}(p(y \mid x) \,\|\, p(y))$, between 1 and the number of
#   classes. High if the classifier is sure of each picture, and all digits occur. It is the formula of the **Inception
#   Score** (Salimans et al.).
# - **Class KL**: the KL of the shares of predicted digits from uniform, in nats; 0 is best. A generator that leaves out
#   digits, an incomplete **mode coverage**, has a large one.
# - **Fréchet distance** to the test pictures, of the classifier's features; 0 is best. It is the formula of the
#   **Fréchet Inception distance, FID** (Heusel et al.).
#
# What differs from Inception Score and FID is the classifier: theirs is Inception v3, trained on a thousand classes of
# photographs. So our numbers compare with each other and not with published ones. And the word *distance* is loose, in
# FID, too: what is reported is its square, $d^2$. (In the code, class KL is called `coverage_kl`. What the literature
# calls *coverage* is another measure, under *Going further*.)

# %% [markdown]
# ## What the Fréchet distance computes
# It pretends that features are Gaussian. On a line, the cheapest way to carry one Gaussian to another shifts by $\mu_b
# - \mu_a$ and stretches by $\sigma_b/\sigma_a$, and the mean squared way is $(\mu_a - \mu_b)^2 + (\sigma_a -
# \sigma_b)^2$. In many dimensions, quoted without proof (Dowson and Landau),
#
# $$d^2 = \lVert \mu_a - \mu_b \rVert^2 + \operatorname{tr} \bigl( \Sigma_a + \Sigma_b - 2\,(\Sigma_a \Sigma_b)^{1/2} \bigr) .$$
#
# A square root $M^{1/2}$ is a matrix that, times itself, gives $M$: same eigenvectors, roots of the eigenvalues. So its
# trace is the *sum of the roots of the eigenvalues* of $M$. On a line, $\sigma_a^2 + \sigma_b^2 - 2 \sigma_a \sigma_b$
# is the square above.

# %%
a, b = np.random.default_rng(0).normal(size=(2, 500, 1)) * [[[2.0]], [[0.5]]] + [[[1.0]], [[4.0]]]
on_a_line = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
claim("On a line: the library's Fréchet distance less the formula", frechet_distance(a, b) - on_a_line, near=0,
      within=1e-9, exact=True)

few = reference_features()[:20]                                      # 20 pictures, 64 features each
product = np.cov(few, rowvar=False) @ np.cov(reference_features(), rowvar=False)
eigenvalues = np.linalg.eigvals(product)
claim("Eigenvalues of the product of covariances that came out complex or negative by rounding",
      ((abs(eigenvalues.imag) > 0) | (eigenvalues.real < 0)).sum(), above=0)

# %% [markdown]
# So a square root taken carelessly is complex, or not a number. The way out: $\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2}$
# has the same eigenvalues and is symmetric, so they are computed as real numbers (exercise 2). The second trap is the
# **number of pictures**: fewer look worse, even when they are real.

# %%
features, _ = features_and_probabilities(kinds["exact copies"])
of_real = {n: frechet_distance(features[:n], reference_features()) for n in (500, 2_000, 10_000)}
for n, distance in of_real.items():
    print(f"{n:6,} real training pictures: Fréchet distance {distance:6.2f}")
claim("Fréchet distance of 500 real pictures, relative to that of 10,000", of_real[500] / of_real[10_000],
      above=1.5)

# %% [markdown]
# Therefore `scores` takes ten thousand pictures against the ten thousand test pictures, by this classifier. The
# last line above returns below, as exact copies.

# %% [markdown]
# ## The table

# %%
test, train = load_mnist("test"), load_mnist("train")
real_sharpness = sharpness(test[:2000].floats().numpy()).mean()
reference = train.images.numpy()                                         # greys from 0 to 255

def row(x):
    return {**scores(x), "sharpness": sharpness(x[::7].numpy() / 255).mean() / real_sharpness}

table = {name: row(x) for name, x in kinds.items()}
some = torch.cat([x[::99] for x in (*kinds.values(), test.images)]).numpy()  # 102 of each; every 100th mean is a 0
*nearest, held_out = (nearest_neighbours(some, reference)[0] / 255).reshape(-1, 102)
for r, distance in zip(table.values(), nearest, strict=True):
    r["nearest"] = distance.mean()

# %%
print(f"{'':15}{'Fréchet':>9}{'score':>7}{'class KL':>10}{'sharpness':>11}{'nearest training picture':>26}")
for name, r in table.items():
    print(f"{name:15}{r['frechet']:9.1f}{r['classifier_score']:7.2f}{r['coverage_kl']:10.3f}{r['sharpness']:11.2f}"
          f"{r['nearest']:26.2f}")
print("Sharpness: variance of the Laplacian, 1 for real pictures. "
      f"Last column, held-out digits: {held_out.mean():.2f}.")

# %%
reveal("06b.score", {name: table[name]["classifier_score"] for name in list(kinds)[:5]},
       lambda score: max(score, key=score.get))
frechet, score, sharp = ({name: r[key] for name, r in table.items()}
                         for key in ("frechet", "classifier_score", "sharpness"))
with claim_table():
    claim("Ten pictures fool the classifier score: class means less VAE means",
          score["class means"] - score["VAE means"], above=0.7)
    claim("Ten pictures fool the class KL: that of the class means", table["class means"]["coverage_kl"], below=0.005)
    claim("The Fréchet distance tells: class means relative to VAE means",
          frechet["class means"] / frechet["VAE means"], above=8)

# %% [markdown]
# Sure answers and equal shares say nothing of variety within a digit. Now sharpness, grain, and copies.

# %%
with claim_table():
    claim("Noise fools sharpness: naive Bayes relative to real pictures", sharp["naive Bayes"], above=7.5)
    claim("The Fréchet distance tells: naive Bayes relative to VAE means",
          frechet["naive Bayes"] / frechet["VAE means"], above=4.8)
    claim("Grain makes the Fréchet distance smaller: VAE drawn relative to its means",
          frechet["VAE drawn"] / frechet["VAE means"], below=0.75)
    claim("Exact copies fool the Fréchet distance: relative to the GAN's", frechet["exact copies"] / frechet["GAN"],
          below=0.55)
    claim("The nearest training picture tells exact copies: their distance", table["exact copies"]["nearest"],
          below=1e-6, exact=True)
    claim("Shifted copies fool that, too: their distance, less that of held-out digits", nearest[-1] - held_out,
          above=-0.3)
    claim("Fréchet distance of shifted copies relative to the GAN's", frechet["shifted copies"] / frechet["GAN"],
          above=2.4)

# %% [markdown]
# No column is safe alone. Of these measures the Fréchet distance tells most, and exact copies have a smaller one than the
# GAN. Only the nearest training picture tells them, and one pixel to the right is enough to pass that, too: it finds
# exact copies only. Report several numbers, their reference rows, and the nearest training pictures. The Fréchet distance
# also has tastes: it finds that pixel, which no eye minds, worse than all errors of the GAN. More of them under *Going
# further*.
#
# ## Your turn, already
# **1.** Class KL: KL of the shares of predicted digits from uniform. Digits may be missing altogether.

# %% tags=["exercise"]
def class_kl(predicted, classes):
    """KL(shares ‖ uniform) in nats, a float, from predicted classes 0 … classes − 1, an int array [n]."""
    ### BEGIN SOLUTION
    q = np.bincount(predicted, minlength=classes) / len(predicted)
    q = q[q > 0]
    return float((q * np.log(q * classes)).sum())
    ### END SOLUTION

# %%
check("06b.coverage", class_kl)

# %% [markdown]
# ## Scores along training
# A narrow DCGAN, scored while it learns. First choose by the pictures, or by the sharpness printed below them.

# %%
narrow = DCGANHyperparameters(width=16, precision=fastest_precision())

def train_to(game, steps):
    """Train on to this step; returns the size of G's gradient at each step."""
    return [metrics["gradient_g"].item() for metrics in run(game, steps - game.steps, progress=False)]

def made(G, n=10_000):
    """n pictures of a generator; always from the same noise."""
    return G.sample(n, seeded())

def raw_pictures(game):
    """2,000 pictures of G as it is, not of its average; always from the same noise."""
    game.G.eval()
    pictures = game.G.sample(2_000, seeded(1))
    game.G.train()                                                   # or it would train on in inference mode
    return pictures

game, moments, raw = DCGANExperiment(narrow, seed=0), {}, {}
for step in (75, 150, 300, 450, 600):
    train_to(game, step)
    if step != 450:
        moments[step] = copy.deepcopy(game.model)                    # the moving average of G
    if step == 300:
        half_time = copy.deepcopy(game.state_dict())                 # for an experiment further down
    if step >= 450:
        raw[step] = raw_pictures(game)                               # for the same experiment

# %%
show(images(torch.cat([made(G, 10) for G in moments.values()]), row_labels=[f"step {step}" for step in moments],
            title="Which row looks best?"),
     alt="Four rows of ten pictures from the same noise, one row for each moment")
print("sharpness relative to real pictures:", ", ".join(
    f"step {step} {sharpness(made(G, 1_000).numpy()).mean() / real_sharpness:.2f}" for step, G in moments.items()))

# %%
predict("06b.moment", "Which moment scores best, by Fréchet distance?", options=[str(step) for step in moments])

# %%
along = {}
for step, G_then in moments.items():
    along[step] = scores(made(G_then)) | {"sharpness": sharpness(made(G_then, 2_000).numpy()).mean() / real_sharpness}
for step, s in along.items():
    print(f"step {step:4}: Fréchet {s['frechet']:6.1f}, score {s['classifier_score']:.2f}, class KL "
          f"{s['coverage_kl']:.3f}, sharpness {s['sharpness']:.2f}")
reveal("06b.moment", {str(step): s["frechet"] for step, s in along.items()}, lambda far: min(far, key=far.get))
with claim_table():
    claim("Fréchet distance at step 600 relative to step 75", along[600]["frechet"] / along[75]["frechet"], below=0.4)
    claim("Sharpness at step 600 relative to real pictures", along[600]["sharpness"], above=1.2)
    claim("Fréchet distance of the GAN that comes with the course, relative to step 600",
          frechet["GAN"] / along[600]["frechet"], below=0.05)

# %% [markdown]
# The darkest, crispest row attracts the eye. Sharpness overshoots: in the end these pictures are sharper than real
# ones and still seldom digits. The distance falls as shapes get better. Classifier score and class KL need not agree
# with it: compare the lines of the last two steps. To keep the weights of the step with the best score is called
# **early stopping**; which step that is depends on the score, so name the score.
#
# ## Failure lab
# Five ways to spoil the same game. Each runs from the same start, for as many steps as its healthy twin beside it, and
# nothing else differs. Each but the fourth is *one* run, a demonstration and no statistic (notebook 05b): what is said of
# it is said of this run.

# %%
def spoiled(steps, seed=0, **changes):
    """A game with something wrong: the average of its G, its scores, the sizes of G's gradient."""
    game = DCGANExperiment(narrow.replace(**changes), seed=seed)
    gradients = train_to(game, steps)
    return game.model, scores(made(game.model)), gradients

def compared(title, alt, **runs):
    show(images(torch.cat([made(G, 10) for G, *_ in runs.values()]), row_labels=list(runs), title=title), alt=alt)
    for name, (_, s, *_) in runs.items():
        print(f"{name:14} Fréchet {s['frechet']:7.1f}, score {s['classifier_score']:.2f}, class KL "
              f"{s['coverage_kl']:.3f}")

# %% [markdown]
# **1. Data in $[0, 1]$ under a tanh.** It is easily done: divide the pixels by their maximum, and no more. Paper, most
# of every picture, is then in the middle of tanh's range instead of at its end.

# %%
predict("06b.range", "Data in [0, 1], a generator that can reach [−1, 1]. Will any error be raised?",
        options=["yes, by D", "yes, the loss is not a number", "no"])

# %%
grey, raised = None, ""
try:
    grey = spoiled(150, fault="data in [0, 1]")
except (ValueError, ArithmeticError) as error:
    raised = str(error)
reveal("06b.range", raised, lambda raised: "no" if not raised else "yes, by D" if "images must lie in" in raised else
       "yes, the loss is not a number")
compared("Paper turns grey: the scale of the data is not that of tanh", "Two rows of ten pictures, of the healthy game "
         "and of the one with data in [0, 1]", **{"healthy": (moments[150], along[150]), "data in [0, 1]": grey})
right_scale = scores((2 * made(grey[0]) - 1).clamp(0, 1))
with claim_table():
    claim("Data in [0, 1]: Fréchet distance relative to the healthy twin", grey[1]["frechet"] / along[150]["frechet"],
          above=1.7)
    claim("The same pictures, read on the scale of their data: Fréchet distance relative to that",
          right_scale["frechet"] / grey[1]["frechet"], below=0.7)
try:
    game.D(255 * made(moments[150], 1)[:, None])                     # the opposite mistake: bytes, not divided at all
except ValueError as error:
    print("D:", error)

# %% [markdown]
# Much of it is a unit error, mended by reading the pictures on the scale of their data. But whoever shows and scores
# them as usual is far off. Our $D$ refuses what lies outside $[-1, 1]$; this mistake lies inside, and only a look or a
# score tells.
#
# **2. Generator in inference mode, 3. no batch norm.** As easily, $G$ is left in inference mode inside the training
# step. Batch norm then uses its *moving* statistics. These move only in training mode, so they are still mean
# 0 and variance 1: nothing is normalised. All three games below are without spectral normalisation, which might make
# up for it.

# %%
unmoved = nn.BatchNorm2d(8).eval()
x = 3 + 2 * torch.randn(16, 8, 7, 7, generator=seeded())
claim("Batch norm in inference mode, before any training step: the most that it changes",
      (unmoved(x) - x).abs().max(), below=1e-4, exact=True)

# %%
bare = {name: spoiled(300, spectral_norm=False, fault=fault) for name, fault in (
    ("healthy", "none"), ("inference mode", "G in inference mode"), ("no batch norm", "no batch norm"))}
compared("With batch norm, with the wrong mode, without batch norm", "Three rows of ten pictures, one for each game",
         **bare)
ratio = {name: bare[name][1]["frechet"] / bare["healthy"][1]["frechet"] for name in bare}
claim("Inference mode: Fréchet distance relative to the healthy twin", ratio["inference mode"], above=1.1)
print(f"no batch norm: Fréchet distance relative to the healthy twin {ratio['no batch norm']:.2f}")

# %% [markdown]
# Inference mode silently *removes* batch norm. Here that is a handicap. How large it is differs from run to run:
# without batch norm we saw anything between none and clear. Radford et al. report that deep generators did not begin to
# learn without it.
#
# **4. $D$ far ahead.** Ten times the learning rate, and three steps of $D$ for each of $G$; both this game and its twin
# are without spectral normalisation. One pair of games would prove little, so we take four, with a seed each.

# %%
fast_d = {"learning_rate_d": 2e-2, "d_steps": 3}
pairs = [[spoiled(150, seed, spectral_norm=False, **changes) for changes in ({}, fast_d)] for seed in range(4)]
compared("With D far ahead, G is behind after 150 steps", "Two rows of ten pictures, of the healthy game and of the "
         "one with D far ahead", healthy=pairs[0][0], **{"D far ahead": pairs[0][1]})
sizes = {name: np.median(np.reshape(game[2], (15, 10)), axis=1)
         for name, game in zip(("healthy", "D far ahead"), pairs[0], strict=True)}
show(curves(np.arange(5, 150, 10), sizes, log_y=True, xlabel="step", ylabel="size of G's gradient",
            title="With D far ahead, G's gradient is larger, not smaller"),
     alt="On a logarithmic axis, over the steps of the first pair: the size of the gradient of G, its median "
         + " and ".join(f"{np.median(size):.2g} {name}" for name, size in sizes.items()))

# %%
gradient = np.array([np.median(ahead[2][50:]) / np.median(healthy[2][50:]) for healthy, ahead in pairs])
distance = np.array([ahead[1]["frechet"] / healthy[1]["frechet"] for healthy, ahead in pairs])
print(f"D far ahead relative to healthy, four seeds: gradient of G {gradient.min():.0f} to {gradient.max():.0f} times, "
      f"Fréchet distance {distance.min():.1f} to {distance.max():.1f} times")
with claim_table():
    claim("Logarithm (base 10) of G's gradient: D far ahead less healthy, four seeds", np.log10(gradient), above=0.6)
    claim("Logarithm (base e) of the Fréchet distance: D far ahead less healthy, four seeds", np.log(distance),
          above=0.4)

# %% [markdown]
# Texts warn that a strong $D$ leaves no gradient, the **vanishing gradient** of a **saturated discriminator**. That holds
# for the saturating loss, notebook 05. Here, with $-\log D$, the opposite happened: over the four pairs $G$'s gradient is
# several times larger. That a gradient is large does not make it a good one: $G$ is behind.
#
# **5. Mode collapse, provoked.** Take the healthy game at half time and all but freeze $D$, by a tiny learning rate. $G$
# needs no variety now, only what this $D$ answers highest. We look at $G$ itself, as its average still holds earlier
# weights, beside the healthy game after as many steps and from the same noise.

# %%
predict("06b.collapse", "D is all but frozen for 150 steps. How many of the ten digits keep at least one picture in "
        "twenty?", low=0, high=10)

# %%
collapsed = DCGANExperiment(narrow, seed=0)
collapsed.load_state_dict(half_time)
collapsed.set(learning_rate_d=1e-5)
train_to(collapsed, 450)
narrowed = raw_pictures(collapsed)
with torch.no_grad():
    logit = {"real": collapsed.D(collapsed.scaled(collapsed.images[:500])).mean(),
             "made": collapsed.D(2 * narrowed[:500, None] - 1).mean()}

# %%
def predicted(x):
    """The digit that the classifier reads in each picture."""
    return features_and_probabilities(x)[1].argmax(axis=1)

digits = {"D learns": predicted(raw[450]), "D frozen": predicted(narrowed)}
shares = {name: np.bincount(d, minlength=10) / len(d) for name, d in digits.items()}
show(images(torch.cat([raw[450][:10], narrowed[:10]]), row_labels=list(shares),
            title="With D frozen, G makes what this D takes for real"),
     alt="Two rows of ten pictures from the same noise, with a D that learns and with one that is all but frozen")
show(bars([str(k) for k in range(10)], shares, xlabel="digit, as the classifier reads it",
          ylabel="share of the pictures", title="Shares of the digits, while D learns and with D frozen",
          baseline=(0.1, "uniform")),
     alt="Bars for ten digits; the most frequent digit's share: " + ", ".join(f"{name} {share.max():.2f}"
                                                                              for name, share in shares.items()))
print(f"digits with one picture in twenty, while D learns: {(shares['D learns'] >= 0.05).sum()}")
reveal("06b.collapse", (shares["D frozen"] >= 0.05).sum())
kl = {name: coverage_kl(d) for name, d in digits.items()}
with claim_table():
    claim("Class KL while D learns", kl["D learns"], below=0.4)
    claim("Class KL with D frozen", kl["D frozen"], above=0.5)
    claim("Mean logit of the frozen D: generated less real pictures", logit["made"] - logit["real"], above=0.5)

# %% [markdown]
# No two pictures are equal, yet they are much alike, and few are digits: $G$ found what this all but frozen $D$ takes
# for *more* real than real. **Repair**: let $D$ learn again. We look now and then, until the class KL has halved.

# %%
collapsed.set(learning_rate_d=narrow.learning_rate_d)
for step in range(75, 526, 75):
    train_to(collapsed, 450 + step)
    repaired = coverage_kl(predicted(raw_pictures(collapsed)))
    print(f"{step} steps later: class KL {repaired:.3f}")
    if repaired < kl["D frozen"] / 2:
        break
print(f"class KL of the healthy game after 600 steps: {coverage_kl(predicted(raw[600])):.3f}")
claim("Class KL after D has learned again, relative to D frozen", repaired / kl["D frozen"], below=0.5)

# %% [markdown]
# How long that takes differs from seed to seed.
#
# ## GAN, VAE and naive Bayes
# One table for three families. Of a given picture, naive Bayes says $\log p(x)$ exactly, the VAE a bound, the GAN
# nothing.

# %%
x_test = test[:2_000].binarized(seeded()).flatten(1)
nb = BernoulliNB().fit(train.ink().flatten(1), train.labels)
log_p = {"VAE means": elbo_of(vae, x_test).value.mean().item(),  # of the model, which draws pixels
         "naive Bayes": nb.log_prob(x_test).mean().item()}
said = {"GAN": "cannot say", "VAE": f"{log_p['VAE means']:.1f} or more, as 'VAE drawn'",
        "naive Bayes": f"{log_p['naive Bayes']:.1f}"}
timed("naive Bayes", lambda: nb.sample(10_000, seeded()))
print(f"{'':12}{'Fréchet':>9}{'class KL':>10}{'sharpness':>11}{'s per 1,000':>13}   log p of a test picture, nats")
for name, family in (("GAN", "GAN"), ("VAE means", "VAE"), ("naive Bayes", "naive Bayes")):
    r = table[name]
    print(f"{name:12}{r['frechet']:9.1f}{r['coverage_kl']:10.3f}{r['sharpness']:11.2f}{seconds[family]:13.2f}   "
          f"{said[family]}")
with claim_table():
    claim("Fréchet distance: GAN relative to VAE means", frechet["GAN"] / frechet["VAE means"], below=0.1)
    claim("Fréchet distance: GAN relative to real training pictures", frechet["GAN"] / frechet["exact copies"],
          above=1.5, below=3.5)
    claim("Sharpness: VAE means relative to real pictures", sharp["VAE means"], below=0.65)
    claim("Sharpness: GAN relative to real pictures", sharp["GAN"], near=1, within=0.1)
    claim("Class KL of the GAN", table["GAN"]["coverage_kl"], below=0.01)

# %% [markdown] cited="99"
# ## Why likelihood and looks can disagree
# Let a model draw from the VAE once in a hundred times and else from naive Bayes. Its pictures are loose dots. Its
# likelihood:
#
# $$\log \bigl( \tfrac{1}{100}\, p_\text{VAE}(x) + \tfrac{99}{100}\, p_\text{NB}(x) \bigr) \;\ge\; \log p_\text{VAE}(x) - \log 100 ,$$
#
# since the second term is not negative. A few nats lost, of the many that separate the two (Theis et al.). And the
# other way round: a model that has memorised its training pictures draws perfect ones, and gives every new picture
# probability zero.

# %%
mixture = torch.cat([kinds["VAE drawn"][:100], kinds["naive Bayes"][:9_900]])
with claim_table():
    claim("Fréchet distance of the mixture, relative to naive Bayes",
          scores(mixture)["frechet"] / frechet["naive Bayes"], above=0.9)
    claim("What the mixture loses in likelihood at most, as a part of the VAE's lead over naive Bayes",
          np.log(100) / (log_p["VAE means"] - log_p["naive Bayes"]), below=0.08)

# %% [markdown]
# So "which model is better?" has no answer without "for what?". To make pictures: score pictures. To compress, or to
# fill in hidden pixels: ask for likelihood. As an **out-of-distribution score** the likelihood can mislead, even that
# of a good model; notebook 01's was crude.
#
# ## Going further
# ### Which damage counts
# The Fréchet distance prefers the VAE's grain to the VAE's blur, though few people would. Is it the VAE that is odd? The
# usual test of a distance damages *real* pictures (Heusel et al.), here by `torchvision.transforms`, which also turns,
# cuts and blurs pictures before training. All three damages have about the same squared error.

# %%
predict("06b.damage", "Real digits are turned by 6 degrees, blurred, or made grainy, all at about the same squared "
        "error. Which are furthest from real ones by Fréchet?", options=["turned", "blurred", "grainy"])

# %%
from torchvision.transforms import v2

numbers = seeded()
ways = {"turned": lambda x: v2.functional.rotate(x, 6, v2.InterpolationMode.BILINEAR),
        "blurred": lambda x: v2.functional.gaussian_blur(x, kernel_size=7, sigma=1.0),
        "grainy": lambda x: (x + 0.16 * torch.randn(x.shape, generator=numbers)).clamp(0, 1)}
real = kinds["exact copies"]
damaged = {name: torch.cat([as_bytes(way(x / 255)[:, 0]) for x in real[:, None].split(125)])
           for name, way in ways.items()}
show(images(torch.cat([x[:10] for x in (real, *damaged.values())]) / 255, row_labels=["real", *damaged],
            title="Three damages of one size, by squared error"),
     alt="Four rows of the same ten digits: as they are; turned a little; soft; and with grey grain on the paper")
error = {name: (x[::10] / 255 - real[::10] / 255).square().mean().item() for name, x in damaged.items()}
distance = {name: scores(x)["frechet"] for name, x in damaged.items()}
for name in damaged:
    print(f"{name + ':':9} squared error of a pixel {error[name]:.4f}, Fréchet distance {distance[name]:6.1f}")
reveal("06b.damage", distance, lambda distance: max(distance, key=distance.get))
with claim_table():
    claim("Three damages: largest squared error relative to the smallest", max(error.values()) / min(error.values()),
          below=1.2)
    claim("Fréchet distance of grainy digits relative to blurred ones", distance["grainy"] / distance["blurred"],
          below=0.2)
    claim("Fréchet distance of turned digits relative to grainy ones", distance["turned"] / distance["grainy"],
          below=0.7)

# %% [markdown]
# So the preference is not the VAE's. Turned digits are minded least, as by us, and grain less than blur, as not by us.
#
# ### The features decide
# Is that the formula, or the classifier, which has seen grain in training and no blur? We keep the formula and change the
# **features**: once the brightness of each block of 4x4 pixels, and once what three *untrained* networks say, built like
# the classifier, with their first random weights.

# %%
predict("06b.features", "With the brightness of 4x4 blocks as features: which damage is furthest from real digits?",
        options=["turned", "blurred", "grainy"])

# %%
from torch.nn.functional import avg_pool2d

from course_lib.models.classifier import Classifier

def of_blocks(x):
    return avg_pool2d(x[:, None] / 255, 4).flatten(1).numpy()

def of(network):
    return lambda x: torch.cat([network.features(part / 255) for part in x.split(125)]).numpy()

untrained = [Classifier(generator=seeded(k)).requires_grad_(False) for k in range(3)]
maps = {"4x4 blocks": of_blocks} | {f"untrained {k + 1}": of(network) for k, network in enumerate(untrained)}
far = {"classifier": distance}
for features_of, see in maps.items():
    of_test = see(test.images[::5])                                      # 2,000 pictures: enough for 64 features
    far[features_of] = {name: frechet_distance(see(x[::5]), of_test) for name, x in damaged.items()}

# %%
print("Fréchet distance, relative to that of blurred digits by the same features")
for features_of, row_of in far.items():
    print(f"{features_of:12}", ", ".join(f"{name} {d / row_of['blurred']:.2f}" for name, d in row_of.items()))
reveal("06b.features", far["4x4 blocks"], lambda distance: max(distance, key=distance.get))
shift = of_blocks(damaged["grainy"][::5]).mean(0) - of_blocks(real[::5]).mean(0)
with claim_table():
    claim("By blocks: Fréchet distance of blurred digits relative to grainy ones",
          far["4x4 blocks"]["blurred"] / far["4x4 blocks"]["grainy"], below=0.7)
    claim("By blocks, grainy digits: part of the distance that is the squared difference of means",
          (shift**2).sum() / far["4x4 blocks"]["grainy"], above=0.6)
    claim("By three untrained networks: logarithm of the distance of blurred digits less that of grainy ones",
          np.log([far[name]["blurred"] / far[name]["grainy"] for name in maps if name != "4x4 blocks"]), above=0.7)

# %% [markdown]
# One formula, three damages, and two rankings: by blocks grain is the furthest. It cannot make paper whiter than white, so
# on average it darkens the paper, which is most of what a block feels. And networks that have seen *no* picture prefer grain to
# blur as the classifier does. So its training is not needed for this preference. Before a distance is believed, ask what
# its features see.
#
# ### Bias in the number of pictures: FID and KID
# Fewer real pictures scored worse, above. Two known Gaussians show by how much. The formula takes the moments of a few
# draws as exact. Both errors push it up: the mean of the draws misses by chance, and squares of misses add up; and the
# root in the trace is concave, so errors of the covariance make that root too small on average. To first order in one
# over the
# number of draws this **bias** is a closed form, `frechet_bias`.

# %% [markdown]
# **KID** (Bińkowski et al.) is the squared MMD (notebook 10c) of the same features. Its kernel is the cube of one plus
# the
# product of two rows of features over their number. It takes nothing for Gaussian, and is estimated by means over pairs of
# *different* pictures, so it is **unbiased**: right on average, whatever the number. Of two Gaussians with mean 0 it is the
# mean square of the entries of $\Sigma_a - \Sigma_b$, times three.

# %%
from course_lib.measure import frechet_bias, gaussian_frechet_distance, kid

variance, zero = torch.tensor([1.44, 1.2, 0.9, 0.6], dtype=torch.float64), np.zeros(4)
cov_a, cov_b = np.diag(variance), np.eye(4)
exact_fid, exact_kid = gaussian_frechet_distance(zero, cov_a, zero, cov_b), 3 * ((cov_a - cov_b) ** 2).mean()
counts, fid, kernel = (25, 50, 100, 200), {}, {}
for n in counts:                                                        # sets of n draws of each Gaussian
    a, b = torch.randn(2, 30_000 // n, n, 4, generator=seeded(n), dtype=torch.float64)
    a = a * variance.sqrt()
    fid[n] = np.array([gaussian_frechet_distance(x.mean(0), np.cov(x, rowvar=False), zero, cov_b) for x in a.numpy()])
    kernel[n] = np.array([kid(x, y).item() for x, y in zip(a, b, strict=True)])
first_order = {n: frechet_bias(cov_a, cov_b, n) for n in counts}

# %%
show(curves(np.array(counts), {
    "FID: mean of the estimates": np.array([fid[n].mean() for n in counts]) / exact_fid,
    "FID: exact + first order": 1 + np.array(list(first_order.values())) / exact_fid,
    "KID: mean of the estimates": np.array([kernel[n].mean() for n in counts]) / exact_kid},
    xlabel="draws (for KID, of each Gaussian)", ylabel="relative to the exact value",
    title="Few draws make FID too large on average, and KID not"),
     alt="Over the number of draws, relative to the exact values: the mean of FID's estimates falls from "
         f"{fid[25].mean() / exact_fid:.1f} to {fid[200].mean() / exact_fid:.1f}, along the first order; that of KID's "
         f"goes from {kernel[25].mean() / exact_kid:.1f} to {kernel[200].mean() / exact_kid:.1f}")

# %%
with claim_table():
    claim("FID of 50 draws, 600 times: relative to the exact value", fid[50] / exact_fid, above=2.6)
    for n, times in ((50, 600), (100, 300)):
        claim(f"FID of {n} draws, {times} times: its error relative to the bias of first order",
              (fid[n] - exact_fid) / first_order[n], near=1, within=0.25)
        claim(f"KID of {n} draws, {times} times: its error relative to the exact value", kernel[n] / exact_kid - 1,
              near=0, within=0.5)

# %% [markdown]
# So FIDs compare for equal numbers of pictures only, while KIDs of unequal numbers do. Unbiased is not exact: each KID
# misses by chance, and may come out negative.
#
# ### Precision, recall and coverage
# One number says neither whether bad pictures are made nor whether good ones are missing. Three shares tell the two
# apart. They ask, in the classifier's features, whether a picture lies in the **ball** around another one, as wide as from
# that one to its fifth neighbour of its own kind:
#
# - **precision** (Kynkäänniemi et al.): generated pictures that lie in the ball of some real one;
# - **recall**: real pictures that lie in the ball of some generated one;
# - **coverage** (Naeem et al.): real pictures whose own ball holds some generated one.
#
# Coverage is not the class KL: it also asks for variety within a digit.

# %%
predict("06b.shares", "The mean picture of each digit, a thousand times: which of the three shares will be large?",
        options=["precision", "recall", "none"])

# %%
def near_neighbours(real, made, k=5):
    """Which of the pictures count for precision, recall and coverage; features [n, d] of each, three bools [n]."""
    ball_real, ball_made = (torch.cat([torch.cdist(part, x).kthvalue(k + 1).values for part in x.split(250)])
                            for x in (real, made))                               # k + 1, as the nearest is itself
    apart = torch.cdist(real, made)                                              # real pictures down, made across
    in_ball_of_real = apart < ball_real[:, None]
    return in_ball_of_real.any(dim=0), (apart < ball_made).any(dim=1), in_ball_of_real.any(dim=1)

real_ones = torch.from_numpy(reference_features()[:2_000])
shares_of = {name: near_neighbours(real_ones, torch.from_numpy(features_and_probabilities(x[:2_000])[0]))
             for name, x in kinds.items()}
print(f"{'':15}{'precision':>10}{'recall':>8}{'coverage':>10}")
for name, (precision, recall, coverage) in shares_of.items():
    print(f"{name:15}{precision.float().mean():10.2f}{recall.float().mean():8.2f}{coverage.float().mean():10.2f}")

# %%
reveal("06b.shares", shares_of["class means"], lambda shares: "precision" if shares[0].float().mean() > 0.5 else
       "recall" if shares[1].float().mean() > 0.5 else "none")
with claim_table():
    claim("Of the ten class means, those within the ball of a real digit", shares_of["class means"][0][:10].sum(),
          above=6)
    claim("Class means: their recall", 1.0 * shares_of["class means"][1], below=0.02)
    claim("Class means, whose class KL is 0: their coverage", 1.0 * shares_of["class means"][2], below=0.05)
    claim("Exact copies: coverage less that of the GAN",
          1.0 * shares_of["exact copies"][2] - 1.0 * shares_of["GAN"][2], above=0.02)
    claim("Shifted copies: coverage less that of exact copies",
          1.0 * shares_of["shifted copies"][2] - 1.0 * shares_of["exact copies"][2], below=-0.05)
    claim("Shifted copies: recall", 1.0 * shares_of["shifted copies"][1], above=0.75)
    claim("Precision of naive Bayes, whose pictures are loose dots, less that of the GAN",
          1.0 * shares_of["naive Bayes"][0] - 1.0 * shares_of["GAN"][0], above=0)
    claim("Recall of naive Bayes", 1.0 * shares_of["naive Bayes"][1], below=0.05)
    claim("Coverage of the GAN less that of the VAE's means",
          1.0 * shares_of["GAN"][2] - 1.0 * shares_of["VAE means"][2], above=0.05)

# %% [markdown]
# Class means have equal shares of all digits and next to no recall or coverage, though most of them, smeared as they
# are, count as precise. The loose dots of naive Bayes fool precision, too: by these features they lie within balls of real
# digits, while recall tells that hardly a real digit lies near them. Copies pass all three: exact ones cover more than the
# GAN, and shifted ones lose a little coverage, for the pixel that they were moved and not for being copies.

# %% [markdown]
# ## Your turn
# **2.** The Fréchet distance of two Gaussians, with a square root that stays real, whatever the rounding. Remember: a
# trace is a sum of eigenvalues, and $\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2}$ is symmetric.

# %% tags=["exercise"]
def frechet_of_gaussians(mu_a, cov_a, mu_b, cov_b):
    """d² as above, a float, from means [d] and covariances [d, d], which may be singular; numpy arrays."""
    ### BEGIN SOLUTION
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ cov_b @ root).clip(min=0)      # symmetric, with the eigenvalues of cov_a @ cov_b
    return float(((mu_a - mu_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(inner).sum())
    ### END SOLUTION

# %%
check("06b.frechet", frechet_of_gaussians)

# %% [markdown]
# **3. Find the bug.** A colleague's step runs, the losses move, and $D$ learns wrongly. What does `backward()`
# leave behind, and who uses it? Write the step right; `optimizer_g` and `optimizer_d` hold the parameters of $G$ and
# $D$.

# %%
def colleagues_step(G, D, optimizer_g, optimizer_d, real, z):
    fake = G(z)
    loss_d = (softplus(-D(real)) + softplus(D(fake.detach()))).mean()
    loss_d.backward()
    optimizer_d.step()
    optimizer_d.zero_grad()
    loss_g = softplus(-D(fake)).mean()
    loss_g.backward()
    optimizer_g.step()
    optimizer_g.zero_grad()
    return loss_d.item(), loss_g.item()

# %% tags=["exercise"]
def repaired_step(G, D, optimizer_g, optimizer_d, real, z):
    """One step of D, then one of G; returns both losses as a tuple of two floats."""
    ### BEGIN SOLUTION
    fake = G(z)
    loss_d = (softplus(-D(real)) + softplus(D(fake.detach()))).mean()
    optimizer_d.zero_grad()                                          # just before: clears what G's loss left in D
    loss_d.backward()
    optimizer_d.step()
    loss_g = softplus(-D(fake)).mean()
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()
    ### END SOLUTION

# %%
check("06b.repaired_step", repaired_step)

# %% [markdown]
# ## What to keep
# - Sharpness is fooled by noise, the classifier score by ten pictures, the Fréchet distance by exact copies, the nearest
#   training picture by a shift of one pixel. Report several, with reference rows, the classifier, and the number of
#   pictures.
# - The formulas are those of Inception Score and FID; the classifier is another, so the numbers compare only here.
# - The wrong scale and the wrong mode raise no error. Score early.
# - With the non-saturating loss a $D$ far ahead need not leave $G$ without gradient: here it was larger. A frozen $D$ let
#   $G$ collapse.
# - Looks and likelihood measure different things, and neither implies the other.
#
# **Read on:**
#
# - T. Salimans et al., [*Improved Techniques for Training GANs*](https://arxiv.org/abs/1606.03498), NIPS (2016).
# - M. Heusel et al., [*GANs Trained by a Two Time-Scale Update Rule*](https://arxiv.org/abs/1706.08500), NIPS (2017).
# - L. Theis, A. van den Oord, M. Bethge, [*A Note on the Evaluation of Generative
#   Models*](https://arxiv.org/abs/1511.01844), ICLR (2016).
# - S. Ioffe, C. Szegedy, [*Batch Normalization*](https://arxiv.org/abs/1502.03167), ICML (2015).
# - T. Kynkäänniemi et al., [*Improved Precision and Recall Metric for Assessing Generative
#   Models*](https://arxiv.org/abs/1904.06991), NeurIPS (2019).
# - M. F. Naeem et al., [*Reliable Fidelity and Diversity Metrics for Generative
#   Models*](https://arxiv.org/abs/2002.09797), ICML (2020): coverage.
# - M. Bińkowski et al., [*Demystifying MMD GANs*](https://arxiv.org/abs/1801.01401), ICLR (2018): KID.
# - S. Barratt, R. Sharma, [*A Note on the Inception Score*](https://arxiv.org/abs/1801.01973), arXiv (2018).
# - D. C. Dowson, B. V. Landau, [*The Fréchet Distance between Multivariate Normal
#   Distributions*](https://doi.org/10.1016/0047-259X%2882%2990077-X), Journal of Multivariate Analysis 12 (1982).
# - A. Radford, L. Metz, S. Chintala, [*Unsupervised Representation Learning with Deep Convolutional Generative
#   Adversarial Networks*](https://arxiv.org/abs/1511.06434), ICLR (2016).
#
# **Next:** notebook 07, drawing a picture one pixel after the other, with an exact likelihood.
