# %% [markdown]
# # 07 · One pixel after another
#
# A machine that only ever guesses the next pixel can draw whole pictures, and say exactly how probable each one is.
# **How does guessing one pixel at a time become a distribution over pictures, and what does it cost?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | build a masked network, check that it never looks ahead, read its likelihood in nats and bits, draw from it, and fill in hidden pixels with the right weights |
# | You need | cross-entropy (notebook 01), importance weights (03b), the VAE (04), convolutions |
# | Time | 60 seconds to run · seed 0 |

# %%
import copy
import time
from itertools import product

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.nb07.plots import kernel_masks, line_and_density, sight
from course_lib.data import load_mnist, sprites
from course_lib.experiments.pixelrnn import PixelExperiment, PixelHyperparameters, held_out, log_prob_of
from course_lib.experiments.vae import iw_bound_of
from course_lib.live import Bars, Curve, ImageGrid, LiveLab, SketchPad, explore, explore_canvas, show_film
from course_lib.measure import bits_per_dimension
from course_lib.models import gmm_em, gmm_subspace
from course_lib.models.layers import mlp
from course_lib.models.pixelcnn import GatedPixelCNN, PlainPixelCNN
from course_lib.models.pixelrnn import RasterRNN, RowLSTM, RowLSTMLayer
from course_lib.models.pixels import raster_mask
from course_lib.plots import curves, framed, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, predict, reveal
from course_lib.training import load_pretrained, run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two hours with the exercises; a good break is before "Half a picture". Draw the nine pixels on
# the board and let the class play the network: one student a pixel, each sees only those before. In the failure lab,
# show the wonderful loss first and ask who would publish it. The betting game works well with two teams.

# %% [markdown]
# ## Nine pixels by hand
# Number the pixels of a 3 x 3 picture row by row. Draw the first one at random, with some probability of ink. Draw the
# second *given the first*, the third given both, and so on. The product rule of probability says that nothing is lost:
#
# $$p(x) = p(x_1)\,p(x_2 \mid x_1) \cdots p(x_9 \mid x_1, \dots, x_8) .$$
#
# No label is needed. But the input grows from pixel to pixel, and a plain network
# has a fixed number of inputs. A **recurrent** network reads one pixel after the other and keeps what it has read in a
# state $h$: $\;h_j = \tanh(U x_{j-1} + W h_{j-1} + b)$, and the logits of $x_j$ are $V h_j$ plus a bias. A pixel enters
# as a row of zeros with a one at its value; before the first pixel, all are zeros.

# %%
class PixelRNN(nn.Module):
    """Reads pixels in turn and says, before each, what it may be."""

    def __init__(self, channels=32, n_classes=2):
        super().__init__()
        self.U, self.W = nn.Linear(n_classes, channels), nn.Linear(channels, channels, bias=False)
        self.V = nn.Linear(channels, n_classes)

    def start(self, n):
        """State h_0 and the "pixel" before the first one: zeros."""
        return torch.zeros(n, self.W.in_features), torch.zeros(n, self.U.in_features)

    def step(self, h, before):
        """h_j, and log p(x_j = k | all before) [n, N], from h_{j-1} and x_{j-1} as one-hot rows [n, N]."""
        h = torch.tanh(self.U(before) + self.W(h))
        return h, self.V(h).log_softmax(dim=1)

    def log_prob(self, x):
        """log p(x) in nats [n] of pictures x [n, H, W]."""
        (h, before), log_p = self.start(len(x)), 0
        for pixel in x.flatten(1).T:
            h, log_probs = self.step(h, before)
            log_p = log_p + log_probs.gather(1, pixel[:, None])[:, 0]
            before = F.one_hot(pixel, self.U.in_features).float()
        return log_p

# %% [markdown]
# There are $2^9 = 512$ pictures. We can ask the network about every one of them.

# %%
predict("07.sum", "The network has random weights. What do its probabilities of all 512 pictures add up to?",
        low=0, high=512)

# %%
library = RasterRNN((3, 3), generator=seeded())
network = PixelRNN()
network.load_state_dict(library.state_dict())
every = torch.tensor(list(product((0, 1), repeat=9))).view(512, 3, 3)
with torch.no_grad():
    total = network.log_prob(every).exp().sum()
    claim("largest difference from the library's network",
          (network.log_prob(every) - library.log_prob(every)).abs().max(), below=1e-5)
reveal("07.sum", total)
claim("the probabilities of all pictures add up to", total, near=1, within=1e-5)

# %% [markdown]
# One, whatever the weights, for in the sum over all pictures
#
# $$\sum_{x_9} p(x_9 \mid x_1, \dots, x_8) = 1 , \quad\text{then}\quad \sum_{x_8} p(x_8 \mid x_1, \dots, x_7) = 1 ,$$
#
# and so on down to $x_1$: the last factor falls away, then the one before it. So training cannot cheat.
# Let it learn pictures of one bar, a full row or column, in which each pixel is flipped now and then. Of those, too, we
# know $p(x)$.

# %%
bar = torch.zeros(6, 3, 3, dtype=torch.int64)
for k in range(3):
    bar[k, k], bar[3 + k, :, k] = 1, 1

def draw_bars(n, rng, flip=0.05):
    clean = bar[torch.randint(6, (n,), generator=rng)]
    return clean ^ (torch.rand(n, 3, 3, generator=rng) < flip)

def p_bars(x, flip=0.05):
    flipped = (x[:, None] != bar).sum(dim=(2, 3))
    return (flip**flipped * (1 - flip)**(9 - flipped)).mean(dim=1)

optimizer, rng = torch.optim.Adam(network.parameters(), lr=1e-2), seeded()
for _ in range(400):
    loss = -network.log_prob(draw_bars(128, rng)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    p, log_q = p_bars(every), network.log_prob(every)
claim("KL(bars ‖ network), a sum over all pictures, in nats", (p * (p.log() - log_q)).sum(), above=0, below=0.1)
claim("and the probabilities still add up to", log_q.exp().sum(), near=1, within=1e-5)

# %%
rng, steps, sheets = seeded(1), [], []
h, before = network.start(1)
for j in range(9):
    sheets.append(torch.tensor([float(x) for _, x in steps] + [0.3] * (9 - j)))   # grey is unknown
    with torch.no_grad():
        h, log_probs = network.step(h, before)
    p_ink = log_probs[0, 1].exp().item()
    pixel = int(torch.rand(1, generator=rng) < p_ink)
    steps.append((p_ink, pixel))
    before = F.one_hot(torch.tensor([pixel]), 2).float()

drawing = torch.tensor([x for _, x in steps]).view(1, 3, 3)
show(framed(images(torch.cat([torch.stack(sheets).view(9, 3, 3), drawing]), columns=5,
                   labels=[f"ink: {p:.2f}" for p, _ in steps] + ["done"], title="Each pixel given all before it"),
            places=[(j // 3, j % 3) for j in range(9)]),
     alt="Ten small pictures: a 3 by 3 image filled in pixel by pixel from the top left, the next pixel in a box, with "
         "its probability of ink above")
with torch.no_grad():
    claim("log p of this picture is the sum of its nine steps", network.log_prob(drawing) -
          sum(np.log(p if x else 1 - p) for p, x in steps), near=0, within=1e-4)

# %% [markdown]
# ## Many right answers
# Why a probability for each value, and not simply one number, the predicted pixel? Take numbers $y$ that lie on one of
# two branches. Squared error is least at the mean, and the mean lies where no $y$ is. Cut $y$ into classes instead, and
# a softmax can give half to each branch.

# %%
rng = seeded()
x = torch.rand(1000, 1, generator=rng)
side = torch.randint(2, (1000, 1), generator=rng) * 2 - 1
y = side * (0.25 + 0.5 * x) + 0.03 * torch.randn(1000, 1, generator=rng)
edges, grid = torch.linspace(-1, 1, 41), torch.linspace(0, 1, 60)[:, None]
y_class = torch.bucketize(y[:, 0], edges[1:-1])

one, many = mlp([1, 64, 1], rng), mlp([1, 64, 40], rng)
for network_, loss_of in ((one, lambda out: F.mse_loss(out, y)), (many, lambda out: F.cross_entropy(out, y_class))):
    optimizer = torch.optim.Adam(network_.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        loss_of(network_(x)).backward()
        optimizer.step()

# %%
with torch.no_grad():
    line, p_class = one(grid)[:, 0], many(grid).softmax(dim=1)
    guess = one(x)[:, 0]
    centres = (edges[1:] + edges[:-1]) / 2
    from_classes = centres[torch.multinomial(many(x).softmax(dim=1), 1, generator=rng)[:, 0]]
show(line_and_density(x[::4], y[::4], line, grid[:, 0], edges, p_class, title="The middle of two branches is on none"),
     alt="Points on two branches that move apart. Left, the regression is one line between them; right, the class "
         "probabilities are dark on both branches and light between")

def on_a_branch(y):
    return ((y.abs() - 0.25 - 0.5 * x[:, 0]).abs() < 0.15).float().mean()

claim("predictions of the regression that lie on a branch, share", on_a_branch(guess), below=0.05)
claim("draws from the classes that do", on_a_branch(from_classes), above=0.85)

# %% [markdown]
# Here are pixel creatures whose right half mirrors the left, so `12 * 6` pixels are free, put together from parts with
# known probabilities (`course_lib/data/sprites.py`), so their $p(x)$ is known, too. As red, green and blue with a
# little jitter, no two pixels are quite alike. Clustering finds the colours again, and a pixel becomes one of $N = 16$
# classes: **1-of-N**. The classes are the palette's colours, numbered in an order of their own.

# %%
creatures = sprites.Sprites()
x_creatures = creatures.sample(3000, seeded())
rgb = sprites.jittered_rgb(x_creatures, seeded(1)).flatten(1, 2)                     # [n, 72, 3], real numbers
clusters = KMeans(sprites.N_COLOURS, n_init=10, random_state=0).fit(rgb[:300].reshape(-1, 3))
found = torch.tensor(clusters.cluster_centers_, dtype=torch.float32)
claim("largest distance of a true colour from the nearest cluster's centre",
      torch.cdist(sprites.PALETTE / 255, found).amin(dim=1).max(), below=0.03)
name = torch.cdist(found, sprites.PALETTE / 255).argmin(dim=1)              # of each cluster, in the palette
claim("clusters whose names differ", len(name.unique()), near=sprites.N_COLOURS, within=0.1)
claim("pixels whose cluster has the name of their true colour, share",
      (name[clusters.labels_] == x_creatures[:300].flatten()).float().mean(), above=0.99)

rng, middle, noisy = seeded(2), torch.zeros(8, 0), torch.zeros(8, 0)
for j in range(72):                                                        # a regression for each pixel, on all before
    past = torch.cat([torch.ones(3000, 1), rgb[:, :j].flatten(1)], dim=1)
    w = torch.linalg.lstsq(past, rgb[:, j]).solution
    spread = (past @ w - rgb[:, j]).std(dim=0)
    noise = spread * torch.randn(8, 3, generator=rng)
    middle, noisy = (torch.cat([drawing, torch.cat([torch.ones(8, 1), drawing], dim=1) @ w + eps], dim=1)
                     for drawing, eps in ((middle, 0), (noisy, noise)))

# %%
pixelcnn, sprite_card = load_pretrained("pixelcnn_sprites")                        # predicts classes; explained below
from_pixelcnn = pixelcnn.sample(8, seeded()).images
rows = {"real": sprites.to_rgb(x_creatures[:8]), "regression": middle.view(8, 12, 6, 3),
        "plus noise": noisy.view(8, 12, 6, 3), "classes": sprites.to_rgb(from_pixelcnn)}
shown = torch.cat([torch.cat([r, r.flip(2)], dim=2) for r in rows.values()]).clamp(0, 1)
show(images(shown, columns=8, row_labels=list(rows), title="One number a pixel gives grey; classes give colours"),
     alt="Four rows: colourful pixel creatures; eight times the same greyish smear; smears with coloured noise; clean "
         "colourful creatures drawn from a model of classes")

def strength(rgb):
    """How far colours are from grey: largest less smallest of red, green and blue, mean of each picture."""
    return (rgb.amax(dim=-1) - rgb.amin(dim=-1)).mean(dim=(1, 2))

for name, limits in (("regression", {"below": 0.4}), ("classes", {"near": 1, "within": 0.35})):
    claim(f"strength of colour: {name}, relative to real", strength(rows[name]) / strength(rows["real"]).mean(),
          **limits)

# %% [markdown]
# The first pixel may be any background; the best single guess is their mean, a grey. Two things changed at once: the
# regression is linear, the classes come from a deep network. That one number averages, the branches showed.
#
# ## All pixels at once: masks
# Reading `28 * 28` pixels one by one makes training slow. But in training the picture is known, so a convolution can
# make all predictions at once, as long as none looks at its own pixel or a later one. So kernels are multiplied by a
# **mask**. Its centre lies on the pixel that is predicted. In the first layer the centre is the answer itself:
# forbidden, **mask A**. In later layers the centre holds what the layer before made of *earlier* pixels: allowed,
# **mask B**.

# %%
mask_A, above, left = raster_mask(7, 7, "A"), torch.zeros(7, 7), torch.zeros(7, 7)
above[:3], left[3, :3] = 1, 1
show(kernel_masks({"mask A, first": mask_A, "mask B, later": raster_mask(3, 3, "B"),
                   "vertical, first": above, "horizontal, first": left},
                  title="A one lets the kernel look, a zero does not"),
     alt="Four grids of ones and zeros. Mask A: ones in all rows above the centre and left of it; mask B: also at the "
         "centre; the vertical kernel: only the rows above; the horizontal one: only left of the centre")
claim("vertical and horizontal kernel share the places of mask A", bool((above + left == mask_A).all()))

# %% [markdown]
# Three networks:
#
# - **Plain PixelCNN**: a stack of masked convolutions.
# - **Row LSTM** (van den Oord, Kalchbrenner and Kavukcuoglu): after a convolution with mask A, an LSTM that goes down
#   the rows, all columns at once.
# - **Two gated stacks** (van den Oord and others, later that year): a vertical stack sees only rows above, a horizontal
#   one only what is left in the same row; each layer hands from the first to the second. The channels are cut into
#   halves $a_1$ and $a_2$, and a unit is $\tanh(a_1) \odot \sigma(a_2)$. No kernel reaches forbidden places, so no mask
#   costs an allowed place.
#
# An **LSTM** is a recurrent network with a memory $c$ beside its state $h$. Gates between 0 and 1 say how much of the
# memory stays ($f$), how much of the new, $g$, is written ($i$), and how much is shown ($o$). For a row's features
# $x_r$ from mask A,
#
# $$[o, f, i, g] = [\sigma, \sigma, \sigma, \tanh](K_{is} * x_r + K_{ss} * h_{r-1} + b), \quad
# c_r = f \odot c_{r-1} + i \odot g , \quad h_r = o \odot \tanh(c_r) .$$
#
# Here $*$ is convolution along the row. $K_{is}$ (input to state) looks at left and centre, as mask B; $K_{ss}$ (state
# to state) at left, centre and right of the row above.

# %%
def row_lstm(x, K_is, K_ss, b):
    """States of all rows [n, C, H, W] from features x [n, C, H, W]: one LSTM for each column, row after row."""
    C = x.shape[1]
    h = c = torch.zeros_like(x[:, :, 0])
    rows = []
    for row in x.unbind(dim=2):
        gates = F.conv1d(F.pad(row, (1, 0)), K_is, b) + F.conv1d(h, K_ss, padding=1)   # K_is: left and centre
        o, f, i = gates[:, :3 * C].sigmoid().chunk(3, dim=1)
        g = gates[:, 3 * C:].tanh()
        c = f * c + i * g
        h = o * c.tanh()
        rows.append(h)
    return torch.stack(rows, dim=2)

layer, x = RowLSTMLayer(8, seeded()), torch.randn(2, 8, 10, 7, generator=seeded())
K_is = torch.stack(layer.input_to_state.weight.chunk(2, dim=1), dim=2)
K_ss = torch.stack(layer.state_to_state.weight.chunk(3, dim=1), dim=2)
difference = row_lstm(x, K_is, K_ss, layer.input_to_state.bias) - layer(x.permute(2, 1, 3, 0)).permute(3, 1, 0, 2)
claim("largest difference from the library's layer, which needs one matrix product a row", difference.abs().max(),
      below=1e-5)

# %%
predict("07.sees", "Which of the three is blind to some earlier pixels, however many layers it has?",
        options=["none of them", "the plain stack", "the plain stack and Row LSTM", "all three"])

# %% [markdown]
# Do not believe a drawing: measure the **receptive field**. The gradient of one prediction with respect to each input
# pixel is zero exactly where the network does not look.

# %%
designs = {"plain": PlainPixelCNN, "Row LSTM": RowLSTM, "two stacks": GatedPixelCNN}

def reaction(design, layers, row=14, column=14):
    """Size of the gradient of one pixel's logits, by every pixel of a 28 x 28 picture."""
    return designs[design]((28, 28), 2, 8, layers, generator=seeded()).receptive_field(row, column, seeded(), images=2)

deep = {"plain, 12 layers": ("plain", 12), "Row LSTM, 1 layer": ("Row LSTM", 1),
        "Row LSTM, 12 layers": ("Row LSTM", 12), "two stacks, 12 layers": ("two stacks", 12)}
seen = {name: reaction(*design) > 0 for name, design in deep.items()}
show(sight(seen, 14, 14, title="What the prediction of the black pixel sees"),
     alt="Four pictures of 28 by 28 pixels. The plain stack misses a wedge on the right; Row LSTM with one layer "
         "a wedge on both sides, with twelve layers only the one on the right; the two stacks miss nothing earlier")

# %%
place = torch.arange(784).view(28, 28)
places = ((14, 14), (27, 14), (27, 27))                                    # mid-picture, last row, last pixel
missed = {name: {layers: [int(((place < 28 * i + j) & (reaction(name, layers, i, j) == 0)).sum()) for i, j in places]
                 for layers in (12, 28, 40)} for name in designs}
for name, by in missed.items():
    print(f"{name:12} earlier pixels missed at {places}:", ", ".join(f"{n} layers {m}" for n, m in by.items()))
blind = {"none of them": set(), "the plain stack": {"plain"}, "the plain stack and Row LSTM": {"plain", "Row LSTM"},
         "all three": set(designs)}
reveal("07.sees", {name: max(by[40]) for name, by in missed.items()},
       lambda most: next(text for text, who in blind.items() if who == {name for name in most if most[name] > 0}))
claim("two stacks, 28 layers: earlier pixels missed, at three places", missed["two stacks"][28], near=0, within=0.1,
      exact=True)
claim("twelve layers, last row: all three designs miss some", [m for by in missed.values() for m in by[12][1:]],
      above=50, exact=True)
claim("plain and Row LSTM: what 40 layers miss there, less what 28 miss",
      np.subtract(missed["plain"][40] + missed["Row LSTM"][40], missed["plain"][28] + missed["Row LSTM"][28]),
      near=0, within=0.1, exact=True)
claim("and in mid-picture they are blind to so many", [missed["plain"][40][0], missed["Row LSTM"][40][0]], above=50,
      exact=True)

# %%
earlier = place < 28 * 14 + 14
shallow, deep_lstm = (earlier & ~seen[f"Row LSTM, {n}"] for n in ("1 layer", "12 layers"))
rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
up, right = 14 - rows, columns - 14
triangle = earlier & (right >= -up - 4) & ((up == 0) | (right <= up + 2))
claim("Row LSTM, one layer, sees a triangle that grows by one column on each side with every row up",
      bool((seen["Row LSTM, 1 layer"] == triangle).all()))
claim("twelve layers: pixels on the left that Row LSTM misses", (deep_lstm & (right < 0)).sum(), near=0, within=0.1)
claim("on the right: pixels that one layer sees and twelve miss, or the other way round",
      ((shallow ^ deep_lstm) & (right >= 0)).sum(), near=0, within=0.1)

# %%
def look(design="plain", layers=5, row=14, column=14):
    return sight({f"{design}, {layers} layers": reaction(design, layers, row, column)}, row, column,
                 title="What one prediction sees")

explore(look, design=list(designs), layers=(1, 14, 1), row=(0, 27, 1), column=(0, 27, 1),
        alt="The pixels that the prediction of one pixel sees, misses, or may not see")

# %% [markdown]
# Two limits. **Reach**: twelve layers are too few for the last row in all three; more mend it. The **blind spot** stays:
# in a plain stack each step to the right costs a step up, for in its own row a kernel looks only left. A pixel in the
# row above but far to the right is never reached. Row LSTM has it, too: depth repairs only its left side.
#
# ## Break it: a leak
# A colleague uses mask B everywhere. Two short runs on MNIST, in ink or no ink:

# %%
def short_run(steps, **changes):
    experiment = PixelExperiment(PixelHyperparameters(channels=16, **changes), seed=0)
    nll = [metrics["nll"].item() for metrics in run(experiment, steps, progress=False)]
    return experiment.model, np.array(nll)

(honest, nll_honest), (leaking, nll_leaking) = short_run(120), short_run(120, first_mask="B")
claim("mask A: nats a picture at the end", nll_honest[-20:].mean(), above=100)
claim("mask B: nats a picture, far below any published result", nll_leaking[-20:].mean(), below=15)

# %%
from_honest, from_leaking = (model.sample(10, seeded()).images for model in (honest, leaking))
show(framed(images(torch.cat([from_honest, from_leaking]), row_labels=["mask A", "mask B"],
                   title="What the honest and the wonderful likelihood draw")),
     alt="Two rows of ten samples, drawn from the network with mask A and from the one with mask B")

# %% [markdown]
# It copies each pixel; when it draws, there is nothing to copy yet. No error is raised; so **check causality**: change
# one pixel at a time and see whether anything at or before it reacts.

# %%
@torch.no_grad()
def leaks(model, x):
    """How many pixels of one picture x [H, W], when changed, change the logits of themselves or of an earlier one."""
    D = x.numel()
    j = torch.arange(D)
    changed = x.flatten().repeat(D, 1)
    changed[j, j] = 1 - changed[j, j]                                        # picture j: pixel j is flipped
    logits = torch.cat([model(part) for part in changed.view(D, *x.shape).split(196)]).flatten(2)
    reacts = (logits - model(x[None]).flatten(2)).abs().amax(dim=1) > 1e-4   # [changed pixel, pixel that is told]
    return int((reacts & (j <= j[:, None])).any(dim=1).sum())

digit = held_out("mnist")[0]
claim("mask B: pixels of 784 that leak", leaks(leaking, digit), above=700)
for name in ("Row LSTM", "two stacks", "plain"):
    claim(f"mask A, {name}: pixels that leak", leaks(designs[name]((28, 28), 2, 8, 2, generator=seeded()), digit),
          near=0, within=0.1)

# %%
with torch.no_grad():
    sums = [RowLSTM((3, 3), 2, 8, generator=seeded(), first_mask=kind).log_prob(every).exp().sum() for kind in "AB"]
claim("nine pixels, mask A: the probabilities of all pictures add up to", sums[0], near=1, within=1e-5)
claim("mask B, untrained: how far their sum is from one", abs(sums[1] - 1), above=1e-3)

# %% [markdown]
# **Repair:** mask A in the first layer.
#
# ## Live
# Press **Start**. The loss is $-\log p(x)$ in nats a picture; divided by the number of pixels and by $\log 2$ it is
# **bits per pixel**. Then:
#
# 1. change the data to *mnist*;
# 2. change the first mask to B and look at loss and samples;
# 3. try the three models; one layer, six layers.

# %%
lab = LiveLab(
    PixelExperiment(PixelHyperparameters(data="sprites", model="gated_pixelcnn", layers=3), seed=0),
    views=[
        Curve("nll", labels={"nll": "−log p(x)"}, title="One batch's −log p(x)", ylabel="nats a picture"),
        ImageGrid("samples", columns=4, title="Samples"),
    ],
    knobs=["learning_rate", "data", "model", "layers", "first_mask"],
    headless_steps=120,
)
lab

# %% [markdown]
# ## How good is it?
# For the creatures we know the end of the road. $-\log p(x)$ of the true distribution, on average its **entropy**,
# cannot be beaten; and pixels that ignore each other cost the sum of their own entropies. What part of the way in
# between has the trained model gone?

# %%
x_sprites = held_out("sprites")[:2000]
true = creatures.log_prob(x_sprites)
model = torch.cat([log_prob_of(pixelcnn, part) for part in x_sprites.split(250)])  # in parts, to save memory
alone = creatures.independent_entropy()
for name, nats in (("independent pixels", alone), ("PixelCNN", -model.mean()), ("entropy", -true.mean())):
    print(f"{name:20}{nats:7.1f} nats, {bits_per_dimension(float(nats), 72):.2f} bits per pixel")
excess = true - model
print(f"{'what is missing':20}{excess.mean():7.1f} nats: KL(creatures ‖ model)")
claim("share of the way from independent pixels to the entropy", (alone + model.mean()) / (alone + true.mean()),
      above=0.94, below=1)
claim("what is missing, KL(creatures ‖ model), nats a creature", excess, above=0)

# %% [markdown]
# Do samples that look right score as well under the *true* distribution? A temperature $\tau$ divides the logits before
# a pixel is drawn: below 1 the likely gets likelier still.

# %%
predict("07.truth", "Samples of the model, with τ = 1: their −log p(x) under the truth, in nats, on average?",
        low=0, high=170)

# %%
scores = {tau: -creatures.log_prob(pixelcnn.sample(500, seeded(), temperature=tau).images)
          for tau in (0.5, 0.7, 1.0, 1.3)}
reveal("07.truth", scores[1.0].mean())
for tau, score in scores.items():
    print(f"τ = {tau}: {score.mean():6.1f} nats under the truth; real creatures have {-true.mean():.1f}")
claim("τ of 1: nats more than real creatures have", scores[1.0] + true.mean(), above=5)
claim("τ of 0.7: nats more; negative is 'better than real'", scores[0.7] + true.mean(), below=-5)

# %%
drawn = pixelcnn.sample(500, seeded())
cost = -creatures.log_prob(drawn.images)                                    # under the truth
other_kl = (drawn.log_q + cost).mean()
print(f"KL(model ‖ creatures) {other_kl:.1f} nats; median sample {cost.median():.1f} nats under the truth; "
      f"{100 * (cost > 60).float().mean():.0f} of 100 samples cost more than 60")
claim("KL(model ‖ creatures) relative to KL(creatures ‖ model)", other_kl / excess.mean(), above=2)
claim("mean of the samples less their median, nats", cost.mean() - cost.median(), above=3)
claim("median sample: nats more than real creatures have", cost.median() + true.mean(), above=1, below=10)

def draw_at(temperature=1.0, seed=0):
    return {"image": sprites.to_rgb(sprites.whole(pixelcnn.sample(12, seeded(seed), temperature).images)).numpy()}

explore_canvas(draw_at, [ImageGrid("image", columns=6, title="Twelve creatures")], temperature=(0.1, 2.0, 0.05),
               seed=(0, 20, 1), alt="Twelve creatures drawn at a temperature")

# %% [markdown]
# The mean under the truth is a cross-entropy. Add $\log q$, what the model says, and it is the other KL of notebook 03:
# $\mathrm{KL}(q \| p) = \mathbb{E}_q[\log q - \log p]$. The median sample costs little more than a real creature; a few very bad
# ones, with a pixel that no creature has, make the mean. A low temperature gives spotless creatures, more probable than
# real ones, because it leaves the rare ones out.
#
# ## Digits
# A Row LSTM with two layers, trained beforehand, on the same binarized test pictures as notebook 04's VAE.

# %%
row_lstm_28, card = load_pretrained("row_lstm")
vae, _ = load_pretrained("vae_z20")
digits = held_out("mnist")[::25]                                           # 400 of 10,000
exact, bound = log_prob_of(row_lstm_28, digits), iw_bound_of(vae, digits.flatten(1).float(), 50)
print(f"Row LSTM: {card.steps:,} steps, {card.minutes:.0f} minutes, all 10,000: {card.metrics['test_nll']:.2f} nats")
for name, value in (("Row LSTM, exact", exact), ("VAE, IW-50 bound", bound)):
    print(f"{name:18}{-value.mean():7.2f} nats, {bits_per_dimension(-value.mean().item(), 784):.4f} bits per pixel")
claim("all 10,000 test pictures, from the card, nats", card.metrics["test_nll"], below=82.5)
claim("nats that the Row LSTM is ahead of the VAE's bound, a picture", exact - bound, above=3)

# %% [markdown] cited="79.20 80.75 81.30"
# The paper reports, for binarized MNIST, 79.20 nats with seven layers and 80.75 with one for another model, the
# Diagonal BiLSTM, and 81.30 for PixelCNN; but for a *static* binarization that everybody shares. Ours is drawn anew in
# training and once for testing. So they cannot be compared to the nat.

# %%
samples = row_lstm_28.sample(12, seeded()).images
frames = torch.stack([torch.where(place < k, samples.float(), 0.35) for k in range(0, 785, 8)])
show_film(images(samples, columns=6, title="Twelve digits appear, pixel by pixel"), frames,
          alt="A film: twelve grey sheets are filled from the top, row by row, with handwritten digits")

# %%
warm = [row_lstm_28.sample(10, seeded(), temperature=tau).images for tau in (0.6, 1.0, 1.4)]
show(images(torch.cat(warm), row_labels=["τ = 0.6", "τ = 1", "τ = 1.4"], title="Too careful, as trained, too daring"),
     alt="Three rows of ten drawings, one row for each temperature")
ink = [w.float().mean() for w in warm]
claim("share of ink, τ of 0.6 relative to τ of 1", ink[0] / ink[1], below=0.9)

# %% [markdown]
# ## Half a picture
# Cover the lower half. The seen (observed) pixels $x_o$ come first, so drawing the hidden ones $x_h$ simply goes on
# from there: each completion is an exact draw from $p(x_h \mid x_o)$, with its exact probability.

# %%
lower = torch.arange(28)[:, None].expand(28, 28) < 14                        # True where a pixel is seen
chosen = digits[[4, 9, 13, 30]]
with torch.no_grad():
    of_truth = -(F.cross_entropy(row_lstm_28(chosen), chosen, reduction="none") * ~lower).sum(dim=(1, 2))
many = row_lstm_28.inpaint(chosen.repeat_interleave(8, dim=0), lower, seeded())
sheet, labels = [], []
for k, truth in enumerate(chosen):
    part = slice(8 * k, 8 * k + 8)
    order = many.log_q[part].argsort(descending=True)
    sheet += [torch.where(lower, truth, 0.35)[None], many.images[part][order], truth[None]]
    labels += ["seen", *(f"−{-q:.0f}" for q in [*many.log_q[part][order], of_truth[k]])]
show(images(torch.cat(sheet), labels=labels,
            title="Eight completions, and last the truth, with log p(hidden | seen) in nats"),
     alt="Four rows: the upper half of a digit, eight different completions of its lower half with their log "
         "probabilities, and the true digit with its own")

# %% [markdown]
# Who knows the hidden half best? Let each model bet on every pixel, and count bits. The mixture (notebook 02) bets its
# exact conditional mean. The VAE (04) walks for sixty rounds from the mixture's answer, and bets the mean of the last
# forty pictures that it decoded. Both bet on all pixels at once, the Row LSTM on one pixel after the other.

# %%
def bits_a_pixel(p, x=digits):
    """−log2 of the probability that bets p of ink give to the hidden pixels of x [n, 28, 28], mean over pixels, [n]."""
    p = p.clamp(0.005, 0.995)                                              # nobody is ever quite sure
    return -torch.where(x.bool(), p, 1 - p).log2()[:, ~lower].mean(dim=1)

train = load_mnist("train")
ink = train[:6_000].binarized(seeded()).flatten(1)
space = gmm_subspace.Subspace.of(ink, d=50)
inside = space.project(ink)
mixture = gmm_em.fit(inside, gmm_em.start(inside, 10, seeded(), reg=0.01), steps=10, reg=0.01)[0]
flat = digits.flatten(1).float()
by_mixture = space.inpaint(mixture, flat, lower.flatten()).float()

walk, by_vae, rng = torch.where(lower.flatten(), flat, by_mixture.clamp(0, 1)), 0, seeded()
for i in range(60):
    walk, mean = vae.inpaint(walk, lower.flatten(), 1, rng)
    by_vae = by_vae + mean / 40 * (i >= 20)

# %%
with torch.no_grad():
    told = torch.cat([row_lstm_28(part).softmax(dim=1)[:, 1] for part in digits.split(50)])
bits = {"each pixel's frequency": bits_a_pixel(ink.mean(dim=0).view(28, 28).expand(400, 28, 28)),
        "VAE's walk": bits_a_pixel(by_vae.view(-1, 28, 28)),
        "mixture's exact mean": bits_a_pixel(by_mixture.view(-1, 28, 28)),
        "Row LSTM": bits_a_pixel(told)}
for name, value in bits.items():
    print(f"{name:24}{value.mean():.3f} bits a hidden pixel")
claim("mixture less Row LSTM, bits a hidden pixel", bits["mixture's exact mean"] - bits["Row LSTM"], above=0.1)
claim("VAE less Row LSTM", bits["VAE's walk"] - bits["Row LSTM"], above=0.1)

# %% [markdown]
# The others are at a disadvantage: the mixture learned from a tenth of the digits (in 04 a larger one, from half of
# them, did better), and only the Row LSTM is told each pixel after its bet. Play the same game. Continue the digit on
# the pad: ink is your bet that a pixel is inked, paper that it is not. The score is $-\log_2$ of what you gave to the
# truth, added up: your log-likelihood. *Load an example* gives the next digit. Your opponents: each pixel's frequency;
# the network told nothing, `net`; and the network told each pixel after its bet.

# %%
blind = row_lstm_28.inpaint(chosen.repeat(48, 1, 1), lower, seeded(7)).images.view(48, 4, 28, 28).float().mean(dim=0)
network_told = told[[4, 9, 13, 30]]

def bet(drawing, show_truth=False):
    yours = torch.tensor(drawing)
    k = ((yours - chosen.float()).abs() * lower).sum(dim=(1, 2)).argmin()    # which of the four it is
    truth = chosen[k].float()
    bets = [p.clamp(0.02, 0.98) for p in (yours, ink.mean(dim=0).view(28, 28), blind[k], network_told[k])]
    hidden = truth if show_truth else torch.full((28, 28), 0.35)
    return {"image": torch.stack([torch.where(lower, truth, part) for part in (yours, hidden, blind[k])]).numpy(),
            "bits": np.array([392 * bits_a_pixel(p[None], truth[None]).item() for p in bets])}

pad = SketchPad(chosen.float() * lower, label="Bet on the lower half")
GAME = [ImageGrid("image", columns=3, title="your bet · the truth · the network's bet, told nothing"),
        Bars("bits", names=["you", "freq.", "net", "told"], title="Lost bits; fewer are better",
             ylabel="bits")]
explore_canvas(bet, GAME, drawing=pad, show_truth=False, labels={"show_truth": "show the truth"},
               alt="A digit's upper half with a bet on the lower half, and the bits that each player loses")

# %%
losses = np.array([bet(half.numpy())["bits"] for half in (chosen.float() * lower)])
claim("told each pixel, bits relative to told nothing, four digits", losses[:, 3] / losses[:, 2], below=0.8)

# %% [markdown]
# For these four digits much of the lead is in the chain rule: the last pixel says much about the next.
#
# ## The other half
# Now cover the *upper* half. Its pixels come first, and are drawn before anything was seen. So they come from another
# distribution, $q(x_h) = \prod_{j \text{ hidden}} p(x_j \mid x_1, \dots, x_{j-1})$. Weights mend that (notebook 03b):
#
# $$w = \frac{p(x)}{q(x_h)} = \prod_{j \text{ seen}} p(x_j \mid x_1, \dots, x_{j-1}),$$
#
# because the hidden factors cancel. Averages weighted by $w$ go to those under $p(x_h \mid x_o)$, since that is
# $p(x)/p(x_o)$, and the mean weight goes to $p(x_o)$. On nine pixels we can check both by adding up all pictures.

# %%
library.load_state_dict(network.state_dict())
below = torch.zeros(3, 3, dtype=torch.bool)
below[2] = True                                                              # only the last row is seen
seen_bar = torch.tensor([[0, 0, 0], [0, 0, 0], [0, 1, 0]])
draws = library.inpaint(seen_bar.expand(4000, 3, 3), below, seeded())
w = (draws.log_p - draws.log_q).exp()

fits = (every == seen_bar)[:, below].all(dim=1)
q_every = log_q.exp()
p_seen = q_every[fits].sum()
truth = (q_every[fits, None, None] * every[fits]).sum(dim=0) / p_seen        # exact p(ink | last row)
weighted = (w[:, None, None] * draws.images).sum(dim=0) / w.sum()
claim("mean weight, relative to the exact p(seen)", w.mean() / p_seen, near=1, within=0.25)
claim("ink above the seen one: exact", truth[1, 1], above=0.6)
claim("weighted draws, largest error", (weighted - truth).abs().max(), below=0.12)
claim("unweighted draws, largest error", (draws.images.double().mean(dim=0) - truth).abs().max(), above=0.3)

# %%
predict("07.worth", "A thousand creatures are drawn for a seen lower half. How many draws from the right distribution "
        "are they worth?", low=1, high=1000)

# %%
lower_seen = torch.arange(12)[:, None].expand(12, 6) >= 6
sheet, worth = [], []
for x in x_creatures[[1, 2, 4, 5]]:                                        # the first three are shown
    draws = pixelcnn.inpaint(x.expand(1000, 12, 6), lower_seen, seeded())
    log_w = draws.log_p - draws.log_q
    share = log_w.softmax(dim=0)
    again = draws.images[torch.multinomial(share, 5, replacement=True, generator=seeded())]
    seen = torch.where(lower_seen[..., None], sprites.to_rgb(x), torch.tensor(0.8))
    sheet += [seen[None], sprites.to_rgb(draws.images[:5]), sprites.to_rgb(again), sprites.to_rgb(x)[None]]
    worth.append((1 / (share**2).sum()).item())
shown = torch.cat(sheet[:12])
show(images(torch.cat([shown, shown.flip(2)], dim=2), columns=12,
            labels=["seen", *["drawn"] * 5, *["chosen"] * 5, "truth"] * 3,
            title="Heads drawn before the body is known, and those chosen by weight"),
     alt="Three rows: a creature's lower half; five upper halves drawn without looking at it; five of a thousand such, "
         "chosen by their weights; the true creature")
reveal("07.worth", np.mean(worth))
claim("effective number of a thousand draws, four creatures", worth, above=3, below=20)

# %%
draws = row_lstm_28.inpaint(chosen.repeat_interleave(100, dim=0), ~lower, seeded())
share = (draws.log_p - draws.log_q).view(4, 100).softmax(dim=1)
claim("digits, upper half: what a hundred draws are worth, four digits", 1 / (share**2).sum(dim=1), below=5)

# %% [markdown]
# Twins among the chosen heads come from the small effective number. For a digit only a few are left. The answer is
# right in the limit, and for digits of little use: the order of the pixels is a choice, and decides which questions are
# cheap.
#
# Cover what you like: ink on the pad hides. Where the hidden part lies above a seen part, look for seams.

# %%
corners = torch.zeros(4, 28, 28)
corners[0, 14:], corners[1, :14], corners[2, :, 14:], corners[3, 8:20, 8:20] = 1, 1, 1, 1

def cover(mask, digit=0, temperature=1.0):
    hidden, x = torch.tensor(mask) > 0.5, chosen[digit]
    done = row_lstm_28.inpaint(x.expand(7, 28, 28), ~hidden, seeded(), temperature)
    pictures = torch.cat([torch.where(hidden, 0.35, x.float())[None], done.images.float(), x[None].float()])
    own = log_prob_of(row_lstm_28, x[None])
    return {"image": pictures.numpy(), "nats": -torch.cat([done.log_p, own]).numpy()}

mask_pad = SketchPad(corners, label="Ink hides", pen=2.5, on_lift=True)
COVERED = [ImageGrid("image", columns=3, title="row by row: seen, completions 1 to 7, truth"),
           Bars("nats", names=[*"1234567", "t"], title="−log p(x) of each; t is the truth", ylabel="nats")]
explore_canvas(cover, COVERED, mask=mask_pad, digit=(0, 3, 1), temperature=(0.3, 1.5, 0.1),
               alt="A digit with hidden pixels, seven completions and the truth, and minus log p of each")

# %% [markdown]
# ## The price
# Scoring a picture takes one pass, since all pixels are known. Drawing takes one pass **per pixel**, in a row: the
# drawback of all **autoregressive** (fully visible) models, which predict each variable from those before it. Remembering what does not
# change (`cached`) saves most of each pass, but not their number. A GAN or a VAE needs one pass for all.

# %%
predict("07.price", "28 x 28 pixels: how many times as long as the VAE's decoder does the naive Row LSTM take?",
        low=1, high=1_000_000)

# %%
def seconds(draw):
    begun = time.process_time()
    draw()
    return time.process_time() - begun

def prices(side):
    """Processor seconds to draw four pictures, by name."""
    rnn, decoder = RowLSTM((side, side), generator=seeded()), mlp([20, 256, 512, side * side], seeded())
    generator = nn.Sequential(nn.Linear(64, 2 * side**2), nn.ReLU(), nn.Unflatten(1, (32, side // 4, side // 4)),
                              nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))
    return {"Row LSTM, naive": seconds(lambda: rnn.sample(4, seeded(), cached=False)),
            "Row LSTM, cached": seconds(lambda: rnn.sample(4, seeded())),
            "VAE": seconds(lambda: [decoder(torch.randn(4, 20, generator=seeded())) for _ in range(50)]) / 50,
            "GAN": seconds(lambda: [generator(torch.randn(4, 64, generator=seeded())) for _ in range(50)]) / 50}

sizes = (8, 16, 28)
measured = [prices(side) for side in sizes]
costs = {name: np.array([each[name] for each in measured]) for name in measured[0]}
show(curves(sizes, costs, title="Four pictures: the price of going pixel by pixel", log_x=True, log_y=True,
            xlabel="pixels a side", ylabel="processor seconds"),
     alt="On a logarithmic axis, four lines over the size of the picture; in processor seconds at the largest: "
         + ", ".join(f"{name} {cost[-1]:.1g}" for name, cost in costs.items()))

# %%
passes, counted = [], RowLSTM((8, 8), generator=seeded())
counted.register_forward_hook(lambda *_: passes.append(1))
counted.sample(1, seeded(), cached=False)
claim("passes of the whole network for one picture of 8 x 8", len(passes), near=64, within=0.1)

naive, cached, by_decoder, by_generator = costs.values()
reveal("07.price", naive[-1] / by_decoder[-1])
claim("naive over cached at the largest size", naive[-1] / cached[-1], above=10)
claim("naive: largest over smallest size; pixels grew twelvefold", naive[-1] / naive[0], above=30)
claim("cached Row LSTM over VAE, largest size", cached[-1] / by_decoder[-1], above=100)
claim("cached Row LSTM over GAN, largest size", cached[-1] / by_generator[-1], above=50)

# %% [markdown]
# Must it go in a row? A pixel is drawn by a uniform number. Fix all these numbers. Start from any picture and pick *all*
# pixels anew in one pass, each given the old ones before it; again, until nothing changes. The first pixel is right
# after one pass, the second after two at the latest, and so on: what stays is the very picture of drawing in a row. This
# **Jacobi iteration** (Song et al.) may spread each pass over many computers.

# %%
predict("07.passes", "How many passes until a digit of 784 pixels stands, on average?", low=1, high=784)

# %%
@torch.no_grad()
def draw_at_once(model, u):
    """Images [n, H, W] from uniform numbers u, and how many passes changed each of them, [n]."""
    x, passes = torch.zeros(u.shape, dtype=torch.int64), torch.zeros(len(u))
    while True:
        cumulated = model(x).double().softmax(dim=1).cumsum(dim=1)[:, :-1]
        new = (u[:, None] > cumulated).sum(dim=1)
        moved = (new != x).flatten(1).any(dim=1)
        if not moved.any():
            return x, passes
        x, passes = new, passes + moved

for name, trained, share in (("digits", row_lstm_28, 0.05), ("creatures", pixelcnn, 0.35)):
    precise = copy.deepcopy(trained).double()                              # no tie is broken by rounding
    at_once, passes = draw_at_once(precise, torch.rand(12, *trained.size, generator=seeded()))
    in_a_row = precise.sample(12, seeded()).images
    claim(f"{name}: pixels that differ from those drawn in a row", (at_once != in_a_row).sum(), near=0, within=0.1)
    if name == "digits":
        reveal("07.passes", passes.mean())
    print(f"{name}: {passes.mean():.0f} passes on average, at most {passes.max():.0f}, not {in_a_row[0].numel()}")
    claim(f"{name}: passes, as a share of the pixels", passes / in_a_row[0].numel(), below=share)

# %% [markdown]
# On one computer `cached` stays cheaper, for it computes each pixel once; on many this may win. **Speculative decoding**
# of language models is akin: guess ahead, check all guesses in one pass.
#
# ## Your turn
# **1.** Build mask A.

# %% tags=["exercise"]
def mask_a(weight):
    """Float mask [rows, columns] for kernels weight [n_out, n_in, rows, columns]: 1 where a first layer may look."""
    ### BEGIN SOLUTION
    rows, columns = weight.shape[2:]
    mask = torch.zeros(rows, columns)
    mask[:rows // 2] = 1
    mask[rows // 2, :columns // 2] = 1
    return mask
    ### END SOLUTION

# %%
check("07.mask_a", mask_a)

# %% [markdown]
# **2.** From logits to a likelihood, in both units.

# %% tags=["exercise"]
def nats_and_bits(logits, x):
    """log p(x) in nats [n], and -log p(x) in bits per pixel [n]; logits [n, N, H, W], x [n, H, W] in 0 … N-1."""
    ### BEGIN SOLUTION
    log_p = -F.cross_entropy(logits, x, reduction="none").sum(dim=(1, 2))
    return log_p, -log_p / x[0].numel() / np.log(2)
    ### END SOLUTION

# %%
check("07.nats_and_bits", nats_and_bits)

# %% [markdown]
# **3.** Write the sampling loop. `logits_of(x)` gives logits `[n, N, H, W]`; those of a pixel depend on earlier ones
# only. Use the given uniform numbers: a pixel is the first value whose cumulated probability exceeds its `u`.

# %% tags=["exercise"]
def draw_images(logits_of, u):
    """Images int64 [n, H, W], from uniform numbers u [n, H, W] in [0, 1)."""
    ### BEGIN SOLUTION
    x = torch.zeros(u.shape, dtype=torch.int64)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            cumulated = logits_of(x)[:, :, i, j].softmax(dim=1).cumsum(dim=1)[:, :-1]
            x[:, i, j] = (u[:, i, j, None] >= cumulated).sum(dim=1)
    return x
    ### END SOLUTION

# %%
check("07.draw_images", draw_images)

# %% [markdown]
# **4.** Any half: from draws as `inpaint` makes them, estimate $p(x_j = 1 \mid x_o)$ of each pixel and say how many
# draws they are worth.

# %% tags=["exercise"]
def ink_given_seen(images, log_p, log_q):
    """p(ink | seen) [H, W], and the effective number of draws, a 0-d tensor; images [n, H, W], log_p, log_q [n]."""
    ### BEGIN SOLUTION
    share = (log_p - log_q).softmax(dim=0)                                   # weights that add up to one
    return (share[:, None, None] * images).sum(dim=0), 1 / (share**2).sum()
    ### END SOLUTION

# %%
check("07.ink_given_seen", ink_given_seen)

# %% [markdown]
# ## What to keep
# - The chain rule makes any network that never looks ahead a distribution: sums to one, exact likelihood, no bound.
# - Check causality, by gradient and by flipping pixels.
# - Classes keep several right answers apart; one number averages them.
# - Cheap: scoring, training, what comes later. Dear: drawing in a row, and whatever runs against the order. Parallel
#   passes reach the very same picture, in far fewer.
#
# **Read on:**
#
# - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, [*Pixel Recurrent Neural
#   Networks*](https://arxiv.org/abs/1601.06759), ICML (2016).
# - A. van den Oord et al., [*Conditional Image Generation with PixelCNN Decoders*](https://arxiv.org/abs/1606.05328),
#   NIPS (2016).
# - H. Larochelle, I. Murray, [*The Neural Autoregressive Distribution
#   Estimator*](https://proceedings.mlr.press/v15/larochelle11a.html), AISTATS (2011): an early fully visible network,
#   and the static binarization.
# - B. Frey, [*Graphical Models for Machine Learning and Digital
#   Communication*](https://mitpress.mit.edu/9780262062022/), MIT Press (1998).
# - Y. Song et al., [*Accelerating Feedforward Computation via Parallel Nonlinear Equation
#   Solving*](https://arxiv.org/abs/2002.03629), ICML (2021).
#
# **Next:** notebook 07b, one symbol after another: the same idea for text and sound.
