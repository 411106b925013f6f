"""The audio network: whole windows against single steps, training, and loading from disk."""

import keras
import numpy as np
import pytest

from music_composer.audio.models.network import Continuation
from music_composer.training.checkpoint import TrainState, load_checkpoint, read_state, save_checkpoint
from music_composer.training.loop import compile_model, judge, learn, seed_step
from music_composer.training.options import TrainOptions
from tests.audio.models.small_network import OPTIONS, SIZE, model_of, windows

pytestmark = pytest.mark.journey


def test_windows_of_another_length_are_judged_as_if_they_came_first():
    """The second length makes TensorFlow build a graph for any length."""
    both, alone = model_of(), model_of()
    for model in (both, alone):
        compile_model(model, TrainOptions())
    lengths = ((both, 9), (both, 21), (alone, 21))
    losses = [judge(model, [windows(4)[:, :length]]) for model, length in lengths if not seed_step(model, 1, 1)]
    assert losses[1] == pytest.approx(losses[2], rel=1e-5)


def test_encoder_and_decoder_are_inverse_on_the_music():
    model, steps = model_of(components=SIZE), windows()
    back = keras.ops.convert_to_numpy(model.decoder(model.encoder(steps)))
    np.testing.assert_allclose(back, steps, atol=1e-3)


@pytest.mark.parametrize("head", ["flow", "regression"])
def test_step_by_step_equals_the_whole_sequence(head):
    model = model_of(head=head)
    rng = np.random.default_rng(0)
    latents, noise = rng.normal(size=(2, 3, 12, OPTIONS.components)).astype(np.float32)
    noise_level = np.full((3, 1, 1), 0.1, np.float32)
    whole, after = model.forward_sequence(latents, noise_level, noise)
    state = model.initial_state(3)
    for t in range(latents.shape[1]):
        condition, state = model.forward_step(latents[:, t], noise_level[:, 0], noise[:, t], state)
        np.testing.assert_allclose(condition, whole[:, t], atol=1e-5)
    for one, other in zip(state, after, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_later_step_never_changes_an_earlier_loss():
    model, batch = model_of(dropout=0.0), windows(2)
    changed = batch.copy()
    changed[:, -1] += 1
    losses = []
    for x in (batch, changed):
        seed_step(model, 1, 0)
        losses.append(keras.ops.convert_to_numpy(model([x, *model.initial_state(2)])[0]))
    np.testing.assert_array_equal(losses[0][:, :-1], losses[1][:, :-1])
    assert (losses[0][:, -1] != losses[1][:, -1]).all()


@pytest.mark.parametrize("head", ["flow", "regression"])
def test_chunks_that_carry_the_state_on_are_the_whole_window(head):
    """Without noise and dropout the losses of two chunks, the second in the first's state, are those of the whole."""
    model, batch = model_of(head=head, dropout=0.0, training_noise=0.0), windows(3)
    conditions, carried = [], model.initial_state(3)
    forward_sequence = model.forward_sequence
    model.forward_sequence = lambda *inputs: conditions.append(forward_sequence(*inputs)) or conditions[-1]
    model([batch, *carried])
    for first in (0, 12):
        _, *carried = model([batch[:, first : first + 13], *carried])
    whole, *chunks = (keras.ops.convert_to_numpy(condition) for condition, _ in conditions)
    np.testing.assert_allclose(np.concatenate(chunks, axis=1), whole, atol=1e-5)
    for one, other in zip(carried, conditions[0][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(("head", "share"), [("flow", 0.8), ("regression", 0.5)])
def test_training_on_one_batch_learns_it(head, share):
    model, batch = model_of(head=head), windows()
    compile_model(model, TrainOptions(learning_rate=1e-2))
    losses = []
    for step in range(120):
        seed_step(model, 1, step)
        losses.append(learn(model, [batch], model.initial_state(len(batch)))[0])
    assert np.mean(losses[-10:]) < share * losses[0]


def test_training_leaves_the_encoding_alone():
    model = model_of()

    def fixed():
        weights = (*model.encoder.weights, *model.decoder.weights, model.low, model.high, model.ceiling)
        return [keras.ops.convert_to_numpy(weight).copy() for weight in weights]

    before = fixed()
    compile_model(model, TrainOptions())
    learn(model, [windows()], model.initial_state(8))
    for one, other in zip(before, fixed(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_samples_are_held_to_the_range_of_the_music():
    model = model_of()
    noise = 100 * np.ones((4, OPTIONS.components), np.float32)
    conditions = np.zeros((4, OPTIONS.neurons + OPTIONS.components + 1), np.float32)
    sampled = keras.ops.convert_to_numpy(model.sample(conditions, noise))
    assert np.abs(sampled).max() < 20
    steps = keras.ops.convert_to_numpy(model.decoder(sampled))
    assert (steps <= keras.ops.convert_to_numpy(model.ceiling) + 1.0).all(), (
        "a projection may go over the ceiling, but not far"
    )


def test_a_model_is_rebuilt_from_its_config():
    model = model_of()
    same = Continuation.from_config(model.get_config())
    assert same.get_config() == model.get_config()
    same.build()
    assert [w.shape for w in same.weights] == [w.shape for w in model.weights]


def test_a_checkpoint_brings_back_weights_optimiser_and_state(tmp_path):
    model, batch = model_of(), windows()
    compile_model(model, TrainOptions())
    learn(model, [batch], model.initial_state(8))
    epoch = {"epoch": 1, "loss": 0.5, "held_out_loss": 0.6, "learning_rate": "0.001", "seconds": 2.5}
    state = TrainState(7, job_epochs=3, epoch=1, batch=2, step=9, history=[epoch])
    save_checkpoint(tmp_path / "c.npz", model, state)
    other = model_of()
    compile_model(other, TrainOptions())
    load_checkpoint(tmp_path / "c.npz", other)
    assert read_state(tmp_path / "c.npz") == state
    losses = []
    for each in (model, other):
        for step in range(3):
            seed_step(each, 1, step)
            learn(each, [batch], each.initial_state(8))
        seed_step(each, 1, 9)
        losses.append(judge(each, [batch]))
    assert losses[0] == losses[1]
