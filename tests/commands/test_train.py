import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from course_lib.commands import main as cli
from course_lib.experiments.autoencoder import AutoencoderExperiment
from course_lib.experiments.classifier import ClassifierExperiment
from course_lib.experiments.dcgan import DCGANExperiment
from course_lib.experiments.gan1d import TEXTBOOK, GAN1DExperiment, GAN1DHyperparameters
from course_lib.experiments.gan2d import GAN2DExperiment
from course_lib.experiments.image_to_image import ImageToImageExperiment
from course_lib.experiments.vae import VAEExperiment
from course_lib.training import run
from course_lib.training.pretrained import pretrained_experiment

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def train(*options):
    return cli.main(["train", "gan1d", *map(str, options)])


def digest(err):
    return re.search(r"digest ([0-9a-f]{16})", err)[1]


def alone(hyperparameters, seed, steps):
    experiment = GAN1DExperiment(hyperparameters, seed)
    for _ in run(experiment, steps, progress=False):
        pass
    return experiment.digest()


def test_prints_step_and_losses_and_draws(capsys):
    assert train("--num-steps", 30, "--log-every", 10) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["10", "20", "30"]
    assert all(re.fullmatch(r"\d+: \d+\.\d{4}  \d+\.\d{4}", line) for line in lines)
    assert "it/s" not in err and "step/s" not in err  # no progress bar where the output is no terminal
    assert Image.open("gan1d.png").size == (700, 420) and os.listdir() == ["gan1d.png"]


def test_by_default_it_is_the_textbooks_run(capsys):
    train("--num-steps", 20, "--seed", 7)
    assert digest(capsys.readouterr().err) == alone(TEXTBOOK, 7, 20)


def test_options_and_assignments_reach_the_experiment(capsys):
    train("--num-steps", 20, "--setting", "recommended", "--no-minibatch", "--hidden-size", 6, "--batch-size", 9,
          "--set", "learning_rate_d=2e-3", "--set", "loss=saturating")
    expected = GAN1DHyperparameters(minibatch=False, hidden_size=6, batch_size=9, learning_rate_d=2e-3,
                                    loss="saturating")
    assert digest(capsys.readouterr().err) == alone(expected, 0, 20)


def test_saved_and_resumed_is_the_same_run(capsys):
    train("--num-steps", 10, "--minibatch", "--seed", 3, "--save", "run.pt")
    train("--num-steps", 20, "--resume", "run.pt", "--save", "run.pt")
    capsys.readouterr()
    train("--num-steps", 25, "--resume", "run.pt", "--minibatch", "--seed", 3)
    assert digest(capsys.readouterr().err) == alone(TEXTBOOK.replace(minibatch=True), 3, 25)


@pytest.mark.parametrize(("options", "told"), [
    ("--batch-size 0", "batch_size must lie between 1 and 256, not 0"),
    ("--batch-size x", "--batch-size"),
    ("--hidden-size -4", "hidden_size must lie between 1 and 64, not -4"),
    ("--num-steps 0", "must be at least 1"),
    ("--num-steps many", "must be a whole number"),
    ("--log-every 0", "must be at least 1"),
    ("--anim-every 0", "must be at least 1"),
    ("--seed -1", "must be between 0 and"),
    ("--anim-path film.avi", "must end in .mp4 or .gif"),
    ("--anim-path film", "must end in .mp4 or .gif"),
    ("--plot-path plot.txt", "must end in .png"),
    ("--plot-path nowhere/plot.png", "cannot write"),
    ("--anim-path nowhere/film.gif", "cannot write"),
    ("--save nowhere/run.pt", "cannot write"),
    ("--save .", "is a folder"),
    ("--resume missing.pt", "No such file"),
    ("--set learning_rate_dd=1e-3", "did you mean 'learning_rate_d'?"),
    ("--set learning_rate_d=fast", "must be float"),
    ("--set beta1=2", "must lie between"),
    ("--set beta1", "NAME=VALUE"),
    ("--set minibatch=perhaps", "true or false"),
    ("--set noise=pink", "must be one of"),
    ("--unknown", "unrecognized"),
])
def test_mistakes_are_told_in_one_line_before_anything_is_done(options, told, capsys, monkeypatch):
    monkeypatch.setattr(GAN1DExperiment, "training_step", lambda self: pytest.fail("training began"))
    try:
        code = train(*options.split())
    except SystemExit as exit:
        code = exit.code
    out, err = capsys.readouterr()
    assert code == 2 and out == "" and err.count("\n") == 1 and told in err
    assert os.listdir() == []


def test_mistakes_about_a_checkpoint(capsys, monkeypatch):
    train("--num-steps", 5, "--save", "run.pt")
    Path("junk.pt").write_bytes(b"no checkpoint")
    monkeypatch.setattr(GAN1DExperiment, "training_step", lambda self: pytest.fail("training began"))
    for options, told in [("--resume junk.pt", "is no checkpoint"),
                          ("--resume run.pt --num-steps 5", "at step 5 already"),
                          ("--resume run.pt --hidden-size 7", "other values than hidden_size=7"),
                          ("--resume run.pt --seed 1", "seed 0, not 1"),
                          ("--resume run.pt --setting recommended", "leave out --setting")]:
        capsys.readouterr()
        assert train(*options.split()) == 2
        err = capsys.readouterr().err
        assert told in err and err.count("\n") == 1


def test_a_missing_video_writer_is_told_before_training(capsys, monkeypatch):
    monkeypatch.setattr("course_lib.plots.animation.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(GAN1DExperiment, "training_step", lambda self: pytest.fail("training began"))
    assert train("--anim-path", "film.mp4") == 2
    assert "pip install imageio-ffmpeg, or" in capsys.readouterr().err


def test_gif_has_the_frames_asked_for():
    train("--num-steps", 12, "--anim-path", "film.gif", "--anim-every", 4)
    film = Image.open("film.gif")
    assert film.n_frames == 3 and film.info["duration"] == 30 and film.size == (700, 420)
    first = film.convert("RGB").tobytes()
    film.seek(2)
    assert film.convert("RGB").tobytes() != first
    assert sorted(os.listdir()) == ["film.gif", "gan1d.png"]


def test_mp4_has_the_frames_asked_for_at_30_a_second():
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="needs the extra [video]")
    train("--num-steps", 12, "--anim-path", "film.mp4", "--anim-every", 2)
    reader = imageio_ffmpeg.read_frames("film.mp4")
    about = next(reader)
    assert about["codec"] == "h264" and about["fps"] == 30 and about["size"] == (700, 420)
    assert len(list(reader)) == 6


def test_training_that_fails_leaves_the_old_film_whole(monkeypatch):
    Path("film.gif").write_bytes(b"old")

    def fail(self):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(GAN1DExperiment, "training_step", fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        train("--anim-path", "film.gif")
    assert os.listdir() == ["film.gif"] and Path("film.gif").read_bytes() == b"old"


def test_interrupt_keeps_what_there_is(capsys, monkeypatch):
    update = GAN1DExperiment.training_step

    def interrupted(self):
        if self.steps == 7:
            signal.raise_signal(signal.SIGINT)
        return update(self)

    monkeypatch.setattr(GAN1DExperiment, "training_step", interrupted)
    assert train("--num-steps", 100, "--save", "run.pt", "--anim-path", "film.gif") == 130
    assert "step 8" in capsys.readouterr().err
    assert Image.open("film.gif").n_frames == 7 and Path("run.pt").exists() and Path("gan1d.png").exists()


def test_the_module_runs_and_shows_help_without_torch():
    code = "import sys, course_lib.commands.main as c\ntry: c.main(['train', '--help'])\nexcept SystemExit: pass\n" \
           "sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'course_lib.experiments')))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    failed = subprocess.run([sys.executable, "-m", "course_lib", "train", "gan1d", "--batch-size", "0"],
                            env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 2 and failed.stderr.count("\n") == 1


@pytest.mark.thorough
def test_progress_bar_on_a_terminal():
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (24, 100))
    process = subprocess.Popen([sys.executable, "-m", "course_lib", "train", "gan1d", "--num-steps", "20"],
                               env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=there, stderr=there)
    os.close(there)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            seen += os.read(here, 65536)
        except OSError:  # the other end has closed
            break
    os.close(here)
    assert process.wait(timeout=60) == 0
    assert b"20/20" in seen or b"/20 [" in seen
    assert b"10: " in seen


@pytest.mark.parametrize(("model", "setting", "kind", "line"), [
    ("vae", "width=16", VAEExperiment, r"elbo -\d+\.\d{4}  reconstruction -\d+\.\d{4}  kl [\d.]+  noise_ratio [\d.]+"),
    ("autoencoder", "latent_size=3", AutoencoderExperiment, r"error \d+\.\d{4}"),
    ("classifier", "learning_rate=1e-2", ClassifierExperiment, r"loss \d\.\d{4}"),
    ("gan2d", "variant=WGAN-GP", GAN2DExperiment,
     r"loss_d -?[\d.]+  loss_g -?[\d.]+  gap -?[\d.]+  kl [\d.]+  js 0\.\d{4}  modes 0\.0000  near 0\.\d{4}"),
    ("dcgan", "width=4", DCGANExperiment,
     r"loss_d \d\.\d{4}  loss_g [\d.]+  d_real 0\.\d{4}  d_fake 0\.\d{4}  gradient_g [\d.]+")])
def test_models_train_save_and_resume(model, setting, kind, line, capsys):
    options = [model, "--set", "batch_size=8", "--set", setting]
    assert cli.main(["train", *options, "--num-steps", "2", "--seed", "3", "--log-every", "2", "--save", "a.pt"]) == 0
    out, _ = capsys.readouterr()
    assert re.fullmatch("2: " + line, out.strip())
    assert cli.main(["train", *options, "--num-steps", "4", "--resume", "a.pt"]) == 0
    name, value = setting.split("=")
    hyperparameters = kind.Hyperparameters(batch_size=8)
    hyperparameters = hyperparameters.replace(**{name: type(getattr(hyperparameters, name))(value)})
    experiment = kind(hyperparameters, seed=3)
    for _ in run(experiment, 4, progress=False):
        pass
    assert digest(capsys.readouterr().err) == experiment.digest()
    assert os.listdir() == ["a.pt"]


def test_a_model_is_still_trained_under_its_old_name_and_its_card_has_the_name_of_today(capsys, monkeypatch):
    monkeypatch.setattr(ImageToImageExperiment, "evaluate", lambda e, thorough: {})
    small = ["--num-steps", "1", "--width", "4", "--batch-size", "2"]
    digests = []
    for name in ("translator", "image_to_image"):
        assert cli.main(["train", name, *small, "--save", f"{name}.safetensors", "--save", "a.pt"]) == 0
        digests.append(digest(capsys.readouterr().err))
        card = json.loads(Path(f"{name}.json").read_text(encoding="utf-8"))
        assert card["experiment"] == "image_to_image" and card["command"].split()[4] == "image_to_image"
        assert pretrained_experiment(name, Path())[0].steps == 0
        Path(f"{name}.json").write_text(json.dumps(card | {"experiment": "translator"}), encoding="utf-8")
        assert isinstance(pretrained_experiment(name, Path())[0], ImageToImageExperiment), "a card of before"
    assert digests[0] == digests[1]
    assert torch.load("a.pt", weights_only=True)["experiment"] == "TranslatorExperiment"
    assert cli.main(["train", "translator", *small[2:], "--num-steps", "2", "--resume", "a.pt"]) == 0


def test_weights_are_written_with_a_card(monkeypatch, capsys):
    monkeypatch.setattr(VAEExperiment, "evaluate", lambda self, thorough: {"test_elbo": -123.4})
    assert cli.main(["train", "vae", "--num-steps", "2", "--set", "width=16", "--set", "beta=2.0",
                     "--save", "net.safetensors", "--save", "run.pt"]) == 0
    assert sorted(os.listdir()) == ["net.json", "net.safetensors", "run.pt"]
    card = json.loads(Path("net.json").read_text(encoding="utf-8"))
    assert card["command"] == "python -m course_lib train vae --num-steps 2 --set beta=2.0 --set width=16"
    assert card["digest"] == digest(capsys.readouterr().err)  # of the run, not of its rounded weights
    assert card["metrics"] == {"test_elbo": -123.4}


@pytest.mark.parametrize(("options", "told"), [
    ("vae --set depth=3", "unknown hyperparameter 'depth'"),
    ("vae --set latent_size=1", "must lie between 2 and 64"),
    ("vae --save nowhere/a.pt", "cannot write"),
    ("autoencoder --resume missing.pt", "No such file"),
    ("classifier --num-steps 0", "at least 1"),
    ("gan1d --save a.safetensors", "writes no .safetensors"),
    ("pixelcnn", "invalid choice"),
])
def test_mistakes_about_models(options, told, capsys):
    try:
        code = cli.main(["train", *options.split()])
    except SystemExit as exit:
        code = exit.code
    err = capsys.readouterr().err
    assert code == 2 and told in err and err.count("\n") == 1 and os.listdir() == []


def test_a_checkpoint_of_another_model_is_told(capsys):
    assert cli.main(["train", "gan1d", "--num-steps", "2", "--save", "run.pt"]) == 0
    assert cli.main(["train", "vae", "--resume", "run.pt"]) == 2
    assert "run.pt is no checkpoint of this model" in capsys.readouterr().err
