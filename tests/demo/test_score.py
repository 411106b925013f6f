"""The demonstration's songs as MIDI: the same notes, in their metre, and the same bytes for the same seed."""

import numpy as np
import pytest

from music_composer.demo.composer import compose
from music_composer.demo.score import to_score, write_scores
from music_composer.symbolic.dataset.songs import read_songs
from music_composer.symbolic.midi.midi_file import read_midi
from music_composer.symbolic.roll import to_roll

pytestmark = pytest.mark.journey


def test_every_note_of_a_piece_is_in_its_score():
    piece = compose(np.random.default_rng(1))
    score = to_score(piece)
    assert score.count == len(piece.notes)
    assert {part.name for part in score.parts} <= {voice.name for voice in piece.voices}
    assert score.metres == ((0, piece.metre, 4),) and score.tempos == ((0, piece.tempo),)
    assert score.ticks == piece.bars * piece.metre * score.resolution
    roll = to_roll(score)
    for note in piece.notes:
        assert roll.onset[round(4 * note.start), note.pitch]


def test_a_corpus_has_several_keys_and_metres_and_can_be_read(tmp_path):
    paths = write_scores(tmp_path, seed=1, count=12)
    songs, remarks = read_songs(tmp_path)
    assert len(songs) == 12 and remarks == []
    assert {song.roll.metres[0][1] for song in songs} == {3, 4}
    assert all(len(read_midi(path).score.parts) in (3, 4) for path in paths)
    again = write_scores(tmp_path / "again", seed=1, count=3)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths[:3]]


def test_the_demonstration_leaves_a_page_with_its_models(tmp_path, monkeypatch):
    """With one model, since each builds about six graphs."""
    from music_composer.pipelines.symbolic import demo
    from music_composer.symbolic.options import JudgeOptions

    tiny = {name: ({"neurons": 8}, {"epochs": 1}) for name in ["pianoroll"]}
    monkeypatch.setattr(demo, "PIECES", 4)
    monkeypatch.setattr(demo, "MODELS", tiny)
    monkeypatch.setattr(demo, "NEW_STEPS", 16)
    monkeypatch.setattr(demo, "JUDGED", JudgeOptions(count=1, steps=64))
    page = demo.run_demo(tmp_path / "demo", seed=1).read_text()
    for name in tiny:
        assert f"{name}/piece-0.png" in page
        assert (tmp_path / "demo" / name / "piece-1.mid").exists()
        assert (tmp_path / "demo" / name / "scorecard" / "scorecard.html").exists()
