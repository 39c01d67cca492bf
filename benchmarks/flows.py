"""How near do flows come to two moons in half a minute? KL(data ‖ flow) in nats, by sampling, over several seeds.

    python benchmarks/flows.py [--seeds 3] [--only WORD] [--share 1.0]

KL is the mean of log p(x) − log q(x) over 20,000 fresh points, with its standard error; p is exact by quadrature. The
settings were chosen on seed 0; the seeds here begin at 100. `--share` trains for that part of the steps. Time is the
CPU's, one thread.
"""

from __future__ import annotations

import argparse
import time

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.experiments.flow import FlowExperiment, FlowHyperparameters
from course_lib.training import run

ROWS = {  # steps, what must be reached, setting
    "affine": (4000, 0.05, FlowHyperparameters(kind="affine", learning_rate=5e-3)),
    "spline": (1800, 0.02, FlowHyperparameters(kind="spline", n_couplings=6, width=32, learning_rate=3e-3)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 100 on")
    parser.add_argument("--only", default="", choices=("", *ROWS), help="only these couplings")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps to train for")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, (full, wanted, setting) in ROWS.items():
        if arguments.only not in ("", name):
            continue
        steps = round(full * arguments.share)
        for seed in range(100, 100 + arguments.seeds):
            start = time.process_time()
            experiment = FlowExperiment(setting.replace(total_steps=steps), seed)
            for _ in run(experiment, steps, progress=False):
                pass
            seconds = time.process_time() - start
            kl, error = experiment.kl_by_sampling()
            print(f"{name:8} seed {seed}   KL {kl:.4f} ± {error:.4f}   wanted {wanted}   {steps} steps, "
                  f"{seconds:.0f} CPU s", flush=True)


if __name__ == "__main__":
    survive_any_encoding()
    main()
