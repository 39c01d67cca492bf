"""What the models learn from."""

from course_lib.data.digits8 import Digits8, load_digits8
from course_lib.data.drawing import like_mnist
from course_lib.data.idx import DataError
from course_lib.data.mnist import MNIST, load_idx, load_mnist
from course_lib.data.patterns import bars_and_stripes
from course_lib.data.plane import Drawing, Segment
from course_lib.data.sprites import Sprites
from course_lib.data.tagging import TaggingWorld, TinyGrammar
from course_lib.data.toy import Blobs, Normal1D, Ring, TwoGaussians

__all__ = ["MNIST", "Blobs", "DataError", "Digits8", "Drawing", "Normal1D", "Ring", "Segment", "Sprites",
           "TaggingWorld", "TinyGrammar", "TwoGaussians", "bars_and_stripes", "like_mnist", "load_digits8",
           "load_idx", "load_mnist"]
