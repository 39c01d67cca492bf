"""What live training costs, measured in a real browser: `python benchmarks/live.py`.

Prints the delay from a slider of `explore_canvas` to the drawn picture, as in the labs of notebooks 08 and 09, and the
kernel's part of it. For training: frames per second drawn, the delay from slider to trainer and from Pause to trainer,
and the kernel's CPU time in two ways: what the whole process uses beside the updates themselves, in the same seconds;
and CPU time per update against the same loop without display, in pairs one after the other (noisier, on a machine that
does other things too).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from jupyter import Jupyter, write_notebook  # noqa: E402

PRESSES = 25
ROUNDS = 15
ROUND_SECONDS = 3
FRAME_SECONDS = 10

SETUP = f"""
import sys, time
sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT)!r}]
import torch
from tiny_experiment import Tiny
from course_lib.live import Curve, Density, LiveLab

applied, halted, updating = [], [], [0.0]

class Timed(Tiny):
    def apply(self, hyperparameters):
        applied.append(time.time())
        super().apply(hyperparameters)

    def step(self):
        begin = time.thread_time()
        metrics = super().step()
        updating[0] += time.thread_time() - begin
        return metrics

lab = LiveLab(Timed(), [Density("real", "generated", grid="x", lines=("decision",), title="Densities", xlabel="x"),
                        Curve("loss_d", "loss_g", title="Losses")])
halt = lab.trainer._halt
def noted(state):
    halt(state)
    halted.append(time.time())
lab.trainer._halt = noted

def reading():
    return lab.trainer.ask(lambda e: (time.process_time(), updating[0], e.steps))

def plain(steps):
    torch.set_num_threads(1)
    experiment, begin = Timed(), time.process_time()
    for _ in range(steps):
        experiment.step()
    return (time.process_time() - begin) / steps
"""
EXPLORE = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import torch
from course_lib.data import load_mnist
from course_lib.training.image_scores import classifier
from course_lib.training.pretrained import load_pretrained
from course_lib.live import Bars, ImageGrid, explore_canvas
from course_lib.models.infogan import Code
from course_lib.models.logistic import SoftmaxRegression

torch.set_num_threads(1)
computed = []

def timed(arrays, begin):
    computed.append((begin, time.time()))
    return arrays
"""
LABS = {
    "08, one digit moved": """
vae, train = load_pretrained("vae_z20")[0], load_mnist("train")[:3000]
logistic = SoftmaxRegression(l2=1e-3, max_iter=20).fit(train.flat(), train.labels)
x = train.flat()[:10]
z = vae.encode(x)[0]

def move(digit=7, b=6, a=0, alpha=1.0):
    begin = time.time()
    moved = vae.decode(z[digit] + alpha * (z[a] - z[b]))
    return timed({"image": torch.stack([x[digit], moved]).view(2, 28, 28).numpy(),
                  "p": logistic.log_posterior(moved[None]).exp()[0].numpy()}, begin)

explore_canvas(move, [ImageGrid("image", columns=2), Bars("p", ylim=(0, 1))], digit=(0, 9, 1), b=(0, 9, 1),
               a=(0, 9, 1), alpha=(-3.0, 3.0, 0.05), alt="A digit, moved")
""",
    "09, twenty digits from one code": """
info, classifier = load_pretrained("infogan")[0], classifier()

def found(category=0, noise_seed=0, u1=0.0, u2=0.0):
    begin = time.time()
    x = info.sample(Code(torch.full((20,), category), torch.tensor([[u1, u2]]).expand(20, 2)),
                    torch.Generator().manual_seed(noise_seed))
    return timed({"made": x.numpy(), "seen": torch.bincount(classifier.predict(x), minlength=10).numpy() / 20}, begin)

explore_canvas(found, [ImageGrid("made", columns=5), Bars("seen", ylim=(0, 1))], category=(0, 9, 1),
               noise_seed=(0, 30, 1), u1=(-2.0, 2.0, 0.1), u2=(-2.0, 2.0, 0.1), alt="Twenty digits made from one code")
""",
}
WATCH = """() => { window.pictures = []; new MutationObserver(() =>
    pictures.push((performance.timeOrigin + performance.now()) / 1000)).observe(
    document.querySelector('.course-canvas'), { attributes: true, attributeFilter: ['data-drawn'] }); }"""
EVENTS = """() => { window.keys = []; window.clicks = [];
  addEventListener('keydown', e => keys.push((performance.timeOrigin + e.timeStamp) / 1000), true);
  addEventListener('click', e => clicks.push((performance.timeOrigin + e.timeStamp) / 1000), true); }"""
DRAWN = "() => [+document.querySelector('.course-canvas').dataset.drawn, performance.now() / 1000]"


def delays(begun: list[float], ended: list[float]) -> list[float]:
    """Milliseconds from each event to the first effect after it."""
    return [1000 * (min(e for e in ended if e >= b) - b) for b in begun]


def summary(values: list[float], unit: str = "ms") -> str:
    return f"median {statistics.median(values):.1f}, from {min(values):.1f} to {max(values):.1f} {unit} ({len(values)})"


def frames_drawn(jupyter: Jupyter) -> float:
    before, begin = jupyter.page.evaluate(DRAWN)
    time.sleep(FRAME_SECONDS)
    after, end = jupyter.page.evaluate(DRAWN)
    return (after - before) / (end - begin)


def explore_delays(jupyter: Jupyter) -> tuple[list[float], list[float]]:
    """Milliseconds from a slider's key to the drawn picture, and those that computing the arrays took."""
    slider = jupyter.page.get_by_role("slider").last
    slider.focus()
    time.sleep(2)
    jupyter.kernel("computed.clear()")
    jupyter.page.evaluate("() => { keys.length = 0; pictures.length = 0 }")
    for i in range(2 * PRESSES):
        slider.press("ArrowLeft" if i % 2 else "ArrowRight")
        time.sleep(0.3)
    time.sleep(1)
    keys, pictures, computed = (jupyter.page.evaluate("() => keys"), jupyter.page.evaluate("() => pictures"),
                                jupyter.kernel("computed"))
    return delays(keys, pictures), [1000 * (end - begin) for begin, end in computed]


def slider_delays(jupyter: Jupyter, lab) -> list[float]:
    slider = lab.get_by_role("slider").first
    slider.focus()
    jupyter.kernel("applied.clear()")
    jupyter.page.evaluate("() => { keys.length = 0 }")
    for i in range(PRESSES):
        slider.press("ArrowLeft" if i % 2 else "ArrowRight")
        time.sleep(0.3)
    time.sleep(1)
    return delays(jupyter.page.evaluate("() => keys"), jupyter.kernel("applied"))


def pause_delays(jupyter: Jupyter, lab) -> list[float]:
    jupyter.kernel("halted.clear()")
    begun = []
    for _ in range(PRESSES):
        lab.get_by_role("button", name="Pause").click()
        begun.append(jupyter.page.evaluate("() => clicks.at(-1)"))
        lab.get_by_role("button", name="Start").click()
        time.sleep(0.3)
    return delays(begun, jupyter.kernel("halted"))


def overheads(jupyter: Jupyter, lab) -> tuple[list[float], list[float]]:
    """Percent of CPU time: beside the updates in the same seconds, and more than alone; one of each per round."""
    beside, more = [], []
    for _ in range(ROUNDS):
        lab.get_by_role("button", name="Start").click()
        time.sleep(0.7)
        before = jupyter.kernel("reading()")
        time.sleep(ROUND_SECONDS)
        cpu, updating, steps = (b - a for a, b in zip(before, jupyter.kernel("reading()"), strict=True))
        lab.get_by_role("button", name="Pause").click()
        jupyter.until("lab.trainer.state == 'paused'")
        beside.append(100 * (cpu / updating - 1))
        more.append(100 * (cpu / steps / jupyter.kernel(f"plain({steps})") - 1))
    return beside, more


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for i, lab in enumerate(LABS.values()):
            write_notebook(Path(folder) / f"explore{i}.ipynb", EXPLORE, lab)
        write_notebook(Path(folder) / "live.ipynb", SETUP, "lab")
        with Jupyter(folder) as jupyter:
            for i, name in enumerate(LABS):
                jupyter.open(f"explore{i}.ipynb")
                jupyter.run_all()
                jupyter.page.wait_for_selector(".course-canvas[data-drawn]")
                jupyter.page.evaluate(EVENTS)
                jupyter.page.evaluate(WATCH)
                drawn, computed = explore_delays(jupyter)
                print(f"slider to picture {summary(drawn)} (median at most 50): notebook {name}")
                print(f"  the kernel's arrays {summary(computed)}")

            jupyter.open("live.ipynb")
            jupyter.run_all()
            jupyter.page.wait_for_selector(".course-canvas[data-drawn]")
            jupyter.page.evaluate(EVENTS)
            lab = jupyter.page.locator(".course-lab").first
            lab.get_by_role("button", name="Start").click()
            time.sleep(2)
            print(f"frames drawn      {frames_drawn(jupyter):.1f} a second (at least 8)")
            print(f"slider to trainer {summary(slider_delays(jupyter, lab))} (median at most 100)")
            print(f"Pause to trainer  {summary(pause_delays(jupyter, lab))} (median at most 100)")
            lab.get_by_role("button", name="Pause").click()
            beside, more = overheads(jupyter, lab)
            print(f"CPU for display   {summary(beside, '% of the updates')} (median at most 5)")
            print(f"CPU against alone {summary(more, '% more')} (median at most 5)")


if __name__ == "__main__":
    main()
