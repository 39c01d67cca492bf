# %% [markdown]
# # 08 · Latent space interpolation: between two digits
#
# An autoencoder turns a picture into a few numbers, its code, and a code into a picture. All possible codes make up its
# **latent space**. Codes can be added and scaled.
# **What does arithmetic with codes do to pictures, and where does it stop making sense?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | interpolate between digits, in a line and on a sphere, move a picture along a class vector, edit slant and thickness by attribute vectors, and say when a path is out of distribution |
# | You need | notebook 04: the VAE and its prior; vectors, angles |
# | Time | 60 seconds to run · seed 0 |

# %%
from itertools import combinations
from math import acos

import torch

from course_lib.chapters.nb08.plots import judged_path, pair_sheet
from course_lib.data import like_mnist, load_mnist
from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters
from course_lib.live import Bars, ImageGrid, SketchPad, explore_canvas
from course_lib.measure import nearest_neighbours, slant, thickness
from course_lib.models.geodesics import curved_path, geodesic_bends, path_length, pullback_metric
from course_lib.models.latent import attribute_vector, class_centroids, linear_path, spherical_path
from course_lib.models.logistic import SoftmaxRegression
from course_lib.plots import bars, curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import fastest_precision, load_pretrained, run
from course_lib.training.checkpoints import CheckpointError

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Begin with the pad: let a student draw a digit and slant it
# before anything is explained. Collect both predictions by a show of hands; most expect the moved 7 to become a 6.
# Ask for the reason before you show the dot products. The failure lab makes a good discussion: how would you
# notice, without looking, that a path has left the data?
#
# - **Prepare.** A mouse or, better, a touch screen for the pad.
# - **08.seven.** “a 6”. Ask in which picture the vector was computed, and what it knows of sevens.
# - **Linear or spherical interpolation?** On the board: the squared length halfway, its cross term, and why that
#   vanishes.
# - **08.norm.** one, from the picture of a circle drawn small. In many dimensions two codes stand at right angles.
# - **08.geodesic.** “on the straight one”: the shortest way is hoped to stay among digits. What does its length
#   measure?

# %% [markdown]
# ## The model: encode and decode
# We take the VAE of notebook 04 with a code of twenty numbers, trained for long beforehand. If its file is missing, one
# is trained here for about a minute. The core uses only `encode` and `decode`; any model that has both, a
# GAN that was given an encoder for instance, can be put in their place.

# %%
def vae_or_train(steps=4680):
    """The VAE that comes with the course; where its file is missing, one that is trained now, more briefly."""
    try:
        return load_pretrained("vae_z20")[0]
    except CheckpointError as error:
        print(f"{error}\nUntil then, one is trained here: {steps} steps, about a minute.")
        quick = VAEHyperparameters(total_steps=steps, precision=fastest_precision())
        experiment = VAEExperiment(quick, seed=0)
        for _ in run(experiment, steps=steps):
            pass
        return experiment.model.requires_grad_(False).eval()

vae = vae_or_train()

def encode(x):
    """The mean m of q(z | x): codes (n, 20) of images (n, 784)."""
    return vae.encode(x)[0]

decode = vae.decode

# %% [markdown]
# Two classifiers of pictures say what they see; neither knows anything of codes. **Logistic regression** of notebook 01
# has probabilities that change smoothly. The **convolutional classifier**, a small network, errs far less often; from
# here on "the classifier" is that one.

# %%
train, test = load_mnist("train"), load_mnist("test")
x_test, y_test = test.flat(), test.labels
z_train, z_test = (torch.cat([encode(part.flat()) for part in split.split(5_000)]) for split in (train, test))

logistic = SoftmaxRegression(l2=1e-3, max_iter=60).fit(train.flat(), train.labels)
classifier, _ = load_pretrained("classifier")

def p_logistic(x):
    """p(digit | image) by logistic regression, shape (n, 10)."""
    return logistic.log_posterior(x).exp()

errors = [(model.predict(x_test[:2000]) != y_test[:2000]).float().mean() for model in (classifier, logistic)]
claim("The classifier's errors on test images, as a share of logistic regression's", errors[0] / errors[1], below=0.15)

# %% [markdown]
# ## Centroids: a middle for each digit
# Encode all training images of a digit and average the codes: a **centroid**. The average of *pictures* is a smear
# (notebook 01). Is the picture of the average code one, too?

# %%
centroid = class_centroids(z_train, train.labels)      # (10, 20)
mean_picture = torch.stack([train[train.labels == k].flat().mean(dim=0) for k in range(10)])

show(images(torch.cat([mean_picture, decode(centroid)]).view(-1, 28, 28), row_labels=["mean picture", "mean code"],
            title="The picture of the mean code is a clean digit"),
     alt="Two rows of the digits 0 to 9: above, averages of pictures; below, the pictures decoded from average codes")
right = (logistic.predict(decode(centroid)) == torch.arange(10)).sum()
claim("Decoded centroids that logistic regression names right, of ten", right, above=9.5)

# %% [markdown]
# ## Linear interpolation: from a to b
# The vector from the centroid of $a$ to that of $b$ is $v = c_b - c_a$: end minus start. Along it,
#
# $$z(\alpha) = c_a + \alpha\,(c_b - c_a) = (1 - \alpha)\,c_a + \alpha\,c_b ,$$
#
# $\alpha = 0$ is $a$ and $\alpha = 1$ is $b$: **linear interpolation**. Below 0 and above 1 it is **extrapolation**. If
# the codes are laid out well, the picture should become steadily less of $a$ and more of $b$. Let $p_a$ be the
# probability that logistic regression gives to digit $a$, and $p_b$ to $b$: then $p_b - p_a$ should rise all the way.

# %%
alpha = torch.linspace(0, 1, 11)
pairs = list(combinations(range(10), 2))

def path_between(a, b):
    """Codes from centroid a to centroid b, shape (steps, 20)."""
    return centroid[a] + alpha[:, None] * (centroid[b] - centroid[a])

paths = torch.stack([path_between(a, b) for a, b in pairs])                  # (45, 11, 20)
library = linear_path(centroid[3], centroid[8], alpha)
claim("The library's linear path less ours, largest difference", (library - path_between(3, 8)).abs().max(), below=1e-5,
      exact=True)

# %%
pictures = decode(paths)
show(pair_sheet(pictures.view(45, 11, 28, 28), pairs, title="All pairs of digits: from a, left, to b, right"),
     alt="A sheet with a row for each of the 45 pairs of digits; each row starts with one digit and ends with "
         "the other")

# %%
p = torch.stack([p_logistic(path) for path in pictures])                     # (45, 11, 10)
p_a, p_b = (torch.stack([p[i, :, pair[side]] for i, pair in enumerate(pairs)]) for side in (0, 1))
rises = ((p_b - p_a).diff(dim=1) > 0).all(dim=1)
third = sum(bool((p[i].argmax(dim=1)[:, None] != torch.tensor(pair)).all(dim=1).any())
            for i, pair in enumerate(pairs))
with claim_table():
    claim("Pairs, of 45, on which p_b − p_a rises at every step", rises.sum(), above=42.5)
    claim("Pairs, of 45, that pass through a third digit on the way", third, above=12)

# %% [markdown]
# A path from one digit to another often leads through the region of a third. And somewhere on it $p_a = p_b$: to logistic
# regression the two are equally likely there. Is such a picture ambiguous? Ask the other classifier, on finer steps.

# %%
fine = torch.linspace(0, 1, 41)
from_a, to_b = (centroid[[pair[side] for pair in pairs]] for side in (0, 1))
between = decode(linear_path(from_a, to_b, fine)).flatten(0, 1)              # (41 * 45, 784)
both_ends = torch.tensor(pairs).expand(41, 45, 2)

def doubt(p):
    """The smaller of p_a and p_b, shape (41, 45), from the probabilities of all digits, (41 * 45, 10)."""
    return p.view(41, 45, 10).gather(2, both_ends).amin(dim=2)

p_classifier = classifier.log_posterior(between).exp()
doubts, classifier_doubts = doubt(p_logistic(between)), doubt(p_classifier)
places = doubts.argmax(dim=0)                                                # on each path, the most doubtful place
sure_there = p_classifier.amax(dim=1).view(41, 45)[places, torch.arange(45)] > 0.9
claim("Paths, of 45, with the classifier sure at the place where logistic regression doubts most", sure_there.sum(),
      above=15)

# %% [markdown]
# So a picture is ambiguous *for a classifier*. Here are the ten most doubtful to both. Would two people agree?

# %%
best, places = torch.minimum(doubts, classifier_doubts).max(dim=0)
top = best.argsort(descending=True)[:10].tolist()
show(images(torch.stack([between.view(41, 45, 28, 28)[places[i], i] for i in top]), columns=10,
            labels=[f"{pairs[i][0]} or {pairs[i][1]}?" for i in top], title="On the way, and ambiguous for both"),
     alt="Ten pictures on the way between two digits, each labelled with the two digits that both classifiers hold "
         "possible")
claim("The most ambiguous picture: the smallest of its four probabilities, two by each classifier", best.max(),
      above=0.3)

# %% [markdown]
# ## A class vector, added to another picture
# A difference of centroids, a **class vector**, can be added to *any* code:
# $x' = \mathrm{decode}(\mathrm{encode}(x) + \alpha\,v)$. We take a 7 and add the vector that leads from 6 to 0. Forwards it
# should look more like a 0, backwards more like a 6. Should it?

# %%
predict("08.seven", "A 7 is moved against the vector, towards 6, to α = −2. What will it look like?",
        options=["a 6", "still a 7", "another digit"])

# %%
seven = x_test[y_test == 7][0]
v = centroid[0] - centroid[6]                                                # from 6 to 0
steps = torch.linspace(-2, 2, 9)
moved = decode(encode(seven[None]) + steps[:, None] * v)

show(judged_path(moved.view(-1, 28, 28), p_logistic(moved), steps, title="A 7 moved along the vector from 6 to 0",
                 xlabel="α: towards 6 ← · → towards 0"),
     alt="Nine pictures, the 7 in the middle; below, the probabilities of logistic regression, which reads them as "
         + ", ".join(str(k) for k in logistic.predict(moved).tolist()))

# %%
sevens = z_test[y_test == 7]
named = {step: logistic.predict(decode(sevens + step * v)) for step in (-2, 2)}
backwards = torch.bincount(named[-2], minlength=10).argmax().item()
reveal("08.seven", backwards, lambda digit: {6: "a 6", 7: "still a 7"}.get(digit, "another digit"))
with claim_table():
    claim("Share of all test 7s that become a 6, at α = −2", (named[-2] == 6).float().mean(), below=0.01)
    claim("The digit that most test 7s become, at α = −2", backwards, near=1, within=0.1)
    claim("Share of all test 7s that become a 0, at α = 2", (named[2] == 0).float().mean(), below=0.02)
    claim("Share of all test 7s that stay a 7, at α = 2", (named[2] == 7).float().mean(), above=0.95)

# %% [markdown]
# You may read of a 7 that turns into a 0 on this path. With our model it does not, and not into a 6 at the other end
# either. Why? The vector knows only what tells *6 from 0*. How far does each digit lie in its direction? A code $z$
# lies at the share $(z - c_a) \cdot v / \|v\|^2$ of the way: 0 for $z = c_a$, 1 for $z = c_b$, since $c_b - c_a = v$.

# %%
along = centroid @ v
show(bars([str(k) for k in range(10)], {"centroid · v": along.numpy()}, xlabel="digit", ylabel="c · (c₀ − c₆)",
          title="Along 6 → 0, the 7 lies beside the 0, the 1 beside the 6"),
     alt="Bars of the dot product of each centroid with the vector from 6 to 0: "
         + ", ".join(f"{k} {value:.1f}" for k, value in enumerate(along)))
share = (along - along[6]) / v.square().sum()
distances = torch.cdist(sevens - 2 * v, centroid).mean(dim=0)
with claim_table():
    claim("How far the 7's centroid lies on the way from 6 to 0, as a share", share[7], above=0.85)
    claim("How far the 1's centroid lies on the way from 6 to 0, as a share", share[1], below=0.15)
    claim("Cosine of the angle between the vector from 6 to 0 and the vector from 7 to 0",
          torch.cosine_similarity(centroid[0] - centroid[7], v, dim=0), near=0, within=0.12)
    claim("The digit whose centroid is nearest to the 7s at α = −2", distances.argmin(), near=1, within=0.1)
    claim("The 7s at α = −2: distance to the 1's centroid over distance to the 6's", distances[1] / distances[6],
          below=0.95)

# %% [markdown]
# A 7 is already nearly as far along as a 0. What tells the two apart lies *across* the vector, nearly at a right angle,
# and a step along it changes little of that. Backwards lie the 6 *and* the 1, and the moved 7s come nearest to the 1. To
# make a 0 of a 7, take the vector that starts at 7. Try it: pick the picture, the vector and α.

# %%
ten = torch.stack([x_test[y_test == k][0] for k in range(10)])
z_ten = encode(ten)

def move(digit=7, a=6, b=0, alpha=1.0):
    z = z_ten[digit] + alpha * (centroid[b] - centroid[a])
    x = decode(z)
    return {"image": torch.stack([ten[digit], x]).view(2, 28, 28).numpy(), "p": p_logistic(x[None])[0].numpy()}

SEES = [ImageGrid("image", columns=2, title="the picture, and moved"),
        Bars("p", title="logistic regression", xlabel="digit", ylabel="p(digit | moved picture)", ylim=(0, 1))]
explore_canvas(move, SEES, digit=(0, 9, 1), a=(0, 9, 1), b=(0, 9, 1), alpha=(-3.0, 3.0, 0.05),
               labels={"a": "from a", "b": "to b", "alpha": "α"},
               alt="A test digit beside the same digit moved in code space, and the probabilities of the ten digits")

# %%
moved_right = logistic.predict(decode(sevens + 1.5 * (centroid[0] - centroid[7]))) == 0
claim("Share of test 7s that become a 0 along the vector from 7 to 0, at α = 1.5", moved_right.float().mean(),
      above=0.8)

# %% [markdown]
# ## Linear or spherical interpolation?
# The prior of the codes is $z \sim \mathcal{N}(0, I)$ in $d$ dimensions. Since $\mathbb{E}[z_i^2] = 1$ for each of
# them, $\mathbb{E}\,\|z\|^2 = d$. Each square has variance 2 and they are independent, so the standard deviation of
# $\|z\|^2$ is $\sqrt{2d}$, a share $\sqrt{2/d}$ of its mean. That share falls slowly: at our $d = 20$ it is still a
# third. Codes lie in a shell round a sphere of radius $\sqrt{d}$, the thinner for its radius the larger $d$ is; hardly
# any
# lies near the centre.
#
# Take two independent codes and interpolate linearly. At $\alpha$,
#
# $$\mathbb{E}\,\|(1 - \alpha)\,z_1 + \alpha\,z_2\|^2 = \bigl((1 - \alpha)^2 + \alpha^2\bigr)\,d ,$$
#
# since the cross term $2\,\alpha (1 - \alpha)\,\mathbb{E}[z_1 \cdot z_2]$ vanishes for independent codes of mean 0.

# %%
predict("08.norm", "Halfway on a linear path: how long is the code, as a share of its length at the ends?",
        low=0, high=1)

# %%
start, end = torch.randn(2, 2000, 20, generator=seeded())
straight, curved = linear_path(start, end, alpha), spherical_path(start, end, alpha)
norm = {"linear": straight.norm(dim=2), "spherical": curved.norm(dim=2)}

show(curves(alpha, {k: n.mean(dim=1) for k, n in norm.items()}, title="A linear path cuts through the empty inside",
            xlabel="α", ylabel="length of the code (bands: one std)",
            bands={k: (n.mean(dim=1) - n.std(dim=1), n.mean(dim=1) + n.std(dim=1)) for k, n in norm.items()}),
     alt="The mean length of codes along paths: " + "; ".join(
         f"{k}, {n[0].mean():.1f} at the ends and {n[5].mean():.1f} in the middle" for k, n in norm.items()))
shrunk = norm["linear"][5].mean() / norm["linear"][0].mean()
reveal("08.norm", shrunk)
squares = start.square().sum(dim=1)
with claim_table():
    claim("Linear paths: length of codes in the middle over length at the start", shrunk, near=0.5**0.5, within=0.02)
    claim("Spherical paths: length of codes in the middle over length at the start",
          norm["spherical"][5].mean() / norm["spherical"][0].mean(), near=1, within=0.02)
    claim("Share of codes from the prior that are as short as the middles of linear paths",
          (start.norm(dim=1) < norm["linear"][5].mean()).float().mean(), below=0.05)
    claim("Squared length of codes from the prior: standard deviation over mean, less √(2/d)",
          squares.std() / squares.mean() - 0.1**0.5, near=0, within=0.03)

# %% [markdown]
# **Spherical interpolation** (slerp) goes round; between codes of one length, on a circle and at an even speed. With
# $\omega$ the angle between them,
#
# $$z(\alpha) = \frac{\sin((1 - \alpha)\,\omega)}{\sin\omega}\,z_1 + \frac{\sin(\alpha\,\omega)}{\sin\omega}\,z_2 .$$
#
# Halfway both weights are $\sin(\omega/2) / \sin\omega = 1 / (2\cos(\omega/2))$, since
# $\sin\omega = 2 \sin(\omega/2) \cos(\omega/2)$. So the spherical middle is the linear one, stretched by
# $1/\cos(\omega/2)$: whatever the two pictures differ in there, length alone explains it.
#
# Does a short code make a less digit-like picture? We count those that the classifier is sure of, and measure the
# distance to the nearest training image, halfway between the codes of two different digits.

# %%
one = torch.randint(10_000, (1500,), generator=seeded(1))
other = torch.randint(10_000, (1500,), generator=seeded(2))
one, other = (index[y_test[one] != y_test[other]][:1000] for index in (one, other))
library_of_digits = train[:10_000].images.flatten(1).numpy()             # greys from 0 to 255

def sure(x):
    """1 for an image for which the classifier gives one digit more than 0.9, else 0."""
    return (classifier.log_posterior(x).exp().amax(dim=1) > 0.9).float()

def distance(x):
    """Distance of each image to the nearest of 10,000 training images."""
    return nearest_neighbours(255 * x.numpy(), library_of_digits)[0] / 255

# %%
half = torch.tensor([0.5])
z_one, z_other = z_test[one], z_test[other]
z_linear, z_round = linear_path(z_one, z_other, half)[0], spherical_path(z_one, z_other, half)[0]
middle = {"pixels": (x_test[one] + x_test[other]) / 2,
          "linear": decode(z_linear), "spherical": decode(z_round)}
is_sure, far = ({name: score(x) for name, x in middle.items()} for score in (sure, distance))
longer = decode(2 * z_linear)                                                # past the sphere

# %%
with claim_table():
    claim("Halfway, cosine of the angle between the linear and the spherical code",
          torch.cosine_similarity(z_linear, z_round), near=1, within=1e-4, exact=True)
    claim("Share that the classifier is sure of: rebuilt images", sure(decode(z_one)), above=0.93)
    claim("Share that the classifier is sure of: linear middles", is_sure["linear"], near=0.72, within=0.08)
    claim("Share that the classifier is sure of: spherical less linear middles, same pairs",
          is_sure["spherical"] - is_sure["linear"], above=-0.03, below=0.15)
    claim("Share that the classifier is sure of: linear middles made twice as long less spherical middles",
          sure(longer) - is_sure["spherical"], near=0, within=0.08)
    claim("Distance to training images: spherical less linear middles, relative to linear",
          (far["spherical"] - far["linear"]) / far["linear"].mean(), near=0, within=0.05)
    claim("Distance to training images: linear middles made twice as long less linear middles, relative to these",
          (distance(longer) - far["linear"]) / far["linear"].mean(), above=0.03)

# %% [markdown]
# The classifier is sure of no fewer spherical middles, perhaps of a few more. Are these more like digits? They are no
# nearer to the data, and of codes longer still it is sure as often. If anything, length makes a picture *decided*, not
# real. The
# decoder was trained on noisy codes, which may be why it forgives short ones. In models whose generator saw *only* codes
# near the sphere, a GAN for instance, it is said to matter more: White (2016).

# %% [markdown]
# ## Pixels or codes?
# Why not mix the pictures themselves? Half of one picture plus half of another is two pale digits on one sheet.

# %%
row = slice(0, 10)
show(images(torch.cat([x_test[one][row], *(x[row] for x in middle.values()), x_test[other][row]]).view(-1, 28, 28),
            row_labels=["one", *middle, "other"], title="Halfway between two digits, in pixels and in codes"),
     alt="Five rows of ten pictures: one digit; the pixel mixture, two overlaid grey digits; the linear and the "
         "spherical middle; the other digit")
with claim_table():
    claim("Share that the classifier is sure of: pixel mixtures", is_sure["pixels"], below=0.55)
    claim("Share that the classifier is sure of: linear middles of codes less pixel mixtures",
          is_sure["linear"] - is_sure["pixels"], above=0.15)
    claim("Distance to training images: pixel mixtures less linear middles of codes, relative to these",
          (far["pixels"] - far["linear"]) / far["linear"].mean(), above=0.08)

# %% [markdown]
# ## Attribute vectors
# Not only classes have directions. Slant and thickness can be computed from any picture. Slant: fit a line to the ink;
# by how many columns does it move to the right for each row up? Thickness: twice the ink over the length of its edge,
# as for a long stroke. Sort the training images into an upper and a lower half, and subtract the mean codes: an
# **attribute vector**. But a class that is thick or leans more than others would pull the vector towards itself: 1s lean.
# So we take halves *within* each class, a *balanced* vector as in White (2016), and average.

# %%
few = train[:20_000]
z_few = z_train[:20_000]
measured = {m.__name__: torch.tensor(m(few.images.numpy())) for m in (slant, thickness)}
plain = {name: z_few[m > m.median()].mean(dim=0) - z_few[m <= m.median()].mean(dim=0) for name, m in measured.items()}
way = {name: attribute_vector(z_few, m, few.labels) for name, m in measured.items()}

sample = z_test[:10]
rows = [decode(sample + step * way[name]) for name in way for step in (-1.5, 0, 1.5)]
show(images(torch.cat(rows).view(-1, 28, 28), row_labels=["left", "rebuilt", "right", "thin", "rebuilt", "thick"],
            title="Ten digits, leaned and thickened"),
     alt="Six rows of ten digits: leaning left, as they are, leaning right, thin, as they are, thick")

# %%
z_some = z_test[:2000]
before = decode(z_some)

def effect(vector, step):
    """Change of slant and of thickness of each digit, and 1 for one that the classifier names as before, else 0."""
    after = decode(z_some + step * vector)
    x, x_before = after.view(-1, 28, 28).numpy(), before.view(-1, 28, 28).numpy()
    change = [m(x) - m(x_before) for m in (slant, thickness)]
    return *change, (classifier.predict(after) == classifier.predict(before)).float()

leaned, thickened = effect(way["slant"], 1), effect(way["thickness"], 1)
with claim_table():
    claim("Change of slant by one step of the slant vector, columns per row", leaned[0], above=0.3)
    claim("Change of slant by one step of the thickness vector, columns per row", thickened[0], near=0, within=0.06)
    claim("Change of thickness by one step of the thickness vector, pixels", thickened[1], above=0.7)
    claim("Share of digits that keep their name after one step of the slant vector", leaned[2], above=0.85)
    claim("Share that keep their name: two steps to the left less one step",
          effect(way["slant"], -2)[2] - effect(way["slant"], -1)[2], below=-0.2)
    for step in (-2, 2):
        kept = effect(way["slant"], step)[2] - effect(plain["slant"], step)[2]
        claim(f"Share that keep their name at {step:+d} steps: balanced less plain slant vector", kept, above=0)

# %% [markdown]
# ## Your own digit
# Draw a digit. It is scaled and centred as MNIST's digits were, encoded, edited, and decoded. With the keyboard: press
# *Load an example*, or draw with the arrow keys.

# %%
def edit(drawing, lean=0.0, thicken=0.0, a=6, b=0, alpha=0.0):
    x = torch.tensor(drawing)
    x = like_mnist(x).view(1, 784) if (x > 0.1).any() else torch.zeros(1, 784)
    z = encode(x)
    edited = decode(z + lean * way["slant"] + thicken * way["thickness"] + alpha * (centroid[b] - centroid[a]))
    shown = torch.cat([x, decode(z), edited]).view(3, 28, 28)
    return {"image": shown.numpy(), "p": p_logistic(edited)[0].numpy()}

pad = SketchPad(x_test.view(-1, 28, 28)[[4, 1, 0, 3]], label="Draw a digit")
EDITED = [ImageGrid("image", columns=3, title="in MNIST's form · rebuilt · edited"),
          Bars("p", title="logistic regression", xlabel="digit", ylabel="p(digit | edited)", ylim=(0, 1))]
explore_canvas(edit, EDITED, drawing=pad, lean=(-2.0, 2.0, 0.1), thicken=(-2.0, 2.0, 0.1), a=(0, 9, 1), b=(0, 9, 1),
               alpha=(-2.0, 2.0, 0.1), labels={"a": "from a", "b": "to b", "alpha": "α"},
               alt="A drawn digit, its reconstruction and its edited version, with probabilities of the ten digits")

# %% [markdown]
# ## Break it: out of distribution
# Nothing stops us at $\alpha = 1$. Move test images along the vector from their own class to another, and on, until they
# are **out of distribution** (unlike all data). Which of two scores tells us: how sure the classifier is, or how far the
# picture is from the nearest training image?

# %%
source, target = y_test[one][:500], y_test[other][:500]
vectors = centroid[target] - centroid[source]
reach = torch.tensor([-3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
far_out = [decode(z_one[:500] + r * vectors) for r in reach]
scores = torch.tensor([[sure(x).mean(), distance(x).mean()] for x in far_out])
gone = {"share that the classifier is sure of": scores[:, 0],
        "distance to training images, 1 at α = 0": scores[:, 1] / scores[2, 1]}

show(curves(reach, gone, title="The classifier stays sure while the pictures leave the data", xlabel="α",
            ylabel="share, or ratio", baseline=(is_sure["pixels"].mean(), "sure of pixel mixtures")),
     alt=f"Against alpha, the share of images that the classifier is sure of, {scores[2, 0]:.2f} at 0 and "
         f"{scores[-1, 0]:.2f} at 8, and the distance to the nearest training image, at 8 "
         f"{scores[-1, 1] / scores[2, 1]:.1f} times that at 0")
columns = [f"α = {r:g}".replace("-", "−") for r in reach]
show(images(torch.stack([x[:3] for x in far_out], dim=1).reshape(-1, 28, 28), columns=len(reach),
            labels=columns + [""] * 2 * len(reach), row_labels=[f"{source[i]} → {target[i]}" for i in range(3)],
            title="Three digits, moved too far"),
     alt="Three rows of pictures for alpha from minus 3 to 8, each of one digit on its way to another and past it")

# %%
z_far = z_one[:500] + 8 * vectors
back = decode(z_far * z_one[:500].norm(dim=1, keepdim=True) / z_far.norm(dim=1, keepdim=True))
with claim_table():
    claim("Share that the classifier is sure of, at α = 8", scores[-1, 0], above=0.8)
    claim("Distance to training images, at α = 8 over that at α = 0", scores[-1, 1] / scores[2, 1], above=1.5)
    claim("Distance to training images, codes of α = 8 shortened to their old length, over that at α = 0",
          distance(back) / scores[2, 1].item(), below=1.1)
    claim("Share of the shortened that the classifier reads as the digit that was asked for",
          (classifier.predict(back) == target).float(), above=0.75)

# %% [markdown]
# A classifier's sureness is no evidence that a picture is a digit: it was asked *which*, not *whether* (it is
# **overconfident** out of distribution). That is why this notebook asks for the distance, too. **Repair:** shorten the
# code to a usual length; that brings the picture back to the data.
#
# ## Going further
# ### How long codes are
# Short is not bad in itself: the centroids, all clean digits, are far shorter than an image's usual code. And the code
# that `encode` gives, the mean $m$ of $q(z \mid x)$, lacks the noise, so it is shorter than the prior's.

# %%
usual = z_test.norm(dim=1).mean()
_, log_var = vae.encode(x_test)
whole = (z_test**2 + log_var.exp()).mean()
with claim_table():
    claim("Length of the longest centroid over the usual length of an image's code", centroid.norm(dim=1).max() / usual,
          below=0.65)
    claim("Usual length of an image's code, its mean m, over √d", usual / 20**0.5, below=0.8)
    claim("With the noise of q(z | x) codes have the prior's length: mean of m² + s²", whole, near=1, within=0.05)

# %% [markdown]
# ### A plain autoencoder: gaps between the codes
# The plain autoencoder of notebook 04 rebuilds digits, too. But nothing was asked of the places *between* its codes.
# The same paths, the same two scores.

# %%
plain_ae, _ = load_pretrained("autoencoder_z20")
ae_one, ae_other = plain_ae.encode(x_test[one]), plain_ae.encode(x_test[other])
ae_middle = plain_ae.decode((ae_one + ae_other) / 2)
show(images(torch.cat([x_test[one][row], ae_middle[row], middle["linear"][row], x_test[other][row]]).view(-1, 28, 28),
            row_labels=["one", "autoencoder", "VAE", "other"], title="Halfway: what lies between the codes"),
     alt="Four rows of ten pictures: one digit; the autoencoder's middle; the VAE's middle; the other digit")
# %%
ae_codes = torch.cat([plain_ae.encode(part.flat()) for part in train.split(5_000)])
ae_centroid = class_centroids(ae_codes, train.labels)

def rising(a, b):
    """Whether p_b − p_a rises at every step from the autoencoder's centroid a to its centroid b."""
    p = p_logistic(plain_ae.decode(linear_path(ae_centroid[a], ae_centroid[b], alpha)))
    return bool(((p[:, b] - p[:, a]).diff() > 0).all())

with claim_table():
    claim("Share that the classifier is sure of: images rebuilt by the autoencoder", sure(plain_ae.decode(ae_one)),
          above=0.92)
    claim("Share that the classifier is sure of: the VAE's linear middles less the autoencoder's",
          is_sure["linear"] - sure(ae_middle), above=0.05)
    claim("Distance to training images: the autoencoder's middles less the VAE's, relative to these",
          (distance(ae_middle) - far["linear"]) / far["linear"].mean(), above=0.03)
    claim("Autoencoder: pairs, of 45, on which p_b − p_a rises at every step", sum(rising(a, b) for a, b in pairs),
          below=42.5)

# %% [markdown]
# **Repair:** the noise in the codes and the KL term, which fill the space between them. Our two models differ in their
# pixel loss and in their length of training, too; notebook 04 turns noise and KL alone.
#
# ### Shortest paths
# Neither linear nor spherical paths ask what the decoder does. A small step $dz$ moves the picture by $J\,dz$, with $J$
# the decoder's
# **Jacobian**, so by the length $\sqrt{dz^\top J^\top J\,dz}$: this is the decoder's **pull-back metric** $J^\top J$. A
# **geodesic** is the shortest path as measured in pictures (Arvanitidis et al.). We look for it among
#
# $$z(\alpha) = (1 - \alpha)\,z_1 + \alpha\,z_2 + \sum_j \sin(\pi j \alpha)\,u_j ,$$
#
# which runs from $z_1$ to $z_2$ whatever the bends $u_j$ are: cut it into pieces, and go down the **energy**, their number
# times the sum of their squared lengths, by gradients. It is at least the length squared, and equal where the speed is
# even. First a decoder whose geodesics are known: longitude and latitude to the place on a globe.

# %%
def globe(z):
    """Places on a sphere of radius 1, `[n, 3]`, of longitude and latitude in radians, `[n, 2]`."""
    longitude, latitude = z.unbind(dim=-1)
    across = latitude.cos()
    return torch.stack([across * longitude.cos(), across * longitude.sin(), latitude.sin()], dim=-1)

there = torch.linspace(0, 1, 33)
west, east = torch.tensor([[0.0, 60.0], [120.0, 60.0]]).deg2rad()[:, None]
bends = geodesic_bends(globe, west, east, terms=6, pieces=32, steps=200)
flight, parallel = (globe(path) for path in (curved_path(west, east, there, bends), linear_path(west, east, there)))
stretch = pullback_metric(globe, west)[0].diagonal()                        # across, and northwards
with claim_table():
    claim("The metric at 60° north: a step eastwards counts as its square times", stretch[0], near=0.25, within=1e-5,
          exact=True)
    claim("From 0° to 120° east at 60° north, straight in the codes: the way on the globe", path_length(parallel),
          near=torch.pi / 3, within=1e-3, exact=True)
    claim("The geodesic that was found, less the great circle, arccos 5/8", path_length(flight) - acos(5 / 8), near=0,
          within=1e-3, exact=True)

# %% [markdown]
# So aeroplanes fly over the north. Now the digits: the same eighty pairs for each kind of path.

# %%
predict("08.geodesic", "The shortest path in pictures or the straight one in codes: on which is the classifier in "
        "doubt for a larger part of the way?", options=["on the shortest", "on the straight one", "alike"])

# %%
few_one, few_other = z_one[:80], z_other[:80]
bends = geodesic_bends(decode, few_one, few_other, pieces=12, steps=30)
ways = {"straight": linear_path(few_one, few_other, there), "spherical": spherical_path(few_one, few_other, there),
        "geodesic": curved_path(few_one, few_other, there, bends)}              # (33, 80, 20) each

def seen_on(path):
    """Pictures of codes on several paths, (steps, n, 784)."""
    return decode(path.flatten(0, 1)).unflatten(0, path.shape[:2])

def judged(path):
    """Of each path: its length in pictures, and the share of that length on which the classifier is in doubt."""
    x = seen_on(path)
    pieces, in_doubt = x.diff(dim=0).norm(dim=2), 1 - sure(x.flatten(0, 1)).view(path.shape[:2])
    return path_length(x), (pieces * (in_doubt[1:] + in_doubt[:-1]) / 2).sum(dim=0) / pieces.sum(dim=0)

length, in_doubt = ({name: each[k] for name, each in {n: judged(path) for n, path in ways.items()}.items()}
                    for k in (0, 1))
shown = (length["geodesic"] / length["straight"]).argmin()
show(images(torch.cat([decode(path[::4, shown]) for path in ways.values()]).view(-1, 28, 28), row_labels=list(ways),
            columns=9, title="The pair of digits whose path the geodesic shortens most"),
     alt="Three rows of nine pictures from one digit to another: straight and spherical in codes, and the geodesic. "
         "Mean length of the paths in pictures: "
         + ", ".join(f"{name} {each.mean():.1f}" for name, each in length.items()))

# %%
reveal("08.geodesic", in_doubt["geodesic"] - in_doubt["straight"], lambda more: (
    "on the shortest" if more.mean() > 2 * more.std() / len(more) ** 0.5 else
    "on the straight one" if more.mean() < -2 * more.std() / len(more) ** 0.5 else "alike"))
round_again = ways["geodesic"] * (ways["spherical"].norm(dim=2) / ways["geodesic"].norm(dim=2)).unsqueeze(2)
x_ends, x_halfway = ({name: seen_on(path[k]) for name, path in ways.items()} for k in ([0, -1], [16]))
mixed = x_ends["straight"].mean(dim=0)                                      # of the pixels of both ends
from_mixture = {name: (x[0] - mixed).norm(dim=1) for name, x in x_halfway.items()}
with claim_table():
    claim("Length in pictures: the geodesic's over that of the straight path", length["geodesic"] / length["straight"],
          below=0.93)
    claim("Length in pictures: the spherical path's over that of the straight path",
          length["spherical"] / length["straight"], above=1.03)
    claim("Length in pictures: the geodesic's over the distance of its two ends",
          length["geodesic"] / (x_ends["straight"][1] - x_ends["straight"][0]).norm(dim=1), above=1, exact=True)
    claim("Share of the way on which the classifier is in doubt: geodesic less straight",
          in_doubt["geodesic"] - in_doubt["straight"], above=0)
    claim("Halfway, distance from the pixel mixture of both ends: the geodesic's over the straight path's",
          from_mixture["geodesic"] / from_mixture["straight"], below=0.93)
    claim("Halfway, length of the code: the geodesic's over the straight path's",
          ways["geodesic"][16].norm(dim=1) / ways["straight"][16].norm(dim=1), above=1.5)
    claim("Share in doubt: the geodesic's codes, brought to the length of the spherical path's, less straight",
          judged(round_again)[1] - in_doubt["straight"], above=0)

# %% [markdown]
# Shorter, and *more* in doubt. No path can be shorter than the distance of its ends, which is the way of the pixel
# mixtures; so what is short comes near them, two pale digits on one sheet. Halfway its codes are also much longer than
# the straight path's; but shortened, they still leave more doubt. This metric measures how far the mean picture
# moves, and nothing else. Arvanitidis et al. add how much the decoder's standard deviation changes, and let that grow
# away from the training codes, so that ways through places without data become long.
#
# ## Your turn
# **1.** Average the codes of each class.

# %% tags=["exercise"]
def centroids(z, y, K):
    """Mean code of each class, shape (K, d), from codes z, shape (n, d), and labels y in 0 … K−1, shape (n,)."""
    ### BEGIN SOLUTION
    return torch.stack([z[y == k].mean(dim=0) for k in range(K)])
    ### END SOLUTION

# %%
check("08.centroids", centroids)

# %% [markdown]
# **2.** Move codes of images along the vector from class `a` to class `b`. Mind the sign, and that each image keeps
# what is its own.

# %% tags=["exercise"]
def moved_along(z, c, a, b, alpha):
    """Codes z, shape (n, d), moved alpha times the vector from a to b; c holds the centroids, shape (K, d)."""
    ### BEGIN SOLUTION
    return z + alpha * (c[b] - c[a])
    ### END SOLUTION

# %%
check("08.moved_along", moved_along)

# %% [markdown]
# **3.** Spherical interpolation. The angle comes from $\cos\omega = \frac{z_1 \cdot z_2}{\|z_1\|\,\|z_2\|}$.

# %% tags=["exercise"]
def slerp(z1, z2, alpha):
    """Codes from z1 to z2, each of shape (d,), at the places alpha, shape (steps,): shape (steps, d)."""
    ### BEGIN SOLUTION
    omega = torch.acos(z1 @ z2 / (z1.norm() * z2.norm()))
    weight_1, weight_2 = (torch.sin(share * omega) / torch.sin(omega) for share in (1 - alpha, alpha))
    return weight_1[:, None] * z1 + weight_2[:, None] * z2
    ### END SOLUTION

# %%
check("08.slerp", slerp)

# %% [markdown]
# **4.** A balanced attribute vector: in each class, the mean code of those *above the class's median* less the mean
# code of the others; then the mean over classes.

# %% tags=["exercise"]
def balanced(z, attribute, y):
    """The way from little to much, shape (d,), from codes (n, d), values of the attribute (n,) and labels (n,)."""
    ### BEGIN SOLUTION
    ways = []
    for k in y.unique():
        codes, much = z[y == k], attribute[y == k] > attribute[y == k].median()
        ways.append(codes[much].mean(dim=0) - codes[~much].mean(dim=0))
    return torch.stack(ways).mean(dim=0)
    ### END SOLUTION

# %%
check("08.balanced", balanced)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(spherical_path)

# %%
show_source(attribute_vector)

# %% [markdown]
# ## What to keep
# - Linear interpolation between two centroids leads steadily from one digit to the other, here often through a third.
# - A class vector knows what tells *its* two classes apart, and nothing of a third.
# - Linear paths shorten codes, spherical ones do not. Whether that hurts is a matter of measurement, not of principle.
# - Out of distribution a classifier may still be sure of itself. Ask for the distance to the data, too.
#
# **Read on:**
#
# - D. Kingma, M. Welling, [*Auto-Encoding Variational Bayes*](https://arxiv.org/abs/1312.6114), ICLR (2014).
# - T. White, [*Sampling Generative Networks*](https://arxiv.org/abs/1609.04468), arXiv (2016).
# - A. B. L. Larsen et al., [*Autoencoding beyond Pixels using a Learned Similarity
#   Metric*](https://arxiv.org/abs/1512.09300), ICML (2016).
# - G. Arvanitidis, L. K. Hansen, S. Hauberg, [*Latent Space Oddity: on the Curvature of Deep Generative
#   Models*](https://arxiv.org/abs/1710.11379), ICLR (2018): geodesics.
# - H. Shao, A. Kumar, P. T. Fletcher, [*The Riemannian Geometry of Deep Generative
#   Models*](https://arxiv.org/abs/1711.08014), CVPR workshop (2018): the energy of a path in pieces.
# - K. Shoemake, [*Animating Rotation with Quaternion Curves*](https://doi.org/10.1145/325334.325242), SIGGRAPH (1985).
#
# **Next:** notebook 09, conditional GANs and InfoGAN: a code whose parts mean something from the start.
