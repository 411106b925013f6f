"""The audio network: whole windows against single steps, training of the heads, and loading from disk."""

import dataclasses
import functools
import itertools

import keras
import numpy as np
import pytest

from music_composer.audio.continuation import generate
from music_composer.audio.continuation.generate import LOUDEST, _encode_prompts, continue_prompts
from music_composer.audio.linear_decoder import fit_decoder
from music_composer.audio.models.heads import FlowHead
from music_composer.audio.models.network import Continuation
from music_composer.audio.options import ModelOptions
from music_composer.audio.pca import fit_encoding
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import Prompt
from music_composer.audio.spectrogram import to_steps
from music_composer.training.checkpoint import TrainState, load_checkpoint, read_state, save_checkpoint
from music_composer.training.loop import compile_model, judge, learn, learning_rate, seed_step
from music_composer.training.options import TrainOptions

pytestmark = pytest.mark.journey

OPTIONS = ModelOptions(neurons=16, layers=2, stack=2, components=6, head_width=16, head_blocks=2)
CHANNELS, BANDS = 2, 5
SIZE = OPTIONS.stack * CHANNELS * BANDS


def music(frames=400, seed=0):
    """Returns bands (frames, channels, bands) that fade together, each with a little variation of its own."""
    rng = np.random.default_rng(seed)
    swell = np.sin(np.arange(frames) / 5)[:, None, None]
    return (swell * rng.normal(1, 0.3, (CHANNELS, BANDS)) + 0.1 * rng.normal(size=(frames, CHANNELS, BANDS))) - 5


def model_of(**changes):
    keras.utils.set_random_seed(1)
    options = dataclasses.replace(OPTIONS, **changes)
    model = Continuation(options, SIZE)
    model.build()
    encoding = fit_encoding([music()], options.stack, options.components)
    decoder = fit_decoder([music()], options.stack, encoding, options.reach) if options.reach else None
    model.set_encoding(encoding, decoder)
    return model


@pytest.fixture(scope="module")
def played():
    """A model and its player; each builds its graph once, not for each piece."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SamplingLoop", "PromptEncoder"):
            patch.setattr(generate, name, functools.cache(getattr(generate, name)))
        yield model_of()


def windows(count=8, steps=21):
    frames = music(count * steps * OPTIONS.stack)
    return frames.reshape(count, steps, SIZE).astype(np.float32)


def test_windows_of_another_length_are_judged_as_if_they_came_first():
    """The second length makes TensorFlow build a graph for any length."""
    both, alone = model_of(), model_of()
    for model in (both, alone):
        compile_model(model, TrainOptions())
    lengths = ((both, 9), (both, 21), (alone, 21))
    losses = [judge(model, [windows(4)[:, :length]]) for model, length in lengths if not seed_step(model, 1, 1)]
    assert losses[1] == pytest.approx(losses[2], rel=1e-5)


def prompt_of(frames=40, seed=3):
    return Prompt(None, np.zeros((0, CHANNELS), np.float32), music(frames, seed).astype(np.float32), 0.0, False)


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


def train_head(head, condition, target, steps):
    class Wrapped(keras.Model):
        def __init__(self):
            super().__init__()
            self.head, self.seed = head, keras.random.SeedGenerator(0)

        def call(self, x, training=False):
            return self.head.loss(x, target, self.seed)

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
    loss = head.loss(np.zeros((200, 50, 5), np.float32), target, keras.random.SeedGenerator(1))
    assert float(keras.ops.mean(loss)) == pytest.approx(np.pi / 2, rel=0.008)


def test_the_straight_line_takes_the_deviations_of_the_music_into_account():
    """From unit noise to music of deviation d least squares leaves d^2 / ((1 - t)^2 + t^2 d^2): on average d pi / 2."""
    head = FlowHead(3, width=16, blocks=2, draws=4, flow_steps=10)
    head.build((None, None, 5))
    deviations = np.array([3.0, 1.0, 0.2], np.float32)
    head.deviations.assign(deviations)
    target = deviations * np.random.default_rng(0).standard_normal((400, 100, 3)).astype(np.float32)
    loss = head.loss(np.zeros((400, 100, 5), np.float32), target, keras.random.SeedGenerator(1))
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


def play(model, chunk_steps, steps, temperature=1.0, seed=5, residual=0.7):
    rngs = [np.random.default_rng([seed, i]) for i in range(2)]
    prompts = [prompt_of(40), prompt_of(30, seed=4)]
    options = GenerateOptions(temperature=temperature, residual=residual)
    chunks = continue_prompts(model, prompts, rngs, options, chunk_steps)
    wanted = (steps - model.options.reach) * OPTIONS.stack  # frames: the last steps lack what follows
    return np.concatenate(list(itertools.islice(chunks, steps // chunk_steps)), axis=1)[:, :wanted]


def test_chunks_of_any_length_play_the_same_music(played):
    whole = play(played, 12, 12)
    assert whole.shape == (2, (12 - OPTIONS.reach) * OPTIONS.stack, CHANNELS, BANDS)
    for chunk_steps in (4, 1):
        np.testing.assert_allclose(play(played, chunk_steps, 12), whole, atol=1e-4)


def test_what_is_heard_is_decoded_by_what_was_before_the_cut_and_by_what_follows(monkeypatch):
    """With windows that give back the latents of one place in them, the whole course of latents can be read off."""
    model = model_of(reach=1)
    components, size = OPTIONS.components, SIZE
    played = np.random.default_rng(0).standard_normal((1, 4, components)).astype(np.float32)
    monkeypatch.setattr(generate, "_sample_chunks", lambda *args: iter([played[:, :3], played[:, 3:]]))
    ends = model.encoder(to_steps(prompt_of().bands, OPTIONS.stack))[-1:]
    course = np.concatenate([ends, played[0]])
    for place in range(3):
        kernel = np.zeros((3 * components, size), np.float32)
        kernel[place * components : (place + 1) * components, :components] = np.eye(components)
        model.window_decoder.set_weights([kernel, np.zeros(size, np.float32)])
        chunks = continue_prompts(
            model, [prompt_of()], [np.random.default_rng(1)], GenerateOptions(residual=0.0, temperature=0.0), 3
        )
        steps = [to_steps(chunk[0], OPTIONS.stack)[:, :components] for chunk in chunks]
        assert [len(part) for part in steps] == [2, 1]
        expected = np.minimum(course[place : place + 3], LOUDEST)
        np.testing.assert_allclose(np.concatenate(steps), expected, atol=1e-5)


def test_the_residual_is_as_wide_as_what_is_missing(played):
    quiet, noisy = (play(played, 64, 64, residual=share) for share in (0.0, 0.7))
    added = np.stack([to_steps(each, OPTIONS.stack) for each in noisy - quiet])
    missing = keras.ops.convert_to_numpy(played.missing)
    assert missing.min() > 0.01
    np.testing.assert_allclose(added.std(axis=(0, 1)), 0.7 * missing, rtol=0.25)
    assert np.abs(np.corrcoef(added[0].ravel(), added[1].ravel())[0, 1]) < 0.1, "each sample has noise of its own"


def test_a_model_without_windows_has_the_weights_that_it_always_had():
    with_windows, without = model_of(), model_of(reach=0)
    latents = np.random.default_rng(0).standard_normal((2, 5, OPTIONS.components)).astype(np.float32)
    assert len(with_windows.weights) == len(without.weights) + 3
    np.testing.assert_array_equal(without.decode(latents), keras.ops.convert_to_numpy(without.decoder(latents)))
    assert play(without, 4, 12).shape == (2, 12 * OPTIONS.stack, CHANNELS, BANDS)


def test_seeds_and_temperature_matter(played):
    assert not np.allclose(play(played, 4, 4, seed=5), play(played, 4, 4, seed=6))
    spread = [np.std([play(played, 4, 4, t, seed) for seed in range(2)], axis=0).mean() for t in (0.0, 1.0)]
    assert spread[0] < spread[1]


def test_a_prompt_matters_and_its_neighbours_do_not(played):
    rngs = [np.random.default_rng(1)]
    alone = next(continue_prompts(played, [prompt_of(30, seed=4)], rngs, GenerateOptions(), 4))
    rngs = [np.random.default_rng(0), np.random.default_rng(1)]
    beside = next(continue_prompts(played, [prompt_of(40), prompt_of(30, seed=4)], rngs, GenerateOptions(), 4))
    np.testing.assert_allclose(alone[0], beside[1], atol=1e-4)
    assert not np.allclose(beside[0], beside[1])


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


def test_the_learning_rate_rises_then_falls():
    options = TrainOptions(learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(position, options) for position in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 10
    assert rates[-1] == pytest.approx(0.02)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_a_blend_remembers_the_mean_of_what_its_voices_leave_behind(played):
    voices = [prompt_of(40), prompt_of(30, seed=4)]
    blend = dataclasses.replace(voices[0], blended=((voices[0], 0.75), (voices[1], 0.25)))
    noise_level = np.full((1, 1), 0.1, np.float32)
    alone = [_encode_prompts(played, [voice], [np.random.default_rng(7)], noise_level) for voice in voices]
    latents, state = _encode_prompts(played, [blend], [np.random.default_rng(7)], noise_level)
    np.testing.assert_allclose(latents, 0.75 * alone[0][0] + 0.25 * alone[1][0], atol=1e-5)
    for mixed, first, second in zip(state, alone[0][1], alone[1][1], strict=True):
        np.testing.assert_allclose(mixed, 0.75 * first + 0.25 * second, atol=1e-5)
