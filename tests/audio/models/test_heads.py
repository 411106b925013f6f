"""The flow head: what it learns, and what it samples."""

import keras
import numpy as np
import pytest

from music_composer.audio.models.heads import FlowHead
from music_composer.layers.batch_noise import BatchNoise

pytestmark = pytest.mark.journey


def train_head(head, condition, target, steps):
    class Wrapped(keras.Model):
        def __init__(self):
            super().__init__()
            self.head, self.draws = head, BatchNoise(keras.random.SeedGenerator(0))

        def call(self, x, training=False):
            return self.head.loss(x, target, self.draws)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(y_pred)

    trainer = Wrapped()
    trainer.compile(optimizer=keras.optimizers.Adam(1e-2), jit_compile=False)
    for _ in range(steps):
        trainer.train_on_batch(condition)


def test_a_flow_learns_a_distribution_and_not_its_mean():
    """Two equally likely targets, -1 and 1: samples lie near both, the mean 0 is rare."""
    keras.utils.set_random_seed(1)
    head = FlowHead(1, 32, 2, draws=8, flow_steps=20)
    condition = np.zeros((64, 4, 3), np.float32)
    head.build(condition.shape)
    target = np.random.default_rng(0).choice([-1, 1], (64, 4, 1)).astype(np.float32)
    train_head(head, condition, target, 300)
    noise = np.random.default_rng(1).normal(size=(500, 1)).astype(np.float32)
    samples = keras.ops.convert_to_numpy(head.sample(np.zeros((500, 3), np.float32), noise))[:, 0]
    assert (np.abs(np.abs(samples) - 1) < 0.4).mean() > 0.8
    assert 0.3 < (samples > 0).mean() < 0.7


def test_an_untrained_flow_head_already_knows_the_straight_line_of_unit_music():
    """Least squares leaves 1 / ((1 - t)^2 + t^2) of each velocity's variance; its mean over all t is pi / 2."""
    head = FlowHead(8, width=16, blocks=2, draws=4, flow_steps=10)
    head.build((None, None, 5))
    target = np.random.default_rng(0).standard_normal((200, 50, 8)).astype(np.float32)
    loss = head.loss(np.zeros((200, 50, 5), np.float32), target, BatchNoise(keras.random.SeedGenerator(1)))
    assert float(keras.ops.mean(loss)) == pytest.approx(np.pi / 2, rel=0.008)


def test_the_straight_line_takes_the_deviations_of_the_music_into_account():
    """From unit noise to music of deviation d least squares leaves d^2 / ((1 - t)^2 + t^2 d^2): on average d pi / 2."""
    head = FlowHead(3, width=16, blocks=2, draws=4, flow_steps=10)
    head.build((None, None, 5))
    deviations = np.array([3.0, 1.0, 0.2], np.float32)
    head.deviations.assign(deviations)
    target = deviations * np.random.default_rng(0).standard_normal((400, 100, 3)).astype(np.float32)
    loss = head.loss(np.zeros((400, 100, 5), np.float32), target, BatchNoise(keras.random.SeedGenerator(1)))
    assert float(keras.ops.mean(loss)) == pytest.approx(np.pi / 2 * deviations.mean(), rel=0.01)


def taught_head(flow_steps):
    """A head with arbitrary weights in its guess and blocks."""
    keras.utils.set_random_seed(3)
    head = FlowHead(3, width=16, blocks=2, draws=4, flow_steps=flow_steps)
    head.build((None, None, 5))
    rng = np.random.default_rng(0)
    for weight in head.weights:
        weight.assign(weight + 0.1 * rng.standard_normal(weight.shape))
    return head


def test_a_gaussian_comes_out_with_its_deviation_in_a_single_step():
    head = FlowHead(3, width=16, blocks=2, draws=4, flow_steps=1)
    head.build((None, None, 5))
    deviations = np.array([3.0, 1.0, 0.2], np.float32)
    head.deviations.assign(deviations)
    noise = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    sampled = keras.ops.convert_to_numpy(head.sample(np.zeros((50, 5), np.float32), noise))
    np.testing.assert_allclose(sampled, deviations * noise, rtol=1e-5)


def test_sampling_goes_where_the_velocity_leads():
    """Rotation of u and integration of the velocity of x agree for small steps."""
    head, steps = taught_head(200), 200
    rng = np.random.default_rng(1)
    condition, x = (rng.standard_normal((20, size)).astype(np.float32) for size in (5, 3))
    turned = keras.ops.convert_to_numpy(head.sample(condition, x))
    past = head(condition)
    for step in range(steps):
        t = np.full((20, 1), (step + 0.5) / steps, np.float32)
        x = x + keras.ops.convert_to_numpy(head.velocity(x, t, past)) / steps
    assert np.std(turned - x) < 0.01 * np.std(x)


def test_the_guess_knows_how_much_it_does_not_know():
    """Mean and deviation of the music follow from the past, and the trained guess predicts both."""
    keras.utils.set_random_seed(1)
    head = FlowHead(1, 32, 1, draws=4, flow_steps=2)
    rng = np.random.default_rng(0)
    condition = rng.uniform(-1, 1, (64, 16, 1)).astype(np.float32)
    target = (condition + np.where(condition > 0, 0.1, 0.5) * rng.standard_normal(condition.shape)).astype(np.float32)
    head.build(condition.shape)
    train_head(head, condition, target, 400)
    seen = np.array([[-0.5], [0.5]], np.float32)
    _, mean, _ = (keras.ops.convert_to_numpy(part) for part in head(seen))
    noise = np.random.default_rng(1).standard_normal((1000, 1)).astype(np.float32)
    samples = [keras.ops.convert_to_numpy(head.sample(np.full((1000, 1), at, np.float32), noise)) for at in (-0.5, 0.5)]
    np.testing.assert_allclose(mean, seen, atol=0.15)
    unsure, sure = (np.std(each) for each in samples)
    assert unsure == pytest.approx(0.5, rel=0.3)
    assert sure < 0.25
