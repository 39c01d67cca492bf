"""The benchmark of devices does a family on each of them; what it prints is read here, how fast it is is not."""

import re
import subprocess
import sys
from pathlib import Path

COURSE = Path(__file__).resolve().parents[1]


def test_a_family_is_trained_and_measured_on_each_device_that_works():
    done = subprocess.run([sys.executable, COURSE / "benchmarks/device.py", "--models", "vae", "--seconds", "0.1"],
                          capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["device", "bf16", "ch_last", "steps", "images/s", "measures"]
    assert rows[0].split()[:2] == ["vae", "cpu"] and len({row.split()[1] for row in rows}) == len(rows)
    for row in rows:
        _, _, bf16, channels_last, steps, images, measure, bound = row.split()
        assert re.fullmatch(r"\d+\.\d\d\*?", bf16) and channels_last == "-", "an MLP has no convolutions"
        assert float(bf16.rstrip("*")) >= 1.15 if bf16.endswith("*") else float(bf16) <= 1.15
        assert int(steps) > 10 and int(images) > 0
        assert measure == "test_elbo" and -600 < float(bound) < -80
