"""`music-composer midi render`, --render and --from-midi as a user runs them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.synth.loudness import TARGET, loudness
from tests.command import TINY, assert_accepted, assert_refused, kill_when, music_composer, without_privileges, write
from tests.command import tune as sines
from tests.journeys.test_evolve_journey import SMALL, tune, write_parts

pytestmark = pytest.mark.journey


def sound_of(path: Path) -> np.ndarray:
    sound, rate = soundfile.read(path)
    assert rate == 44100
    return np.asarray(sound)


def test_files_and_folders_are_rendered_where_they_are_asked_to_be(tmp_path: Path) -> None:
    write_parts(tmp_path / "music" / "a b.mid", tune(12))
    write_parts(tmp_path / "music" / "deeper" / "c.mid", tune(12), tune(6, 1))
    (tmp_path / "music" / "broken.mid").write_bytes(b"MThd")
    one = write_parts(tmp_path / "one.mid", tune(12))
    done = music_composer(
        "midi", "render", "music", one, "-o", "out", "--voice", "nes", "--voice", "piano", cwd=tmp_path
    )
    assert_accepted(done, "left out", "broken.mid", "3 of 4 files")
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav"))
    assert made == ["a b.wav", "deeper/c.wav", "one.wav"]
    for name in made:
        sound = sound_of(tmp_path / "out" / name)
        assert sound.shape[1] == 2
        assert loudness(sound.T.copy(), 44100) == pytest.approx(TARGET, abs=0.2)
        assert np.abs(sound).max() < 1
    assert_accepted(music_composer("midi", "render", "one.mid", cwd=tmp_path))
    assert sound_of(tmp_path / "one.wav").shape == sound_of(tmp_path / "out" / "one.wav").shape
    before = (tmp_path / "one.wav").read_bytes()
    assert_accepted(music_composer("midi", "render", "one.mid", cwd=tmp_path))
    assert (tmp_path / "one.wav").read_bytes() == before


def test_what_evolves_is_rendered_too(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.mid", tune(12))
    done = music_composer("midi", "evolve", "a.mid", *SMALL, "--render", "--voice", "famicom", cwd=tmp_path)
    assert_accepted(done, "2 of 2 files")
    (run,) = (tmp_path / "outputs").iterdir()
    assert sorted(path.stem for path in run.glob("*.wav")) == sorted(path.stem for path in run.glob("output*.mid"))


def test_a_folder_of_midi_files_becomes_recordings_and_a_model_of_them(tmp_path: Path) -> None:
    for seed in range(2):
        write_parts(tmp_path / "scores" / f"{seed}.mid", tune(24, seed))
    own = write(tmp_path / "input_music_dataset" / "0.wav", sines(3)).read_bytes()
    wanted = ("--from-midi", "scores", "--voice", "organ", *TINY, "-s", "0.5", "-g", "1", "--seed", "1")
    assert_accepted(music_composer(*wanted, cwd=tmp_path), "2 of 2 files", "3 recordings")
    assert sound_of(tmp_path / "output-0.wav").shape[1] == 2
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "input_music_dataset").rglob("*.wav")}
    assert sorted(path.name for path in first) == ["0.wav", "0.wav", "1.wav"]
    assert (tmp_path / "input_music_dataset" / "0.wav").read_bytes() == own
    assert_accepted(music_composer("prepare", cwd=tmp_path), "0 prepared")
    _, again = kill_when("trained epochs with", *wanted, cwd=tmp_path)
    assert "0 prepared" in again
    assert first == {path: path.stat().st_mtime_ns for path in (tmp_path / "input_music_dataset").rglob("*.wav")}


def test_a_soundfont_is_played_by_fluidsynth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the program: it writes four seconds of noise where it is told to."""
    write_parts(tmp_path / "a.mid", tune(12))
    (tmp_path / "font.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    program = tmp_path / "bin" / "fluidsynth"
    program.parent.mkdir()
    program.write_text(
        "#!/usr/bin/env python3\nimport sys, wave, random\n"
        "assert sys.argv[-2].endswith('font.sf2') and open(sys.argv[-1], 'rb').read(4) == b'MThd'\n"
        "out = wave.open(sys.argv[sys.argv.index('-F') + 1], 'wb')\n"
        "out.setnchannels(2); out.setsampwidth(2); out.setframerate(44100)\n"
        "out.writeframes(random.Random(1).randbytes(4 * 176400)); out.close()\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert_accepted(music_composer("midi", "render", "a.mid", "--soundfont", "font.sf2", cwd=tmp_path))
    sound = sound_of(tmp_path / "a.wav")
    assert sound.shape == (4 * 44100, 2)
    assert loudness(sound.T.copy(), 44100) == pytest.approx(TARGET, abs=0.2)
    (tmp_path / "b.abc").write_text("X:1\nL:1/4\nK:C\nCEGc|\n")  # fluidsynth reads no notation: it is given MIDI
    assert_accepted(music_composer("midi", "render", "b.abc", "--soundfont", "font.sf2", cwd=tmp_path))
    assert sound_of(tmp_path / "b.wav").shape == (4 * 44100, 2)
    program.write_text(program.read_text().replace("4 * 176400", "176400"))
    short = music_composer("midi", "render", "a.mid", "--soundfont", "font.sf2", cwd=tmp_path)
    assert_refused(short, "a.mid", "fluidsynth wrote 1.0 s of 3.8 s")
    program.write_text("#!/bin/sh\necho 'no such preset' >&2\nexit 3\n")
    failed = music_composer("midi", "render", "a.mid", "--soundfont", "font.sf2", cwd=tmp_path)
    assert_refused(failed, "a.mid", "fluidsynth failed", "no such preset")
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = music_composer("midi", "render", "a.mid", "--soundfont", "font.sf2", cwd=tmp_path)
    assert_refused(missing, "--soundfont needs the program fluidsynth", "leave --soundfont out")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("render", "none.mid"), ("none.mid", "cannot be opened"), 1),
        (("render", "text.mid"), ("text.mid", "no MIDI file"), 1),
        (("render", "silent.mid"), ("silent.mid", "has no notes"), 1),
        (("render", "empty"), ("empty",), 1),
        (("render", "a.mid", "a.mid"), ("a.wav would be written twice",), 1),
        (("render", "a.mid", "--voice", "kazoo"), ("kazoo",), 2),
        (("render", "a.mid", "--voice", "nes", "--soundfont", "b.sf2"), ("exclude each other",), 2),
        (("evolve", "a.mid", "--voice", "nes"), ("do nothing without --render",), 2),
        (("generate", "--soundfont", "b.sf2"), ("do nothing without --render",), 2),
        (("generate", "--render", "-o", "mine"), ("mine-0.wav: already there", "--overwrite"), 1),
        (("--render", "-o", "mine", "-g", "2"), ("mine-0.wav: already there", "--overwrite"), 1),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...], code: int
) -> None:
    write_parts(tmp_path / "a.mid", tune(12))
    write_parts(tmp_path / "silent.mid", [])
    (tmp_path / "text.mid").write_text("Dear diary")
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine-0.wav").write_bytes(b"a recording")
    assert_refused(music_composer("midi", *arguments, cwd=tmp_path), *words, code=code)
    assert [path.read_bytes() for path in tmp_path.rglob("*.wav")] == [b"a recording"]


def test_other_words_of_the_audio_side_are_refused(tmp_path: Path) -> None:
    assert_refused(music_composer("--voice", "nes", cwd=tmp_path), "--voice does nothing without --from-midi", code=2)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    write_parts(tmp_path / "a.mid", tune(12))
    (tmp_path / "locked").mkdir(mode=0o500)
    done = music_composer("midi", "render", "a.mid", "-o", "locked", cwd=tmp_path, before=without_privileges)
    assert_refused(done, "locked", "cannot be written")
