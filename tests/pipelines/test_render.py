"""Rendering of many files in one process: whose WAVs are replaced, what is said, and what one file may do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from music_composer import parallel
from music_composer.context import Context
from music_composer.errors import MusicComposerError, OptionError, ScoreError
from music_composer.files import outputs
from music_composer.files.atomic import PART
from music_composer.parallel import Died, Failed
from music_composer.pipelines import render as render_midi
from music_composer.pipelines.render import render_files
from music_composer.pipelines.requests import RenderRequest
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.synth import render as synth_render
from music_composer.synth.options import RenderOptions
from music_composer.synth.render import render
from music_composer.values import NOTE, Part, Score

pytestmark = pytest.mark.journey

NES = RenderOptions(("nes",))


def midi(path: Path, *pitches: int, quarters: int = 1) -> Path:
    """Notes of `quarters`, one after the other."""
    step = 480 * quarters
    notes = np.array([(step * at, step * (at + 1), pitch, 90) for at, pitch in enumerate(pitches or (60,))], NOTE)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(Score((Part(notes),)), path)
    return path


def run(*files: Path, output: Path | None = None, options: RenderOptions = NES) -> tuple[list[Path], str]:
    said: list[str] = []
    return render_files(RenderRequest(files, output, options), Context(said.append)), "\n".join(said)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """All in this process, where faults can be put in."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


def parts_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if PART.fullmatch(path.name)]


def test_a_wav_is_the_score_and_has_a_json_that_names_it(tmp_path: Path) -> None:
    source = midi(tmp_path / "song.mid", 60, 64)
    ((wav,), _) = run(source)
    sound, rate = soundfile.read(wav, dtype="float32")
    expected = render(Score((Part(np.array([(0, 480, 60, 90), (480, 960, 64, 90)], NOTE)),)), ["nes"])
    assert rate == expected.rate
    assert np.abs(sound - expected.samples).max() <= 2**-15
    plain = json.loads((tmp_path / "song.json").read_text())
    assert plain["files"] == {"song.wav": wav.stat().st_size}
    assert plain["rendered"]["source"] == str(source)
    assert plain["rendered"]["voices"] == ["nes"]


def test_wavs_of_ours_are_replaced_and_others_are_refused_by_name(tmp_path: Path) -> None:
    one, two = midi(tmp_path / "one.mid", 60), midi(tmp_path / "two.mid", 60)
    (tmp_path / "one.wav").write_bytes(b"my recording")
    written, said = run(one, two)
    assert written == [tmp_path / "two.wav"]
    assert "left out" in said
    assert f"{tmp_path / 'one.wav'}: already there" in said
    assert (tmp_path / "one.wav").read_bytes() == b"my recording"
    assert not (tmp_path / "one.json").exists()
    with pytest.raises(MusicComposerError, match="one.wav.*--overwrite"):
        run(one)
    assert run(one, options=RenderOptions(("nes",), overwrite=True))[0] == [tmp_path / "one.wav"]
    first = (tmp_path / "one.wav").read_bytes()
    run(one, options=RenderOptions(("organ",)))  # ours now
    assert (tmp_path / "one.wav").read_bytes() != first
    with (tmp_path / "one.wav").open("ab") as file:
        file.write(b"edited")
    with pytest.raises(MusicComposerError, match="one.wav"):
        run(one)


def test_what_comes_out_as_it_was_is_not_written_again(tmp_path: Path) -> None:
    source = midi(tmp_path / "song.mid")
    run(source)
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path / "song.wav", tmp_path / "song.json")]
    run(source)
    after = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in (tmp_path / "song.wav", tmp_path / "song.json")]
    assert before == after
    run(midi(source, 61))
    assert (tmp_path / "song.wav").stat().st_ino != before[0][1]


def test_a_json_of_ours_keeps_what_it_says_and_one_of_others_is_left_alone(tmp_path: Path) -> None:
    """`midi generate --render` writes output-0.mid, its JSON, and then the WAV."""
    with outputs.staged(tmp_path / "a-0.json") as files:
        midi(files.file("a-0.mid"))
        files.commit({"seed": 5})
    run(tmp_path / "a-0.mid")
    plain = json.loads((tmp_path / "a-0.json").read_text())
    assert plain["seed"] == 5
    assert set(plain["files"]) == {"a-0.mid", "a-0.wav"}
    (tmp_path / "b.json").write_text('{"mine": 1}')
    source = midi(tmp_path / "b.mid")
    for _ in range(2):
        run(source)
        assert (tmp_path / "b.json").read_text() == '{"mine": 1}'
        assert json.loads((tmp_path / "b.wav.json").read_text())["files"] == {
            "b.wav": (tmp_path / "b.wav").stat().st_size
        }


def test_remarks_of_the_reader_are_said_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = midi(tmp_path / "one.mid"), midi(tmp_path / "two.mid")
    real = render_midi.read_score

    def read(path: Path) -> render_midi.Reading:
        return render_midi.Reading(real(path).score, ("3 notes were mended",) if path == two else ())

    monkeypatch.setattr(render_midi, "read_score", read)
    said = run(one, two)[1]
    assert f"note: {two}: 3 notes were mended" in said
    assert f"note: {one}" not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "needs more memory than there is"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
        (ScoreError("odd"), "odd"),
    ],
)
def test_one_file_never_stops_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    files = [midi(tmp_path / f"{name}.mid") for name in "abc"]
    real = render_midi.read_score

    def read(path: Path) -> render_midi.Reading:
        if path == files[1]:
            raise error
        return real(path)

    monkeypatch.setattr(render_midi, "read_score", read)
    written, said = run(*files)
    assert written == [tmp_path / "a.wav", tmp_path / "c.wav"]
    assert f"note: left out: {files[1]}: " in said
    assert words in said
    with pytest.raises(ScoreError, match=words):
        run(files[1])


def test_an_error_in_the_middle_leaves_nothing_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = midi(tmp_path / "song.mid")
    run(source)
    before = (tmp_path / "song.wav").read_bytes()

    def broken(*_: object, **__: object) -> object:
        yield np.zeros((1000, 2), np.float32)
        raise KeyboardInterrupt

    monkeypatch.setattr(render_midi, "render_blocks", broken)
    with pytest.raises(KeyboardInterrupt):
        run(source)
    assert (tmp_path / "song.wav").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song.json", "song.mid", "song.wav"]


def test_a_score_that_is_too_long_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth_render, "MAX_HOURS", 0.001)
    long = midi(tmp_path / "long.mid", *range(60, 80))
    written, said = run(long, midi(tmp_path / "short.mid"))
    assert written == [tmp_path / "short.wav"]
    assert f"{long}: would last 0.0 hours: at most 0.001 are rendered" in said
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScoreError, match="^long.mid: would last"):
        run(Path("long.mid"))


def test_voices_are_checked_before_anything_is_read() -> None:
    with pytest.raises(OptionError, match="kazoo.*auto, piano"):
        run(Path("none.mid"), options=RenderOptions(("kazoo",)))


def test_files_of_a_folder_that_share_a_name_are_not_the_end_of_it(tmp_path: Path) -> None:
    midi(tmp_path / "in" / "a.mid")
    midi(tmp_path / "in" / "a.midi")
    midi(tmp_path / "in" / "b.mid")
    (tmp_path / "empty").mkdir()
    written, said = run(tmp_path / "in", tmp_path / "empty", output=tmp_path / "out")
    assert written == [tmp_path / "out" / "a.wav", tmp_path / "out" / "b.wav"]
    assert f"{tmp_path / 'in' / 'a.midi'}: {written[0]} is made of {tmp_path / 'in' / 'a.mid'} already" in said
    assert f"{tmp_path / 'empty'} has no MIDI files in it" in said


def test_a_wav_is_never_made_over_what_it_is_made_from(tmp_path: Path) -> None:
    source = midi(tmp_path / "odd.wav")
    with pytest.raises(MusicComposerError, match="odd.wav would be replaced by what is made from it"):
        run(source, options=RenderOptions(("nes",), overwrite=True))


def test_a_file_whose_process_is_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = midi(tmp_path / "one.mid"), midi(tmp_path / "two.mid")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    class Dying:
        """One job is done here, the other's process is killed."""

        def __init__(self, workers: int) -> None:
            assert workers == 2

        def run(self, work: Any, jobs: Any, done: Any, *_: Any) -> None:
            done(1, Failed(Died(-9)))
            done(0, work(*jobs[0]))

    monkeypatch.setattr(parallel, "Processes", Dying)
    written, said = run(one, two)
    assert written == [tmp_path / "one.wav"]
    assert f"left out: {two}: its process was killed" in said


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent_and_leave_nothing_torn(tmp_path: Path, number: int) -> None:
    """Whatever ends it: Ctrl-C, the system, or a kill that it cannot answer."""
    files = [midi(tmp_path / f"{name}.mid", *range(40, 80), quarters=20) for name in "abcd"]
    code = (
        "import sys; from pathlib import Path; from music_composer.pipelines import render as render_midi\n"
        "from music_composer.pipelines.requests import RenderRequest\n"
        "if __name__ == '__main__':\n"
        "    render_midi.render_files(RenderRequest(tuple(Path(each) for each in sys.argv[1:])))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, script, *files], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while len(parts_in(tmp_path)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(parts_in(tmp_path)) >= 2
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        parent.send_signal(number)
        parent.wait(60)
        while any(alive(int(child)) for child in children) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    assert not any(alive(int(child)) for child in children)
    assert not parts_in(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mid"] * 4 + [".py"]
