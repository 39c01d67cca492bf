"""What every family of models shares in training, written once: hyperparameters, the step, the loop, the device.

Names are imported when they are first asked for, so that `registry` can be read without torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {"Experiment": "experiment", "Hyperparameters": "hyperparameters", "fastest_precision": "precision",
         "hyperparameter": "hyperparameters", "load": "loop", "load_pretrained": "pretrained", "run": "loop",
         "save": "loop"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
