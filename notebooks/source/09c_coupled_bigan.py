# %% [markdown]
# # 09c · Coupled GANs, BiGAN and image-to-image translation
#
# The DCGAN's discriminator sees one kind of thing, pictures. Give it two things, and the same game teaches more.
# **What can a generator learn about pairs: two pictures, a picture and its code, a picture and a coarse version of
# it?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | tie two generators together, give a GAN an encoder, sharpen coarse pictures, and say how far each of these games gets |
# | You need | notebook 06: the DCGAN; notebook 08: paths between codes |
# | Time | 80 seconds to run · seed 0 |

# %%
from itertools import pairwise, permutations

import torch
from torch.nn import ConvTranspose2d, Linear
from torch.nn.functional import interpolate, pixel_shuffle, softplus

from course_lib.chapters.nb09c.plots import paired_draws
from course_lib.comparisons.gan_family import family_table, on_the_ring, shipped
from course_lib.data import load_mnist
from course_lib.experiments.bigan import BiGANExperiment, BiGANHyperparameters
from course_lib.experiments.coupled import CoupledExperiment, CoupledHyperparameters
from course_lib.experiments.image_to_image import ImageToImageExperiment, ImageToImageHyperparameters, likeness
from course_lib.live import Bars, Curve, ImageGrid, LiveLab, explore_canvas
from course_lib.models.dcgan import noise
from course_lib.models.image_to_image import UNetGenerator
from course_lib.models.latent import spherical_path
from course_lib.models.logistic import SoftmaxRegression
from course_lib.plots import bars, framed, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import fastest_precision, load_pretrained, run

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

train, test = load_mnist("train"), load_mnist("test")
classifier, _ = load_pretrained("classifier")

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; *Going further* can be homework. Three games; in the last two the
# discriminator sees a pair. Ask who makes which half. The first prediction splits a class well. In the part on sharp
# pictures, let students choose by eye before they see the numbers: they prefer the picture with the larger error.
#
# - **Prepare.** A sheet for votes on sharp pictures, before the numbers are seen.
# - **09c.unshared.** about a half: the same z. What does z mean to each of two strangers?
# - **BiGAN: a picture and its code.** On the board: the two pairs that D sees. Ask which half each network makes.
# - **09c.rebuilt.** nearly always: E is called an encoder. What in the game asks for rebuilding?
# - **Super-resolution.** Ask what the mean of all sharp pictures looks like that fit the coarse one.
# - **09c.labels.** a code alone, as more abstract. Pixels with a code keep what the code lost.

# %% [markdown]
# ## Coupled GANs: two kinds of pictures, no pairs
# Half of our digits are black on white. The other half, *other pictures*, are white on black. Nobody tells which
# belongs to which. Can one $z$ make a pair, the same digit in both kinds? A **coupled GAN** (Liu and Tuzel) is two
# DCGANs, and one idea more: the first layers of both generators are the same ones. $G$'s first layers decide *what* is
# drawn, its last ones *how it looks*; only that should differ.
#
# We share by **blocks**: the dense layer, or a transposed convolution, and what follows it. $G$ has three.

# %%
unshared = CoupledExperiment(CoupledHyperparameters(shared=0), seed=0).G      # two DCGANs with nothing in common
first, second = (list(layers) for layers in unshared.tails)
starts = [i for i, layer in enumerate(first) if isinstance(layer, (Linear, ConvTranspose2d))] + [len(first)]
for begin, end in pairwise(starts):
    print("block:", ", ".join(type(layer).__name__ for layer in first[begin:end]))

# %%
def pair(z, shared):
    """Two batches of pictures from the same z; the first `shared` of three blocks are common to both."""
    for layer in first[:starts[shared]]:
        z = layer(z)
    pictures = []
    for tail in (first[starts[shared]:], second[starts[shared]:]):
        x = z
        for layer in tail:
            x = layer(x)
        pictures.append(x)
    return pictures

# %%
z = noise(4, seeded(1))
library = CoupledExperiment(CoupledHyperparameters(shared=1), seed=0).G
gap = max((ours - theirs).abs().max() for ours, theirs in zip(pair(z, 1), library(z), strict=True))
a, b = pair(z, 3)
with claim_table():
    claim("One block shared: largest difference from the library's pictures", gap, below=1e-5, exact=True)
    claim("All three blocks shared: largest difference of the two pictures", (a - b).abs().max(), near=0, within=1e-9,
          exact=True)

# %% [markdown]
# With all three shared the two pictures are one. So one or two blocks can be shared. $D$ shares the other way round:
# its first convolution sees how things look, all that comes after is common (and if $G$ shares nothing, $D$ shares
# nothing either). Each kind has its own real pictures; the losses are the DCGAN's, added. Nothing in them asks for
# pairs.
#
# Three such games came with the course, trained for minutes only.

# %%
predict("09c.unshared", "Share nothing; both get the same z. How often is it the same digit?", low=0, high=1)

# %%
names = {0: "coupled_0", 1: "coupled_1", 2: "coupled"}
coupled, cards = ({shared: load_pretrained(name)[i] for shared, name in names.items()} for i in range(2))
made = {shared: model.sample(2000, seeded()) for shared, model in coupled.items()}
rows = torch.cat([torch.cat([a[:10], b[:10]]) for a, b in made.values()])
show(framed(images(rows, row_labels=["0 shared", "", "1 shared", "", "2 shared", ""],
                   title="Pairs made from one z each, by how many blocks are shared")),
     alt="Three pairs of rows of ten pictures, black on white above and white on black below, one z a column; not all "
         "are clear digits. How often both pictures of a column show one digit is counted below")
for shared, card in cards.items():
    print(f"{shared} shared: {card.minutes:.0f} minutes of training, Fréchet distance {card.metrics['frechet']:.0f}, "
          f"of the inverted digits {card.metrics['frechet_inverted']:.0f}")

# %%
def agreement(first, inverted):
    """Which part of the pairs shows one digit: of all, and of those of whose pictures the classifier is sure."""
    p, q = (classifier.log_posterior(x).exp() for x in (first, 1 - inverted))
    same, sure = p.argmax(dim=1) == q.argmax(dim=1), torch.minimum(p.amax(dim=1), q.amax(dim=1)) > 0.9
    return torch.stack([same.float().mean(), same[sure].float().mean()])

agree = torch.stack([agreement(*pairs) for pairs in made.values()]).numpy()
show(bars([str(shared) for shared in made], {"all pairs": agree[:, 0],
                                               "where the classifier is sure of both": agree[:, 1]},
          title="How often a pair shows one digit, by shared blocks", xlabel="shared blocks of G, of three",
          ylabel="same digit in both pictures", baseline=(0.1, "by chance")),
     alt="Two bars for each number of shared blocks, all pairs and those of which the classifier is sure: " + "; ".join(
         f"{shared} shared {all_pairs:.2f} and {sure:.2f}" for shared, (all_pairs, sure) in enumerate(agree)))

# %%
reveal("09c.unshared", float(agree[0, 0]))
with claim_table():
    claim("Nothing shared: share of pairs that show the same digit", agree[0, 0], near=0.1, within=0.05)
    claim("One block shared less nothing shared: share of pairs that show the same digit", agree[1, 0] - agree[0, 0],
          above=0.7)
    claim("Two of three blocks shared: share of pairs that show the same digit", agree[2, 0], above=0.93)
    claim("One block shared: share, where the classifier is sure of both", agree[1, 1], above=0.98)
    claim("Two blocks shared: share, where the classifier is sure of both", agree[2, 1], above=0.98)

# %% [markdown]
# Where the classifier is sure of both pictures, hardly a pair differs, with one block shared as with two.
#
# How much of it was *learned*? With two blocks shared, one transposed convolution is left to each kind: from the same
# 14x14 maps it can hardly draw another digit. With one, both draw from the same 7x7 maps. How many weights are left to
# each?

# %%
weights = [sum(p.numel() for layer in first[a:b] for p in layer.parameters()) for a, b in pairwise(starts)]
claim("One block shared: part of a generator's weights that are its own", 1 - weights[0] / sum(weights), below=0.1)

# %% [markdown]
# Few. They could still turn a 3 into something else, and do not. How much of that is the layout of the maps, and how
# much is learned, we did not measure.
#
# Nothing shared is this idea's **failure lab**: two generators, not much worse than the coupled ones (see the distances
# above), and no pairs. The **repair** is the shared block. Go through the pairs.

# %%
ends = noise(12, seeded(4))

def wander(shared=2, start=0, alpha=0.0):
    z = spherical_path(ends[start:start + 1], ends[start + 1:start + 2], torch.tensor([alpha]))[0]
    with torch.no_grad():
        x = torch.cat([(kind[:, 0] + 1) / 2 for kind in coupled[shared](z)])
    seen = torch.stack([x[0], 1 - x[1]])
    return {"image": x.numpy(), **dict(zip(("p", "q"), classifier.log_posterior(seen).exp().numpy(), strict=True))}

explore_canvas(wander, [ImageGrid("image", columns=2, title="one z, two pictures"),
                        Bars("p", "q", labels={"p": "black on white", "q": "white on black"}, title="the classifier",
                             xlabel="digit", ylabel="p(digit)", ylim=(0, 1))],
               shared=(0, 2, 1), start=(0, 10, 1), alpha=(0.0, 1.0, 0.05),
               labels={"alpha": "α", "shared": "shared blocks"},
               alt="A digit and its inverted partner, and the classifier's probabilities for both")

# %% [markdown]
# **Live.** Set the shared blocks to 0 and press **Start**: the bar begins near one, for grey noise is
# classed alike, and *falls* as strokes appear, some seconds later. Reset, set 1, start: they appear as pairs. Digits
# take half a minute or more.

# %%
lab = LiveLab(
    CoupledExperiment(CoupledHyperparameters(precision=fastest_precision()), seed=0),
    views=[
        ImageGrid("samples", columns=10, wide=True, title="Above and below: one z"),
        Bars("same", names=["pairs"], title="Same digit in both", xlabel="", ylabel="part of 500 pairs", ylim=(0, 1)),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"}, ylabel="nats, both kinds",
              title="The losses of the two players"),
    ],
    knobs=["shared", "learning_rate_d", "learning_rate_g"],
    headless_steps=200,
)
lab

# %% [markdown]
# ## BiGAN: a picture and its code
# A GAN has no encoder: notebook 06 had to *search* for the $z$ of a picture. The **BiGAN** (Donahue et al., and
# Dumoulin et al.) lets an **encoder** $E$ play along. $D$ sees pairs: real pictures come as $(x, E(x))$, made ones as
# $(G(z), z)$. $G$ and $E$ play together against it.
#
# Why should that teach $E$ anything? Call the two distributions of pairs $p_E(x, z)$ and $p_G(x, z)$.
#
# 1. For fixed $G$ and $E$ the best $D$ has the loss $2 \log 2 - 2\,\mathrm{JS}(p_E, p_G)$: notebook 05's sum, with pairs
#    for numbers. In the minimax game $G$ and $E$ make that large, so JS small; it is 0 only if $p_E = p_G$.
# 2. All pairs of $p_E$ lie on the graph of $E$: they are $(x, E(x))$.
# 3. If $p_E = p_G$, then the pairs $(G(z), z)$ lie there, too: $z = E(G(z))$. **$E$ inverts $G$**, though nobody said
#    so.
# 4. And the real pairs lie on the graph of $G$: $x = G(E(x))$. So real pictures can be drawn again.
#
# Small: four pictures, four codes, all equally frequent, $G$ fixed. Pairs can be alike only if $E$ uses each code
# once; try all such. None errs just once: the least mistake exchanges two codes, in half of all pairs.

# %%
def js_of_pairs(E, G):
    """JS in nats of the pairs (x, E(x)) and (G(z), z), uniform. E[i]: code of picture i; G[i]: picture of code i."""
    n = len(G)
    p_E, p_G = torch.zeros(2, n, n, dtype=torch.float64)
    for i in range(n):
        p_E[i, E[i]] += 1 / n
        p_G[G[i], i] += 1 / n
    middle = (p_E + p_G) / 2
    return sum((torch.special.xlogy(p, p) - torch.special.xlogy(p, middle)).sum() for p in (p_E, p_G)).item() / 2

G_table = (2, 0, 3, 1)
found = {E: js_of_pairs(E, G_table) for E in permutations(range(4))}
best = min(found, key=found.get)
with claim_table():
    claim(f"The best of {len(found)} encoders: JS of the pairs", found[best], near=0, within=1e-9, exact=True)
    claim("The best encoder inverts G: codes that it takes back, of 4",
          sum(best[G_table[i]] == i for i in range(4)), near=4, within=0.1, exact=True)
    claim("The second best encoder: JS as a share of log 2", sorted(found.values())[1] / torch.tensor(2.0).log(),
          near=0.5, within=0.01, exact=True)

# %% [markdown]
# ## The losses, written out
# As in notebook 06 we play the non-saturating game, for which the argument above does not hold step by step: $G$ and
# $E$ together want both answers of $D$ turned round. `regression` is an addition that we need soon.

# %%
def losses(G, E, D, x, z):
    """Losses of D, of G and E together, and half the squared distance of z and E(G(z)); in nats."""
    made = G(z)
    a_real, a_made = D(torch.cat([x, made]), torch.cat([E(x), z])).chunk(2)      # pairs (x, E(x)), then (G(z), z)
    loss_d = (softplus(-a_real) + softplus(a_made)).mean()
    loss_ge = (softplus(a_real) + softplus(-a_made)).mean()
    regression = ((E(made.detach()) - z) ** 2).sum(dim=1).mean() / 2             # a lesson for E alone
    return loss_d, loss_ge, regression

# %% [markdown]
# In a step $D$ learns first; then $G$ and $E$ ask the *new* $D$. Of two equal games, one takes the library's step; the
# other keeps $G$ and $E$ as they were.

# %%
game, twin = (BiGANExperiment(BiGANHyperparameters(regression=1.0), seed=0) for _ in range(2))
for player in (game, twin):
    for _ in run(player, steps=10, progress=False):
        pass
z = twin.noise_batch()
x, _ = twin.real_batch()
G, E = twin.players.G, twin.players.E
loss_d, by_old_D, regression = losses(G, E, twin.D, x, z)
metrics = game.step()
loss_ge = losses(G, E, game.D.eval(), x, z)[1]         # eval: its spectral norms stay as they were in the step
with claim_table():
    claim("D's loss is the library's: difference", (loss_d - metrics["loss_d"]).abs(), below=1e-4, exact=True)
    claim("The loss of G and E, by the D that has just learned, is the library's: difference",
          (loss_ge - metrics["loss_ge"]).abs(), below=1e-4, exact=True)
    claim("The regression is the library's: difference", (regression - metrics["regression"]).abs(), below=1e-4,
          exact=True)
    claim("The loss of G and E by the old D: difference from that by the new one",
          (by_old_D - metrics["loss_ge"]).abs(), above=0.005)

# %% [markdown]
# ## Break it: D sees only x
# Forget $z$ in $D$, and it is the DCGAN's $D$. How does $E$ learn then? Its gradient must pass through the $z$ that $D$
# looks at.

# %%
def gradient_of_E(judged):
    game = BiGANExperiment(BiGANHyperparameters(judged=judged), seed=0)
    return next(run(game, steps=1, progress=False))["gradient_e"]

with claim_table():
    claim("D sees pairs: size of E's gradient", gradient_of_E("pairs"), above=0.01)
    claim("D sees the picture alone: size of E's gradient", gradient_of_E("images alone"), near=0, within=1e-9,
          exact=True)

# %% [markdown]
# **Repair:** show $D$ the pair.
#
# ## Does E invert G?
# Two BiGANs, trained for some minutes. The first plays the game as it is. To the second we added **latent
# regression**: $G$ made the picture from $z$, so $z$ is known, and $E$ can be asked for it. (But for a constant it is
# InfoGAN's loss for a code, by a Gaussian of variance one, with $z$ as code; there $G$ learns, too.)

# %%
predict("09c.rebuilt", "Test digits, encoded and drawn again by the plain BiGAN: how often the same digit?",
        low=0, high=1)

# %%
plain, hinted = (load_pretrained(name)[0] for name in ("bigan_plain", "bigan"))
vae, _ = load_pretrained("vae_z20")
x_test, y_test = test[:2000].flat(), test.labels[:2000]

def in_parts(f, x):
    """f(x) for a batch of any length, 250 at a time: all at once would take much memory."""
    return torch.cat([f(part) for part in x.split(250)])

encoders = {"BiGAN": plain.encode, "BiGAN, regression": hinted.encode, "VAE": lambda x: vae.encode(x)[0]}
decoders = {"BiGAN": plain.decode, "BiGAN, regression": hinted.decode, "VAE": vae.decode}
rebuilt = {name: in_parts(lambda x, name=name: decoders[name](encoders[name](x)), x_test) for name in encoders}
show(images(torch.cat([x_test[:10], *(x[:10] for x in rebuilt.values())]).view(-1, 28, 28),
            row_labels=["seen", *rebuilt], title="Encoded and drawn again: no loss of the BiGANs compared pixels"),
     alt="Four rows of ten: test digits; and what the plain BiGAN, the BiGAN with regression and the VAE make of their "
         "codes")

# %%
same = {name: (classifier.predict(x) == classifier.predict(x_test)).float().mean() for name, x in rebuilt.items()}
reveal("09c.rebuilt", same["BiGAN"].item())
with claim_table():
    claim("Plain BiGAN: share of rebuilt digits that are the same digit", same["BiGAN"], above=0.8)
    claim("With latent regression: share of rebuilt digits that are the same digit", same["BiGAN, regression"],
          above=0.85)
    claim("VAE: share of rebuilt digits that are the same digit", same["VAE"], above=0.95)

# %% [markdown]
# Mostly the *digit* comes back, from the VAE in nearly all cases. And the pixels? For scale: another real digit of the same
# class, and the mean of all digits.

# %%
another = torch.empty_like(x_test)
for k in range(10):
    another[y_test == k] = x_test[y_test == k].roll(1, dims=0)
answers = {"another of its class": another, "the mean digit": train[:10_000].flat().mean(dim=0), **rebuilt}
error = {name: ((x - x_test) ** 2).sum(dim=1).mean() for name, x in answers.items()}
print("squared error:", ", ".join(f"{name} {value:.0f}" for name, value in error.items()))
with claim_table():
    claim("Squared error of the plain BiGAN over that of the mean digit", error["BiGAN"] / error["the mean digit"],
          below=0.75)
    claim("Squared error with regression over that of the plain BiGAN", error["BiGAN, regression"] / error["BiGAN"],
          below=0.8)
    claim("Squared error with regression over that of the VAE", error["BiGAN, regression"] / error["VAE"], above=3)

# %% [markdown]
# Part of the pixels comes back, much less than from the VAE, which is trained for that. Now the question
# itself: is $E(G(z)) = z$?

# %%
z, back = noise(1000, seeded(2), 20), {}
for name, model in (("plain", plain), ("with regression", hinted)):
    again = in_parts(lambda z, model=model: model.encode(model.decode(z)), z)
    back[name] = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(z.T, again.T, strict=True)])
with claim_table():
    for name, values in back.items():
        claim(f"BiGAN, {name}: correlation of z and E(G(z)), each of the 20 numbers", values, above=0.4,
              below=0.95)
    claim("Correlation with regression less that of the plain BiGAN, each of the 20 numbers",
          back["with regression"] - back["plain"], above=0.1)

# %% [markdown]
# No. $E$ inverts $G$ in part, with latent regression more so. Regression sees made pictures only, yet real digits came
# back
# better, too, in this one training of each.
#
# ## Interpolation between real digits
# In notebook 06 a path led from noise to noise. With $E$ the ends are real digits, or nearly: at $\alpha = 0$ the
# middle picture is $G(E(x))$ and not $x$.

# %%
ten = torch.stack([x_test[y_test == k][1] for k in range(10)])
codes = hinted.encode(ten)

def between(one=3, other=8, alpha=0.5):
    z = spherical_path(codes[one:one + 1], codes[other:other + 1], torch.tensor([alpha]))[0]
    x = torch.cat([ten[one:one + 1], hinted.decode(z), ten[other:other + 1]])
    return {"image": x.view(3, 28, 28).numpy(), "p": classifier.log_posterior(x[1:2]).exp()[0].numpy()}

explore_canvas(between, [ImageGrid("image", columns=3, title="one digit · on the way · the other"),
                         Bars("p", title="the classifier", xlabel="digit", ylabel="p(digit | on the way)",
                              ylim=(0, 1))],
               one=(0, 9, 1), other=(0, 9, 1), alpha=(0.0, 1.0, 0.05), labels={"alpha": "α"},
               alt="Two test digits and the picture on the way between their codes, with the classifier's "
                   "probabilities")

# %%
one, other = x_test[:1000], x_test[1000:]
from_to = [in_parts(hinted.encode, x) for x in (one, other)]
middle = in_parts(hinted.decode, spherical_path(*from_to, torch.tensor([0.5]))[0])
looked = {"real": one, "rebuilt": rebuilt["BiGAN, regression"][:1000], "made from noise": in_parts(hinted.decode, z),
          "middle of a path": middle, "mean of two pictures": (one + other) / 2}
p = {name: classifier.log_posterior(x).exp() for name, x in looked.items()}
doubt = {name: (q.amax(dim=1) < 0.9).float().mean() for name, q in p.items()}
print("the classifier is in doubt:", ", ".join(f"{name} {share:.2f}" for name, share in doubt.items()))
unsure = [(p[name].amax(dim=1) < 0.9).float() for name in ("middle of a path", "mean of two pictures")]
named = p["middle of a path"].argmax(dim=1)
sure = (p["middle of a path"].amax(dim=1) > 0.9) & (y_test[:1000] != y_test[1000:])
third = (named != y_test[:1000]) & (named != y_test[1000:])
with claim_table():
    claim("Classifier in doubt: middle of a path less mean of the two pictures, pair by pair", unsure[0] - unsure[1],
          below=-0.1)
    claim("Classifier sure of the middle between two digits: it names a third digit, pair by pair", third[sure].float(),
          above=0.2)

# %% [markdown]
# The classifier doubts the middle of a path less than the mean of the two pictures. But often it is sure of a third
# digit.
#
# **Nearest neighbours in latent space.** Does $E$ put like to like? For each test digit we look for the nearest of ten thousand
# training digits: by pixels, and by codes.

# %%
known, labels = train[:10_000].flat(), train.labels[:10_000]
seen = {"pixels": [known, x_test]}
seen |= {name: [in_parts(encode, x) for x in (known, x_test)] for name, encode in encoders.items()}
nearest = {name: torch.cat([torch.cdist(part, a).argmin(dim=1) for part in b.split(500)])
           for name, (a, b) in seen.items()}
show(images(torch.cat([x_test[10:20], *(known[i[10:20]] for i in nearest.values())]).view(-1, 28, 28),
            row_labels=["seen", *nearest], title="The nearest of 10,000 training digits, by pixels and by codes"),
     alt="Ten test digits, and below each its nearest training digit by pixels, by codes of the BiGANs and of the VAE")

# %%
right = {name: (labels[i] == y_test).float() for name, i in nearest.items()}              # for each test digit, 0 or 1
print("nearest neighbour is of the same class:", ", ".join(f"{name} {r.mean():.3f}" for name, r in right.items()))
with claim_table():
    claim("Nearest by codes of the plain BiGAN: of the same class, digit by digit", right["BiGAN"], above=0.85)
    claim("The same by codes with regression, less by the plain BiGAN's", right["BiGAN, regression"] - right["BiGAN"],
          near=0, within=0.03)
    claim("The same by codes of the plain BiGAN, less by pixels", right["BiGAN"] - right["pixels"], below=0)

# %% [markdown]
# Yes: about nine of ten are of the same class. But pixels do that, too, and better.
#
# ## Super-resolution
# **Super-resolution** makes a picture sharper than it was: from 7x7 pixels, each a mean of 4x4, back to 28x28. $G$ gets the coarse picture and a little
# noise; $D$ sees pairs again, of the coarse picture and the fine one. Without $D$, with squared error alone, the best
# answer is the *mean* of all digits with this coarse picture: blur. No *real* picture is blurred, so to $D$ blur gives
# a made one away.

# %%
def sharpener(adversarial, given="coarse", steps=300):
    """Image-to-image translation, trained by squared error and, with this weight, by D's output."""
    h = ImageToImageHyperparameters(given=given, adversarial=adversarial, total_steps=steps,
                                  precision=fastest_precision())
    game = ImageToImageExperiment(h, seed=0)
    for _ in run(game, steps=steps, progress=False):
        pass
    return game

by_error, by_both = sharpener(0.0), sharpener(0.2)
few = test[:1000]
coarse, blurred = by_error.translated(few.floats())
sharp = by_both.translated(few.floats())[1]
bicubic = interpolate(coarse[:, None, ::4, ::4], scale_factor=4, mode="bicubic")[:, 0].clamp(0, 1)
results = {"bicubic": bicubic, "squared error": blurred, "with D": sharp}

# %%
show(images(torch.cat([coarse[:10], *(x[:10] for x in results.values()), few.floats()[:10]]),
            row_labels=["given", *results, "truth"], title="From 49 numbers to 784: D sharpens"),
     alt="Five rows of ten digits: coarse blocks; smoothed by bicubic interpolation; guessed by squared error alone; "
         "guessed with D; and the true ones")

# %% [markdown]
# *Error*: mean squared error of a pixel in [0, 1]. *Sharpness*: variance of the Laplacian, as in 06b, as a share of the
# true pictures'. *Accuracy*: which part the classifier names right. *Disagreement*: the root mean squared difference
# between what was given and the result, made coarse again.

# %%
like = {name: likeness(x, few) for name, x in results.items()}
for name, r in like.items():
    print(f"{name + ':':15}" + ", ".join(f"{key} {value:.3f}" for key, value in r.items()))
right = {name: (classifier.predict(x) == few.labels).float() for name, x in results.items()}
by_picture = {name: ((x - few.floats()) ** 2).mean(dim=(1, 2)) for name, x in results.items()}
with claim_table():
    claim("Squared error alone less bicubic: error, picture by picture",
          by_picture["squared error"] - by_picture["bicubic"], below=-0.005)
    claim("Squared error alone: sharpness as a share of real pictures'", like["squared error"]["sharpness"], below=0.3)
    claim("With D: sharpness over that of squared error alone",
          like["with D"]["sharpness"] / like["squared error"]["sharpness"], above=1.7)
    claim("With D less squared error alone: error, picture by picture",
          by_picture["with D"] - by_picture["squared error"], above=0)
    claim("Named right: squared error alone less bicubic, picture by picture",
          right["squared error"] - right["bicubic"], above=0)
    claim("Named right: with D less squared error alone, picture by picture", right["with D"] - right["squared error"],
          near=0, within=0.03)

# %% [markdown]
# The sharper picture has the *larger* error. $D$ adds detail that passes for real, not true detail (and sharpness would
# count dust, too): do not read a number plate off such a picture. The classifier names as many right as before, within
# three in a hundred.
#
# ## Going further
# ### Image-to-image translation: from outlines
# Give the same networks other pairs, **outlines** and digits (and $D$'s output less weight, and fewer steps), and they
# learn that: the idea of **pix2pix** (Isola et al.). Noise should make several answers to one question.

# %%
painter = sharpener(0.05, given="outline", steps=200)
outlines, painted = painter.translated(few.floats())
another = painter.translated(few.floats(), seed=1)[1]
show(images(torch.cat([outlines[:10], painted[:10], another[:10], few.floats()[:10]]),
            row_labels=["given", "one noise", "another", "truth"],
            title="Digits from outlines, painted twice with two noises"),
     alt="Four rows of ten: outlines of digits; two painted digits for each; and the true digits")
claim("Painted digits that the classifier names right, share", likeness(painted, few)["accuracy"], above=0.9)

# %% [markdown]
# How different are the two answers? By notebook 09 two perfect ones, drawn from $p(x \mid c)$ for the given picture
# $c$, have the squared distance $2\,\mathbb{E} \lVert x - m_c \rVert^2$ on average, with $m_c$ the mean of all $x$ that
# fit. For $m_c$ we take what squared error alone made of coarse pictures, and what was painted of outlines.

# %%
def apart(game, best):
    """For each question the squared distance of a game's two answers, and of two perfect ones if `best` is the mean."""
    one, other = (game.translated(few.floats(), seed=seed)[1] for seed in range(2))
    return ((one - other) ** 2).mean(dim=(1, 2)), 2 * ((best - few.floats()) ** 2).mean(dim=(1, 2))

with claim_table():
    for name, game, best in (("Coarse pictures, with D", by_both, blurred), ("Outlines", painter, painted)):
        ours, perfect = apart(game, best)
        claim(f"{name}: squared distance of two answers, as a share of that of perfect ones",
              ours.mean() / perfect.mean(), above=0.004, below=0.02)

# %% [markdown]
# About a hundredth. Our $m_c$ is an estimate: if half of its error were the network's own mistakes, the share would be
# two hundredths. The noise hardly moves what $G$ draws, even where there is much to choose. Isola et al. saw the same.
#
# And **without pairs**, say photographs and paintings? Train one network each way, $G$ and $F$, each with a $D$ of its
# kind, and ask that there and back again is where you began: $\lVert F(G(x)) - x \rVert$ small (**cycle consistency**,
# CycleGAN: Zhu et al.), like latent regression. It does not say *which* belongs to which: a pairing that is wrong, but
# the same both ways, costs nothing.

# %% [markdown]
# ### The family of GANs
# **Fréchet**: distance of ten thousand pictures from real ones (06b). **digits**: the exponential of the entropy of the
# digits that the classifier sees; ten, if all are equally frequent. **modes**, **near**: on the ring of 09b, how many of
# eight modes are covered, and which share of points is near one; means over its games. **seconds**: training, on one
# core. All are from the cards and the record; the course's tests recompute them.

# %%
family = [
    on_the_ring("vanilla, ring", "vanilla", "draws"),
    on_the_ring("WGAN-GP, ring", "WGAN-GP", "draws, and forgets less"),
    shipped("DCGAN", "dcgan", "draws"),
    shipped("conditional", "conditional", "draws what is asked for"),
    shipped("InfoGAN", "infogan", "draws, by a code that can be read back"),
    shipped("coupled", "coupled", "draws pairs that nobody paired"),
    shipped("BiGAN", "bigan_plain", "draws, encodes"),
    shipped("BiGAN, regression", "bigan", "draws, encodes, rebuilds better"),
]
print(family_table(family))

# %%
member = {m.name: m for m in family}
with claim_table():
    claim("Conditional GAN: Fréchet distance over the DCGAN's", member["conditional"].frechet / member["DCGAN"].frechet,
          below=0.8)
    for name in ("coupled", "BiGAN", "BiGAN, regression"):
        claim(f"{name[0].upper()}{name[1:]}: Fréchet distance over the DCGAN's",
              member[name].frechet / member["DCGAN"].frechet, above=2)
    claim("Effective number of digits, the least of all", min(m.digits for m in family if m.digits), above=9)

# %% [markdown]
# *Digits* is near ten even where pictures are far from real ones: how often says nothing of how well. Networks, sizes
# of $z$ and seconds differ, so the table ranks these checkpoints and not the ideas. None of these gives $p(x)$.

# %% [markdown]
# ### Semi-supervised learning: a hundred labels
# Learn codes from all pictures without labels, then a classifier from a hundred labelled codes: **semi-supervised
# learning**. Are codes the better input?

# %%
predict("09c.labels", "Logistic regression from 100 labels: which input does best?",
        options=["pixels", "BiGAN", "BiGAN, regression", "VAE", "pixels + BiGAN", "pixels + VAE"])

# %%
def standardised(a, b):
    """Codes of known and of test digits, each number with mean 0 and standard deviation 1."""
    return (a - a.mean(0)) / a.std(0), (b - a.mean(0)) / a.std(0)

inputs = {name: [seen[name] if name == "pixels" else standardised(*seen[name])] for name in seen}
inputs |= {f"pixels + {name}": inputs["pixels"] + inputs[name] for name in ("BiGAN", "VAE")}

def accuracy(name, seed, l2):
    """Test accuracy of logistic regression from ten labelled examples of each class, drawn by the seed."""
    order = torch.randperm(len(labels), generator=seeded(seed))
    few = torch.cat([order[labels[order] == k][:10] for k in range(10)])
    a = torch.cat([known[few] for known, _ in inputs[name]], dim=1)
    b = torch.cat([test for _, test in inputs[name]], dim=1)
    return (SoftmaxRegression(l2=l2, max_iter=30).fit(a, labels[few]).predict(b) == y_test).float().mean().item()

# %% [markdown]
# For each input eight draws choose the penalty `l2`; *other* draws, on the same test digits, compare the inputs.

# %%
penalties = (0.002, 0.05, 0.5)
tried = {name: torch.tensor([[accuracy(name, seed, l2) for seed in range(8)] for l2 in penalties]) for name in inputs}
chosen = {name: penalties[values.mean(dim=1).argmax()] for name, values in tried.items()}
print(f"{'l2':18}", *(f"{l2:7}" for l2 in penalties))
for name, values in tried.items():
    print(f"{name:18}", *(f"{value:7.3f}" for value in values.mean(dim=1)))
claim("BiGAN: accuracy with the middle penalty less that with the least, draw by draw",
      tried["BiGAN"][1] - tried["BiGAN"][0], above=0)

# %%
order = ["pixels", "pixels + VAE", "pixels + BiGAN", "BiGAN", "VAE", "BiGAN, regression"]
reached = {name: torch.tensor([accuracy(name, seed, chosen[name]) for seed in range(8, 40)]) for name in order}
mean = {name: r.mean().item() for name, r in reached.items()}
reveal("09c.labels", mean, pick=lambda mean: max(mean, key=mean.get))
show(paired_draws(reached, xlabel="input of logistic regression", ylabel="test accuracy",
                  title="A hundred labels: codes help beside the pixels more than alone"),
     alt="For each input the test accuracies of 32 draws of a hundred labels, with their mean: "
         + ", ".join(f"{name} {value:.3f}" for name, value in mean.items()))

# %%
def gain(name, over):
    """Differences of accuracy, one for each draw: both have the same labels."""
    return reached[name] - reached[over]

with claim_table():
    claim("BiGAN: gain over pixels, draw by draw", gain("BiGAN", "pixels"), above=0)
    claim("VAE: gain over pixels, draw by draw", gain("VAE", "pixels"), near=0, within=0.02)
    for name in ("BiGAN", "VAE"):
        claim(f"Pixels + {name}: gain over pixels, draw by draw", gain(f"pixels + {name}", "pixels"), above=0.02)
        claim(f"Pixels + {name}: gain over the codes alone, draw by draw", gain(f"pixels + {name}", name), above=0.01)
    claim("BiGAN, regression: gain over the plain BiGAN, draw by draw", gain("BiGAN, regression", "BiGAN"), below=-0.1)

# %% [markdown]
# The plain BiGAN's codes are the better input, by a small gain. The penalty matters, too: see in the table how far `l2` moves
# them. The VAE's codes are level with pixels, within two points in a hundred. *Beside* the pixels both help, by more
# than two points.
#
# The $E$ that rebuilds better has the worse codes *for few labels*; with ten thousand the nearest neighbour saw no
# difference. Why, we did not test: one training of each encoder, one classifier.
#
# ## Your turn
# **1.** The two losses of the BiGAN, from $D$'s logits.

# %% tags=["exercise"]
def pair_losses(real, made):
    """Losses of D, and of G and E, non-saturating: means over logits of (x, E(x)), `real`, and (G(z), z), `made`."""
    ### BEGIN SOLUTION
    return (softplus(-real) + softplus(made)).mean(), (softplus(real) + softplus(-made)).mean()
    ### END SOLUTION

# %%
check("09c.pair_losses", pair_losses)

# %% [markdown]
# **2.** Couple two generators: `first` and `second` are lists of layers, functions of a batch.

# %% tags=["exercise"]
def coupled_pair(z, first, second, shared):
    """What both make of z, a tuple; the first `shared` layers of `first` serve both."""
    ### BEGIN SOLUTION
    for layer in first[:shared]:
        z = layer(z)
    pictures = []
    for tail in (first[shared:], second[shared:]):
        x = z
        for layer in tail:
            x = layer(x)
        pictures.append(x)
    return tuple(pictures)
    ### END SOLUTION

# %%
check("09c.shared", coupled_pair)

# %% [markdown]
# **3.** `UNetGenerator` has no transposed convolution: it computes $r^2$ small channels and interleaves them into one
# large picture, a **sub-pixel layer** (Shi et al.). Channel $r\,i + j$ holds each block's pixel in row $i$, column $j$.

# %% tags=["exercise"]
def interleaved(h, r):
    """One picture [r·rows, r·columns] from channels h [r·r, rows, columns]."""
    ### BEGIN SOLUTION
    rows, columns = h.shape[1:]
    return h.view(r, r, rows, columns).permute(2, 0, 3, 1).reshape(r * rows, r * columns)
    ### END SOLUTION

# %%
check("09c.pixel_shuffle", interleaved)

# %% [markdown]
# **4.** A sharpened picture should still be the coarse one when it is averaged: *disagreement* 0. Find the nearest
# picture to `x` whose means over 4x4 pixels are `c`. Nearest: the least sum of squared changes.

# %% tags=["exercise"]
def consistent(x, c):
    """Pictures [n, 28, 28], nearest to x [n, 28, 28] among those with block means c [n, 7, 7]."""
    ### BEGIN SOLUTION
    lacking = c - x.view(-1, 7, 4, 7, 4).mean(dim=(2, 4))
    return x + lacking.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2)
    ### END SOLUTION

# %%
check("09c.consistent", consistent)

# %% [markdown]
# The true picture has the right means, too. So by Pythagoras a repaired picture is at most as far from the truth.

# %%
if (repaired := consistent(sharp, coarse[:, ::4, ::4])) is not None:
    before, after = (((x - few.floats()) ** 2).mean(dim=(1, 2)) for x in (sharp, repaired))
    claim("A repaired picture is at most as far from the truth: error after less before, picture by picture",
          after - before, below=1e-6, exact=True)

# %% [markdown]
# Stuck, or done? Unfold how the library draws a large picture from small channels.

# %%
block = pixel_shuffle(torch.arange(4.0).view(1, 4, 1, 1), 2)[0, 0]
claim("PyTorch's layer interleaves so, too: channel 1 is in row 0, column 1", block[0, 1], near=1, within=1e-9,
      exact=True)
show_source(UNetGenerator)

# %% [markdown]
# ## What to keep
# - What $D$ sees decides what the game teaches: a picture, a picture with its code, or with a coarse version of it.
# - Shared first layers make pairs without pairs; how much of that is built in, we left open.
# - At a BiGAN's optimum $E$ inverts $G$. What is reached falls short; latent regression helps.
# - Squared error blurs; $D$ sharpens and is further from the truth.
# - With a hundred labels codes helped most beside the pixels; and the penalty must be chosen.
#
# **Read on:**
#
# - M.-Y. Liu, O. Tuzel, [*Coupled Generative Adversarial Networks*](https://arxiv.org/abs/1606.07536), NIPS (2016).
# - J. Donahue, P. Krähenbühl, T. Darrell, [*Adversarial Feature Learning*](https://arxiv.org/abs/1605.09782), ICLR
#   (2017).
# - V. Dumoulin et al., [*Adversarially Learned Inference*](https://arxiv.org/abs/1606.00704), ICLR (2017).
# - C. Ledig et al., [*Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
#   Network*](https://arxiv.org/abs/1609.04802), CVPR (2017).
# - W. Shi et al., [*Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
#   Network*](https://arxiv.org/abs/1609.05158), CVPR (2016).
# - P. Isola et al., [*Image-to-Image Translation with Conditional Adversarial
#   Networks*](https://arxiv.org/abs/1611.07004), CVPR (2017).
# - J.-Y. Zhu et al., [*Unpaired Image-to-Image Translation Using Cycle-Consistent Adversarial
#   Networks*](https://arxiv.org/abs/1703.10593), ICCV (2017).
#
# **Next:** notebook 10. It has models without an adversary, that give the exact density of a point, or probability of a small picture.
