import pytest
import torch

from course_lib.models.classifier import FEATURES, Classifier


@pytest.fixture(scope="module")
def judge():
    return Classifier(generator=torch.Generator().manual_seed(0))


def test_logits_are_a_linear_map_of_features_that_are_not_negative(judge):
    x = torch.rand(5, 784, generator=torch.Generator().manual_seed(1))
    features = judge.features(x)
    assert features.shape == (5, FEATURES) and (features >= 0).all()
    torch.testing.assert_close(judge(x), features @ judge.head.weight.T + judge.head.bias)
    torch.testing.assert_close(judge.log_posterior(x).exp().sum(1), torch.ones(5))
    assert torch.equal(judge.predict(x), judge(x).argmax(1))


def test_images_may_come_flat_or_not(judge):
    x = torch.rand(5, 784, generator=torch.Generator().manual_seed(1))
    for shape in ((5, 28, 28), (5, 1, 28, 28)):
        assert torch.equal(judge(x.view(shape)), judge(x))
    assert judge(x[:, :].t().contiguous().t()).shape == (5, 10)  # of whatever order in memory


def test_the_first_layers_are_convolutions(judge):
    """An image moved by 4 pixels, two times pooled, is the same map moved by one."""
    x = torch.zeros(2, 1, 28, 28)
    x[0, 0, 8:16, 8:16] = torch.rand(8, 8, generator=torch.Generator().manual_seed(1))
    x[1] = x[0].roll(4, dims=-1)
    maps = judge.body[:6](x)
    torch.testing.assert_close(maps[1, :, :, 2:6], maps[0, :, :, 1:5])


@pytest.mark.parametrize(("x", "told"), [
    (torch.full((2, 784), -1.0), "tanh"), (torch.full((2, 28, 28), 255.0), "divided by 255"),
    (torch.zeros(2, 14, 14), r"shape \[n, 784\]"), (torch.zeros(2, 28, 28, dtype=torch.uint8), "floating")])
def test_mistakes_are_told(judge, x, told):
    with pytest.raises(ValueError, match=told):
        judge.features(x)
