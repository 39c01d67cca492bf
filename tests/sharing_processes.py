"""What each of several processes does in `tests/training/test_data_parallel.py`, and how they are started.

Run as a script it trains all families that can be shared, and prints what it found as a line of JSON.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters
from course_lib.seeds import seeded
from course_lib.training.batches import EpochSampler
from course_lib.training.experiment import Experiment
from course_lib.training.parallel import processes, rank, require_shareable, together
from course_lib.training.registry import experiment_class, families

ROOT = Path(__file__).resolve().parents[1]


def surroundings(number: int, of: int, port: int) -> dict[str, str]:
    """What a launcher tells process `number`, from 0 on; all of them meet on loopback."""
    told = {"RANK": number, "WORLD_SIZE": of, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1,
            "PYTHONPATH": ROOT}
    loopback = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    return {**os.environ, **{name: str(value) for name, value in told.items()}, **loopback}


def started(words: Sequence[str | Path], of: int = 2, **options: Any) -> list[subprocess.Popen]:
    """So many processes of `python WORDS`, which find each other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [subprocess.Popen([sys.executable, *words], env=surroundings(number, of, port), text=True, encoding="utf-8",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) for number in range(of)]


def of_ours(text: str) -> str:
    """What was printed, without what the gloo of some versions of PyTorch says of its connections."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("[Gloo]"))


def ended(running: Sequence[subprocess.Popen], seconds: float = 50) -> list[tuple[str, str]]:
    """What each printed, to stdout and stderr. Whoever is not done in time is killed, and the test fails."""
    try:
        said = [process.communicate(timeout=seconds) for process in running]
        return [(of_ours(out), of_ours(err)) for out, err in said]
    finally:
        for process in running:
            process.kill()
            process.wait()


def gathered(mine: Tensor) -> Tensor:
    """The tensors `[n, …]` of all processes, one after the other: `[W·n, …]`."""
    parts = [torch.empty_like(mine) for _ in range(processes())]
    distributed.all_gather(parts, mine.contiguous())
    return torch.cat(parts)


def gradient_error(dtype: torch.dtype) -> dict[str, float]:
    """How far the gradients that a VAE follows are from those of one process on the joined batch, with the same noise.

    error: the largest difference, as a part of the largest gradient; apart: how far a process's own gradient is from
    these; images, noise: the mean difference of two processes' batches, and of their noise.
    """
    h = VAEHyperparameters(width=16, latent_size=4, batch_size=8)
    shared, alone = VAEExperiment(h, 5), VAEExperiment(h, 5)
    shared.model.to(dtype), alone.model.to(dtype)
    seen: dict[str, Tensor] = {}
    next_batch = shared.next_batch

    def batch() -> Tensor:
        seen["x"] = next_batch().to(dtype)
        return seen["x"]

    def with_noise(mu: Tensor, log_var: Tensor, generator: torch.Generator) -> Tensor:
        seen["eps"] = torch.randn(mu.shape, generator=generator, dtype=dtype)
        return mu + (log_var / 2).exp() * seen["eps"]

    shared.next_batch, shared.model.reparameterize = batch, with_noise
    shared.step()
    x, eps = gathered(seen["x"]), gathered(seen["eps"])
    alone.model.reparameterize = lambda mu, log_var, generator: mu + (log_var / 2).exp() * eps[:len(mu)]
    joined, own = (torch.cat([gradient.flatten() for gradient in torch.autograd.grad(
        alone.loss(images)[0], alone.model.parameters())]) for images in (x, x[:len(x) // processes()]))
    followed = torch.cat([p.grad.flatten() for p in shared.model.parameters()])
    size, (first, second) = joined.abs().max(), (values.chunk(processes())[:2] for values in (x, eps))
    return {"error": ((followed - joined).abs().max() / size).item(),
            "apart": ((own - joined).abs().max() / size).item(),
            "images": (first[0] - first[1]).abs().mean().item(), "noise": (second[0] - second[1]).abs().mean().item()}


def trained(experiment: Experiment, steps: int) -> str:
    """The digest after so many steps."""
    for _ in range(steps):
        experiment.step()
    return experiment.digest()


@functools.cache
def quick() -> dict[str, dict[str, Any]]:
    """`SMALL` of test_contract.py, read without importing all that it needs."""
    body = ast.parse((ROOT / "tests/test_contract.py").read_text(encoding="utf-8")).body
    return next(ast.literal_eval(node.value) for node in body
                if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SMALL")


def small(name: str) -> Experiment:
    """A family's experiment, such that a step takes a few milliseconds."""
    kind = experiment_class(name)
    return kind(kind.Hyperparameters().replace(**quick().get(name, {})), 3)


def resumed(name: str) -> tuple[str, str]:
    """The digests of a run of four steps, and of one that was saved after two and goes on elsewhere."""
    whole = small(name)
    trained(whole, 2)
    state = copy.deepcopy(whole.state_dict())
    again = experiment_class(name)(seed=99)
    again.load_state_dict(state)
    return trained(whole, 2), trained(again, 2)


def picked() -> list[list[int]]:
    """Twenty examples in batches of four, over three steps: with two processes an epoch has two."""
    sampler = EpochSampler(20, seeded(0))
    sampler.generator = seeded(7 + rank())  # within a step each has its own
    return [sampler.next(4).tolist() for _ in range(3)]


def refused(act: Any) -> str:
    """What a ValueError says."""
    try:
        act()
    except ValueError as error:
        return str(error)
    return "nothing"


def main() -> None:
    torch.set_num_threads(1)
    with together():
        found = {"rank": rank(), "processes": processes(), "picked": picked(),
                 "float32": gradient_error(torch.float32), "float64": gradient_error(torch.float64)}
        names = [name for name in families() if experiment_class(name).shareable]
        found["digests"] = {name: trained(small(name), 2) for name in names}
        found["resumed"] = {name: resumed(name) for name in ("vae", "dcgan")}
        dcgan = small("dcgan")
        found["dcgan"] = trained(dcgan, 20)
        found["running mean"] = next(b for name, b in dcgan.G.named_buffers() if "running_mean" in name).tolist()
        found["alike"] = refused(functools.partial(require_shareable, dcgan))
        found["unlike"] = refused(functools.partial(require_shareable, VAEExperiment(seed=rank())))
        found["rbm"] = refused(functools.partial(require_shareable, experiment_class("rbm")()))
        found["too many"] = refused(functools.partial(EpochSampler(10, seeded()).next, 6))
    found["afterwards"] = processes()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
