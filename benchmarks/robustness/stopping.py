"""How soon commands answer Ctrl-C and SIGTERM, and how soon they end: real signals at real moments.

    python benchmarks/robustness/stopping.py [--only WORD] [--neurons N] [--layers N] [--signals SIGINT SIGTERM]

Each row: the command, the moment, the signal, seconds until the answer is there, seconds until the process is gone, its
exit code, and how many files and processes it left. A row that goes wrong says how, and the others follow.
`music-composer` has to be on the PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE = 44100
SCRATCH = "scratch"  # the commands' folder for temporary files
LATEST = 60.0  # seconds after which a process counts as hanging, and is killed
QUIET = 1.0  # seconds after its end in which nothing more is said
ENVIRONMENT = os.environ | {"KERAS_BACKEND": "tensorflow"}

AUDIO = ["-d", "music", "-t", "cache"]
NOTES = ["-d", "midi", "-t", "rolls", "-m", "midi_model"]


def write_music(path: Path, seconds: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    notes = 220 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 16], int(seconds * 4) + 1) / 12)
    sound = 0.3 * np.sin(2 * np.pi * notes[(t * 4).astype(int)] * t) * np.exp(-4 * (t * 4 % 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([sound, 0.7 * sound], axis=1), RATE)


def write_midi(folder: Path, count: int, notes: int) -> None:
    from music_composer.symbolic.midi.midi_file import write_midi
    from music_composer.values import NOTE, Part, Score

    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        starts = np.arange(notes) * 240
        pitches = rng.choice([60, 62, 64, 65, 67, 69, 71, 72], notes)
        played = np.array([(at, at + 240, pitch, 80) for at, pitch in zip(starts, pitches, strict=True)], NOTE)
        write_midi(Score((Part(played),)), folder / f"{number}.mid")


def heed_ctrl_c() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stop(
    arguments: Sequence[str], cwd: Path, moment: float | str, number: signal.Signals
) -> tuple[float, float, int, str, int]:
    """Runs a command and stops it so many seconds after its start, or half a second after it has said some words.

    Returns seconds to the answer, seconds to the end, exit code, what it said, and how many processes it left, which
    are ended.
    """
    process = subprocess.Popen(
        ["music-composer", *arguments],
        cwd=cwd, env=ENVIRONMENT | {"TMPDIR": str(cwd / SCRATCH)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=heed_ctrl_c, start_new_session=True,
    )  # fmt: skip
    assert process.stderr
    stream, said = process.stderr.fileno(), b""
    started = time.monotonic()
    sent = answered = ended = None
    while True:
        now = time.monotonic()
        if sent is None and isinstance(moment, str) and moment.encode() in said:
            moment = now - started + 0.5
        if sent is None and isinstance(moment, float) and now - started >= moment:
            process.send_signal(number)
            sent = time.monotonic()
        if now - started > 300 or (sent and now - sent > LATEST):
            process.kill()
        if ended is None and process.poll() is not None:
            ended = now
        if ended is not None and now - ended > QUIET:  # a child that it left holds its standard error
            break
        if select.select([stream], [], [], 0.005)[0]:
            piece = os.read(stream, 65536)
            said += piece
            if sent and answered is None and b"stopping" in said:
                answered = time.monotonic()
            if not piece:
                break
    code = process.wait()
    ended = ended or time.monotonic()
    left = running_in(process.pid)
    for number_left in left:
        with contextlib.suppress(OSError):
            os.kill(number_left, signal.SIGKILL)
    words = said.decode(errors="replace")
    if sent is None:
        return float("nan"), float("nan"), code, words, len(left)
    return (answered or ended) - sent, ended - sent, code, words, len(left)


def running_in(session: int) -> list[int]:
    """Numbers of the processes of a session that are no zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            state, _, _, its_session = path.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(int(path.parent.name))
    return found


def left_behind(folder: Path) -> int:
    """Files under another name, and scratch folders; they are removed."""
    left = [path for path in folder.rglob(".*") if ".part" in path.name]
    left += (folder / SCRATCH).glob("music-composer-*")
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def write_folder(folder: Path, network: Sequence[str]) -> None:
    """Music and notes, a model of each, and a scratch folder for the commands."""
    (folder / SCRATCH).mkdir()
    for i in range(4):
        write_music(folder / "music" / f"{i}.wav", 40, i)
    write_music(folder / "hour" / "long.wav", 2400, 9)
    write_midi(folder / "midi", 20, 200)
    write_midi(folder / "hours", 1, 20000)
    for quick in (
        ["train", *AUDIO, "-m", "model", *network, "-e", "1"],
        ["midi", "train", *NOTES, "-e", "1", "-n", "32"],
    ):
        subprocess.run(["music-composer", *quick], cwd=folder, env=ENVIRONMENT, check=True, stderr=subprocess.DEVNULL)


def rows_for(network: Sequence[str]) -> list[tuple[list[str], float | str]]:
    """Commands, and the moments at which they are stopped."""
    trained, playing = [*AUDIO, "-m", "model"], [*NOTES[-2:], "-g", "2", "--num-steps", "100000"]
    evolve = ["midi", "evolve", "midi/0.mid", "--generations", "100000"]
    return [
        (["--help"], 0.06),
        (["train", *AUDIO, "-m", "new", *network], 0.1),
        (["prepare", "-d", "hour", "-t", "hour_cache"], 0.2),
        (["prepare", "-d", "hour", "-t", "hour_cache"], 3.0),
        (["train", *AUDIO, "-m", "new", *network, "--fresh"], 2.0),
        (["train", *AUDIO, "-m", "new", *network, "--fresh"], 3.5),
        (["train", *AUDIO, "-m", "new", *network, "--fresh"], "training 2"),
        (["train", *AUDIO, "-m", "new", *network, "--fresh", "-e", "1000"], "epoch 1/"),
        (["generate", *trained, "-s", "600", "-o", "made/x"], 2.0),
        (["generate", *trained, "-s", "600", "-o", "made/x"], "writing 10"),
        (["generate", *trained, "--stream", "-s", "600", "-o", "made/s"], "playing"),
        (["generate", *trained, "--stream", "--endless", "-o", "made/e"], "playing"),
        (["generate", *trained, "--infill", "music/0.wav", "--from", "10", "--to", "20", "-o", "made/f"], "filling"),
        (["evaluate", *trained, "-o", "card"], 4.0),
        (["evaluate", *trained, "-o", "card"], "continuations in"),
        (["evaluate", "--generated", "music", "--reference", "music", "-o", "card"], 4.0),
        (["demo", "-o", "demo"], 2.0),
        (["midi", "prepare", "-d", "midi", "-t", "new_rolls"], 0.3),
        (["midi", "train", *NOTES[:4], "-m", "new_notes", "-n", "32"], 3.0),
        (["midi", "train", *NOTES[:4], "-m", "new_notes", "-n", "32"], "training the"),
        (["midi", "train", *NOTES[:4], "-m", "new_notes", "-n", "32", "-e", "1000"], "epoch 1/"),
        (["midi", "generate", *playing, "-o", "made/n"], 6.0),
        (["midi", "generate", *playing, "-o", "made/n"], 10.0),
        (["midi", "evaluate", *NOTES, "-o", "midi_card"], 8.0),
        (["midi", "render", "hours", "midi", "-o", "rendered"], 1.5),
        ([*evolve, "--models", "1000", "-o", "evolved", "--save"], 1.5),
        ([*evolve, "--models", "1000", "-o", "evolved", "--save"], 3.0),
        ([*evolve, "--models", "200000", "-o", "evolved", "--parallel"], 3.0),
        (["midi", "demo", "-o", "midi_demo"], 4.0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--neurons", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--signals", nargs="+", default=["SIGINT", "SIGTERM"])
    given = parser.parse_args()
    network = ["--head", "flow", "-n", str(given.neurons), "-l", str(given.layers)]
    folder = Path(tempfile.mkdtemp(prefix="stopping-"))
    write_folder(folder, network)
    print(f"{'command':<44} {'moment':<20} {'signal':<8} {'answer':>7} {'end':>7} {'code':>5} {'left':>5}")
    wrong = 0
    for arguments, moment in rows_for(network):
        if given.only in " ".join(arguments):
            for name in given.signals:
                wrong += not print_row(arguments, folder, moment, signal.Signals[name], bool(given.only))
    print(f"{wrong} rows are not as they should be")
    shutil.rmtree(folder, ignore_errors=True)


def print_row(
    arguments: Sequence[str], folder: Path, moment: float | str, number: signal.Signals, verbose: bool
) -> bool:
    """Whether the command ended as it should; what it said is printed where it did not, or with `verbose`."""
    when = f"at {moment:g} s" if isinstance(moment, float) else f"{moment!r} + 0.5 s"
    row = f"{' '.join(arguments)[:44]:<44} {when:<20} {number.name:<8}"
    try:
        answer, end, code, said, running = stop(arguments, folder, moment, number)
        left = running + left_behind(folder)
    except Exception as error:  # the other rows follow
        print(f"{row} {type(error).__name__}: {error}", flush=True)
        return False
    print(f"{row} {answer:7.2f} {end:7.2f} {code:5d} {left:5d}", flush=True)
    is_right = "Traceback" not in said and code in (0, 130) and not left and answer == answer
    if verbose or not is_right:
        print(said, flush=True)
    return is_right


if __name__ == "__main__":
    main()
