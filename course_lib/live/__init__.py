"""Training and exploring live, in the notebook."""

from course_lib.deprecated import old_names
from course_lib.live.diffusion2d import diffusion2d_lab
from course_lib.live.explore import explore
from course_lib.live.film import show_film
from course_lib.live.flow_matching2d import flow_matching2d_lab
from course_lib.live.gan2d import gan2d_lab
from course_lib.live.instant import explore_canvas
from course_lib.live.lab import LiveLab
from course_lib.live.pad import SketchPad
from course_lib.live.session import Change, Session
from course_lib.live.trainer import Trainer
from course_lib.live.views import Arrows, Bars, Curve, Density, HeatMap, ImageGrid, Mesh, Scatter, View

__getattr__ = old_names(__name__)

__all__ = [
    "Arrows",
    "Bars",
    "Change",
    "Curve",
    "Density",
    "HeatMap",
    "ImageGrid",
    "LiveLab",
    "Mesh",
    "Scatter",
    "Session",
    "SketchPad",
    "Trainer",
    "View",
    "diffusion2d_lab",
    "explore",
    "explore_canvas",
    "flow_matching2d_lab",
    "gan2d_lab",
    "show_film",
]
