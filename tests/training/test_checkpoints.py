"""What is shipped: whole, as its card says, made by the one list; and what is said when it is not."""

import dataclasses
import json
import shutil

import pytest
import torch
from torch import nn

from course_lib.commands import main as cli
from course_lib.experiments.pixelrnn import held_out, log_prob_of
from course_lib.experiments.vae import VAEExperiment, VAEHyperparameters
from course_lib.experiments.vq_vae_prior import two_part_code
from course_lib.models.flow_matching import in_turn
from course_lib.training import checkpoints, pretrained, registry, run
from course_lib.training.checkpoints import FOLDER, Card, CheckpointError, read, round_weights, write
from course_lib.training.image_scores import classifier, scores, stand_ins
from course_lib.training.pretrained import load_pretrained, pretrained_experiment
from course_lib.training.registry import families, shipped

MIB = 2**20
CARD = Card("python -m course_lib train vae", "vae", {}, 0, 1, 0.1, "0" * 16, {"test_elbo": -100.0}, "")
SHIPPED = pytest.mark.parametrize("name", shipped())


def test_the_folder_holds_what_the_list_names_and_nothing_else():
    files = {p.name for p in FOLDER.iterdir() if p.is_file()}
    assert files == {f"{name}{ending}" for name in shipped() for ending in (".safetensors", ".json")}


def test_the_files_are_small():
    sizes = [p.stat().st_size for p in FOLDER.glob("*.safetensors")]
    assert max(sizes) <= 8 * MIB and sum(sizes) <= 40 * MIB


@SHIPPED
def test_each_card_says_how_its_file_was_made(name):
    _, card = read(name)
    assert card.command == f"python -m course_lib train {shipped()[name]}"
    assert card.minutes > 0 and len(card.digest) == 16 and card.metrics


@SHIPPED
def test_each_shipped_model_is_as_good_as_its_card_says(name):
    experiment, card = pretrained_experiment(name)
    if card.experiment in ("pixelrnn", "transformer"):  # 10,000 images take a minute: some, within their standard error
        nll = -log_prob_of(experiment.model, held_out(card.hyperparameters["data"])[::20])
        assert nll.mean().item() == pytest.approx(card.metrics["test_nll"], abs=3 * nll.std().item() / len(nll) ** 0.5)
        return
    if card.experiment == "flow_matching":  # 10,000 images take minutes: some of them, within their standard error
        asked, share = in_turn(300), card.metrics["as_asked"]
        right = classifier().predict(experiment.samples(len(asked))) == asked
        assert right.float().mean().item() == pytest.approx(share, abs=3 * (share * (1 - share) / len(asked)) ** 0.5)
        return
    if card.experiment == "vq_vae_prior":  # 10,000 draws take half a minute: what some images cost, as above
        nats = sum(two_part_code(experiment.model, experiment.vqvae, held_out("mnist")[::20].float()))
        error = nats.std().item() / len(nats) ** 0.5
        assert nats.mean().item() == pytest.approx(card.metrics["two_part"], abs=3 * error)
        return
    for metric, value in experiment.evaluate(thorough=False).items():
        assert value == pytest.approx(card.metrics[metric], rel=2e-3, abs=2e-3 if "accuracy" in metric else 0.02)
    assert experiment.seed == card.seed and card.experiment in families()


def test_the_shipped_models_are_good():
    _, judge = read("classifier")
    assert judge.metrics["test_accuracy"] >= 0.99
    _, vae = read("vae_z20")
    assert vae.metrics["test_elbo"] >= -92 and vae.metrics["test_iw_200"] >= -88
    _, flat = read("vae_z2")
    assert flat.metrics["test_elbo"] >= -146
    _, dcgan = read("dcgan")
    real = scores(stand_ins()["training images"])
    assert dcgan.metrics["frechet"] <= 5 * real["frechet"] and dcgan.metrics["coverage_kl"] <= 0.1
    _, conditional = read("conditional")
    assert conditional.metrics["as_asked"] >= 0.97 and conditional.metrics["worst_class"] >= 0.92
    _, flow = read("flow_matching")
    assert flow.metrics["as_asked"] >= 0.95 and flow.metrics["worst_class"] >= 0.9 and flow.metrics["frechet"] <= 7.5
    _, chains = read("chains")
    assert 0 < chains.metrics["excess"] <= 0.03
    _, transformer = read("transformer")
    assert transformer.metrics["test_nll"] <= 81
    _, codes = read("vq_vae")
    _, prior = read("vq_vae_prior")
    assert codes.metrics["frechet"] <= 12 and prior.metrics["frechet"] <= 30 and prior.metrics["two_part"] <= 103
    _, infogan = read("infogan")
    assert max(infogan.metrics["largest_slant"], infogan.metrics["largest_thickness"]) >= 0.8


def test_the_shipped_pairs_and_encoders_are_good():
    same = {name: read(name)[1].metrics["same_digit"] for name in ("coupled", "coupled_0", "bigan_plain", "bigan")}
    assert same["coupled"] >= 0.85 and same["coupled_0"] <= 0.25
    assert same["bigan_plain"] >= 0.65 and same["bigan"] >= 0.80


def test_a_trained_model_is_ready_for_use():
    judge, card = load_pretrained("classifier")
    assert isinstance(card, Card) and not judge.training
    assert not judge(torch.zeros(1, 784)).requires_grad  # no torch.no_grad() needed
    assert {p.dtype for p in judge.parameters()} == {torch.float32}


@pytest.fixture
def written(tmp_path):
    """A small network with its card in a folder of its own."""
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    write(tmp_path / "net.safetensors", model, CARD)
    return tmp_path, model


def test_what_is_written_is_read_again(written):
    folder, model = written
    weights, card = read("net", folder)
    round_weights(model)
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weights[k], v.to(torch.float32)) for k, v in model.state_dict().items())
    assert dataclasses.replace(card, sha256="") == CARD and len(card.sha256) == 64
    assert sorted(p.name for p in folder.iterdir()) == ["net.json", "net.safetensors"]  # no temporary names


def test_sixteen_bits_keep_three_digits():
    model = nn.Linear(50, 50)
    before = model.weight.detach().clone()
    round_weights(model)
    assert not torch.equal(model.weight, before)
    torch.testing.assert_close(model.weight.detach(), before, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e6])
def test_weights_that_do_not_fit_are_refused_and_the_old_file_stays(written, bad):
    folder, model = written
    before = (folder / "net.safetensors").read_bytes()
    model[0].weight.data[0, 0] = bad
    with pytest.raises(ValueError, match=r"0\.weight holds numbers that are not finite"):
        write(folder / "net.safetensors", model, CARD)
    assert (folder / "net.safetensors").read_bytes() == before


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("damage", "told"), [
    (lambda f: flip(f / "net.safetensors"), "its SHA-256 differs"),
    (lambda f: (f / "net.safetensors").write_bytes((f / "net.safetensors").read_bytes()[:-9]), "its SHA-256 differs"),
    (lambda f: (f / "net.safetensors").unlink(), r"net\.safetensors is missing"),
    (lambda f: (f / "net.json").unlink(), r"net\.json is missing"),
    (lambda f: (f / "net.json").write_text("{", encoding="utf-8"), "is no card"),
    (lambda f: (f / "net.json").write_text("{}", encoding="utf-8"), "is no card"),
    (lambda f: (f / "net.json").write_bytes(b"\xff\xfe"), "is no card"),
])
def test_damage_is_told(written, damage, told):
    folder, _ = written
    damage(folder)
    with pytest.raises(CheckpointError, match=told):
        read("net", folder)


def test_a_damaged_shipped_file_says_how_to_mend_it(tmp_path):
    for ending in (".safetensors", ".json"):
        shutil.copy(FOLDER / f"classifier{ending}", tmp_path)
    flip(tmp_path / "classifier.safetensors")
    with pytest.raises(CheckpointError, match=r"git checkout -- data/checkpoints/classifier.*checkpoints classifier"):
        load_pretrained("classifier", tmp_path)


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(CheckpointError, match=r"missing: the course ships classifier, .*vae_z20"):
        load_pretrained("vae_z200")


@pytest.mark.parametrize("change", [{"experiment": "gan9d"}, {"hyperparameters": {"width": 16}},
                                    {"hyperparameters": {"depth": 3}}, {"hyperparameters": {"width": 1}}])
def test_a_card_of_another_version_is_told(tmp_path, change):
    small = VAEExperiment(VAEHyperparameters(width=32))
    hyperparameters = dataclasses.asdict(small.hyperparameters)
    card = dataclasses.replace(CARD, hyperparameters=hyperparameters)
    write(tmp_path / "net.safetensors", small.model, card)
    assert load_pretrained("net", tmp_path)[0].latent_size == 20
    path = tmp_path / "net.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for key, value in change.items():
        content[key] = value if isinstance(value, str) else {**content[key], **value}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CheckpointError, match="does not fit this version"):
        load_pretrained("net", tmp_path)


@pytest.fixture
def small_list(tmp_path, monkeypatch):
    """`checkpoints` with a list of one quick model and a folder of its own."""
    commands = {"tiny": "vae --num-steps 6 --seed 4 --set batch_size=16 --set total_steps=6 --set width=16"}
    for module in (checkpoints, registry):
        monkeypatch.setattr(module, "shipped", lambda: commands)
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "shipped")
    monkeypatch.setattr(read, "__defaults__", (tmp_path / "shipped",))
    monkeypatch.setattr(pretrained.pretrained_experiment, "__defaults__", (tmp_path / "shipped",))
    monkeypatch.setattr(VAEExperiment, "evaluate", lambda self, thorough: {"test_elbo": -1.23456} if thorough else {})
    threads = torch.get_num_threads()
    yield tmp_path / "shipped"
    torch.set_num_threads(threads)


def trained_alone():
    experiment = VAEExperiment(VAEHyperparameters(width=16, batch_size=16, total_steps=6), seed=4)
    for _ in run(experiment, 6, progress=False):
        pass
    return experiment


def test_the_list_is_trained_once_and_again_when_it_changes(small_list, capsys, monkeypatch):
    assert cli.main(["checkpoints"]) == 0
    assert sorted(p.name for p in small_list.rglob("*.*")) == ["tiny.json", "tiny.safetensors"]
    weights, card = read("tiny")
    alone = trained_alone()
    assert card.digest == alone.digest() and card.steps == 6 and card.seed == 4 and card.minutes > 0
    assert card.metrics == {"test_elbo": -1.2346}
    commands = registry.shipped()
    assert card.command == f"python -m course_lib train {commands['tiny']}"
    assert all(torch.equal(weights[k], v.half().float()) for k, v in alone.model.state_dict().items())
    capsys.readouterr()
    assert cli.main(["checkpoints"]) == 0 and "tiny: is there" in capsys.readouterr().out
    commands["tiny"] = commands["tiny"].replace("--seed 4", "--seed 5")
    assert cli.main(["checkpoints"]) == 0 and read("tiny")[1].seed == 5


def test_a_run_that_was_broken_off_goes_on(small_list, monkeypatch):
    update = VAEExperiment.training_step

    def interrupted(self):
        if self.steps == 3:
            raise KeyboardInterrupt
        return update(self)

    monkeypatch.setattr(VAEExperiment, "training_step", interrupted)
    assert cli.main(["checkpoints", "tiny"]) == 130
    assert [p.name for p in small_list.rglob("*.*")] == ["tiny.pt"]  # nothing half-trained gets a name that is shipped
    monkeypatch.setattr(VAEExperiment, "training_step", update)
    assert cli.main(["checkpoints", "tiny"]) == 0 and read("tiny")[1].digest == trained_alone().digest()


def test_an_evaluation_that_was_broken_off_is_done_anew(small_list, monkeypatch):
    evaluate = VAEExperiment.evaluate

    def fail(self, thorough):
        raise KeyboardInterrupt

    monkeypatch.setattr(VAEExperiment, "evaluate", fail)
    assert cli.main(["checkpoints", "tiny"]) == 130
    monkeypatch.setattr(VAEExperiment, "evaluate", evaluate)
    assert cli.main(["checkpoints", "tiny"]) == 0 and read("tiny")[1].steps == 6


def test_a_family_that_does_not_evaluate_ships_nothing_and_is_told_before_training(small_list, monkeypatch, capsys):
    monkeypatch.delattr(VAEExperiment, "evaluate")
    monkeypatch.setattr(VAEExperiment, "training_step", lambda self: pytest.fail("it was trained"))
    assert cli.main(["checkpoints"]) == 2 and not small_list.exists()
    assert "vae has no evaluate(), so a card could not" in capsys.readouterr().err


def test_an_unknown_checkpoint_is_a_mistake(capsys):
    assert cli.main(["checkpoints", "vae_z200"]) == 2
    assert "there is no checkpoint 'vae_z200'; known: classifier" in capsys.readouterr().err
