# %% [markdown]
# # 06 · Deep convolutional GANs: pictures by transposed convolutions
#
# In notebook 05 the generator made one number at a time. A picture of a digit is hundreds of numbers that must fit
# together.
# **Which networks can play this game with pictures, and what does a generator learn that is shown none?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | explain a transposed convolution by a matrix, build and train a DCGAN, say what reaches the generator, test for copies, and interpolate in the latent space |
# | You need | notebook 05: the game and its losses; convolutions in PyTorch; notebook 04's VAE for comparison |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d, softplus

from course_lib.chapters.nb06.plots import pulls
from course_lib.comparisons import mapping_network
from course_lib.data import load_mnist
from course_lib.experiments.dcgan import DCGANExperiment, DCGANHyperparameters
from course_lib.live import Curve, Density, ImageGrid, LiveLab
from course_lib.measure import nearest_neighbours, sharpness
from course_lib.models.dcgan import SpectralNorm, noise
from course_lib.models.penalties import slopes
from course_lib.plots import curves, histogram, images, matrices, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import fastest_precision, load_pretrained, run
from course_lib.training.image_scores import features_and_probabilities, scores

torch.set_num_threads(1)  # two threads on a shared machine are slower than one

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises. Do the transposed convolution on the board first, with a two-by-two
# input. Start the live lab early and let it run while you talk: the grid is worth a look every few minutes. Before the
# section on what reaches the generator, let the class argue whether $G$ could copy a training picture. Measures of the
# pictures, and what goes wrong, are in notebook 06b.
#
# - **Prepare.** Start the lab before the lesson.
# - **Transposed convolution.** Stamp a two-by-two input by hand; count where stamps overlap.
# - **06.inverse.** “yes, exactly”: it is often called deconvolution. The transpose of a matrix is not its inverse.
# - **06.losses.** “it falls steadily”, as in every training so far. Against whom is it measured?
# - **06.early.** round digits, mostly. Ask which digit takes the fewest strokes to be sure of.
# - **What reaches the generator.** On the board: the chain rule through D. No term holds a training picture.
# - **06.nearest.** “the GAN's”, suspected of copying. What is near to everything is blurred.
# - **06.mapping.** four, for want of a reason. Ask what straight features would let w do.

# %% [markdown]
# ## Why convolutions
# A discriminator of pictures is a classifier: strided convolutions halve the picture twice and add channels,
# and a linear layer gives the logit. One small **kernel** is used all over the picture: a stroke is a stroke wherever
# it lies. The generator needs the way back, from a few numbers to many, with the same economy.

# %%
dense = (128 * 7 * 7) * (32 * 14 * 14)
shared = 128 * 32 * 4 * 4
print(f"from 128 channels of 7x7 to 32 of 14x14: dense {dense:,} weights, with one kernel of 4x4 {shared:,}, "
      f"{dense / shared:.0f} times fewer")

# %% [markdown]
# ## Transposed convolution
# A convolution is linear, so it is a matrix. Take a picture of 4x4, a kernel $w$ of 4x4, stride 2, and **padding** 1, a
# margin of one zero: the kernel stops at four places, so the matrix $C$ has a row for each of four places and a column
# for each of $4 \times 4$ pixels. We find them by asking what each single pixel does.

# %%
w = torch.tensor([[0, 1, 0, 2], [1, 3, 1, 0], [0, 1, 2, 0], [1, 0, 0, 1]], dtype=torch.float32)[None, None]
single_pixels = torch.eye(16).view(16, 1, 4, 4)
C = conv2d(single_pixels, w, stride=2, padding=1).view(16, 4).T

x = torch.randn(1, 1, 4, 4, generator=seeded())
claim("The convolution of x less the product C x: largest difference",
      (conv2d(x, w, stride=2, padding=1).flatten() - C @ x.flatten()).abs().max(), below=1e-5, exact=True)

# %% [markdown]
# $C$ leads from the large picture to the small one. Its transpose leads from small to large: that is the **transposed
# convolution**. Row $i$ of $C$, written $C_i$, is the kernel, laid at place $i$. So $C^\top y = \sum_i y_i\, C_i$ is a sum
# of *stamps*: each number of the small picture stamps the kernel onto the large one, as dark as it is itself, one stride
# further than its neighbour. Where stamps overlap, they add.

# %%
predict("06.inverse", "Convolve a picture down with C, then up with its transpose. Do you get the picture back?",
        options=["yes, exactly", "up to a factor", "no"])

# %%
y = torch.tensor([[1.0, 2.0], [0.0, 3.0]])
stamps = [y.flatten()[i] * C[i].view(4, 4) for i in range(4)]
up = sum(stamps)
show(matrices({"w": w[0, 0], "y": y, "up": up, **{f"stamp of y = {y.flatten()[i]:g}": stamps[i] for i in (0, 1, 3)}},
              columns=3, title="Each number stamps the kernel; overlaps add"),
     alt="A kernel of 4 by 4, the small picture 1 2 0 3, their transposed convolution of 4 by 4, and below the three "
         "stamps that it is the sum of, each cut off at the margin")
show(matrices({"C": C, "its transpose times y": up.view(1, 16)}, columns=1,
              title="The same as a matrix: row i is the kernel at place i"),
     alt="The matrix C, 4 rows and 16 columns, and below it the 16 numbers of the result")

# %%
library = conv_transpose2d(y[None, None], w, stride=2, padding=1)[0, 0]
round_trip = C.T @ (C @ x.flatten())
factor = round_trip @ x.flatten() / round_trip.norm() ** 2
off = {name: ((f * round_trip - x.flatten()).norm() / x.norm()).item()
       for name, f in (("off", 1), ("off with the best factor", factor))}
reveal("06.inverse", off, lambda off: "yes, exactly" if off["off"] < 1e-4 else
       "up to a factor" if off["off with the best factor"] < 1e-4 else "no")
with claim_table():
    claim("PyTorch's transposed convolution less the sum of stamps: largest difference", (library - up).abs().max(),
          below=1e-5, exact=True)
    claim("PyTorch's transposed convolution less the matrix product: largest difference",
          (library.flatten() - C.T @ y.flatten()).abs().max(), below=1e-5, exact=True)
    claim("Down and up again, with the best factor: relative distance from the picture",
          off["off with the best factor"], above=0.6)

# %% [markdown]
# Some call it *deconvolution*. It does not undo a convolution: it has the right shape, and weights of its own to learn.
#
# **Which kernel?** At stride 2, a kernel of side 4 reaches each pixel equally often. One of side 5 does not: its pictures
# start with **checkerboard artefacts** (Odena et al.). Side 4 starts without them; it can still *learn* them, look for
# them in the grids below. We count how many stamps reach each pixel, away from the margin.

# %%
most = {}
for side in (4, 5):
    reached = conv_transpose2d(torch.ones(1, 1, 6, 6), torch.ones(1, 1, side, side), stride=2)[0, 0, 4:8, 4:8]
    most[side] = reached.max() / reached.min()
with claim_table():
    claim("Kernel of side 4: stamps on a pixel, most over fewest", most[4], near=1, within=1e-6, exact=True)
    claim("Kernel of side 5: stamps on a pixel, most over fewest", most[5], near=2.25, within=1e-6, exact=True)

# %% [markdown]
# ## Two networks
# The recipe of Radford et al., the **DCGAN**: strides instead of pooling, leaky ReLU, batch normalisation, Adam with
# $\beta_1$ of one half. $G$ ends in tanh, so pictures live in $[-1, 1]$, the real ones too. The sizes are half the
# usual: in the same time they take twice as many steps. Among other things, we differ from the paper: its $G$ has plain
# ReLU, its $D$ has batch norm, too, and its learning rates are smaller. Without batch norm our $D$ answers for each
# picture by itself, whatever else is in the batch.

# %%
def normal(network, rng):
    """First weights from N(0, 0.02²), as in the paper, biases 0; batch norm starts as PyTorch makes it."""
    for layer in network:
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=0.02, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network

def generator(rng):
    return normal(nn.Sequential(
        nn.Linear(100, 128 * 7 * 7, bias=False), nn.Unflatten(1, (128, 7, 7)), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 32, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Tanh()), rng)

def discriminator(rng):
    return normal(nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 1), nn.Flatten(0)), rng)

# %%
def flow(network, x):
    """Push x through, layer by layer, and print what comes out of each."""
    print(f"{'input':16} {list(x.shape[1:])}")
    for layer in network:
        x = layer(x)
        weights = sum(p.numel() for p in layer.parameters())
        print(f"{type(layer).__name__:16} {list(x.shape[1:])!s:14}" + (f"{weights:>9,} weights" if weights else ""))
    return x

rng = seeded()
G, D = generator(rng), discriminator(rng)
logit = flow(D, flow(G, torch.randn(2, 100, generator=rng)))

# %% [markdown]
# ## One step, written out
# Three things keep the two players apart. $D$'s gradient must not reach $G$: `detach`. $G$'s gradient must pass
# *through* $D$ and change nothing there: freeze $D$. And each network has an optimiser of its own. The pictures are
# made once and used in both halves of the step.

# %%
def train_step(G, D, optimizer_g, optimizer_d, real, z):
    """D learns once, then G: one round of the game, with the non-saturating loss. Returns both losses."""
    fake = G(z)                                              # in training mode: batch norm looks at this batch
    loss_d = (softplus(-D(real)) + softplus(D(fake.detach()))).mean()
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()

    D.requires_grad_(False)                                  # the gradient goes through D and leaves nothing in D
    loss_g = softplus(-D(fake)).mean()
    D.requires_grad_(True)
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()

# %%
plain = DCGANHyperparameters(spectral_norm=False)
library, numbers = DCGANExperiment(plain, seed=0), DCGANExperiment(plain, seed=0)
for ours, theirs in ((G, numbers.G), (D, numbers.D)):
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
optimizer_g = torch.optim.Adam(G.parameters(), lr=plain.learning_rate_g, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(D.parameters(), lr=plain.learning_rate_d, betas=(0.5, 0.999))

gaps = []
for metrics in run(library, steps=8, progress=False):
    z = noise(32, numbers.generator)
    real = numbers.scaled(numbers.images[numbers.batches.next(32)])
    loss_d, loss_g = train_step(G, D, optimizer_g, optimizer_d, real, z)
    gaps += [abs(loss_d - metrics["loss_d"].item()), abs(loss_g - metrics["loss_g"].item())]
difference = torch.cat([(p - q).abs().flatten() for p, q in zip(G.parameters(), library.G.parameters(), strict=True)])
with claim_table():
    claim("Eight steps written out: largest difference from the library's losses", max(gaps), below=1e-3)
    claim("Eight steps written out: mean difference from the weights of the library's G", difference.mean(), below=1e-3)

# %% [markdown]
# The library adds two things. Its pictures come from an **exponential moving average** of $G$'s weights, so that they do
# not waver with every step. And it divides the kernel of each convolution of $D$ by its largest singular value,
# **spectral normalisation** (Miyato et al.), so that no convolution stretches its input much. How that is done, and how
# steep
# $D$ is then, is measured under *Going further*.

# %% [markdown]
# ## Live: a DCGAN in training
# The lab plays the library's game: spectral normalisation in $D$, pictures from the *average* of $G$. To be quick it
# has half of your channels (`width=16`) and the arithmetic that is faster on your processor (`fastest_precision`).
# Every picture keeps its noise, so you see the same forty sharpen. Press **Start**. Then, while it trains:
#
# 1. wait for the first strokes, then the first digits. Which digits come early? (If you do not see the pictures, answer
#    this from the table of counts below the lab, which needs no eyes.)
# 2. look at the logits of real and made pictures. Where would they lie if $D$ could tell nothing? The losses would then
#    be $2 \log 2$ and $\log 2$.
# 3. turn $D$'s learning rate far down, and back; then far up. Raise $K$. What do the logits and the grid do?
# 4. add label smoothing ($D$'s target for real pictures is less than 1), then dropout (a random part of $D$'s numbers
#    is left out). Is $D$ less sure? Do the two humps move together?

# %%
lab = LiveLab(
    DCGANExperiment(DCGANHyperparameters(width=16, precision=fastest_precision()), seed=0),
    views=[
        ImageGrid("samples", columns=10, title="Made from the same noise all along"),
        Density("real", "fake", grid="logits", labels={"real": "real", "fake": "made"}, xlabel="logit of D",
                ylabel="part of the pictures", title="What D says"),
        Curve("loss_d", "loss_g", labels={"loss_d": "loss of D", "loss_g": "loss of G"}, ylabel="nats",
              title="The losses of the two players"),
        Curve("gradient_g", labels={"gradient_g": "gradient of G"}, log=True, title="Size of G's gradient"),
    ],
    knobs=["learning_rate_d", "learning_rate_g", "d_steps", "label_smoothing", "dropout"],
    headless_steps=60,
)
lab

# %% [markdown]
# Nobody need sit through it here: the same game, noted down. Do the pictures get better? We ask the course's
# **classifier**, trained on real digits. Its features of ten thousand pictures of the average of $G$ have a distance
# from its features of real ones, the **Fréchet distance**; 0 is best. Notebook 06b explains it.

# %%
predict("06.losses", "The pictures get better for a thousand steps. What does the loss of G do meanwhile?",
        options=["it falls steadily", "it goes up and down", "it rises steadily"])

predict("06.early", "After 150 steps the classifier is sure of some pictures. Which digit are they most often?",
        options=[str(digit) for digit in range(10)])

# %%
game = DCGANExperiment(DCGANHyperparameters(width=16, precision=fastest_precision()), seed=0)
track, grids, many, sure = [], {"step 0": game.samples(10)}, {}, {}
for metrics in run(game, steps=1000, progress=False):
    track.append((metrics["loss_d"].item(), metrics["loss_g"].item()))
    if game.steps in (60, 150, 400, 1000):
        grids[f"step {game.steps}"] = game.samples(10)
        p = features_and_probabilities(game.samples(2000))[1]          # of ten digits, for each of 2,000 pictures
        sure[game.steps] = np.bincount(p.argmax(axis=1)[p.max(axis=1) > 0.9], minlength=10)
    if game.steps in (60, 1000):
        many[game.steps] = game.samples(10_000)

show(images(torch.cat(list(grids.values())), row_labels=list(grids), title="The same ten noises along training"),
     alt="Five rows of ten pictures made from the same noise: grey, blobs, strokes, and in the last row digits, some "
         "of them clear, some broken")
loss_d, loss_g = np.array(track).reshape(20, 50, 2).mean(axis=1).T
undecided = {"2 log 2": np.full(len(loss_d), 2 * np.log(2)), "log 2": np.full(len(loss_g), np.log(2))}
show(curves(np.arange(25, 1000, 50), {"loss of D": loss_d, "loss of G": loss_g} | undecided, xlabel="step",
            ylabel="nats", title="The losses say little about the pictures"),
     alt=f"Over a thousand steps, in means of fifty: the loss of D, from {loss_d.min():.2f} to {loss_d.max():.2f}, "
         f"and the loss of G, from {loss_g.min():.2f} to {loss_g.max():.2f}; level lines at 2 log 2 and log 2")

# %%
print("of 2,000 pictures, those that the classifier gives to one digit with more than 0.9, by digit:")
print("step      " + "".join(f"{digit:6}" for digit in range(10)) + "   in all")
for step, counts in sure.items():
    print(f"{step:<10}" + "".join(f"{count:6}" for count in counts) + f"{counts.sum():9}")
reveal("06.early", {str(digit): share for digit, share in enumerate(sure[150] / sure[150].sum())},
       lambda share: max(share, key=share.get))
start, end = loss_g[:4].mean(), loss_g[-4:].mean()
reveal("06.losses", {"last fifth over the first": end / start},
       lambda by: "it falls steadily" if by["last fifth over the first"] < 0.7 else
       "it rises steadily" if by["last fifth over the first"] > 1.4 else "it goes up and down")
early, late = (scores(x)["frechet"] for x in many.values())
real, first, last = (sharpness(x[:1000].numpy()).mean() for x in (load_mnist("test")[:1000].floats(), *many.values()))
with claim_table():
    claim("Step 150: share of 6, 8 and 9 together among the pictures that the classifier is sure of",
          sure[150][[6, 8, 9]].sum() / sure[150].sum(), below=0.15)
    claim("Step 1,000: their share relative to step 150",
          sure[1000][[6, 8, 9]].sum() / sure[1000].sum() / (sure[150][[6, 8, 9]].sum() / sure[150].sum()), above=1.2)
    claim("The pictures get better: Fréchet distance at step 1,000 relative to step 60", late / early, below=0.35)
    claim("Loss of G meanwhile: last fifth of the steps relative to the first", end / start, above=0.7, below=1.4)
    claim("Loss of G meanwhile: highest relative to lowest, means of fifty steps", loss_g.max() / loss_g.min(),
          above=1.3)
    claim("Sharpness relative to real pictures, after 60 steps", first / real, below=0.6)
    claim("Sharpness relative to real pictures, after 1,000 steps: it overshoots", last / real, above=1.1, below=1.8)

# %% [markdown]
# ## What reaches the generator
# $G$ is shown no picture. Its gradient is a product, by the chain rule: the slope of the loss in every *pixel that it
# made*, times the slopes of these pixels in $G$'s weights. Minus the first factor, one number a pixel, is the **force**
# on the picture. If that is all, then $G$ can be trained by somebody who hands it nothing but the forces. We take $G$
# itself, not its average, where the thousand steps left it.

# %%
z = noise(16, seeded(1))
game.G.train()
made = game.G(z)
loss_g = softplus(-game.D(made)).mean()
whole = torch.autograd.grad(loss_g, list(game.G.parameters()), retain_graph=True)
force = -torch.autograd.grad(loss_g, made, retain_graph=True)[0]                   # one number for each made pixel
handed = torch.autograd.grad(made, list(game.G.parameters()), grad_outputs=-force) # no D, no loss, no data here
gap = max((a - b).abs().max() for a, b in zip(whole, handed, strict=True))
claim("Gradient of G from the whole game, less that from the forces alone: largest difference", gap, below=1e-6,
      exact=True)

picture = (made[:8, 0].detach() + 1) / 2
show(pulls(picture, force[:8, 0], title="Force on each pixel: orange towards ink, blue towards paper, white none"),
     alt="Eight made pictures; below each the force on its pixels, orange where it pulls towards ink, blue where it "
         "pulls towards paper")

# %% [markdown]
# Each picture of forces is coloured by its own largest number, so compare colours within a picture only. Read off *where*
# they are large: mostly on the strokes and beside them. This is no picture of a better digit, only the
# slope of $D$ at this one, good for a small step.
#
# If the data reach $G$ through $D$ only, then with a $D$ that does not learn, other data must change nothing in $G$. We
# play three steps with digits, and with digits upside down.

# %%
def generator_after_three_steps(real, D_learns):
    game = DCGANExperiment(DCGANHyperparameters(width=16), seed=0)
    game.images = real
    if not D_learns:
        game.optimizer_d.step = lambda: None
    for _ in run(game, steps=3, progress=False):
        pass
    return torch.cat([p.detach().flatten() for p in game.G.parameters()])

digits, upside_down = game.images, game.images.flip(2)
gap = {learns: (generator_after_three_steps(digits, learns) - generator_after_three_steps(upside_down, learns)).abs()
       for learns in (False, True)}
with claim_table():
    claim("A D that does not learn: what other data change in the weights of G, at most", gap[False].max(), near=0,
          within=1e-9, exact=True)
    claim("A D that learns: what other data change in the weights of G, at most", gap[True].max(), above=1e-3)

# %% [markdown]
# All that $G$ knows of digits passed through $D$. It is often said that a VAE, which rebuilds pictures, only
# *imitates*, while a GAN *creates*. Can we measure it?
#
# ## Memorisation: are there copies?
# From here on $G$ is the one that comes with the course, the average of a much longer training; its **card** notes how
# it was trained. Each of its networks has one convolution more, on pictures of $7 \times 7$, where a kernel of side 3
# reaches across strokes that are far apart. And $D$'s loss also counts its squared slope at real digits (**R1**,
# Mescheder et al.), so steepness costs.
#
# A model that **overfits** may hand out its training pictures: **memorisation**. The usual test looks for the nearest
# training picture: a copy would lie at distance zero. How near do pictures come that are certainly new: held-out
# digits? And does the test catch **shifted copies**, training pictures that are each moved one pixel to the right?

# %%
predict("06.nearest", "Whose pictures lie nearest to the training pictures, on average?",
        options=["the VAE's", "the GAN's", "real held-out digits"])

# %%
(G, card), (vae, _), (classifier, _) = map(load_pretrained, ("dcgan", "vae_z20", "classifier"))
print(f"The card of G: {card.steps:,} steps, {card.minutes:.0f} minutes of one core; measured then: {card.metrics}")
train, test = load_mnist("train"), load_mnist("test")

drawn, mean = vae.sample(400, seeded())
kinds = {"held-out digits": test.floats()[torch.randperm(10_000, generator=seeded())[:400]],
         "GAN": G.sample(400, seeded()), "VAE, means": mean.view(-1, 28, 28), "VAE, drawn": drawn.view(-1, 28, 28)}
originals = torch.randperm(60_000, generator=seeded(1))[:400]
kinds["shifted copies"] = train[originals].floats().roll(1, dims=2)              # the last column is paper
reference = train.images.numpy()                                         # greys from 0 to 255
nearest = {name: nearest_neighbours(255 * x.numpy(), reference) for name, x in kinds.items()}
distance = {name: d / 255 for name, (d, _) in nearest.items()}

# %%
pairs = ("GAN", "VAE, means", "shifted copies")
rows = torch.cat([x for name in pairs for x in (kinds[name][:10], train[nearest[name][1][:10]].floats())])
gaps = [[f"{d:.1f}" for d in distance[name][:10]] + [""] * 10 for name in pairs]
show(images(rows, labels=[gap for row in gaps for gap in row],
            row_labels=[row for name in pairs for row in (name, "its nearest")],
            title="Pictures, their distance to the nearest training picture, and that picture"),
     alt="Six rows: ten digits of the GAN and the nearest training picture of each; ten of the VAE, soft, and their "
         "nearest; ten training pictures moved by a pixel, and their nearest")
average = {name: d.mean() for name, d in distance.items()}
show(histogram(distance, title="Distance to the nearest of 60,000 training pictures; marks: means",
               xlabel="Euclidean distance"),
     alt="Five outlined histograms with marks at their means: " + ", ".join(f"{k} {d:.1f}" for k, d in average.items()))

# %%
whose = {"held-out digits": "real held-out digits", "GAN": "the GAN's", "VAE, means": "the VAE's"}
reveal("06.nearest", {name: average[name] for name in whose}, lambda mean: whose[min(mean, key=mean.get)])
print("nearest of all:", ", ".join(f"{name} {d.min():.2f}" for name, d in distance.items()))
made_or_moved = np.concatenate([distance[name] for name in kinds if name != "held-out digits"])
with claim_table():
    claim("Made or moved pictures as near as an exact copy: nearer than 0.5", (made_or_moved < 0.5).sum(), below=1)
    for name in pairs:
        claim(f"Distance to the nearest training picture: {name}, less held-out digits",
              distance[name] - distance["held-out digits"], above=0)
    claim("Distance to the nearest training picture: the VAE's drawn pixels, less their own means",
          distance["VAE, drawn"] - distance["VAE, means"], above=1.5)
    claim("Shifted copies: share whose original is the nearest training picture",
          1.0 * (nearest["shifted copies"][1] == originals.numpy()), below=0.5)

# %% [markdown]
# Held-out digits lie nearest, and no picture is an exact copy. But look at the shifted copies: *all* of them are training
# pictures, moved by a pixel, and they pass, at about the GAN's distance. For most of them another training picture is
# nearer than the original. **This test finds exact copies only.**
#
# Nor is the larger distance of the GAN creation. See the VAE: its means lie near, and the pixels drawn from those same
# means furthest of all. Blur shortens this distance, grain lengthens it, and a broken digit is far from everything. So
# a distance alone does not tell creation from error, nor from a copy in disguise.

# %% [markdown]
# ## Interpolation in the latent space
# Every $z$ from $\mathcal{N}(0, I)$ should give a digit. Go from one to another. Their halfway point is shorter than
# both, for two draws in a hundred dimensions are nearly perpendicular. So we stretch each point between them to the
# length that it should have: almost the **spherical interpolation** of notebook 08, on the same arc with another speed.

# %%
alpha = torch.linspace(0, 1, 10)[:, None]
ends = noise(6, seeded(5)).view(3, 2, 100)

def interpolate(a, b):
    straight = (1 - alpha) * a + alpha * b
    length = (1 - alpha) * a.norm() + alpha * b.norm()
    return straight / straight.norm(dim=1, keepdim=True) * length

def pictured(z):
    """Pictures in [0, 1] with the gradient that leads back to z."""
    return (G(z)[:, 0] + 1) / 2

show(images(torch.cat([pictured(interpolate(a, b)) for a, b in ends]), title="Three paths through the latent space"),
     alt="Three rows of ten pictures: a 5 becomes a 6, a broken 2 closes to a 0, and a 2 turns into a 3; strokes "
         "move and hardly fade")

# %%
a, b = noise(300, seeded(6)), noise(300, seeded(7))
middle = torch.cat([interpolate(*pair)[4:5] for pair in zip(a, b, strict=True)])            # nearly: the fifth of ten
faded = (pictured(a) + pictured(b)) / 2

def in_doubt(x):
    """1 for a picture that the classifier gives to no digit with more than 0.9, else 0."""
    return (classifier.log_posterior(x).exp().amax(dim=1) < 0.9).float()

fresh, halfway, fade = (in_doubt(x) for x in (pictured(a), pictured(middle), faded))
print(f"in doubt: fresh draws {fresh.mean():.2f}, middles of paths {halfway.mean():.2f}, averages {fade.mean():.2f}")
crisp = sharpness(pictured(middle).numpy()) - sharpness(faded.numpy())
with claim_table():
    claim("Share in doubt: middles of paths less fresh draws", halfway - fresh, near=0, within=0.1)
    claim("Share in doubt: averages of two pictures less middles of paths", fade - halfway, above=0.2)
    claim("Sharpness: middle of a path less that average, relative to the averages",
          crisp / sharpness(faded.numpy()).mean(), above=0.7)

# %% [markdown]
# In the middle of a path the classifier doubts about as often as at its ends; an average of the two pictures, which is
# faded, leaves it in doubt more often.
#
# ## Going further
# ### Spectral normalisation and R1: how steep is $D$?
# Spectral normalisation writes the kernel of a convolution as a matrix $W$, a row for each output channel, and divides it
# by its largest singular value: the most that $W$ stretches any *patch*. **Power iteration** finds that value: multiply a
# vector by $W$ and $W^\top$ in turn, and it turns towards the one that is stretched most. The convolution of a whole
# picture is another, larger matrix. Its patches overlap: with a side of 4 and stride 2 each pixel lies in four, so it may
# stretch up to twice as much as $W$.

# %%
W = 3 * torch.randn(64, 32, 4, 4, generator=seeded())
before, after = (torch.linalg.matrix_norm(weight.flatten(1), 2) for weight in (W, SpectralNorm(W, seeded())(W)))

def stretch(kernel, v, rounds=50):
    """The largest singular value of the whole convolution, from a picture v, by power iteration."""
    for _ in range(rounds):
        v = conv_transpose2d(conv2d(v / v.norm(), kernel, stride=2, padding=1), kernel, stride=2, padding=1)
    return v.norm().sqrt()

whole = stretch(W / before, torch.randn(1, 32, 14, 14, generator=seeded()))
with claim_table():
    claim("Largest singular value of W before", before, near=92, within=5)
    claim("Largest singular value of W after a few rounds of power iteration", after, near=1, within=0.05)
    claim("How much the whole convolution stretches, with the normalised kernel", whole, above=1.1, below=2)
show_source(SpectralNorm)

# %% [markdown]
# And how steep is $D$ as a whole? Its last, linear layer is not normalised, so that it can scale the logit $a(x)$. We
# measure the slope of $a$ in the pixels, at real digits: with neither remedy, with spectral normalisation, and with R1,
# which adds to the loss of $D$ half the squared length of that slope, $\tfrac{1}{2} \lVert \partial a(x) / \partial x
# \rVert^2$, averaged over real digits.

# %%
def slope_at_real(seed, **changes):
    """After 150 steps: the length of the gradient of D's logit in the pixels, median over 300 real digits."""
    game = DCGANExperiment(DCGANHyperparameters(width=16, precision=fastest_precision(), **changes), seed=seed)
    for _ in run(game, steps=150, progress=False):
        pass
    return slopes(game.D.eval(), game.scaled(game.images[:300])).flatten(1).norm(dim=1).median().item()

remedies = {"neither": {"spectral_norm": False}, "spectral normalisation": {},
            "R1": {"spectral_norm": False, "r1": 1.0}}
steep = {name: np.array([slope_at_real(seed, **changes) for seed in range(4)]) for name, changes in remedies.items()}
for name, slope in steep.items():
    print(f"{name:23} slope at real digits, four seeds:", ", ".join(f"{value:.2f}" for value in slope))
with claim_table():
    claim("Slope of D at real digits: spectral normalisation relative to neither, four seeds",
          steep["spectral normalisation"] / steep["neither"], near=1, within=0.5)
    claim("Slope of D at real digits: R1 relative to neither, each of four seeds", steep["R1"] / steep["neither"],
          below=0.9, exact=True)
    claim("Slope of D at real digits: R1 relative to neither, mean of four seeds", steep["R1"] / steep["neither"],
          below=0.75)

# %% [markdown]
# In this game spectral normalisation makes no clear difference to the slope at real digits: from seed to seed it is a
# little flatter or a little steeper. The last layer is free to take up what the others lose. R1 counts the slope itself,
# and with it $D$ is flatter for each of the four seeds.

# %% [markdown]
# ### GAN inversion: where is my digit?
# A VAE has an encoder that answers at once. $G$ has none, but it is differentiable: **GAN inversion** searches for
# the $z$ whose picture is nearest to a given $x$, by gradient descent on $\lVert G(z) - x \rVert^2$. Four starts for
# each of ten test digits; once with $z$ free, and once held at the length of a typical draw.

# %%
def project(x, typical, starts=4, steps=150):
    """The best z found for each picture [n, 28, 28], and the squared error there."""
    z = noise(starts * len(x), seeded(8)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.1)
    for step in range(steps + 1):
        error = ((pictured(z) - x.repeat(starts, 1, 1)) ** 2).sum(dim=(1, 2))
        if step < steps:
            optimizer.zero_grad()
            error.sum().backward()
            optimizer.step()
            if typical:
                z.data *= 10 / z.data.norm(dim=1, keepdim=True)          # |z|² of a draw is 100 on average
    z, error = z.detach().view(starts, len(x), 100), error.detach().view(starts, len(x))
    best, each = error.argmin(dim=0), torch.arange(len(x))               # the best start of each picture
    return z[best, each], error[best, each]

x = test.floats()[[int((test.labels == k).nonzero()[5, 0]) for k in range(10)]]
found = {"free z": project(x, typical=False), "typical z": project(x, typical=True)}
rebuilt = vae.decode(vae.encode(x.flatten(1))[0]).view(-1, 28, 28)

# %%
show(images(torch.cat([x, *(pictured(z) for z, _ in found.values()), rebuilt]),
            row_labels=["seen", *found, "VAE"], title="What G can make nearest to ten test digits"),
     alt="Ten test digits; the nearest pictures found with free noise and with noise of typical length, most or all "
         "of them faithful; and the VAE's reconstructions, faithful and soft")
squared = {name: error.mean() for name, (_, error) in found.items()}
to_training = (nearest_neighbours(255 * x.numpy(), reference)[0] / 255) ** 2
ratio = found["typical z"][1].numpy() / to_training
print("squared error, typical z, relative to the nearest training picture:",
      ", ".join(f"{k}: {value:.2f}" for k, value in enumerate(ratio)))
print(f"mean squared error: free z {squared['free z']:.1f}, typical z {squared['typical z']:.1f}")
with claim_table():
    claim("Typical z: of ten digits, those found nearer than any training picture", (ratio < 1).sum(), above=7)
    claim("Free z: length of what was found; of draws it is about 10", found["free z"][0].norm(dim=1), above=10.5)
    claim("Logarithm of the squared error of ten digits: free z less typical z",
          (found["free z"][1] / found["typical z"][1]).log(), above=-0.4)

# %% [markdown]
# Free, the *best* $z$ is at least as good, for typical ones are allowed, too. The search gained little or nothing: it
# went to lengths that hardly any draw has. Steps of the same size turn a longer $z$ less, so in as many steps it may get
# no further. So hold it: what is found then is also what $G$ may really make. Most of these digits are found, nearer than
# any training picture. Where one is not found, $G$ does not make that shape, or the search got stuck.

# %% [markdown]
# ### StyleGAN's mapping network: z, or w?
# In a **StyleGAN** (Karras et al.) a **mapping network** first makes of $z$ a code `w`, and a **synthesis network** makes
# the picture of `w`. Their reason: the distribution of $z$ is fixed, that of `w` is not. Say that two factors
# are uniform on a square, but that the quarter where both are above 0 does not occur, as some combinations do not
# among real pictures. A Gaussian $z$ has no such hole, so that no affine function of $z$ gives $x$. But `w` may be $x$
# itself, and the synthesis network the identity.
#
# How much is there to gain? We take as many points $z$ as points $x$, and seek in turn, each exactly, the best pairing
# (notebook 11c) and the best affine function. The variance that it explains is the most that any generator with *this* $z$
# could reach.

# %%
ceiling = mapping_network.best_explained(13)
claim("Share of the variance of x that an affine function of z explains, at most", ceiling, near=0.93, within=0.015)

# %% [markdown]
# So there are a few hundredths to gain. Does training find them? Two generators with about as many weights, with a mapping
# network and without, both with $z$ and `w` of two numbers, each at three learning rates, over eight seeds; this is a
# record, and we train one of them again. Both go down the **energy distance**: twice the mean distance of a
# data point and a sample, less the mean distances of two data points and of two samples,
# so that no game blurs the comparison. We measure what an affine function explains, and the length in $x$ of straight ways
# in the latent space, relative to the straight way between their ends. (Karras et al. add up small steps on such ways,
# in features of a classifier: the **perceptual path length**.)

# %%
predict("06.mapping", "In how many of eight seeds does w explain more of x than z does in the generator without w?",
        low=0, high=8)

# %%
best = {mapped: min(mapping_network.RATES, key=lambda rate: mapping_network.recorded(mapped, rate)["kl"].mean())
        for mapped in (False, True)}                                                 # for each its own best rate
plain, mapped = (mapping_network.recorded(which, best[which]) for which in (False, True))
table = {"z, no mapping network": (plain["kl"], plain["z_share"], plain["z_length"]),
         "z, with one": (mapped["kl"], mapped["z_share"], mapped["z_length"]),
         "w": (mapped["kl"], mapped["w_share"], mapped["w_length"])}
for title, column in (("KL to the data, nats", 0), ("share explained", 1), ("length of straight ways", 2)):
    print(f"{title}, eight seeds")
    for name, measured in table.items():
        print(f"  {name:22}", " ".join(f"{value:.3f}" for value in measured[column]))
print("best learning rate:", ", ".join(f"{'with' if which else 'without'} {rate:g}" for which, rate in best.items()))
wins = mapped["w_share"] > plain["z_share"]
reveal("06.mapping", wins.sum())
today = mapping_network.measure(mapping_network.trained(True, seed=1, learning_rate=best[True]))
with claim_table():
    claim("Share explained, each seed: w less z of the same network", mapped["w_share"] - mapped["z_share"], above=0,
          exact=True)
    claim("Seeds where w explains more than z without a mapping network: share explained, w less the most by such a z",
          mapped["w_share"][wins] - plain["z_share"].max(), above=0, exact=True)
    claim("There: KL to the data, with a mapping network less without", (mapped["kl"] - plain["kl"])[wins], below=0,
          exact=True)
    claim("The other seeds: KL to the data, with a mapping network less without", (mapped["kl"] - plain["kl"])[~wins],
          above=0, exact=True)
    claim("Today's training with a mapping network: share explained, w less z", today.w_share - today.z_share,
          above=-0.3)

# %% [markdown]
# In one network `w` is straighter than its $z$, for each seed. Against a generator without a mapping network it is one or the
# other. In most seeds `w` goes beyond any $z$, and the samples fit better, too. (They are not exactly the data; so a
# share may be a little above the limit.) In the others the mapping
# network has folded the plane, `w` is no help, and the samples fit worse: on average over seeds the two do not differ
# clearly. The paper's table 4 has both sides as well: a mapping network makes ways in $z$ longer and ways in `w` shorter. Its
# `w` has hundreds of numbers, and enters at each layer. Nothing in a loss asks `w` to be straight; it only may.

# %% [markdown]
# ## Your turn
# **1.** The generator's loss, from logits, and what each logit feels of it.

# %% tags=["exercise"]
def generator_loss_and_force(a):
    """Non-saturating loss of G (mean over logits a [n] of made pictures), its slope in each logit [n]; two tensors."""
    ### BEGIN SOLUTION
    return softplus(-a).mean(), -torch.sigmoid(-a) / len(a)
    ### END SOLUTION

# %%
check("06.generator_loss", generator_loss_and_force)

# %% [markdown]
# **2.** A transposed convolution makes pictures of which side from pictures of side `n`? Where does the last stamp end?
# (`n` may be an array of sides; the others are whole numbers.)

# %% tags=["exercise"]
def output_side(n, kernel, stride, padding):
    """Sides of the pictures, as many as in n; `padding` pixels are cut off at each margin."""
    ### BEGIN SOLUTION
    return (n - 1) * stride + kernel - 2 * padding
    ### END SOLUTION

# %%
check("06.output_side", output_side)

# %% [markdown]
# **3.** Write it: one channel, no padding. Loops are welcome.

# %% tags=["exercise"]
def stamp(y, w, stride):
    """Transposed convolution of a picture y [rows, columns] with a kernel w [k, k]; a new tensor [?, ?]."""
    ### BEGIN SOLUTION
    rows, columns, k = *y.shape, len(w)
    out = torch.zeros((rows - 1) * stride + k, (columns - 1) * stride + k)
    for i in range(rows):
        for j in range(columns):
            out[i * stride:i * stride + k, j * stride:j * stride + k] += y[i, j] * w
    return out
    ### END SOLUTION

# %%
check("06.stamp", stamp)

# %% [markdown]
# ## What to keep
# - A transposed convolution is the transpose of a convolution's matrix: stamps that add. It has the shape of an inverse
#   and is none.
# - One step: `detach` for $D$'s loss, freeze $D$ for $G$'s, two optimisers. The losses do not say how good the
#   pictures are.
# - $G$ gets one force for each pixel that it made, and nothing else.
# - The nearest training picture finds exact copies only: copies that are moved by one pixel pass.
# - Between two draws, in the latent space, lie pictures about as clear as the draws; their pixels' average fades.
#
# **Read on:**
#
# - A. Radford, L. Metz, S. Chintala, [*Unsupervised Representation Learning with Deep Convolutional Generative
#   Adversarial Networks*](https://arxiv.org/abs/1511.06434), ICLR (2016).
# - V. Dumoulin, F. Visin, [*A Guide to Convolution Arithmetic for Deep Learning*](https://arxiv.org/abs/1603.07285),
#   arXiv (2016).
# - A. Odena, V. Dumoulin, C. Olah, [*Deconvolution and Checkerboard
#   Artifacts*](https://doi.org/10.23915/distill.00003), Distill (2016).
# - T. Miyato et al., [*Spectral Normalization for Generative Adversarial Networks*](https://arxiv.org/abs/1802.05957),
#   ICLR (2018).
# - L. Mescheder, A. Geiger, S. Nowozin, [*Which Training Methods for GANs do actually
#   Converge?*](https://arxiv.org/abs/1801.04406), ICML (2018): R1.
# - T. Karras, S. Laine, T. Aila, [*A Style-Based Generator Architecture for Generative Adversarial
#   Networks*](https://arxiv.org/abs/1812.04948), CVPR (2019): StyleGAN.
# - J.-Y. Zhu et al., [*Generative Visual Manipulation on the Natural Image
#   Manifold*](https://arxiv.org/abs/1609.03552), ECCV (2016): searching for z.
#
# **Next:** notebook 06b, how to measure made pictures, and the ways to fail.
