"""Trials of continuing albums from memory: plays every variant and prints its row of the table.

    python benchmarks/audio/memory_trial.py FOLDER --work WORK [--variant NAME:key=value,key=value ...] [--seeds 1]

FOLDER is an album as for albums.py; the keys are those of `memory.walk.WalkOptions`, `w.VIEW` for the weight of a view,
shifts=N (training music at -N to +N semitones) and colour=STRENGTH (0 to 1, towards the prompt's mean spectrum).
layers=OWN takes what strikes from a second walk, with that score for the prompt's own steps; grid=1 has both follow the
onsets of the prompt's last bars, going on for ever; chroma=0 compares without pitch classes. With network=WEIGHT a
pointer network is trained first, for --steps steps, unless WORK/pointer/ALBUM.npz is there; without any variant it is
trained only.

Takes go to WORK/takes/NAME/ALBUM/, with the seed behind NAME from the second seed on. A row is the mean of the seeds,
and half the distance between the least and the most is said behind it. The CPU seconds are of playing alone, without
the figures and without making the memory's views.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import soundfile
from memory.colour import coloured, filtered, gains_of
from memory.cuts import RATE, Album, Cut, divide
from memory.figures import Judge
from memory.layers import layered
from memory.pointer import Pointer, inputs_of
from memory.render import render
from memory.steps import PER_SECOND, at_speed, joined, steps_of, track_steps
from memory.store import Memory, encoder_of
from memory.tables import header, shown
from memory.walk import WEIGHTS, Walk, WalkOptions, going_on


def memory_of(
    album: Album, cut: Cut, shifts: int, colour: float, work: Path, harmony: float = 1.0
) -> tuple[Memory, np.ndarray | None]:
    """The memory, and by how much each of its steps is filtered towards the prompt's sound, dB."""
    sources = [(i, s) for s in range(-shifts, shifts + 1) for i in range(len(album.training))]
    parts = [track_steps(album.training[i], s, work / "steps") for i, s in sources]
    encoder = encoder_of(joined([part for part, (_, s) in zip(parts, sources, strict=True) if s == 0]))
    encoder.harmony = harmony
    prompt, gains = steps_of(cut.prompt()), None
    if colour:
        each = [gains_of(part, prompt, colour) for part in parts]
        parts = [coloured(part, gain) for part, gain in zip(parts, each, strict=True)]
        gains = np.concatenate([*each, np.zeros_like(prompt.mel)])
    return Memory([*parts, prompt], [*sources, (-1, 0)], encoder), gains


def pointer_of(album: Album, work: Path, steps: int) -> Pointer:
    """Trained on the training tracks as they are."""
    parts = [track_steps(track, 0, work / "steps") for track in album.training]
    encoder = encoder_of(joined(parts))
    recordings = [inputs_of(encoder(part), part.onset) for part in parts]
    pointer, kept = Pointer(recordings[0].shape[1]), work / "pointer" / f"{album.name}.npz"
    if kept.exists():
        pointer.load(kept)
    else:
        pointer.train(recordings, steps)
        pointer.save(kept)
    return pointer


def parsed(text: str) -> tuple[str, WalkOptions, dict[str, str]]:
    name, _, rest = text.partition(":")
    given = dict(pair.split("=") for pair in rest.split(",") if pair)
    weights = WEIGHTS | {key[2:]: float(given.pop(key)) for key in list(given) if key.startswith("w.")}
    fields = {f.name: f.type for f in dataclasses.fields(WalkOptions)}
    walk = {k: type(getattr(WalkOptions(), k))(float(given.pop(k))) for k in list(given) if k in fields}
    return name, WalkOptions(weights=weights, **walk), given


def horizons_of(rest: dict[str, str]) -> tuple[float, ...]:
    """Weights of the three horizons, h=1/1/0.5."""
    return tuple(float(part) for part in rest.get("h", "1/1/1").split("/"))


@dataclasses.dataclass
class Told:
    """What a variant did, over all of its takes."""

    jumps: int = 0
    music: float = 0.0  # seconds
    playing: float = 0.0  # CPU seconds
    own: list[float] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        rate = f"{60 * self.jumps / self.music:.0f} jumps/min, own {np.mean(self.own):.0%}"
        return f"{rate}, {self.playing / self.music:.2f} CPU s a second of music"


def played(
    album: Album,
    cut: Cut,
    options: WalkOptions,
    rest: dict[str, str],
    pointer: Pointer | None,
    seed: int,
    work: Path,
    told: Told,
) -> np.ndarray:
    """One continuation, samples (n, 2)."""
    shifts, strength, harmony = int(rest.get("shifts", 0)), float(rest.get("colour", 0)), float(rest.get("chroma", 1))
    memory, gains = memory_of(album, cut, shifts, strength, work, harmony)
    listener = pointer.listener(memory, horizons_of(rest)) if pointer and options.network else None
    kept: dict[int, np.ndarray] = {}

    def sound(part: int) -> np.ndarray:
        if part not in kept:
            track, semitones = memory.sources[part]
            kept[part] = cut.prompt() if track < 0 else at_speed(album.training[track].load(), semitones)
        return kept[part]

    def colour(piece: np.ndarray, first: int, last: int) -> np.ndarray:
        return piece if gains is None else filtered(piece, gains[(first + last) // 2])

    started = time.process_time()
    walk = Walk(memory, options, np.random.default_rng(seed), listener)
    if "grid" in rest:
        walk.other = going_on(memory.steps.onset[memory.own], round((cut.part + 3) * PER_SECOND))
    course = walk.play(cut.part + 0.5)
    take = render(memory, sound, cut.prompt(), course.runs, cut.part, colour=colour)
    if "layers" in rest:
        struck_own = dataclasses.replace(options, own=float(rest["layers"]), steer=0.0)
        second = Walk(memory, struck_own, np.random.default_rng(seed + 100), listener)
        second.used = walk.used.copy()
        second.other = walk.other if "grid" in rest else memory.steps.onset[course.places]
        struck = second.play(cut.part + 0.5)
        take = layered(take, render(memory, sound, cut.prompt(), struck.runs, cut.part, colour=colour))
    told.playing += time.process_time() - started
    told.jumps += len(course.runs)
    told.music += cut.part
    told.own.append(memory.own[course.places].mean())
    return take


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("album", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0, help="of a training track, at most")
    parser.add_argument("--variant", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=300, help="of training the pointer network")
    args = parser.parse_args()
    album = divide(args.album, args.work, args.minutes)
    if not args.variant:
        pointer_of(album, args.work, args.steps)
        return
    speeds = max(int(parsed(text)[2].get("shifts", 0)) for text in args.variant)
    judge = Judge(album, speeds)
    print(header())
    print(shown("real", [judge.real_row], judge.real_row), flush=True)
    pointer: Pointer | None = None
    for text in args.variant:
        name, options, rest = parsed(text)
        if options.network:
            pointer = pointer or pointer_of(album, args.work, args.steps)
        rows, told = [], Told()
        for seed in range(args.seeds):
            takes = []
            folder = args.work / "takes" / (f"{name}-{seed}" if seed else name) / album.name
            folder.mkdir(parents=True, exist_ok=True)
            for i, cut in enumerate(album.cuts):
                takes.append(played(album, cut, options, rest, pointer, 1000 * seed + i, args.work, told))
                soundfile.write(folder / f"{cut.track.name}.wav", np.clip(takes[-1], -1, 1), RATE)
            rows.append(judge.row(takes, name))
        print(shown(name, rows, judge.real_row), told, flush=True)


if __name__ == "__main__":
    main()
