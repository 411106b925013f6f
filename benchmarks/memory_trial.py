"""Trials of continuing albums from memory: plays every variant and prints its row of the table.

    python benchmarks/memory_trial.py FOLDER --work WORK [--variant NAME:key=value,key=value ...] [--seeds 1]

FOLDER is an album as for albums.py; the keys are those of `memory.walk.WalkOptions`, `w.VIEW` for the weight of a view,
shifts=N (training music at -N to +N semitones) and colour=STRENGTH (0 to 1, towards the prompt's mean spectrum).
layers=OWN takes what strikes from a second walk, with that score for the prompt's own steps. Takes go to
WORK/takes/NAME/ALBUM/. With network=WEIGHT a pointer network is trained first, for --steps steps, unless
WORK/pointer/ALBUM.npz is there; without any variant it is trained only.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
import soundfile
from memory.colour import coloured, filtered, gains_of
from memory.cuts import RATE, Album, Cut, divide
from memory.figures import Judge, header, shown
from memory.layers import layered
from memory.pointer import Pointer, inputs_of
from memory.render import render
from memory.steps import at_speed, joined, steps_of, track_steps
from memory.store import Memory, encoder_of
from memory.walk import WEIGHTS, Walk, WalkOptions


def memory_of(album: Album, cut: Cut, shifts: int, colour: float, work: Path) -> tuple[Memory, np.ndarray | None]:
    """The memory, and by how much each of its steps is filtered towards the prompt's sound, dB."""
    sources = [(i, s) for s in range(-shifts, shifts + 1) for i in range(len(album.training))]
    parts = [track_steps(album.training[i], s, work / "steps") for i, s in sources]
    encoder = encoder_of(joined([part for part, (_, s) in zip(parts, sources, strict=True) if s == 0]))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("album", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0, help="of a training track, at most")
    parser.add_argument("--variant", action="append", default=[])
    parser.add_argument("--steps", type=int, default=300, help="of training the pointer network")
    args = parser.parse_args()
    album = divide(args.album, args.work, args.minutes)
    if not args.variant:
        pointer_of(album, args.work, args.steps)
        return
    speeds = max(int(parsed(text)[2].get("shifts", 0)) for text in args.variant)
    judge = Judge(album, speeds)
    print(header())
    print(shown("real", judge.real_row, judge.real_row), flush=True)
    pointer: Pointer | None = None
    for text in args.variant:
        name, options, rest = parsed(text)
        folder = args.work / "takes" / name / album.name
        folder.mkdir(parents=True, exist_ok=True)
        takes, started, jumps, own = [], time.process_time(), 0, []
        for i, cut in enumerate(album.cuts):
            shifts, strength = int(rest.get("shifts", 0)), float(rest.get("colour", 0))
            memory, gains = memory_of(album, cut, shifts, strength, args.work)
            listener = None
            if options.network:
                pointer = pointer or pointer_of(album, args.work, args.steps)
                listener = pointer.listener(memory, horizons_of(rest))
            walk = Walk(memory, options, np.random.default_rng(i), listener)
            played = walk.play(cut.part + 0.5)
            kept: dict[int, np.ndarray] = {}

            def sound(part: int, kept=kept, memory=memory, cut=cut) -> np.ndarray:
                if part not in kept:
                    track, semitones = memory.sources[part]
                    kept[part] = cut.prompt() if track < 0 else at_speed(album.training[track].load(), semitones)
                return kept[part]

            def colour(piece: np.ndarray, first: int, last: int, gains=gains) -> np.ndarray:
                return piece if gains is None else filtered(piece, gains[(first + last) // 2])

            takes.append(render(memory, sound, cut.prompt(), played.runs, cut.part, colour=colour))
            if "layers" in rest:
                struck_own = dataclasses.replace(options, own=float(rest["layers"]), steer=0.0)
                second = Walk(memory, struck_own, np.random.default_rng(100 + i), listener)
                second.used, second.other = walk.used.copy(), memory.steps.onset[played.places]
                struck = second.play(cut.part + 0.5)
                beat = render(memory, sound, cut.prompt(), struck.runs, cut.part, colour=colour)
                takes[-1] = layered(takes[-1], beat)
            soundfile.write(folder / f"{cut.track.name}.wav", np.clip(takes[-1], -1, 1), RATE)
            jumps += len(played.runs)
            own.append(memory.own[played.places].mean())
        row = judge.row(takes, name)
        seconds = sum(cut.part for cut in album.cuts)
        print(shown(name, row, judge.real_row), end=" ")
        print(f"{60 * jumps / seconds:.0f} jumps/min, own {np.mean(own):.0%}, {time.process_time() - started:.0f} s")


if __name__ == "__main__":
    main()
