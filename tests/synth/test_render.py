"""Scores as sound: when, where and how loud notes are."""

import numpy as np
import pytest

from music_composer.cli.render import VOICES
from music_composer.errors import OptionError, ScoreError
from music_composer.synth import parts, room
from music_composer.synth.loudness import loudness
from music_composer.synth.parts import CACHED, Cache, PartPlayer
from music_composer.synth.render import RATE, TAIL_SECONDS, check_length, render, render_blocks, seconds_at
from music_composer.synth.scratch import Scratch
from music_composer.synth.timeline import timeline_of
from music_composer.values import NOTE, Part, Score

pytestmark = pytest.mark.journey


def part_of(*notes, **more):
    """(start, stop, pitch) in quarters."""
    rows = [(round(480 * start), round(480 * stop), pitch, 90) for start, stop, pitch in notes]
    return Part(np.array(rows, NOTE), **more)


def test_times_follow_the_tempo_map():
    score = Score((part_of((0, 8, 60)),), 480, ((0, 120.0), (960, 60.0), (1920, 240.0)))
    assert seconds_at(score, np.array([0, 480, 960, 1440, 1920, 2400])) == pytest.approx([0, 0.5, 1, 2, 3, 3.25])


def test_notes_sound_at_their_times_and_the_tail_decays():
    score = Score((part_of((2, 3, 69)),), tempos=((0, 60.0),))
    sound = render(score, ["organ"]).samples
    assert sound.shape == (round((3 + TAIL_SECONDS) * RATE), 2)
    assert np.abs(sound[: 2 * RATE - 10]).max() < 1e-5
    assert np.std(sound[2 * RATE : 3 * RATE]) > 20 * np.std(sound[4 * RATE :])


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_is_deterministic_and_stereo(voice):
    score = Score((part_of((0, 1, 72), (1, 2, 76)), part_of((0, 2, 40), program=33), part_of((0, 1, 36), drums=True)))
    one, two = (render(score, [voice]) for _ in range(2))
    assert one.rate == RATE
    assert one.samples.dtype == np.float32
    assert np.array_equal(one.samples, two.samples)
    assert 0.1 < np.abs(one.samples).max() < 1
    assert not np.allclose(one.samples[:, 0], one.samples[:, 1])


def test_parts_are_panned_apart():
    left, right = part_of((0, 2, 64)), part_of((2, 4, 64))
    power = (render(Score((left, right), tempos=((0, 60.0),)), ["nes"]).samples ** 2).reshape(-1, 2)
    first, second = power[: 2 * RATE].sum(axis=0), power[2 * RATE : 4 * RATE].sum(axis=0)
    assert first[0] > 2 * first[1]
    assert second[1] > 2 * second[0]


def test_all_layers_are_audible():
    score = Score((part_of((0, 2, 57)),), tempos=((0, 60.0),))
    spectra = [np.abs(np.fft.rfft(render(score, voices).samples[: 2 * RATE].mean(axis=1)))
               for voices in (["flute"], ["nes"], ["flute", "nes"])]  # fmt: skip
    high = [each[20000:].max() / each.max() for each in spectra]
    assert high[0] < 0.01 * high[2]
    assert high[2] < high[1]


def test_the_lowest_part_of_a_console_is_a_triangle():
    """Even partials: a square's and a triangle's are missing, a quarter pulse's are not."""
    low, high, middle = part_of((0, 2, 45)), part_of((4, 6, 81)), part_of((8, 10, 69))
    sound = render(Score((high, low, middle), tempos=((0, 60.0),)), ["nes"]).samples.mean(axis=1)
    third = []
    for start, hz in ((0, 110), (4, 880)):
        power = np.abs(np.fft.rfft(sound[start * RATE : (start + 1) * RATE] * np.hanning(RATE)))
        third.append(power[3 * hz - 3 : 3 * hz + 4].max() / power[hz - 3 : hz + 4].max())
    assert third[0] == pytest.approx(1 / 9, rel=0.1)  # a triangle
    assert third[1] == pytest.approx(1 / 3, rel=0.1)  # a square


def test_notes_without_length_and_at_the_ends_of_the_range_sound():
    score = Score((part_of((0, 0.002, 0), (1, 1.002, 127), (2, 2.002, 60)),))
    assert np.isfinite(render(score, ["strings"]).samples).all()


def long_score(quarters, seed=0):
    """Notes of a second, and one that lasts throughout, at 60 quarter notes a minute."""
    pitches = np.random.default_rng(seed).integers(40, 90, quarters)
    notes = ((at, at + 1, pitch) for at, pitch in enumerate(pitches))
    return Score((part_of(*notes), part_of((0, quarters, 50))), tempos=((0, 60.0),))


@pytest.mark.parametrize("voice", ["auto", "famicom", "organ"])
def test_blocks_equal_the_whole(voice, monkeypatch):
    """Transforms of the room differ in their last bits; without a room the sound is equal."""
    score = long_score(16)
    whole = render(score, [voice]).samples
    real = room._transform
    monkeypatch.setattr(room, "_transform", lambda samples, response: real(10**9, response))
    blocks = list(render_blocks(score, [voice]))
    assert len(blocks) > 1
    assert np.abs(np.concatenate(blocks) - whole).max() < 1e-5
    monkeypatch.setattr(room, "_transform", lambda samples, response: (50_000, 131_072))
    small = list(render_blocks(score, [voice]))
    assert len(small) == -(-len(whole) // 50_000)
    assert np.abs(np.concatenate(small) - whole).max() < 1e-5


def dry_blocks(score, size, samples, remembered=CACHED, tone="strings"):
    cache = Cache(remembered)
    players = [PartPlayer(part, timeline_of(score, part), tone, 0.1, RATE, cache) for part in score.parts]
    made = []
    for begin in range(0, samples, size):
        made.append(np.zeros((2, min(size, samples - begin)), np.float32))
        for player in players:
            player.add(made[-1], begin)
    return np.concatenate(made, axis=1)


@pytest.mark.parametrize(("size", "remembered"), [(333, CACHED), (44100, 1), (200_000, 1)])
def test_notes_are_the_same_in_blocks_of_any_size(size, remembered):
    """With a cache, and without one, where every block renders its notes again."""
    score, samples = long_score(15), 16 * RATE
    assert np.array_equal(dry_blocks(score, size, samples, remembered), dry_blocks(score, samples, samples))


@pytest.mark.parametrize("tone", ["strings", "organ", "piano"])
def test_long_notes_are_made_in_segments_that_fit(tone, monkeypatch):
    score, samples = long_score(8), 9 * RATE
    whole = dry_blocks(score, samples, samples, tone=tone)
    monkeypatch.setattr(parts, "SEGMENT", 256 * 50)
    assert np.abs(dry_blocks(score, 70_000, samples, tone=tone) - whole).max() < 1e-6


def test_memory_is_independent_of_the_length_of_the_score(tmp_path, monkeypatch):
    """Counts samples in memory: of the mix, of the cache, and of a block."""
    most = {"cache": 0, "scratch": 0, "block": 0}
    put, append = Cache.put, Scratch.append

    def counted_put(self, key, sound):
        put(self, key, sound)
        most["cache"] = max(most["cache"], self.samples)

    def counted_append(self, block):
        append(self, block)
        most["scratch"], most["block"] = max(most["scratch"], self.held), max(most["block"], block.nbytes)

    monkeypatch.setattr(Cache, "put", counted_put)
    monkeypatch.setattr(Scratch, "append", counted_append)
    monkeypatch.setattr(Cache.__init__, "__defaults__", (2**20,))
    monkeypatch.setattr(Scratch.__init__, "__defaults__", (6_000_000,))
    for quarters in (60, 240):
        blocks = render_blocks(long_score(quarters), ["nes"], folder=tmp_path)
        assert sum(map(len, blocks)) == round((quarters + TAIL_SECONDS) * RATE)
        assert 0 < most["scratch"] <= 6_000_000  # bytes: one or two blocks
        assert 0 < most["cache"] <= 2**20
        assert most["block"] < 5_000_000
    assert not list(tmp_path.iterdir())


def test_silence_is_not_stored(monkeypatch):
    """Two minutes of silence between two notes would be 42 MB."""
    score = Score((part_of((0, 1, 60), (120, 121, 60)),), tempos=((0, 60.0),))
    held, append = [], Scratch.append

    def counted(self, block):
        append(self, block)
        held.append(self.held)

    monkeypatch.setattr(Scratch, "append", counted)
    blocks = render_blocks(score)
    assert np.abs(next(blocks)).max() > 0.1
    assert held[-1] < 15_000_000


@pytest.mark.parametrize("in_memory", [0, 1000, 10**9])
def test_scratch_round_trips(tmp_path, in_memory):
    rng = np.random.default_rng(0)
    blocks = [np.zeros((2, 50), np.float32), *rng.standard_normal((3, 2, 100)).astype(np.float32)]
    with Scratch(tmp_path, in_memory) as scratch:
        for block in blocks:
            scratch.append(block)
        for _ in range(2):
            assert all(np.array_equal(one, two) for one, two in zip(scratch, blocks, strict=True))
        assert scratch.held <= in_memory


def test_a_cache_drops_the_least_recently_used():
    cache = Cache(limit=25)
    for key in "abcd":
        cache.put((key,), np.zeros(10))
        cache.get(("a",))
    assert [key for key in "abcd" if cache.get((key,)) is not None] == ["a", "d"]
    assert cache.samples == 20
    assert CACHED * 4 < 100e6


@pytest.mark.parametrize("voices", [["kazoo"], ["nes", "Piano"], []])
def test_unknown_voices_are_refused_by_name(voices):
    with pytest.raises(OptionError, match="auto, piano, .*famicom"):
        render(Score((part_of((0, 1, 60)),)), voices)


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score((part_of((0, 1, 60), (10**6, 10**6 + 1, 60)),)), "would last 138.9 hours"),
        (Score((part_of((0, 2**50, 60)),), 1), "would last"),
        (Score((Part(part_of((0, 0.1, 60)).notes[np.zeros(1_000_001, int)]),)), "holds 1000001 notes"),
        (Score((part_of(*((at, 9000, at % 128) for at in range(500))),), tempos=((0, 60.0),)), "holds its notes"),
    ],
)
def test_scores_of_days_are_refused_at_once(score, words, monkeypatch):
    monkeypatch.setattr(parts, "render_note", None)
    for call in (render, render_blocks, check_length):
        with pytest.raises(ScoreError, match=words):
            call(score)


def test_a_score_without_notes_is_silence():
    assert not render(Score(())).samples.any()
    assert loudness(render(Score((part_of((0, 1, 60)),))).samples.T, RATE) == pytest.approx(-16, abs=0.2)
