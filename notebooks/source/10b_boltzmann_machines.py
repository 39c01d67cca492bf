# %% [markdown]
# # 10b · Boltzmann machines and contrastive divergence
#
# Some models give every picture an **energy**. Turning energies into probabilities takes a sum over all possible pictures.
# **How do you train a distribution when its normalising sum has too many terms?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | train a restricted Boltzmann machine, say what short chains get wrong, and estimate its partition function |
# | You need | logistic function (sigmoid) σ, KL divergence in nats; for the last parts notebooks 03 (bounds, Jensen's inequality) and 03c (importance weights) |
# | Time | 60 seconds to run · seed 0 |

# %%
import numpy as np
import torch
from IPython.display import Markdown, display
from torch.nn.functional import softplus

from course_lib.chapters.nb10b.plots import convergence
from course_lib.comparisons.digits8 import frequencies
from course_lib.data import bars_and_stripes
from course_lib.experiments.rbm import RBMExperiment, RBMHyperparameters, exact_probabilities
from course_lib.live import Bars, Curve, ImageGrid, LiveLab
from course_lib.models.dbm import DBM
from course_lib.models.rbm import RBM, ais, all_states, bernoulli, log_mean_exp
from course_lib.plots import bars, bound_bars, curves, framed, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes. Everything on three by three pixels is exact, so let the class doubt each
# approximation and look up the truth. The comparison of the three gradients and the two failure labs are the core; the
# deep Boltzmann machine lies under *Going further* and can be left out.
#
# - **Prepare.** Two by two units on the board, with their energies.
# - **The gradient is a difference of two averages.** On the board: differentiate log Z; it is a mean over the model.
# - **10b.order.** “one round from the data”, the practical one; or “they tie”. What does a chain that starts at the
#   data never see?
# - **10b.idle.** “both rise”: a lower energy is taken for a better score. Who shares the gain?

# %% [markdown]
# ## An energy for every picture
# Our data are fourteen of the $2^9$ pictures of 3 x 3 pixels: full rows or full columns; the empty and the full picture
# count as both. A **restricted Boltzmann machine**, **RBM** for short, joins the vectors of pixels $x$ and of **hidden
# units** $h$, all 0 or 1, by an **energy**; low energy means probable:
#
# $$E(x, h) = -b \cdot x - c \cdot h - x^\top W h, \qquad p(x, h) = \frac{e^{-E(x, h)}}{Z}, \qquad
#   Z = \sum_{x, h} e^{-E(x, h)}.$$

# %% [markdown]
# To be learned are $W$, with a row for each pixel and a column for each hidden unit, the biases $b$ of the pixels and $c$
# of the hidden units. $Z$ is the **partition function**, the number that makes the probabilities add up to 1. No pixel is
# joined to a pixel, and no hidden unit to a hidden unit: that is what *restricted* means. So for a given $x$ the exponent
# is a sum over hidden units, and with $W_j$ the column of $W$ for $h_j$
#
# $$\begin{aligned}
# \sum_h e^{-E(x, h)} &= e^{b \cdot x} \sum_h \prod_j e^{h_j (c_j + x \cdot W_j)} = e^{b \cdot x} \prod_j \bigl(1 +
#   e^{c_j + x \cdot W_j}\bigr) , \\
# p(x) &= \frac{e^{-F(x)}}{Z}, \qquad F(x) = -b \cdot x - \sum_j \log\bigl(1 + e^{c_j + x \cdot W_j}\bigr).
# \end{aligned}$$
#
# (Each $h_j$ stands in one factor alone, so the sum of products is a product of sums, over off, $1$, and on.) $F$ is the
# **free energy**, and $\log(1 + e^a)$ the **softplus** of $a$. $F$ is cheap; $Z$ has a term for every picture, or every
# $h$.

# %%
patterns = bars_and_stripes(3)
show(framed(images(patterns.view(-1, 3, 3), title="The data: 14 of the 512 possible pictures", columns=14,
                   labels=[*map(str, range(1, 15))])),
     alt="Fourteen pictures of three by three pixels: empty, full, one or two full rows, one or two full columns")

# %%
rbm, world = RBM(9, 4, seeded()), all_states(9)           # four hidden units; the 512 pictures of nine pixels
with torch.no_grad():
    rbm.b += 0.3 * torch.randn(9, generator=seeded(1))
    rbm.W *= 10                                           # far from 0, so that a mistake would show
    h = all_states(4)
    minus_E = world @ rbm.b + (h @ rbm.c)[:, None] + h @ rbm.W.T @ world.T       # (hidden states, pictures)
    F = -world @ rbm.b - softplus(world @ rbm.W + rbm.c).sum(dim=1)
    log_Z = minus_E.flatten().logsumexp(dim=0)

with claim_table():
    claim("F is minus the log of the sum over h: largest difference of the 512 pictures",
          (F + minus_E.logsumexp(dim=0)).abs(), below=1e-4, exact=True)
    claim("log Z from free energies, and the library's, less that from all pairs",
          torch.stack([(-F).logsumexp(dim=0), rbm.log_partition().detach()]) - log_Z, near=0, within=1e-4, exact=True)

# %% [markdown]
# ## The gradient is a difference of two averages
# 1. $\log p(x) = -F(x) - \log Z$, for each picture of the data.
# 2. By the chain rule of derivatives, $-\partial F/\partial W_{ij} = x_i\, \sigma(c_j + x \cdot W_j) = \mathbb{E}[x_i h_j \mid x]$: the slope
#    of the softplus is $\sigma$. And $h_j$ has the weights $1$ and $e^{c_j + x \cdot W_j}$ for off and on, so
#    $p(h_j = 1 \mid x) = \sigma(c_j + x \cdot W_j)$.
# 3. $\partial \log Z/\partial W_{ij} = \frac1Z \sum_x e^{-F(x)} \bigl(-\partial F(x)/\partial W_{ij}\bigr) =
#    \mathbb{E}_{p}[x_i h_j]$, since $e^{-F(x)}/Z = p(x)$: by step 2 the average of $\mathbb{E}[x_i h_j \mid x]$ over the
#    *model's own* pictures, which is the average over both.
#
# $$\frac{\partial}{\partial W_{ij}} \mathbb{E}_\text{data}[\log p(x)] = \mathbb{E}_\text{data}[x_i h_j] -
#   \mathbb{E}_\text{model}[x_i h_j].$$
#
# The first average, of $x$ from the data and $h \sim p(h \mid x)$, is the **positive phase**: a step along it lowers the
# energy of the data. The second is the **negative phase**: a step against it raises the energy of what the model draws. At
# a maximum both averages agree. For $b_i$ the averages are of $x_i$, for $c_j$ of $h_j$; the RBM's `moments` gives those
# for $W$, $b$ and $c$, in this order. We hold the formula against automatic differentiation.

# %%
rbm.zero_grad()
rbm.log_prob(patterns).mean().backward()                  # by automatic differentiation, through Z
positive_phase, negative_phase = rbm.moments(patterns), rbm.exact_moments()        # x: the data; all 512, by p(x)
with claim_table():
    claim("Weights: largest difference of the gradient from E_data[x h] − E_model[x h]",
          (rbm.W.grad - (positive_phase[0] - negative_phase[0])).flatten().abs(), below=1e-5, exact=True)
    for name, bias, i in (("pixels, b", rbm.b, 1), ("hidden units, c", rbm.c, 2)):
        claim(f"Biases of the {name}: largest difference", (bias.grad - (positive_phase[i] - negative_phase[i])).abs(),
              below=1e-5, exact=True)

# %% [markdown]
# ## Gibbs sampling for the negative phase
# The negative phase needs draws from the model. Given $x$ the hidden units are independent, as $e^{-E}$ is a product over
# them; given $h$ the pixels are:
#
# $$p(h_j = 1 \mid x) = \sigma(c_j + x \cdot W_j), \qquad p(x_i = 1 \mid h) = \sigma(b_i + W_i \cdot h),$$
#
# with $W_j$ a column and $W_i$ a row of $W$. So each side, a block, is drawn at once. A *round* draws $h$, then a new $x$;
# round after round makes a *chain*, in which each picture depends on the one before. This is **Gibbs sampling**.
#
# If $x$ has the model's distribution, $(x, h)$ has it too, and so does the new $x$: the distribution is **stationary**. And
# chains that start elsewhere approach it. One round can lead from any picture to any other, so each one meets a
# stationary chain in time, and from there both may use the same draws.
#
# A hundred chains of an RBM that is *half trained* (the cell says how) start at the empty picture; we count all they visit.
# The distance to the exact distribution is the **total variation**: half the sum over all pictures of how far share and
# probability are apart, from 0 to 1.

# %%
def gibbs_round(rbm, x, generator):
    h = bernoulli(rbm.p_h(x), generator)
    return bernoulli(rbm.p_x(h), generator)

library = rbm.gibbs(patterns, 1, seeded(3))
claim("The same random numbers give the same pictures as the library",
      torch.equal(library, gibbs_round(rbm, patterns, seeded(3))))

# An RBM to draw from: the library's, sixteen hidden units, six hundred steps up the gradient above: half trained.
early = RBMExperiment(RBMHyperparameters(method="exact", learning_rate=0.3), seed=0)
for _ in run(early, steps=600, progress=False):
    pass
p = exact_probabilities(early.rbm)[0].numpy()             # of all 512 pictures

# %%
def code(x):
    return (x @ 2.0 ** torch.arange(8, -1, -1)).long()    # a picture's number, its row in all_states

@torch.no_grad()
def distances(draws):
    """Half the sum of |share - p|, each time the number of draws has doubled, from 100 on."""
    ends = 100 * 2 ** np.arange(12)
    return [np.abs(np.bincount(draws[:end], minlength=512) / end - p).sum() / 2 for end in ends]

generator, x, visited = seeded(4), torch.zeros(1, 100, 9), []       # [RBMs, chains, pixels], of one RBM
for _ in range(2048):
    x = gibbs_round(early.rbm, x, generator)
    visited.append(code(x[0]))
chain = distances(torch.cat(visited).numpy())
independent = distances(np.random.default_rng(0).choice(512, size=204_800, p=p / p.sum()))

# %%
show(convergence(100 * 2 ** np.arange(12), {"Gibbs chains": chain, "independent draws": independent},
                 title="The chains' histogram nears the exact distribution too, but later", xlabel="pictures counted",
                 ylabel="total variation distance"),
     alt="On logarithmic axes the distance from the exact distribution over the pictures counted: of the chains from "
         f"{chain[0]:.2f} to {chain[-1]:.3f}, of independent draws from {independent[0]:.2f} to {independent[-1]:.3f}")
with claim_table():
    claim("The chains' first hundred pictures: total variation distance", chain[0], above=0.85)
    claim("After two hundred thousand: total variation distance", chain[-1], below=0.06)
    claim("After two hundred thousand: the chains' distance over that of independent draws",
          chain[-1] / independent[-1], above=1.6)

# %% [markdown]
# The chains' first pictures are near the empty one, and each resembles the one before: it tells less than an independent
# draw.
#
# ## Contrastive divergence, and persistent chains
# A new chain for each step, until it has converged, is too slow. Two shortcuts:
#
# - **Contrastive divergence**, **CD-k**: start the chains *at the data* and run $k$ rounds. Cheap, but they only see the
#   data's neighbourhood.
# - **Persistent contrastive divergence**, **PCD**: start at random pictures once, and keep the chains from step to step.
#   The model changes little in a step, so the chains nearly keep up.
#
# Sixteen RBMs of each kind, at three learning rates each. The exact gradient has no noise to average out: it gets one high
# rate (*rate* for learning rate) and half as many steps. A rate is constant for the first half of the training (`total_steps`), then falls to 0.
# The data's distribution is $1/14$ for each pattern; with all $2^9$ pictures alike the KL is $\log (2^9 / 14)$, over three
# and a half nats.

# %%
predict("10b.order",
        "Three negative phases: the exact sum; persistent chains and one round from the data, each at its best rate of "
        "three. The exact sum ends with the least KL(data ‖ model). Which comes second?",
        options=["persistent chains", "one round from the data", "they tie"])

# %%
def one_step(rbm, method, data, chains, rate, generator):      # *Going further* holds it against the library's
    """Returns the chains, after the RBM has learned. All tensors: [RBMs, pictures, units]."""
    if method == "exact":
        negative_phase = rbm.exact_moments()
    else:
        # 98 chains; CD's start seven at each of the 14 pictures (fewer would make the gradient noisy)
        chains = gibbs_round(rbm, data.repeat(1, 7, 1) if method == "CD" else chains, generator)
        negative_phase = rbm.moments(chains)
    for parameter, positive, negative in zip((rbm.W, rbm.b, rbm.c), rbm.moments(data), negative_phase, strict=True):
        parameter.data += rate * (positive - negative)
    return chains

# %%
def train_sixteen(method, rate, steps):
    """Sixteen RBMs, and their KL thirty times along the training, [30, RBMs]."""
    experiment = RBMExperiment(RBMHyperparameters(method=method, learning_rate=rate, total_steps=steps, machines=16),
                               seed=100)
    return experiment, np.array([experiment.kl().numpy() for i, _ in enumerate(run(experiment, steps, progress=False))
                                 if (i + 1) % (steps // 30) == 0])

trained = {(method, rate): train_sixteen(method, rate, 3000) for rate in (0.05, 0.15, 0.3) for method in ("PCD", "CD")}
trained["exact", 0.5] = train_sixteen("exact", 0.5, 1500)
half = {key: np.median(kl[9:15], axis=0) for key, (_, kl) in trained.items()}      # of each RBM, at the full rate
end = {key: kl[-1] for key, (_, kl) in trained.items()}
best = {method: min((key for key in trained if key[0] == method), key=lambda key: np.median(end[key]))
        for method in ("exact", "PCD", "CD")}
rbms, history = ({method: trained[key][i] for method, key in best.items()} for i in range(2))
rows = ["| rate | PCD, half time | PCD, end | CD-1, half time | CD-1, end |", "|---|---|---|---|---|", *(
    f"| {rate} | " + " | ".join(f"{np.median(kl[method, rate]):.2f}" for method in ("PCD", "CD") for kl in (half, end))
    + " |" for rate in (0.05, 0.15, 0.3))]
head = "Median KL of sixteen RBMs, nats (half time: median from a third to half of the training):\n"
display(Markdown("\n".join([head, *rows])))

# %%
names = {"exact": "exact", "PCD": "PCD", "CD": "CD-1"}
show(curves(np.arange(1, 31) / 30, {f"{names[m]}, rate {rate}": np.median(trained[m, rate][1], axis=1) for m, rate in (
    best["exact"], *((m, rate) for rate in (0.15, 0.3) for m in ("PCD", "CD")))}, log_y=True,
            title="The rate decides whether PCD or CD-1 is ahead",
            mark=(0.5, "the rates start to fall"), xlabel="share of the training (exact: half as many steps)",
            ylabel="KL(data ‖ model), nats"),
     alt="Median KL along the training of the exact gradient, and of persistent chains and CD-1 at two rates each. At "
         "the end: " + ", ".join(f"{method} at {rate} {np.median(end[method, rate]):.2f}" for method, rate in end))

def second(kl):
    """Which has the lower KL; less than a tenth apart is a tie."""
    ratio = kl["PCD"] / kl["CD"]
    return ("they tie" if abs(np.log(ratio)) < 0.1 else "persistent chains" if ratio < 1
            else "one round from the data")

reveal("10b.order", {method: np.median(end[best[method]]) for method in ("PCD", "CD")}, pick=second)
with claim_table():
    for method in ("PCD", "CD"):
        claim(f"KL of the exact gradient less that of {method}, RBM by RBM, each at its best rate",
              end[best["exact"]] - end[best[method]], below=0)
    for rate, side in ((0.05, {"below": 0}), (0.15, {"below": 0}), (0.3, {"above": 0})):
        claim(f"Rate {rate}, half time: KL of PCD less that of CD-1", half["PCD", rate] - half["CD", rate], **side)
        claim(f"Rate {rate}, at the end: KL of PCD less that of CD-1", end["PCD", rate] - end["CD", rate], **side)
    claim("CD-1, at the end: KL at rate .15 less that at .3", end["CD", 0.15] - end["CD", 0.3], near=0, within=0.1)

# %% [markdown]
# Each at its best rate, PCD comes second. At the two lower rates it is ahead of CD-1, at the highest behind. The usual explanation: there the weights move on faster than the chains follow. CD-1 ends
# at about the same KL with the two higher rates: a smaller step does not mend what it gets wrong; at the lowest it has not
# got so far. From here on each method has its best rate.

# %% [markdown]
# ## Break it: a chain that does not mix
# A student looks only at the **reconstructions**, pixel probabilities after a draw $x \to h$ from the data, finds them
# perfect, and is content. What did CD-1 get wrong?

# %%
believed = {method: sixteen.shares().numpy() for method, sixteen in rbms.items()}   # p of the 14, and of the rest
full_pixels = patterns.sum(dim=1).numpy()                 # how many pixels of a pattern are 1
mean_of = {count: 14 * believed["CD"][:, :14][:, full_pixels == count].mean(axis=1) for count in (0, 3, 6, 9)}
least = {method: 14 * b[:, :14].min(axis=1) for method, b in believed.items()}
with claim_table():
    claim("CD-1: mean squared error of the reconstructions, RBM by RBM", rbms["CD"].reconstruction(), below=0.004)
    claim("Exact gradient, RBM by RBM: 14 times the probability of the least likely pattern", least["exact"], above=0.8)
    claim("CD-1, RBM by RBM: 14 times the probability of the least likely pattern", least["CD"], below=0.1)
    claim("CD-1, each RBM: 14 times the mean probability of the six-pixel patterns", mean_of[6], above=1, exact=True)
    claim("CD-1, each RBM: 14 times the mean probability of the three-pixel patterns", mean_of[3], below=1, exact=True)
    claim("CD-1, each RBM: 14 times the probability of the empty picture", mean_of[0], below=0.2, exact=True)
print("14 times the probability of the least likely pattern, median of sixteen RBMs:",
      ", ".join(f"{method} {np.median(ratio):.2f}" for method, ratio in least.items()))
print(f"CD-1, 14 times the probability of the full picture: from {mean_of[9].min():.2f} to {mean_of[9].max():.2f}")
order = np.append(full_pixels.argsort(kind="stable"), 14)                              # by the number of full pixels
middle = {method: history[method][-1].argsort()[8] for method in believed}             # a median RBM, by KL
show(bars([*(f"{full_pixels[i]:.0f}" for i in order[:-1]), "other"],
          {name: believed[m][middle[m]][order] for name, m in (("exact", "exact"), ("CD-1", "CD"))},
          baseline=(1 / 14, "data: 1/14 for each pattern"), ylabel="probability",
          xlabel="full pixels of the pattern (of each method the median RBM)",
          title="CD-1 gives some patterns far too much, others almost nothing"),
     alt="Bars for fourteen patterns and all other pictures, of two RBMs. The patterns' reach: " + ", ".join(
         f"{method} from {b[:14].min():.3f} to {b[:14].max():.3f}" for method, b in
         ((m, believed[m][middle[m]]) for m in ("exact", "CD"))))

# %% [markdown]
# The errors are not random: in each of the sixteen RBMs the patterns of six pixels are on average too probable, those
# of three and the empty picture too improbable; the full one goes either way. With ink and paper exchanged the data
# are the same, but the gradient is not: only full pixels count in $x_i h_j$. (Why that favours six we do not know.)
#
# Round each pattern the free energy now has a **basin**: a local minimum and the slopes around it. In $p(x)$, where low is
# high, it is a peak, a **mode**. One round mostly ends in the basin where it began. So CD-1's phases agree, and it learns no
# more, whatever the basins' *depths*: an error of the method.
#
# A chain **mixes** if it soon forgets where it began. Training deepens the basins, and the chains mix more slowly. We
# compare the sixteen RBMs of the exact gradient, *fully trained*, with the one from above, *half trained*:
# start five hundred chains of each RBM at pattern 4 and count those at it after so many rounds, also those that left
# and fell back. The floor is the probability that the RBM itself gives that pattern.

# %%
generator, rounds, still, floor = seeded(6), (1, 3, 10, 30, 100, 300), {}, {}
for method, rbm in (("exact", rbms["exact"].rbm), ("early", early.rbm)):
    x = start = patterns[3].expand(len(rbm.W), 500, 9)
    still[method], floor[method] = [], rbm.log_prob(start[:, :1]).exp().mean().item()
    for t in np.diff((0, *rounds)):
        x = rbm.gibbs(x, int(t), generator)
        still[method].append((x == start).all(dim=2).float().mean(dim=1).numpy())      # of each RBM
with claim_table():
    claim("Fully trained, RBM by RBM: share of chains at the pattern after 100 rounds", still["exact"][4], above=0.45)
    claim("Fully trained: probability that the RBMs themselves give that pattern", floor["exact"], below=0.08)
    claim("Half trained: share of chains at the pattern after 30 rounds", still["early"][3].item(), below=0.3)
    claim("Half trained, after three hundred rounds: share less the RBM's own probability",
          still["early"][-1].item() - floor["early"], near=0, within=0.04)
show(convergence(rounds, {"fully trained": np.mean(still["exact"], axis=1), "half trained": still["early"]},
                 xlabel="rounds",
                 title="The better model's chains take longer to forget where they began",
                 ylabel="share at the starting pattern",
                 floors={"fully trained: floor": floor["exact"], "half trained: floor": floor["early"]}),
     alt="Two curves over the rounds, each with the level line of its floor. After a hundred rounds: " + ", ".join(
         f"{name} {np.mean(still[key][4]):.2f}, floor {floor[key]:.2f}"
         for name, key in (("fully trained", "exact"), ("half trained", "early"))))

# %% [markdown]
# **Repairs** to try: more rounds; persistent chains (the line above the bars has their least likely pattern); or chains
# that *cool down*, as in the next section. The lab has the
# first two. Watch *model* against *data* in the bars, and what the reconstruction error does not say. Try CD with one round
# and with fifty; then PCD at ten times its rate.

# %%
lab = LiveLab(
    RBMExperiment(RBMHyperparameters(method="CD"), seed=0),
    views=[
        Curve("kl", labels={"kl": "KL(data ‖ model)"}, log=True, title="Exact KL, by enumeration", ylabel="nats"),
        Curve("reconstruction", log=True, title="Error of the reconstructions", ylabel="mean square"),
        Bars("data", "model", names=[str(i) if i % 3 == 1 else "" for i in range(1, 15)] + ["other"],
             title="Probability of each pattern", xlabel="pattern", ylabel="probability"),
        ImageGrid("chains", columns=7, title="Where its chains are"),
        ImageGrid("weights", columns=8, title="Weights (dark: positive)"),
    ],
    knobs=["method", "k", "learning_rate", "hidden_size"],
    headless_steps=1500,
)
lab

# %% [markdown]
# ## The partition function by annealed importance sampling
# For nine pixels we sum over $2^9$ pictures; real images have too many. **Annealed importance sampling**,
# **AIS**, goes along a bridge, a row of distributions $p^*_\beta / Z_\beta$ that lead from an easy one ($\beta = 0$) to
# the RBM ($\beta = 1$). But for the factor $1/Z_\beta$ each is known:
#
# $$p^*_\beta(x) = \sum_h e^{(1 - \beta)\, a \cdot x - \beta E(x, h)}
#   = e^{(1 - \beta)\, a \cdot x + \beta\, b \cdot x} \prod_j \bigl(1 + e^{\beta (c_j + x \cdot W_j)}\bigr).$$

# %% [markdown]
# At $\beta = 0$ the pixels are independent, with $p(x_i = 1) = \sigma(a_i)$. Choose the **logits** $a$
# (another $a$ than the softplus's) so that $\sigma(a_i)$ is the frequency in the data (here one half,
# so $a = 0$). There each of the $H$ hidden units gives a factor 2, so
# $Z_0 = 2^H \prod_i (1 + e^{a_i})$. $\beta$ is one over the *temperature*: to raise it is to cool. Each chain carries an
# importance weight $w$ (notebook 03c; no entry of $W$). Start with $w = Z_0$ and a draw $x$ at $\beta = 0$; then in turns
# cool to $\beta'$, multiply $w$ by $p^*_{\beta'}(x) / p^*_\beta(x)$, and run one Gibbs round, $T(x' \mid x)$, at $\beta'$, with
# $\beta' W$, $\beta' c$ and $(1 - \beta')\, a + \beta' b$ for $W$, $c$ and $b$. The library's loop has four lines:

# %%
show_source(ais)

# %% [markdown]
# The mean of $w$ is $Z$ *without bias* (proof: *Going further*). (`log_mean_exp`: its logarithm, from
# the $\log w$.)
# The *logarithm* of the mean has a bias: by Jensen's inequality $\log Z$ comes out too low on average, and so $\log p$
# too high. For one RBM trained by the exact gradient we take sixteen estimates, a hundred chains each: here the bias is
# small beside the scatter.

# %%
exact_rbm = rbms["exact"].rbm.machine(0)
base = torch.logit(frequencies(patterns))
true_log_Z, temperatures, errors = exact_rbm.log_partition().item(), (3, 10, 30, 100, 300, 1000), []
for n in temperatures:
    log_w = ais(exact_rbm, base, torch.linspace(0, 1, n + 1), 1600, seeded(7))
    errors.append([log_mean_exp(part) - true_log_Z for part in log_w.split(100)])      # sixteen estimates
errors = np.array(errors)
show(curves(temperatures, {"log of the estimate": errors.mean(axis=1)}, baseline=(0, "exact log Z"), log_x=True,
            bands={"log of the estimate": (errors.min(axis=1), errors.max(axis=1))},
            title="The slower it cools, the better the estimate of Z",
            xlabel="temperatures on the way (band: least and most of sixteen)",
            ylabel="error of log Z, nats"),
     alt="A band around zero, over the number of temperatures; its largest error is "
         + ", ".join(f"{np.abs(e).max():.2f} at {n}" for n, e in zip(temperatures, errors, strict=True)))
with claim_table():
    claim("A thousand temperatures: mean of w over the exact Z", (log_w - true_log_Z).exp(), near=1, within=0.05)
    claim("A thousand temperatures: largest error of sixteen estimates, nats", np.abs(errors[-1]).max(), below=0.07)
    claim("Three temperatures: largest error of sixteen estimates, nats", np.abs(errors[0]).max(), above=0.35)

# %% [markdown]
# ## Break it: a likelihood without Z
# $-F(x)$ is cheap, so somebody ranks RBMs by the mean of $-F$ on the data. First we give one eight more hidden units
# that are joined to nothing, and with bias 0.

# %%
options = ["both stay", "-F rises, log p stays", "both rise"]
predict("10b.idle", "Eight hidden units joined to nothing. What do they do to -F, and to log p?", options=options)

# %%
@torch.no_grad()
def scores(rbm):
    """The means over the data of -F and of log p."""
    return -rbm.free_energy(patterns).mean().item(), rbm.log_prob(patterns).mean().item()

idle = RBM(9, 24, seeded())
with torch.no_grad():
    for bigger, smaller in ((idle.W, exact_rbm.W), (idle.c, exact_rbm.c), (idle.b, exact_rbm.b)):
        bigger.zero_()
        bigger[..., :smaller.shape[-1]] = smaller
gain_F, gain_p = np.subtract(scores(idle), scores(exact_rbm))
with claim_table():
    claim("−F rises by 8 log 2", gain_F, near=8 * np.log(2), within=1e-3, exact=True)
    claim("log p stays: change", gain_p, near=0, within=1e-3, exact=True)
reveal("10b.idle", {"-F rises by": gain_F, "log p by": gain_p}, pick=lambda gain: options[sum(
    value > 1e-2 for value in gain.values())])

ranked = {m: np.array([scores(rbms[m].rbm.machine(i)) for i in range(16)]) for m in ("PCD", "CD")}
by_F, by_p = (ranked["CD"] - ranked["PCD"]).T                # sixteen pairs of RBMs
with claim_table():
    claim("−F of CD-1 less that of PCD, pair by pair: by this score CD-1 wins", by_F, above=1)
    claim("log p of CD-1 less that of PCD, pair by pair: by log p it loses", by_p, below=0)

# %% [markdown]
# Each idle unit adds softplus(0), which is $\log 2$, to $-F$ of every picture, and as much to $\log Z$. And the wrong RBMs
# win: an unnormalised score can be raised by raising it *everywhere*. Only differences within one model mean something.
# **Repair:** subtract $\log Z$, enumerated or estimated.

# %% [markdown]
# ## Going further
# ### Why the mean of the weights is Z
# The proof carries one statement (1) along the bridge of annealed importance sampling:
# $\mathbb{E}[w f(x)] = \sum_x p^*_\beta(x) f(x)$ for every function $f$.
#
# - **Start.** $x$ is drawn from $p^*_0(x) / Z_0$ and $w = Z_0$, so $\mathbb{E}[w f(x)] = \sum_x Z_0\, \frac{p^*_0(x)}{Z_0}
#   f(x)$: that is (1) at $\beta = 0$.
# - **Factor.** Apply (1) to the function $\frac{p^*_{\beta'}}{p^*_\beta} f$. Its left side is $\mathbb{E}[w' f(x)]$ with
#   the new weight $w'$; on its right $p^*_\beta$ cancels: $\sum_x p^*_{\beta'}(x) f(x)$.
# - **Round.** The new $x'$ gives $\mathbb{E}[w' f(x')] = \sum_x p^*_{\beta'}(x) \sum_{x'} T(x' \mid x) f(x')$, by the line
#   before with $\sum_{x'} T(x' \mid x) f(x')$ for $f(x)$. Change the order: $\sum_{x'} f(x') \sum_x p^*_{\beta'}(x) T(x'
#   \mid x)$. The round leaves its distribution unchanged, so the inner sum is $p^*_{\beta'}(x')$: that is (1) at $\beta'$.
# - **End.** At $\beta = 1$ take $f = 1$: $\mathbb{E}[w] = \sum_x p^*_1(x) = Z$.

# %% [markdown]
# ### Our step and the library's
# The three negative phases of `one_step`, held against the experiment that trained the sixteen RBMs.

# %%
with claim_table():
    for method in ("exact", "PCD", "CD"):
        library, ours = (RBMExperiment(RBMHyperparameters(method=method), seed=1) for _ in range(2))
        chains = ours.chains.x
        for _ in run(library, steps=20, progress=False):
            chains = one_step(ours.rbm, method, ours.data, chains, 0.2, ours.generator)
        claim(f"{method}: after twenty steps the weights are the library's, largest difference",
              (library.rbm.W - ours.rbm.W).flatten().abs(), below=1e-5, exact=True)

# %% [markdown]
# ### Deep Boltzmann machines: a bound again
# In a **deep Boltzmann machine** the hidden units $h$ have hidden units $g$ of their own:
#
# $$E(x, h, g) = -b \cdot x - c_1 \cdot h - c_2 \cdot g - x^\top W_1 h - h^\top W_2\, g.$$
#
# Now even $p(h \mid x)$ is out of reach. The bound of notebook 03 helps, with a $q$ under which all hidden units are
# independent, a **mean field**, and $H(q)$ for its entropy, a sum over units of $-\bar h_j \log \bar h_j - (1 - \bar h_j)
# \log(1 - \bar h_j)$, with $\bar h_j = q(h_j = 1)$, and the same of $\bar g_k = q(g_k = 1)$:
#
# $$\log p(x) \ge \underbrace{\mathbb{E}_q[-E(x, h, g)] + H(q)}_{\text{the mean field makes it large}} - \log Z .$$

# %% [markdown]
# What is missing to $\log p(x)$ is $\mathrm{KL}(q \| p(h, g \mid x))$, hatched in the figure below. Under $q$ the units are
# independent, so $\mathbb{E}_q[-E]$ is $-E$ with $\bar h$ and $\bar g$ in the place of $h$ and $g$. The slope in $\bar h_j$ is
# $(c_1 + W_1^\top x + W_2\, \bar g)_j - \log \frac{\bar h_j}{1 - \bar h_j}$, and it is 0 at
#
# $$\bar h = \sigma(c_1 + W_1^\top x + W_2\, \bar g), \qquad \text{and in the same way} \quad
#   \bar g = \sigma(c_2 + W_2^\top \bar h).$$
#
# We set them in turns. No turn lowers the bound: with $\bar g$ fixed, it is a linear function of $\bar h$ plus the entropy,
# which is concave, so the place of slope 0 is its maximum.
#
# Mind the sign of $\log Z$: an estimate that comes out too low *raises* this "bound", which is then none. Here $Z$ is
# exact.

# %%
def gaps(dbm):
    """log p, the bound, each for the 14 patterns, in nats."""
    with torch.no_grad():
        return dbm.log_prob(patterns).numpy(), dbm.bound(patterns, *dbm.mean_field(patterns)).numpy()

dbm = DBM(9, 6, 4, seeded(5))
with torch.no_grad():
    dbm.W1 *= 10
    dbm.W2 *= 10
    h_bar, g_bar, heights = torch.full((14, 6), 0.5), torch.full((14, 4), 0.5), []
    for _ in range(50):
        h_bar = torch.sigmoid(dbm.c1 + patterns @ dbm.W1 + g_bar @ dbm.W2.T)
        heights.append(dbm.bound(patterns, h_bar, g_bar))
        g_bar = torch.sigmoid(dbm.c2 + h_bar @ dbm.W2)
        heights.append(dbm.bound(patterns, h_bar, g_bar))
log_p, bound = gaps(dbm)

# %%
with claim_table():
    claim("Our mean field is the library's: largest difference",
          (h_bar - dbm.mean_field(patterns)[0]).flatten().abs(), below=1e-6, exact=True)
    claim("No turn lowers a bound: change of each bound in each turn", torch.stack(heights).diff(dim=0).flatten(),
          above=-1e-4, exact=True)
    claim("log p(x) less the bound, each of the 14 patterns, nats", log_p - bound, above=0, exact=True)
    claim("log p(x) less the bound, mean, nats", (log_p - bound).mean(), above=0.03, below=0.65)
show(bound_bars([*map(str, range(1, 15, 2))], log_p[::2], bound[::2], floor=np.floor(bound.min()) - 1,
                xlabel="every second pattern, by its number; where bars begin means nothing",
                title="Random weights: the bound stays below log p(x)"),
     alt="Seven bars, one for every second pattern: each is filled up to the bound, and a line above it is log p(x)")

# %% [markdown]
# ## Your turn
# **1.** The free energy $F(x)$ of a batch, in a form that survives weights in the hundreds.

# %% tags=["exercise"]
def free_energy(x, W, b, c):
    """F in nats, shape (n,). x: (n, D) of zeros and ones; W: (D, H); b: (D,); c: (H,)."""
    ### BEGIN SOLUTION
    return -x @ b - softplus(x @ W + c).sum(dim=1)
    ### END SOLUTION

# %%
check("10b.free_energy", free_energy)

# %% [markdown]
# **2.** One round of Gibbs sampling. The random numbers are given: a unit is 1 where its uniform number is below its
# probability. A comparison gives True and False; `.float()` makes numbers of them.

# %% tags=["exercise"]
def gibbs_step(x, W, b, c, u_h, u_x):
    """The next pictures, (n, D) of zeros and ones, from x (n, D), with uniform numbers u_h (n, H) and u_x (n, D)."""
    ### BEGIN SOLUTION
    h = (u_h < torch.sigmoid(x @ W + c)).to(x.dtype)
    return (u_x < torch.sigmoid(h @ W.T + b)).to(x.dtype)
    ### END SOLUTION

# %%
check("10b.gibbs_step", gibbs_step)

# %% [markdown]
# **3.** The estimate of the gradient in $W$ that contrastive divergence follows: positive phase less negative phase, each
# a *mean* over its own pictures. Put the probabilities $p(h_j = 1 \mid x)$ in the place of draws of $h$.

# %% tags=["exercise"]
def weight_gradient(x, x_negative, W, c):
    """Gradient (D, H) from data x (n, D) and the chains' pictures x_negative (m, D); W: (D, H); c: (H,)."""
    ### BEGIN SOLUTION
    positive = x.T @ torch.sigmoid(x @ W + c) / len(x)
    negative = x_negative.T @ torch.sigmoid(x_negative @ W + c) / len(x_negative)
    return positive - negative
    ### END SOLUTION

# %%
check("10b.weight_gradient", weight_gradient)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(RBM)

# %% [markdown]
# ## What to keep
# - The gradient of an RBM's log-likelihood is the positive phase, an average over the data, less the negative phase, an
#   average over the model's own draws.
# - Contrastive divergence runs short chains from the data: from them the model learns where the basins are, not how deep.
#   Persistent chains see further, if the rate lets them keep up.
# - Without the partition function a score means nothing across models. Annealed importance sampling estimates it.
#
# **Read on:**
#
# - G. Hinton, [*Training Products of Experts by Minimizing Contrastive
#   Divergence*](https://doi.org/10.1162/089976602760128018), Neural Computation 14 (2002).
# - T. Tieleman, [*Training Restricted Boltzmann Machines Using Approximations to the Likelihood
#   Gradient*](https://doi.org/10.1145/1390156.1390290), ICML (2008).
# - R. Neal, [*Annealed Importance Sampling*](https://doi.org/10.1023/A:1008923215028), Statistics and Computing 11
#   (2001).
# - R. Salakhutdinov, I. Murray, [*On the Quantitative Analysis of Deep Belief
#   Networks*](https://doi.org/10.1145/1390156.1390266), ICML (2008).
# - R. Salakhutdinov, G. Hinton, [*Deep Boltzmann Machines*](https://proceedings.mlr.press/v5/salakhutdinov09a.html),
#   AISTATS (2009).
#
# **Next:** notebook 10c: models that learn one step of a chain, and models that have neither a density nor a chain.
