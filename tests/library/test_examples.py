"""The examples of docs/library.md run, with networks of a few neurons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import music_composer as mc
from tests.command import NOT_CHECKED, TINY, assert_accepted, music_composer, run_python, tune, write
from tests.symbolic.tunes import write_tune

pytestmark = pytest.mark.journey
DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
SMALLER = {
    "neurons=384, layers=2, epochs=36": 'neurons=8, layers=1, epochs=1, head="flow"',
    "neurons=256, epochs=60": "neurons=8, epochs=1",
    "seconds=30, count=4": "seconds=0.5, count=2",
    "seconds=30, count=1": "seconds=0.5, count=1",
    "seconds=30": "seconds=0.5",
    "count=2, steps=128": "count=1, steps=16",
    "steps=64": "steps=16",
    "generations=20": "generations=2",
    "epochs=2": "epochs=1",
}  # in this order

SAME = """
from pathlib import Path
import music_composer as mc
trained = mc.train(model="again", head="flow", neurons=8, layers=1, batch_size=4, epochs=1, seed=1)
for model in (mc.load(), trained):
    for number, music in enumerate(model.generate("song.wav", seconds=0.5, count=2, seed=3)):
        music.write("library.wav")
        assert Path("library.wav").read_bytes() == Path(f"output-{number}.wav").read_bytes(), number
"""


def examples() -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for i in range(3):
        write(tmp_path / "recordings" / f"{i}.wav", tune(46, seed=i, channels=1))
        write(tmp_path / "continuations" / f"{i}.wav", tune(10, seed=i + 9, channels=1))
        write_tune(tmp_path / "scores" / f"{i}.mid", i)
    write(tmp_path / "song.wav", tune(9, seed=5, channels=1))
    write_tune(tmp_path / "tune.mid", 7)
    monkeypatch.chdir(tmp_path)
    for constant, value in NOT_CHECKED.items():
        monkeypatch.setattr(constant, value)
    return tmp_path


def test_the_examples_run(music: Path) -> None:
    code = examples()
    for words, fewer in SMALLER.items():
        assert words in code, words
        code = code.replace(words, fewer)
    exec(compile(code, str(DOCUMENT), "exec"), {})
    for name in ("continuation-1.wav", "filled.wav", "piece-0.mid", "scorecard/scorecard.html"):
        assert (music / name).exists(), name
    assert '"stage": "generating"' in (music / "progress.jsonl").read_text()
    assert list((music / "rendered").glob("*.wav"))


def test_the_library_and_the_command_give_the_same_bytes(tmp_path: Path) -> None:
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(6, seed=i, channels=1))
    write(tmp_path / "song.wav", tune(9, seed=5, channels=1))
    assert_accepted(music_composer("train", *TINY, "--seed", "1", cwd=tmp_path))
    wanted = ("generate", "--prompt", "song.wav", "-s", "0.5", "-g", "2", "--seed", "3")
    assert_accepted(music_composer(*wanted, cwd=tmp_path))
    # In a process of its own, with one thread of linear algebra from its beginning, as the command has.
    done = run_python(SAME, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_library_and_the_command_compose_the_same_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        write_tune(tmp_path / "input_music_dataset" / f"{i}.mid", i)
    tiny = ("--model", "polyphony", "-n", "8", "-l", "1", "-e", "1", "-b", "2", "--seed", "1")
    assert_accepted(music_composer("midi", "train", *tiny, cwd=tmp_path))
    assert_accepted(music_composer("midi", "generate", "-g", "2", "--num-steps", "16", "--seed", "3", cwd=tmp_path))
    monkeypatch.chdir(tmp_path)
    for number, piece in enumerate(mc.midi.load().generate(count=2, steps=16, seed=3)):
        piece.write("library.mid")
        assert Path("library.mid").read_bytes() == Path(f"output-{number}.mid").read_bytes()
