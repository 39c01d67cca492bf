# %% [markdown]
# # 12 · One scoreboard: how to choose a model
#
# You have met eighteen families of generative models, each on data that suited it, each judged by what it was good at.
# **Which one would you take for a task of your own?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | compare models on the same data, budget and measures; say which ranks survive another seed, data set or budget; see through a cheat; choose a family for a task, and say on what evidence |
# | You need | the families (notebooks 01 to 11f), Fréchet distance, KID, precision and recall (06b), standard errors |
# | Time | 15 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch

from course_lib.chapters.nb12.plots import first_ones, scores
from course_lib.comparisons.scoreboard.choose import TASKS, choices
from course_lib.comparisons.scoreboard.measures import MEASURES, Sizes, chimeras, of_log_prob, why_empty
from course_lib.comparisons.scoreboard.pictures import PICTURES
from course_lib.comparisons.scoreboard.record import column, of_data, ranks, rows, run, settings
from course_lib.comparisons.scoreboard.registry import ALL, FAMILIES, cell, made
from course_lib.comparisons.scoreboard.weights import kept
from course_lib.live import explore
from course_lib.measure import kid
from course_lib.plots import images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises; a good last lesson, or an examination. Collect the class's three
# orders before anything is shown, and come back to them at the end. The best discussion: which measure would *you* have
# trusted, had you not seen the cheats?
#
# - **Prepare.** The five names on cards, three times.
# - **12.copier.** “a trained family”: a copier draws real pictures. Ask what would find it out.
# - **12.hundred.** “naive Bayes”, since the record says so. What varies when nothing is trained?
# - **12.likely.** near 1: everybody expects a good log p to go with good draws.
# - **12.transfer.** near 1. The same measure, the same families: why should other pictures matter?
# - **12.longer.** “MADE”, or “a GAN”. Whose score improves *because* it has learned the training set by heart?
# - **Choose.** Let groups defend different families for one task; the record decides, or says that it cannot.

# %% [markdown]
# ## Rank them first
# Five families, three jobs, 8 x 8 digits. Put the names into your order, the best first, and run the cell.
#
# - *Find anomalies*: give a real digit a larger $p(x)$ than a **spliced** one, a *chimera* with the upper half of one digit
#   and the lower half of another.
# - *Draw fast*: processor seconds for a hundred pictures.
# - *Complete*: draw the lower half of a test digit from its upper half.

# %%
my_order = {
    "find anomalies": ["MADE", "masked diffusion", "naive Bayes", "RBM", "VAE"],
    "draw fast": ["MADE", "masked diffusion", "naive Bayes", "RBM", "VAE"],
    "complete": ["MADE", "masked diffusion", "naive Bayes", "RBM", "VAE"],
}

# %% [markdown]
# ## The board
# Three data sets: **sprites**, the creatures of notebook 07, whose true distribution is known; the **8 x 8 digits** of
# notebook 10, black and white; **MNIST**, black and white. A family is trained for a fixed number of steps, so that a run
# can be repeated anywhere: so many that it takes up to about two minutes of one processor, and far less on the few 8 x
# 8 digits. This is the *short* budget; the *long* one has five times the steps. Runs are repeated with other seeds.
# They take
# hours (`make scoreboard`), so they are recorded; this notebook reads the record.
#
# Draws are compared with held-out pictures in some dozens of features: the pixels of the 8 x 8 digits, what a
# classifier sees in MNIST, random directions of the sprites' colours. Of 8 x 8 digits there are few, so the same
# held-out ones serve for everything. And some names hide two networks: diffusion works on bits with a small network,
# but on MNIST's grey values with 11d's.

# %%
board = rows()
print(f"{sum(len(row.results) for row in board)} runs are recorded of {len(settings())} that are planned")
for data in PICTURES:
    some = [row for row in of_data(board, data, "short") if row.family in FAMILIES]
    seconds = column(some, "train_seconds")[0]
    print(f"{data:8} {len(some)} families, {min(len(row.results) for row in some)} or more seeds, seconds of training: "
          f"{seconds.min():.2f} to {seconds.max():.0f}, median {np.median(seconds):.0f}")

def of(some, family, measure):
    """What the record has of a family, one number for each seed."""
    return np.array(next(row for row in some if row.family == family).values(measure))

# %% [markdown]
# Not every cell of such a board can be filled. An empty one has a reason; a zero would be a lie.

# %%
reasons = {told for name in FAMILIES for told in ALL[name].values() if isinstance(told, str)}
reasons |= {why for name in FAMILIES for data in PICTURES if not isinstance(cell(name, data), str)
            for measure in MEASURES if (why := why_empty(cell(name, data).kind, data, measure))}
print("\n".join(sorted(reasons)))

# %% [markdown]
# ## How probable is a test picture?
# Its *cost* is $-\log p(x)$, in nats; we take the mean over test pictures. A marker says how it is known: **exact**; a **bound**, so
# that the model may be better than its number, never worse; an **estimate**; or not at all. Lines are two standard errors
# over seeds. What else varies, the test pictures and the draws, is not in them.

# %%
digits = of_data(board, "digits8", "short")
show(scores([row for row in digits if row.values("nll")], ["nll", "anomaly"],
            title="8 x 8 digits: −log p(x), and chimeras told"),
     alt=f"Dots with error lines, a row for each family. Least −log p(x): {first_ones(digits, 'nll')}. Most chimeras "
         f"told: {first_ones(digits, 'anomaly')}")
x = PICTURES["digits8"].test
show(images(torch.cat([x[1:11], chimeras(x)[1:11]]), columns=10, row_labels=["real", "chimera"],
            title="Real digits, and chimeras of them"),
     alt="Two rows of ten digits; in the second row the lower halves belong to other digits")

# %%
first, second = of(digits, "convolutional VAE", "nll"), of(digits, "MADE", "nll")
with claim_table():
    claim("Bound of the convolutional VAE less MADE's exact −log p(x), nats, by seed", first - second, below=0)
    claim("MADE's less the VAE's bound", second - of(digits, "VAE", "nll"), near=0, within=0.2)
    claim("VQ-VAE's bound less MADE's", of(digits, "VQ-VAE", "nll") - second, above=5)
    claim("Share of chimeras told by masked diffusion", of(digits, "masked diffusion", "anomaly"), above=0.5,
          below=0.65)

# %% [markdown]
# The convolutional VAE is ahead, though a bound is all that it has. MADE and the VAE are level. The VQ-VAE is far
# behind:
# its bound pays for the one code that its encoder picks and for no other (notebook 11e). Flow and mixture are
# densities of real numbers, and pay for the noise that turns bits into such (notebook 10). Are they bad models? Keep
# the question.
#
# *Chimeras told* is the share of pairs of a real digit and a chimera in which the real one has the larger $p(x)$ (the area under
# the ROC curve, one half by chance). A chimera's pixels are plausible one by one; what gives it away is how its halves
# depend on each other.

# %%
sprites = of_data(board, "sprites", "short")
show(scores([row for row in sprites if row.values("kl")], ["kl", "anomaly"],
            title="Sprites: distance from the truth, and chimeras told"),
     alt=f"Dots with error lines. Least KL: {first_ones(sprites, 'kl')}. Most chimeras told: "
         f"{first_ones(sprites, 'anomaly')}")

# %%
with claim_table():
    claim("KL(sprites ‖ transformer), nats, by seed", of(sprites, "transformer", "kl"), below=3)
    claim("KL of the PixelCNN less that of the transformer", of(sprites, "PixelCNN", "kl")
          - of(sprites, "transformer", "kl"), above=1)
    claim("KL of flow matching: at most", of(sprites, "flow matching", "kl"), above=30)
    claim("Chimeras told: flow matching less the truth itself", of(sprites, "flow matching", "anomaly")
          - of(sprites, "truth", "anomaly").mean(), above=0)

# %% [markdown]
# The transformer, which may look at any earlier pixel, comes within a few nats of the truth. In the right panel
# something is odd: flow matching, whose bound is far from the truth, tells more chimeras than *the truth itself*, if
# only by half a percent. Is that possible? The best way to tell two kinds of pictures apart compares their *two*
# densities (notebook 05's best discriminator). $p(x)$ is only one of them, and does not know what a chimera is. So a
# score for a task is not a score for the model.

# %% [markdown]
# ## Do the draws look real?
# Below the families we now put **controls**. They are no models. *Truth* and *held out* are real pictures. A *copier*
# draws training pictures; a *shifted copier*
# moves them down by a row; the *mean picture* is one picture again and again; the *exact denoiser* is 11b's, diffusion
# with the best possible network, which copies. They show what a measure does not see.

# %%
predict("12.copier", "Who has the lowest Fréchet distance on the 8 x 8 digits?",
        options=["a trained family", "a copier of training pictures", "one picture, drawn again and again"])

# %%
show(scores(digits, ["frechet", "precision", "recall"], log=["frechet"],
            title="8 x 8 digits: draws against held-out pictures"),
     alt=f"Dots with error lines, three panels, families above controls. Least Fréchet distance: "
         f"{first_ones(digits, 'frechet')}; highest precision: {first_ones(digits, 'precision')}; highest recall: "
         f"{first_ones(digits, 'recall')}")
least = {row.family: np.mean(row.values("frechet")) for row in digits}
best = min((name for name in least if name in FAMILIES), key=least.get)
reveal("12.copier", {name: least[name] for name in (best, "copier", "mean picture")}, lambda by:
       "a trained family" if by[best] == min(by.values()) else "a copier of training pictures"
       if by["copier"] == min(by.values()) else "one picture, drawn again and again")

# %%
with claim_table():
    claim("Fréchet distance of the best family less the copier's", of(digits, best, "frechet")
          - of(digits, "copier", "frechet").mean(), above=0)
    claim("Share of the copier's draws that are training pictures", of(digits, "copier", "copied"), near=1, within=1e-9,
          exact=True)
    claim("Precision of the mean picture", of(digits, "mean picture", "precision"), near=1, within=1e-9, exact=True)
    claim("Its recall", of(digits, "mean picture", "recall"), near=0, within=1e-9, exact=True)
    claim("Precision of diffusion less that of the flow", of(digits, "diffusion", "precision")
          - of(digits, "flow", "precision"), above=0.5)
    claim("Recall of diffusion less that of the flow", of(digits, "diffusion", "recall") - of(digits, "flow", "recall"),
          below=-0.15)
    claim("Fréchet distance of the VQ-VAE less that of the VAE", of(digits, "VQ-VAE", "frechet")
          - of(digits, "VAE", "frechet"), near=0, within=0.15)
    claim("Sprites: share of training pictures among diffusion's draws", of(sprites, "diffusion", "copied"), above=0.05)
    claim("The same of the truth", of(sprites, "truth", "copied"), below=0.02)

# %% [markdown]
# The copier comes first, as it should: its draws *are* real. The measure does not see that it makes nothing new.
#
# Diffusion plays safe: its draws lie among real digits, and many real ones have no draw near by. On sprites that shows
# in another column: many of its creatures are training pictures, though it never saw this set (sprites are drawn anew
# for each step). It draws the most common ones again and again. The flow is the other way round. Which is better
# depends on the task; a single number that trades one for the other hides the choice. And the VQ-VAE, far behind a
# moment ago, draws about as well as the VAE.

# %% [markdown]
# ## The error of the measure
# **KID** (06b) is another distance between draws and held-out pictures. On the 8 x 8 digits naive Bayes has the lowest
# mean of all families. Its three seeds agree. But naive Bayes is counted, not trained, and all measures use the same
# random numbers for their draws: the three are one number. We draw anew, a hundred times.

# %%
predict("12.hundred", "KID on 8 x 8 digits, mean of a hundred sets of draws: who has the lower one?",
        options=["naive Bayes", "MADE", "neither: they differ by less than two standard errors"])

# %%
def trained(name):
    """The recorded family: counted anew, or from its kept weights."""
    if name == "naive Bayes":
        model = made(name, "digits8", 1, 0)
        model.train()
        return model
    return kept(settings(["digits8"], [name], ["short"], seeds=1)[0])

models, real = {name: trained(name) for name in ("naive Bayes", "MADE")}, PICTURES["digits8"]

def kid_anew(model, seed):
    """KID of as many draws, from this seed, as there are held-out digits."""
    drawn = model.draw(len(real.reference), seeded(seed))
    return float(kid(*(torch.from_numpy(features).double()
                       for features in (real.reference_features, real.features(drawn)))))

# %%
again = {name: np.array([kid_anew(model, seed) for seed in range(100)]) for name, model in models.items()}
for name, values in again.items():
    print(f"{name:12} in the record {of(digits, name, 'kid').mean():8.5f}, a hundred sets of draws {values.mean():.5f} "
          f"± {values.std(ddof=1) / 10:.5f}, standard deviation of one {values.std(ddof=1):.5f}")
gap = again["naive Bayes"] - again["MADE"]
reveal("12.hundred", {"gap": gap.mean(), "two errors": 2 * gap.std(ddof=1) / 10}, lambda m:
       "neither: they differ by less than two standard errors" if abs(m["gap"]) < m["two errors"] else
       "naive Bayes" if m["gap"] < 0 else "MADE")
with claim_table():
    claim("KID of naive Bayes less that of MADE, in the record", of(digits, "naive Bayes", "kid")
          - of(digits, "MADE", "kid"), below=0)
    claim("The same, a hundred sets of draws", gap, above=0)
    claim("One set of draws each: standard deviation of the gap over its mean", gap.std(ddof=1) / gap.mean(), above=1)
    claim("Precision of naive Bayes less that of MADE, in the record", of(digits, "naive Bayes", "precision")
          - of(digits, "MADE", "precision"), below=-0.15)

# %% [markdown]
# The record has the two the wrong way round. With a few hundred draws KID varies by more than these two families
# differ, so its first places are chance. Precision tells the two apart without doubt. An error over seeds is an error
# of *training*; a measure has one of its own, from its draws and its test pictures, and it does not go away if all are
# measured with the same ones.

# %% [markdown]
# ## Where measures disagree
# **Kendall's rank correlation** $\tau$ compares two orders: the share of pairs that both put in the same order, less the
# share of pairs in opposite order. 1 is the same order, $-1$ the reverse; random orders have 0 on average.

# %%
def tau(a, b):
    """Kendall's τ of two lists of numbers."""
    i, j = np.triu_indices(len(a), k=1)
    a, b = np.asarray(a), np.asarray(b)
    return np.mean(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))

def agreement(some, one, other):
    """τ of two measures over the families that have both, for each seed; 1 if they agree which are better."""
    both = [row for row in some if row.family in FAMILIES and row.values(one) and row.values(other)]
    sign = MEASURES[one].sign * MEASURES[other].sign
    seeds = min(len(row.results) for row in both)
    return [sign * tau(*([row.values(measure)[seed] for row in both] for measure in (one, other)))
            for seed in range(seeds)]

def by_chance(n):
    """Standard deviation of τ of two random orders of n things (Kendall)."""
    return math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))

# %%
predict("12.likely", "Kendall's τ of −log p(x) and KID over the families of the 8 x 8 digits?", low=-1, high=1)

# %%
pairs = [("nll", "kid"), ("nll", "frechet"), ("frechet", "kid"), ("precision", "recall"), ("nll", "completion"),
         ("nll", "anomaly")]
print(f"{'':24}" + "".join(f"{data:>10}" for data in PICTURES))
for one, other in pairs:
    found = [np.mean(agreement(of_data(board, data, "short"), one, other)) for data in PICTURES]
    print(f"{one + ', ' + other:24}" + "".join(f"{value:+10.2f}" for value in found))
reveal("12.likely", np.mean(agreement(digits, "nll", "kid")))
orders = [torch.randperm(14, generator=seeded(i)).tolist() for i in range(2000)]
with claim_table():
    claim("Two thousand random orders of fourteen: standard deviation of τ over the formula's",
          np.std([tau(range(14), order) for order in orders]) / by_chance(14), near=1, within=0.08)
    claim("Sprites: τ of Fréchet distance and KID, by seed", agreement(sprites, "frechet", "kid"), above=0.5)
    claim("8 x 8 digits: τ of precision and recall", agreement(digits, "precision", "recall"), below=0)
print(f"by chance: 0 ± {by_chance(14):.2f} for fourteen families, ± {by_chance(8):.2f} for eight")

# %% [markdown]
# On sprites and MNIST Fréchet distance and KID agree best. Precision and recall pull in opposite ways. $-\log p(x)$ and
# draws go together on sprites and on MNIST, on the 8 x 8 digits less. Can they come apart altogether? Take **Theis,
# van den Oord and Bethge's** argument. Mix a good model $p$ with a useless one, $p' = \frac{1}{100}\, p +
# \frac{99}{100}\, r$, where $r$ draws the mean picture. Then $p'(x) \ge \frac{1}{100}\, p(x)$, so $-\log p'(x) \le
# -\log p(x) + \log 100$: a few nats more at most. But nearly all draws are the mean picture. Here with the MADE of the
# record, whose weights are kept:

# %%
good = models["MADE"]
log_p = good.log_prob(x, seeded()).double()
mean_picture = PICTURES["digits8"].train[0].mode(dim=0).values
log_r = torch.where((x == mean_picture).all(dim=2).all(dim=1), 0.0, -torch.inf).double()
log_mixed = torch.logaddexp(log_p - math.log(100), log_r + math.log(0.99))
nll = dict(zip((row.family for row in digits), column(digits, "nll")[0], strict=True))
beaten = [name for name, value in nll.items() if value > -log_mixed.mean()]
print(f"MADE {-log_p.mean():.2f} nats, 1% MADE {-log_mixed.mean():.2f}: less than the bounds of {', '.join(beaten)}")
with claim_table():
    claim("MADE measured again from its weights, less the record: nats", of_log_prob(good, Sizes())["nll"]
          - of(digits, "MADE", "nll")[0], near=0, within=0.05)
    claim("The mixture less MADE, nats", log_p.mean() - log_mixed.mean(), near=math.log(100), within=1e-9, exact=True)
    claim("Families with a larger bound", len(beaten), above=2.5)

# %% [markdown]
# The other way round, a copier draws real pictures and gives each one that it has not seen the probability 0. So
# $\log p(x)$ and draws are two questions.

# %% [markdown]
# ## What does it cost to draw?
# Seconds of one processor, of pictures drawn many at a time. (Two runs shared the machine, so look at
# factors of ten.)

# %%
mnist = of_data(board, "mnist", "short")
show(scores(mnist, ["draw_seconds", "frechet"], log=["draw_seconds", "frechet"],
            title="MNIST: fast is not good, slow neither"),
     alt=f"Dots with error lines, families above controls. Fastest: {first_ones(mnist, 'draw_seconds')} seconds; least "
         f"Fréchet distance: {first_ones(mnist, 'frechet')}")
print("−log p(x), nats:", first_ones(mnist, "nll", 9))

# %%
at_least = {row.family: np.mean(row.values("frechet")) for row in mnist}
passed = [name for name in FAMILIES if name in at_least and at_least[name] > at_least["shifted copier"]]
print(f"Fréchet distance: shifted copier {at_least['shifted copier']:.0f}; behind it {', '.join(passed)}")
print(f"Its draws: {np.mean(of(mnist, 'shifted copier', 'copied')):.2f} of them copied, distance to the training set "
      f"{np.mean(of(mnist, 'shifted copier', 'nearest')):.2f} of a test picture's")
claim("Families on MNIST that are behind a copier whose pictures are shifted by a row", len(passed), above=7.5)

# %% [markdown]
# Three questions, three winners: naive Bayes draws fast, the conditional GAN draws well, the transformer has the least
# $-\log p(x)$. All that after about a minute; 11d's network was trained for an hour.
#
# Look at the printed lines. On MNIST a copier whose pictures are shifted comes before nearly all families, and the
# columns that were made against copies do not see it: no draw *is* a training picture. On the other data its Fréchet
# distance was bad. A row is little of an MNIST picture, and much of the smaller ones. Each guard knows the
# cheats that it was built for.

# %% [markdown]
# ## Complete half a picture
# Families with conditionals draw from them, exactly or nearly. The others (GANs, MMD, VQ-VAE, flow) take, of a thousand of their own draws, those
# whose upper half comes nearest. Of sprites the exact conditional is known: *surprise* is what a completion costs under it,
# above what a true draw of it costs. The **energy score** needs no truth: $\mathbb{E}\,|c - x| - \frac12 \mathbb{E}\,|c - c'|$ for two completions $c$,
# $c'$ of the same half and the real picture $x$, with the root of the number of differing pixels as distance. Its mean is
# least for the true conditional: the second term rewards variety, as much as is right.

# %%
plausible = [row for row in sprites if row.family not in ("shifted copier", "mean picture")]     # far off the scale
show(scores(plausible, ["completion", "completion_surprise"], title="Sprites: completions of the lower part"),
     alt=f"Dots with error lines. Least energy score: {first_ones(sprites, 'completion')}")

# %%
true_score = of(sprites, "truth", "completion").mean()
with claim_table():
    claim("Energy score of the transformer less that of the truth", of(sprites, "transformer", "completion")
          - true_score, near=0, within=0.1)
    claim("Surprise of the transformer's completions, nats", of(sprites, "transformer", "completion_surprise"), above=0,
          below=8)
    claim("Surprise of diffusion's completions", of(sprites, "diffusion", "completion_surprise"), below=-1)
    claim("Its energy score less that of the truth", of(sprites, "diffusion", "completion") - true_score, above=0.02)

# %% [markdown]
# Diffusion's completions are *more* probable than true ones. That is no merit: it plays safe again, and leaves rare
# ones out. The energy score charges for that.

# %% [markdown]
# ## Which ranks survive?
# **Another seed.** A rank has a standard error, too. Rank within each seed, then take the mean over seeds (± one standard
# error). An error of 0 says that three seeds agreed, not that a fourth must.

# %%
for measure in ("nll", "frechet", "kid", "completion"):
    placed = sorted(ranks(digits, measure).items(), key=lambda item: item[1].value)
    print(f"{measure:11}", ", ".join(f"{name} {rank.value:.1f} ± {rank.error:.1f}" for name, rank in placed[:5]))

# %% [markdown]
# **Another data set.** The same families, the same measure, the same kind of budget: how much of the order stays?

# %%
predict("12.transfer", "Kendall's τ of the orders by Fréchet distance on 8 x 8 digits and on MNIST?", low=-1, high=1)

# %%
def between(one, other, measure):
    """τ of the orders of the families that both have, for each seed."""
    names = [row.family for row in one if row.family in FAMILIES and row.values(measure)
             and any(row.family == r.family and r.values(measure) for r in other)]
    seeds = min(len(of(some, name, measure)) for name in names for some in (one, other))
    return [tau(*([of(some, name, measure)[seed] for name in names] for some in (one, other))) for seed in range(seeds)]

tables = {"digits8, mnist": (digits, mnist), "digits8, sprites": (digits, sprites), "sprites, mnist": (sprites, mnist)}
for names, two in tables.items():
    print(f"{names:17}", ", ".join(f"{measure} {np.mean(between(*two, measure)):+.2f}"
                                   for measure in ("nll", "frechet", "kid", "completion", "draw_seconds")))
reveal("12.transfer", np.mean(between(digits, mnist, "frechet")))

# %%
with claim_table():
    claim("τ between 8 x 8 digits and sprites: seconds of drawing, by seed", between(digits, sprites, "draw_seconds"),
          above=0.5)
    claim("The same for the Fréchet distance", between(digits, sprites, "frechet"), below=0.5)

# %% [markdown]
# What a draw *costs* is much the same order everywhere. How good draws are is not. Part of that may be the features,
# which differ, and the networks; either way, that order has to be measured on your own data.

# %% [markdown]
# **Another budget.** On the 8 x 8 digits, five times the steps.

# %%
predict("12.longer", "Five times the steps. Which of these has the lowest Fréchet distance then?",
        options=["MADE", "conditional GAN", "transformer", "diffusion"])

# %%
longer = of_data(board, "digits8", "long")
for row in longer:
    if row.budget == "long":
        changes = (f"{measure} {np.mean(of(digits, row.family, measure)):.3g} → {np.mean(row.values(measure)):.3g}"
                   for measure in ("nll", "frechet", "copied") if row.values(measure))
        print(f"{row.family:17} {len(row.results)} seeds: ", ", ".join(changes))
of_four = {name: np.mean(of(longer, name, "frechet"))
           for name in ("MADE", "conditional GAN", "transformer", "diffusion")}
reveal("12.longer", of_four, lambda by: min(by, key=by.get))
with claim_table():
    claim("Transformer: −log p(x) of test pictures, long less short, nats", of(longer, "transformer", "nll")
          - of(digits, "transformer", "nll").mean(), above=5)
    claim("Its Fréchet distance, long less short", of(longer, "transformer", "frechet")
          - of(digits, "transformer", "frechet").mean(), below=0)
    claim("Share of its draws that are training pictures, long", of(longer, "transformer", "copied"), above=0.4)
    claim("Masked diffusion: bound on −log p(x), long less short", of(longer, "masked diffusion", "nll")
          - of(digits, "masked diffusion", "nll").mean(), below=-1)

# %% [markdown]
# The transformer has learned the training set by heart: **overfitting**. Test pictures cost it twice as much as before,
# and by Fréchet distance it has become the best family. No cheat was built in. Training made one. A family that was
# slow to learn, masked diffusion, gains instead. So a ranking without its budget is none.

# %% [markdown]
# ## Put your own row on the board
# `run` trains a family and measures all there is to measure, as the study did. Here is a VAE with a sixth of the steps.
# Change the family, the steps or the seed: `MADE`, `RBM`, `flow` and `denoising chain` are quick, too.

# %%
family, steps, seed = "VAE", 1000, 3
mine = run("digits8", family, "short", steps, seed)
for measure in ("nll", "frechet", "precision", "recall", "completion", "train_seconds"):
    recorded = of(digits, family, measure)
    told = "–" if mine[measure] is None else f"{mine[measure]:.3g}"
    print(f"{measure:14} yours {told:>8}, in the record {', '.join(f'{value:.3g}' for value in recorded) or '–'}")
if (family, steps) == ("VAE", 1000):
    claim("A VAE after a sixth of the steps: −log p(x) less the record's, nats", mine["nll"] - of(digits, "VAE", "nll"),
          above=0.1)

# %% [markdown]
# ## Back to your orders

# %%
for task, names in my_order.items():
    values = [np.mean(of(digits, name, TASKS[task])) for name in names]
    sign = MEASURES[TASKS[task]].sign                                     # so that less is better
    right = ", ".join(np.array(names)[np.argsort(sign * np.array(values))])
    print(f"{task:15} τ = {tau(range(5), sign * np.array(values)):+.1f}; the record: {right}")

# %% [markdown]
# ## Choose
# Say what you need; the record answers with the rows that it stands on, the best on top. The title names the best and those
# that are level with it, behind by less than two standard errors of the difference. (With three seeds the errors are rough themselves. A family whose seeds differ much is level
# more easily, and the best of many is in part the luckiest.)

# %%
LIMITS = {"any": math.inf, "1 s": 1.0, "0.1 s": 0.1, "0.01 s": 0.01, "0.001 s": 0.001}

def answer(task, data, limit):
    """The families that are fast enough, the best first, and the names of those that are level with it."""
    found = choices(of_data(board, data, "short"), task, draw_seconds=LIMITS[limit])
    return found, [one.row.family for one in found if one.behind <= 2]

def advice(task="complete", data="digits8", limit="any"):
    found, level = answer(task, data, limit)
    best_ones = " or ".join(level[:3]) + ", …" * (len(level) > 3)
    title = f"{task}, {data}: {best_ones or 'nobody is that fast'}"
    measures = dict.fromkeys([TASKS[task], "draw_seconds"])
    return scores([one.row for one in found], list(measures), title=title, log=["draw_seconds"])

def advice_in_words(task="complete", data="digits8", limit="any"):
    level = answer(task, data, limit)[1]
    return f"{task} on {data}, a hundred draws within {limit}: {', '.join(level) or 'no family'}"

explore(advice, alt=advice_in_words, task=list(TASKS), data=list(PICTURES), limit=list(LIMITS),
        labels={"limit": "seconds for 100 draws"})

# %%
for task in TASKS:
    print(f"{task:18}", "; ".join(f"{data}: {' or '.join(answer(task, data, 'any')[1])}" for data in PICTURES))

# %% [markdown]
# ## Your turn
# **1.** The standard error of a rank. `values` has a row for each family and a column for each seed; small values are good,
# and no two are equal. Rank the families within each seed, 1 for the best; then give the mean rank of each family and the
# standard error of that mean.

# %% tags=["exercise"]
def rank_error(values):
    """Mean rank and its standard error, [families, 2], from values [families, seeds]."""
    ### BEGIN SOLUTION
    placed = values.argsort(axis=0).argsort(axis=0) + 1
    return np.stack([placed.mean(axis=1), placed.std(axis=1, ddof=1) / placed.shape[1]**0.5], axis=1)
    ### END SOLUTION

# %%
check("12.rank_error", rank_error)

# %% [markdown]
# **2.** Find the cheats by their rows. Each argument is a column of the 8 x 8 digits, `[n]`: Fréchet distance,
# precision, recall,
# `nearest` (the distance of a draw to its nearest training picture, over that of a test picture) and the share of draws
# that are `copied`. Answer 1 for a row that copies training pictures, perhaps with a changed pixel here and there: its
# `nearest` is below one half. Answer 2 for one picture drawn again and again, 0 for an honest family. (A shifted copier does
# not show in these columns.)

# %% tags=["exercise"]
def cheat(frechet, precision, recall, nearest, copied):
    """0, 1 or 2 for each row, [n]; five arrays [n]."""
    ### BEGIN SOLUTION
    return np.where(nearest < 0.5, 1, np.where(recall < 0.01, 2, 0))
    ### END SOLUTION

# %%
check("12.cheat", cheat)

# %% [markdown]
# **3.** Choose under a constraint. Families have means `values` (small is good), their standard errors `errors`, and
# `seconds` for a hundred draws. Of those within `limit` seconds, mark the best, and all that are behind it by at most two
# standard errors of the difference. If nobody is fast enough, nobody is marked.

# %% tags=["exercise"]
def choose(values, errors, seconds, limit):
    """True for the families that may be taken, [n]; three arrays [n], and a number."""
    ### BEGIN SOLUTION
    may = seconds <= limit
    best = np.where(may, values, np.inf).argmin()
    return may & (values - values[best] <= 2 * np.hypot(errors, errors[best]))
    ### END SOLUTION

# %%
check("12.choose", choose)

# %% [markdown]
# ## What to keep
# - Ask first what the model is for. To score, to draw, to draw fast and to complete can have different winners.
# - Hold a measure against cheats before you trust it. And look again after longer training: learning by heart wins the
#   Fréchet distance.
# - $\log p(x)$ and draws are two questions: each can be good while the other is bad.
# - Rank within seeds, and give the rank its standard error. A measure has an error of its own beside that.
# - What a draw costs carries over to other data. How good draws are has to be measured there.
#
# **Read on:**
#
# - M. Kendall, [*A New Measure of Rank Correlation*](https://doi.org/10.1093/biomet/30.1-2.81), Biometrika 30 (1938).
# - L. Theis, A. van den Oord, M. Bethge, [*A note on the evaluation of generative
#   models*](https://arxiv.org/abs/1511.01844), ICLR (2016): log p, draws and classification are three questions.
# - T. Gneiting, A. Raftery, [*Strictly Proper Scoring Rules, Prediction, and
#   Estimation*](https://doi.org/10.1198/016214506000001437), Journal of the American Statistical Association 102 (2007):
#   the energy score.
# - M. Lucic et al., [*Are GANs Created Equal? A Large-Scale Study*](https://arxiv.org/abs/1711.10337), NeurIPS (2018):
#   with enough search for settings, and enough restarts, most losses reach similar scores.
# - M. Sajjadi et al., [*Assessing Generative Models via Precision and Recall*](https://arxiv.org/abs/1806.00035), NeurIPS
#   (2018).
# - T. Kynkäänniemi et al., [*Improved Precision and Recall Metric for Assessing Generative
#   Models*](https://arxiv.org/abs/1904.06991), NeurIPS (2019): the one used here.
# - M. Bińkowski et al., [*Demystifying MMD GANs*](https://arxiv.org/abs/1801.01401), ICLR (2018): KID.
#
# **Next:** a data set of your own: the open projects in `docs/projects`.
