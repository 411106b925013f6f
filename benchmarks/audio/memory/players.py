"""Everybody who goes on with an album, and the row of figures of each."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from memory.cuts import RATE, Album, Cut
from memory.figures import Judge, Row
from memory.jumps import jump_rows
from memory.minutes import SECONDS, long_row, real_long_row
from memory.oracle import improvised
from memory.product import Program, Take
from memory.speed import speed_row
from memory.toys import other_track, prompts_end, random_splices, shuffled_prompt
from music_composer.audio.continuation import run_folder
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.store import read_index
from music_composer.errors import MusicComposerError

MEMORY, UNGUARDED = "memory", "memory, no guard"
TOYS = {
    "the prompt shuffled": shuffled_prompt,
    "random splices": random_splices,
    "another track": other_track,
    "the prompt's end again": prompts_end,
}
ORACLE = "vmo, from PyPI"


@dataclass(frozen=True)
class Player:
    """A run folder of the program, and how it is played. head: as that of `generate`. guard: of a memory."""

    model: Path
    head: str
    guard: bool = True

    @property
    def speeds(self) -> int:
        """Semitones up and down that it may play the training music at."""
        here = run_folder.read_run(self.model)
        if self.head != "memory" or not here.memory.exists():
            return 0
        return max(map(abs, read_index(here.memory, StepOptions()).semitones), default=0)

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--head", self.head, *(() if self.guard else ("--no-guard",)))


def players_of(album: Album, args: Namespace, program: Program) -> dict[str, Player]:
    """By name. args: of albums.py."""
    players = {}
    if args.memory:
        model = program.remember(album)
        players = {MEMORY: Player(model, "memory"), UNGUARDED: Player(model, "memory", guard=False)}
    for name, _, folder in (each.partition("=") for each in args.network):
        if (model := Path(folder) / album.name / "model").is_dir():
            head = run_folder.read_run(model).model.head
            players[name] = Player(model, "flow" if head == "auto" else head)
    return players


def rows_of(judge: Judge, players: Mapping[str, Player], args: Namespace, program: Program) -> dict[str, Row]:
    """Rows by player, real music first."""
    album = judge.album
    rows = {"real": judge.real_row}
    for name, player in players.items():
        takes = program.play(plain(name), album, player.model, album.cuts, album.cuts[0].part, player.flags)
        rows[name] = judge.row([take.new() for take in takes], name)
        continuity, uncut = jump_rows(program, album, takes)
        rows[name] |= continuity
        rows["real"] |= uncut
        if player.guard:
            rows[name] |= speed_row(player.model, player.head, program.prompt(album, album.cuts[0]))
    toys = (TOYS if args.toys else {}) | ({ORACLE: improvised} if args.vmo else {})
    for name, toy in toys.items():
        made = [toy(album, cut, np.random.default_rng(i)) for i, cut in enumerate(album.cuts)]
        try:
            rows[name] = judge.row(made, name)
        except MusicComposerError as error:  # the end of a short prompt is too short for a pulse
            print(f"{name}, {album.name}: {error}\n")
            continue
        keep(program.work / "played" / plain(name) / album.name, made)
    for name, _, folder in (each.partition("=") for each in args.takes):
        if (saved := Path(folder) / album.name).is_dir():
            rows[name] = judge.row([read(saved / f"{cut.track.name}.wav") for cut in album.cuts], name)
    return rows


def long_rows_of(
    judge: Judge, players: Mapping[str, Player], count: int, program: Program
) -> tuple[dict[str, Row], list[str]]:
    """Figures of ten minutes after so many prompts, real music first, and what they are made of in words."""
    album, rows, lines = judge.album, {"real": real_long_row(judge)}, []
    for name, player in players.items():
        cuts = evenly(album.cuts, count)
        takes = program.play(f"{plain(name)}-long", album, player.model, cuts, SECONDS, player.flags)
        rows[name], words = long_row(judge, [take.new() for take in takes])
        lines += [f"{name}, {each}" for each in words]
    return rows, lines


def plain(name: str) -> str:
    """A player's name as that of a folder."""
    return "-".join(name.replace(",", "").replace("'", "").split())


def evenly(cuts: Sequence[Cut], count: int) -> list[Cut]:
    count = min(count, len(cuts))
    return [cuts[i * len(cuts) // count] for i in range(count)]


def keep(folder: Path, made: Sequence[np.ndarray]) -> None:
    """As the program's own takes are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, samples in enumerate(made):
        soundfile.write(folder / f"take-{i}.wav", np.clip(samples, -1.0, 1.0), RATE)


def read(path: Path) -> np.ndarray:
    samples: np.ndarray = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


def played(work: Path, name: str, album: Album) -> list[Take]:
    """What a player's folder has, in the order of the cuts; nothing where it is not there."""
    takes = [Take(work / "played" / plain(name) / album.name / f"take-{i}.wav") for i in range(len(album.cuts))]
    return takes if all(take.path.exists() for take in takes) else []
