"""The table of the course's models of MNIST: what each card says, and a dash where it says nothing."""

from course_lib.chapters.nb11d.standing import HEAD, MODELS, standing
from course_lib.training.checkpoints import Card


def card(minutes, **metrics):
    return Card("python -m course_lib train vae", "vae", {}, 0, 1, minutes, "0" * 16, metrics, "")


def test_each_card_has_a_row_with_what_it_says():
    lines = standing({"vae_z20": card(54.4, test_elbo=-91.57), "row_lstm": card(62.4, test_nll=82.42),
                      "conditional": card(5.8, frechet=4.294, as_asked=0.9931, coverage_kl=0.0)}).splitlines()
    assert lines[0] == HEAD and set(lines[1]) == {"|", "-"}
    assert {line.count("|") for line in lines} == {HEAD.count("|")}
    assert lines[2] == "| VAE | – | – | at least −91.6 | 1 | 54 |"
    assert lines[3] == "| Row LSTM | – | – | −82.4 | 784 | 62 |"
    assert lines[4] == "| conditional GAN | 4.29 | 0.993 | – | 1 | 6 |"


def test_every_model_of_the_table_has_a_name_of_its_own():
    assert len({name for name, _ in MODELS.values()}) == len(MODELS)
