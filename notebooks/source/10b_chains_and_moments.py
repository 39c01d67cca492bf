# %% [markdown]
# # 10b · Dreams and moments
#
# Some models give every picture an energy, and then nobody can add up all pictures. Others only say how to take the
# next step of a walk. Others have no density at all, and compare averages.
# **How do you learn a distribution that you can neither add up nor write down?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | train a Boltzmann machine and judge it exactly, walk a denoising chain, match moments |
# | You need | logistic function, KL divergence; notebooks 03 (bounds) and 05 (a generator) |
# | Time | 60 seconds to run · seed 0 |

# %%
import math

import numpy as np
import torch
from IPython.display import Markdown, display
from torch.nn.functional import softplus

from course_lib.chapters.nb10b.plots import convergence, densities
from course_lib.comparisons import digits8
from course_lib.data import bars_and_stripes
from course_lib.experiments.mmd2d import MMDExperiment, MMDHyperparameters
from course_lib.experiments.rbm import RBMExperiment, RBMHyperparameters, exact_probabilities
from course_lib.live import Bars, Curve, ImageGrid, LiveLab, Scatter, explore
from course_lib.measure import mmd2, mmd2_gaussians, normal_density, wasserstein1
from course_lib.models.dbm import DBM
from course_lib.models.gsn import MixtureDenoiser, walk, walkback_loss
from course_lib.models.rbm import RBM, ais, all_states, bernoulli, log_mean_exp
from course_lib.plots import bars, bound_bars, curves, framed, images, scatters, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, predict, reveal, show_source
from course_lib.training import run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Two sessions: Boltzmann machines alone fill ninety minutes. Everything on three by three pixels
# is exact, so let the class doubt each approximation and look up the truth. The comparison of the three gradients and
# the two failure labs are the core; the deep machine can be left out. The last table goes on where notebook `10` ends.

# %% [markdown]
# ## An energy for every picture
# Our data are fourteen of the $2^9$ possible pictures: full rows, or full columns. A **restricted Boltzmann machine**
# joins pixels $x$ and hidden units $h$, all 0 or 1, by an energy; low energy means probable:
#
# $$E(x, h) = -b \cdot x - c \cdot h - x^\top W h, \qquad p(x, h) = \frac{e^{-E(x, h)}}{Z}, \qquad
#   Z = \sum_{x, h} e^{-E(x, h)}.$$
#
# No pixel is joined to a pixel, and no hidden unit to a hidden unit: that is what *restricted* means. So the sum over
# $h$ falls apart into one factor for each unit, $1 + e^{c_j + x \cdot W_j}$, with $W_j$ the column of $W$ for $h_j$,
# and
#
# $$p(x) = \frac{e^{-F(x)}}{Z}, \qquad F(x) = -b \cdot x - \sum_j \log\bigl(1 + e^{c_j + x \cdot W_j}\bigr).$$
#
# $F$ is the **free energy**. It is easy. $Z$ has a term for every picture there is.

# %%
patterns = bars_and_stripes(3)
show(framed(images(patterns.view(-1, 3, 3), title="The data: 14 of the 512 possible pictures", columns=14)),
     alt="Fourteen pictures of three by three pixels: empty, full, one or two full rows, one or two full columns")

# %%
rbm, world = RBM(9, 4, seeded()), all_states(9)           # four hidden units; every picture of nine pixels
with torch.no_grad():
    rbm.b += 0.3 * torch.randn(9, generator=seeded(1))
    rbm.W *= 10                                           # far from 0, so that a mistake would show
    h = all_states(4)
    minus_E = world @ rbm.b + (h @ rbm.c)[:, None] + h @ rbm.W.T @ world.T       # (hidden states, pictures)
    F = -world @ rbm.b - softplus(world @ rbm.W + rbm.c).sum(dim=1)
    log_Z = minus_E.flatten().logsumexp(dim=0)

claim("largest |F + log of the sum over h|", (F + minus_E.logsumexp(dim=0)).abs().max(), below=1e-4)
claim("log Z from the free energies, minus log Z over all pairs", (-F).logsumexp(dim=0) - log_Z, near=0, within=1e-4)
claim("the library's log Z, which sums over h alone", rbm.log_partition().detach() - log_Z, near=0, within=1e-4)
print(f"{len(world)} pictures, log Z = {log_Z:.3f}")

# %% [markdown]
# ## The gradient is a difference of two averages
# 1. $\log p(x) = -F(x) - \log Z$, for each picture of the data.
# 2. By the chain rule, $-\partial F/\partial W_{ij} = x_i\, \sigma(c_j + x \cdot W_j) = \mathbb{E}[x_i h_j \mid x]$: the slope of
#    $\log(1 + e^a)$ is $\sigma(a)$, and that is $p(h_j = 1 \mid x)$.
# 3. $\partial \log Z/\partial W_{ij} = \frac1Z \sum_x e^{-F(x)} \bigl(-\partial F(x)/\partial W_{ij}\bigr) =
#    \mathbb{E}_{p}[x_i h_j]$: an average over the *model's own* pictures.
#
# $$\frac{\partial}{\partial W_{ij}} \mathbb{E}_\text{data}[\log p(x)] = \mathbb{E}_\text{data}[x_i h_j] -
#   \mathbb{E}_\text{model}[x_i h_j].$$
#
# Learn from the data, unlearn what you dream. At the top both averages agree. We hold the formula against automatic
# differentiation.

# %%
rbm.zero_grad()
rbm.log_prob(patterns).mean().backward()                  # by automatic differentiation, through Z
seen, negative_phase = rbm.moments(patterns), rbm.exact_moments()
claim("largest difference from E_data[x h] - E_model[x h]", (rbm.W.grad - (seen[0] - negative_phase[0])).abs().max(),
      below=1e-5)
claim("the same for the biases of the pixels", (rbm.b.grad - (seen[1] - negative_phase[1])).abs().max(), below=1e-5)

# %% [markdown]
# ## Dreaming: Gibbs sampling
# The second average needs draws from the model. Given $x$ the hidden units are independent, given $h$ the pixels are:
#
# $$p(h_j = 1 \mid x) = \sigma(c_j + x \cdot W_j), \qquad p(x_i = 1 \mid h) = \sigma(b_i + W_i \cdot h),$$
#
# with $W_j$ a column and $W_i$ a row of $W$. So each side is drawn at once, in turns. If $x$ has the model's
# distribution, $(x, h)$ has it too, and so does the new $x$: the distribution is *stationary*. A chain that starts
# elsewhere comes nearer with every round. A hundred chains start at the empty picture; we count all they visit, from
# the first round on.

# %%
def gibbs_round(rbm, x, generator):
    h = bernoulli(rbm.p_h(x), generator)
    return bernoulli(rbm.p_x(h), generator)

library = rbm.gibbs(patterns, 1, seeded(3))
claim("same random numbers, same pictures as the library",
      torch.equal(library, gibbs_round(rbm, patterns, seeded(3))))

# A machine to draw from: the library's, sixteen hidden units, six hundred steps up the gradient above: half trained.
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

generator, x, visited = seeded(4), torch.zeros(1, 100, 9), []       # [machines, chains, pixels], of one machine
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
claim("the chains' first hundred pictures are far off", chain[0], above=0.8)
claim("after two hundred thousand they are close", chain[-1], below=0.06)
claim("and still behind independent draws, by the factor", chain[-1] / independent[-1], above=1.3)

# %% [markdown]
# ## Three kinds of dream
# A chain for each step, until it has converged? Too slow. Two shortcuts:
#
# - **CD-k**: start the chains *at the data* and run $k$ rounds. Cheap, but they only see the data's neighbourhood.
# - **PCD**, persistent chains: never restart. The model changes little in a step, so the chains nearly keep up.
#
# Sixteen machines of each kind; CD and PCD at three rates each, the exact ones at one and for half as many steps. A
# rate is constant for the first half of the training (`total_steps`), then falls to 0.

# %%
predict("10b.order",
        "Three ways to dream: the exact sum; chains that go on for ever; one round from the data. Each at the best of "
        "its rates, the exact one ends nearest to the data. Which comes second?",
        options=["endless chains", "one round", "they tie"])

# %%
def one_step(rbm, method, data, chains, rate, generator):
    """Returns the chains, after the machine has learned. All tensors: [machines, pictures, units]."""
    if method == "exact":
        negative_phase = rbm.exact_moments()
    else:
        # 98 chains; CD's start seven at each of the 14 pictures (fewer would make the gradient noisy)
        chains = gibbs_round(rbm, data.repeat(1, 7, 1) if method == "CD" else chains, generator)
        negative_phase = rbm.moments(chains)
    for parameter, positive, negative in zip((rbm.W, rbm.b, rbm.c), rbm.moments(data), negative_phase, strict=True):
        parameter.data += rate * (positive - negative)
    return chains

for method in ("exact", "PCD", "CD"):
    library, ours = (RBMExperiment(RBMHyperparameters(method=method), seed=1) for _ in range(2))
    chains = ours.chains.x
    for _ in run(library, steps=20, progress=False):
        chains = one_step(ours.rbm, method, ours.data, chains, 0.2, ours.generator)
    claim(f"{method}: after twenty steps the same weights as the library's",
          (library.rbm.W - ours.rbm.W).abs().max(), below=1e-5)

# %%
def train_sixteen(method, rate, steps):
    """Sixteen machines, and their KL thirty times along the training, [30, machines]."""
    experiment = RBMExperiment(RBMHyperparameters(method=method, learning_rate=rate, total_steps=steps, machines=16),
                               seed=100)
    return experiment, np.array([experiment.kl().numpy() for i, _ in enumerate(run(experiment, steps, progress=False))
                                 if (i + 1) % (steps // 30) == 0])

trained = {(method, rate): train_sixteen(method, rate, 3000) for rate in (0.05, 0.15, 0.3) for method in ("PCD", "CD")}
trained["exact", 0.5] = train_sixteen("exact", 0.5, 1500)
half = {key: np.median(kl[9:15], axis=0) for key, (_, kl) in trained.items()}      # of each machine, at the full rate
end = {key: kl[-1] for key, (_, kl) in trained.items()}
best = {method: min((key for key in trained if key[0] == method), key=lambda key: np.median(end[key]))
        for method in ("exact", "PCD", "CD")}
machines, history = ({method: trained[key][i] for method, key in best.items()} for i in range(2))
print("median KL of sixteen machines   at half time   at the end")
for key in sorted(trained):
    print(f"{key[0]:6} rate {key[1]:4} {np.median(half[key]):27.2f} {np.median(end[key]):12.2f}"
          + "   its best" * (key in best.values()))

# %%
show(curves(np.arange(1, 31) / 30, {f"{method}, rate {rate}": np.median(trained[method, rate][1], axis=1)
                                    for method, rate in (best["exact"], *((m, r) for r in (0.15, 0.3)
                                                                          for m in ("PCD", "CD")))}, log_y=True,
            title="The rate decides whether PCD or CD-1 is ahead",
            mark=(0.5, "the rates start to fall"), xlabel="share of the training", ylabel="KL(data ‖ model), nats"),
     alt="Median KL along the training of the exact gradient, and of persistent chains and CD-1 at two rates each. At "
         "the end: " + ", ".join(f"{method} at {rate} {np.median(end[method, rate]):.2f}" for method, rate in end))

def second(kl):
    """Which has the lower KL; less than a tenth apart is a tie."""
    ratio = kl["PCD"] / kl["CD"]
    return "they tie" if abs(math.log(ratio)) < 0.1 else "endless chains" if ratio < 1 else "one round"

reveal("10b.order", {method: np.median(end[best[method]]) for method in ("PCD", "CD")}, pick=second)
for method in ("PCD", "CD"):
    claim(f"exact less {method}, at the best rate of each: KL, machine by machine",
          end[best["exact"]] - end[best[method]], below=0)
for rate, at_half, at_end in ((0.15, {"below": 0}, {"below": 0}), (0.3, {"above": 0}, {"above": 0})):
    claim(f"rate {rate}: KL of PCD less CD-1, half time", half["PCD", rate] - half["CD", rate], **at_half)
    claim(f"rate {rate}: the same at the end", end["PCD", rate] - end["CD", rate], **at_end)
claim("CD-1: KL at the end, rate .15 less rate .3", end["CD", 0.15] - end["CD", 0.3], near=0, within=0.1)

# %% [markdown]
# At the middle rate PCD is ahead; at the highest it is behind. The usual explanation: there the machine moves on faster
# than its chains follow. CD-1 ends at about the same KL with both rates: what it is left with is not noise of the
# steps. From here on each method has its best rate.

# %% [markdown]
# ## Break it: a chain that does not mix
# A student looks only at the reconstructions, $x \to h \to x$, finds them perfect, and is content. What did CD-1
# get wrong?

# %%
believed = {method: sixteen.shares().numpy() for method, sixteen in machines.items()}   # p of the 14, and of the rest
claim("CD-1: mean squared error of its reconstructions", machines["CD"].reconstruction().mean(), below=0.01)
for method, lowest in (("exact", (0.05, 0.072)), ("CD", (0, 0.02))):
    claim(f"{method}: probability of its least likely pattern, median (the data's: 1/14)",
          np.median(believed[method][:, :14].min(axis=1)), above=lowest[0], below=lowest[1])
full_pixels = patterns.sum(dim=1).numpy()                 # how many pixels of a pattern are 1
mean_of = {count: believed["CD"][:, :14][:, full_pixels == count].mean(axis=1) for count in (0, 3, 6)}
claim("CD-1, each machine: six-pixel patterns, mean probability over 1/14, the lowest", mean_of[6].min() * 14, above=1)
claim("three-pixel patterns, the highest", mean_of[3].max() * 14, below=1)
claim("the empty picture, the highest", mean_of[0].max() * 14, below=0.5)
middle = {method: history[method][-1].argsort()[8] for method in believed}             # a median machine, by KL
show(bars([*map(str, range(1, 15)), "other"], {"exact": believed["exact"][middle["exact"]],
                                               "CD-1": believed["CD"][middle["CD"]]},
          baseline=(1 / 14, "data: 1/14 for each pattern"), xlabel="pattern (median machines)", ylabel="probability",
          title="CD-1 gives some patterns far too much, others almost nothing"),
     alt="Bars for fourteen patterns and all other pictures, of two machines. The patterns' reach: " + ", ".join(
         f"{method} from {b[:14].min():.3f} to {b[:14].max():.3f}" for method, b in
         ((m, believed[m][middle[m]]) for m in ("exact", "CD"))))

# %% [markdown]
# The errors are not random: in each of the sixteen machines the patterns of six pixels are on average too probable,
# those of three and the empty picture too improbable. Round each pattern the energy now has a **basin**: a local
# minimum and the slopes around it. One round mostly ends in the basin where it began, so CD-1 can be content although
# the basins' *depths* do not compare; what error it then settles on is a bias of its own. More data would not help.
#
# A chain **mixes** if it soon forgets where it began. Success makes that harder: the better the model, the deeper its
# basins. We start five hundred chains of each machine at one pattern and count those at it after so many rounds, also
# those that left and fell back. The floor is the probability that the machine itself gives that pattern.

# %%
generator, rounds = seeded(6), (1, 3, 10, 30, 100, 300)
still, floor = {}, {}
for method, rbm in (("exact", machines["exact"].rbm), ("early", early.rbm)):
    x = start = patterns[3].expand(len(rbm.W), 500, 9)
    still[method], floor[method] = [], rbm.log_prob(start[:, :1]).exp().mean().item()
    for t in np.diff((0, *rounds)):
        x = rbm.gibbs(x, int(t), generator)
        still[method].append((x == start).all(dim=2).float().mean(dim=1).numpy())      # of each machine
claim("fully trained machines: share still at its pattern after a hundred rounds", still["exact"][4], above=0.35)
claim("although the model itself gives that pattern only", floor["exact"], below=0.08)
claim("the half trained machine of above, after thirty", still["early"][3], below=0.25)
claim("after three hundred it has forgotten: its share minus its floor", still["early"][-1] - floor["early"], near=0,
      within=0.04)
show(convergence(rounds, {"fully trained": np.mean(still["exact"], axis=1), "half trained": still["early"]},
                 xlabel="rounds",
                 title="The better model's chains take longer to forget where they began", ylabel="share of chains",
                 floors={"fully trained: floor": floor["exact"], "half trained: floor": floor["early"]}),
     alt="Two curves over the rounds, each with the level line of its floor. After a hundred rounds: " + ", ".join(
         f"{name} {np.mean(still[key][4]):.2f}, floor {floor[key]:.2f}"
         for name, key in (("fully trained", "exact"), ("half trained", "early"))))

# %% [markdown]
# **Repairs:** more rounds; chains that go on; or chains that start where everything is flat and cool down slowly. The
# lab has the first two. Watch *model* against *data* in the bars, and what the reconstruction error does not say. Try
# CD with one round and with fifty; then PCD at ten times its rate.

# %%
lab = LiveLab(
    RBMExperiment(RBMHyperparameters(method="CD"), seed=0),
    views=[
        Curve("kl", labels={"kl": "KL(data ‖ model)"}, log=True, title="Exact KL, by enumeration", ylabel="nats"),
        Curve("reconstruction", log=True, title="Error of the reconstructions", ylabel="mean square"),
        Bars("data", "model", names=[str(i) if i % 3 == 1 else "" for i in range(1, 15)] + ["other"],
             title="Probability of each pattern", xlabel="pattern", ylabel="probability"),
        ImageGrid("dreams", columns=7, title="What its chains dream"),
        ImageGrid("weights", columns=8, title="Weights (dark: positive)"),
    ],
    knobs=["method", "k", "learning_rate", "hidden_size"],
    headless_steps=1500,
)
lab

# %% [markdown]
# ## Z by cooling down
# For nine pixels we sum over $2^9$ pictures; for a real image never. **Annealed importance sampling** walks along a
# bridge from independent pixels with logits $a$ ($\beta = 0$, where $Z_0$ is a product) to the machine ($\beta = 1$):
#
# $$p^*_\beta(x) = e^{(1 - \beta)\, a \cdot x + \beta\, b \cdot x} \prod_j \bigl(1 + e^{\beta (c_j + x \cdot W_j)}\bigr).$$
#
# $\beta$ is one over the *temperature*: to raise it is to cool. Start with weight $w = Z_0$ and a draw $x$ at
# $\beta = 0$; then in turns cool to $\beta'$, multiply $w$ by $p^*_{\beta'}(x) / p^*_\beta(x)$, and run one Gibbs
# round $T$ at $\beta'$.
#
# The mean of $w$ is $Z$ *without bias*. For suppose $\mathbb{E}[w f(x)] = \sum_x p^*_\beta(x) f(x)$ for all $f$, as at the
# start. The factor turns $p^*_\beta$ into $p^*_{\beta'}$, and the round leaves it, since it is stationary:
# $\sum_x p^*_{\beta'}(x) T(x' \mid x) = p^*_{\beta'}(x')$. At the end take $f = 1$.
#
# The logarithm of the mean has a bias: by Jensen, $\log Z$ comes out too low on average, and so $\log p$ too high.
# Here it drowns in the scatter of sixteen estimates.

# %%
exact_rbm = machines["exact"].rbm.machine(0)
base = torch.logit(digits8.frequencies(patterns))
true_log_Z, temperatures, errors = exact_rbm.log_partition().item(), (3, 10, 30, 100, 300, 1000), []
for n in temperatures:
    log_w = ais(exact_rbm, base, torch.linspace(0, 1, n + 1), 1600, seeded(7))
    errors.append([log_mean_exp(part) - true_log_Z for part in log_w.split(100)])      # sixteen estimates
errors = np.array(errors)
show(curves(temperatures, {"log of the estimate": errors.mean(axis=1)}, baseline=(0, "exact log Z"), log_x=True,
            bands={"log of the estimate": (errors.min(axis=1), errors.max(axis=1))},
            title="The slower it cools, the better the estimate of Z", xlabel="temperatures on the way",
            ylabel="error of log Z, nats"),
     alt="A band around zero, over the number of temperatures; its largest error is "
         + ", ".join(f"{np.abs(e).max():.2f} at {n}" for n, e in zip(temperatures, errors, strict=True)))
claim("with a thousand temperatures: largest error of sixteen estimates, nats", np.abs(errors[-1]).max(), below=0.1)
claim("with three", np.abs(errors[0]).max(), above=0.2)

# %% [markdown]
# ## Break it: a likelihood without Z
# $-F(x)$ is easy, so somebody ranks machines by the mean of $-F$ on the data. First we give a machine eight more hidden
# units that are joined to nothing, and with bias 0.

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
claim("-F rises by 8 log 2", gain_F, near=8 * math.log(2), within=1e-3)
claim("log p does not move", gain_p, near=0, within=1e-3)
reveal("10b.idle", {"-F rises by": gain_F, "log p by": gain_p}, pick=lambda gain: options[sum(
    value > 1e-2 for value in gain.values())])

ranked = {m: np.array([scores(machines[m].rbm.machine(i)) for i in range(16)]) for m in ("PCD", "CD")}
by_F, by_p = (ranked["CD"] - ranked["PCD"]).T                # sixteen pairs of machines
claim("by -F, CD-1 beats PCD by", by_F, above=0)
claim("by log p, it loses by", -by_p, above=0)

# %% [markdown]
# The wrong machines win. An unnormalised score can be raised by raising it *everywhere*. Only differences within one
# machine mean something. **Repair:** subtract $\log Z$, enumerated or estimated.
#
# ## One layer more: a bound again
# In a **deep Boltzmann machine** the hidden units $h$ have hidden units $g$ of their own:
#
# $$E(x, h, g) = -b \cdot x - c_1 \cdot h - c_2 \cdot g - x^\top W_1 h - h^\top W_2\, g.$$
#
# Now even $p(h \mid x)$ is out of reach. The bound of notebook 03 helps, with independent units as $q$:
#
# $$\log p(x) \ge \underbrace{\mathbb{E}_q[-E(x, h, g)] + H(q)}_{\text{the mean field makes it large}} - \log Z .$$
#
# With $\bar h_j = q(h_j = 1)$ and $\bar g_k = q(g_k = 1)$ the slope in $\bar h_j$ is
# $(c_1 + W_1^\top x + W_2\, \bar g)_j - \log \frac{\bar h_j}{1 - \bar h_j}$, and it is 0 at
#
# $$\bar h = \sigma(c_1 + W_1^\top x + W_2\, \bar g), \qquad \text{and in the same way} \quad
#   \bar g = \sigma(c_2 + W_2^\top \bar h).$$
#
# The **mean field** takes them in turns; no turn lowers the bound.
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
        g_bar = torch.sigmoid(dbm.c2 + h_bar @ dbm.W2)
        heights.append(dbm.bound(patterns, h_bar, g_bar))
claim("ours minus the library's mean field", (h_bar - dbm.mean_field(patterns)[0]).abs().max(), below=1e-6)
claim("the worst a turn did to a bound", torch.stack(heights).diff(dim=0).min(), above=-1e-4)
log_p, bound = gaps(dbm)
show(bound_bars([*map(str, range(1, 15, 2))], log_p[::2], bound[::2], floor=np.floor(bound.min()) - 1, xlabel="pattern",
                title="A machine with random weights: the bound stays below log p(x)"),
     alt="Seven bars, one for every second pattern: each is filled up to the bound, and a line above it is log p(x)")
claim("smallest gap, log p(x) - bound, nats", (log_p - bound).min(), above=0)
claim("mean gap", (log_p - bound).mean(), near=0.37, within=0.05)

# %% [markdown]
# ## A walk as a model
# A **generative stochastic network** has no energy. It learns one step of a chain: corrupt,
# $\tilde x \sim C(\tilde x \mid x)$, then draw $x' \sim p_\theta(x \mid \tilde x)$, what it may have been.
# If $p_\theta$ is the true posterior, the data's distribution is stationary: $(x, \tilde x)$ is a draw from the
# joint, and $x'$ given $\tilde x$ is distributed as $x$ was. On a line we can compute the whole chain as a matrix, and
# leave learning for later.

# %%
predict("10b.one_bump",
        "A network puts out one mean and one width for x given x̃, the right ones; the noise is 0.8. Where does its "
        "chain end?",
        options=["at the data's distribution", "elsewhere"])

# %%
grid = np.linspace(-5, 5, 251)
data = 0.4 * normal_density(grid, -1, 0.25) + 0.6 * normal_density(grid, 1, 0.4)
data /= data.sum()                                        # probabilities of the grid's points

def transition(noise, one_bump):
    """Row x, column x': the probability of a step, exact for this data set."""
    C = normal_density(grid, grid[:, None], noise)
    C /= C.sum(axis=1, keepdims=True)                     # row x, column x̃
    posterior = data * C.T                                # row x̃, column x: Bayes' rule
    posterior /= posterior.sum(axis=1, keepdims=True)
    if one_bump:
        mean = posterior @ grid
        variance = posterior @ grid**2 - mean**2
        posterior = np.exp(-0.5 * (grid - mean[:, None]) ** 2 / variance[:, None])
        posterior /= posterior.sum(axis=1, keepdims=True)
    return C @ posterior

def stationary(T):
    return np.linalg.matrix_power(T, 2**15)[125]          # wherever it starts

def w1(p):
    """Distance from the data, as wasserstein1: the area between the two distribution functions."""
    return np.abs(np.cumsum(p - data)).sum() * (grid[1] - grid[0])

# %%
def chain_picture(noise=0.3, one_bump=False):
    T, unit = transition(noise, one_bump), 1 / (grid[1] - grid[0])
    end, ten = stationary(T), np.linalg.matrix_power(T, 10)[100]
    shown = slice(50, 201)
    return densities(grid[shown], {"data": data[shown] * unit, "where the chain ends": end[shown] * unit,
                                   "ten steps from -1": ten[shown] * unit}, height=1.2,
                     title=f"W₁ from the data: {w1(end):.3f} in the end, {w1(ten):.3f} after ten steps")

explore(chain_picture, noise=(0.1, 2.0, 0.1), one_bump=False,
        labels={"noise": "noise of the corruption", "one_bump": "a denoiser with one bump"},
        alt="The data's density with two bumps, the chain's stationary density, and its density ten steps after -1")

# %% [markdown]
# Little noise: the one bump is a good enough answer, but the chain needs an age to cross. Much noise: it crosses at
# once, but now $x$ given $\tilde x$ has two bumps, and one bump is wrong. Which noise would you choose?

# %%
for noise in (0.3, 0.8):
    claim(f"right posterior, noise {noise}: largest |stationary - data|",
          np.abs(stationary(transition(noise, False)) - data).max(), below=1e-9)
off = {noise: w1(stationary(transition(noise, True))) for noise in (0.1, 0.8)}
claim("one bump, noise 0.1: distance from the data", off[0.1], below=0.03)
claim("one bump, noise 0.8", off[0.8], near=0.15, within=0.03)
reveal("10b.one_bump", off[0.8], pick=lambda w: "elsewhere" if w > 0.05 else "at the data's distribution")

def memory(noise):
    """Steps in which the slowest difference shrinks e times: -1 / log of the second eigenvalue."""
    return -1 / np.log(np.sort(np.abs(np.linalg.eigvals(transition(noise, False))))[-2])

claim("noise 0.1: steps of memory", memory(0.1), above=300)
claim("noise 0.8: steps of memory", memory(0.8), below=5)

# %% [markdown]
# Which noise, then? As much as the denoiser can undo: one bump needs little noise, and patience.
#
# Now learn it: a small network puts out a mixture of five bumps. It is trained by **denoising**, or by **walkback**,
# which walks three steps from each data point and teaches the way back from each place. So it also learns at places
# which a chain reaches, but a data point, corrupted once, hardly ever.
#
# It has a price: after several steps the point where the walk began is not a draw from $p(x \mid \tilde x)$ for *one*
# corruption. So the network learns another target, and the chain may end elsewhere. On the digits further down it does
# harm: see `help(digits8.train_denoiser)`.

# %%
blobs = np.interp((np.arange(4000) + 0.5) / 4000, np.cumsum(data), grid)        # the data's quantiles

def learn(K, noise, walkback, steps=1000):
    generator = seeded(8)
    denoiser = MixtureDenoiser(K, noise, generator)
    optimizer = torch.optim.Adam(denoiser.parameters(), fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1, 2 - 2 * step / steps)
        x = torch.tensor(blobs, dtype=torch.float32)[torch.randint(4000, (256,), generator=generator)][:, None]
        loss = walkback_loss(denoiser, x, walkback, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return denoiser

walkers = {"five bumps, noise 0.3": learn(5, 0.3, 1), "five bumps, noise 0.3, walkback": learn(5, 0.3, 3),
           "one bump, noise 0.8": learn(1, 0.8, 1)}

# %%
counts, reached = (1, 3, 10, 30, 100, 300), {}
for name, denoiser in walkers.items():
    generator = seeded(9)
    x, reached[name] = torch.randn(4000, 1, generator=generator), []
    for more in np.diff((0, *counts)):
        x = walk(denoiser, x, int(more), generator)
        reached[name].append(wasserstein1(x.numpy(), blobs))
plain, walkback, one_bump = reached.values()
show(convergence(counts, reached, title="At noise 0.3 walkback arrives sooner; one bump at 0.8 never does",
                 xlabel="steps of the walk", ylabel="W₁ from the data"),
     alt="Distance from the data over the steps of the walk. After ten and after three hundred: " + ", ".join(
         f"{name} {w[2]:.2f} and {w[-1]:.2f}" for name, w in reached.items()))
claim("walkback: distance after ten steps", walkback[2], below=0.05)
claim("plain denoising: how many times as far, after ten steps", plain[2] / walkback[2], above=2)
claim("after three hundred, with or without it, the farther", max(plain[-1], walkback[-1]), below=0.06)
claim("one bump: distance after three hundred", one_bump[-1], above=0.09)

# %% [markdown]
# ## No density, no chain: compare averages
# Two distributions are equal if *every* average is: of $x$, of $x^2$, of all functions. A kernel is an inner product of
# features, $k(x, y) = \varphi(x) \cdot \varphi(y)$; those of $k(x, y) = e^{-\|x - y\|^2 / 2s^2}$ are infinitely many. The
# **maximum mean discrepancy** is the distance between their averages. With $x'$ a second, independent draw from where
# $x$ came from, and $y'$ likewise, expanding the square gives
#
# $$\mathrm{MMD}^2 = \bigl\|\mathbb{E}[\varphi(x)] - \mathbb{E}[\varphi(y)]\bigr\|^2 =
#   \mathbb{E}[k(x, x')] + \mathbb{E}[k(y, y')] - 2\, \mathbb{E}[k(x, y)].$$
#
# No feature is ever computed, and samples are all it needs. It is zero only if both distributions are the same: the
# Gaussian kernel is *characteristic*, a theorem we only quote. A generator can descend it: no discriminator, no game.
#
# To estimate it without bias, leave out the pairs of a point with itself: $k(x_i, x_i) = 1$ says nothing.

# %%
def our_mmd2(x, y, s):
    def k(a, b):
        return torch.exp(-torch.cdist(a, b) ** 2 / (2 * s**2))

    n, m = len(x), len(y)
    return (k(x, x).sum() - n) / (n * (n - 1)) + (k(y, y).sum() - m) / (m * (m - 1)) - 2 * k(x, y).mean()

generator = seeded(10)
shift, spread = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 1.5])
pairs = [(torch.randn(30, 2, generator=generator), shift + spread * torch.randn(20, 2, generator=generator))
         for _ in range(500)]
estimates = torch.stack([our_mmd2(x, y, 1.0) for x, y in pairs])
truth = mmd2_gaussians(torch.zeros(2), torch.eye(2), shift, torch.diag(spread**2), 1.0)
library = torch.stack([mmd2(x, y, (1.0,)) for x, y in pairs])
claim("largest difference from the library's", (estimates - library).abs().max(), below=1e-5)
claim("mean of the estimates minus the closed form, in standard errors",
      (estimates.mean() - truth) / (estimates.std() / math.sqrt(500)), near=0, within=4)

# %%
widths = np.logspace(-1.5, 1.5, 61)
zero, one = torch.zeros(1).double(), torch.eye(1).double()                # float32 would cancel at the wide end
far = {"mean moved by 1": (zero + 1, one), "variance doubled": (zero, 2 * one)}
seen_by = {name: np.array([mmd2_gaussians(zero, one, *q, float(s)) for s in widths]) for name, q in far.items()}
generator = seeded(11)
batches = [torch.randn(2, 100, 1, generator=generator).double() for _ in range(50)]
noise = np.array([np.std([our_mmd2(x, y, s) for x, y in batches]) for s in widths])        # of two equal Gaussians
show(convergence(widths, {**seen_by, "noise of a batch of 100": noise}, xlabel="width s of the kernel", ylabel="MMD²",
                 title="Too narrow drowns in noise, too wide sees only the mean"),
     alt="MMD² over the width of the kernel on logarithmic axes: both curves peak near one; to the left all shrink and "
         "the noise comes up to the signals; to the right the curve for the variance falls most, below the noise")
signal = {name: values / noise for name, values in seen_by.items()}
claim("moved mean over noise, at the narrowest kernel", signal["mean moved by 1"][0], below=4)
claim("and at width 1", signal["mean moved by 1"][30], above=10)
claim("doubled variance over noise, at the widest kernel", signal["variance doubled"][-1], below=0.1)
claim("ratio of the two MMDs, mean to variance, there", np.sqrt(np.divide(*seen_by.values()))[-1], above=10)
claim("the width at which the moved mean is seen best", widths[seen_by["mean moved by 1"].argmax()], above=0.5, below=2)

# %% [markdown]
# ## Live: one knob
# The ring has eight modes. Start, then move the width of the kernel from left to right. Where do the points stop
# feeling the ring, and where do they only match its centre and its size? Another width is another measure: the
# curve jumps although no point has moved.

# %%
mmd_lab = LiveLab(
    MMDExperiment(MMDHyperparameters(), seed=1),
    views=[Scatter("real", "made", equal=True, title="What is real, what is made", xlim=(-3, 3), ylim=(-3, 3),
                   xlabel="x₁", ylabel="x₂"),
           Curve("mmd2", title="MMD² of each batch, unbiased", ylabel="MMD²")],
    knobs=["width", "learning_rate", "batch_size"],
    headless_steps=200,
)
mmd_lab

# %%
made, near = {}, {}
for width in (0.02, 0.3, 2.0):
    experiment = MMDExperiment(MMDHyperparameters(width=width, total_steps=500), seed=1)
    for _ in run(experiment, steps=500, progress=False):
        pass
    made[f"s = {width}"], near[width] = experiment.samples(600).numpy(), experiment.evaluate(False)["near"]
picture = scatters(made, title="Only at one of three widths do many points lie near a mode")
for ax in picture.axes:
    ax.plot(*np.array(experiment.data.centres).T, "+", color="black", markersize=10)
    ax.set(aspect="equal", xlim=(-3.5, 3.5), ylim=(-3.5, 3.5))
show(picture, alt="Three clouds of made points, with crosses at the eight modes. Share of the points near a mode: "
                  + ", ".join(f"{share:.2f} for width {width}" for width, share in near.items()))
claim("s = 0.02: share within three standard deviations of a mode", near[0.02], below=0.06)
claim("s = 0.3", near[0.3], above=0.4, below=0.65)
claim("s = 2", near[2.0], below=0.1)

# %% [markdown]
# ## One table
# The same black and white digits, eight by eight pixels, for the three families of today and for MADE, from the
# notebook before. Sixteen hidden units keep the RBM's $Z$ enumerable.
#
# - *Consistent*: with ever more data and training it would end at the data's distribution.
# - *Pixels at once*: one pass makes all pixels of a picture.
# - *Fréchet*: between Gaussians with the samples' and the training pictures' mean and covariance of raw pixels, all
#   it sees. Small sets score worse, so each is as large as the test set, whose own distance is the last row.
#
# To compare another model, add a `TableRow`.

# %%
train, test = digits8.flat_digits()
ink = digits8.frequencies(train)
digit_rbm = digits8.train_rbm(train, H=16, steps=5000, generator=seeded(20))
fvbn = digits8.train_made(train, steps=1300, generator=seeded(23))
denoiser = digits8.train_denoiser(train, steps=1200, generator=seeded(21))
G = digits8.train_generator(train, steps=1200, generator=seeded(22))

def independent_pixels(count, generator):
    return bernoulli(ink.expand(count, -1), generator)

def pixel_by_pixel(count, generator):
    return fvbn.sample(count, generator).images.flatten(1).float()

def rbm_walk(count, generator):
    return digit_rbm.gibbs(independent_pixels(count, generator), 200, generator)

def denoising_walk(count, generator):
    return walk(denoiser, independent_pixels(count, generator), 50, generator)

def generate(count, generator):
    return bernoulli(G(torch.randn(count, digits8.NOISE_SIZE, generator=generator)), generator)

# %%
rows = [
    digits8.TableRow("independent pixels", "exact", "no", "1", "yes", "none", independent_pixels,
                lambda x: x @ ink.log() + (1 - x) @ (1 - ink).log()),
    digits8.TableRow("MADE", "exact", "with ever more hidden units", "64, one a pixel", "no",
                "no path to a pixel from later ones", pixel_by_pixel, lambda x: fvbn.log_prob(x.view(-1, 8, 8).long())),
    digits8.TableRow("RBM, 16 hidden units", "needs Z: exact here, else AIS", "with ever more hidden units and rounds",
                "200 rounds", "yes, in each round", "two layers, joined by an energy", rbm_walk, digit_rbm.log_prob),
    digits8.TableRow("denoising chain", "none", "if p(x|x̃) is right, as it is not here", "50 steps",
                "yes, in each step", "any that takes x̃ and gives a distribution", denoising_walk),
    digits8.TableRow("MMD generator", "none", "with this kernel and ever more units", "1", "yes", "any with a gradient",
                generate),
]
measured = [digits8.measure(row, train, test, seeded(30)) for row in rows]
real = digits8.TableRow("the test pictures themselves", "–", "–", "–", "–", "–", lambda count, _: test.repeat(4, 1))
floor = digits8.measure(real, train, test, seeded())._replace(seconds=float("nan"))       # nothing is drawn
display(Markdown(digits8.table([*rows, real], [*measured, floor])))

# %%
picked = np.concatenate([m.samples[:12] for m in measured] + [test[:12].numpy()]).reshape(-1, 8, 8)
show(images(picked, columns=12, title="Independent pixels fall apart; four families make rough digits",
            row_labels=["independent", "MADE", "RBM", "denoising chain", "MMD", "real"]),
     alt="Six rows of twelve small pictures, drawn from independent pixels, MADE, the RBM, the denoising chain and the "
         "MMD generator, and real digits")
independent, visible, machine, chain, moments = measured
claim("independent pixels: NLL in nats", independent.nll, near=24.9, within=0.2)
claim("RBM: nats below that", independent.nll - machine.nll, above=5)
claim("MADE: nats below the RBM", machine.nll - visible.nll, above=0.5, below=2)
log_w = ais(digit_rbm, torch.logit(ink), torch.linspace(0, 1, 1001), 100, seeded(31))
claim("the RBM's log Z by annealing, minus the sum over all hidden states",
      log_mean_exp(log_w) - digit_rbm.log_partition(), near=0, within=0.1)
claim("Fréchet distance of the test pictures themselves", floor.frechet, below=0.35)
three = [visible.frechet, machine.frechet, chain.frechet]
claim("of MADE, the RBM and the denoising chain, the farthest", max(three), above=0.35, below=0.6)
claim("and RBM minus chain", machine.frechet - chain.frechet, near=0, within=0.1)
claim("of the MMD generator", moments.frechet, above=0.9, below=1.8)
claim("of independent pixels", independent.frechet, above=1.6)
claim("how many times longer than the generator the fastest of the three takes",
      min(m.seconds for m in (visible, machine, chain)) / moments.seconds, above=2)

# %% [markdown]
# Read it with care: one training of each, of one size. Only rows with a density can be ranked by NLL; here MADE wins. By
# Fréchet, RBM and denoising chain are close, but a Gaussian with the right covariance would be perfect there. Of these
# four the MMD generator is by far the fastest, and the farthest from the data: *consistent* speaks of a limit that
# nobody reaches.

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
# **3.** The unbiased MMD², from the three matrices of the kernel: within $x$, within $y$, and across.

# %% tags=["exercise"]
def mmd2_from_kernels(k_xx, k_yy, k_xy):
    """The unbiased estimate, 0-d, from kernel values (n, n), (m, m) and (n, m); n and m may differ."""
    ### BEGIN SOLUTION
    n, m = k_xy.shape
    within_x = (k_xx.sum() - k_xx.diagonal().sum()) / (n * (n - 1))
    within_y = (k_yy.sum() - k_yy.diagonal().sum()) / (m * (m - 1))
    return within_x + within_y - 2 * k_xy.mean()
    ### END SOLUTION

# %%
check("10b.mmd2_from_kernels", mmd2_from_kernels)

# %% [markdown]
# Stuck, or done? Unfold how the library does it.

# %%
show_source(RBM)

# %%
show_source(mmd2)

# %% [markdown]
# ## What to keep
# - A Boltzmann machine's gradient is an average over the data less one over its own dreams. Short chains from the data
#   learn basins, not how deep they are.
# - Without $Z$ a score means nothing across machines. Annealing estimates $Z$.
# - A chain of denoising steps has the data as its end if each step's posterior is right.
# - Matching moments needs no density, chain or opponent; the kernel's width decides what it can see.
#
# **Read on:**
#
# - G. Hinton, [*Training Products of Experts by Minimizing Contrastive
#   Divergence*](https://doi.org/10.1162/089976602760128018), Neural Computation 14 (2002).
# - T. Tieleman, [*Training Restricted Boltzmann Machines Using Approximations to the Likelihood
#   Gradient*](https://doi.org/10.1145/1390156.1390290), ICML (2008).
# - R. Salakhutdinov, I. Murray, [*On the Quantitative Analysis of Deep Belief
#   Networks*](https://doi.org/10.1145/1390156.1390266), ICML (2008).
# - R. Salakhutdinov, G. Hinton, [*Deep Boltzmann Machines*](https://proceedings.mlr.press/v5/salakhutdinov09a.html),
#   AISTATS (2009).
# - Y. Bengio et al., [*Deep Generative Stochastic Networks Trainable by Backprop*](https://arxiv.org/abs/1306.1091),
#   ICML (2014).
# - A. Gretton et al., [*A Kernel Two-Sample Test*](https://jmlr.org/papers/v13/gretton12a.html), JMLR 13 (2012).
# - Y. Li, K. Swersky, R. Zemel, [*Generative Moment Matching Networks*](https://arxiv.org/abs/1502.02761), ICML (2015).
# - Y. Bengio et al., [*Generalized Denoising Auto-Encoders as Generative Models*](https://arxiv.org/abs/1305.6663), NIPS
#   (2013): walkback.
# - R. Neal, [*Annealed Importance Sampling*](https://doi.org/10.1023/A:1008923215028), Statistics and Computing 11
#   (2001).
# - G. Dziugaite, D. Roy, Z. Ghahramani, [*Training Generative Neural Networks via Maximum Mean Discrepancy
#   Optimization*](https://arxiv.org/abs/1505.03906), UAI (2015).
#
# **Next:** the map of the README: which branch would you take for your own data?
