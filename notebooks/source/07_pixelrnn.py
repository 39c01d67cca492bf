# %% [markdown]
# # 07 · Autoregressive models: one pixel after another
#
# A network that only predicts the next pixel can draw whole pictures, and say exactly how probable each one is. Such an
# **autoregressive model** predicts each variable from those before it.
# **How does predicting one pixel at a time become a distribution over pictures, and how good a one?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | build a network of masked convolutions, check that no prediction depends on what comes later, find its blind spot, read its likelihood in nats and bits, and draw from it |
# | You need | cross-entropy (notebook 01), the KL divergence (03), the VAE (04), convolutions |
# | Time | 60 seconds to run · seed 0 |

# %%
from itertools import product

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import nn
from torch.nn import functional as F

from course_lib.chapters.nb07.plots import kernel_masks, line_and_density, sight
from course_lib.data import sprites
from course_lib.experiments.pixelrnn import PixelExperiment, PixelHyperparameters, held_out, log_prob_of
from course_lib.experiments.vae import iw_bound_of
from course_lib.live import Curve, ImageGrid, LiveLab, explore, explore_canvas, show_film
from course_lib.measure import bits_per_dimension
from course_lib.models.layers import mlp
from course_lib.models.logistic_mixture import level_log_probs
from course_lib.models.pixelcnn import GatedPixelCNN, PlainPixelCNN
from course_lib.models.pixelrnn import RasterRNN, RowLSTM, RowLSTMLayer
from course_lib.models.pixels import raster_mask
from course_lib.plots import curves, framed, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import load_pretrained, run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Draw the nine pixels on the board and let the class play the
# network: one student a pixel, each sees only those before. In the failure lab, show the loss of the leaking network
# first and ask who would publish it. What such a model is good for, and what drawing costs, is notebook 07c.
#
# - **Prepare.** Nine cards on the board, face down.
# - **07.sum.** anything but one: the weights are random. Each factor is normalised; multiply them out for two pixels.
# - **Receptive field and blind spot.** Colour the cells that one mask reaches, layer by layer.
# - **07.sees.** “none of them”, as more layers see more. Follow the colours to the upper right.
# - **07.truth.** about the entropy. A model that is a little wrong leaves the set of possible pictures.
# - **07.third.** “the mixture, both times”. What can the classes learn that it cannot?

# %% [markdown]
# ## The chain rule: nine pixels by hand
# Number the pixels of a 3 x 3 picture row by row, in **raster order**. Draw the first one at random, with some
# probability of ink. Draw the second *given the first*, the third given both, and so on. The **chain rule** (the
# product rule of probability, applied again and again) says that nothing is lost:
#
# $$p(x) = p(x_1)\,p(x_2 \mid x_1) \cdots p(x_9 \mid x_1, \dots, x_8) .$$
#
# But the input grows from pixel to pixel, and a plain network has a fixed number of inputs. A **recurrent neural
# network** (RNN) reads one pixel after the other and keeps what it has read in its **recurrent state** $h$:
# $\;h_j = \tanh(U x_{j-1} + W h_{j-1} + b)$. $V h_j$ plus a bias are the **logits** of $x_j$, of which a softmax makes
# the probabilities of its values. The matrices $U$, $W$, $V$ and the biases are learned. A pixel with $N$ possible values
# (here two: ink or none) enters as $N$ numbers, a one at its value, else zeros
# (**one-hot**); before the first pixel, all are zeros.
#
# To score a picture, in **nats** (natural logarithms), feed the network the *true* pixel at each step: **teacher
# forcing**. To draw one, feed it the pixel that it has just drawn: **ancestral sampling**.

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
            before = F.one_hot(pixel, self.U.in_features).float()          # the true pixel: teacher forcing
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
    difference = network.log_prob(every) - library.log_prob(every)
reveal("07.sum", total)
with claim_table():
    claim("Our network's log p(x) less that of the library's network, each picture", difference, near=0, within=1e-5,
          exact=True)
    claim("Random weights: the probabilities of all pictures add up to", total, near=1, within=1e-5, exact=True)

# %% [markdown]
# One, whatever the weights, for in the sum over all pictures
#
# $$\sum_{x_9} p(x_9 \mid x_1, \dots, x_8) = 1 , \quad\text{then}\quad \sum_{x_8} p(x_8 \mid x_1, \dots, x_7) = 1 ,$$
#
# and so on down to $x_1$: the last factor falls away, then the one before it. So no training can make every picture
# likely: what one gains, others lose.
# Let the network learn pictures of one bar, a full row or column, in which each pixel is flipped now and then. Of
# those we know the *true* $p(x)$; what the network says is $q(x)$ then. If $x$ differs from a bar in `k` pixels, that bar
# gives it the probability `flip**k * (1 - flip)**(9 - k)`, and $p(x)$ is the mean over the six bars.

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
with claim_table():
    claim("KL(bars ‖ network), a sum over all pictures, in nats", (p * (p.log() - log_q)).sum(), above=0, below=0.1)
    claim("Trained weights: the probabilities of all pictures add up to", log_q.exp().sum(), near=1, within=1e-5,
          exact=True)

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
    before = F.one_hot(torch.tensor([pixel]), 2).float()                   # the pixel just drawn: ancestral sampling

drawing = torch.tensor([x for _, x in steps]).view(1, 3, 3)
show(framed(images(torch.cat([torch.stack(sheets).view(9, 3, 3), drawing]), columns=5,
                   labels=[f"ink: {p:.2f}" for p, _ in steps] + ["done"], title="Each pixel given all before it"),
            places=[(j // 3, j % 3) for j in range(9)]),
     alt="Ten small pictures: a 3 by 3 image filled in pixel by pixel from the top left, the next pixel in a box, with "
         "its probability of ink above")
with torch.no_grad():
    claim("Log p of this picture, less the sum of the logarithms of its nine steps", network.log_prob(drawing) -
          sum(np.log(p if x else 1 - p) for p, x in steps), near=0, within=1e-4, exact=True)

# %% [markdown]
# ## Classification, not regression: many right answers
# Why a probability for each value, not one number? For a pixel that is 0 or 1 one
# number is enough: the probability of 1. With more it is not. Let $y$ lie on one of two branches,
# depending on a number $x$. Squared error is least at the mean, where no $y$ is. Cut $y$ into classes
# instead, and a softmax can give half to each branch. (`mlp`: linear layers of these sizes, a ReLU between two.)

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

with claim_table():
    claim("Share of the regression's predictions that lie on a branch", on_a_branch(guess), below=0.02)
    claim("Share of the draws from the classes that lie on a branch", on_a_branch(from_classes), above=0.97)

# %% [markdown]
# So a pixel is a **class**, one of $N$ values: ink and paper, or sixteen colours further down.
#
# ## Masked convolutions: all pixels at once
# Reading `28 * 28` pixels one by one makes training slow. But under teacher forcing the whole picture is known, so a
# convolution can make all predictions at once, as long as none looks at its own pixel or a later one. So kernels are
# multiplied by a **mask**: a **masked convolution**. The kernel's centre lies on the pixel that is predicted. In the
# first layer the centre is the answer itself: forbidden, **mask A**. In later layers the centre holds what the layer
# before made of *earlier* pixels: allowed, **mask B**.

# %%
mask_A, above, left = raster_mask(7, 7, "A"), torch.zeros(7, 7), torch.zeros(7, 7)
above[:3], left[3, :3] = 1, 1
show(kernel_masks({"mask A, first": mask_A, "mask B, later": raster_mask(3, 3, "B"),
                   "vertical, first": above, "horizontal, first": left},
                  title="A one lets the kernel look, a zero does not"),
     alt="Four grids of ones and zeros. Mask A: ones in all rows above the centre and left of it; mask B: also at the "
         "centre; the vertical kernel: only the rows above; the horizontal one: only left of the centre")
claim("The vertical and the horizontal kernel together have the places of mask A", bool((above + left == mask_A).all()))

# %% [markdown]
# Three networks; at the end of each, two layers with 1 x 1 kernels make the logits:
#
# - **Plain PixelCNN**: a stack of masked convolutions.
# - **Row LSTM**: after a convolution with mask A, a recurrent network that goes down the rows, all columns at once.
# - **Gated PixelCNN**, two stacks: a vertical stack sees only rows above, a horizontal one what is left in the same row
#   (the last two kernels above). In each layer the horizontal stack also takes the vertical features of
#   its *own* place. These know only rows above, so nothing leaks. The features (**channels**) are cut into halves $a_1$ and $a_2$;
#   a layer gives on $\tanh(a_1) \odot \sigma(a_2)$: $\odot$ multiplies entry by entry, and $\sigma$, the logistic
#   function, is a gate between 0 and 1.

# %% [markdown]
# ## LSTM and Row LSTM
# An **LSTM** (long short-term memory) is a recurrent network with a memory $c$ beside its state $h$. Its **gates** lie
# between 0 and 1 and say how much of the memory stays ($f$), how much of the new, $g$, is written ($i$), and how much
# is shown ($o$). In place of the RNN of the nine pixels it would be
#
# $$\begin{aligned}
# [o, f, i, g] &= [\sigma, \sigma, \sigma, \tanh](U x_{j-1} + W h_{j-1} + b) , \\
# c_j &= f \odot c_{j-1} + i \odot g , \quad h_j = o \odot \tanh(c_j) .
# \end{aligned}$$
#
# $U$, $W$ and $b$ have four times as many rows as before: a quarter each for $o$, $f$, $i$ and $g$.
#
# The Row LSTM takes rows for pixels: $h_{r-1}$ is the state of the whole row above, and $x_r$ the features that mask A
# has made for row $r$. All columns share their weights, and each may look at its neighbours, so the products with
# matrices become convolutions along the row, written $*$: $\;K_{is} * x_r + K_{ss} * h_{r-1} + b$ in place of the
# sum in brackets. $K_{is}$ (input to state) looks at left and centre, as mask B; $K_{ss}$ (state to state) at left,
# centre and right of the row above, all of them earlier.

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
b = layer.input_to_state.bias
difference = row_lstm(x, K_is, K_ss, b) - layer(x.permute(2, 1, 3, 0)).permute(3, 1, 0, 2)    # theirs: [H, C, W, n]
claim("Our Row LSTM less the library's layer, which needs one matrix product a row: largest difference",
      difference.abs().max(), below=1e-5, exact=True)

# %% [markdown]
# ## Receptive field and blind spot

# %%
predict("07.sees", "Which of the three is blind to some earlier pixels, however many layers it has?",
        options=["none of them", "the plain stack", "the plain stack and Row LSTM", "all three"])

# %% [markdown]
# We measure the **receptive field**, the pixels that a prediction depends on: the gradient of one prediction with
# respect to each input pixel. It is zero where the network does not look. Where it looks, a zero is rare.

# %%
designs = {"plain": PlainPixelCNN, "Row LSTM": RowLSTM, "two stacks": GatedPixelCNN}

def reaction(design, layers, row=14, column=14, parts=1):
    """Size of the gradient of one pixel's logits, by every pixel of a 28 x 28 picture, over eight images a part."""
    network = designs[design]((28, 28), 2, 8, layers, generator=seeded())
    return sum(network.receptive_field(row, column, seeded(part)) for part in range(parts))

deep = {"plain, 12 layers": ("plain", 12), "Row LSTM, 1 layer": ("Row LSTM", 1),
        "Row LSTM, 12 layers": ("Row LSTM", 12), "two stacks, 12 layers": ("two stacks", 12)}
seen = {name: reaction(*design) > 0 for name, design in deep.items()}
show(sight(seen, 14, 14, title="A wedge on the right is missed by all but the two stacks"),
     alt="Four pictures of 28 by 28 pixels. The plain stack misses a wedge on the right; Row LSTM with one layer "
         "a wedge on both sides, with twelve layers only the one on the right; the two stacks miss nothing earlier")

# %%
place = torch.arange(784).view(28, 28)
places = ((14, 14), (27, 14), (27, 27))                                    # mid-picture, last row, last pixel
missed = {name: {layers: [int(((place < 28 * i + j) & (reaction(name, layers, i, j, parts=4) == 0)).sum())
                          for i, j in places] for layers in (12, 28, 40)} for name in designs}
for name, by in missed.items():
    print(f"{name:12} earlier pixels missed at {places}:", ", ".join(f"{n} layers {m}" for n, m in by.items()))
blind = {"none of them": set(), "the plain stack": {"plain"}, "the plain stack and Row LSTM": {"plain", "Row LSTM"},
         "all three": set(designs)}
reveal("07.sees", {name: max(by[40]) for name, by in missed.items()},
       lambda most: next(text for text, who in blind.items() if who == {name for name in most if most[name] > 0}))
with claim_table():
    claim("Two stacks, 28 layers: earlier pixels missed, at three places", missed["two stacks"][28], near=0, within=0.1,
          exact=True)
    claim("Last pixel: earlier pixels that twelve layers miss and forty see, each of the three designs",
          [by[12][2] - by[40][2] for by in missed.values()], above=50, exact=True)
    claim("Plain stack and Row LSTM: earlier pixels missed by 40 layers, less those missed by 28",
          np.subtract(missed["plain"][40] + missed["Row LSTM"][40], missed["plain"][28] + missed["Row LSTM"][28]),
          near=0, within=0.1, exact=True)
    claim("Plain stack and Row LSTM, 40 layers, mid-picture: earlier pixels missed",
          [missed["plain"][40][0], missed["Row LSTM"][40][0]], above=50, exact=True)

# %% [markdown]
# The first limit is **reach**, and more layers mend it: from the last row, twelve layers of the plain stack and
# of the two stacks do not get to the top; Row LSTM does, but from the last pixel twelve miss the left of the lower
# rows.
# The second is the **blind spot**, which no depth mends. In its own row a kernel of the plain stack looks only left, so
# it gets to the right only on its way up: up to three columns in the first layer (7 x 7), one column a row in later
# ones. Further right it sees nothing. Features to the right of our pixel know the rows
# above, which is allowed, but also our own pixel, which is not, and a mask can only drop both. The vertical stack holds the allowed part
# by itself, so its kernels may look left and right along their own row. Row LSTM with one layer misses both sides;
# depth repairs only the left. Move the pixel and the depth.

# %%
def look(design="plain", layers=5, row=14, column=14):
    return sight({f"{design}, {layers} layers": reaction(design, layers, row, column)}, row, column,
                 title="What one prediction sees")

explore(look, design=list(designs), layers=(1, 14, 1), row=(0, 27, 1), column=(0, 27, 1),
        alt="The pixels that the prediction of one pixel sees, misses, or may not see")

# %% [markdown]
# ## Break it: a leak
# A colleague uses mask B everywhere. Two short runs of a Row LSTM with one layer on MNIST, binarized as in notebook 04:

# %%
def short_run(steps, **changes):
    experiment = PixelExperiment(PixelHyperparameters(channels=16, **changes), seed=0)
    nll = [metrics["nll"].item() for metrics in run(experiment, steps, progress=False)]   # −log p(x), nats
    return experiment.model, np.array(nll)

(causal, nll_causal), (leaking, nll_leaking) = short_run(120), short_run(120, first_mask="B")
with claim_table():
    claim("Mask A: nats a picture, mean of the last twenty steps", nll_causal[-20:].mean(), above=100, below=125)
    claim("Mask B: nats a picture, far below any published result", nll_leaking[-20:].mean(), below=5)

# %%
from_causal, from_leaking = (model.sample(10, seeded()).images for model in (causal, leaking))
show(framed(images(torch.cat([from_causal, from_leaking]), row_labels=["mask A", "mask B"],
                   title="The network with the much lower loss, mask B, draws empty sheets")),
     alt=f"Two rows of ten samples. Share of ink: mask A {from_causal.double().mean():.2f}, scribbles; mask B "
         f"{from_leaking.double().mean():.4f}")

# %% [markdown]
# The network with mask B copies each pixel. When it draws, the sheet is all zeros at first, and it copies those. No error
# is raised; so **check causality**: change one pixel at a time and see whether the prediction of itself or of an earlier
# pixel reacts.

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
with torch.no_grad():
    sums = [RowLSTM((3, 3), 2, 8, generator=seeded(), first_mask=kind).log_prob(every).exp().sum() for kind in "AB"]
with claim_table():
    claim("Mask B: pixels of 784 that leak", leaks(leaking, digit), above=700)
    claim("Mask A, the three designs: pixels that leak", [leaks(design((28, 28), 2, 8, 2, generator=seeded()), digit)
                                                          for design in designs.values()],
          near=0, within=0.1, exact=True)
    claim("Nine pixels, mask A: the probabilities of all pictures add up to", sums[0], near=1, within=1e-5, exact=True)
    claim("Nine pixels, mask B, untrained: distance of their sum from one", abs(sums[1] - 1), above=1e-3)

# %% [markdown]
# **Repair:** mask A in the first layer.
#
# ## Live
# Press **Start**. The loss is $-\log p(x)$ in nats a picture; divided by the number of pixels and by $\log 2$ it is
# **bits per pixel**. The creatures on show are explained below. Then:
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
# ## Likelihood against the entropy
# Here are pixel creatures whose right half mirrors the left, so `12 * 6` pixels are free, each of $N = 16$ colours.
# They are put together from parts with known probabilities (`course_lib/data/sprites.py`), so their $p(x)$ is known.
# $-\log p(x)$ of the true distribution, on average its **entropy**, is the end of the road: no model's mean can lie
# below it. With $q$ for the model, $\mathbb{E}_p[-\log q(x)] - \mathbb{E}_p[-\log p(x)] = \mathbb{E}_p[\log p(x) - \log
# q(x)]$ is $\mathrm{KL}(p \| q)$, at least 0. Pixels that ignore each other cost the sum of their own entropies. How
# far has a trained Gated PixelCNN come from that cost to the entropy?

# %%
creatures, (pixelcnn, _) = sprites.Sprites(), load_pretrained("pixelcnn_sprites")
x_sprites = held_out("sprites")[:2000]
shown = sprites.to_rgb(torch.cat([x_sprites[:8], pixelcnn.sample(8, seeded()).images]))
show(images(torch.cat([shown, shown.flip(2)], dim=2), columns=8, row_labels=["real", "PixelCNN"],
            title="Creatures with a known p(x), and samples of a PixelCNN"),
     alt="Two rows of eight colourful pixel creatures: real ones, and samples of the trained network, much alike")

# %%
true = creatures.log_prob(x_sprites)
model = torch.cat([log_prob_of(pixelcnn, part) for part in x_sprites.split(250)])  # in parts, to save memory
alone = creatures.independent_entropy()
for name, nats in (("independent pixels", alone), ("PixelCNN", -model.mean()), ("entropy", -true.mean())):
    print(f"{name:20}{nats:7.1f} nats, {bits_per_dimension(float(nats), 72):.2f} bits per pixel")
excess = true - model
print(f"{'what is missing':20}{excess.mean():7.1f} nats: KL(creatures ‖ model)")
with claim_table():
    claim("Share of the way from independent pixels to the entropy", (alone + model.mean()) / (alone + true.mean()),
          above=0.97, below=1)
    claim("What is missing, KL(creatures ‖ model), nats a creature", excess, above=0, below=3)

# %% [markdown]
# Nearly all of it.
#
# ## Digits
# A pretrained Row LSTM with two layers scores the same binarized test pictures as notebook 04's VAE. Its **card**
# is the record of its training that lies beside its weights. Of the VAE we have no exact $\log p(x)$, only a lower bound:
# the importance-weighted one (notebook 03c) with fifty draws, IW-50.

# %%
row_lstm_28, card = load_pretrained("row_lstm")
vae, _ = load_pretrained("vae_z20")
digits = held_out("mnist")[::25]                                           # 400 of 10,000
exact, bound = log_prob_of(row_lstm_28, digits), iw_bound_of(vae, digits.flatten(1).float(), 50)
print(f"Row LSTM: {card.steps:,} steps, {card.minutes:.0f} minutes, all 10,000: {card.metrics['test_nll']:.2f} nats")
for name, value in (("Row LSTM, exact", exact), ("VAE, IW-50 bound", bound)):
    print(f"{name:18}{-value.mean():7.2f} nats, {bits_per_dimension(-value.mean().item(), 784):.4f} bits per pixel")
with claim_table():
    claim("Row LSTM, all 10,000 test pictures, from its card: nats a picture", card.metrics["test_nll"], below=82.5)
    claim("Row LSTM's exact log p(x) less the VAE's bound, nats a picture", exact - bound, above=3)

# %% [markdown]
# The Row LSTM's exact value lies above what the VAE can prove. The VAE's own $\log p(x)$ lies above its bound, too, by an
# unknown amount: the true lead is at most the difference in the claim, up to the error beside it. And look at what goes
# with that lead: some of the samples below are no digits. A high mean of $\log p(x)$ says that real digits are
# probable, not that all draws are digits.

# %%
samples = row_lstm_28.sample(12, seeded()).images
frames = torch.stack([torch.where(place < k, samples.float(), 0.35) for k in range(0, 785, 8)])
show_film(images(samples, columns=6, title="Twelve samples appear, pixel by pixel; not all are digits"), frames,
          alt="A film: twelve grey sheets are filled from the top, row by row, with handwritten digits and scribbles")

# %% [markdown]
# ## Going further
# ### The shape of the blind spot
# Each row up, a Row LSTM's layer may step one column to either side: a triangle that opens upwards. The 7 x 7
# convolution before it makes its base wider. Take the row that lies `up` rows above our pixel. To the left the
# layer sees `up` columns by its states, one more by $K_{is}$, three more by the first kernel: `up + 4`. To the right the
# first kernel sees three columns, but only of rows above its own. That costs one row, so `up - 1` columns by the states
# and three: `up + 2`.

# %%
earlier = place < 28 * 14 + 14
shallow, deep_lstm = (earlier & ~seen[f"Row LSTM, {n}"] for n in ("1 layer", "12 layers"))
rows, columns = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
up, right = 14 - rows, columns - 14
triangle = earlier & (right >= -up - 4) & ((up == 0) | (right <= up + 2))
with claim_table():
    claim("Row LSTM, one layer, sees a triangle that grows by one column on each side with every row up",
          bool((seen["Row LSTM, 1 layer"] == triangle).all()))
    claim("Row LSTM, twelve layers: earlier pixels missed on the left of the predicted one",
          (deep_lstm & (right < 0)).sum(), near=0, within=0.1, exact=True)
    claim("On the right: pixels that one layer sees and twelve miss, or the other way round",
          ((shallow ^ deep_lstm) & (right >= 0)).sum(), near=0, within=0.1, exact=True)

# %% [markdown]
# The plain stack's right side is the same: three columns by the first kernel in the row above, then one more a row. So at
# any depth a pixel that is `up` rows above is out of sight if it lies more than `up + 2` columns to the right. That is
# the blind spot, by counting; what a network of some depth misses besides is its reach. A smaller picture, every place:

# %%
side = 12
rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")

def blind_spot(i, j):
    """Earlier pixels that no depth gets to see, bool [rows, columns]."""
    return (rows < i) & (columns - j > i - rows + 2)

def missed_everywhere(design, layers):
    """Of each place of the picture, the earlier pixels missed, bool [places, rows, columns]."""
    network = designs[design]((side, side), 2, 8, layers, generator=seeded())
    return torch.stack([(rows * side + columns < place_) & (network.receptive_field(
        place_ // side, place_ % side, seeded(), images=8) == 0) for place_ in range(side * side)])

blind_places = torch.stack([blind_spot(i, j) for i, j in product(range(side), range(side))])
for design, layers in (("plain", 4), ("plain", 16), ("two stacks", 4), ("two stacks", 16)):
    missed_here = missed_everywhere(design, layers)
    in_spot = (missed_here & blind_places).sum()
    print(f"{design:10} {layers:2} layers, all places together: missed {missed_here.sum():5,}, of them {in_spot:5,} "
          f"in the plain stack's blind spot")
    if layers == 16:
        expected_here = blind_places if design == "plain" else torch.zeros_like(blind_places)
        claim(f"{design.capitalize()}, 16 layers, each of all places: pixels missed other than its blind spot",
              (missed_here ^ expected_here).sum(dim=(1, 2)), near=0, within=0.1, exact=True)

# %% [markdown]
# ### The Row LSTM on one column
# A picture of one column has no neighbours at the side: there only the kernels' centres count, and a Row LSTM is a
# plain LSTM that reads down. PyTorch's own is a witness; it orders the parts $i, f, g, o$.

# %%
plain = nn.LSTM(8, 8)
with torch.no_grad():
    for theirs, ours in ((plain.weight_ih_l0, K_is[:, :, 1]), (plain.weight_hh_l0, K_ss[:, :, 1]),
                         (plain.bias_ih_l0, b), (plain.bias_hh_l0, 0 * b)):
        o, f, i, g = ours.chunk(4)
        theirs.copy_(torch.cat([i, f, g, o]))
    column = x[..., :1]                                                      # [n, C, H, 1]
    down = plain(column[..., 0].permute(2, 0, 1))[0].permute(1, 2, 0)        # h of each row, [n, C, H]
    as_plain = row_lstm(column, K_is, K_ss, b)[..., 0] - down
claim("Row LSTM on one column less PyTorch's plain LSTM: largest difference", as_plain.abs().max(), below=1e-5,
      exact=True)

# %% [markdown] cited="79.20"
# ### The published figure
# The best figure of the Pixel RNN paper for binarized MNIST is 79.20 nats, of a deeper network (seven layers of a Diagonal
# BiLSTM, whose states go along the diagonals; *Bi* is for bidirectional, one LSTM from the left and one from the right),
# but for a *static* binarization that everybody shares. Ours is drawn anew in training and once for testing. So
# the two figures are not comparable to the nat.

# %% [markdown]
# ### Looks and likelihood
# Do samples that look right score as well under the *true* distribution?

# %%
predict("07.truth", "Samples of the model: their −log p(x) under the truth, in nats, on average?", low=0, high=170)

# %%
drawn = pixelcnn.sample(500, seeded())
cost = -creatures.log_prob(drawn.images)                                    # under the truth
reveal("07.truth", cost.mean())
print(f"under the truth: mean {cost.mean():.1f} nats, median sample {cost.median():.1f}, real creatures "
      f"{-true.mean():.1f}; {100 * (cost > 60).float().mean():.0f} of 100 samples cost more than 60")
with claim_table():
    claim("Cost of the model's samples under the truth, less that of real creatures, nats", cost + true.mean(), above=5)
    claim("Mean of the samples' costs less their median, nats", cost.mean() - cost.median(), above=3)
    claim("The median sample's cost less that of real creatures, nats", cost.median() + true.mean(), above=1, below=10)

# %% [markdown]
# Even the median sample costs several nats more than a real creature; each nat makes a picture almost three times less
# probable. $\mathrm{KL}(p \| q)$ hardly shows it: that averages over real creatures, not over the model's. A share of
# very bad ones (printed above), with several pixels that fit no part, raises the mean much further. Their cost is
# finite: in
# the true distribution, too, each pixel is now and then replaced by a random colour.
#
# ### Temperature, and the other KL
# A **temperature** $\tau$ divides the logits before a pixel is drawn: below 1 the likely gets likelier still.

# %%
scores = {tau: -creatures.log_prob(pixelcnn.sample(500, seeded(), temperature=tau).images) for tau in (0.7, 1.3)}
for tau, score in sorted((scores | {1.0: cost}).items()):
    print(f"τ = {tau}: {score.mean():6.1f} nats under the truth; real creatures have {-true.mean():.1f}")
cool = F.one_hot(pixelcnn.sample(500, seeded(), temperature=0.7).images, 16).double().mean(dim=0)
usual = F.one_hot(drawn.images, 16).double().mean(dim=0)
warm = [row_lstm_28.sample(10, seeded(), temperature=tau).images for tau in (0.6, 1.0, 1.4)]
show(images(torch.cat(warm), row_labels=["τ = 0.6", "τ = 1", "τ = 1.4"], title="Too careful, as trained, too daring"),
     alt="Three rows of ten drawings, one row for each temperature")
other_kl = drawn.log_q + cost                                               # log q − log p of the model's own samples
with claim_table():
    claim("τ of 0.7: cost under the truth less that of real creatures, nats", scores[0.7] + true.mean(), below=-5)
    claim("Entropy of single pixels over 500 creatures, τ of 0.7 less τ of 1, nats",
          torch.special.entr(cool).sum(dim=2).flatten() - torch.special.entr(usual).sum(dim=2).flatten(), below=0)
    claim("KL(model ‖ creatures) relative to KL(creatures ‖ model)", other_kl.mean() / excess.mean(), above=2)

# %% [markdown]
# The mean cost under the truth is a cross-entropy. Add $\log q$, what the model says of its samples, and it is the
# other KL of notebook 03: $\mathrm{KL}(q \| p) = \mathbb{E}_q[\log q - \log p]$. A low temperature gives creatures that
# are more probable than real ones, and less varied.

# %%
def draw_at(temperature=1.0, seed=0):
    return {"image": sprites.to_rgb(sprites.whole(pixelcnn.sample(12, seeded(seed), temperature).images)).numpy()}

explore_canvas(draw_at, [ImageGrid("image", columns=6, title="Twelve creatures")], temperature=(0.1, 2.0, 0.05),
               seed=(0, 20, 1), alt="Twelve creatures drawn at a temperature")

# %% [markdown]
# ### Colours as classes: vector quantization
# As red, green and blue, each from 0 to 1 and with a little jitter (normal noise of standard deviation `0.03`), no two
# pixels of the creatures are quite alike. Clustering finds the colours again (**vector quantization**), and a pixel
# becomes one of $N$ classes, written **1-of-N** (one-hot). What if we predict red, green and blue themselves instead?
# For each pixel, a linear regression on all pixels before it; its own predictions are fed back, once as they are and
# once with noise of the size of its errors.

# %%
x_creatures = creatures.sample(3000, seeded())
rgb = sprites.jittered_rgb(x_creatures, seeded(1)).flatten(1, 2)                     # [n, 72, 3], real numbers
clusters = KMeans(sprites.N_COLOURS, n_init=10, random_state=0).fit(rgb[:300].reshape(-1, 3))
found = torch.tensor(clusters.cluster_centers_, dtype=torch.float32)
name = torch.cdist(found, sprites.PALETTE / 255).argmin(dim=1)              # of each cluster, in the palette
with claim_table():
    claim("Largest distance of a true colour from the nearest cluster's centre",
          torch.cdist(sprites.PALETTE / 255, found).amin(dim=1).max(), below=0.03)
    claim("Clusters that stand for different colours, of 16", len(name.unique()), near=sprites.N_COLOURS, within=0.1)
    claim("Share of pixels whose cluster stands for their true colour",
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
rows = {"real": sprites.to_rgb(x_creatures[:8]), "regression": middle.view(8, 12, 6, 3),
        "plus noise": noisy.view(8, 12, 6, 3), "classes": sprites.to_rgb(drawn.images[:8])}
shown = torch.cat([torch.cat([r, r.flip(2)], dim=2) for r in rows.values()]).clamp(0, 1)
show(images(shown, columns=8, row_labels=list(rows), title="Regression: grey, or with noise garish; classes: right"),
     alt="Four rows: colourful pixel creatures; eight times the same greyish smear; smears with coloured noise; clean "
         "colourful creatures drawn from a model of classes")

def strength(rgb):
    """How far colours are from grey: largest less smallest of red, green and blue, mean of each picture."""
    return (rgb.amax(dim=-1) - rgb.amin(dim=-1)).mean(dim=(1, 2))

usual_strength = strength(rows["real"]).mean()
with claim_table():
    claim("Strength of colour, regression, relative to real: one grey for all", strength(rows["regression"])[0] /
          usual_strength, below=0.4)
    claim("Strength of colour, regression plus noise, relative to real: strong, but whose?",
          strength(rows["plus noise"]) / usual_strength, above=0.5)
    claim("Strength of colour, classes, relative to real", strength(rows["classes"]) / usual_strength, near=1,
          within=0.6)

# %% [markdown]
# The first pixel may be any background; the best single guess is their mean, a grey. With noise the colours are strong,
# but garish: the errors of red, green and blue belong together, and this noise ignores it. Two things
# differ at once: the regression is linear, the classes come from a deep network. That a regression averages, the branches
# showed.

# %% [markdown] cited="255"
# ### Discretized logistic mixture: a third output
# One logit is enough for ink or paper; as classes, $N$ values take $N$. But grey levels have an order, which classes
# do not know: that level one hundred is likely says nothing of its neighbour. Take a mixture of a few bumps, **logistic**
# densities. The distribution function of one, the probability of a value below $x$, is $\sigma((x - \mu_k) / s_k)$. Cut
# the mixture halfway between the levels: a **discretized logistic mixture** (Salimans et al.). A level $x$, from 0 to 255,
# has what lies between its two cuts, a difference of distribution functions. With weights $\pi_k$ that sum to 1,
#
# $$p(x) = \sum_k \pi_k \left[\sigma\Bigl(\frac{x + 1/2 - \mu_k}{s_k}\Bigr) -
#   \sigma\Bigl(\frac{x - 1/2 - \mu_k}{s_k}\Bigr)\right] ,$$
#
# and the first and the last level take what lies beyond them, too. Neighbouring terms cancel, so the sum is 1. Far from
# all bumps the difference rounds to 0, and its logarithm to $-\infty$; so the library computes in logarithms throughout.
# Such a formula can have right values and wrong slopes, and training follows the slopes: we check both, the gradient
# against a **finite difference**: by how much the value differs between two places nearby, over their distance.

# %%
def mixture_of_levels(logits, mu, log_s, levels=256):
    """p of each level [..., levels], from logits of the weights, means and log scales [..., K] of K bumps."""
    halfway = torch.arange(levels - 1, dtype=mu.dtype)[:, None] + 0.5
    logits, mu, log_s = (part[..., None, :] for part in (logits, mu, log_s))
    below = (logits.softmax(dim=-1) * ((halfway - mu) / log_s.exp()).sigmoid()).sum(dim=-1)
    return F.pad(F.pad(below, (1, 0)), (0, 1), value=1.0).diff(dim=-1)

rng = seeded(10)
logits, mu, log_s = torch.randn(3, 100, 5, generator=rng, dtype=torch.float64)                  # a hundred pixels
mu, log_s = 128 + 90 * mu, 2 + log_s
p_level = mixture_of_levels(logits, mu, log_s)
parameters = torch.stack([logits, mu, log_s], dim=1).requires_grad_()                           # [100, 3, 5]
x_level = torch.randint(256, (100, 1), generator=rng)

# %%
def log_p_of(parameters):
    return level_log_probs(parameters, 256).gather(1, x_level)[:, 0]

direction = torch.randn(100, 3, 5, generator=rng, dtype=torch.float64)
(gradient,) = torch.autograd.grad(log_p_of(parameters).sum(), parameters)
with torch.no_grad():
    by_difference = (log_p_of(parameters + 1e-5 * direction) - log_p_of(parameters - 1e-5 * direction)) / 2e-5
sizes = {name: sum(w.numel() for w in nn.Linear(32, outputs).parameters())
         for name, outputs in (("one logit, ink or paper", 1), ("five bumps, 256 levels", 15), ("256 classes", 256))}
print("numbers in a last layer on 32 channels:", ", ".join(f"{name} {size:,}" for name, size in sizes.items()))
with claim_table():
    claim("A hundred random pixels: sum over the 256 levels", p_level.sum(dim=1), near=1, within=1e-12, exact=True)
    claim("Library's p, computed in logarithms, less ours", (level_log_probs(parameters, 256).exp()
                                                                  - p_level).detach().flatten(), near=0, within=1e-12,
          exact=True)
    claim("Gradient along a random direction, less the finite difference, each pixel",
          (gradient * direction).sum(dim=(1, 2)) - by_difference, near=0, within=1e-4, exact=True)
    claim("Last layer: 256 classes over five bumps", sizes["256 classes"] / sizes["five bumps, 256 levels"],
          near=17.07, within=0.01, exact=True)

# %% [markdown]
# Which is the better output? Take grey levels of known probabilities, two bell-shaped bumps, a flat stretch, and a share
# of pure black, none of them logistic; fit both outputs to some pixels of it, over eight draws; and compute the exact KL.
# The classes are fitted by counting, with a pseudo-count: of six values the one with the smallest exact KL. That favours the classes; so
# where the mixture is ahead, it is not for want of a better pseudo-count, and where the classes are, look at the distance.

# %%
predict("07.third", "Fitted to a hundred pixels, or to a hundred thousand: which output comes closer to the truth?",
        options=["the mixture, both times", "the classes, both times", "the mixture first, then the classes"])

# %%
grey = torch.arange(256, dtype=torch.float64)
parts = [torch.exp(-0.5 * ((grey - 60) / 12)**2), torch.exp(-0.5 * ((grey - 150) / 25)**2), (grey > 100).double(),
         (grey == 0).double()]
p_grey = sum(weight * part / part.sum() for weight, part in zip((0.3, 0.5, 0.15, 0.05), parts, strict=True))
amounts = (100, 1_000, 10_000, 100_000)
counts = torch.stack([torch.bincount(torch.multinomial(p_grey, n, replacement=True, generator=seeded(100 * seed + 11)),
                                     minlength=256) for n in amounts for seed in range(8)])
counts = counts.view(4, 8, 256).double()                                                     # [amounts, draws, levels]

def kl_from_truth(log_q):
    return (torch.xlogy(p_grey, p_grey) - p_grey * log_q).sum(dim=-1)

pseudo = torch.stack([kl_from_truth(((counts + a) / (counts + a).sum(dim=-1, keepdim=True)).log())
                      for a in (0.01, 0.03, 0.1, 0.3, 1, 3)])
by_classes = pseudo.gather(0, pseudo.mean(dim=2).argmin(dim=0)[None, :, None].expand(1, 4, 8))[0]
start = torch.stack([torch.zeros(5), torch.linspace(20, 235, 5), torch.full((5,), 3.0)]).double()
moved = torch.zeros(4, 8, 3, 5, dtype=torch.float64, requires_grad=True)
optimizer, unit = torch.optim.Adam([moved]), torch.tensor([[0.1], [3.0], [0.1]])                # of a step, by kind
for step in range(600):
    optimizer.param_groups[0]["lr"] = 0.5 * min(1, 2 * (1 - step / 600))
    loss = -(counts / counts.sum(dim=2, keepdim=True) * level_log_probs(start + unit * moved, 256)).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
by_mixture = kl_from_truth(level_log_probs((start + unit * moved).detach(), 256))

# %%
show(curves(amounts, {"256 classes": by_classes.mean(dim=1), "five bumps": by_mixture.mean(dim=1)}, log_x=True,
            log_y=True, bands={name: (kl.amin(dim=1), kl.amax(dim=1)) for name, kl in (("256 classes", by_classes),
                                                                                      ("five bumps", by_mixture))},
            xlabel="pixels to learn from (bands: least and most of eight draws)", ylabel="KL(truth ‖ output), nats",
            title="Few pixels: the mixture is closer; many: the classes"),
     alt="KL from the truth over the number of pixels, logarithmic axes: " + "; ".join(
         f"{n:,} pixels, classes {c:.3f}, mixture {m:.3f}" for n, c, m in zip(amounts, by_classes.mean(dim=1),
                                                                             by_mixture.mean(dim=1), strict=True)))
lead = by_classes - by_mixture                                                                  # [amounts, draws]
reveal("07.third", {"100": lead[0].mean().item(), "100,000": lead[3].mean().item()},
       lambda by: "the mixture first, then the classes" if by["100"] > 0 > by["100,000"] else
       "the mixture, both times" if by["100,000"] > 0 else "the classes, both times")
with claim_table():
    claim("A hundred pixels: KL of the classes less that of the mixture, eight draws, nats", lead[0], above=0.1)
    claim("A thousand: the same", lead[1], above=0.05)
    claim("A hundred thousand: the same", lead[3], below=-0.003)
    claim("A hundred thousand: KL of the mixture, which has no bump of the right shape", by_mixture[3],
          above=0.004, below=0.012)

# %% [markdown]
# The mixture has fifteen numbers to learn and assumes that neighbours are alike: little data are enough, but it stays at
# the distance of its best shape. Classes assume nothing, and get there in the end. More bumps would move the crossing.
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
# **3.** Write the loop of ancestral sampling. `logits_of(x)` gives logits `[n, N, H, W]`; those of a pixel depend on
# earlier ones only. Use the given uniform numbers: a pixel is the first value (0, 1, …) whose cumulated probability
# exceeds its `u`. (If rounding leaves none, take the last value; the check does not test it.)

# %% tags=["exercise"]
def draw_images(logits_of, u):
    """Images int64 [n, H, W], from uniform numbers u [n, H, W] in [0, 1)."""
    ### BEGIN SOLUTION
    x = torch.zeros(u.shape, dtype=torch.int64)
    for i in range(u.shape[1]):
        for j in range(u.shape[2]):
            # the last cumulated probability is 1, up to rounding: no u in [0, 1) reaches it
            cumulated = logits_of(x)[:, :, i, j].softmax(dim=1).cumsum(dim=1)[:, :-1]
            x[:, i, j] = (u[:, i, j, None] >= cumulated).sum(dim=1)
    return x
    ### END SOLUTION

# %%
check("07.draw_images", draw_images)

# %% [markdown]
# ## What to keep
# - The chain rule makes any network whose predictions depend on earlier pixels alone a distribution: its sum is one, its
#   likelihood exact, no bound.
# - Check causality, by gradient and by flipping pixels. A receptive field has two limits: reach, and the blind spot.
# - Classes keep several right answers apart; a regression averages them.
# - Training is one pass under teacher forcing. Where the truth is known, its entropy says how much is still missing.
#
# **Read on:**
#
# - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu, [*Pixel Recurrent Neural
#   Networks*](https://arxiv.org/abs/1601.06759), ICML (2016).
# - A. van den Oord et al., [*Conditional Image Generation with PixelCNN Decoders*](https://arxiv.org/abs/1606.05328),
#   NIPS (2016).
# - T. Salimans, A. Karpathy, X. Chen, D. Kingma, [*PixelCNN++*](https://arxiv.org/abs/1701.05517), ICLR (2017): the
#   discretized logistic mixture.
# - S. Hochreiter, J. Schmidhuber, [*Long Short-Term Memory*](https://doi.org/10.1162/neco.1997.9.8.1735), Neural
#   Computation 9 (1997).
# - H. Larochelle, I. Murray, [*The Neural Autoregressive Distribution
#   Estimator*](https://proceedings.mlr.press/v15/larochelle11a.html), AISTATS (2011): an early network
#   without latent variables, and the static binarization.
# - B. Frey, [*Graphical Models for Machine Learning and Digital
#   Communication*](https://mitpress.mit.edu/9780262062022/), MIT Press (1998).
#
# **Next:** notebook 07b, one symbol after another: the same idea for text and sound. What else a model of pixels
# answers, and what each answer costs, is notebook 07c.
