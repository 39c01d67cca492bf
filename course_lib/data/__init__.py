"""What the models learn from."""

from course_lib.data.mnist import MNIST, DataError, load_mnist
from course_lib.data.sprites import Sprites
from course_lib.data.toy import Blobs, Normal1D, Ring, TwoGaussians

__all__ = ["MNIST", "Blobs", "DataError", "Normal1D", "Ring", "Sprites", "TwoGaussians", "load_mnist"]
