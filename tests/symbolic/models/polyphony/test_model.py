"""The likelihood is one of whole pieces, no later event changes an earlier term, and what is played is what it says."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings

from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.polyphony import model as composer
from music_composer.symbolic.models.polyphony.batches import EventLessons, event_inputs, to_lesson
from music_composer.symbolic.models.polyphony.events import END, NEW, STEP_END, to_events, to_roll
from music_composer.symbolic.options import PlayOptions, PolyphonyOptions
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.models.voices.test_bounds import random_roll
from tests.symbolic.rolls import rolls, without

pytestmark = pytest.mark.journey

SMALL = PolyphonyOptions(neurons=8, layers=2, embedding=8, dropout=0.0)
EVERY = np.ones(128, bool)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(1)
    model = composer.build(SMALL)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, np.shape(weight)) for weight in model.get_weights()])
    return model


player_of = functools.cache(composer.player)  # one graph for all that a model plays


def play(model, requests, seeds=None, **options):
    seeds = seeds or range(len(requests))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return composer.play(player_of(model), requests, PlayOptions(**options), rngs)


def blank(steps):
    none = np.zeros((steps, 128), np.uint8)
    return Roll(none, none.astype(bool))


def free(steps, fullest=0, pitches=EVERY):
    return Request(blank(steps), np.ones(steps, bool), pitches, fullest)


def test_what_comes_next_is_a_distribution_over_what_can_come(model):
    told, _, sounded, heard, _, _ = (each[None] for each in event_inputs(to_lesson(random_roll(1), SMALL), 0, 60))
    hidden = np.random.default_rng(0).normal(size=(1, 60, SMALL.neurons)).astype(np.float32)
    shares = np.exp(np.asarray(model.weighed(hidden, told, sounded, model.tonality.known(heard))))[0]
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (shares[:, 0] == 0).all()
    assert (shares[:, STEP_END] > 0).all()
    assert ((shares[:, END] > 0) == (told[0] < NEW)).all()
    for event, row in zip(told[0], shares, strict=True):
        last = (event - NEW) % 128 if event >= NEW else 128
        assert (row[NEW + last : NEW + 128] == 0).all() and (row[NEW : NEW + last] > 0).all()


@settings(max_examples=30, deadline=None)
@given(roll=rolls(steady=True))
def test_every_piece_has_a_likelihood(model, roll):
    (steps,) = composer.likelihood(model, [roll])
    assert len(steps) == roll.steps and np.isfinite(steps).all()
    # As possible as any: no event of a piece is one that the model excludes.
    assert steps.min(initial=0) > -1e4


def test_no_later_step_changes_an_earlier_term(model):
    whole = random_roll(3, 24)
    cut = Roll(whole.velocity[:12], whole.struck[:12], metres=whole.metres)
    long, short = composer.likelihood(model, [whole, cut])
    assert short[:11] == pytest.approx(long[:11], abs=1e-4)


def test_a_window_is_the_piece_from_there_on():
    piece = to_lesson(random_roll(4), SMALL)
    events = to_events(random_roll(4))
    told, target, sounded, _, _, weight = event_inputs(piece, 5, 8)
    assert told.tolist() == events[5:13].tolist() and target.tolist() == events[6:14].tolist()
    assert weight.all()
    step = (events[:13] == STEP_END).sum()
    assert np.array_equal(sounded[-1] > 0, random_roll(4).sounding[step - 1])
    *_, weight = event_inputs(piece, len(events) - 3, 8)
    assert weight.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_an_epoch_hears_every_event_once_and_transposed():
    pieces = [to_lesson(random_roll(seed, 60), SMALL) for seed in range(5)]
    lessons = EventLessons(pieces, pieces[:2], 2, 16, SMALL)
    batches = [batch for (batch,) in lessons.epoch(1, 0, 0)]
    assert len(batches) == lessons.batches
    again = [batch for (batch,) in lessons.epoch(1, 0, 2)]
    assert all(np.array_equal(one, other) for one, other in zip(batches[2], again[0], strict=True))
    heard = np.concatenate([target[weight > 0] for _, target, *_, weight in batches])
    assert (heard == END).sum() >= 5
    judged = [batch for batch, _ in lessons.held_out()]
    asked = np.concatenate([target[weight > 0] for _, target, *_, weight in judged])
    assert np.array_equal(np.sort(asked), np.sort(np.concatenate([piece.events[1:] for piece in pieces[:2]])))
    shifts = {piece.shifted(shift).events.max() for piece in pieces[:1] for shift in (-4, 0, 4)}
    assert len(shifts) == 3


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_note_that_is_locked_is_kept_in_200_random_cases(model, task):
    requests = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "infill":
            gap = (np.arange(24) >= 8) & (np.arange(24) < 16)
            roll = without(roll, gap)
        if task == "go on":
            roll = lengthened(random_roll(seed, 16), 8)
            gap = np.arange(24) >= 16
        requests.append(Request(roll, gap, EVERY))
    more = 0
    for made, request in zip(play(model, requests, drafts=1), requests, strict=True):
        kept = request.kept
        assert (made.sounding | ~kept.sounding).all()
        assert np.array_equal(made.sounding[~request.open_steps], kept.sounding[~request.open_steps])
        assert np.array_equal(made.struck & kept.sounding, kept.struck)
        more += int((made.sounding & ~kept.sounding).sum())
    assert more > 200


def test_pitches_and_polyphony_are_kept_to(model):
    pitches = np.isin(np.arange(128) % 12, (0, 2, 4, 5, 7, 9, 11)) & (np.arange(128) > 40)
    for made in play(model, [free(16, fullest=3, pitches=pitches)] * 20):
        assert made.sounding.sum(axis=1).max() <= 3
        assert not made.sounding[:, ~pitches].any()
        assert made.sounding.any()


def test_what_is_played_can_be_written_as_events(model):
    for made in play(model, [free(12)] * 5):
        again = to_roll(to_events(made))
        assert np.array_equal(again.sounding, made.sounding[: again.steps])
        assert np.array_equal(again.struck, made.struck[: again.steps])


def test_step_by_step_and_whole_pieces_are_the_same_model(model):
    """With all that sounds locked and nothing else allowed, a step is drawn from the share of its own likelihood."""
    roll = random_roll(5, 30)
    kept = Request(roll, np.ones(roll.steps, bool), np.zeros(128, bool))
    player = player_of(model)
    by_step = [each[None] for each in composer._by_step(kept, SMALL)]
    draws = np.zeros((1, roll.steps, player.most), np.float32)
    taste = np.array([[1, 0, 0]], np.float32)
    *_, struck, shares, _ = player.predict_on_batch([draws, *by_step, taste, *player.initial_state(1)])[:4]
    assert struck[0][:, :128].sum() == to_roll(to_events(roll)).struck.sum()
    (likely,) = composer.likelihood(model, [roll])
    assert shares[0, :-1] == pytest.approx(likely[:-1], rel=1e-4, abs=1e-3)  # that the piece ends is said with the last


def test_first_notes_come_as_often_as_they_are_likely(model):
    from music_composer.layers.lstm import silent_state

    made = play(model, [free(1)] * 1000)
    silent = np.mean([not roll.sounding.any() for roll in made])
    told, _, sounded, heard, clock, _ = (each[None, :1] for each in event_inputs(to_lesson(blank(1), SMALL), 0, 1))
    weighed, _ = model.listen_step(
        told[0], sounded[0], model.tonality.known(heard[0]), clock[0], silent_state(model.lstms, 1)
    )
    shares = np.exp(np.asarray(weighed)[0])
    assert silent == pytest.approx(shares[STEP_END] / (1 - shares[END]), abs=0.03)


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)
