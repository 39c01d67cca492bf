# %% [markdown]
# # 07d · Transformers: look back instead of remember
#
# A recurrent network writes what it has read into a state of fixed size, and must then do with that. A **transformer**
# keeps all that it has read, and looks back at what it needs.
# **What does looking back make possible, and what does it cost?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | write attention with its mask, say what of an order it sees, and what not, build a block, hold what a transformer learns in context against the exact answer, draw with a cache, and say what top-p cuts away |
# | You need | notebook 07: the chain rule, causality, teacher forcing; the LSTM and temperature (07b); Bayes' rule (01) |
# | Time | 60 seconds to run · seed 0 |

# %%
import math
import time
from collections import Counter
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from course_lib.chapters.nb07d.plots import patterns
from course_lib.data import sprites
from course_lib.data.byte_pairs import BytePairs, merged
from course_lib.data.in_context import chain_predictor, chains, copies, successors
from course_lib.data.text import TEXTS, load_text
from course_lib.experiments.in_context import LENGTH, InContextExperiment, InContextHyperparameters
from course_lib.experiments.pixelrnn import held_out, log_prob_of
from course_lib.experiments.transformer import TransformerExperiment, TransformerHyperparameters
from course_lib.live import Curve, HeatMap, ImageGrid, LiveLab
from course_lib.models.patch_transformer import PatchTransformer
from course_lib.models.transformer import Block, Blocks, SequenceTransformer, rotary
from course_lib.plots import curves, images, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source
from course_lib.training import load_pretrained, run

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Ninety minutes with the exercises. Play attention with five students: one asks, the others hold up
# a card with a key and whisper a value. Before "Order", let them swap seats and ask what the one who asks can notice.
#
# - **Prepare.** Five cards, each with a key on the front and a value on the back.
# - **07d.copy.** nearly all: the state has more numbers than the piece has symbols. Ask who must write, and who only
#   looks up.
# - **Scaled dot-product attention.** On the board: the variance of a sum of d products; then the softmax of large
#   scores.
# - **07d.largest.** one over the number of keys, as if all were alike.
# - **07d.order.** “neither”, from those who know attention as a set operation. With the mask, what has the second
#   layer's token seen?
# - **Drawing with a key–value cache.** Ask what has to be computed anew when one token is added.
# - **07d.tokens.** about once: the same text. Per what is a perplexity?

# %% [markdown]
# ## Copying in context
# Take a piece of $L$ different symbols out of sixteen, in any order, and repeat it until the row is full:
# `c a f c a f c a f …` Once the piece has come back, each next symbol can be known: it stands $L$ places back. To find such
# an answer in what was just read, without any change of the weights, is **in-context learning**.
#
# Chance is known, too. Who knows nothing is right once in sixteen times; who picks any of the piece's symbols, once in
# $L$ times.

# %%
predict("07d.copy", "An LSTM with 64 channels trains for some seconds on pieces of 3 to 14 symbols. How many "
        "of a hundred symbols does it copy rightly when the piece has 14?", low=0, high=100)

# %%
def learned(steps, **settings):
    """A model that has been trained for so many steps on copies."""
    experiment = InContextExperiment(InContextHyperparameters(total_steps=steps, **settings), seed=0)
    for _ in run(experiment, steps, progress=False):
        pass
    return experiment.model

def copied(model, L, n=100):
    """Share of the symbols that can be known and are guessed right, of each of n sequences, [n]."""
    x = copies(n, LENGTH, L, 16, seeded(1))
    with torch.no_grad():
        return (model(x).argmax(dim=2) == x)[:, L + 1:].float().mean(dim=1)

looks_back = learned(500, positions="learned")
lstms = {rate: learned(600, model="lstm", channels=64, layers=1, learning_rate=rate) for rate in (0.01, 0.02)}
remembers = max(lstms.values(), key=lambda model: copied(model, 14).mean())  # the better of the two

# %%
lengths = np.arange(3, 15)
share = {"attention": [copied(looks_back, L).mean().item() for L in lengths],
         "LSTM": [copied(remembers, L).mean().item() for L in lengths], "one of the piece's symbols": 1 / lengths}
show(curves(lengths, share, title="Copying: long pieces cost the LSTM, and not attention",
            xlabel="symbols in the piece", ylabel="share copied rightly"),
     alt=f"Share of symbols copied rightly over the length of the piece. Attention: {share['attention'][0]:.2f} at "
         f"three symbols, {share['attention'][-1]:.2f} at fourteen. The LSTM: {share['LSTM'][0]:.2f} at three, "
         f"{share['LSTM'][-1]:.2f} at fourteen, where one of the piece's symbols is right {1 / 14:.2f} of the time")
reveal("07d.copy", 100 * share["LSTM"][-1])
with claim_table():
    claim("Attention, fourteen symbols: share copied rightly, each of a hundred sequences", copied(looks_back, 14),
          above=0.95)
    claim("Fourteen symbols: attention less the better LSTM", copied(looks_back, 14) - copied(remembers, 14),
          above=0.25)
    claim("Three symbols: the better LSTM", copied(remembers, 3), above=0.8)

# %% [markdown]
# The LSTM is no fool: short pieces it copies (three symbols a little worse than five; why, we do not know). But it must
# write the whole piece into its state, keep it there, and read it out in order; the longer the piece, the more it has to
# hold. Attention writes nothing. The piece is still there, and one must only find the place.
#
# ## Scaled dot-product attention
# Each token (here: symbol) has a vector $x_t$ of length $C$, and three linear maps make of it a **query** $q_t$, what
# it looks for; a **key** $k_t$, what it can be found by; and a **value** $v_t$, what it has to say. How well a key fits
# a query is their product, its **attention score**. A softmax over the scores gives weights, and what token $t$ gets is
# the mean of the values under these weights. With the queries as rows of $Q$, and so on,
#
# $$\mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V ,$$
#
# where $d$ is the length of a query. A **causal mask** puts $-\infty$ in the place of the scores of later tokens, so
# that their weights are 0.

# %%
def attention(q, k, v, mask=None):
    """What each query gets [..., T, d], from queries, keys and values; mask [T, T] is True where one may look."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)                     # before the softmax, not after it
    return scores.softmax(dim=-1) @ v

T, d = 9, 16
q, k, v = (torch.randn(4, T, d, generator=seeded(s), dtype=torch.float64) for s in range(3))
causal = torch.ones(T, T, dtype=torch.bool).tril()
difference = attention(q, k, v, causal) - F.scaled_dot_product_attention(q, k, v, is_causal=True)
claim("Ours less PyTorch's scaled_dot_product_attention: largest difference", difference.abs().max(), below=1e-14,
      exact=True)

# %% [markdown]
# Why $\sqrt d$? If queries and keys have independent numbers with mean 0 and variance 1, a score is a sum of $d$
# products, each with variance 1. So its variance is $d$, and divided by $\sqrt d$ it has variance 1.

# %%
predict("07d.largest", "Thirty-two keys of 256 random numbers, no division. How large is the largest of the 32 "
        "weights, on average?", low=0, high=1)

# %%
sizes, variance, largest = (4, 16, 64, 256), [], {}
for size in sizes:
    a, b = torch.randn(2, 2000, 32, size, generator=seeded()).unbind()
    scores = (a[:, :1] * b).sum(dim=2)                                     # one query and 32 keys, two thousand times
    variance.append(scores.var().item())
    largest[size] = [s.softmax(dim=1).amax(dim=1).mean().item() for s in (scores, scores / math.sqrt(size))]
    print(f"d = {size:3}: variance {variance[-1]:6.1f}; largest weight {largest[size][0]:.2f}, divided "
          f"{largest[size][1]:.2f}")
reveal("07d.largest", largest[256][0])
with claim_table():
    claim("Variance of a score over d, four sizes", np.divide(variance, sizes), near=1, within=0.1)
    claim("d of 256, not divided: largest weight of 32", largest[256][0], above=0.8)
    claim("d of 256, divided: largest weight of 32", largest[256][1], below=0.3)

# %% [markdown]
# Without the division the softmax is nearly a choice of one key from the start, and its gradient mostly small.
#
# ## Order: what attention does not see
# Nothing in the formula says where a token stands. Without a mask, exchange two tokens and their results are exchanged,
# no more: attention is **permutation equivariant**. With the causal mask a token sees only itself and those before it.
# Does it notice in which order these stand?

# %%
predict("07d.order", "The causal mask, no positions. Shuffle all tokens but the last. Whose last output changes?",
        options=["one layer's and two layers'", "only two layers'", "neither"])

# %%
x = torch.randn(1, T, 16, generator=seeded(), dtype=torch.float64)
shuffled, past = [3, 8, 1, 0, 5, 7, 2, 6, 4], [3, 0, 6, 1, 5, 7, 2, 4, 8]  # the second keeps the last in its place

def last_moves(layers, positions="none", seed=0):
    """How far the last token's output moves when those before it change places."""
    blocks = Blocks(16, layers, 2, T, positions, seeded(seed)).double()
    return (blocks(x[:, past]) - blocks(x))[0, -1].abs().max().item()

free = Blocks(16, 2, 2, T, "none", seeded(), look_ahead=None).double()     # no mask
moved = {layers: [last_moves(layers, seed=s) for s in range(5)] for layers in (1, 2)}
reveal("07d.order", {f"{layers} layer(s)": max(m) for layers, m in moved.items()},
       lambda m: "only two layers'" if m["1 layer(s)"] < 1e-9 < m["2 layer(s)"] else "neither" if m["2 layer(s)"] < 1e-9
       else "one layer's and two layers'")
with claim_table():
    claim("No mask: outputs of shuffled tokens less shuffled outputs", (free(x[:, shuffled]) - free(x)[:, shuffled])
          .abs().max(), below=1e-13, exact=True)
    claim("Mask, one layer, five networks: the last output moves by", moved[1], below=1e-13, exact=True)
    claim("Mask, two layers, five networks: the last output moves by", moved[2], above=1e-4, exact=True)

# %% [markdown]
# A mean knows no order, so one layer sees none. The second layer reads what the first has made of tokens that each saw
# another past. To see an order in the first layer, and distances easily, tokens are told their **positions**. **Learned
# positions** add a vector to each token, its own for each place. **Rotary positions** (Su et al.) turn pairs of numbers of
# a query or a key by an angle that grows with its place $t$, each pair at a speed of its own: a rotation $R_t$. As
# $(R_t q)^\top R_s k = q^\top R_t^\top R_s k = q^\top R_{s - t} k$, a score depends on the *difference* of places, and
# what was learned at one place holds at others.

# %%
here, there = torch.randn(2, 1, 16, generator=seeded(), dtype=torch.float64).unbind()

def score_of(t, s):
    return (rotary(here, t) * rotary(there, s)).sum().item()

with claim_table():
    claim("Rotary: score of places 7 and 3, less that of 107 and 103", score_of(7, 3) - score_of(107, 103), near=0,
          within=1e-12, exact=True)
    claim("Rotary, one layer, five networks: the last output moves by", [last_moves(1, "rotary", s) for s in range(5)],
          above=1e-4, exact=True)

# %% [markdown]
# ## The transformer block
# A **head** is one attention with its own maps. A layer has several: each maps the whole vector to $C/\text{heads}$
# numbers, and may look somewhere else. What they bring is mixed by one more linear map, and *added* to $x$. So each
# token carries a **residual stream**, to which layers add and from which all later ones read. **Layer normalization**
# (Ba et al.) brings each vector to mean 0 and variance 1 before it is read, and then scales and shifts it. After attention,
# an **MLP**, a network of two linear maps with ReLUs between, works on each token by itself:
#
# $$x \leftarrow x + \mathrm{heads}(\mathrm{norm}(x)), \qquad x \leftarrow x + \mathrm{MLP}(\mathrm{norm}(x)) .$$

# %%
class OurBlock(nn.Module):
    """x + heads(norm(x)), then x + MLP(norm(x)), for tokens x [n, T, C]."""

    def __init__(self, C, heads):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv, self.out = nn.Linear(C, 3 * C), nn.Linear(C, C)
        self.mlp = nn.Sequential(nn.Linear(C, 4 * C), nn.ReLU(), nn.Linear(4 * C, C))

    def forward(self, x):
        n, T, C = x.shape
        q, k, v = self.qkv(self.norm_1(x)).chunk(3, dim=2)
        q, k, v = (part.view(n, T, self.heads, -1).transpose(1, 2) for part in (q, k, v))   # [n, heads, T, d]
        got = attention(q, k, v, torch.ones(T, T, dtype=torch.bool).tril())
        x = x + self.out(got.transpose(1, 2).reshape(n, T, C))             # heads side by side again
        return x + self.mlp(self.norm_2(x))

ours, library = OurBlock(16, 2).double(), Block(16, 2, T, "none", 0, seeded()).double()
for mine, theirs in ((ours.norm_1, library.norm_attention), (ours.qkv, library.attention.qkv),
                     (ours.out, library.attention.out), (ours.norm_2, library.mlp[0]),
                     (ours.mlp, nn.Sequential(*library.mlp[1:]))):
    mine.load_state_dict(theirs.state_dict())
claim("Our block less the library's, with its weights: largest difference", (ours(x) - library(x)[0]).abs().max(),
      below=1e-12, exact=True)

# %% [markdown]
# ## Nine pixels again
# The pixels of notebook 07's bars become tokens. Token $j$ is made of the pixel before it, so that its prediction never
# sees pixel $j$ itself. There are `2**9 = 512` pictures, whose probabilities we can add up; and the bars' own $p(x)$ is
# known, so that their entropy $H(p)$ is the least that any honest model can cost.

# %%
bar = torch.zeros(6, 3, 3, dtype=torch.int64)
for j in range(3):
    bar[j, j], bar[3 + j, :, j] = 1, 1
every = torch.tensor(list(product((0, 1), repeat=9))).view(512, 3, 3)
flips = (every[:, None] != bar).sum(dim=(2, 3))
p_bars = (0.05**flips * 0.95**(9 - flips)).mean(dim=1).double()            # as in notebook 07
entropy = torch.special.entr(p_bars).sum()

def taught(look_ahead, steps=400):
    """A transformer over single pixels that has learned the bars."""
    model, rng = PatchTransformer((3, 3), 2, 32, 2, 2, (1, 1), 0, generator=seeded(), look_ahead=look_ahead), seeded()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 5e-3 * min(1, 2 * (1 - step / steps))   # flat, then down to 0
        x = bar[torch.randint(6, (64,), generator=rng)] ^ (torch.rand(64, 3, 3, generator=rng) < 0.05)
        optimizer.zero_grad()
        (-model.log_prob(x).mean()).backward()
        optimizer.step()
    return model.double().requires_grad_(False)

honest = taught(look_ahead=0)
log_q = honest.log_prob(every)
with claim_table():
    claim("The probabilities of all 512 pictures add up to", log_q.exp().sum(), near=1, within=1e-9, exact=True)
    claim("KL(bars ‖ transformer), a sum over all pictures, in nats", (p_bars * (p_bars.log() - log_q)).sum(), above=0,
          below=0.6)

# %% [markdown]
# (Notebook 07's RNN came nearer to the bars, on twice as many pictures; neither was tuned, so this ranks nothing.)
#
# ## Break it: a mask off by one
# The classic slip: the mask lets each token look one place too far. No error is raised, and the loss is wonderful.

# %%
leaking = taught(look_ahead=1)
loss = {name: -(p_bars * model.log_prob(every)).sum().item() for name, model in (("right", honest), ("off", leaking))}

def leaks(model, x):
    """As in notebook 07: how many pixels of x [H, W], if changed, change logits of themselves or of earlier ones."""
    j = torch.arange(x.numel())
    changed = x.flatten().repeat(len(j), 1)
    changed[j, j] = 1 - changed[j, j]
    reacts = (model(changed.view(-1, *x.shape)) - model(x[None])).flatten(2).abs().amax(dim=1) > 1e-9
    return int((reacts & (j <= j[:, None])).any(dim=1).sum())

print(f"nats a picture: mask right {loss['right']:.2f}, off by one {loss['off']:.2f}; entropy {entropy:.2f}")
with claim_table():
    claim("Mask off by one: exact loss less the entropy, which no distribution can go below, nats",
          loss["off"] - entropy, below=-1)
    claim("Mask off by one: its 'probabilities' of all pictures add up to", leaking.log_prob(every).exp().sum(),
          above=2)
    claim("Pixels of nine that leak, mask right", leaks(honest, bar[0]), near=0, within=0.1, exact=True)
    claim("Pixels of nine that leak, mask off by one", leaks(leaking, bar[0]), above=6)

# %% [markdown] words="cannot: a cross-entropy is at least the entropy, by KL of at least 0 (notebook 03)"
# A loss below the entropy cannot be had by a distribution, and this one is none: its sum is far from one. (The last
# pixel does not leak, since there is no token after it.) **Repair:** `tril()` without an offset, and a check by flipping,
# as here, in every project that has a mask.
#
# ## Live: an induction head forms
# Back to copying, by two layers of one head each, without MLPs. How can two layers copy? The first lets each
# token take up what stood *before* it; the second looks for the token that has taken up the present symbol, and copies
# it. Such a pair is called an **induction head** (Olsson et al.). The pictures have a row for each token that looks, and the
# third shows where an exact induction head would. Press **Start** and watch the loss: a plateau, then a fall, and the
# second pattern snaps into the third. Then:
#
# 1. one layer: what does it settle for?
# 2. *lstm* with more channels;
# 3. *chains*, which are explained below; the loss has a floor now.

# %%
lab = LiveLab(
    InContextExperiment(InContextHyperparameters(), seed=0),
    views=[
        Curve("nll", "floor", title="Cost of what can be known", ylabel="nats a symbol", labels={"nll": "−log p",
                                                                                       "floor": "best possible"}),
        Curve("accuracy", title="Guessed right", ylabel="share"),
        ImageGrid("patterns", columns=3, title="Looks at: first layer · last layer · exact", wide=True),
    ],
    knobs=["learning_rate", "data", "model", "channels", "layers", "positions"],
    headless_steps=60,
)
lab

# %% [markdown]
# How near to the exact head is the one that we trained at the beginning?

# %%
x_copy = copies(50, LENGTH, 8, 16, seeded(2))
known = torch.arange(LENGTH) >= 8                                          # from here on, the symbol was seen before
first, second = (layer[:, 0] for layer in looks_back.weights(x_copy))
exact_head = successors(x_copy)
on_place = (second * (exact_head > 0)).sum(dim=2)[:, known].mean(dim=1)
before = first.diagonal(-1, dim1=1, dim2=2).mean(dim=1)
show(patterns({"first layer": first[0].detach(), "second layer": second[0].detach(), "exact head": exact_head[0]},
              title="The second layer looks where the answer stands"),
     alt=f"Three squares, tokens that look down, tokens looked at across. First layer: {before.mean():.2f} of the "
         f"weight is on the token before. Second layer and exact head: diagonals, where what followed the symbol "
         f"before stands; {on_place.mean():.2f} of the second layer's weight lies on them")
claim("Second layer, fifty sequences: weight on places where the answer stands", on_place.detach(), above=0.8)

# %% [markdown]
# ## Learning in context, held against Bayes
# Copying has one right answer. Now each sequence comes from a Markov chain of its own: three symbols, and a table of
# transition probabilities whose rows are drawn evenly from all distributions (a **Dirichlet prior**). The model is never
# told the table. What is the best prediction? By Bayes' rule the posterior of the present symbol's row is again a
# Dirichlet distribution, for the prior is even. The next symbol's probability is the row's *posterior mean*. If $j$
# came right after the present symbol $c_j$ times so far,
#
# $$p(x_{t+1} = j \mid x_1, \dots, x_t) = \frac{c_j + 1}{\sum_l c_l + 3} .$$
#
# Counts, and one more of each. Nothing can predict better on average. The **KL divergence** from this predictor to the
# network's is what the network still lacks, in nats a symbol, place by place. The network comes trained, again without
# MLPs. A rival,
# *frequencies alone*, counts how often each symbol came, whatever stood before it.

# %%
statistician, _ = load_pretrained("chains")
x_chain = chains(400, LENGTH, 3, seeded(3))
bayes = chain_predictor(x_chain, 3)
counted = F.one_hot(x_chain, 3).double().cumsum(dim=1)[:, :-1] + 1
alone = torch.cat([bayes[:, :1], counted / counted.sum(dim=2, keepdim=True)], dim=1)
log_m = statistician(x_chain).double().log_softmax(dim=2)
kl = {"transformer": (bayes * (bayes.log() - log_m)).sum(dim=2),           # [sequences, places]
      "frequencies alone": (bayes * (bayes / alone).log()).sum(dim=2)}
mean = {name: value.mean(dim=0) for name, value in kl.items()}
show(curves(np.arange(1, LENGTH + 1), mean, title="From the fourth place on the transformer is nearer",
            xlabel="place", ylabel="KL from the best, nats a symbol"),
     alt="KL from the Bayes-optimal predictor over the place. " + "; ".join(
         f"{name}: " + ", ".join(f"{m[t]:.3f} at place {t + 1}" for t in (1, 2, 7, 31)) for name, m in mean.items()))
with claim_table():
    claim("KL from the best prediction, transformer, nats a symbol, 400 sequences", kl["transformer"].mean(dim=1),
          above=0, below=0.04)
    claim("The same, relative to frequencies alone", kl["transformer"].mean() / kl["frequencies alone"].mean(),
          below=0.5)

# %% [markdown]
# So "learning in context" is here no mystery: on chains that it has never seen, the network comes near the posterior mean,
# and we know by how much it falls short: at the second place, where no pair was seen yet, by more than frequencies do;
# least after some eight places; then more again, slowly. (Xie et al. see in-context learning of language models in this
# light, too.) How? By such a pair of heads, it seems; the second one is measured under *Going further*.

# %% [markdown]
# ## Drawing with a key–value cache
# A new token brings its own query, key and value. Keys and values of all earlier tokens are what they were, by
# causality; kept in a **key–value cache**, they need not be computed again. So a new token passes through the network
# alone, and looks at the cache.

# %%
image_model = PatchTransformer((12, 12), 2, 64, 2, 2, generator=seeded())  # patches of 4 x 4 pixels are the tokens
drawn = {}
for kind in (torch.float32, torch.float64):
    image_model.to(kind)
    drawn[kind] = [image_model.sample(4, seeded(), cached=cached) for cached in (True, False)]
with claim_table():
    for kind, limit in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        cached, naive = drawn[kind]
        claim(f"{kind}: pixels that differ with and without the cache", (cached.images != naive.images).sum(), near=0,
              within=0.1, exact=True)
        claim(f"{kind}: largest difference of log p(x), nats a pixel", (cached.log_p - naive.log_p).abs().max() / 144,
              below=limit, exact=True)

# %%
def seconds(draw):
    begun = time.process_time()
    draw()
    return time.process_time() - begun

@torch.no_grad()
def draw_naively(model, length):
    """Rows of `length` symbols, the whole row anew for each of them."""
    x = torch.zeros(2, 0, dtype=torch.int64)
    for _ in range(length):
        logits = model(F.pad(x, (0, 1)))[:, -1]                            # the last place does not see what is there
        x = torch.cat([x, torch.multinomial(logits.softmax(dim=1), 1, generator=seeded())], dim=1)
    return x

row_lengths = (32, 64, 128, 256)
speaker = SequenceTransformer(16, 256, 64, 2, 2, "rotary", generator=seeded())
spent = {"naive": [seconds(lambda n=n: draw_naively(speaker, n)) for n in row_lengths],
         "with a cache": [seconds(lambda n=n: speaker.sample(2, n, seeded())) for n in row_lengths]}
gain = np.divide(spent["naive"], spent["with a cache"])
print("naive over cached:", ", ".join(f"{n} symbols {g:.1f}" for n, g in zip(row_lengths, gain, strict=True)))
claim("Seconds for 256 symbols: naive over cached", gain[-1], above=1.3)

# %% [markdown]
# ## What it costs
# Count multiply–adds, two operations each. For a row of $T$ tokens, a layer of width $C$ takes $24\,T C^2$ for its
# linear maps and $4\,T^2 C$ for scores and means. An LSTM takes $16\,T C^2$, and no square of $T$. Its memory while
# drawing is $2C$ numbers; the cache has $2 T C$ a layer, and grows.

# %%
def operations(T, C, layers):
    """Multiplications and additions of the blocks for a row of T tokens, by the formula."""
    return layers * (24 * T * C**2 + 4 * T**2 * C)

C, counted_by_torch = 64, {}
for n in row_lengths:
    blocks = Blocks(C, 2, 2, n, "none", seeded())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        blocks(torch.zeros(1, n, C))
    counted_by_torch[n] = counter.get_total_flops()
print(f"{'symbols':>8}{'transformer':>15}{'LSTM':>12}{'cache':>10}{'LSTM state':>12}   (operations; numbers kept)")
for n in (*row_lengths, 4096):
    print(f"{n:8}{operations(n, C, 2):15,}{2 * 16 * n * C**2:12,}{2 * 2 * n * C:10,}{2 * 2 * C:12}")
claim("Operations counted by PyTorch less those of the formula, four lengths",
      [counted_by_torch[n] - operations(n, C, 2) for n in row_lengths], near=0, within=0.5, exact=True)

# %% [markdown]
# By the formula the LSTM of the same width is cheaper at every length, and its memory does not grow. The transformer's
# advantage lies elsewhere: in what it can look up, as copying showed; and under teacher forcing all its tokens go through
# at once, while an LSTM's steps must wait for each other.
#
# ## Going further
# ### In context: does the second layer average?
# The mean over the places that followed the present symbol before is the share of each symbol there, if all of these
# places get the same weight. The entropy of the weights, over that of even ones, says how even they are.

# %%
weights = statistician.weights(x_chain[:100])[-1][:, 0]
there = successors(x_chain[:100]) > 0
share_there, share_places = ((part * there)[:, 8:].sum(dim=2).mean(dim=1) for part in
                             (weights, torch.ones_like(weights).tril() / torch.arange(1, LENGTH + 1)[:, None]))
claim("Last layer's weight on places that followed the present symbol, less that of even weights, 100 sequences",
      share_there - share_places, above=0.2)

# %%
places = there.sum(dim=2)
on_them = (weights * there / (weights * there).sum(dim=2, keepdim=True)).nan_to_num(0)
evenness = torch.special.entr(on_them).sum(dim=2) / places.clamp(min=2).log()
with claim_table():
    claim("Entropy of the last layer's weights on those places over that of even ones, where there are two or more",
          evenness[places >= 2].detach(), above=0.95)
    claim("KL from the best prediction, last eight places less places 7 to 10, nats a symbol, each sequence",
          kl["transformer"][:, -8:].mean(dim=1) - kl["transformer"][:, 6:10].mean(dim=1), above=0.001)

# %% [markdown]
# Nearly even: it averages. But some of the weight lies elsewhere, and as sequences grow the KL rises a little.
#
# ### Temperature, top-k and top-p against the truth
# Samples can be made tidier by changing each step's probabilities before drawing. A **temperature** $\tau$ below 1
# sharpens them. **Top-k sampling** keeps the $k$ likeliest values, here three; **top-p sampling** (nucleus sampling,
# Holtzman et al.) the fewest likeliest ones whose probabilities together reach a limit $p$; both are renormalized. What
# do they do to the
# *distribution* $q$ of the pictures? Of notebook 07's creatures the truth is known. The model is 07's PixelCNN: the rules
# do not ask who gave the probabilities.

# %%
creatures, (pixelcnn, _) = sprites.Sprites(), load_pretrained("pixelcnn_sprites")

def keep_k(p, k):
    return p * (p >= p.topk(k, dim=1).values[:, -1:])

def keep_p(p, least):
    order = p.argsort(dim=1, descending=True)
    before = p.gather(1, order).cumsum(dim=1) - p.gather(1, order)         # probability of all likelier values
    return p * torch.zeros_like(p).scatter(1, order, (before < least).double())

rules = {"as trained": lambda p: p, "τ = 0.8": lambda p: p**(1 / 0.8), "top-k, 3": lambda p: keep_k(p, 3),
         "top-p, 0.98": lambda p: keep_p(p, 0.98), "top-p, 0.9": lambda p: keep_p(p, 0.9)}

@torch.no_grad()
def go_through(rule, n=1000, given=None):
    """Creatures drawn by a rule, or given ones, and log q of each under the rule, −∞ where it gives them 0."""
    n, rng = n if given is None else len(given), seeded()
    x, log_q = torch.zeros(n, 12, 6, dtype=torch.int64), torch.zeros(n, dtype=torch.float64)
    for (i, j), logits in zip(pixelcnn.order(), pixelcnn.steps(x), strict=True):
        p = rule(logits.double().softmax(dim=1))
        p = p / p.sum(dim=1, keepdim=True)
        x[:, i, j] = torch.multinomial(p, 1, generator=rng)[:, 0] if given is None else given[:, i, j]
        log_q += p.gather(1, x[:, i, j, None])[:, 0].log()
    return x, log_q

# %%
real = creatures.sample(150, seeded(9))
rows = {}
for name, rule in rules.items():
    x_rule, log_rule = go_through(rule)
    shut_out = go_through(rule, given=real)[1].isinf().double()            # real creatures that it can never draw
    rows[name] = (log_rule - creatures.log_prob(x_rule), -log_rule, shut_out)
print(f"{'':14}{'KL(q ‖ truth)':>18}{'entropy of q':>14}{'real ones shut out':>20}")
for name, (missing, surprise, shut_out) in rows.items():
    error = missing.std() / math.sqrt(len(missing))
    print(f"{name:14}{missing.mean():12.2f} ± {error:.2f} {surprise.mean():14.2f}{shut_out.mean():20.2f}")
trained, mild, tidy = rows["as trained"], rows["τ = 0.8"], rows["top-p, 0.9"]
drawn_07 = pixelcnn.sample(500, seeded(50))                                # as notebook 07 draws
kl_07 = drawn_07.log_q - creatures.log_prob(drawn_07.images)
with claim_table():
    claim("KL(q ‖ truth) as trained, less that of 500 samples of the library's sampler, as in notebook 07, nats",
          trained[0].mean() - kl_07.mean(), near=0, within=6)
    claim("KL(q ‖ truth), top-k of 3 relative to as trained", rows["top-k, 3"][0].mean() / trained[0].mean(), above=0,
          below=0.9)
    claim("KL(q ‖ truth), τ of 0.8 relative to as trained", mild[0].mean() / trained[0].mean(), below=0.65)
    claim("Real creatures that τ of 0.8 can never draw", mild[2].sum(), near=0, within=0.1, exact=True)
    claim("Real creatures that top-k of 3 can never draw, share of 150", rows["top-k, 3"][2], above=0.65)
    claim("Entropy of q, nats: top-p of 0.9 less as trained", tidy[1] - trained[1].mean(), below=-3)
    claim("Real creatures that top-p of 0.9 can never draw, share of 150", tidy[2], above=0.6)
    claim("Real creatures that the model as trained can never draw", trained[2].sum(), near=0, within=0.1, exact=True)

# %% [markdown]
# Each rule lowers KL(q ‖ truth): what is drawn is more probable under the truth. It has a heavy tail, a few very bad
# creatures, so mind the errors. And samples get less varied: the entropy falls. Top-k of three also shuts out most real
# creatures, which have a pixel of a rare colour somewhere, and KL(truth ‖ q) is infinite once a single one is shut out.
# The temperature shuts out nothing. A cut is a choice for samples, not a better model.
#
# ### Tokens: compare bits a byte, not perplexities
# A language model's tokens are rarely characters. **Byte-pair encoding** (Sennrich et al.) starts with the bytes of a text
# and merges the pair of neighbours that is most frequent into a new token, again and again. Rows get shorter, which
# attention likes. But how does one compare two models whose tokens differ?

# %%
show_source(BytePairs.learn)
show_source(merged)

# %% [markdown]
# The **perplexity** of notebook 07b is the exponential of the mean cost of a *token*, and a long token may cost more than a
# short one. **Bits a byte** divide the cost of the whole text by its length in bytes, which no tokeniser changes:
#
# $$\text{perplexity} = 2^{\,\text{bits a byte} \,\times\, \text{bytes a token}} .$$

# %%
predict("07d.tokens", "The same text, the same kind of model, bytes for tokens or 200 merges. How many times the "
        "perplexity has the model with merges?", low=0, high=50)

# %% [markdown]
# The model is an **n-gram**: counts of what followed the last 4 tokens, smoothed by the same model of the last 3, and so
# on down to all tokens alike (MacKay and Peto). How much the shorter one weighs, `betas`, is chosen for each tokeniser on
# the unseen stanzas: nobody is held back by his setting. Five times a fifth of the stanzas is kept unseen.

# %%
def n_gram_costs(known, x, n_tokens, betas, longest=4):
    """Nats of each token of x after those before it, [betas, T], from the counts in `known`."""
    counts, follows = Counter(), Counter()
    for t, n in product(range(len(known)), range(longest + 1)):
        if t >= n:
            counts[(*known[t - n:t], known[t])] += 1
            follows[tuple(known[t - n:t])] += 1
    costs, betas = [], np.array(betas)
    for t, token in enumerate(x):
        p = np.full(len(betas), 1 / n_tokens)
        for n in range(min(longest, t) + 1):
            context = tuple(x[t - n:t])
            p = (counts[(*context, token)] + betas * p) / (follows[context] + betas)
        costs.append(-np.log(p))
    return np.array(costs).T

# %%
stanzas = [stanza for name in TEXTS for stanza in load_text(name).split("\n\n")]
folds = (torch.randperm(len(stanzas), generator=seeded()) % 5).tolist()
merges, betas = (0, 50, 200), (3, 10, 30, 100)
bits_a_byte, perplexity, bytes_a_token = (np.zeros((len(merges), 5)) for _ in range(3))
for (i, n_merges), fold in product(enumerate(merges), range(5)):
    known, unseen = ("\n\n".join(stanza for stanza, f in zip(stanzas, folds, strict=True) if (f == fold) is there)
                     for there in (False, True))
    pairs = BytePairs.learn(known, n_merges)                               # it never sees the unseen stanzas either
    tokens = pairs.encode(unseen).tolist()
    costs = n_gram_costs(pairs.encode(known).tolist(), tokens, len(pairs), betas)
    cost = costs[costs.sum(axis=1).argmin()]                               # with the β that suits it best
    bits_a_byte[i, fold] = cost.sum() / math.log(2) / len(unseen.encode())
    perplexity[i, fold], bytes_a_token[i, fold] = np.exp(cost.mean()), len(unseen.encode()) / len(tokens)

# %%
print(f"{'merges':>7}{'bytes a token':>15}{'bits a byte':>13}{'perplexity':>12}   (means of five parts)")
for n_merges, *row in zip(merges, bytes_a_token, bits_a_byte, perplexity, strict=True):
    print(f"{n_merges:7}{row[0].mean():15.2f}{row[1].mean():13.2f}{row[2].mean():12.1f}")
print("the last tokens that were made:", *(repr(token.decode()) for token in pairs.spellings()[-8:]))
reveal("07d.tokens", (perplexity[2] / perplexity[0]).mean())
with claim_table():
    claim("Perplexity less 2 to the power of bits a byte times bytes a token, relative, each part and tokeniser",
          (perplexity / 2**(bits_a_byte * bytes_a_token) - 1).ravel(), near=0, within=1e-9, exact=True)
    claim("Perplexity, 200 merges relative to none, each of five parts", perplexity[2] / perplexity[0], above=4)
    claim("Bits a byte, 200 merges relative to none, each of five parts", bits_a_byte[2] / bits_a_byte[0], above=1,
          below=1.3)

# %% [markdown]
# By perplexity the model with merges looks many times worse; by bits a byte it is a little worse. On a few thousand bytes
# its counts are thin, for there are more tokens to count; large texts may reverse this. And take eight *bits* for
# tokens:
# a perplexity of 2 is then what knowing nothing gives. So a perplexity means something beside another of the same tokens
# only.
#
# One more thing hides here. A text can be cut into tokens in many ways, and a model that draws tokens may draw any of them.
# So the probability of the *text* is a sum over all cuts, and what the encoder's own cut gets is only a part of it: the
# cost above is an upper bound. For single tokens, each drawn by itself, the forward algorithm of notebook 02b does the sum.

# %%
shares = torch.bincount(pairs.encode(known), minlength=len(pairs)).double() + 1
log_share, spelled, text = (shares / shares.sum()).log().tolist(), pairs.spellings(), unseen.encode()
cut = sum(log_share[token] for token in tokens)
forward = [0.0] + [-math.inf] * len(text)                                  # log p of all cuts up to each byte
for end in range(1, len(text) + 1):
    parts = [forward[end - len(word)] + log_share[k] for k, word in enumerate(spelled)
             if len(word) <= end and text[end - len(word):end] == word]
    forward[end] = np.logaddexp.reduce(parts)
claim("Bits a byte that the encoder's own cut costs more than the sum over all cuts",
      (forward[-1] - cut) / math.log(2) / len(text), above=1e-4, below=0.3)

# %% [markdown]
# ### Digits, scored
# Pixels as tokens make long rows: `28 * 28` of them, each looking at all before it. So the course's transformer takes
# **patches** of `4 * 4` pixels for tokens, as many as `7 * 7`. A token is made of the patch before it and of the pixels
# around its own that are earlier; and within a patch the pixels go one after the other, by a small network that sees the
# token's output and the earlier pixels of the patch. So $\log p(x)$ stays exact. Its card, and that of notebook 07's Row
# LSTM, on the same binarized test digits:

# %%
digits, log_p, drawn_digits = held_out("mnist")[::25], {}, []
for name in ("row_lstm", "transformer"):
    model, card = load_pretrained(name)
    log_p[name] = torch.cat([log_prob_of(model, part) for part in digits.split(5)])    # in parts, to save memory
    drawn_digits.append(model.sample(10, seeded()).images)
    print(f"{name:12} {sum(w.numel() for w in model.parameters()):8,} weights, {card.minutes:3.0f} minutes of one "
          f"core, all 10,000 test digits: {card.metrics['test_nll']:.2f} nats")
show(images(torch.cat(drawn_digits), row_labels=["Row LSTM", "transformer"], title="Digits drawn by the two models"),
     alt="Two rows of ten handwritten digits, drawn by the Row LSTM and by the transformer")
with claim_table():
    claim("Nats of all 10,000 test digits, from the transformer's card", card.metrics["test_nll"], below=80.3)
    claim("log p(x), nats a digit, 400 test digits: transformer less Row LSTM",
          log_p["transformer"] - log_p["row_lstm"], above=0)

# %% [markdown]
# Two recipes, not two principles: the Row LSTM has a ninth of the weights, and each was trained once, with settings of its
# own. What the two have in common is the measure: exact nats on the same digits.
#
# ### Creatures, scored against the truth
# Of notebook 07's creatures the true $p(x)$ is known. So what a model costs on new ones, less what the truth costs on the
# same ones, is what it lacks: KL(truth ‖ model), estimated. The transformer has patches of `2 * 2` pixels for tokens. Its
# card, and that of notebook 07's PixelCNN:

# %%
unseen_creatures = held_out("sprites")
truth_costs = -torch.cat([creatures.log_prob(part) for part in unseen_creatures.split(500)])
some, lacks, excess = unseen_creatures[:500], {}, {}
print(f"{'':20}{'weights':>9}{'minutes of one core':>21}{'nats, 10,000 new ones':>23}{'above the truth':>17}")
for name in ("pixelcnn_sprites", "transformer_sprites"):
    model, card = load_pretrained(name)
    excess[name] = card.metrics["test_nll"] - truth_costs.mean().item()
    lacks[name] = -log_prob_of(model, some) - truth_costs[:500]
    size = sum(w.numel() for w in model.parameters())
    print(f"{name:20}{size:9,}{card.minutes:21.1f}{card.metrics['test_nll']:23.2f}{excess[name]:17.2f}")
show(images(sprites.to_rgb(sprites.whole(model.sample(12, seeded()).images)), columns=12,
            title="Creatures drawn by the transformer"), alt="Twelve creatures in 16 colours, drawn by the transformer")
with claim_table():
    claim("From the card: nats of the transformer above the truth, 10,000 creatures", excess["transformer_sprites"],
          above=0, below=0.9)
    claim("Today, 500 creatures: nats of the transformer above the truth", lacks["transformer_sprites"], above=0.3,
          below=1.2)
    claim("Today, 500 creatures: transformer less PixelCNN, nats",
          lacks["transformer_sprites"] - lacks["pixelcnn_sprites"], below=-0.5)

# %% [markdown]
# Again two recipes: the transformer has more weights. Watch one learn, with what it draws beside where it looks. The third
# picture is one creature's patches, numbered row by row: who looks (upwards) at whom (across), mean over the heads of the
# last layer. Press **Start**; then set the window to 0, so that only attention brings what lies further back, or *look
# ahead* to 1. Who shows the leak, the samples or the loss?

# %%
painter = LiveLab(
    TransformerExperiment(TransformerHyperparameters(data="sprites", layers=3, heads=3, window=2, batch_size=16,
                                                     learning_rate=3e-3), seed=0),
    views=[
        Curve("nll", title="Cost of a batch", ylabel="nats a creature", labels={"nll": "−log p"}),
        ImageGrid("samples", columns=8, title="Drawn from the same random numbers"),
        HeatMap("attention", extent=(0, 18, 0, 18), title="Which patch looks at which", xlabel="patch looked at",
                ylabel="patch that looks"),
    ],
    knobs=["learning_rate", "layers", "window", "positions", "look_ahead"],
    headless_steps=20,
)
painter

# %% [markdown]
# ### All three, a minute each
# The cards are of long runs, each with a budget of its own. Notebook 12 trains these and other families for about a
# minute of one processor, three times. What its record has of the three:

# %%
from course_lib.comparisons.scoreboard.record import of_data, rows, table

THREE = ("Row LSTM", "PixelCNN", "transformer")
minute = {data: {row.family: row for row in of_data(rows(), data, "short") if row.family in THREE}
          for data in ("sprites", "mnist")}
for data, of_family in minute.items():
    print(data, table([of_family[name] for name in THREE], ["nll", "train_seconds", "parameters"]), sep="\n")

def lead(data, name, other):
    """Nats a picture by which a family is ahead of another, seed by seed."""
    return np.subtract(*(minute[data][which].values("nll") for which in (other, name)))

with claim_table():
    claim("Creatures: nats by which the transformer leads the PixelCNN", lead("sprites", "transformer", "PixelCNN"),
          above=2)
    claim("Creatures: the PixelCNN leads the Row LSTM by", lead("sprites", "PixelCNN", "Row LSTM"), above=4)
    claim("Digits: the transformer leads the PixelCNN by", lead("mnist", "transformer", "PixelCNN"), above=3)
    claim("Digits: the transformer leads the Row LSTM by", lead("mnist", "transformer", "Row LSTM"), above=0, below=3)
    claim("Digits: seconds of training, the transformer's over the Row LSTM's", np.divide(
        *(minute["mnist"][name].values("train_seconds") for name in ("transformer", "Row LSTM"))), above=1.7)

# %% [markdown]
# On creatures the transformer leads by far, after about the same time. On digits the small Row LSTM comes close in half
# its time. Who is ahead depends on the data, and on the minutes.

# %% [markdown]
# ## Your turn
# **1.** Attention weights under a causal mask, when some tokens are padding that nobody may look at. Padded tokens
# themselves still look. A token that may look nowhere gets zeros.

# %% tags=["exercise"]
def causal_weights(q, k, real):
    """Weights [n, T, T] of queries (rows) on keys, from q, k [n, T, d]; real bool [n, T] is False at padding."""
    ### BEGIN SOLUTION
    may = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool).tril() & real[:, None, :]
    scores = q @ k.mT / math.sqrt(q.shape[2])
    return scores.masked_fill(~may, -torch.inf).softmax(dim=-1).nan_to_num(0)
    ### END SOLUTION

# %%
check("07d.causal_weights", causal_weights)

# %% [markdown]
# **2.** One step with a cache: a new token's query, key and value, and the keys and values of all before it.

# %% tags=["exercise"]
def cached_step(q, k, v, K, V):
    """What the new token gets [n, d], and the caches with it; q, k, v [n, d], K, V [n, T, d] of earlier tokens."""
    ### BEGIN SOLUTION
    K, V = torch.cat([K, k[:, None]], dim=1), torch.cat([V, v[:, None]], dim=1)
    weights = ((K @ q[:, :, None])[:, :, 0] / math.sqrt(q.shape[1])).softmax(dim=1)
    return (weights[:, :, None] * V).sum(dim=1), K, V
    ### END SOLUTION

# %%
check("07d.cached_step", cached_step)

# %% [markdown]
# **3.** The best prediction in context, for chains of `n_symbols` symbols: after each place $t$, the probabilities of the symbol
# that comes next, from all up to and with $x_t$.

# %% tags=["exercise"]
def from_counts(x, n_symbols):
    """p(next symbol | x_1 … x_t) at each place t, [n, T, N], of sequences x [n, T], each of a chain of its own."""
    ### BEGIN SOLUTION
    one_hot = F.one_hot(x, n_symbols).double()
    pairs = one_hot[:, :-1, :, None] * one_hot[:, 1:, None, :]               # [n, T - 1, from, to]
    counts = F.pad(pairs, (0, 0, 0, 0, 1, 0)).cumsum(dim=1)                  # at t: the pairs that have ended by t
    c = counts[torch.arange(len(x))[:, None], torch.arange(x.shape[1]), x]   # of the present symbol
    return (c + 1) / (c + 1).sum(dim=2, keepdim=True)
    ### END SOLUTION

# %%
check("07d.from_counts", from_counts)

# %% [markdown]
# ## What to keep
# - A query looks for keys, and gets the mean of their values. The root of $d$ keeps the softmax soft, the mask keeps it
#   honest; where a token stands it is best told.
# - Two layers of attention find what followed the present symbol before: they copy, and they average. On random Markov
#   chains that comes near the Bayes-optimal prediction, and the exact answer says how near, place by place.
# - A loss below the entropy is a leak. Flip and look.
# - A cache makes drawing cheaper and grows with the text; an LSTM's state does not grow, and forgets.
# - Temperature, top-k and top-p change the distribution; what the last two cut off is not drawn any more.
#
# **Read on:**
#
# - A. Vaswani et al., [*Attention Is All You Need*](https://arxiv.org/abs/1706.03762), NIPS (2017).
# - J. Ba, J. Kiros, G. Hinton, [*Layer Normalization*](https://arxiv.org/abs/1607.06450), arXiv (2016).
# - J. Su et al., [*RoFormer: Enhanced Transformer with Rotary Position
#   Embedding*](https://arxiv.org/abs/2104.09864), arXiv (2021).
# - C. Olsson et al., [*In-context Learning and Induction Heads*](https://arxiv.org/abs/2209.11895), arXiv (2022).
# - S. Xie, A. Raghunathan, P. Liang, T. Ma, [*An Explanation of In-context Learning as Implicit Bayesian
#   Inference*](https://arxiv.org/abs/2111.02080), ICLR (2022).
# - B. Edelman et al., [*The Evolution of Statistical Induction Heads: In-Context Learning Markov
#   Chains*](https://arxiv.org/abs/2402.11004), NeurIPS (2024).
# - N. Parmar et al., [*Image Transformer*](https://arxiv.org/abs/1802.05751), ICML (2018): pixels as tokens.
# - M. Chen et al., [*Generative Pretraining from Pixels*](https://proceedings.mlr.press/v119/chen20s.html), ICML
#   (2020).
# - R. Sennrich, B. Haddow, A. Birch, [*Neural Machine Translation of Rare Words with Subword
#   Units*](https://arxiv.org/abs/1508.07909), ACL (2016): byte-pair encoding.
# - D. MacKay, L. Peto, [*A Hierarchical Dirichlet Language Model*](https://doi.org/10.1017/S1351324900000218), Natural
#   Language Engineering 1 (1995): the smoothing of the n-grams.
# - A. Holtzman et al., [*The Curious Case of Neural Text Degeneration*](https://arxiv.org/abs/1904.09751), ICLR (2020):
#   top-p sampling.
#
# **Next:** notebook 08, between two digits: what arithmetic with codes does to pictures.
