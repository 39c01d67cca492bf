"""The package behind the course's notebooks.

Importing it makes torchvision importable beside a CPU build of torch, and does nothing else.
"""

import torch

_schemas: list[torch.library.Library] = []  # a schema lives as long as its Library object is referenced


def _make_torchvision_importable() -> None:
    """Declare the two operators that torchvision's CUDA wheel looks for beside a CPU torch (pytorch/vision#9085).

    Does nothing where `import torchvision` works, or where it fails for another reason.
    """
    try:
        import torchvision  # noqa: F401
    except ImportError:
        pass  # told by whoever needs torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _schemas.append(library)


_make_torchvision_importable()
