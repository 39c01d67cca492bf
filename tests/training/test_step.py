"""The training step against the same step written out, on experiments that are small enough to be read."""

import ast
import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import course_lib
from course_lib.models.layers import init_layer, mlp
from course_lib.training import Hyperparameters, hyperparameter, load, save
from course_lib.training.batches import EpochSampler
from course_lib.training.optim import BETAS, adam, weight_average
from course_lib.training.precision import arithmetic
from course_lib.training.step import (
    AdversarialExperiment,
    LossExperiment,
    compute_gradients,
    follow_gradients,
    minimize,
)

PACKAGE = Path(course_lib.__file__).parent
N = 4  # examples in a batch


def flat(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()])


def rate(base, step, total):
    """The schedule written out: flat, then down to 0 over the second half."""
    return base if not total else base * max(0.0, min(1.0, 2 - 2 * step / total))


def rates(experiment):
    return {name: part.param_groups[0]["lr"] for name, part in experiment.components().items()
            if isinstance(part, torch.optim.Optimizer)}


# One network and its loss.


@dataclass(frozen=True)
class LineHyperparameters(Hyperparameters):
    learning_rate: float = hyperparameter(0.1, low=1e-5, high=1.0, log=True, label="rate", help="Step size of Adam.")
    total_steps: int = hyperparameter(0, low=0, high=100, label="length", help="Of the training.")
    precision: str = arithmetic()
    longest: float = hyperparameter(0.0, low=0.0, high=9.0, label="longest gradient", help="0 for no limit.")


class Line(LossExperiment):
    """A plane through ten points in epochs of two batches."""

    Hyperparameters = LineHyperparameters

    def build(self, generator):
        self.generator = generator
        self.model = init_layer(nn.Linear, 2, 1, generator=generator)
        self.optimizer = adam(self.model)
        self.x, self.y = torch.randn(10, 2, generator=generator), torch.randn(10, 1, generator=generator)
        self.batches = EpochSampler(10, generator)

    def next_batch(self):
        picked = self.batches.next(N)
        return self.x[picked] + 0.1 * torch.randn(N, 2, generator=self.generator), self.y[picked]

    def loss(self, batch):
        x, y = batch
        made = self.model(x)
        self.computed_in = made.dtype
        error = (made.float() - y).square().mean()
        return error, {"error": error, "size": made.float().abs().mean()}

    def after_step(self):
        return {"weight": self.model.weight.norm()}

    @property
    def longest_gradient(self):
        return self.hyperparameters.longest or None

    def snapshot(self):
        return {}


def line(seed=0, **changes):
    return Line(LineHyperparameters(**changes), seed)


def test_a_step_down_a_loss_equals_the_step_written_out():
    e = line(total_steps=6)
    model, batches, generator = copy.deepcopy(e.model), copy.deepcopy(e.batches), torch.Generator()
    generator.set_state(e.generator.get_state())
    batches.generator = generator
    optimizer = torch.optim.Adam(model.parameters(), fused=False)
    for step in range(6):
        metrics = e.step()
        picked = batches.next(N)
        x, y = e.x[picked] + 0.1 * torch.randn(N, 2, generator=generator), e.y[picked]
        error = (model(x) - y).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.param_groups[0]["lr"] = rate(0.1, step, 6)
        optimizer.step()
        torch.testing.assert_close(flat(e.model), flat(model))
        assert list(metrics) == ["error", "size", "weight"]
        assert metrics["error"].item() == pytest.approx(error.item(), rel=1e-5)
        assert metrics["weight"].item() == pytest.approx(model.weight.norm().item()), "measured before it moved"
        assert not any(m.requires_grad for m in metrics.values())
    assert torch.equal(generator.get_state(), e.generator.get_state())


def test_the_learning_rate_is_the_live_value_times_the_schedule():
    e, seen = line(total_steps=8), []
    for step in range(8):
        if step == 6:
            e.set(learning_rate=0.2)
        e.step()
        seen.append(rates(e)["optimizer"])
    assert seen == pytest.approx([0.1] * 5 + [0.075, 0.1, 0.05])
    e.set(total_steps=0)
    e.step()
    assert rates(e)["optimizer"] == 0.2


def test_a_long_gradient_is_cut_and_its_length_told():
    free, cut = line(), line(longest=1e-2)
    free.step()
    metrics = cut.step()
    norm = torch.cat([p.grad.ravel() for p in free.model.parameters()]).norm()
    assert list(metrics) == ["error", "size", "gradient_norm", "weight"]
    assert metrics["gradient_norm"].item() == pytest.approx(norm.item(), rel=1e-5) and norm > 1e-2
    for whole, short in zip(free.model.parameters(), cut.model.parameters(), strict=True):
        torch.testing.assert_close(short.grad, whole.grad * 1e-2 / norm, rtol=1e-3, atol=0)


def test_only_the_loss_is_computed_in_16_bits():
    exact, rough = line(), line(precision="bfloat16")
    a, b = exact.step(), rough.step()
    assert (exact.computed_in, rough.computed_in) == (torch.float32, torch.bfloat16)
    assert a["error"].item() == pytest.approx(b["error"].item(), rel=2e-2) and a["error"] != b["error"]
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in rough.model.parameters())


def test_the_parts_of_a_run_are_named_as_in_saved_files():
    assert list(line().components()) == ["model", "optimizer", "batches", "rng"]
    e = line()
    e.batches = None
    assert list(e.components()) == ["model", "optimizer", "rng"]


def test_minimize_is_adamw_with_the_schedule():
    ours, plain = (init_layer(nn.Linear, 2, 1, generator=torch.Generator().manual_seed(0)) for _ in range(2))
    drawn = [torch.randn(5, 2, generator=torch.Generator().manual_seed(step)) for step in range(8)]
    batches = iter(drawn)
    minimize(ours, lambda: ours(next(batches)).square().mean(), 8, 0.1, weight_decay=0.3)
    optimizer = torch.optim.AdamW(plain.parameters(), weight_decay=0.3)
    for step, x in enumerate(drawn):
        optimizer.zero_grad()
        plain(x).square().mean().backward()
        optimizer.param_groups[0]["lr"] = rate(0.1, step, 8)
        optimizer.step()
    torch.testing.assert_close(flat(ours), flat(plain))


# Two players.


@dataclass(frozen=True)
class GameHyperparameters(Hyperparameters):
    learning_rate_d: float = hyperparameter(0.05, low=1e-5, high=1.0, log=True, label="rate of D",
                                            help="Step size of D's Adam.")
    learning_rate_g: float = hyperparameter(0.02, low=1e-5, high=1.0, log=True, label="rate of G",
                                            help="Step size of G's Adam.")
    d_steps: int = hyperparameter(1, low=0, high=5, label="turns of D", help="In a step.")
    total_steps: int = hyperparameter(0, low=0, high=100, label="length", help="Of the training.")


class Game(AdversarialExperiment):
    """G makes pairs of numbers of single ones; where it sees real ones, it is also to come near to them."""

    Hyperparameters = GameHyperparameters

    def build(self, generator):
        self.generator = generator
        self.G, self.D = mlp([1, 3, 2], generator, nn.Tanh), mlp([2, 3, 1], generator, nn.Tanh)
        self.optimizer_g, self.optimizer_d = adam(self.G, betas=BETAS), adam(self.D, betas=BETAS)
        self.average = weight_average(self.G, lambda n: n / (n + 1))

    def components(self):
        return {"model": self.average.module, "G": self.G, "D": self.D, "optimizer_g": self.optimizer_g,
                "optimizer_d": self.optimizer_d, "rng": self.generator}

    def real_batch(self):
        return 2 + torch.randn(N, 2, generator=self.generator)

    def noise_batch(self):
        return torch.randn(N, 1, generator=self.generator)

    def fake_batch(self, noise, real=None):
        return self.G(noise)

    def d_loss(self, real, fake):
        assert not real.requires_grad and not fake.requires_grad
        on_real, on_fake = self.D(real), self.D(fake)
        return (softplus(-on_real) + softplus(on_fake)).mean(), {"gap": on_real.mean() - on_fake.mean()}

    def g_loss(self, real, fake):
        far = (fake - real).square().mean() if self.g_sees_real else torch.zeros(())
        return softplus(-self.D(fake)).mean() + far, {"far": far}

    def snapshot(self):
        return {}


class LazyPenalty(Game):
    """D's weights cost something at each third step, in its first turn, and then three times as much."""

    def d_penalty(self, real, fake):
        return 3 * 0.5 * self.D[0].weight.square().sum() if self.turn["number"] == 0 and self.steps % 3 == 0 else None


VARIANTS = {
    "new fakes for G": Game,
    "D's last fakes for G": type("Reusing", (Game,), {"reuses_fakes": True}),
    "real before noise": type("RealFirst", (Game,), {"noise_first": False}),
    "G sees new real ones": type("Seeing", (Game,), {"g_sees_real": True}),
    "G sees D's real ones": type("SeeingAgain", (Game,), {"g_sees_real": True, "reuses_fakes": True}),
    "a lazy penalty": LazyPenalty,
}


def game(kind=Game, seed=0, **changes):
    return kind(GameHyperparameters(**changes), seed)


def written_out(e, steps):
    """Algorithm 1 as it is usually written: no phases, each fake made where it is needed, optimisers not fused.

    Returns the two networks, the mean of G's weights so far, the losses of the last step, and the generator.
    """
    h, kind = e.hyperparameters, type(e)
    G, D, generator = copy.deepcopy(e.G), copy.deepcopy(e.D), torch.Generator()
    generator.set_state(e.generator.get_state())
    optimizer_g, optimizer_d = (torch.optim.Adam(network.parameters(), betas=(0.5, 0.999)) for network in (G, D))
    weights, losses = [flat(G)], {}

    def draw(for_g):
        z = real = None
        for what in ("noise", "real") if kind.noise_first else ("real", "noise"):
            if what == "noise":
                z = torch.randn(N, 1, generator=generator)
            elif not for_g or kind.g_sees_real:
                real = 2 + torch.randn(N, 2, generator=generator)
        return z, real

    for step in range(steps):
        optimizer_d.param_groups[0]["lr"] = rate(h.learning_rate_d, step, h.total_steps)
        optimizer_g.param_groups[0]["lr"] = rate(h.learning_rate_g, step, h.total_steps)
        for turn in range(h.d_steps):
            z, real = draw(for_g=False)
            loss_d = (softplus(-D(real)) + softplus(D(G(z).detach()))).mean()
            losses["loss_d"] = loss_d.item()
            if kind is LazyPenalty and turn == 0 and step % 3 == 0:
                loss_d = loss_d + 1.5 * D[0].weight.square().sum()
            optimizer_d.zero_grad()
            loss_d.backward()
            optimizer_d.step()
        if not (kind.reuses_fakes and h.d_steps):
            z, real = draw(for_g=True)
        fake = G(z)
        loss_g = softplus(-D(fake)).mean()
        if kind.g_sees_real:
            loss_g = loss_g + (fake - real).square().mean()
        losses["loss_g"] = loss_g.item()
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        weights.append(flat(G))
    return G, D, torch.stack(weights).mean(0), losses, generator


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_step_of_two_players_equals_the_step_written_out(variant, turns):
    e = game(VARIANTS[variant], d_steps=turns, total_steps=7)
    G, D, mean, losses, generator = written_out(e, 7)
    for _ in range(7):
        metrics = e.step()
    torch.testing.assert_close(flat(e.G), flat(G), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flat(e.D), flat(D), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flat(e.average), mean, atol=1e-5, rtol=1e-5)
    assert torch.equal(e.generator.get_state(), generator.get_state()), "draws in another order, or more or fewer"
    assert list(metrics) == (["loss_d", "loss_g", "gap", "far"] if turns else ["loss_g", "far"])
    assert {name: metrics[name].item() for name in losses} == pytest.approx(losses, rel=1e-4)
    assert not any(m.requires_grad for m in metrics.values()) and e.turn == {}


def test_without_a_turn_d_stands_still_and_has_no_metric_of_before():
    e = game()
    e.step()
    e.set(d_steps=0)
    before = flat(e.D)
    assert list(e.step()) == ["loss_g", "far"] and torch.equal(flat(e.D), before)


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_g_meets_the_fakes_of_ds_last_turn_if_the_class_says_so(turns):
    for kind in (VARIANTS["new fakes for G"], VARIANTS["D's last fakes for G"]):
        e = game(kind, d_steps=turns)
        names = [(p.player, p.turn, p.of, p.name) for p in e.phases()]
        of_d = [("D", k, turns, name) for k in range(turns) for name in kind.PHASES]
        reused = kind.reuses_fakes and turns > 0
        assert names == of_d + [("G", 0, 1, name) for name in kind.PHASES[2 if reused else 0:]]
        made = []
        e.G.register_forward_hook(lambda *_, made=made: made.append(torch.is_grad_enabled()))
        e.step()
        assert made == ([False] * (turns - 1) + [True] if reused else [False] * turns + [True])


@pytest.mark.parametrize("kind", [Game, VARIANTS["D's last fakes for G"]], ids=["new fakes", "reused fakes"])
def test_the_turn_of_one_player_leaves_no_gradient_in_the_other(kind):
    e, seen = game(kind, d_steps=2), {}

    def keep(player):
        return lambda *_: seen.update({player: [[None if p.grad is None else p.grad.clone() for p in n.parameters()]
                                                for n in (e.G, e.D)]})

    e.optimizer_d.register_step_pre_hook(keep("D"))
    e.optimizer_g.register_step_pre_hook(keep("G"))
    e.step()
    (g_in_d, d_in_d), (g_in_g, d_in_g) = seen["D"], seen["G"]
    assert all(gradient is None for gradient in g_in_d)
    assert all(torch.equal(now, before) for now, before in zip(d_in_g, d_in_d, strict=True))
    assert all(gradient is not None and gradient.any() for gradient in (*g_in_g, *d_in_d))
    assert all(p.requires_grad for p in e.D.parameters())


def test_both_learning_rates_are_live_values_times_the_schedule():
    e, seen = game(total_steps=8), []
    for step in range(8):
        if step == 6:
            e.set(learning_rate_d=0.2, learning_rate_g=0.4)
        e.step()
        seen.append((rates(e)["optimizer_d"], rates(e)["optimizer_g"]))
    by_hand = [(0.05, 0.02)] * 5 + [(0.75 * 0.05, 0.75 * 0.02), (0.1, 0.2), (0.05, 0.1)]
    assert seen == [pytest.approx(pair) for pair in by_hand]


def test_what_an_optimiser_has_beside_its_rate_may_change_too():
    kind = type("Slow", (Game,), {"optimizer_settings": lambda self: {"betas": (0.1 * self.steps, 0.9)}})
    e = game(kind)
    e.step(), e.step()
    assert e.optimizer_d.param_groups[0]["betas"] == e.optimizer_g.param_groups[0]["betas"] == (0.1, 0.9)


def test_a_loss_of_each_seed_gives_each_seed_its_own_gradient():
    scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    optimizer = torch.optim.SGD([scale])
    x = torch.randn(3, N, generator=torch.Generator().manual_seed(0))
    compute_gradients(optimizer, (scale[:, None] * x).square().mean(1))
    for seed in range(3):
        alone = torch.autograd.grad((scale[seed] * x[seed]).square().mean(), scale)[0]
        torch.testing.assert_close(scale.grad[seed], alone[seed])
    compute_gradients(optimizer, (scale[:, None] * x).square().mean(1))
    torch.testing.assert_close(scale.grad, 2 * scale.detach() * x.square().mean(1))  # emptied, and not added to


def test_a_loss_is_differentiated_by_what_is_named_alone():
    a, b = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
    compute_gradients(torch.optim.SGD([a, b]), 2 * a + 3 * b, inputs=[a])
    assert a.grad == 2 and b.grad is None
    follow_gradients(torch.optim.SGD([a], momentum=0.5), 0.25, momentum=0.0)
    assert a == 0.5


# The average of weights.


def averaged_network(keep):
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(init_layer(nn.Linear, 2, 3, generator=generator), nn.BatchNorm1d(3))
    return network, weight_average(network, keep), generator


def test_the_average_is_that_of_the_formula():
    network, average, generator = averaged_network(lambda n: n / (9 + n))
    start = copy.deepcopy(network.state_dict())
    by_hand = {name: value.clone() for name, value in start.items()}
    for n in range(1, 6):
        with torch.no_grad():
            for p in network.parameters():
                p.add_(torch.randn(p.shape, generator=generator))
        network(torch.randn(7, 2, generator=generator))
        average.update_parameters(network)
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                by_hand[name] = n / (9 + n) * by_hand[name] + 9 / (9 + n) * value
        assert average.n_averaged == n + 1
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(value, by_hand[name])
    assert average.module[1].running_mean.any() and average.module[1].num_batches_tracked == 0


def test_the_average_begins_at_the_network_and_is_ready_for_use():
    network, average, _ = averaged_network(lambda n: 0.9)
    assert all(torch.equal(a, b) for a, b in zip(average.module.state_dict().values(), network.state_dict().values(),
                                                 strict=True))
    assert not average.module.training and network.training
    assert not any(p.requires_grad for p in average.parameters()) and all(p.requires_grad for p in network.parameters())


def test_the_average_of_a_resumed_run_goes_on_where_it_was(tmp_path):
    whole, part, resumed = game(), game(), game(seed=9, d_steps=2)
    for e, steps in ((whole, 5), (part, 3), (resumed, 4)):
        for _ in range(steps):
            e.step()
    save(part, tmp_path / "game.pt")
    load(resumed, tmp_path / "game.pt")
    assert resumed.average.n_averaged == part.average.n_averaged == 4
    resumed.step(), resumed.step()
    assert torch.equal(flat(resumed.average), flat(whole.average)) and resumed.digest() == whole.digest()


# And nowhere else.

ELSEWHERE = {  # who else computes gradients to follow them, and why
    "training/precision.py": "times a backward pass, and follows nothing",
    "models/logistic.py": "L-BFGS to the exact optimum of a convex loss: the optimiser asks for the loss as it likes",
    "models/crf.py": "L-BFGS, as logistic.py",
    "models/geodesics.py": "Adam on the bends of curves: there is no network to train, and models know no training",
    "chapters/nb05/exercises.py": "an exercise is to write a loss, and the check differentiates it",
    "chapters/nb06b/exercises.py": "an exercise is to repair this very step",
    "chapters/nb09b/exercises.py": "an exercise is to write a step of a critic by hand",
}


def steps_taken(path):
    """The calls in a file that a training step is made of."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [f.attr for f in calls if isinstance(f, ast.Attribute)
            and (f.attr in ("backward", "zero_grad") or (f.attr == "step" and "optim" in ast.unparse(f.value).lower()))]


def test_gradients_are_emptied_computed_and_followed_in_one_file():
    found = {str(path.relative_to(PACKAGE).as_posix()) for path in PACKAGE.rglob("*.py") if steps_taken(path)}
    assert found == {"training/step.py", *ELSEWHERE}
    assert sorted(steps_taken(PACKAGE / "training/step.py")) == ["backward", "step", "zero_grad"]
