"""The program through its command line: what it keeps of an album's training tracks, and how it goes on."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from memory.cuts import RATE, Album, Cut
from music_composer.audio.continuation.metadata import read_cut, read_jumps


@dataclass(frozen=True)
class Take:
    """A WAV that the program wrote, with its notes beside it."""

    path: Path

    def new(self) -> np.ndarray:
        """Samples (n, 2) behind the cut, full scale 1."""
        samples, rate = soundfile.read(self.path, dtype="float32", always_2d=True)
        new: np.ndarray = samples[round(read_cut(self.path) * rate) :]
        return np.repeat(new, 2, axis=1) if new.shape[1] == 1 else new

    @property
    def cut(self) -> float:
        """Seconds."""
        return read_cut(self.path)

    @property
    def jumps(self) -> list[float]:
        """Seconds; none where the notes say none."""
        return read_jumps(self.path)


def run_command(words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "music_composer", *words], capture_output=True, text=True)


@dataclass
class Program:
    """Runs commands; `told` keeps them as they can be typed, with WORK for the folder of all files."""

    work: Path
    seed: int = 1
    kept: bool = False  # takes that are there are not played again
    told: list[str] = field(default_factory=list)
    command: Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"] = run_command

    def remember(self, album: Album) -> Path:
        """The run folder of `--head memory`, made or brought up to date."""
        model = self.work / "models" / album.name / "memory"
        folders = ("-d", self.work / "training" / album.name, "-t", model.with_name("frames"), "-m", model)
        self._run("train", *folders, "--head", "memory", "--seed", self.seed)
        return model

    def play(
        self, name: str, album: Album, model: Path, cuts: Sequence[Cut], seconds: float, flags: Sequence[str] = ()
    ) -> list[Take]:
        """One take for each cut, in order, in WORK/played/NAME/ALBUM. seconds: of new music."""
        folder = self.work / "played" / name / album.name
        takes = [Take(folder / f"take-{i}.wav") for i in range(len(cuts))]
        if not (self.kept and all(take.path.exists() for take in takes)):
            prompts = [self.prompt(album, cut) for cut in cuts]
            given = [each for path in prompts for each in ("--prompt", path)]
            wanted = ("-o", folder / "take", "-g", len(cuts), "-s", f"{seconds:g}", "--seed", self.seed)
            self._run("generate", "-m", model, *wanted, *flags, *given, "--overwrite")
        return takes

    def prompt(self, album: Album, cut: Cut) -> Path:
        return self.work / "prompts" / album.name / f"{cut.track.name}.wav"

    def truth(self, album: Album, cut: Cut) -> Path:
        """The part that truly follows, as a file."""
        path = self.work / "truths" / album.name / f"{cut.track.name}.wav"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, cut.truth(), RATE)
        return path

    def _run(self, *arguments: object) -> None:
        words = [str(argument) for argument in arguments]
        shown = [word.replace(str(self.work), "WORK") for word in words]
        first = shown.index("--prompt") + 2 if "--prompt" in shown else len(shown)
        more = " ..." if len(shown[first:]) > 1 else ""
        self.told.append("music-composer " + " ".join(f'"{w}"' if " " in w else w for w in shown[:first]) + more)
        done = self.command(words)
        if done.returncode:
            raise SystemExit(f"{self.told[-1]}\n{done.stderr[-2000:]}")
