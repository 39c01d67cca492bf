# %% [markdown]
# # 11f · Masked diffusion: symbols in any order
#
# The chain rule writes $p(x)$ as a product of questions, each symbol given those before it. It needs an order, and
# notebook 07's network can answer in that one order only.
# **Which order should it be, and what if a network learns all of them?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | write down masked diffusion and its step back, derive its bound and read it as a mean over orders, train such a network, complete a picture from any pixels, and say what drawing in few steps costs |
# | You need | the chain rule (notebook 07), the bound of a diffusion model (11b), attention (07d) |
# | Time | 70 seconds to run · seed 0 |

# %%
import math
from itertools import permutations

import numpy as np
import torch

from course_lib.chapters.nb11f.orders import EVERY, SEEN, drawn_by_confidence, drawn_in_steps
from course_lib.chapters.nb11f.orders import log_mixture, log_prob_in_order, log_probs_in_orders, table_of
from course_lib.data.patterns import OneBar
from course_lib.data.sprites import Sprites
from course_lib.experiments.masked_diffusion import MaskedDiffusionExperiment as Experiment
from course_lib.experiments.masked_diffusion import MaskedDiffusionHyperparameters as Hyperparameters
from course_lib.experiments.masked_diffusion import as_pictures, excess
from course_lib.experiments.pixelrnn import log_prob_of
from course_lib.live import Curve, ImageGrid, LiveLab
from course_lib.models.masked_diffusion import ALPHAS, MaskedTransformer, shares, step_back, unmask
from course_lib.plots import curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal
from course_lib.training import load_pretrained, run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Begin with nine cards, face down, on the board: the class
# uncovers them in an order of its own and guesses each. For "Many at once", let two students guess two cards that are
# always alike, without hearing each other.
#
# - **Prepare.** Nine cards, black or white, and magnets.
# - **11f.orders.** “the same distribution twice”: the chain rule is trusted. It is true of true answers only.
# - **The bound, step by step.** On the board: a mean over orders inside the logarithm, Jensen, and one term a hidden
#   symbol.
# - **11f.price.** “they are level”. A bound is compared with an exact number: ask what that allows us to say.
# - **11f.upper.** near the true price. The top was drawn before the rest was seen.
# - **Many at once.** Two students guess two equal cards, apart: half of the pairs are impossible.
# - **11f.confident.** nearly 0, for the answers are true. True one at a time; what does choosing by the draw do?

# %% [markdown]
# ## Any order will do
# Take notebook 07's noisy pictures of one bar: nine pixels, all `2**9` probabilities known. So we know the answer
# to every question $p(x_j \mid x_S)$: pixel $j$, given the pixels of any set $S$ that are seen. There are `9 * 2**8`
# pairs of a pixel and a set; raster order asks nine of them. With the true answers the chain rule gives $p(x)$ in every
# order. What of a network that was never trained? It takes a picture with **masks** $m$, a further symbol, and answers
# for every hidden pixel.

# %%
predict("11f.orders", "Random weights. We multiply the network's answers in raster order, and from the last pixel to "
        "the first. What do we get?", options=["two different distributions", "the same distribution twice",
                                               "numbers that do not add up to 1"])

# %%
bars = OneBar()
p = bars.log_prob(EVERY.view(-1, 3, 3)).exp()                              # of all 512 pictures
entropy = -(p * p.log()).sum()
exact = table_of(lambda z: bars.conditionals(z).log())                     # log p(x_j | x_S), [pictures, sets, pixels]
untrained = MaskedTransformer((3, 3), 2, 32, 1, 1, generator=seeded())
arbitrary = table_of(lambda z: (9 * untrained(z).double()).log_softmax(dim=1))    # logits times 9: far from even
orders = {"raster": range(9), "backward": range(8, -1, -1), "corners last": (4, 1, 3, 5, 7, 0, 2, 6, 8)}
by_order = {name: log_prob_in_order(arbitrary, order) for name, order in orders.items()}
apart = (by_order["raster"] - by_order["backward"]).abs().max()
sums = [log_p.exp().sum().item() for log_p in by_order.values()]
reveal("11f.orders", {"apart": apart.item(), "sum": sums[0]}, lambda m: "numbers that do not add up to 1"
       if abs(m["sum"] - 1) > 1e-9 else "two different distributions" if m["apart"] > 1e-9
       else "the same distribution twice")
with claim_table():
    claim("True answers: log p(x) by the chain rule, three orders, less the truth: largest difference",
          [(log_prob_in_order(exact, order) - p.log()).abs().max().item() for order in orders.values()], below=1e-12,
          exact=True)
    claim("Random weights: the probabilities of all pictures add up to, three orders", sums, near=1, within=1e-9,
          exact=True)
    claim("Random weights: log p(x) in raster order less that in backward order, largest difference", apart,
          above=0.05, exact=True)

# %% [markdown]
# So a network that answers under any mask is $D!$ distributions in one: for each **order** $\sigma$ of the
# $D$ symbols, $p_\sigma(x) = \prod_k p(x_{\sigma_k} \mid x_{\sigma_1}, \dots, x_{\sigma_{k-1}})$. If the answers are true
# they are all the same. To train all of them we need one loss.
#
# ## A process that hides
# **Masked diffusion**, or diffusion with an **absorbing state** (Austin et al.), comes to that loss from another side.
# At time $t$ each symbol is still there with probability $\alpha_t$, independently of the others, else it is $m$. $\alpha_t$
# falls from 1 at $t = 0$ to 0 at $t = 1$, and a mask stays. Call the picture at time $t$, with its masks, $z_t$, and the
# distribution of this process $q$: of each symbol $q(z_t = x \mid x) = \alpha_t$ and $q(z_t = m \mid x) = 1 -
# \alpha_t$.

# %% [markdown]
# We know $z_t$; what was $z_s$, at a time $s < t$? What is seen was seen. Of a symbol that is hidden at $t$ there are two stories: hidden by $s$ already, probability
# $1 - \alpha_s$; or seen at $s$ and hidden since, $\alpha_s - \alpha_t$. Together they have $1 - \alpha_t$. By Bayes' rule ($x$ and $z$ are one symbol here)
#
# $$q(z_s \mid z_t = m, x) = \begin{cases} x & \text{with probability } (\alpha_s - \alpha_t)/(1 - \alpha_t) , \\
#   m & \text{with probability } (1 - \alpha_s)/(1 - \alpha_t) . \end{cases}$$
#
# A network does not know $x$. It puts its $p(x_j \mid z_t)$ there: the model's step back.

# %%
def by_bayes(x, alpha_s, alpha_t):
    """q(z_s | z_t, x) of one symbol, [z_s, z_t], from the joint distribution; values 0 and 1, and 2 for the mask."""
    joint = torch.zeros(3, 3, dtype=torch.float64)
    joint[x, x], joint[x, 2], joint[2, 2] = alpha_t, alpha_s - alpha_t, 1 - alpha_s
    return joint / joint.sum(dim=0, keepdim=True)

difference = []
for x in (0, 1):
    for alpha_s, alpha_t in ((1.0, 0.3), (0.8, 0.5), (0.4, 0.1)):
        for z_t in (x, 2):                                                 # the other value cannot be
            ours = step_back(torch.tensor([[[z_t]]]), torch.eye(2)[x].double().view(1, 2, 1, 1), alpha_s, alpha_t)
            difference.append((ours.flatten() - by_bayes(x, alpha_s, alpha_t)[:, z_t]).abs().max().item())
claim("The step back in closed form less Bayes' rule, twelve cases", difference, below=1e-14, exact=True)

# %% [markdown]
# ## The bound, step by step
# With $T$ steps this is a chain of latents as in notebook 11b, and $-\log p(x)$ is at most a sum of KL divergences, one
# for each step. In a step the true and the learned way back differ at hidden symbols only, and there by what stands for
# $x$. With $r = (\alpha_s - \alpha_t)/(1 - \alpha_t)$
#
# $$\mathrm{KL} = r \log \frac{r}{r\, p(x_j \mid z_t)} + (1 - r) \log \frac{1 - r}{1 - r} = -r \log p(x_j \mid z_t) .$$
#
# A cross-entropy of each hidden symbol, with the weight $r$. (At $t = 1$ all is hidden on both sides: no loss there.) As
# steps become short, $r$ goes to $-\alpha_t'\, dt / (1 - \alpha_t)$, where $\alpha_t'$ is the derivative:
#
# $$-\log p(x) \;\le\; \int_0^1 \frac{-\alpha_t'}{1 - \alpha_t}\; \mathbb{E}_{z_t \mid x} \Big[ \sum_{j \text{ hidden}} -\log p(x_j \mid z_t) \Big] dt .$$
#
# %% [markdown]
# With $\alpha_t = 1 - t$ the weight is $1/t$. But all that $t$ decides is *how many* are hidden: given their number $k$,
# every set of $k$ is as likely. One set of $k$ is the hidden one with probability $t^k (1 - t)^{D-k}$; times the weight,
# integrated: $\int_0^1 t^{k-1} (1 - t)^{D-k} dt = (k-1)!\,(D-k)!/D!$, a beta integral. There are $D!/(k!\,(D-k)!)$ such
# sets: together $1/k$. (For another $\alpha_t$ substitute $u = 1 - \alpha_t$: the same integral.) So the bound is, with $z$
# in which $k$ symbols are hidden, every set as likely,
#
# $$\sum_{k=1}^{D} \frac{1}{k}\; \mathbb{E} \Big[ \sum_{j \text{ hidden}} -\log p(x_j \mid z) \Big] = \mathbb{E}_\sigma \big[ -\log p_\sigma(x) \big] .$$
#
# Why the last step? In a random order, when $k$ symbols are left, every set of $k$ is as likely to be those, and each of
# them to be the next, with probability $1/k$. **The bound is notebook 07's chain rule, averaged over all orders** (Uria
# et al.; Hoogeboom et al.; Ou et al.). Every step of this can be checked, with the answers of random weights.

# %%
k_of = (~SEEN).sum(dim=1)                                                  # how many each of the 512 sets hides
choose = torch.tensor([math.comb(9, k) for k in range(10)]).double()

def by_number(L):
    """Σ over hidden pixels of −log p(x_j | z), mean over the sets that hide k, [k, pictures]."""
    return torch.stack([-L[:, k_of == k].sum(dim=2).mean(dim=1) for k in range(10)])

def bound(L):
    """The sum over k of each picture, in nats."""
    return (by_number(L)[1:] / torch.arange(1, 10)[:, None]).sum(dim=0)

def bound_of_steps(L, alpha, T):
    """With T steps: each step's weight r, times how likely it is that k are hidden, times their cross-entropy."""
    a = alpha(torch.linspace(0, 1, T + 1, dtype=torch.float64))
    r, t, k = (a[:-1] - a[1:]) / (1 - a[1:]), 1 - a[1:, None], torch.arange(10)
    return r @ (choose * t**k * (1 - t)**(9 - k)) @ by_number(L)

# %%
steps = [1, 3, 10, 100, 1000]
in_steps, if_true = ({name: [(bound_of_steps(L, alpha, T) @ p).item() for T in steps]
                      for name, alpha in ALPHAS.items()} for L in (arbitrary, exact))
print(f"{'nats with T =':22}", *(f"{T:8}" for T in steps))
for who, rows in (("random weights", in_steps), ("true answers", if_true)):
    for name, values in rows.items():
        print(f"{who:14} {name:7}", *(f"{value:8.2f}" for value in values))

def over_all_orders(L, pictures):
    """−log p(x) of some pictures, mean over all 362,880 orders, each by itself."""
    order = torch.tensor(list(permutations(range(9))))
    seen = (2 ** (8 - order)).cumsum(dim=1) - 2 ** (8 - order)             # before each pixel, as the number of a set
    return torch.stack([-L[x, seen, order].sum(dim=1).mean() for x in pictures])

some = [0, 56, 511]
with claim_table():
    claim("Mean over all orders of −log p(x), three pictures, less the sum over k",
          over_all_orders(arbitrary, some) - bound(arbitrary)[some], near=0, within=1e-10, exact=True)
    claim("A thousand steps less the sum over k, in nats: three schedules α",
          [values[-1] - (bound(arbitrary) @ p).item() for values in in_steps.values()], near=0, within=0.03, exact=True)
    claim("That difference at a hundred steps, over that at a thousand",
          [(v[-2] - (bound(arbitrary) @ p).item()) / (v[-1] - (bound(arbitrary) @ p).item())
           for v in in_steps.values()], near=10, within=4, exact=True)
    claim("True answers: the bound falls with each T, by at least", -np.diff(list(if_true.values())).max(), above=0.005,
          exact=True)

# %% [markdown]
# In the limit the **schedule** $\alpha_t$ does not matter; in few steps it does. With $T$ steps it is the bound of another
# model, which draws in $T$ steps. Random weights do better the less they are asked; with true answers the row falls.
#
# In the limit, whose $\log p(x)$ is it a bound of? Draw an order, then the symbols in it: pictures then come from the **mixture over
# orders**, $p(x) = \mathbb{E}_\sigma [p_\sigma(x)]$, and by Jensen's inequality
#
# $$\log \mathbb{E}_\sigma [p_\sigma(x)] - \mathbb{E}_\sigma [\log p_\sigma(x)] \ge 0 .$$
#
# This **gap** is 0 where all orders agree. For true answers they do, so the bound of a perfect network is tight. The
# mixture can be added up, too: $A(S) = \sum_{j \in S} A(S \setminus j)\, p(x_j \mid x_{S \setminus j})$ from
# $A(\emptyset) = 1$ on; then $p(x) = A(\text{all})/D!$.

# %%
gap = bound(arbitrary) + log_mixture(arbitrary)
with claim_table():
    claim("Random weights: the mixture's probabilities of all pictures add up to", log_mixture(arbitrary).exp().sum(),
          near=1, within=1e-9, exact=True)
    claim("Random weights: smallest gap of the 512 pictures, nats", gap.min(), above=0, exact=True)
    claim("Random weights: mean gap, nats", gap @ p, above=0.001, exact=True)
    claim("True answers: largest gap", (bound(exact) + log_mixture(exact)).abs().max(), below=1e-11, exact=True)
    claim("True answers: mean bound less the entropy", bound(exact) @ p - entropy, near=0, within=1e-11, exact=True)

# %% [markdown]
# ## Training
# For each picture draw $k$ evenly from 1 to $D$, hide so many symbols, ask once, and take $D/k$ times the hidden symbols'
# cross-entropy: one draw of the bound. The network is notebook 07d's transformer without a causal mask, since
# every token may look everywhere. A token is a pixel on the bars; on sprites, two rows, `2 * 6` pixels, of the left half: that half
# is $x$, `12 * 6` pixels, and the right one mirrors it. No time is told to it: how many are hidden it can see.
#
# **Live.** Sprites are notebook 07's creatures, new ones in each step; *exact* is their exact $-\log p(x)$, which a
# perfect network's loss has on average. The lower pictures show one creature that is unmasked. Press **Start**. Then:
#
# 1. *bars*, which are learned in seconds;
# 2. *steps to draw*: 1, 4, 72. Which samples go wrong, and how?
# 3. *hidden share* at a seventh, nearly as in a language model (BERT): the loss is splendid. The samples?

# %%
lab = LiveLab(
    Experiment(Hyperparameters(), seed=0),
    views=[
        Curve("nll", "floor", title="Loss", ylabel="nats a picture", labels={
            "nll": "loss (a bound only as preset)", "floor": "exact −log p(x)"}),
        ImageGrid("samples", columns=8, title="Samples"),
        ImageGrid("unmasking", columns=9, title="The first sample, unmasked; grey: hidden", wide=True),
    ],
    knobs=["learning_rate", "data", "layers", "objective", "mask_share", "sampling_steps"],
    headless_steps=30,
)
lab

# %% [markdown]
# Sprites take longer. The shipped network had as many minutes of one core as notebook 07's PixelCNN, which knows one
# order.

# %%
predict("11f.price", "Which of the two costs more nats a creature?",
        options=["the network of all orders, by its bound", "the PixelCNN, exactly", "they are level"])

# %%
creatures, (network, card), (pixelcnn, card_07) = Sprites(), load_pretrained("masked_sprites"), \
    load_pretrained("pixelcnn_sprites")
test = creatures.sample(1000, seeded(11))
over = {"all orders": excess(network, test, "sprites", seeded(12), masks=8),
        "raster order": creatures.log_prob(test) - log_prob_of(pixelcnn, test)}    # nats above the truth
for name, minutes in (("all orders", card.minutes), ("raster order", card_07.minutes)):
    print(f"{name:13} {over[name].mean():5.2f} nats above the exact −log p(x), after {minutes:.0f} minutes")
reveal("11f.price", {name: o.mean().item() for name, o in over.items()}, lambda m: "they are level"
       if abs(m["all orders"] - m["raster order"]) < 0.3 else "the network of all orders, by its bound"
       if m["all orders"] > m["raster order"] else "the PixelCNN, exactly")
in_orders = log_probs_in_orders(network, test[:100], 16, 12, seeded(13))   # 12 random orders each, [100, 12]
too_high = in_orders.logsumexp(dim=1) - math.log(12) - in_orders.mean(dim=1)
dearer = over["all orders"] - over["raster order"]
with claim_table():
    claim("All orders, by the bound: nats above the truth, 1000 creatures", over["all orders"], above=1, below=8)
    claim("The bound less raster order, the same creatures", dearer, above=0.2, below=1.6)
    claim("The bound's gap is at least (12 orders, 100 of them)", too_high, above=0.6)
    claim("The two means' difference: mixture less raster order, at most", dearer.mean() - too_high.mean(), below=0.5)

# %% [markdown]
# By its bound the network of all orders costs more, and a single order of it, drawn at random, is worse than a network made
# for one. But the model that draws is the mixture, the mean over orders inside the logarithm, and the gap is about as
# large as the difference, or larger, since with more orders it could only grow, on average. So nothing shows that all
# orders cost more. (Two recipes, each trained once.) What is bought with it?
#
# ## Completion from any pixels
# Raster order can complete what comes last. Hide the *upper* half of a creature, and notebook 07c needed importance
# weights. Here a hidden half is a $z$ like any other. The truth is known: a
# creature is made of parts with known probabilities; we add up over all parts that fit what is seen, so
# $p(x_j \mid x_S)$ and $p(\text{hidden} \mid \text{seen})$ are exact for every set.

# %%
predict("11f.upper", "A true upper half costs about nine nats, given the lower half. What does one cost that the "
        "PixelCNN drew, row by row from the top?", low=0, high=300)

# %%
upper = torch.arange(12)[:, None].expand(12, 6) < 6                        # True where hidden
x = test[:200]
z = torch.where(upper, 16, x)
completed = {"truth": x, "all orders": unmask(network, z, 16, [1] * 36, seeded())[-1],
             "raster order": pixelcnn.inpaint(x, ~upper, seeded()).images}
cost = {name: creatures.log_prob_seen(z) - creatures.log_prob(y) for name, y in completed.items()}
show(images(np.concatenate([as_pictures(y[:8], "sprites") for y in (z, *completed.values())]), columns=8,
            row_labels=["seen", "truth", "all orders", "PixelCNN, raster"],
            title="Upper halves for a given lower half, not seen by the PixelCNN"),
     alt="Eight creatures in four rows: the lower half alone, the true creature, completed by the network of all "
         "orders, and by the PixelCNN; nats of the upper half given the lower: "
         + ", ".join(f"{name} {c.mean():.0f}" for name, c in cost.items()))
reveal("11f.upper", cost["raster order"].mean())

# %%
right, told = creatures.conditionals(z), network(z).double().softmax(dim=1)
def lacking(q):
    """KL(true answer ‖ q), mean over the hidden pixels of each picture, in nats a pixel."""
    return torch.special.xlogy(right, right / q).sum(dim=1)[:, upper].mean(dim=1)

alone = creatures.pixel_probabilities().movedim(2, 0)[None].expand_as(right)
with claim_table():
    claim("Upper half given the lower, exact nats, 200 creatures: all orders less the truth",
          cost["all orders"] - cost["truth"], above=0, below=12)
    claim("Raster order less the truth", cost["raster order"] - cost["truth"], above=20)
    claim("Network asked once, all 36 hidden: KL from the true answer, a hidden pixel, over that of each pixel's "
          "frequencies, lower half ignored",
          lacking(told) / lacking(alone).mean(), below=0.2)

# %% [markdown]
# The PixelCNN draws the top before it sees the rest. With 07c's importance weights it would do better, at the price of many
# draws.
#
# And the bars, in full. From here on $p$ is the truth and $\hat p$ the network. Its bound, averaged over the true pictures,
# lies above the entropy by exactly the KL divergences of all its answers,
# $\sum_k \frac{1}{k} \mathbb{E} \sum_j \mathrm{KL}\big(p(x_j \mid x_S) \,\|\, \hat p(x_j \mid x_S)\big)$; this
# $\mathbb{E}$ is over sets and over what is seen. So the excess *is* the error of completions.

# %%
def learned(seed=0, steps=400, **settings):
    """A network that has learned the bars, as a table of answers."""
    experiment = Experiment(Hyperparameters(data="bars", layers=1, heads=2, learning_rate=0.01, total_steps=steps,
                                            **settings), seed=seed)
    for _ in run(experiment, steps, progress=False):
        pass
    return table_of(lambda z: experiment.model(z).log_softmax(dim=1))

tables = [learned(seed) for seed in range(3)]
kl = p[:, None, None] * (exact - tables[0])                                # summed over x: Σ p log (p/p̂)
kl = torch.stack([kl[:, k_of == k].sum(dim=(0, 2)).mean() / k for k in range(1, 10)]).sum()
claim("Bound less entropy, less the KL divergences of all answers", bound(tables[0]) @ p - entropy - kl, near=0,
      within=1e-10, exact=True)

# %% [markdown]
# ## Many at once
# So far one symbol a step: $D$ passes, no fewer than in raster order. But the step back of $z_t$ shows *many* symbols at a
# time, each drawn from its own $\hat p(x_j \mid z_t)$, without a look at the others. (We show a fixed number in each step,
# not each with probability $r$: with one a step, that is the chain rule in a random order.) Take two pixels that are always
# alike, both of ink or both of paper, half of the time each. Hidden, each is ink with probability one half, and that is
# right. Drawn in one step, they differ half of the time: every pair gets 1/4, and
# $\mathrm{KL} = 2 \cdot \tfrac{1}{2} \log \tfrac{1/2}{1/4} = \log 2$. No training mends that: the answers were right.
# One step with a given set $B$ loses its **total correlation**,
# $\mathrm{KL}\big(p(x_B \mid z) \,\|\, \prod_{j \in B} p(x_j \mid z)\big)$. On the bars we add up what $T$ steps draw: with
# the true answers, and with those of three networks.

# %%
numbers = list(range(1, 10))

def divergence(q):
    """KL(bars ‖ q) in nats."""
    return (p * (p / q).log()).sum().item()

# %%
in_parallel = {"true answers": [divergence(drawn_in_steps(exact, shares(9, T))) for T in numbers]}
by_seed = [[divergence(drawn_in_steps(table, shares(9, T))) for T in numbers] for table in tables]
in_parallel["trained networks, mean of three seeds"] = trained = np.mean(by_seed, axis=0)
show(curves(numbers, in_parallel, title="Fewer steps than pixels: even true answers lose", xlabel="steps",
            ylabel="KL(bars ‖ drawn), nats",
            bands={"trained networks, mean of three seeds": (np.min(by_seed, axis=0), np.max(by_seed, axis=0))}),
     alt="Two falling lines over one to nine steps; in nats, true answers "
         f"{in_parallel['true answers'][0]:.2f} at one step, {in_parallel['true answers'][2]:.2f} at three, 0 at nine; "
         f"trained networks, in a band of three seeds, {trained[-1]:.2f} at nine")
pair, half = torch.tensor([[0.5, 0.0], [0.0, 0.5]]).double(), torch.tensor([0.5, 0.5]).double()
independent = (p[:, None] * EVERY).sum(dim=0)                              # p(ink) of each pixel by itself
log_alone = torch.where(SEEN, independent, 1 - independent).log().sum(dim=1)
with claim_table():
    claim("Two pixels: KL of one step, less log 2", torch.special.xlogy(pair, pair / half.outer(half)).sum()
          - math.log(2), near=0, within=1e-12, exact=True)
    claim("Bars, true answers, one step: KL less the total correlation", in_parallel["true answers"][0]
          - (p * (p.log() - log_alone)).sum(), near=0, within=1e-11, exact=True)
    claim("Two, three and four steps, true answers: KL", in_parallel["true answers"][1:4], above=0.05, exact=True)
    claim("Nine steps, true answers: KL", in_parallel["true answers"][-1], near=0, within=1e-11, exact=True)
    claim("One step less nine, trained networks, three seeds: KL", [row[0] - row[-1] for row in by_seed], above=0.5)
    claim("Nine steps: mean bound less entropy, less KL, less the gap, the same networks",
          [(bound(table) @ p - entropy).item() - row[-1] - ((bound(table) + log_mixture(table)) @ p).item()
           for table, row in zip(tables, by_seed, strict=True)], near=0, within=1e-10, exact=True)

# %% [markdown]
# At nine steps the networks keep a KL that is less than their bound's excess: what lies between is the gap.

# %% [markdown] cited="15%"
# ## Break it: three other losses
# **The weight forgotten.** Train with weight 1 for $D/k$ and the loss is
# $\frac{1}{D} \sum_k \mathbb{E}[\dots]$: with the true answers it lies below the entropy, where no model's mean
# $-\log p(x)$ can be. **The seen symbols, too** (and no weight). A seen symbol is copied from the input, once learned at
# hardly any cost; the mean over all symbols looks fine, and says nothing. **Always 15%.** BERT (Devlin et al.) hides a fixed
# share of the tokens: a good way to learn features. Of nine pixels that is one; so no answer is learned where more are
# hidden.

# %%
unweighted = (by_number(exact)[1:].mean(dim=0) @ p).item()                 # k even from 1 to 9, weight 1
always_one = 9 * (by_number(exact)[1] @ p).item()                          # k = 1, weight 9
ways_to_learn = {"no weight": {"objective": "no weight"}, "all symbols": {"objective": "all symbols"},
                 "always 15%": {"mask_share": 0.15}}
beyond = {name: [(bound(learned(seed, **way)) @ p - entropy).item() for seed in range(3)]
          for name, way in ways_to_learn.items()}
beyond["bound"] = [(bound(table) @ p - entropy).item() for table in tables]
print(f"entropy {entropy:.2f}; with true answers: no weight {unweighted:.2f}, always one hidden {always_one:.2f}")
for name, values in beyond.items():
    print(f"{name:12} true bound less entropy, three seeds:", *(f"{value:6.2f}" for value in values))
with claim_table():
    claim("True answers: the loss without its weight less the entropy, nats", unweighted - entropy, below=-0.5,
          exact=True)
    claim("True answers: nine times the loss with one hidden, less the entropy", always_one - entropy, below=-0.5,
          exact=True)
    claim("Right loss: the true bound above the entropy, three seeds", beyond["bound"], above=0, below=2)
    claim("Always 15%: the same, less that of the right loss", np.subtract(beyond["always 15%"], beyond["bound"]),
          above=0.3)
    for name in ("no weight", "all symbols"):
        claim(f"The same: {name}", np.subtract(beyond[name], beyond["bound"]), near=0, within=2)

# %% [markdown]
# The first two have the same best answers as the right loss, and on the bars the network ends about where that
# one does (three seeds, printed).
# What is lost is the meaning of the number: it can no longer be held against the entropy, or against another model.

# %% [markdown]
# ## Going further
# ### The most confident first
# Which symbols should a step show? **MaskGIT** (Chang et al.) draws all that are hidden and keeps those whose *drawn value*
# had the highest probability; the others are masked again. It looks wise. But what is kept was chosen after the draw, so
# likely values are kept too often: a bias, even of true answers. The other way is to *ask* first, show the symbols
# whose likelier value is most probable, and only then draw these. That is an order which depends on what is seen, and with
# one symbol a step the chain rule holds in such an order, too. With true answers on the bars, exactly:

# %%
predict("11f.confident", "True answers, nine steps, each keeps the most confident draw. KL(bars ‖ drawn)?", low=0,
        high=10)

# %%
ways = {"random places": lambda n: drawn_in_steps(exact, n),
        "confident draw": lambda n: drawn_by_confidence(exact, n, draw_first=True),
        "confident answer": lambda n: drawn_by_confidence(exact, n, draw_first=False)}
laws = {name: [way(shares(9, T)) for T in numbers] for name, way in ways.items()}
kls = {name: [divergence(q) for q in each] for name, each in laws.items()}
variety = {name: -(each[-1] * each[-1].log()).sum().item() for name, each in laws.items()}
show(curves(numbers, kls, title="True answers: beyond two steps, keeping confident draws gets worse", xlabel="steps",
            ylabel="KL(bars ‖ drawn), nats"),
     alt="KL over one to nine steps: " + "; ".join(f"{name} {kl[1]:.2f} at two, {kl[-1]:.2f} at nine"
                                                   for name, kl in kls.items()))
reveal("11f.confident", kls["confident draw"][-1])
print(f"entropy of the bars {entropy:.2f};", ", ".join(f"{name} {h:.2f}" for name, h in variety.items()))
with claim_table():
    claim("Nine steps, confident draws: KL", kls["confident draw"][-1], above=3, exact=True)
    claim("Confident draws, from two steps on: KL with one step more, less that before",
          np.diff(kls["confident draw"])[1:], above=0, exact=True)
    claim("Nine steps, confident draws: entropy of what is drawn less that of the bars",
          variety["confident draw"] - entropy, below=-2, exact=True)
    claim("Nine steps, confident answers: KL", kls["confident answer"][-1], near=0, within=1e-10, exact=True)
    claim("Two to eight steps: KL of confident draws less that of random places",
          np.subtract(kls["confident draw"], kls["random places"])[1:8], above=0.1, exact=True)
    claim("Two to eight steps: KL of confident answers less that of random places",
          np.subtract(kls["confident answer"], kls["random places"])[1:8], above=0.005, exact=True)

# %% [markdown]
# On these bars random places come out best from two to eight steps. Photographs are judged by other measures, for which less variety may be no
# loss; and Chang et al. add noise to the confidence, so that it can be tuned.

# %% [markdown]
# ### Creatures in few steps
# What is drawn is scored by the exact $-\log p(x)$; one who draws by true answers is the measure
# of what steps alone do. This is not the excess of above: there the network scores true creatures, here the truth scores
# drawn ones, and does not see missing variety.

# %%
counts, blank = [1, 2, 4, 9, 18, 36, 72], torch.full((100, 12, 6), 16)    # left halves, 16 colours
makers = {"true answers": lambda z: creatures.conditionals(z).log(), "network": network}
drawn = {name: [unmask(maker, blank, 16, shares(72, T), seeded(T))[-1] for T in counts]
         for name, maker in makers.items()}
true_cost = -creatures.log_prob(test).mean()
above = {name: [-creatures.log_prob(x) - true_cost for x in each] for name, each in drawn.items()}
show(images(np.concatenate([as_pictures(drawn["network"][i][:8], "sprites") for i in (0, 2, 4, 6)]), columns=8,
            row_labels=[f"T = {counts[i]}" for i in (0, 2, 4, 6)],
            title="The shipped network: creatures drawn in T steps"),
     alt="Creatures drawn in 1, 4, 18 and 72 steps: first a jumble of colours, at last mostly creatures of one scheme")

# %%
means, errors = ({name: np.array([f(a) for a in each]) for name, each in above.items()}
                 for f in (lambda a: a.mean().item(), lambda a: a.std().item() / len(a)**0.5))
show(curves(counts, means, bands={name: (m - 2 * errors[name], m + 2 * errors[name]) for name, m in means.items()},
            log_x=True, baseline=(0, "true creatures"), xlabel="steps", ylabel="mean −log p(drawn) less true, nats",
            title="Drawn creatures: how much less probable than true ones"),
     alt="Two falling lines in bands of two standard errors; " + "; ".join(
         f"{name}: {m[0]:.0f} nats at one step, {m[4]:.1f} at 18, {m[-1]:.1f} ± {errors[name][-1]:.1f} at 72"
         for name, m in means.items()) + f"; 0 is the mean of {len(test)} true creatures")
print("72 steps:", ", ".join(f"{name} {m[-1]:.1f} ± {errors[name][-1]:.1f} nats" for name, m in means.items()))
with claim_table():
    claim("One step, true answers: nats above true creatures, 100 drawn", above["true answers"][0], above=50)
    claim("72 steps, true answers", above["true answers"][-1], near=0, within=7)
    claim("18 steps, true answers", above["true answers"][4], above=5, below=30)
    claim("72 steps: network", above["network"][-1], below=20)

# %% [markdown]
# ## Your turn
# Symbols stand in a row here: `x` and `z` are int64 [n, D] with the values 0 … N − 1, and N for the mask.
#
# **1.** Hide each symbol with probability $t$, by the given uniform numbers.

# %% tags=["exercise"]
def mask(x, u, t, N):
    """z [n, D]: x [n, D] with N where u [n, D], uniform on (0, 1), lies below the picture's t [n]."""
    ### BEGIN SOLUTION
    return torch.where(u < t[:, None], N, x)
    ### END SOLUTION

# %%
check("11f.mask", mask)

# %% [markdown]
# **2.** The loss at time $t$, with $\alpha_t = 1 - t$: one draw of the bound for each picture. Here $t$ is given, so $1/t$, not
# $D/k$; sometimes nothing is hidden.

# %% tags=["exercise"]
def bound_at(logits, x, z, t):
    """One draw of the bound on −log p(x) in nats, [n]; logits [n, D, N], x and z [n, D], t [n]."""
    ### BEGIN SOLUTION
    N = logits.shape[2]
    nll = -logits.log_softmax(dim=2).gather(2, x[:, :, None])[:, :, 0]
    return (nll * (z == N)).sum(dim=1) / t
    ### END SOLUTION

# %%
check("11f.bound_at", bound_at)

# %% [markdown]
# **3.** The step back of the model, as probabilities of every value and, last, of the mask.

# %% tags=["exercise"]
def back(z, p, alpha_s, alpha_t):
    """p(z_s | z_t = z), [n, D, N + 1]; p [n, D, N] are the network's p(x_j | z), alpha_s > alpha_t two numbers."""
    ### BEGIN SOLUTION
    N = p.shape[2]
    r = (alpha_s - alpha_t) / (1 - alpha_t)
    hidden = torch.cat([r * p, torch.full_like(p[:, :, :1], 1 - r)], dim=2)
    seen = (z[:, :, None] == torch.arange(N + 1)).to(p)
    return torch.where((z == N)[:, :, None], hidden, seen)
    ### END SOLUTION

# %%
check("11f.back", back)

# %% [markdown]
# **4.** Draw in few steps. Step `i` shows `shown[i]` of the symbols that are still hidden, those with the smallest
# `rank`; ask the network anew in each step. `rank` [n, D] holds 0 … D − 1 in random order, floats; `shown` is a list. A drawn symbol is the first value whose cumulated probability exceeds its `u`.

# %% tags=["exercise"]
def decode(probabilities, z, rank, u, shown):
    """The last state [n, D] of z [n, D]; probabilities(z) are p(x_j | z) [n, D, N]; rank and u [n, D]."""
    ### BEGIN SOLUTION
    for count in shown:
        p = probabilities(z)
        hidden = z == p.shape[2]
        drawn = (u[:, :, None] >= p.cumsum(dim=2)[:, :, :-1]).sum(dim=2)
        place = rank.masked_fill(~hidden, torch.inf).argsort(dim=1).argsort(dim=1)
        z = torch.where(hidden & (place < count), drawn, z)
    return z
    ### END SOLUTION

# %%
check("11f.decode", decode)

# %% [markdown]
# ## What to keep
# - Masked diffusion hides symbols at random; its step back shows some of them, drawn by the network's $p(x_j \mid z)$.
# - Its bound is the chain rule averaged over all orders. The schedule drops out, the weight $1/k$ does not.
# - The gap is that between a mean of logarithms and the logarithm of a mean: nothing if all orders agree.
# - One network answers for any seen set: completion needs no importance weights.
#   Here a random order of it is worse than a network made for one; the mixture need not be.
# - Symbols of one step do not see each other. Fewer steps cost total correlation, even if every answer is true.
# - Choose places before you draw, not after.
#
# **Read on:**
#
# - B. Uria, I. Murray, H. Larochelle, [*A Deep and Tractable Density Estimator*](https://arxiv.org/abs/1310.1757), ICML
#   (2014): one network for all orders.
# - J. Devlin, M. Chang, K. Lee, K. Toutanova, [*BERT: Pre-training of Deep Bidirectional Transformers for Language
#   Understanding*](https://arxiv.org/abs/1810.04805), NAACL (2019).
# - J. Austin et al., [*Structured Denoising Diffusion Models in Discrete
#   State-Spaces*](https://arxiv.org/abs/2107.03006), NeurIPS (2021).
# - E. Hoogeboom et al., [*Autoregressive Diffusion Models*](https://arxiv.org/abs/2110.02037), ICLR (2022).
# - H. Chang et al., [*MaskGIT: Masked Generative Image Transformer*](https://arxiv.org/abs/2202.04200), CVPR (2022).
# - A. Lou, C. Meng, S. Ermon, [*Discrete Diffusion Modeling by Estimating the Ratios of the Data
#   Distribution*](https://arxiv.org/abs/2310.16834), ICML (2024): a score for symbols.
# - S. Sahoo et al., [*Simple and Effective Masked Diffusion Language Models*](https://arxiv.org/abs/2406.07524), NeurIPS
#   (2024).
# - J. Shi et al., [*Simplified and Generalized Masked Diffusion for Discrete
#   Data*](https://arxiv.org/abs/2406.04329), NeurIPS (2024).
# - J. Ou et al., [*Your Absorbing Discrete Diffusion Secretly Models the Conditional Distributions of Clean
#   Data*](https://arxiv.org/abs/2406.03736), ICLR (2025).
#
# **Next:** notebook 12, one scoreboard: all families on the same pictures. Which one would you take?
