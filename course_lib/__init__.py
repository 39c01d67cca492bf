"""The package behind the course's notebooks.

Importing it loads nothing. From then on `import torchvision` works beside a CPU build of torch, and modules that have
moved are found under their old names.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from course_lib import deprecated

__version__ = "1.0.0"  # the one place that says it

_schemas: list[Any] = []  # a schema lives as long as its torch.library.Library object is referenced


class _TorchvisionLoader(SourceFileLoader):
    """Declares the two operators that torchvision's CUDA wheel looks for beside a CPU torch (pytorch/vision#9085).

    Does nothing where torchvision can be imported, or where it fails for another reason.
    """

    def exec_module(self, module: ModuleType) -> None:
        try:
            super().exec_module(module)
        except RuntimeError as error:
            if "torchvision::nms" not in str(error):
                raise
            import torch

            library = torch.library.Library("torchvision", "DEF")
            for name in ("nms", "qnms"):
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _schemas.append(library)
            super().exec_module(module)


class _TorchvisionFinder:
    """Finds torchvision where Python does, and has it loaded as above: only who needs it pays for it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == "torchvision" else None
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _TorchvisionLoader(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, _TorchvisionFinder)
deprecated.install()
