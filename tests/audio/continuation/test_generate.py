"""Continuations of the network: chunks, decoding, residual noise, seeds, prompts and blends."""

import dataclasses
import functools
import itertools

import keras
import numpy as np
import pytest

from music_composer.audio.continuation import generate
from music_composer.audio.continuation.generate import LOUDEST, _encode_prompts, continue_prompts
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.spectrogram import to_steps
from tests.audio.models.small_network import BANDS, CHANNELS, OPTIONS, SIZE, model_of, prompt_of

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def played():
    """A model and its player; each builds its graph once, not for each piece."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SamplingLoop", "PromptEncoder"):
            patch.setattr(generate, name, functools.cache(getattr(generate, name)))
        yield model_of()


def play(model, chunk_steps, steps, temperature=1.0, seed=5, residual=0.7):
    rngs = [np.random.default_rng([seed, i]) for i in range(2)]
    prompts = [prompt_of(40), prompt_of(30, seed=4)]
    options = GenerateOptions(temperature=temperature, residual=residual)
    chunks = continue_prompts(model, prompts, rngs, options, chunk_steps)
    wanted = (steps - model.options.reach) * OPTIONS.frames_per_step  # frames: the last steps lack what follows
    return np.concatenate(list(itertools.islice(chunks, steps // chunk_steps)), axis=1)[:, :wanted]


def test_chunks_of_any_length_play_the_same_music(played):
    whole = play(played, 12, 12)
    assert whole.shape == (2, (12 - OPTIONS.reach) * OPTIONS.frames_per_step, CHANNELS, BANDS)
    for chunk_steps in (4, 1):
        np.testing.assert_allclose(play(played, chunk_steps, 12), whole, atol=1e-4)


def test_what_is_heard_is_decoded_by_what_was_before_the_cut_and_by_what_follows(monkeypatch):
    """With windows that give back the latents of one place in them, the whole course of latents can be read off."""
    model = model_of(reach=1)
    components, size = OPTIONS.components, SIZE
    played = np.random.default_rng(0).standard_normal((1, 4, components)).astype(np.float32)
    monkeypatch.setattr(generate, "_sample_chunks", lambda *args: iter([played[:, :3], played[:, 3:]]))
    ends = model.encoder(to_steps(prompt_of().bands, OPTIONS.frames_per_step))[-1:]
    course = np.concatenate([ends, played[0]])
    for place in range(3):
        kernel = np.zeros((3 * components, size), np.float32)
        kernel[place * components : (place + 1) * components, :components] = np.eye(components)
        model.window_decoder.set_weights([kernel, np.zeros(size, np.float32)])
        chunks = continue_prompts(
            model, [prompt_of()], [np.random.default_rng(1)], GenerateOptions(residual=0.0, temperature=0.0), 3
        )
        steps = [to_steps(chunk[0], OPTIONS.frames_per_step)[:, :components] for chunk in chunks]
        assert [len(part) for part in steps] == [2, 1]
        expected = np.minimum(course[place : place + 3], LOUDEST)
        np.testing.assert_allclose(np.concatenate(steps), expected, atol=1e-5)


def test_the_residual_is_as_wide_as_what_is_missing(played):
    quiet, noisy = (play(played, 64, 64, residual=share) for share in (0.0, 0.7))
    added = np.stack([to_steps(each, OPTIONS.frames_per_step) for each in noisy - quiet])
    missing = keras.ops.convert_to_numpy(played.missing)
    assert missing.min() > 0.01
    np.testing.assert_allclose(added.std(axis=(0, 1)), 0.7 * missing, rtol=0.25)
    assert np.abs(np.corrcoef(added[0].ravel(), added[1].ravel())[0, 1]) < 0.1, "each sample has noise of its own"


def test_a_model_without_windows_has_the_weights_that_it_always_had():
    with_windows, without = model_of(), model_of(reach=0)
    latents = np.random.default_rng(0).standard_normal((2, 5, OPTIONS.components)).astype(np.float32)
    assert len(with_windows.weights) == len(without.weights) + 3
    np.testing.assert_array_equal(without.decode(latents), keras.ops.convert_to_numpy(without.decoder(latents)))
    assert play(without, 4, 12).shape == (2, 12 * OPTIONS.frames_per_step, CHANNELS, BANDS)


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


def test_a_blend_remembers_the_mean_of_what_its_voices_leave_behind(played):
    voices = [prompt_of(40), prompt_of(30, seed=4)]
    blend = dataclasses.replace(voices[0], blended=((voices[0], 0.75), (voices[1], 0.25)))
    noise_level = np.full((1, 1), 0.1, np.float32)
    alone = [_encode_prompts(played, [voice], [np.random.default_rng(7)], noise_level) for voice in voices]
    latents, state = _encode_prompts(played, [blend], [np.random.default_rng(7)], noise_level)
    np.testing.assert_allclose(latents, 0.75 * alone[0][0] + 0.25 * alone[1][0], atol=1e-5)
    for mixed, first, second in zip(state, alone[0][1], alone[1][1], strict=True):
        np.testing.assert_allclose(mixed, 0.75 * first + 0.25 * second, atol=1e-5)
