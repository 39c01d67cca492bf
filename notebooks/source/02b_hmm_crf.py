# %% [markdown]
# # 02b · Hidden Markov models and conditional random fields: mixtures with memory
#
# In a mixture, each point picks its component afresh. In a sentence, a word's part of speech depends on the word
# before. **How do you guess a whole row of hidden choices, when each depends on the last?**
#
# | At a glance | This notebook |
# |---|---|
# | You will be able to | write forward, backward and Viterbi in log space, train an HMM without tags, and say when a CRF is better |
# | You need | Bayes' rule, naive Bayes and logistic regression (notebook 01), EM (notebook 02) |
# | Time | 30 seconds to run · seed 0 |

# %%
import itertools

import numpy as np
import torch

from course_lib.chapters.nb02b.plots import beliefs, tables, trellis
from course_lib.data import TaggingWorld, TinyGrammar
from course_lib.live import explore
from course_lib.models import hmm
from course_lib.models.crf import CRF
from course_lib.models.hmm import BernoulliHMM, CategoricalHMM
from course_lib.models.logistic import SoftmaxRegression
from course_lib.models.naive_bayes import BernoulliNB
from course_lib.plots import bars, curves, show
from course_lib.seeds import seeded
from course_lib.teach import check, claim, claim_table, predict, reveal, show_source

torch.set_num_threads(1)  # for models this small one thread is as fast as two, and steadier

# %% [markdown] tags=["teacher"]
# **For the teacher.** Optional; two hours with the exercises. Say "the old man the boats" aloud, slowly, before anyone
# sees it, and ask where they stumbled: that is smoothing. If time is short, stop after Viterbi, or take up from
# *Conditional random fields*. The comparison in *Going further* repeats the one of notebook 01, one step up.
#
# - **Prepare.** Practise saying the sentence, so that the pause falls in the wrong place.
# - **02b.man.** nearly 0 from those who hear two words at a time, a half from those who know the end. Only what was
#   heard so far counts.
# - **The forward algorithm: sum as you go.** On the board: the trellis of two tags, a sum at each node. It stays for
#   what follows.
# - **The Viterbi algorithm: the best path.** The same trellis: the greatest in place of the sum, and an arrow to who
#   won.
# - **02b.underflow.** thousands. Divide the exponent by the nats of a word, on the board.
# - **Conditional random fields: the discriminative partner.** Ask which term of the HMM's likelihood a tagger never
#   needed.
# - **02b.lead.** “the CRF, always”: it is trained for the task. What did notebook 01 say of few examples?

# %% [markdown] words="never: a zero in the table below"
# ## Hidden Markov models: a choice that remembers
# A **hidden Markov model** (HMM) draws a latent **state** $y_1$, here a word's tag (its part of speech), then each state
# from the one before, and an observation $x_t$, here a word, from each state:
#
# $$p(x, y) = \pi_{y_1} B_{y_1 x_1} \prod_{t=2}^{T} A_{y_{t-1} y_t}\, B_{y_t x_t} .$$
#
# $\pi$ is the **initial distribution**: how sentences begin. $A$ is the **transition matrix**: row $i$ says what follows
# tag $i$. $B$ holds the **emission probabilities**: row $k$ says which words tag $k$ emits. That a tag depends on the one
# before, and on nothing earlier, is the **Markov property**.
#
# Here is a grammar of ten words. (*Her* counts as a noun where it stands alone, as in *saw her*.) Find a word with three
# tags, and a step that never happens.

# %%
grammar = TinyGrammar()
tags, words = grammar.tags, grammar.words
steps = torch.cat([grammar.pi[None], grammar.A])
show(tables({"next tag: π and A": (steps, ["(start)", *tags], tags), "word: B": (grammar.B, tags, words)},
            title="A grammar of four tags and ten words"),
     alt="Two tables of probabilities: which tag begins and which follows which, with zeros for a verb after a "
         "determiner or an adjective; and which word each tag emits, where calm may be an adjective, a noun or a verb")

# %% [markdown]
# **Ancestral sampling** draws causes before effects, from left to right.

# %%
def draw_sentence(T, rng):
    """One sentence: word numbers and tag numbers, two lists of length T."""
    x, y = [], []
    for t in range(T):
        next_tag = grammar.pi if t == 0 else grammar.A[y[-1]]
        y.append(torch.multinomial(next_tag, 1, generator=rng).item())
        x.append(torch.multinomial(grammar.B[y[-1]], 1, generator=rng).item())
    return x, y

rng = seeded()
for _ in range(4):
    x, y = draw_sentence(6, rng)
    print(" ".join(f"{words[v]}/{tags[k]}" for v, k in zip(x, y, strict=True)))

# %%
model = CategoricalHMM(grammar.pi, grammar.A, grammar.B)      # the library's, with the same parameters
x, y = model.sample(5_000, 6, seeded())
after_determiner = y[:, 1:][y[:, :-1] == 0]
forgetful = CategoricalHMM(grammar.pi, grammar.pi.expand(4, 4), grammar.B)        # every row of A is π
each_alone = (grammar.pi @ grammar.B)[x].log().sum(dim=1)                         # a mixture, word by word
with claim_table():
    claim("After a determiner comes a noun, six times in ten", (after_determiner == 2).double().mean(),
          near=0.6, within=0.03)
    claim("An HMM that forgets is a plain mixture: largest difference of log p(x), in nats",
          (forgetful.log_prob(x) - each_alone).abs().max(), below=1e-9, exact=True)

# %% [markdown]
# ## A garden-path sentence

# %%
predict("02b.man", "You hear “the old man …”. How probable is it in this grammar, in percent, that “man” is a verb?",
        low=0, high=100)

# %% [markdown]
# Whatever is asked about tags, we must sum over the paths we do not know. For a short sentence, we can list them all.

# %%
def chain(sentence):
    """log π, log A and log p(x_t | y_t = k), shape (T, K): all that the recursions below need."""
    return grammar.pi.log(), grammar.A.log(), grammar.B.log().T[grammar.encode(sentence)]

def all_paths(log_pi, log_A, log_b):
    """Every path, shape (K**T, T), and its log p(x, y)."""
    T, K = log_b.shape
    y = torch.tensor(list(itertools.product(range(K), repeat=T)))
    log_joint = log_pi[y[:, 0]] + log_A[y[:, :-1], y[:, 1:]].sum(dim=1) + log_b[torch.arange(T), y].sum(dim=1)
    return y, log_joint

heard = chain("the old man")
y, log_joint = all_paths(*heard)
verb = (log_joint[y[:, 2] == 3].logsumexp(0) - log_joint.logsumexp(0)).exp()
reveal("02b.man", 100 * verb)
claim("So far *man* is most probably a noun: the probability of a verb", verb, near=0.092, within=0.001, exact=True)

# %% [markdown]
# That listed $K^T$ paths: hopeless for forty words. But paths share their beginnings. To use that is **dynamic
# programming**.
#
# ## The forward algorithm: sum as you go
# Let $\alpha_t(j) = p(x_1, \dots, x_t,\, y_t = j)$. Split by the tag before; then what has been heard matters to the
# next step only through $y_{t-1}$, and to the word $x_t$ only through $y_t$:
#
# $$\alpha_t(j) = \sum_i p(x_1, \dots, x_{t-1}, y_{t-1} = i)\; p(y_t = j \mid y_{t-1} = i)\; p(x_t \mid y_t = j)
#   = B_{j x_t} \sum_i \alpha_{t-1}(i)\, A_{ij} .$$
#
# $T$ steps of $K^2$ products instead of $K^T$ paths. In the end $p(x) = \sum_j \alpha_T(j)$. Products of many
# probabilities vanish on a computer, so we keep logarithms, and sum with `logsumexp`.

# %%
def forward(log_pi, log_A, log_b):
    """log α, shape (T, K)."""
    log_alpha = [log_pi + log_b[0]]
    for t in range(1, len(log_b)):
        arrive = (log_alpha[-1][:, None] + log_A).logsumexp(dim=0)    # rows i, the tag before, are summed out
        log_alpha.append(arrive + log_b[t])
    return torch.stack(log_alpha)

# %% [markdown]
# ## The backward algorithm: what comes later
# Let $\beta_t(i) = p(x_{t+1}, \dots, x_T \mid y_t = i)$. In the same way, split by the tag after:
# $\beta_t(i) = \sum_j A_{ij}\, B_{j x_{t+1}}\, \beta_{t+1}(j)$, with $\beta_T = 1$, since nothing is left to say.
# Given $y_t$, past and future are independent, so
#
# $$p(y_t = k \mid x) = \frac{\alpha_t(k)\, \beta_t(k)}{p(x)} .$$
#
# $\alpha_t$ alone, normalised, is **filtering**: the belief at the time. With $\beta_t$ it is **smoothing**: the belief
# in hindsight.

# %%
def backward(log_A, log_b):
    """log β, shape (T, K)."""
    log_beta = [torch.zeros_like(log_b[0])]
    for t in range(len(log_b) - 1, 0, -1):
        log_beta.insert(0, (log_A + log_b[t] + log_beta[0]).logsumexp(dim=1))     # columns j, the tag after
    return torch.stack(log_beta)

def smoothed(log_pi, log_A, log_b):
    """p(y_t = k | x), shape (T, K)."""
    return (forward(log_pi, log_A, log_b) + backward(log_A, log_b)).softmax(dim=1)

# %%
sentence = chain("the old calm her dog")                                          # many paths are possible
y, log_joint = all_paths(*sentence)
weight = log_joint.softmax(dim=0)                                                 # p(y | x) of every path
listed = torch.stack([torch.stack([weight[y[:, t] == k].sum() for k in range(4)]) for t in range(5)])

log_alpha, now_verb = forward(*sentence), smoothed(*chain("the old man the boats"))[2, 3]
same_sum = (log_alpha + backward(*sentence[1:])).logsumexp(dim=1)                  # Σ α β at every t
with claim_table():
    claim("log p(x), forward minus all paths listed", log_alpha[-1].logsumexp(0) - log_joint.logsumexp(0),
          near=0, within=1e-9, exact=True)
    claim("p(y | x), forward-backward minus all paths listed", (smoothed(*sentence) - listed).abs().max(), below=1e-9,
          exact=True)
    claim("Σ α β is p(x) at every t: largest difference of logs", same_sum.diff().abs().max(), below=1e-9, exact=True)
    claim("The library's posterior is ours: largest difference",
          (hmm.posteriors(*sentence)[0].exp() - listed).abs().max(), below=1e-9, exact=True)
    claim("The whole sentence heard, *man* is a verb with probability", now_verb, near=1, within=1e-9, exact=True)

# %% [markdown]
# In this grammar no noun is followed by *the*, so *man* was the verb. And no adjective is followed by a verb, so *old*
# must be the noun: the old are manning the boats. One word changed the tags of two earlier ones. Move `t` and watch the
# lower row: which beliefs move when a word arrives? Which sentence leaves you in doubt to the end?

# %%
def listen(sentence="the old man the boats", t=3):
    heard = " ".join(sentence.split()[:t])
    then, now = forward(*chain(heard)).softmax(dim=1), smoothed(*chain(heard))
    return beliefs(sentence.split(), tags, {"when this\nword came": then, "now": now},
                   title=f"Probability of each tag after “{heard}”")

explore(listen, t=(1, 5, 1), sentence=["the old man the boats", "the old man saw boats", "her fish saw the man",
                                       "the old calm her dog", "fish fish fish fish fish"],
        labels={"t": "words heard"}, alt="Bars for the tag of each word, above as believed when the word was heard, "
                                         "below as believed now")

# %% [markdown]
# *Fish fish fish …* leaves most doubt at the end: a noun or a verb may emit *fish* at every place, each may follow
# the other, and every new word is the same evidence again.

# %% [markdown]
# ## The Viterbi algorithm: the best path
# Replace the sum by a maximum, and remember where each maximum came from: $\delta_t(j) = B_{j x_t} \max_i
# \delta_{t-1}(i) A_{ij}$ is the probability of the best path that ends in $j$. At the end, follow the memories back.

# %%
def viterbi(log_pi, log_A, log_b):
    """The most probable path, a list of T tags, and its log p(x, y)."""
    log_delta, came_from = log_pi + log_b[0], []
    for t in range(1, len(log_b)):
        best, i = (log_delta[:, None] + log_A).max(dim=0)
        log_delta = best + log_b[t]
        came_from.append(i)
    path = [log_delta.argmax().item()]
    for i in reversed(came_from):
        path.insert(0, i[path[0]].item())
    return path, log_delta.max()

# %%
off = []
for text in ("the old man the boats", "her fish saw the man", "fish fish fish fish fish"):
    y, log_joint = all_paths(*chain(text))
    path, score = viterbi(*chain(text))
    print(f"{text}: {' '.join(tags[k] for k in path)}")
    found = log_joint[(y == torch.tensor(path)).all(dim=1)].item()
    off.append([abs(found - log_joint.max()), abs(found - score)])
with claim_table():
    claim("log p(x, y) of its path, against the best of all paths listed", np.max(off, axis=0)[0], below=1e-9,
          exact=True)
    claim("The same, against the score that it reports", np.max(off, axis=0)[1], below=1e-9, exact=True)

# %% [markdown]
# ## Break it: posterior decoding
# Why not take, for each word, its most probable tag? That is **posterior decoding**. Take *the old calm boats*: calm, old
# boats, or old people who calm boats? List the readings:

# %%
text = "the old calm boats"
y, log_joint = all_paths(*chain(text))
reading = log_joint.softmax(dim=0)
for i in reading.argsort(descending=True)[:4]:
    print(f"{reading[i]:.2f}  {' '.join(tags[k] for k in y[i])}")
claim("What these four readings leave for all others", 1 - reading.topk(4).values.sum(), near=0, within=1e-9,
      exact=True)

# %%
p = smoothed(*chain(text))
path, one_by_one = viterbi(*chain(text))[0], p.argmax(dim=1).tolist()
show(trellis(text.split(), tags, p, {"most probable path": path, "most probable tag of each word": one_by_one},
             title="Posterior decoding takes an impossible path", forbidden=grammar.A == 0),
     alt="A grid of words and tags. The best path says determiner, noun, verb, noun; the best tags one by one say "
         "determiner, adjective, verb, noun, and the step from adjective to verb is crossed out as impossible")

claim("The step from adjective to verb has probability 0", grammar.A[one_by_one[1], one_by_one[2]].item() == 0)

# %% [markdown]
# At *old*, two readings say adjective; together they outweigh those that say noun. At *calm* these two part: one says
# adjective, the other noun, and *verb* is ahead of each. But no reading has both, an adjective and then a verb. So which
# is right, the best path or the best tags? Each for a question of its own: Viterbi has the most probable whole sentence,
# posterior decoding the most words right.

# %%
x, y = model.sample(20_000, 6, seeded(1))
as_path = model.viterbi(x) == y
as_tags = model.log_posterior(x).argmax(dim=-1) == y
whole = [right.all(dim=1).double() for right in (as_path, as_tags)]
with claim_table():
    claim("Share of whole sentences right, Viterbi minus posterior decoding", whole[0] - whole[1], above=0.006)
    claim("Share of single words right, posterior decoding minus Viterbi",
          (as_tags.double() - as_path.double()).mean(dim=1), above=0)

# %% [markdown]
# ## Break it: underflow
# Without logarithms, each step of $\alpha$ multiplies by one more probability. Words here cost about two nats each,
# and the smallest positive number of double precision is about $e^{-745}$.

# %%
predict("02b.underflow", "After how many words does α become exactly zero? The smallest positive 64-bit number is "
        "about e^-745.", low=1, high=10000)

# %%
x, _ = model.sample(1, 2_000, seeded())
b = grammar.B.T[x[0]]
alpha, t = grammar.pi * b[0], 1
while alpha.sum() > 0 and t < 2_000:
    alpha, t = (alpha @ grammar.A) * b[t], t + 1

reveal("02b.underflow", t)
nats = -model.log_prob(x[0]) / 2_000
with claim_table():
    claim("Words until the product is zero", t, near=388, within=50)
    claim("Nats for each word of the same text, computed in log space", nats, near=1.94, within=0.08)

# %% [markdown]
# ## The Baum–Welch algorithm: EM again
# Now nobody tells us tags, and we know no grammar: only sentences. It is the EM of notebook 02, with the tags as latent
# variables.
#
# **E-step**: how probable is each tag, and each *pair* of neighbours, given the sentence? A path through the pair
# $i, j$ has a beginning, a step, a word and an ending:
#
# $$p(y_t = i, y_{t+1} = j \mid x) = \alpha_t(i)\; A_{ij}\; B_{j x_{t+1}}\; \beta_{t+1}(j) \;/\; p(x) .$$
#
# **M-step**: count, with these probabilities as fractions of a count, and divide:
# $A_{ij} \propto \sum_t p(y_t = i, y_{t+1} = j \mid x)$, so that each row sums to one; $\pi$ and $B$ in the same way. As
# in every EM, the likelihood does not fall.

# %%
sentence = chain("the old calm her dog")
_, log_A, log_b = sentence
la, lb = forward(*sentence), backward(log_A, log_b)
log_pair = la[:-1, :, None] + log_A + (log_b + lb)[1:, None, :] - la[-1].logsumexp(dim=0)     # (T−1, K, K)

y, log_joint = all_paths(*sentence)
is_tag = torch.eye(4, dtype=torch.float64)[y]                                     # (paths, T, K), one 1 in each row
listed = torch.einsum("p,pti,ptj->tij", log_joint.softmax(dim=0), is_tag[:, :-1], is_tag[:, 1:])
with claim_table():
    claim("Probability of each pair minus all paths listed", (log_pair.exp() - listed).abs().max(), below=1e-9,
          exact=True)
    claim("The library's pairs are ours", (hmm.posteriors(*sentence)[1].exp() - listed).abs().max(), below=1e-9,
          exact=True)

# %%
def shares(counts):
    return counts / counts.sum(dim=-1, keepdim=True)

def em_step(model, x):
    """The next model, and Σ log p(x) of this one. Words x, shape (n, T)."""
    log_single, log_pair, log_p = hmm.posteriors(*model.chain(x))      # forward and backward, all sentences at once
    single, pair = log_single.exp(), log_pair.exp()
    pi, A = single[:, 0].mean(dim=0), shares(pair.sum(dim=(0, 1)))
    B = shares(torch.stack([single[x == v].sum(dim=0) for v in range(10)], dim=1))
    return CategoricalHMM(pi, A, B), log_p.sum().item()

# %%
x, _ = model.sample(500, 6, seeded())
runs, learned = [], []
for seed in range(4):
    rng = seeded(seed)
    drawn = [torch.rand(shape, generator=rng, dtype=torch.float64) for shape in ((4,), (4, 4), (4, 10))]
    start = CategoricalHMM(*(shares(0.5 + p) for p in drawn))
    student, history = start, []
    for _ in range(200):
        student, log_likelihood = em_step(student, x)
        history.append(log_likelihood / len(x))
    runs.append(history)
    learned.append(student)

# %%
truth = model.log_prob(x).mean().item()
show(curves(range(200), {f"start {i}": run for i, run in enumerate(runs)}, xlabel="step of EM",
            title="EM climbs from every start, at its own pace", baseline=(truth, "the true grammar"),
            ylabel="log p(x) per sentence, nats"),
     alt=f"Four curves of log-likelihood from {min(run[0] for run in runs):.1f} to between "
         f"{min(run[-1] for run in runs):.2f} and {max(run[-1] for run in runs):.2f} nats; the dotted line of the true "
         f"grammar is at {truth:.2f}")

by_library, by_us = start.baum_welch_step(x)[0], em_step(start, x)[0]
apart = [(getattr(by_us, name) - getattr(by_library, name)).abs().max() for name in ("pi", "A", "B")]
with claim_table():
    claim("The likelihood never falls: each step of all runs, in nats per sentence", np.diff(runs, axis=1).flatten(),
          above=-1e-9, exact=True)
    claim("The library takes the same step", max(apart), below=1e-9, exact=True)
    claim("The best run ends above the truth by, in nats per sentence", max(run[-1] for run in runs) - truth,
          above=0, below=0.08)

# %% [markdown]
# Above the truth? On its own sentences, yes: it has learned their accidents too, which is **overfitting**. All starts
# arrive, some later than others: a run that seems to have settled may only rest on a plateau. And states carry no
# names (**label switching**). Try all ways to name those of the best run, and keep the one that fits the tags of the
# training sentences best. Does it tag new sentences?

# %%
best = learned[np.argmax([run[-1] for run in runs])]
_, y = model.sample(500, 6, seeded())                    # the training sentences' tags, which EM was not shown
found = best.viterbi(x)
names = max(itertools.permutations(range(4)), key=lambda names: (torch.tensor(names)[found] == y).sum())

x_new, y_new = model.sample(2_000, 6, seeded(9))
right = (torch.tensor(names)[best.viterbi(x_new)] == y_new).double().mean()
steps = [(run[-1] - np.array(run) < 0.02).argmax() for run in runs]      # until a run is nearly where it ends
with claim_table():
    claim("All starts end alike: largest difference, in nats per sentence", np.ptp([run[-1] for run in runs]),
          below=0.01)
    claim("The slowest start takes so many times the steps of the fastest", max(steps) / min(steps), above=1.2)
    claim("Share of new words tagged right by a model trained without tags", right, above=0.85)
    claim("Share of new words tagged right by the true grammar", (model.viterbi(x_new) == y_new).double().mean(),
          near=0.904, within=0.02)
    claim("On new sentences the trained model loses to the truth, in nats per sentence",
          model.log_prob(x_new) - best.log_prob(x_new), above=0, below=0.08)

# %% [markdown]
# ## Conditional random fields: the discriminative partner
# With tags given, an HMM learns by counting: it is naive Bayes with memory. What is the partner that learns
# $p(y \mid x)$ directly? Score a path, and normalise over all paths:
#
# $$p(y \mid x) = \frac{e^{s(x, y)}}{Z(x)}, \qquad Z(x) = \sum_{y} e^{s(x, y)}, \qquad
#   s(x, y) = u_{y_1} + \sum_{t=2}^{T} U_{y_{t-1} y_t} + \sum_{t=1}^{T} (W x_t + b)_{y_t} .$$
#
# This is a linear-chain **conditional random field** (CRF): the scores of logistic regression for each word, now a
# vector $x_t$ of features, and a score for each pair of neighbours. $Z(x)$ is its **partition function**. Since $x$ is
# only given and not modelled, $x_t$ may hold features of the whole sentence, such as the next word.
#
# The HMM must emit features, too. Each word is now $D$ bits; given tag $k$, bit $j$ is 1 with probability
# $\theta_{kj}$, independently of the other bits: $p(x_t \mid y_t = k) = \prod_j \theta_{kj}^{x_{tj}}
# (1 - \theta_{kj})^{1 - x_{tj}}$, in place of $B$. This is a Bernoulli HMM.
#
# | labels | generative, $p(x, y)$, fitted by counting | discriminative, $p(y \mid x)$, fitted by descent |
# |---|---|---|
# | one label | naive Bayes | logistic regression |
# | a row of labels | hidden Markov model | conditional random field |

# %%
world = TaggingWorld(seed=0)                                       # 3 tags; each word has 30 binary features
x, y = world.sample(200, 6, seeded())
generative, discriminative = BernoulliHMM.fit(x, y, K=3), CRF.fit(x, y, K=3, l2=0.1)

x1, y1 = x[:, :1], y[:, :1]                                        # rows of length one
nb = BernoulliNB().fit(x1[:, 0], y1[:, 0])
# The CRF's loss is a sum over sentences, that of SoftmaxRegression a mean: the same penalty is n times smaller there.
lr = SoftmaxRegression(l2=0.1 / len(x1), tolerance=1e-7).fit(x1[:, 0], y1[:, 0])
crf_of_one = CRF.fit(x1, y1, K=3, l2=0.1, tolerance=1e-6)
emission = BernoulliHMM.fit(x1, y1, K=3).log_emission(x1)[:, 0] + nb.log_prior
with claim_table():
    claim("One word: the HMM's log p(x | y) is naive Bayes'", (emission - nb.log_joint(x1[:, 0])).abs().max(),
          below=1e-9,
          exact=True)
    claim("One word: the CRF's p(y | x) is logistic regression's",
          (crf_of_one.log_posterior(x1)[:, 0] - lr.log_posterior(x1[:, 0])).abs().max(), below=1e-3, exact=True)

# %% [markdown]
# Nothing in forward asks for probabilities: fed with scores, it gives $\log Z$. And the HMM's own $p(y \mid x)$ *is* a
# CRF, with $u = \log \pi$, $U = \log A$, $W_{kj} = \log \frac{\theta_{kj}}{1 - \theta_{kj}}$ and
# $b_k = \sum_j \log(1 - \theta_{kj})$. So the HMM picks from part of the CRF's family; mainly the two differ in what they
# fit: all of $p(x, y)$, or $p(y \mid x)$ alone.

# %%
same = CRF.of_hmm(generative)
y_all, scores = all_paths(*discriminative.chain(x[3]))
log_Z = forward(*discriminative.chain(x[3]))[-1].logsumexp(0)
with claim_table():
    claim("The HMM's posterior minus that of a CRF with its weights",
          (same.log_posterior(x) - generative.log_posterior(x)).abs().max(), below=1e-9, exact=True)
    claim("log Z by forward minus all paths listed", log_Z - scores.logsumexp(0), near=0, within=1e-9, exact=True)
    claim("The library's log Z minus ours", discriminative.log_partition(x[3]) - log_Z, near=0, within=1e-9, exact=True)

# %% [markdown]
# ## Which of the two?
#
# | what | HMM | CRF |
# |---|---|---|
# | learns by | counting, at once | descent; forward–backward in every step |
# | without tags | Baum–Welch | no |
# | draws new sentences | yes | no |
# | can sum out a word nobody heard (its row of $\log b$ is 0) | yes | no |
# | features that overlap | counted twice (*Going further*) | share one weight |

# %% [markdown]
# ## Going further
# ### The CRF's gradient
# The gradient has a simple form. $\partial s / \partial U_{ij}$ is the number of times $i$ is followed by $j$. And
#
# $$\frac{\partial \log Z}{\partial U_{ij}} = \frac{1}{Z} \sum_y e^{s(x, y)} \frac{\partial s}{\partial U_{ij}}
#   = \sum_y p(y \mid x)\, \frac{\partial s}{\partial U_{ij}} ,$$
#
# by the chain rule: the *expected* number of times. So the gradient of $\log p(y \mid x)$ is **observed minus
# expected**, and forward–backward gives the expectation.

# %%
pair = hmm.posteriors(*discriminative.chain(x[3]))[1].exp()
by_hand = torch.zeros(3, 3, dtype=torch.float64)
for i, j in itertools.pairwise(y[3].tolist()):
    by_hand[i, j] += 1
by_hand -= pair.sum(dim=0)

def log_p(U):
    return CRF(discriminative.W, discriminative.b, discriminative.u, U).log_prob(x[3], y[3])

h, U = 1e-5, discriminative.U
nudges = torch.eye(9, dtype=torch.float64).view(9, 3, 3) * h
slopes = torch.stack([(log_p(U + d) - log_p(U - d)) / (2 * h) for d in nudges]).view(3, 3)
claim("Observed minus expected, against finite differences", (by_hand - slopes).abs().max(), below=1e-8, exact=True)

# %% [markdown]
# ### Label bias: why one Z for the whole path
# Why not normalise step by step? A **maximum-entropy Markov model** (MEMM) does: each step has a softmax of its own,
# $p(y_t \mid y_{t-1}, x_t)$. Then a state with one successor passes all its probability on, whatever the word is: **label
# bias**. Six tags, one for each letter, spell *rib* and *rob* (the example is that of Lafferty et al., in *Read on*);
# a letter that fits its tag scores 4, and *rib* is a little more frequent.

# %%
spelled, rib, rob = "ribrob", (0, 1, 2), (3, 4, 5)                                # the six tags, and their two paths
u = torch.tensor([0.5, -torch.inf, -torch.inf, 0.0, -torch.inf, -torch.inf])
U = torch.full((6, 6), -torch.inf)
for i, j in ((0, 1), (1, 2), (3, 4), (4, 5)):
    U[i, j] = 0.0

def p_rib(word, step_by_step):
    """Probability of the tags of *rib*, given three letters, from the same scores normalised in one of two ways."""
    fits = torch.tensor([[4.0 * (letter == tag) for tag in spelled] for letter in word])
    first, *steps = u + fits[0], U + fits[1], U + fits[2]
    if step_by_step:
        first, steps = first.log_softmax(dim=0), [step.log_softmax(dim=1) for step in steps]
    paths = torch.stack([first[a] + steps[0][a, b] + steps[1][b, c] for a, b, c in (rib, rob)])
    return paths.softmax(dim=0)[0].item()

with claim_table():
    claim("MEMM: a middle letter i or o, difference of the probability of *rib*", p_rib("rib", True) - p_rib("rob",
          True),
          near=0, within=1e-6, exact=True)
    claim("CRF: the letters are *rib*, probability of *rib*", p_rib("rib", False), above=0.95, exact=True)
    claim("CRF: the letters are *rob*, probability of *rib*", p_rib("rob", False), below=0.05, exact=True)

# %% [markdown]
# From the first r the MEMM has only one way to go, so the middle letter says nothing. In the CRF its score stays in
# the path's sum until the end.
#
# Would an MEMM with other weights do better? Take four tags, two for an *r* and one each for *i* and *o*, two letters,
# and a second letter that is misread one time in ten. All probabilities can be listed, without training: in nats, the
# best MEMM that sees one letter a step has the true $p(y_1 \mid x_1)$ and $p(y_2 \mid y_1, x_2)$.

# %%
first4 = torch.tensor([0.55, 0.0, 0.45, 0.0], dtype=torch.float64)                # r of *ri*, i, r of *ro*, o
step4 = torch.tensor([[0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1]], dtype=torch.float64)
step4 /= step4.sum(dim=1, keepdim=True)
emit4 = torch.tensor([[1, 0, 0], [0, 0.9, 0.1], [1, 0, 0], [0, 0.1, 0.9]], dtype=torch.float64)   # r, i, o
joint = torch.einsum("i,ij,ix,jw->xwij", first4, step4, emit4, emit4)             # p(x_1, x_2, y_1, y_2)

def given(p, dims):
    """p divided by its sum over dims; 0 where that is 0."""
    return (p / p.sum(dim=dims, keepdim=True)).nan_to_num(0)

true = given(joint, (2, 3))                                                       # p(y | x)
step = given(joint.sum(dim=0), 2)                                                 # p(y_2 | y_1, x_2)
memm = torch.einsum("xi,wij->xwij", given(joint.sum(dim=(1, 3)), 1), step)
ahead = torch.einsum("xwi,wij->xwij", given(joint.sum(dim=3), 2), step)           # y_1 may look at x_2, too
crf = CRF(W=emit4.clamp(min=1e-40).log(), b=torch.zeros(4), u=first4.clamp(min=1e-40).log(),
          U=step4.clamp(min=1e-40).log())
letters = torch.cartesian_prod(torch.arange(3), torch.arange(3))                  # nine pairs of letters
paths = torch.cartesian_prod(torch.arange(4), torch.arange(4))                    # sixteen pairs of tags
by_crf = torch.stack([crf.log_prob(torch.eye(3)[x2].double().expand(16, 2, 3), paths).exp() for x2 in letters])
by_crf = by_crf.view(3, 3, 4, 4)

# %%
def nats_lost(p):
    """Mean KL of the true p(y | x) from p, over the letters that occur."""
    return (torch.xlogy(joint, true) - torch.xlogy(joint, p)).sum().item()

def path_right(p):
    """How often its best path is the true one."""
    return sum(joint[x1, x2].flatten()[p[x1, x2].argmax()] for x1 in range(3) for x2 in range(3)).item()

p_first = joint.sum(dim=(0, 3))                                                   # p(x_2, y_1)
shared = (torch.xlogy(p_first, p_first) - torch.xlogy(p_first, p_first.sum(0) * p_first.sum(1, keepdim=True))).sum()
with claim_table():
    claim("CRF: largest difference from the true p(y | x), where letters occur",
          (by_crf - true)[joint.sum(dim=(2, 3)) > 0].abs().max(), below=1e-9, exact=True)
    claim("Best MEMM: nats lost, less the mutual information of x₂ and y₁", nats_lost(memm) - shared, near=0,
          within=1e-9, exact=True)
    claim("The MEMM best in nats: how often its best path is right", path_right(memm), near=0.55, within=1e-9,
          exact=True)
    claim("CRF: how often its best path is right", path_right(by_crf), near=0.9, within=1e-9, exact=True)
    claim("MEMM whose first step sees both letters: nats lost", nats_lost(ahead), near=0, within=1e-9, exact=True)

# %% [markdown]
# The last row is the cure: what label bias loses is what the rest of the sentence says of a tag, and a step that may
# look ahead has it.

# %% [markdown]
# ### Features of the whole sentence
# A CRF's $x_t$ may hold any features of the sentence, for nothing has to draw them. Give each word the features of its
# neighbours, too: a **window** of three words. An HMM must *emit* what it is given, and would then emit each word three
# times, as if three independent words had agreed. Does looking help, in the worlds from above, but with half of a
# word's features *one word late*? They tell of the tag before.

# %%
def late(world, n, rng):
    """Words whose last 15 features belong to the tag before; the first word's are those of a tag nobody sees."""
    x, y = world.sample(n, 11, rng)
    return torch.cat([x[:, 1:, :15], x[:, :-1, 15:]], dim=2), y[:, 1:]

def window(x):
    """Features of the word before, the word itself and the word after; zeros beyond the ends."""
    none = torch.zeros_like(x[:, :1])
    return torch.cat([torch.cat([none, x[:, :-1]], dim=1), x, torch.cat([x[:, 1:], none], dim=1)], dim=2)

looks = {"HMM, word": [], "HMM, window": [], "CRF, word": [], "CRF, window": []}
for seed in range(1000, 1006):
    world, rng = TaggingWorld(seed), seeded(200 + seed)
    (x, y), (x_test, y_test) = late(world, 200, rng), late(world, 1_000, rng)
    for what, f in (("word", lambda x: x), ("window", window)):
        hmms = [BernoulliHMM.fit(f(x), y, K=3, alpha=alpha) for alpha in (1.0, 10.0)]
        for name, models in ((f"HMM, {what}", hmms), (f"CRF, {what}", [CRF.fit(f(x), y, K=3, l2=10.0)])):
            sure = [m.log_posterior(f(x_test)).exp().max(dim=-1) for m in models]
            looks[name].append(max(((k == y_test).double().mean().item(), p.mean().item()) for p, k in sure))

# %%
accuracy, sure = (dict(zip(looks, np.array(list(looks.values()))[:, :, i], strict=True)) for i in (0, 1))
show(bars(list(looks), {"how sure": [sure[k].mean() for k in looks],
                         "how often right": [accuracy[k].mean() for k in looks]},
          title="The window helps both, and makes the HMM too sure", xlabel="", ylabel="mean of six worlds"),
     alt="How sure and how often right, mean of six worlds: " + "; ".join(
         f"{k}, {sure[k].mean():.2f} and {accuracy[k].mean():.2f}" for k in looks))
with claim_table():
    claim("CRF: accuracy that the window wins", accuracy["CRF, window"] - accuracy["CRF, word"], above=0.03)
    claim("HMM, its pseudo-count the better of two: accuracy that the window wins",
          accuracy["HMM, window"] - accuracy["HMM, word"], above=0.03)
    claim("With the window: confidence minus accuracy of the HMM, less that of the CRF",
          sure["HMM, window"] - accuracy["HMM, window"] - sure["CRF, window"] + accuracy["CRF, window"], above=0.015)

# %% [markdown]
# Both name more tags right. But the HMM with a window is no model of sentences any more: it draws three words at each
# place that need not agree with each other, its $p(x)$ counts each word three times, and so does its belief. The CRF
# makes no promise about $x$ that a window could break.

# %% [markdown]
# ### Few sentences or many?
# Notebook 01 asked this of naive Bayes and logistic regression. Two kinds of world: in one the features are independent
# given the tag, as an HMM assumes. In the other, three of the features are *copies* of the first. The CRF has a weak
# Gaussian prior on its weights, as the HMM has one imaginary example for each count. We chose how informative the
# copied bit is, on other worlds, so that both effects show; the eight worlds below were not looked at for that.

# %%
predict("02b.lead", "In the world with copies, who tags more words right?",
        options=["the HMM, always", "the CRF, always", "the HMM with few, the CRF with many",
                 "the CRF with few, the HMM with many"])

# %%
sizes, WORLDS = np.array([10, 30, 100, 300]), range(1000, 1008)

def lead(seed, copies, n, alphas=(1.0,), penalties=(0.1,)):
    """Accuracy of the HMM minus that of the CRF in one world, each with its best setting of those given, averaged over
    training sets: more of the small ones."""
    world, rng = TaggingWorld(seed, copies), seeded(seed)
    x_test, y_test = world.sample(1_000, 10, rng)

    def right(models):
        return max((m.log_posterior(x_test).argmax(dim=-1) == y_test).double().mean().item() for m in models)

    leads = []
    for _ in range(max(1, 40 // n)):
        x, y = world.sample(n, 10, rng)
        leads.append(right(BernoulliHMM.fit(x, y, K=3, alpha=alpha) for alpha in alphas) -
                     right(CRF.fit(x, y, K=3, l2=l2) for l2 in penalties))
    return np.mean(leads)

leads = {name: np.array([[lead(seed, copies, int(n)) for n in sizes] for seed in WORLDS])
         for name, copies in (("features independent", 0), ("one feature copied three times", 3))}

# %%
show(curves(sizes, {name: r.mean(axis=0) for name, r in leads.items()}, baseline=(0, "level"), log_x=True,
            bands={name: (r.min(axis=0), r.max(axis=0)) for name, r in leads.items()},
            title="Copies turn the HMM's lead into a deficit", xlabel="training sentences (bands: all eight worlds)",
            ylabel="accuracy, HMM minus CRF"),
     alt="The HMM's lead at 10 and at 300 sentences, mean of eight worlds: " +
         "; ".join(f"{name}, {r[:, 0].mean():.3f} and {r[:, -1].mean():.3f}" for name, r in leads.items()))

# %%
free, copied = leads["features independent"], leads["one feature copied three times"]
def leader(lead):
    """Who is ahead, from the HMM's lead with the fewest and with the most sentences."""
    few, many = lead.values()
    return ("the HMM, always" if min(few, many) > 0 else "the CRF, always" if max(few, many) < 0 else
            "the HMM with few, the CRF with many" if few > 0 else "the CRF with few, the HMM with many")

reveal("02b.lead", {"10 sentences": copied[:, 0].mean(), "300": copied[:, -1].mean()}, leader)
with claim_table():
    claim("Independent features, ten sentences: the HMM's lead", free[:, 0], above=0.04)
    claim("Independent features, 300 sentences: the HMM's lead", free[:, -1], near=0, within=0.008)
    claim("Copies: the HMM's lead with ten sentences, less that with 300", copied[:, 0] - copied[:, -1], above=0.025)
    claim("Copies, ten sentences: the HMM's lead", copied[:, 0], above=0)
    claim("Copies, 300 sentences: the HMM's lead", copied[:, -1], below=-0.015)

# %% [markdown]
# **Sweep the loser's setting** before you name a loser. The HMM's is its **pseudo-count** $\alpha$, the number of
# imaginary examples of each kind; just now it was 1. The CRF's is its penalty. Whoever is behind now gets, per training
# set, the setting that tests best. (That is generous: it looks at the test sentences.)

# %%
ALPHAS, PENALTIES = (0.1, 1.0, 10.0, 100.0), (0.1, 1.0, 10.0)
swept = {"300, copies": np.array([lead(seed, 3, 300, alphas=ALPHAS) for seed in WORLDS]),
         "10, copies": np.array([lead(seed, 3, 10, penalties=PENALTIES) for seed in WORLDS]),
         "10, free": np.array([lead(seed, 0, 10, penalties=PENALTIES) for seed in WORLDS])}
with claim_table():
    claim("Copies, 300 sentences, the HMM's best pseudo-count of four: its lead", swept["300, copies"], below=-0.01)
    claim("Copies, ten sentences, the CRF's best penalty of three: the HMM's lead", swept["10, copies"],
          below=0.005)
    claim("Independent features, ten sentences, the CRF's best penalty of three: the HMM's lead", swept["10, free"],
          above=0.005)

# %% [markdown]
# As in notebook 01: a right assumption helps most when data are few; a wrong one costs, however many there are, and no
# pseudo-count tried mends it. And a penalty, or **regularization**, is an assumption, too: with a better one the HMM's
# lead on
# independent features shrinks but stays; with copies it is gone.

# %% [markdown]
# ### Calibration: the same evidence, four times
# What do copies do to the HMM? It counts one bit of evidence four times, as if four witnesses had agreed. A model is
# **calibrated** if, of the answers to which it gives probability $p$, a share $p$ is right. Compare how *sure* each
# model is, on average, with how often it is right.

# %%
def confidence_and_accuracy(model, x, y):
    """Mean probability of the chosen tag, and share of right ones."""
    sure, chosen = model.log_posterior(x).exp().max(dim=-1)
    return np.array([sure.mean().item(), (chosen == y).double().mean().item()])

results = {"HMM": [], "CRF": [], "HMM without the copies": []}
for seed in WORLDS:
    world, rng = TaggingWorld(seed, copies=3), seeded(100 + seed)
    (x, y), (x_test, y_test) = world.sample(300, 10, rng), world.sample(2_000, 10, rng)
    distinct, distinct_test = world.distinct(x), world.distinct(x_test)
    results["HMM"].append(confidence_and_accuracy(BernoulliHMM.fit(x, y, K=3), x_test, y_test))
    results["CRF"].append(confidence_and_accuracy(CRF.fit(x, y, K=3, l2=0.1), x_test, y_test))
    results["HMM without the copies"].append(
        confidence_and_accuracy(BernoulliHMM.fit(distinct, y, K=3), distinct_test, y_test))

# %%
sure, accuracy = (dict(zip(results, np.mean(list(results.values()), axis=1)[:, i], strict=True)) for i in (0, 1))
show(bars(list(results), {"how sure": list(sure.values()), "how often right": list(accuracy.values())},
          title="Copies make the HMM surer than it is right", xlabel="",
          ylabel="probability / share right\n(mean of eight worlds)"),
     alt="Three pairs of bars, how sure a model is and how often right: " +
         "; ".join(f"{name}, {sure[name]:.2f} and {accuracy[name]:.2f}" for name in results))

# %%
surplus, right = ({name: np.array(each) @ weights for name, each in results.items()} for weights in ([1, -1], [0, 1]))
with claim_table():
    claim("HMM: confidence minus accuracy", surplus["HMM"], above=0.02)
    claim("CRF: confidence minus accuracy", surplus["CRF"], near=0, within=0.02)
    claim("HMM without the copies: confidence minus accuracy", surplus["HMM without the copies"], near=0, within=0.01)
    claim("Accuracy that leaving out the copies wins", right["HMM without the copies"] - right["HMM"], above=0.02)
    claim("Accuracy of the HMM without the copies, minus the CRF's", right["HMM without the copies"] - right["CRF"],
          near=0,
          within=0.008)

# %% [markdown]
# The CRF spreads one weight over the four bits. The HMM does not: each $\theta_{kj}$ is counted on its own. **Repair:**
# somebody who knows the data leaves the copies out.

# %% [markdown]
# ## Your turn
# **1.** One step of forward, in log space. Texts may be long: expect logs like $-2000$.

# %% tags=["exercise"]
def forward_step(log_alpha, log_A, log_b):
    """log α_t, shape (K,), from log α_{t−1}, shape (K,), log A, shape (K, K), and log p(x_t | y_t = k), shape (K,)."""
    ### BEGIN SOLUTION
    return (log_alpha[:, None] + log_A).logsumexp(dim=0) + log_b
    ### END SOLUTION

# %%
check("02b.forward_step", forward_step)

# %% [markdown]
# **2.** Somebody has run Viterbi and kept its memories. Follow them back to the best path. Places count from 0, and row
# `t` of `came_from` belongs to the step from place `t` to place `t + 1`.

# %% tags=["exercise"]
def trace_back(log_delta, came_from):
    """The best path, int64, shape (T,). log_delta, shape (K,): score of the best path that ends in each tag.
    came_from[t, j], shape (T−1, K): the tag at place t on the best path that has tag j at place t + 1."""
    ### BEGIN SOLUTION
    path = [log_delta.argmax()]
    for i in came_from.flip(0):
        path.insert(0, i[path[0]])
    return torch.stack(path)
    ### END SOLUTION

# %%
check("02b.trace_back", trace_back)

# %% [markdown]
# **3.** The logarithm of the CRF's partition function.

# %% tags=["exercise"]
def log_partition(u, U, scores):
    """log Z, 0-d, of scores u (K,) of the first tag, U (K, K) of pairs, and scores (T, K) of each word's tags."""
    ### BEGIN SOLUTION
    log_alpha = u + scores[0]
    for score in scores[1:]:
        log_alpha = (log_alpha[:, None] + U).logsumexp(dim=0) + score
    return log_alpha.logsumexp(dim=0)
    ### END SOLUTION

# %%
check("02b.log_partition", log_partition)

# %% [markdown]
# **4.** The gradient of $\log p(y \mid x)$ by $U$, for one sentence.

# %% tags=["exercise"]
def gradient_U(y, log_pair):
    """Shape (K, K), from tags y, int64 (T,), and log p(y_t = i, y_{t+1} = j | x), shape (T−1, K, K)."""
    ### BEGIN SOLUTION
    observed = torch.zeros_like(log_pair[0])
    for i, j in itertools.pairwise(y):
        observed[i, j] += 1
    return observed - log_pair.exp().sum(dim=0)
    ### END SOLUTION

# %%
check("02b.gradient_U", gradient_U)

# %% [markdown]
# Stuck, or done? Unfold how the library does it, for many sentences at once.

# %%
show_source(hmm.forward)

# %%
show_source(CRF.log_prob_and_gradient)

# %% [markdown] words="never: each step of Baum–Welch was measured above"
# ## What to keep
# - An HMM is a mixture whose component depends on the last one: transitions between states, emissions from them. Sums
#   over exponentially many paths become one sweep.
# - Filtering knows the past, smoothing past and future. Viterbi and posterior decoding answer different questions.
# - Baum–Welch is EM with forward–backward as its E-step. The likelihood never falls; the states have no names.
# - Naive Bayes is to logistic regression what the HMM is to the CRF. Copied evidence makes the first of each pair
#   overconfident.
#
# **Read on:**
#
# - L. R. Rabiner, [*A Tutorial on Hidden Markov Models and Selected Applications in Speech
#   Recognition*](https://doi.org/10.1109/5.18626), Proceedings of the IEEE 77 (1989).
# - L. E. Baum et al., [*A Maximization Technique Occurring in the Statistical Analysis of Probabilistic Functions of
#   Markov Chains*](https://doi.org/10.1214/aoms/1177697196), Annals of Mathematical Statistics 41 (1970).
# - J. Lafferty, A. McCallum, F. Pereira, [*Conditional Random Fields: Probabilistic Models for Segmenting and Labeling
#   Sequence Data*](https://repository.upenn.edu/cis_papers/159/), ICML (2001).
# - C. Sutton, A. McCallum, [*An Introduction to Conditional Random Fields*](https://doi.org/10.1561/2200000013),
#   Foundations and Trends in Machine Learning 4 (2012).
#
# **Next:** Here the latent variable was one of four tags, and EM could list them. In notebook 03 it is a number, the sum
# is an integral, and EM becomes the climb of a bound.
