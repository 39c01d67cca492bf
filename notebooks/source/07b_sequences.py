# %% [markdown]
# # 07b · Autoregressive sequence models: one symbol after another
#
# Letters come one after another, and so do the samples of a sound. The chain rule does not care what the symbols are.
# **What must change when the pixels become letters or sounds, and what else is such a network good for?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | train a character model, stop it before it overfits and read its perplexity, turn it into a classifier, and predict a sound by dilated causal convolutions |
# | You need | notebook 07: the chain rule, teacher forcing, causality, the LSTM; Bayes' rule (01) |
# | Time | 45 seconds to run · seed 0 |

# %%
import copy

import numpy as np
import torch
from IPython.display import Audio, display
from torch.nn import functional as F

from course_lib.chapters.nb07b.plots import wave_and_density
from course_lib.data.text import TEXTS, Alphabet, excerpts, load_text
from course_lib.data.waveform import NOTE_LENGTH, RATE, melody, mu_law_decode, mu_law_encode
from course_lib.models.sequences import CharLSTM, SequenceClassifier, WaveNet, nucleus
from course_lib.plots import curves, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** One hour with the exercises. Begin with the guessing game of Shannon (1951): show a line of
# verse letter by letter and let the class guess the next one; count. Their bits per letter are lower than on our unseen
# verses: ask what they know that the network does not. Play the sounds.
#
# - **Prepare.** A loudspeaker for the sounds, and a line of verse for Shannon's game.
# - **07b.bits.** about one, Shannon's number. Who has read more?
# - **Temperature.** Let three students read a sample each: cold, one, hot; the class says which is which.
# - **07b.way.** “fine-tuning”, the modern answer. Ask how far apart the two must be before a winner is named.
# - **07b.reach.** the sum of the dilations without the sample itself, or twice seven. Draw three layers as a tree and
#   count.
# - **Sound: dilated causal convolutions.** On the board: the tree of taps; what doubles, and what grows by one.
# - **07b.tail.** well above a half: eight in a hundred seems rare. Multiply on the board.

# %% [markdown]
# ## A character model
# A **sequence model** gives a probability to each row of symbols, of any length. We take one for letters. Two small
# texts in verse come with the course: nursery rhymes, and poems by Shakespeare, Blake, Shelley and
# Wordsworth. A text $x_1, \dots, x_T$ is a row of **tokens**, symbols from an alphabet: here of $N$ characters (larger
# models take pieces of words). It has, as any picture,
#
# $$p(x) = \prod_{t=1}^{T} p(x_t \mid x_1, \dots, x_{t-1}) .$$
#
# Two things are new. The length $T$ is free, so one network must serve every place: it is given no place, only what
# came before. And the past may be long, so the network is the **LSTM** of notebook 07, with its **gates** $f$, $i$
# and $o$ and the new $g$, now along the text: its memory is $c_t = f_t \odot c_{t-1} + i_t \odot g_t$, its state $h_t =
# o_t \odot \tanh(c_t)$. A plain RNN multiplies its **recurrent state** by the same matrix at every step, so what it
# noted long ago, and the gradient that would teach it to, shrink or grow like a power (**vanishing gradients**,
# **exploding gradients**). In the memory an old note is multiplied by the **forget gate** $f_t$ alone (Gers et al.); where that is
# near one, note and gradient stay.

# %% [markdown]
# We train by teacher forcing on pieces of sixty characters from random places. The last fifth of each text is put
# aside, the **validation set**. Costs are in bits a character: $b$ bits mean as unsure as among $2^b$ equally likely
# characters. This $2^b$ is the **perplexity**.

# %%
texts = {name: load_text(name) for name in TEXTS}
alphabet = Alphabet.of("".join(texts.values()))
N = len(alphabet)
symbols = {name: alphabet.encode(text) for name, text in texts.items()}
train, test = ({name: x[:len(x) * 4 // 5] if first else x[len(x) * 4 // 5:] for name, x in symbols.items()}
               for first in (True, False))
print(f"{N} characters:", repr(alphabet.characters))
print(texts["rhymes"][:60], "\n…\n", texts["poems"][:84], sep="")

# %%
predict("07b.bits", "If all characters were equally likely, each would cost log2 N, nearly six bits. How many does the "
        "network need for verses that it has not seen?", low=0, high=6)

# %%
def bits(model, x, length=60):
    """Mean −log2 p of a symbol, of pieces of a sequence x [T], each read from its own beginning."""
    pieces = x[:len(x) // length * length].view(-1, length)
    with torch.no_grad():
        return -model.log_prob(pieces).mean().item() / length / np.log(2)

both, held_out = (torch.cat(list(part.values())) for part in (train, test))
rng = seeded()
model = CharLSTM(N, 96, generator=rng)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
track, young = [], None
for step in range(601):
    if step % 50 == 0:
        track.append((step, bits(model, both), bits(model, held_out)))
        if track[-1][2] == min(t[2] for t in track):
            young = {name: value.clone() for name, value in model.state_dict().items()}
    loss = -model.log_prob(excerpts(both, 32, 60, rng)).mean() / 60
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()

# %%
step, seen, unseen = np.array(track).T
frequency = torch.bincount(both, minlength=N).double() + 1
by_frequency = -(frequency / frequency.sum())[held_out].log2().mean().item()
show(curves(step, {"verses it learns from": seen, "unseen verses": unseen}, xlabel="step",
            title="Overfitting: unseen verses cost more again", ylabel="bits per character",
            baseline=(by_frequency, "frequencies alone"), mark=(step[unseen.argmin()], "where we stop")),
     alt=f"Bits per character against steps: on the training verses from {seen[0]:.1f} to {seen[-1]:.1f}; on unseen "
         f"verses to {unseen.min():.1f} at step {step[unseen.argmin()]:.0f}, where a line marks that we stop, and "
         f"{unseen[-1]:.1f} at the end")
best = unseen.min()
reveal("07b.bits", best)
print(f"perplexity on unseen verses: {2**best:.1f} of {N} characters")
with claim_table():
    claim("Bits a character on unseen verses, at the best step", best, near=3.36, within=0.1)
    claim("Bits a character that frequencies alone need more", by_frequency - best, above=1.1)

# %% [markdown] cited="0.6 1.3"
# Shannon let people guess the next letter, and found that English costs between 0.6 and 1.3 bits a letter, for a reader
# who has seen a hundred letters before. They know words, grammar and the world; our network knows a few pages. (His
# alphabet was smaller, without capitals and commas.) And our number flatters a little: the best step was chosen on the
# same unseen verses. A clean figure needs a third part, a **test set** that no choice has used.
#
# ## Break it: overfitting
# On the verses that it learns from, the bits go on falling; on unseen ones they rise: **overfitting**. A few thousand
# characters are little text, and the network has room to store it (**memorization**).

# %%
with claim_table():
    claim("Bits a character at the end, on the verses that it learned from", seen[-1], below=2)
    claim("Bits a character lost on unseen verses by going on after the best step", unseen[-1] - best, above=0.4)

def write(model, tau, beginning="The ", length=150, seed=1):
    x, _ = model.sample(1, length, seeded(seed), temperature=tau, prefix=alphabet.encode(beginning))
    return alphabet.decode(x[0])

def longest_copy(text, source):
    """The longest piece of a text that stands in the source word for word."""
    found = ""
    for start in range(len(text)):
        while start + len(found) < len(text) and text[start:start + len(found) + 1] in source:
            found = text[start:start + len(found) + 1]
    return found

source = "".join(texts.values())
written = [write(model, 0.3, seed=s) for s in range(10)]
copies = [longest_copy(text, source) for text in written]
longest = max(copies, key=len)
print(written[copies.index(longest)].replace(longest, f"[{longest}]"))
claim("Characters of the longest copy in ten samples, in brackets above", len(longest), above=15)

# %% [markdown]
# Of ten samples that is the one that copies most. **Repair: early stopping**. Go back to the weights that were best on
# unseen verses.

# %%
model.load_state_dict(young)
fresh = [longest_copy(write(model, 0.3, seed=s), source) for s in range(10)]
print(f"characters of the longest copy: overfitted {len(longest)}, stopped early {max(map(len, fresh))}")
claim("Characters of the longest copy in each of ten samples: overfitted less stopped early",
      [len(copy) - len(other) for copy, other in zip(copies, fresh, strict=True)], above=0)

# %% [markdown]
# ## Temperature
# A **temperature** $\tau$ divides the logits $a_k$ before a symbol is drawn: $p_\tau(x_t = k) \propto e^{a_k / \tau}$. A
# small $\tau$ takes the likeliest, a large one all alike.

# %%
def words(text):
    return [word.strip(",.;:!?'\"").lower() for word in text.split()]

known = set(words(source))

def words_known(tau):
    """Share of the words that occur in the texts, of each of ten samples."""
    return np.array([np.mean([word in known for word in words(write(model, tau, seed=s))[1:-1]]) for s in range(10)])

exist = {tau: words_known(tau) for tau in (0.3, 0.8, 1.3)}
for tau, share in exist.items():
    print(f"--- τ = {tau}: {100 * share.mean():.0f} of 100 words are known\n{write(model, tau)}\n")
claim("Share of known words, ten samples: τ of 0.3 less τ of 1.3", exist[0.3] - exist[1.3], above=0.25)

# %% [markdown]
# At a small $\tau$ more words are known, often the same short ones again and again. At a large one the network makes up
# more of its own. **Top-p sampling**, or **nucleus sampling** (Holtzman et al.), cuts the tail instead: it draws from the
# smallest set of likeliest symbols that together hold a given $p$ or more.
#
# ## Fine-tuning and Bayes' rule: from a sequence model to a classifier
# Which of the two texts does a line come from? There are two ways to a classifier. **Fine-tuning**: begin with
# the network that has read, average its states over the line, and put a new last layer with two labels on top instead
# of $N$ characters; all weights go on learning. Or **Bayes' rule**, as in notebook 01: one model of text for each label, $p(y \mid x) \propto p(y)\,p(x \mid y)$. The
# data are the same verses.

# %%
predict("07b.way", "Which is right more often about lines from unseen verses?",
        options=["fine-tuning", "two models and Bayes' rule", "about the same"])

# %%
def lines(part, n, rng, length=40):
    """Pieces of both texts [2n, length], and which text each is from."""
    return torch.cat([excerpts(part[name], n, length, rng) for name in TEXTS]), torch.arange(2).repeat_interleave(n)

rng = seeded(2)
classifier = SequenceClassifier(copy.deepcopy(model), 2, rng)              # from the network that we stopped in time
optimizer = torch.optim.Adam(classifier.parameters(), lr=2e-3)
for _ in range(60):
    x, y = lines(train, 32, rng)
    optimizer.zero_grad()
    F.cross_entropy(classifier(x), y).backward()
    optimizer.step()

models = []
for name in TEXTS:
    models.append(CharLSTM(N, 96, generator=rng))
    optimizer = torch.optim.Adam(models[-1].parameters(), lr=5e-3)
    for _ in range(120):
        optimizer.zero_grad()
        (-models[-1].log_prob(excerpts(train[name], 32, 60, rng)).mean() / 60).backward()
        optimizer.step()

# %%
cuts = [test[name].unfold(0, 40, 4) for name in TEXTS]                     # at every fourth character: they overlap
x_test, y_test = torch.cat(cuts), torch.arange(2).repeat_interleave(torch.tensor([len(c) for c in cuts]))
print(f"{len(x_test)} lines, of which {sum(len(test[name]) // 40 for name in TEXTS)} do not overlap")
with torch.no_grad():
    by_layer = (classifier(x_test).argmax(dim=1) == y_test).float()
    log_joint = torch.stack([m.log_prob(x_test) for m in models], dim=1)   # both texts equally likely before
    by_bayes = (log_joint.argmax(dim=1) == y_test).float()
lead = by_bayes - by_layer
alone = torch.cat([part[::10] for part in lead.split([len(c) for c in cuts])])  # lines that do not overlap
error = alone.std() / len(alone)**0.5
print(f"share right: fine-tuning {by_layer.mean():.2f}, two models and Bayes' rule {by_bayes.mean():.2f}; "
      f"standard error of the difference, from lines that do not overlap, {error:.2f}")
reveal("07b.way", {"lead of Bayes' rule": lead.mean().item(), "twice its standard error": 2 * error.item()},
       lambda by: "about the same" if abs(by["lead of Bayes' rule"]) < by["twice its standard error"] else
       "two models and Bayes' rule" if by["lead of Bayes' rule"] > 0 else "fine-tuning")
claim("Share of lines that two models and Bayes' rule get right, where guessing has one half", by_bayes.mean(),
      above=0.65)

# %% [markdown]
# The unseen verses are short, so most of these lines share characters: a lead counts only against the error of the few
# that do not. Only the network's length of training was tuned, on these very verses. So no winner is named here. A
# thought to test: a
# label is one bit for a line; guessing its characters gives dozens. With millions of lines, and a network that has read
# many other books, fine-tuning is the way that is used.
#
# ## Sound: dilated causal convolutions
# A melody of plucked strings, four thousand numbers a second. For classes, cut $u$ into $N = 64$ equal intervals, finer
# in the amplitude $x$ where quiet, as ears are: the **μ-law**, with $\mu = N - 1$,
#
# $$u = \operatorname{sign}(x)\,\frac{\log(1 + \mu |x|)}{\log(1 + \mu)} .$$
#
# A tone's period is a dozen samples and a note lasts hundreds: the past must be long. A causal convolution of width two
# sees one sample further a layer. **WaveNet** (van den Oord and others) spreads the two taps: layer $l$ combines
# $x_t$ and $x_{t-d}$ with the **dilation** $d = 2^l$. So the **receptive field** doubles with each layer.

# %%
def gates(x, K, b, d):
    """Features [n, C, T] → [n, 2C, T] by a causal convolution of width 2 with dilation d."""
    return F.conv1d(F.pad(x, (d, 0)), K, b, dilation=d)                    # zeros before the beginning, none after

levels = 64
wavenet = WaveNet(levels, channels=32, layers=7, generator=seeded())
x = torch.randn(2, 50, 32, generator=seeded())
difference = {}
for layer in (0, 3):
    d, linear = 2**layer, wavenet.gates[layer]
    ours = gates(x.transpose(1, 2), torch.stack(linear.weight.chunk(2, dim=1), dim=2), linear.bias, d).transpose(1, 2)
    theirs = linear(torch.cat([F.pad(x, (0, 0, d, 0))[:, :50], x], dim=2))
    difference[d] = (ours - theirs).abs().max()

sound = melody(40, seeded())
classes, unseen_melody = mu_law_encode(sound, levels), melody(6, seeded(9))
new = mu_law_encode(unseen_melody, levels)
with claim_table():
    for d, largest in difference.items():
        claim(f"Dilation {d}: largest difference from the library's layer", largest, below=1e-5, exact=True)
    claim("Largest error of rounding to classes, relative to the loudest sample",
          (mu_law_decode(classes, levels) - sound).abs().max() / sound.abs().max(), below=0.08)

# %%
predict("07b.reach", "Seven layers with dilations 1, 2, 4, …, 64: how many samples does a prediction see?",
        low=1, high=1000)

# %%
precise = WaveNet(levels, channels=32, layers=7, generator=seeded()).double()
flipped = new[:400].clone()
flipped[100] = (flipped[100] + 30) % levels
with torch.no_grad():
    reacts = (precise(flipped[None]) - precise(new[None, :400])).abs().amax(dim=2)[0] > 0
reach = int(reacts.sum())
reveal("07b.reach", reach)
with claim_table():
    claim("Predictions that one sample changes: as many as one prediction sees", reach, near=2**7, within=0.1,
          exact=True)
    claim("Sample 100 changes nothing before sample 101", not bool(reacts[:101].any()))

# %%
rng, optimizer = seeded(), torch.optim.Adam(wavenet.parameters(), lr=5e-3)
for _ in range(220):
    loss = -wavenet.log_prob(excerpts(classes, 8, 400, rng)).mean() / 400
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    p = wavenet(new[None])[0].softmax(dim=1)                               # before each sample of an unseen melody
cost = -p.gather(1, new[:, None])[:, 0].log2()
often = torch.bincount(classes, minlength=levels).double() + 1
with claim_table():
    claim("Bits a sample, unseen melody, WaveNet", cost.mean(), below=4.8)
    claim("Bits a sample, unseen melody, frequencies alone", -(often / often.sum())[new].log2().mean(), above=5.3)

# %%
ys = torch.linspace(-1, 1, levels + 1).double()
edges = ys.sign() * torch.expm1(ys.abs() * np.log(levels)) / (levels - 1)  # the μ-law backwards
window = slice(2 * NOTE_LENGTH - 30, 2 * NOTE_LENGTH + 50)
show(wave_and_density(range(-30, 50), unseen_melody[window], edges, p[window],
                      title="A new note begins at 0: a surprise, then a wide band"),
     alt="A wave in front of a shaded band of predicted values, from thirty samples before a new note to fifty "
         "after its beginning")
begins = torch.arange(1, 6) * NOTE_LENGTH

def more_at_first(values, first):
    """Of each of five notes: the mean of a value over its first samples, less that in its middle."""
    return torch.stack([values[b:b + first].mean() - values[b + 200:b + 400].mean() for b in begins])

entropy = -(p * p.clamp(min=1e-30).log2()).sum(dim=1)
with claim_table():
    claim("Bits a sample, five notes: first ten samples of a note less its middle", more_at_first(cost, 10), above=1.5)
    claim("Bits a sample that the network expects to pay, five notes: first fifty less the middle",
          more_at_first(entropy, 50), above=0.5)

# %% [markdown]
# Most samples continue a note, and on that it bets; so the first samples of a new one are a surprise, and cost many
# bits. Then the band is wide and pale: it is unsure, and says so. One predicted number could not.
#
# Let it go on by itself from a few samples of the unseen melody. One pass a sample, and a second of speech has sixteen
# thousand: here, too, memory helps. Each layer keeps its last $d$ inputs in a **ring**, a list whose oldest entry is
# overwritten: with $d = 4$, sample nine takes the place of sample five, just after that was used. So a new sample costs
# one column of the network and not the whole past (**caching**).

# %%
made, log_p = wavenet.sample(1, 4 * NOTE_LENGTH, seeded(3), temperature=0.8, prefix=new[:128])
wave = mu_law_decode(made[0], levels)
with torch.no_grad():
    claim("Log p by the sampler with its rings less that of the whole network, nats a sample",
          (log_p - wavenet.log_prob(made)) / len(wave), near=0, within=1e-5, exact=True)
for name, x in (("a melody", unseen_melody[:4 * NOTE_LENGTH]), ("WaveNet", wave)):
    print(name)
    display(Audio(x.numpy(), rate=RATE))

def peak(x):
    """Share of a sound's energy in its strongest frequency, mean over pieces of a tenth of a second."""
    spectrum = torch.fft.rfft(x.view(-1, RATE // 10), dim=1).abs()**2
    return (spectrum.amax(dim=1) / spectrum.sum(dim=1)).mean()

shuffled = wave[torch.randperm(len(wave), generator=seeded())]
claim("Share of energy in the strongest frequency, relative to the same samples shuffled: it holds tones",
      peak(wave) / peak(shuffled), above=5)

# %% [markdown]
# ## Going further
# ### Perplexity on a chain that is known
# How low can a perplexity get? On a Markov chain the answer is exact. Three symbols; the matrix $A$ has the probabilities
# of a step, $A_{jk} = p(x_{t+1} = k \mid x_t = j)$, and $\pi$ the shares of the symbols in the long run, $\pi = \pi A$. What
# the next symbol costs at least is the **entropy rate** $H$. A model $Q$ of the steps costs more:
#
# $$H = -\sum_j \pi_j \sum_k A_{jk} \log A_{jk}, \qquad
#   -\sum_j \pi_j \sum_k A_{jk} \log Q_{jk} = H + \sum_j \pi_j\, \mathrm{KL}(A_j \,\|\, Q_j) .$$
#
# In nats a perplexity is the exponential of the cost, so $e^H$ at least.

# %%
A = torch.tensor([[0.82, 0.14, 0.04], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]], dtype=torch.float64)

def long_run(A):
    return torch.linalg.matrix_power(A, 2**12)[0]

def cost(A, Q):
    """Nats a symbol in the long run of A, if Q tells the next symbol."""
    return -(long_run(A)[:, None] * torch.xlogy(A, Q)).sum()

pi, rate = long_run(A), cost(A, A)
rng, x = seeded(10), torch.empty(400, 60, dtype=torch.int64)
x[:, 0] = torch.multinomial(pi.expand(400, 3), 1, generator=rng)[:, 0]
for t in range(59):
    x[:, t + 1] = torch.multinomial(A[x[:, t]], 1, generator=rng)[:, 0]
spent = -(pi[x[:, 0]].log() + A[x[:, :-1], x[:, 1:]].log().sum(dim=1)) / 60      # nats a symbol, of each sequence
expected = (torch.special.entr(pi).sum() + 59 * rate) / 60                            # the first symbol has no past
counted = torch.bincount((3 * x[:4, :-1] + x[:4, 1:]).flatten(), minlength=9).view(3, 3).double() + 1
costs = {"all symbols alike": cost(A, torch.full_like(A, 1 / 3)), "shares alone": cost(A, pi.expand(3, 3)),
         "counted in four sequences": cost(A, counted / counted.sum(dim=1, keepdim=True)), "the chain itself": rate}
for name, nats in costs.items():
    print(f"{name:28} {nats:.3f} nats, {nats / np.log(2):.3f} bits, perplexity {nats.exp():.3f}")

# %%
joint = pi[:, None] * A                                                            # of neighbours
information = (joint * (joint / (pi[:, None] * pi)).log()).sum()
pairs = torch.special.entr(joint[:, :, None] * A[None]).sum() - torch.special.entr(pi).sum()
with claim_table():
    claim("All symbols alike: perplexity", costs["all symbols alike"].exp(), near=3, within=1e-9, exact=True)
    claim("400 sequences of 60 symbols: nats a symbol less what is expected", spent - expected, near=0, within=0.03)
    claim("Shares alone: cost less H and less the mutual information of neighbours", costs["shares alone"] - rate
          - information, near=0, within=1e-9, exact=True)
    claim("Counted: cost less H, nats", costs["counted in four sequences"] - rate, above=0, exact=True)
    claim("Pairs taken for symbols: perplexity over the square of that of single ones", (pairs - 2 * rate).exp(),
          near=1, within=1e-9, exact=True)
    claim("Mean of the sequences' perplexities less the perplexity of their mean cost", spent.exp().mean()
          - spent.mean().exp(), above=0, exact=True)

# %% [markdown]
# What the past is worth is the mutual information of neighbours. The last two rows are warnings. A perplexity belongs to
# its tokens: with pairs for tokens the same model has the square of it, while bits a character stay. And average the costs
# first: the mean of many perplexities is larger than the perplexity of the mean cost, by Jensen's inequality.
#
# ### Top-p sampling on known probabilities
# Two places in a text, each with a hundred possible tokens: at one a single token is nearly certain, at the other forty
# are equally good. At both, a tail of bad ones shares eight in a hundred.

# %%
predict("07b.tail", "Eight in a hundred for the tail, at every place. What is the chance that none of fifty drawn "
        "tokens is from the tail, in percent?", low=0, high=100)

# %%
def top_p_of(p, top_p):
    """Probabilities [N] after the cut: the smallest set of likeliest tokens that holds top_p, divided by its sum."""
    ordered, token = p.sort(descending=True)
    kept = ordered.cumsum(dim=0) - ordered < top_p                                 # what the likelier ones hold
    return torch.zeros_like(p).scatter(0, token[kept], ordered[kept] / ordered[kept].sum())

def top_k_of(p, k=10):
    kept = p >= p.sort(descending=True).values[k - 1]
    kept &= kept.cumsum(dim=0) <= k
    return torch.where(kept, p, 0) / p[kept].sum()

good = {"one certain": 1, "forty good": 40}
places = {name: torch.cat([torch.full((n,), 0.92 / n), torch.full((100 - n,), 0.08 / (100 - n))]).double()
          for name, n in good.items()}
samplers = {"as they are": lambda p: p, "τ of 0.5": lambda p: p**2 / (p**2).sum(), "top-k, ten": top_k_of,
            "top-p, 0.9": lambda p: top_p_of(p, 0.9)}
for name, p in places.items():
    for way, sampler in samplers.items():
        q = sampler(p)
        tail = q[good[name]:]
        print(f"{name:12} {way:12} tokens left {(q > 0).sum():3}, of them {(tail > 0).sum():3} in the tail, with "
              f"probability {tail.sum():.4f}")
none = (1 - 0.08) ** 50
reveal("07b.tail", 100 * none)

# %%
with claim_table():
    claim("Fifty tokens, none from the tail: probability", none, near=0.01547, within=1e-4, exact=True)
    for name, p in places.items():
        q = top_p_of(p, 0.9)
        claim(f"{name}: tokens that top-p leaves", (q > 0).sum(), near=good[name], within=0.1, exact=True)
        claim(f"{name}: KL(drawn from ‖ model) less −log of what is kept, nats", torch.xlogy(q, q).sum()
              - torch.xlogy(q, p)[q > 0].sum() + p[q > 0].sum().log(), near=0, within=1e-9, exact=True)
    claim("Library's top-p less ours", torch.stack([nucleus(p[None], 0.9)[0] - top_p_of(p, 0.9)
                                                    for p in places.values()]).flatten(), near=0, within=1e-12,
          exact=True)

# %% [markdown]
# Top-p follows the place: one token here, forty there. **Top-k sampling** keeps the same number everywhere: with ten it
# lets nine of the tail in at the first place, and drops thirty good ones at the second. What top-p leaves is $p$ itself
# up to a factor, so $\mathrm{KL}(\text{drawn from} \,\|\, \text{model})$ is minus the logarithm of what it keeps.
#
# Is text that was drawn so like text? On the chain from above, each row cut, this is a sum again:

# %%
cuts = (1.0, 0.95, 0.85, 0.8)
cut_chains = {top_p: torch.stack([top_p_of(row, top_p) for row in A]) for top_p in cuts}
judged = {top_p: cost(chain, A) for top_p, chain in cut_chains.items()}            # by the chain itself
for top_p, chain in cut_chains.items():
    print(f"top-p {top_p:4}: shares in the long run", " ".join(f"{share:.2f}" for share in long_run(chain)),
          f"  perplexity {cost(chain, chain).exp():.3f}, judged by the chain {judged[top_p].exp():.3f}")
x, _ = model.sample(200, 150, seeded(20), prefix=alphabet.encode("The "))
y, _ = model.sample(200, 150, seeded(20), top_p=0.6, prefix=alphabet.encode("The "))
exist_p = [[np.mean([word in known for word in words(alphabet.decode(row))[1:-1]]) for row in drawn]
           for drawn in (x, y)]
print("--- top-p 0.6\n" + alphabet.decode(y[0]))
with claim_table():
    claim("Top-p of 0.85: perplexity of what is drawn, judged by the chain, less that of real sequences",
          judged[0.85].exp() - rate.exp(), below=-0.1, exact=True)
    claim("Top-p of 0.8: share of the first symbol in the long run", long_run(cut_chains[0.8])[0], near=1, within=1e-9,
          exact=True)
    claim("Characters: share of known words, 200 samples, top-p of 0.6 less none", np.subtract(*exist_p[::-1]),
          above=0.15)

# %% [markdown]
# What is drawn scores better than the real thing: a low perplexity is no proof of good text. Of the characters' words,
# a larger share is known with the cut than without. And a cut can go too far: at
# the last setting the first symbol is followed by itself alone, and the chain repeats it for ever. Holtzman et al. saw
# such loops when language models search for the likeliest text.
#
# ## Your turn
# **1.** Temperature: from logits to the probabilities $p_\tau$ that a symbol is drawn from.

# %% tags=["exercise"]
def next_probabilities(logits, tau):
    """Probabilities [n, N] of the next symbol at temperature tau > 0, from logits [n, N]; finite for logits of 1000."""
    ### BEGIN SOLUTION
    return (logits / tau).softmax(dim=1)
    ### END SOLUTION

# %%
check("07b.next_probabilities", next_probabilities)

# %% [markdown]
# **2.** A causal convolution of width two by hand: $K_0 x_{t-d} + K_1 x_t$ at each place $t$, with zeros before the beginning.

# %% tags=["exercise"]
def dilated(x, K, d):
    """y [n, T, C_out] from x [n, T, C_in], K [2, C_out, C_in] and a dilation d ≥ 1 (d may exceed T)."""
    ### BEGIN SOLUTION
    past = F.pad(x, (0, 0, d, 0))[:, :x.shape[1]]
    return past @ K[0].T + x @ K[1].T
    ### END SOLUTION

# %%
check("07b.dilated", dilated)

# %% [markdown]
# **3.** The μ-law: from amplitudes to classes. $u$ runs from −1 to 1; cut that into $N$ equal intervals.

# %% tags=["exercise"]
def to_classes(x, n_classes):
    """Classes int64 0 … n_classes−1, of the shape of x, for amplitudes x from −1 to 1 (both included)."""
    ### BEGIN SOLUTION
    mu = n_classes - 1
    u = x.sign() * torch.log1p(mu * x.abs()) / np.log(1 + mu)
    return ((u + 1) / 2 * n_classes).long().clamp(max=mu)
    ### END SOLUTION

# %%
check("07b.to_classes", to_classes)

# %% [markdown]
# **4.** Top-p sampling: what the next symbol is drawn from, for many places at once. The symbol that brings the sum to
# `top_p` stays. (No two symbols of a row are equally likely here.)

# %% tags=["exercise"]
def cut_tail(p, top_p):
    """Probabilities [n, N] after the cut, in the order of the symbols, from p [n, N]; top_p lies between 0 and 1."""
    ### BEGIN SOLUTION
    ordered, symbol = p.sort(dim=1, descending=True)
    kept = torch.where(ordered.cumsum(dim=1) - ordered < top_p, ordered, 0)
    return torch.zeros_like(p).scatter(1, symbol, kept / kept.sum(dim=1, keepdim=True))
    ### END SOLUTION

# %%
check("07b.cut_tail", cut_tail)

# %% [markdown]
# ## What to keep
# - The chain rule serves any sequence of symbols; a number becomes a symbol by cutting it into classes.
# - On small texts a network overfits: watch the perplexity of unseen ones, and stop early.
# - A sequence model is half a classifier: by fine-tuning, or by Bayes' rule. Which to take, data decide.
# - Dilations double the receptive field with each layer. The price of drawing stays: one pass a symbol.
#
# **Read on:**
#
# - C. Shannon, [*Prediction and Entropy of Printed English*](https://doi.org/10.1002/j.1538-7305.1951.tb01366.x),
#   Bell System Technical Journal 30 (1951).
# - S. Hochreiter, J. Schmidhuber, [*Long Short-Term Memory*](https://doi.org/10.1162/neco.1997.9.8.1735), Neural
#   Computation 9 (1997).
# - A. Graves, [*Generating Sequences With Recurrent Neural Networks*](https://arxiv.org/abs/1308.0850), arXiv (2013).
# - A. van den Oord et al., [*WaveNet: A Generative Model for Raw Audio*](https://arxiv.org/abs/1609.03499), arXiv
#   (2016).
# - A. Holtzman et al., [*The Curious Case of Neural Text Degeneration*](https://arxiv.org/abs/1904.09751), ICLR
#   (2020): top-p sampling.
# - F. Gers, J. Schmidhuber, F. Cummins, [*Learning to Forget: Continual Prediction with
#   LSTM*](https://doi.org/10.1162/089976600300015015), Neural Computation 12 (2000).
#
# **Next:** notebook 07c, completions: which questions about a half-seen picture a model of pixels answers, and at
# what cost.
