"""How often does the 1-D GAN recover N(4, 0.5²)? The committed evaluation seeds, scored at the last step.

    python benchmarks/gan1d_seeds.py [--seeds 48] [--only WORD] [--results FILE] [--scheduler ADDRESS]

'recovered': mean within .15, standard deviation within .1, W₁ below .15. The seeds in evaluation_seeds.txt were
committed before anything was tuned; the settings were chosen on seeds 0 to 63. Time is the CPU's, one thread.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch
from common.seeds import evaluation_seeds

from course_lib.comparisons.gan1d_seeds import score, train_many
from course_lib.comparisons.runs import add_options, map_runs
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DHyperparameters

AT_ONCE = 16  # seeds in one stack: more fall out of the processor's cache
RECOMMENDED = GAN1DHyperparameters()
EQUAL = RECOMMENDED.replace(learning_rate_d=1e-3)

ROWS = {(name, minibatch): (setting.replace(minibatch=minibatch, **changes), steps)
        for name, setting, steps, changes in [
            ("recommended", RECOMMENDED, 3000, {}),
            ("recommended, equal rates 1e-3", EQUAL, 3000, {}),
            ("recommended, D 5e-3", RECOMMENDED, 3000, {"learning_rate_d": 5e-3}),
            ("recommended, beta1 .9", RECOMMENDED, 3000, {"beta1": 0.9}),
            ("recommended, batch 8", RECOMMENDED, 3000, {"batch_size": 8}),
            ("textbook", TEXTBOOK, 5000, {}),
            ("textbook, normal noise", TEXTBOOK, 5000, {"noise": "normal"}),
            ("textbook, batch 32", TEXTBOOK, 5000, {"batch_size": 32}),
            ("recommended, batch 128", RECOMMENDED, 3000, {"batch_size": 128}),
        ] for minibatch in (False, True)}


def trained(name: str, minibatch: bool, seeds: list[int]) -> dict[str, Any]:
    """What some seeds of a row come to at the last step; `as_trained`: recovered, with noise as training draws it."""
    torch.set_num_threads(1)
    setting, steps = ROWS[name, minibatch]
    start = time.process_time()
    experiments = train_many(setting, seeds, steps)
    seconds = time.process_time() - start
    scores, as_trained = score(experiments), score(experiments, as_trained=True)
    return {"recovered": scores.recovered, "std": scores.std, "w1": scores.w1, "as_trained": as_trained.recovered,
            "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=48, help="how many of the evaluation seeds")
    parser.add_argument("--only", default="", help="only rows whose name holds this")
    add_options(parser)
    arguments = parser.parse_args()
    seeds = evaluation_seeds("evaluation_seeds.txt")[:arguments.seeds]
    rows = [row for row in ROWS if arguments.only in row[0]]
    parts = [seeds[i:i + AT_ONCE] for i in range(0, len(seeds), AT_ONCE)]
    runs = map_runs(trained, [{"name": name, "minibatch": minibatch, "seeds": part} for name, minibatch in rows
                              for part in parts], arguments.results, arguments.scheduler, arguments.workers)
    print(f"{'setting':<32}{'minibatch':<11}{'recovered':<11}{'std: median [10%, 90%]':<24}{'within .1':<11}"
          f"{'W1: median [90%]':<18}{'as trained':<12}{'CPU s/seed':<10}")
    for i, (name, minibatch) in enumerate(rows):
        mine = runs[i * len(parts):(i + 1) * len(parts)]
        recovered, std, w1, as_trained = (np.concatenate([run[key] for run in mine])
                                          for key in ("recovered", "std", "w1", "as_trained"))
        seconds = sum(run["seconds"] for run in mine) / len(seeds)
        low, middle, high = np.quantile(std, [0.1, 0.5, 0.9])
        print(f"{name:<32}{'yes' if minibatch else 'no':<11}{f'{int(recovered.sum())}/{len(seeds)}':<11}"
              f"{f'{middle:.2f} [{low:.2f}, {high:.2f}]':<24}{f'{(abs(std - 0.5) < 0.1).sum()}':<11}"
              f"{f'{np.median(w1):.3f} [{np.quantile(w1, 0.9):.2f}]':<18}"
              f"{f'{int(as_trained.sum())}/{len(seeds)}':<12}{seconds:<10.2f}")
    print("as trained: textbook noise drawn as the training draws it, in spikes, not over all of [-8, 8]")


if __name__ == "__main__":
    main()
