# %% [markdown]
# # 06b · Measuring made pictures
#
# A generator has no likelihood to report, and its losses say little. So people score its pictures. Every score can be
# cheated: by noise, by ten pictures, by a photocopier, by a shift of one pixel.
# **How do you measure made pictures, which cheat fools which measure, and what do failures look like in numbers?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | compute and criticise three scores of made pictures, and recognise five failures of a GAN in pictures and in numbers |
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
from course_lib.experiments.vae import elbo_of, held_out_images
from course_lib.measure import coverage_kl, frechet_distance, nearest_neighbours, sharpness
from course_lib.models.naive_bayes import BernoulliNB
from course_lib.plots import bars, curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, predict, reveal
from course_lib.training import fastest_precision, load_pretrained, run
from course_lib.training.image_scores import features_and_probabilities, reference_features, scores, stand_ins

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Give the class the table of pictures first, without numbers,
# and let them rank the rows; then reveal one column after the other. The failure labs are short on purpose: say what a
# longer run might change. The section on likelihood works well as a debate.

# %% [markdown]
# ## Honest work and cheats
# Ten thousand pictures of each kind: the DCGAN and the VAE that come trained with the course (of the VAE both the means
# and the pixels drawn from them), naive Bayes of notebook 01, the mean picture of each digit a thousand times, a
# **photocopier**, which hands out training pictures, and the **copier** of notebook 06, who moves each of them one
# pixel to the right.

# %%
(G, card), (vae, _) = load_pretrained("dcgan"), load_pretrained("vae_z20")
seconds = {}

def timed(name, sample):
    start = time.process_time()
    made = sample()
    seconds[name] = (time.process_time() - start) / 10
    return made

def as_bytes(x):
    """Greys from 0 to 255, as in a picture file: a quarter of the memory."""
    return (255 * x).round().byte().view(-1, 28, 28)

gan = as_bytes(timed("GAN", lambda: G.sample(10_000, seeded())))
drawn, means = map(as_bytes, timed("VAE", lambda: vae.sample(10_000, seeded())))
cheats = {name: as_bytes(x) for name, x in stand_ins(seed=0).items()}
kinds = {"GAN": gan, "VAE means": means, "VAE drawn": drawn, "naive Bayes": cheats["naive Bayes"],
         "class means": cheats["ten class means"], "photocopier": cheats["training images"],
         "copier": cheats["training images"].roll(1, dims=2)}
show(images(torch.cat([x[:10] for x in kinds.values()]) / 255, row_labels=list(kinds), title="Whose work is this?"),
     alt="Seven rows: digits of the GAN; soft digits; grainy digits; loose dust in the shape of digits; ten smeared "
         "averages, one of each digit; real digits; the same, one pixel further to the right")

# %%
predict("06b.score", "Which of these rows gets the highest classifier score, copies apart?",
        options=list(kinds)[:5])

# %% [markdown]
# ## Three scores
# All three ask our **judge**, the convolutional classifier of the course, trained on real digits, half of them
# binarized: so it knows grain. Its **features** of a picture are the numbers that its last layer gets.
#
# - **Classifier score** (Salimans et al.): $\exp\, \mathbb{E}_x\, \mathrm{KL}(p(y \mid x) \,\|\, p(y))$, between 1 and
#   10. High if the judge is sure of each picture, and all digits occur.
# - **Coverage**: the KL of the shares of predicted digits from uniform, in nats; 0 is best.
# - **Fréchet distance** (Heusel et al.) to the test pictures, of the judge's features; 0 is best.
#
# The last one pretends that features are Gaussian. On a line, the cheapest way to carry one Gaussian to another shifts
# by $\mu_a - \mu_b$ and stretches by $\sigma_b/\sigma_a$, and the mean squared way is $(\mu_a - \mu_b)^2 + (\sigma_a -
# \sigma_b)^2$. In many dimensions, quoted without proof (Dowson and Landau),
#
# $$d^2 = \lVert \mu_a - \mu_b \rVert^2 + \operatorname{tr} \bigl( \Sigma_a + \Sigma_b - 2\,(\Sigma_a \Sigma_b)^{1/2} \bigr) .$$
#
# A square root $M^{1/2}$ is a matrix that, times itself, gives $M$: same axes, the roots of the eigenvalues. So its
# trace is the *sum of the roots of the eigenvalues* of $M$. On a line, $\sigma_a^2 + \sigma_b^2 - 2 \sigma_a \sigma_b$
# is the square above.

# %%
a, b = np.random.default_rng(0).normal(size=(2, 500, 1)) * [[[2.0]], [[0.5]]] + [[[1.0]], [[4.0]]]
on_a_line = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
claim("the library's distance less the formula on a line", frechet_distance(a, b) - on_a_line, near=0, within=1e-9)

few = reference_features()[:20]                                      # 20 pictures, 64 features each
product = np.cov(few, rowvar=False) @ np.cov(reference_features(), rowvar=False)
eigenvalues = np.linalg.eigvals(product)
claim("eigenvalues of this product that came out complex or negative by rounding",
      ((abs(eigenvalues.imag) > 0) | (eigenvalues.real < 0)).sum(), above=0)

# %% [markdown]
# So a square root taken carelessly is complex, or not a number. The way out: $\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2}$
# has the same eigenvalues and is symmetric, so they are computed as real numbers (exercise 2). The second trap is the
# **number of pictures**: fewer look worse, even when they are real.

# %%
features, _ = features_and_probabilities(kinds["photocopier"] / 255)
of_real = {n: frechet_distance(features[:n], reference_features()) for n in (500, 2_000, 10_000)}
for n, distance in of_real.items():
    print(f"{n:6,} real training pictures: Fréchet distance {distance:6.2f}")
claim("500 real pictures, relative to 10,000", of_real[500] / of_real[10_000], above=3.5)

# %% [markdown]
# Therefore every distance in this course is of ten thousand pictures against the ten thousand test pictures, by this
# judge. Set beside a paper's number it would mean nothing. Set beside the rows below it does.

# %% [markdown]
# ## The table

# %%
test, train = load_mnist("test"), load_mnist("train")
real_sharpness = sharpness(test[:2000].floats().numpy()).mean()
reference = train.images.numpy()                                         # greys from 0 to 255

def row(x):
    return {**scores(x), "sharpness": sharpness(x[::7].numpy()).mean() / real_sharpness}

table = {name: row(x / 255) for name, x in kinds.items()}
some = torch.cat([x[::99] for x in (*kinds.values(), test.images)]).numpy()  # 102 of each; every 100th mean is a 0
*nearest, held_out = (nearest_neighbours(some, reference)[0] / 255).reshape(-1, 102)
for r, distance in zip(table.values(), nearest, strict=True):
    r["nearest"] = distance.mean()

# %%
print(f"{'':12}{'Fréchet':>9}{'score':>7}{'coverage KL':>13}{'sharpness':>11}{'nearest training picture':>26}")
for name, r in table.items():
    print(f"{name:12}{r['frechet']:9.1f}{r['classifier_score']:7.2f}{r['coverage_kl']:13.3f}{r['sharpness']:11.2f}"
          f"{r['nearest']:26.2f}")
print("Sharpness: variance of the Laplacian, 1 for real pictures. "
      f"Last column, held-out digits: {held_out.mean():.2f}.")

# %%
reveal("06b.score", {name: table[name]["classifier_score"] for name in list(kinds)[:5]},
       lambda score: max(score, key=score.get))
frechet, score, sharp = ({name: r[key] for name, r in table.items()}
                         for key in ("frechet", "classifier_score", "sharpness"))
claim("ten pictures fool the classifier score: class means less VAE means",
      score["class means"] - score["VAE means"], above=0.4)
claim("and coverage", table["class means"]["coverage_kl"], below=0.02)
claim("Fréchet catches them: class means relative to VAE means",
      frechet["class means"] / frechet["VAE means"], above=7)

# %% [markdown]
# Sure verdicts and equal shares say nothing of variety within a digit. Now sharpness, grain, and the photocopier.

# %%
claim("dust fools sharpness: naive Bayes relative to real pictures", sharp["naive Bayes"], above=6)
claim("Fréchet catches it, too", frechet["naive Bayes"] / frechet["VAE means"], above=4)
claim("grain flatters: VAE drawn relative to its means", frechet["VAE drawn"] / frechet["VAE means"], below=0.8)
claim("the photocopier fools all: its Fréchet distance relative to the GAN's",
      frechet["photocopier"] / frechet["GAN"], below=0.55)
claim("but not the search for its originals", table["photocopier"]["nearest"], below=1e-6)
claim("the copier fools that, too: its distance to the nearest, less that of held-out digits",
      nearest[-1] - held_out, above=-0.3)
claim("and its Fréchet distance, relative to the GAN's", frechet["copier"] / frechet["GAN"], above=2)

# %% [markdown]
# No column is safe alone. The Fréchet distance resists most, and the photocopier beats it. Only the search for originals
# convicts the photocopier, and one pixel to the right is enough to pass that, too: it finds exact copies only. Report
# several numbers, their reference rows, and the nearest training pictures.
#
# ## What counts as damage
# The Fréchet distance has tastes: it finds that pixel, which no eye minds, worse than all errors of the GAN, and prefers
# the VAE's grain to the VAE's honest blur, though few people would. Is it the VAE that is odd? The usual test of a distance damages *real* pictures (Heusel et al.), here by `torchvision.transforms`,
# which also turns, cuts and blurs pictures before training. All three damages have about the same squared error.

# %%
predict("06b.damage", "Real digits are turned by 6 degrees, blurred, or made grainy, all at about the same squared "
        "error. Which are furthest from real ones by Fréchet?", options=["turned", "blurred", "grainy"])

# %%
from torchvision.transforms import v2

numbers = seeded()
ways = {"turned": lambda x: v2.functional.rotate(x, 6, v2.InterpolationMode.BILINEAR),
        "blurred": lambda x: v2.functional.gaussian_blur(x, kernel_size=7, sigma=1.0),
        "grainy": lambda x: (x + 0.16 * torch.randn(x.shape, generator=numbers)).clamp(0, 1)}
real = kinds["photocopier"]
damaged = {name: torch.cat([as_bytes(way(x[:, None] / 255)) for x in real.split(500)]) for name, way in ways.items()}
show(images(torch.cat([x[:10] for x in (real, *damaged.values())]) / 255, row_labels=["real", *damaged],
            title="Three damages of one size, by squared error"),
     alt="Four rows of the same ten digits: as they are; turned a little; soft; and with grey grain on the paper")
error = {name: (x[::10] / 255 - real[::10] / 255).square().mean().item() for name, x in damaged.items()}
distance = {name: scores(x / 255)["frechet"] for name, x in damaged.items()}
for name in damaged:
    print(f"{name + ':':9} squared error of a pixel {error[name]:.4f}, Fréchet distance {distance[name]:6.1f}")
reveal("06b.damage", distance, lambda distance: max(distance, key=distance.get))
claim("largest squared error relative to the smallest", max(error.values()) / min(error.values()), below=1.2)
claim("Fréchet distance of grainy digits relative to blurred", distance["grainy"] / distance["blurred"], below=0.25)
claim("of turned ones relative to grainy ones", distance["turned"] / distance["grainy"], below=0.75)

# %% [markdown]
# So the taste is the judge's. It forgives a turned digit, as we do, and grain more than blur, as we do not. It has seen
# grain in training, but blur never; whether that is why, we did not measure.
#
# ## Your turn, already
# **1.** Coverage: KL of the shares of predicted digits from uniform. Digits may be missing altogether.

# %% tags=["exercise"]
def coverage(predicted, classes):
    """KL(shares ‖ uniform) in nats, a float, from predicted classes 0 … classes − 1, an int array [n]."""
    ### BEGIN SOLUTION
    q = np.bincount(predicted, minlength=classes) / len(predicted)
    q = q[q > 0]
    return float((q * np.log(q * classes)).sum())
    ### END SOLUTION

# %%
check("06b.coverage", coverage)

# %% [markdown]
# ## Scores along training
# A narrow DCGAN, scored while it learns. First choose with your eyes.

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
    return game.G.sample(2_000, seeded(1))

game, moments, raw = DCGANExperiment(narrow, seed=0), {}, {}
for step in (75, 150, 300, 450, 600):
    train_to(game, step)
    if step != 450:
        moments[step] = copy.deepcopy(game.model)                    # the moving average of G
    if step == 300:
        half_time = copy.deepcopy(game.state_dict())                 # for an experiment further down
    if step >= 450:
        raw[step] = raw_pictures(game)                               # for the same experiment
show(images(torch.cat([made(G, 10) for G in moments.values()]), row_labels=[f"step {step}" for step in moments],
            title="Which row looks best?"),
     alt="Four rows of ten pictures from the same noise, one row for each moment")

# %%
predict("06b.moment", "Which moment scores best, by Fréchet distance?", options=[str(step) for step in moments])

# %%
along = {}
for step, G_then in moments.items():
    x = made(G_then)
    along[step] = scores(x) | {"sharpness": sharpness(x[:2000].numpy()).mean() / real_sharpness}
for step, s in along.items():
    print(f"step {step:4}: Fréchet {s['frechet']:6.1f}, score {s['classifier_score']:.2f}, coverage KL "
          f"{s['coverage_kl']:.3f}, sharpness {s['sharpness']:.2f}")
reveal("06b.moment", {str(step): s["frechet"] for step, s in along.items()}, lambda far: min(far, key=far.get))
claim("Fréchet distance, step 600 relative to 75", along[600]["frechet"] / along[75]["frechet"], below=0.4)
claim("sharpness at step 600, relative to real pictures", along[600]["sharpness"], above=1.1)
claim("the shipped GAN, relative to step 600", frechet["GAN"] / along[600]["frechet"], below=0.06)

# %% [markdown]
# The eye is drawn to the darkest, crispest row. Crispness overshoots: in the end these pictures are crisper than real
# ones and still seldom digits. The distance falls as shapes get better. Classifier score and coverage need not agree
# with it: compare the lines of the last two steps.
#
# ## Failure lab
# Five ways to spoil the same game. Each runs from the same start, for as many steps as its healthy twin beside it, and
# nothing else differs. Each is *one* run, a demonstration and no statistic (05b): what is said of it is said of this run.

# %%
def spoiled(steps, **changes):
    """A game with something wrong: the average of its G, its scores, the sizes of G's gradient."""
    game = DCGANExperiment(narrow.replace(**changes), seed=0)
    gradients = train_to(game, steps)
    return game.model, scores(made(game.model)), gradients

def compared(title, alt, **runs):
    show(images(torch.cat([made(G, 10) for G, *_ in runs.values()]), row_labels=list(runs), title=title), alt=alt)
    for name, (_, s, *_) in runs.items():
        print(f"{name:14} Fréchet {s['frechet']:7.1f}, score {s['classifier_score']:.2f}, coverage KL "
              f"{s['coverage_kl']:.3f}")

# %% [markdown]
# **1. Data in $[0, 1]$ under a tanh.** It is easily done: divide the pixels by their maximum, and no more. Paper, two
# thirds of every picture and more, is then in the middle of tanh's range instead of at its end.

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
claim("Fréchet distance relative to the healthy twin", grey[1]["frechet"] / along[150]["frechet"], above=1.7)
right_scale = (2 * made(grey[0]) - 1).clamp(0, 1)
claim("the same pictures, read on the scale of their data: Fréchet relative to that",
      scores(right_scale)["frechet"] / grey[1]["frechet"], below=0.7)
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
claim("batch norm in inference mode, never trained: what it changes", (unmoved(x) - x).abs().max(), below=1e-4)

# %%
bare = {name: spoiled(300, spectral_norm=False, fault=fault) for name, fault in (
    ("healthy", "none"), ("inference mode", "G in inference mode"), ("no batch norm", "no batch norm"))}
compared("With batch norm, with the wrong mode, without batch norm", "Three rows of ten pictures, one for each game",
         **bare)
ratio = {name: bare[name][1]["frechet"] / bare["healthy"][1]["frechet"] for name in bare}
claim("inference mode: Fréchet relative to healthy", ratio["inference mode"], above=1.1)
print(f"no batch norm: Fréchet relative to healthy {ratio['no batch norm']:.2f}")

# %% [markdown]
# Inference mode silently *removes* batch norm. Here that is a handicap. How large it is differs from run to run:
# without batch norm we saw anything between none and clear. Deep generators did not begin to learn without it (Radford
# et al.).
#
# **4. Police too strong.** Ten times the learning rate and three lessons a step. Without spectral normalisation, which
# is meant to tame this; its twin is without it, too.

# %%
calm, harsh = spoiled(150, spectral_norm=False), spoiled(150, spectral_norm=False, learning_rate_d=2e-2, d_steps=3)
compared("Under a harsh police G is behind after 150 steps", "Two rows of ten pictures, of the healthy game and of the "
         "one under the harsh police", healthy=calm, harsh=harsh)
sizes = {name: np.median(np.reshape(g, (15, 10)), axis=1) for name, g in (("healthy", calm[2]), ("harsh", harsh[2]))}
show(curves(np.arange(5, 150, 10), sizes, log_y=True, xlabel="step", ylabel="size of G's gradient",
            title="Under a harsh police the pull on G is larger, not smaller"),
     alt="On a logarithmic axis, over the steps: the size of the gradient of G, its median "
         + " and ".join(f"{np.median(game[2]):.2g} {name}" for name, game in (("in the healthy game", calm),
                                                                           ("under the harsh police", harsh))))
claim("log10 of G's gradient, medians of ten steps from step 50 on, harsh less healthy",
      np.log10(sizes["harsh"] / sizes["healthy"])[5:], above=0.6)
claim("Fréchet distance relative to the healthy twin", harsh[1]["frechet"] / calm[1]["frechet"], above=1.4)

# %% [markdown]
# Texts warn that a strong $D$ leaves no gradient. That holds for the saturating loss, notebook 05. Here, with
# $-\log D$, the opposite happened: $D$ is sure and steep, and pulls all the harder.
#
# **5. Collapse, provoked.** Take the healthy game at half time and let the police sleep, with a tiny learning rate. $G$
# needs no variety now, only what this $D$ likes best. We look at $G$ itself, as its average still remembers better
# times, beside the healthy game after as many steps and from the same noise.

# %%
predict("06b.collapse", "The police sleeps for 150 steps. How many of the ten digits keep at least one picture in "
        "twenty?", low=0, high=10)

# %%
collapsed = DCGANExperiment(narrow, seed=0)
collapsed.load_state_dict(half_time)
collapsed.set(learning_rate_d=1e-5)
train_to(collapsed, 450)
asleep = raw_pictures(collapsed)
with torch.no_grad():
    logit = {"real": collapsed.D(collapsed.scaled(collapsed.images[:500])).mean(),
             "made": collapsed.D(2 * asleep[:500, None] - 1).mean()}

# %%
def predicted(x):
    """The digit that the judge reads in each picture."""
    return features_and_probabilities(x)[1].argmax(axis=1)

digits = {"police awake": predicted(raw[450]), "police asleep": predicted(asleep)}
shares = {name: np.bincount(d, minlength=10) / len(d) for name, d in digits.items()}
show(images(torch.cat([raw[450][:10], asleep[:10]]), row_labels=list(shares),
            title="The forger makes what the sleeping police likes"),
     alt="Two rows of ten pictures from the same noise, with the police awake and with the police asleep")
show(bars([str(k) for k in range(10)], shares, xlabel="digit, as the judge reads it", ylabel="share of the pictures",
          title="Shares of the digits, police awake and asleep", baseline=(0.1, "uniform")),
     alt="Bars for ten digits; the most frequent digit's share: " + ", ".join(f"{name} {share.max():.2f}"
                                                                              for name, share in shares.items()))
print(f"digits with one picture in twenty, police awake: {(shares['police awake'] >= 0.05).sum()}")
reveal("06b.collapse", (shares["police asleep"] >= 0.05).sum())
kl = {name: coverage_kl(d) for name, d in digits.items()}
claim("coverage KL, police awake", kl["police awake"], below=0.4)
claim("police asleep", kl["police asleep"], above=0.5)
claim("mean logit of D asleep, made less real pictures", logit["made"] - logit["real"], above=0.5)

# %% [markdown]
# No two pictures are equal, yet they are much alike, and few are digits: $G$ found what this all but frozen $D$ takes
# for *more* real than real. **Repair**: wake the police, for as many steps as it slept.

# %%
collapsed.set(learning_rate_d=narrow.learning_rate_d)
train_to(collapsed, 600)
woken = coverage_kl(predicted(raw_pictures(collapsed)))
print(f"coverage KL of the healthy game after as many steps: {coverage_kl(predicted(raw[600])):.3f}")
claim("coverage KL after waking", woken, below=0.6)
claim("relative to asleep", woken / kl["police asleep"], below=0.8)

# %% [markdown]
# How far it gets in so few steps differs from seed to seed.
#
# ## GAN, VAE and naive Bayes
# One table for three families. Of a given picture, naive Bayes says $\log p(x)$ exactly, the VAE a bound, the GAN
# nothing.

# %%
x_test = held_out_images()[:2000].clone()                                # the other 8,000 need not be kept
nb = BernoulliNB().fit(train.ink().flatten(1), train.labels)
log_p = {"VAE means": elbo_of(vae, x_test).value.mean().item(),  # of the model, which draws pixels
         "naive Bayes": nb.log_prob(x_test).mean().item()}
said = {"GAN": "cannot say", "VAE": f"{log_p['VAE means']:.1f} or more, as 'VAE drawn'",
        "naive Bayes": f"{log_p['naive Bayes']:.1f}"}
timed("naive Bayes", lambda: nb.sample(10_000, seeded()))
print(f"{'':12}{'Fréchet':>9}{'coverage KL':>13}{'sharpness':>11}{'s per 1,000':>13}   log p of a test picture, nats")
for name, family in (("GAN", "GAN"), ("VAE means", "VAE"), ("naive Bayes", "naive Bayes")):
    r = table[name]
    print(f"{name:12}{r['frechet']:9.1f}{r['coverage_kl']:13.3f}{r['sharpness']:11.2f}{seconds[family]:13.2f}   "
          f"{said[family]}")
claim("Fréchet: GAN relative to VAE means", frechet["GAN"] / frechet["VAE means"], below=0.3)
claim("Fréchet: GAN relative to real training pictures", frechet["GAN"] / frechet["photocopier"], below=5)
claim("sharpness: VAE means relative to real", sharp["VAE means"], below=0.75)
claim("sharpness: GAN relative to real", sharp["GAN"], near=1, within=0.2)
claim("coverage KL of the GAN", table["GAN"]["coverage_kl"], below=0.1)

# %% [markdown] cited="99"
# ## Why likelihood and looks can disagree
# Let a model draw from the VAE once in a hundred times and else from naive Bayes. Its pictures are dust. Its
# likelihood:
#
# $$\log \bigl( \tfrac{1}{100}\, p_\text{VAE}(x) + \tfrac{99}{100}\, p_\text{NB}(x) \bigr) \;\ge\; \log p_\text{VAE}(x) - \log 100 ,$$
#
# since the second term is not negative. A few nats lost, of the many that separate the two (Theis et al.). And the
# other way round: the photocopier draws perfect pictures, and gives every new one probability zero.

# %%
mixture = torch.cat([kinds["VAE drawn"][:100], kinds["naive Bayes"][:9_900]]) / 255
claim("Fréchet distance of the mixture, relative to naive Bayes",
      scores(mixture)["frechet"] / frechet["naive Bayes"], above=0.9)
claim("what it loses in likelihood at most, as a part of the VAE's lead",
      np.log(100) / (log_p["VAE means"] - log_p["naive Bayes"]), below=0.1)

# %% [markdown]
# So "which model is better?" has no answer without "for what?". To make pictures: judge pictures. To compress, or to
# fill in hidden pixels: ask for likelihood. To detect the unusual, likelihood is only as good an alarm as the model
# behind it: notebook 01's was crude.

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
# **3. Find the bug.** A colleague's step runs, the losses look lively, and $D$ stays stupid. What does `backward()`
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
    optimizer_d.zero_grad()                                          # just before: away with what G's lesson left in D
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
# - Each measure has its cheat: sharpness is fooled by noise, the classifier score by ten pictures, the Fréchet distance
#   by a photocopier, the search for originals by a shift of one pixel. Report several, with reference rows, the judge,
#   and the number of pictures.
# - The wrong scale and the wrong mode raise no error. Score early.
# - With the non-saturating loss a police too strong need not starve $G$: here it pulled all the harder. One asleep let
#   it collapse.
# - Looks and likelihood measure different things, and neither implies the other.
#
# **Read on:**
#
# - T. Salimans et al., [*Improved Techniques for Training GANs*](https://arxiv.org/abs/1606.03498), NIPS (2016).
# - M. Heusel et al., [*GANs Trained by a Two Time-Scale Update Rule*](https://arxiv.org/abs/1706.08500), NIPS (2017).
# - L. Theis, A. van den Oord, M. Bethge, [*A Note on the Evaluation of Generative
#   Models*](https://arxiv.org/abs/1511.01844), ICLR (2016).
# - S. Ioffe, C. Szegedy, [*Batch Normalization*](https://arxiv.org/abs/1502.03167), ICML (2015).
# - S. Barratt, R. Sharma, [*A Note on the Inception Score*](https://arxiv.org/abs/1801.01973), arXiv (2018).
# - D. C. Dowson, B. V. Landau, [*The Fréchet Distance between Multivariate Normal
#   Distributions*](https://doi.org/10.1016/0047-259X%2882%2990077-X), Journal of Multivariate Analysis 12 (1982).
# - A. Radford, L. Metz, S. Chintala, [*Unsupervised Representation Learning with Deep Convolutional Generative
#   Adversarial Networks*](https://arxiv.org/abs/1511.06434), ICLR (2016).
#
# **Next:** notebook 07, drawing a picture one pixel after the other, with an exact likelihood.
