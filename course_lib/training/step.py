"""The training step: the one place where gradients are emptied, computed and followed.

A family brings its batch and its loss. What every family needs beside that is here: precision, device, the learning
rate of the moment, the order of the two players' turns, and the average of weights.

Reference: I. Goodfellow et al., Generative Adversarial Nets, NIPS 2014: Algorithm 1, the step of two players.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import Experiment
from course_lib.training.optim import linear_decay
from course_lib.training.parallel import average_gradients
from course_lib.training.phases import Phase, PhasedExperiment
from course_lib.training.precision import autocast

Batch = Tensor | tuple[Tensor, ...]  # one tensor, or those that belong together, such as images and their labels
Metrics = dict[str, Tensor]


def compute_gradients(optimizer: Optimizer, loss: Tensor, inputs: Sequence[Tensor] | None = None) -> None:
    """Empty the gradients of an optimiser's parameters, and differentiate the loss; where several processes share the
    step, each its own loss, the gradients are the means of theirs.

    Args:
        loss: 0-d; or `[seeds]`, of networks that are stacked: no seed's loss depends on another's parameters, so that
            each gets its own gradient from their sum.
        inputs: differentiate by these alone; None for all that the loss depends on.
    """
    optimizer.zero_grad()
    (loss if loss.ndim == 0 else loss.sum()).backward(inputs=inputs)
    average_gradients(optimizer)


def follow_gradients(optimizer: Optimizer, learning_rate: float, **settings: Any) -> None:
    """One step of an optimiser with this learning rate, and with other settings of the moment, such as betas."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
        group.update(settings)
    optimizer.step()


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """All that an optimiser moves, parameters of any shape."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def minimize(network: nn.Module, loss: Callable[[], Tensor], steps: int, learning_rate: float,
             weight_decay: float = 0.0) -> None:
    """So many steps of AdamW down a 0-d loss that is drawn anew each time; its rate falls over the second half."""
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=weight_decay, fused=True)
    for step in range(steps):
        compute_gradients(optimizer, loss())
        follow_gradients(optimizer, linear_decay(learning_rate, step, steps))


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on the device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    return tuple(part.to(device) for part in batch)


def detached(batch: Batch) -> Batch:
    """The batch without the graph that made it."""
    if isinstance(batch, Tensor):
        return batch.detach()
    return tuple(part.detach() for part in batch)


def _detached(metrics: Metrics) -> Metrics:
    return {name: value.detach() for name, value in metrics.items()}


class LossExperiment(Experiment):
    """One network goes down one loss.

    Subclasses make `model`, `optimizer` and `generator` in `build`, and `batches` if they go through a fixed data set
    in epochs.

    Attributes:
        model: the network.
        optimizer: of its parameters.
        batches: which examples come next; None where every batch is drawn anew.
        generator: of all random numbers.
        longest_gradient: a longer gradient is cut to this length, and its length is a metric; None for no limit.
        warmup: steps over which the learning rate rises from 0.
    """

    shareable = True
    warmup: ClassVar[int] = 0

    model: nn.Module
    optimizer: Optimizer
    generator: torch.Generator
    batches: EpochSampler | None = None

    @abstractmethod
    def next_batch(self) -> Batch:
        """The next batch, on the CPU: all that is random in it comes from `generator`."""

    @abstractmethod
    def loss(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """The loss, 0-d, of a batch that is on the device; and metrics, in the order in which they are told."""

    def after_step(self) -> Metrics:
        """What is done, and measured, once the parameters have moved."""
        return {}

    @property
    def learning_rate(self) -> float:
        """That of the step to come: the live value times the schedule."""
        h = self.hyperparameters
        return linear_decay(h.learning_rate, self.steps, getattr(h, "total_steps", 0), self.warmup)

    @property
    def longest_gradient(self) -> float | None:
        return None

    def components(self) -> dict[str, nn.Module | Optimizer | torch.Generator]:
        batches = {} if self.batches is None else {"batches": self.batches}
        return {"model": self.model, "optimizer": self.optimizer, **batches, "rng": self.generator}

    def training_step(self) -> Metrics:
        """Draw a batch, differentiate its loss, follow the gradient."""
        batch = to_device(self.next_batch(), self.device)
        with autocast(getattr(self.hyperparameters, "precision", "float32"), self.device.type):
            loss, metrics = self.loss(batch)
        compute_gradients(self.optimizer, loss)
        if self.longest_gradient is not None:
            parameters = parameters_of(self.optimizer)
            metrics["gradient_norm"] = nn.utils.clip_grad_norm_(parameters, self.longest_gradient)
        follow_gradients(self.optimizer, self.learning_rate)
        return _detached(metrics | self.after_step())


class AveragedExperiment(LossExperiment):
    """A `LossExperiment` in which one network learns, and the moving average of its weights draws and is measured.

    Subclasses make `network` and `average` in `build`, and name `network` among the components.

    Attributes:
        network: the one that learns.
        average: of its weights, from `weight_average`.
        model: the network that has these.
    """

    network: nn.Module
    average: AveragedModel

    @property
    def model(self) -> nn.Module:
        return self.average.module

    def after_step(self) -> Metrics:
        self.average.update_parameters(self.network)
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.average.n_averaged.fill_(self.steps + 1)


class AdversarialExperiment(PhasedExperiment):
    """Two networks play: in a step D learns K times to tell real from fake, then G once to make D err (Goodfellow et
    al. 2014, Algorithm 1).

    Subclasses make `G`, `D`, their optimisers and `generator` in `build`, `average` if they want one, and bring two
    batches and two losses. A turn has these phases: draw the noise (and, for D, the real batch), make the fakes,
    compute the loss, its gradient, and update. What they hand on lies in `turn`.

    Attributes:
        G, D: the players.
        optimizer_g, optimizer_d: of their parameters.
        average: the moving average of G's weights, or None.
        generator: of all random numbers.
        turn: of the turn under way: its number, noise, real, fake, loss; empty between two steps.
        reuses_fakes: whether G meets D with the fakes of D's last turn, so that they need not be made again.
        noise_first: whether noise is drawn before the real batch.
        g_sees_real: whether G's loss looks at the real batch.
    """

    shareable = True
    reuses_fakes: ClassVar[bool] = False
    noise_first: ClassVar[bool] = True
    g_sees_real: ClassVar[bool] = False
    PHASES: ClassVar[tuple[str, ...]] = ("noise", "fakes", "loss", "gradient", "update")

    G: nn.Module
    D: nn.Module
    optimizer_g: Optimizer
    optimizer_d: Optimizer
    generator: torch.Generator
    average: AveragedModel | None = None

    # The game.

    @abstractmethod
    def real_batch(self) -> Batch:
        """The next real batch, as D is called with it."""

    @abstractmethod
    def noise_batch(self) -> Batch:
        """What G makes the next fakes from."""

    @abstractmethod
    def fake_batch(self, noise: Batch, real: Batch | None = None) -> Batch:
        """The fakes that G makes of `noise`, as D is called with them. `real` is the real batch of this turn, for games
        in which the two belong together; None where no real batch was drawn."""

    @abstractmethod
    def d_loss(self, real: Batch, fake: Batch) -> tuple[Tensor, Metrics]:
        """D's loss, 0-d or `[seeds]`, on batches that are detached from G; and metrics."""

    @abstractmethod
    def g_loss(self, real: Batch | None, fake: Batch) -> tuple[Tensor, Metrics]:
        """G's loss, 0-d or `[seeds]`, on fakes that carry G's graph; and metrics. `real` as in `fake_batch`."""

    def d_penalty(self, real: Batch, fake: Batch) -> Tensor | None:
        """What D's loss has beside `d_loss`, float32 and 0-d; None for nothing."""
        return None

    def inputs_of_g_loss(self) -> list[Tensor]:
        """What G's loss is differentiated by, tensors of any shape: the gradient goes through D, and stays in G's
        parameters."""
        return parameters_of(self.optimizer_g)

    def after_d_update(self) -> None:
        """What is done to D once it has moved."""

    def d_turns(self) -> int:
        """How often D learns in a step, K; with 0 there is no D."""
        return getattr(self.hyperparameters, "d_steps", 1)

    def learning_rates(self) -> dict[str, float]:
        """Of both players in the step to come: the live values times the schedule."""
        h = self.hyperparameters
        return {player: linear_decay(rate, self.steps, getattr(h, "total_steps", 0))
                for player, rate in (("D", h.learning_rate_d), ("G", h.learning_rate_g))}

    def optimizer_settings(self) -> dict[str, Any]:
        """What may change of both optimisers beside the learning rate."""
        return {}

    # The step.

    def phases(self) -> list[Phase]:
        K = self.d_turns()
        if K not in self._phases:  # made once: small networks take thousands of steps a second
            turns = [("D", k, K) for k in range(K)] + [("G", 0, 1)]
            self._phases[K] = [Phase(player, turn, of, name, partial(getattr(self, f"_{name}"), player, turn))
                               for player, turn, of in turns for name in self.PHASES if not self._has(player, name)]
        return self._phases[K]

    def _has(self, player: str, name: str) -> bool:
        """Whether a turn of G begins with what D's last turn has left to it."""
        return player == "G" and name in ("noise", "fakes") and self.reuses_fakes and self.d_turns() > 0

    def _for_g(self, player: str, turn: int) -> torch.autograd.grad_mode.set_grad_enabled:
        """Within it, what is computed remembers how G made it only if G will learn from it."""
        return torch.set_grad_enabled(player == "G" or (self.reuses_fakes and turn == self.d_turns() - 1))

    def _autocast(self) -> Any:
        return autocast(getattr(self.hyperparameters, "precision", "float32"), self.device.type)

    def _noise(self, player: str, turn: int) -> None:
        self.turn = {"number": turn, "real": None}
        kinds = ("noise", "real") if self.noise_first else ("real", "noise")
        with self._for_g(player, turn), self._autocast():
            for kind in kinds if player == "D" or self.g_sees_real else ("noise",):
                batch = self.noise_batch() if kind == "noise" else self.real_batch()
                self.turn[kind] = to_device(batch, self.device)

    def _fakes(self, player: str, turn: int) -> None:
        with self._for_g(player, turn), self._autocast():
            self.turn["fake"] = self.fake_batch(self.turn["noise"], self.turn["real"])

    def _loss(self, player: str, turn: int) -> None:
        real, fake = self.turn["real"], self.turn["fake"]
        if player == "G":
            with self._autocast():
                self.turn["loss"], self.g_metrics = self.g_loss(real, fake)
            self.loss_g = self.turn["loss"].detach()
            return
        real, fake = detached(real), detached(fake)
        with self._autocast():
            loss, self.d_metrics = self.d_loss(real, fake)
        self.loss_d, penalty = loss.detach(), self.d_penalty(real, fake)
        self.turn["loss"] = loss if penalty is None else loss + penalty

    def _gradient(self, player: str, turn: int) -> None:
        if player == "D":
            compute_gradients(self.optimizer_d, self.turn["loss"])
        else:
            compute_gradients(self.optimizer_g, self.turn["loss"], inputs=self.inputs_of_g_loss())

    def _update(self, player: str, turn: int) -> None:
        optimizer = self.optimizer_d if player == "D" else self.optimizer_g
        follow_gradients(optimizer, self.learning_rates()[player], **self.optimizer_settings())
        if player == "D":
            self.after_d_update()
        elif self.average is not None:
            self.average.update_parameters(self.G)

    def training_step(self) -> Metrics:
        metrics = super().training_step()
        self.turn = {}
        return metrics

    def metrics(self) -> Metrics:
        """loss_d, loss_g, and what the two losses gave beside; of D only where it learns."""
        loss_d, beside = ({"loss_d": self.loss_d}, self.d_metrics) if self.d_turns() else ({}, {})
        return _detached({**loss_d, "loss_g": self.loss_g, **beside, **self.g_metrics})

    def reset(self, seed: int) -> None:
        self.turn: dict[str, Any] = {}
        self._phases: dict[int, list[Phase]] = {}
        super().reset(seed)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        if self.average is not None:
            self.average.n_averaged.fill_(self.steps + 1)
