"""Pictures drawn and completed with the shipped autoencoder and VAE: what notebook 04 shows of longer runs.

    python benchmarks/vae_pictures.py [--seeds 8] [--record]

Drawn: 500 pictures a seed from the autoencoder with codes from one Gaussian or from a mixture fitted to its codes, and
from the VAE with codes from its prior or from such a mixture. Completed: the lower halves of six hundred test pictures,
by mixtures of three sizes and by pseudo-Gibbs chains of several lengths. About five minutes on one core. `--record`
writes what the notebook reads.
"""

from __future__ import annotations

import argparse

import torch

from course_lib.commands.console import survive_any_encoding
from course_lib.comparisons.vae_pictures import complete, draw, record

ROUNDS, WALKS = (15, 30, 60, 120), (1, 5, 20)
MIXTURES = ((10, 50, 6_000), (20, 50, 6_000), (20, 80, 30_000))  # components, dimensions, training pictures
COMMAND = "python benchmarks/vae_pictures.py --record"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8, help="how many seeds draw pictures")
    parser.add_argument("--record", action="store_true", help="keep the result in data/records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    drawn = draw(range(arguments.seeds))
    for way, row in drawn.items():
        print(f"{way:<28}in doubt {' '.join(f'{d:.1f}' for d in row.doubt)} %   nearest training picture at "
              f"{' '.join(f'{d:.1f}' for d in row.distance)}", flush=True)
    completed = complete(ROUNDS, WALKS, MIXTURES)
    for way, row in completed.items():
        print(f"{way:<46}squared error {' '.join(f'{e:.2f}' for e in row.error)}   named right "
              f"{' '.join(f'{r:.2f}' for r in row.right)}", flush=True)
    if arguments.record:
        record(COMMAND, drawn, completed)


if __name__ == "__main__":
    survive_any_encoding()
    main()
