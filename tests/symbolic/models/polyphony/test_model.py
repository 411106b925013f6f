"""The likelihood is causal and covers whole pieces, and playing follows it."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.polyphony.batches import EventLoader, event_inputs, to_piece
from music_composer.symbolic.models.polyphony.events import END, NEW, STEP_END, to_events, to_roll
from music_composer.symbolic.models.polyphony.model import PolyphonyModel, step_inputs
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll
from tests.symbolic.rolls import random_roll, rolls, without

pytestmark = pytest.mark.journey

SMALL = PolyphonyOptions(neurons=8, layers=2, embedding=8, dropout=0.0)
MODEL = PolyphonyModel()
EVERY = np.ones(128, bool)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(1)
    model = MODEL.build(SMALL)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.5, np.shape(mask)) for mask in model.get_weights()])
    return model


player_of = functools.cache(MODEL.player)  # one graph for all that a model plays


def play(model, constraint_sets, seeds=None, **options):
    seeds = seeds or range(len(constraint_sets))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    return MODEL.generate(player_of(model), constraint_sets, PlayOptions(**options), rngs)


def blank(steps):
    none = np.zeros((steps, 128), np.uint8)
    return Roll(none, none.astype(bool))


def free(steps, max_polyphony=0, pitches=EVERY):
    return Constraints(blank(steps), np.ones(steps, bool), pitches, max_polyphony)


def test_log_probs_are_a_distribution_over_possible_events(model):
    previous, _, active_before, key_history, _, _ = (
        each[None] for each in event_inputs(to_piece(random_roll(1), SMALL), 0, 60)
    )
    hidden = np.random.default_rng(0).normal(size=(1, 60, SMALL.neurons)).astype(np.float32)
    shares = np.exp(np.asarray(model.log_probs(hidden, previous, active_before, model.tonality.features(key_history))))[
        0
    ]
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (shares[:, 0] == 0).all()
    assert (shares[:, STEP_END] > 0).all()
    assert ((shares[:, END] > 0) == (previous[0] < NEW)).all()
    for event, row in zip(previous[0], shares, strict=True):
        last = (event - NEW) % 128 if event >= NEW else 128
        assert (row[NEW + last : NEW + 128] == 0).all() and (row[NEW : NEW + last] > 0).all()


@settings(max_examples=30, deadline=None)
@given(roll=rolls(steady=True))
def test_every_piece_has_a_likelihood(model, roll):
    (steps,) = MODEL.likelihood(model, [roll])
    assert len(steps) == roll.steps and np.isfinite(steps).all()
    # As possible as any: no event of a piece is one that the model excludes.
    assert steps.min(initial=0) > -1e4


def test_no_later_step_changes_an_earlier_term(model):
    whole = random_roll(3, 24)
    cut = Roll(whole.velocity[:12], whole.onset[:12], metres=whole.metres)
    long, short = MODEL.likelihood(model, [whole, cut])
    assert short[:11] == pytest.approx(long[:11], abs=1e-4)


def test_a_window_is_the_piece_from_there_on():
    piece = to_piece(random_roll(4), SMALL)
    events = to_events(random_roll(4))
    previous, target, active_before, _, _, mask = event_inputs(piece, 5, 8)
    assert previous.tolist() == events[5:13].tolist() and target.tolist() == events[6:14].tolist()
    assert mask.all()
    step = (events[:13] == STEP_END).sum()
    assert np.array_equal(active_before[-1] > 0, random_roll(4).active[step - 1])
    *_, mask = event_inputs(piece, len(events) - 3, 8)
    assert mask.tolist() == [1, 1, 0, 0, 0, 0, 0, 0]


def test_an_epoch_covers_every_event_and_transposes():
    pieces = [to_piece(random_roll(seed, 60), SMALL) for seed in range(5)]
    loader = EventLoader(pieces, pieces[:2], 2, 16, SMALL)
    batches = [batch for (batch,) in loader.epoch(1, 0, 0)]
    assert len(batches) == loader.batches
    again = [batch for (batch,) in loader.epoch(1, 0, 2)]
    assert all(np.array_equal(one, other) for one, other in zip(batches[2], again[0], strict=True))
    key_history = np.concatenate([target[mask > 0] for _, target, *_, mask in batches])
    assert (key_history == END).sum() >= 5
    validation = [batch for batch, _ in loader.held_out()]
    targets = np.concatenate([target[mask > 0] for _, target, *_, mask in validation])
    assert np.array_equal(np.sort(targets), np.sort(np.concatenate([piece.events[1:] for piece in pieces[:2]])))
    shifts = {piece.shifted(shift).events.max() for piece in pieces[:1] for shift in (-4, 0, 4)}
    assert len(shifts) == 3


@pytest.mark.parametrize("task", ["harmonise", "infill", "go on"])
def test_every_fixed_note_is_kept_in_200_random_cases(model, task):
    constraint_sets = []
    for seed in range(200):
        roll, gap = random_roll(seed), np.ones(24, bool)
        if task == "infill":
            gap = (np.arange(24) >= 8) & (np.arange(24) < 16)
            roll = without(roll, gap)
        if task == "go on":
            roll = lengthened(random_roll(seed, 16), 8)
            gap = np.arange(24) >= 16
        constraint_sets.append(Constraints(roll, gap, EVERY))
    more = 0
    for made, constraints in zip(play(model, constraint_sets, drafts=1), constraint_sets, strict=True):
        kept = constraints.fixed
        assert (made.active | ~kept.active).all()
        assert np.array_equal(made.active[~constraints.editable], kept.active[~constraints.editable])
        assert np.array_equal(made.onset & kept.active, kept.onset)
        more += int((made.active & ~kept.active).sum())
    assert more > 200


def test_allowed_pitches_and_polyphony_are_kept(model):
    pitches = np.isin(np.arange(128) % 12, (0, 2, 4, 5, 7, 9, 11)) & (np.arange(128) > 40)
    for made in play(model, [free(16, max_polyphony=3, pitches=pitches)] * 20):
        assert made.active.sum(axis=1).max() <= 3
        assert not made.active[:, ~pitches].any()
        assert made.active.any()


def test_played_music_round_trips_as_events(model):
    for made in play(model, [free(12)] * 5):
        again = to_roll(to_events(made))
        assert np.array_equal(again.active, made.active[: again.steps])
        assert np.array_equal(again.onset, made.onset[: again.steps])


def test_playing_and_likelihood_are_the_same_model(model):
    """With all notes fixed and nothing else allowed, the log mass of a step is its likelihood."""
    roll = random_roll(5, 30)
    kept = Constraints(roll, np.ones(roll.steps, bool), np.zeros(128, bool))
    player = player_of(model)
    step_arrays = [each[None] for each in step_inputs(kept, SMALL)]
    uniform = np.zeros((1, roll.steps, player.max_events), np.float32)
    sampling = np.array([[1, 0, 0]], np.float32)
    steps = player.predict_on_batch([uniform, *step_arrays, sampling, player.initial_state(1)])
    _, onset = steps.outputs
    assert onset[0][:, :128].sum() == to_roll(to_events(roll)).onset.sum()
    (log_prob,) = MODEL.likelihood(model, [roll])
    assert steps.log_mass[0, :-1] == pytest.approx(
        log_prob[:-1], rel=1e-4, abs=1e-3
    )  # that the piece ends is said with the last


def test_frequencies_of_first_events_match_their_probability(model):
    from music_composer.layers.lstm import silent_state

    made = play(model, [free(1)] * 1000)
    silent = np.mean([not roll.active.any() for roll in made])
    previous, _, active_before, key_history, clock, _ = (
        each[None, :1] for each in event_inputs(to_piece(blank(1), SMALL), 0, 1)
    )
    log_probs, _ = model.step(
        previous[0],
        active_before[0],
        model.tonality.features(key_history[0]),
        clock[0],
        tuple(silent_state(model.lstms, 1)),
    )
    shares = np.exp(np.asarray(log_probs)[0])
    assert silent == pytest.approx(shares[STEP_END] / (1 - shares[END]), abs=0.03)


def test_a_sample_depends_on_its_seed_alone(model):
    together, alone = play(model, [free(10)] * 3, [4, 5, 6]), play(model, [free(10)], [5])
    assert np.array_equal(together[1].velocity, alone[0].velocity)
    assert not np.array_equal(together[0].velocity, together[2].velocity)
