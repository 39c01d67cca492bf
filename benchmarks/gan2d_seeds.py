"""How many of the ring's eight modes do the 2-D GANs cover? The committed seeds, scored at the last step.

    python benchmarks/gan2d_seeds.py [--seeds 8] [--steps 4000] [--only WORD]

A mode is covered if at least 1/24 of the samples lie within 3σ of it; a perfect sampler has .989 near a mode. The seeds
in evaluation_seeds_gan2d.txt were committed before anything was tuned; the settings were chosen on seeds 0 to 9. Each
seed is scored on 10,000 samples of G with its averaged weights, and of G as it is. Time is the CPU's, one thread.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from course_lib.experiments.gan2d import GAN2DHyperparameters, trained_with_decay
from course_lib.models.gan2d import VARIANTS

ROWS = {variant: GAN2DHyperparameters(variant=variant) for variant in VARIANTS}


def evaluation_seeds() -> list[int]:
    lines = (Path(__file__).parent / "evaluation_seeds_gan2d.txt").read_text().splitlines()
    return [int(line) for line in lines if not line.startswith("#")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many of the evaluation seeds")
    parser.add_argument("--steps", type=int, default=4000, help="updates of G")
    parser.add_argument("--only", default="", help="only this variant")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name, setting in ROWS.items():
        if arguments.only not in ("", name):
            continue
        found = {"averaged": [], "as it is": []}
        start = time.process_time()
        for seed in evaluation_seeds()[:arguments.seeds]:
            experiment = trained_with_decay(setting, seed, arguments.steps)
            for which, scores in found.items():
                scores.append(experiment.modes(experiment.samples(10_000, averaged=which == "averaged")))
        seconds = (time.process_time() - start) / arguments.seeds
        for which, scores in found.items():
            near, covered = np.array([s.near for s in scores]), np.array([s.covered for s in scores])
            every, good = covered == 8, (covered == 8) & (near >= 0.9)
            print(f"{name:<9}{which:<10}all 8 and 90% near {good.sum()}/{len(near)}   all 8 {every.sum()}/{len(near)}"
                  f"   covered {' '.join(map(str, covered))}   near {' '.join(f'{n:.2f}' for n in near)}"
                  f"   {seconds:.0f} CPU s a seed", flush=True)


if __name__ == "__main__":
    main()
