"""Continues albums with the program's own memory and prints its row of the table, as memory_trial.py does for trials.

    python benchmarks/audio/memory_play.py FOLDER --work WORK [--seeds 1] [--name product] [--set walk.share=0.5 ...]
                                           [--long 4]

FOLDER is an album as for albums.py, and is divided in the same way; a key leads to a field of `MemoryOptions`. What is
remembered of an album is kept in WORK/memory/ALBUM-MINUTES; takes go to WORK/takes/NAME/ALBUM/, with the seed behind
NAME from the second seed on. A row is the mean of the seeds, and half the distance between the least and the most is
said behind it. With --long, ten minutes after so many prompts are judged instead. The CPU seconds are of playing and of
making the memory, without the figures.
"""

import argparse
import dataclasses
import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from memory.cuts import RATE, Album, Cut, divide
from memory.figures import MEASURES, Judge
from memory.minutes import SECONDS, long_row
from memory.players import evenly
from memory.tables import header, shown

from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.analysis.steps import StepOptions, Steps, steps_of
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.player import in_pieces
from music_composer.audio.memory.playing import play
from music_composer.audio.memory.store import (
    Entry,
    Index,
    is_stored,
    load_recordings,
    name_of,
    write_part,
    write_transposed,
)
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import blocks_to_bands
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.continuity_scores import prompt_rows
from music_composer.evaluation.audio.similarity.within_album import described
from music_composer.values import Played, Waveform

FRAME = FrameOptions(rate=RATE)


def remembered(album: Album, folder: Path, semitones: tuple[int, ...] | None) -> tuple[Index, list[Recording]]:
    """The training tracks, from the folder where they are kept. semitones: other keys; as many as fit unless given."""
    options, entries = StepOptions(), []
    step = FRAME.hop * options.frames
    for track in album.training:
        sound = track.load()
        count, name = len(sound) // step, name_of(track.samples.stem, 0, len(sound), options, FRAME)
        entries.append(Entry(track.path.name, name, count, step, RATE, sound.shape[1]))
        if not is_stored(folder, entries[-1]):
            write_part(folder, entries[-1], sound, track_steps(sound, options))
    index = described(folder, entries, FRAME)
    if semitones is not None:
        index = dataclasses.replace(index, semitones=semitones)
    for entry, each in itertools.product(entries, index.semitones):
        write_transposed(folder, entry, each, options, FRAME)
    return index, load_recordings(index, folder, options, FRAME)


def track_steps(sound: np.ndarray, options: StepOptions) -> Steps:
    """From frames as the cache has them."""
    blocks = (sound[at : at + 10 * RATE] for at in range(0, len(sound), 10 * RATE))
    bands = np.concatenate([each[:, :1].astype(np.float16) for each in blocks_to_bands(blocks, FRAME)])
    return steps_of(bands[: len(sound) // (FRAME.hop * options.frames) * options.frames], options)


def changed(options: Any, key: str, value: str) -> Any:
    """The options with one field, `walk.share`, set to what is written."""
    name, _, rest = key.partition(".")
    now = getattr(options, name)
    if rest:
        new = changed(now, rest, value)
    else:
        new = value.lower() in ("1", "true", "yes") if isinstance(now, bool) else type(now)(value)
    return dataclasses.replace(options, **{name: new})


@dataclasses.dataclass
class Told:
    """CPU seconds, and seconds of music, over all takes."""

    loading: float = 0.0
    playing: float = 0.0
    music: float = 0.0
    takes: int = 0

    def __str__(self) -> str:
        rate = self.playing / self.music
        return f"{rate:.2f} CPU s a second of music, {self.loading / self.takes:.1f} CPU s to make the memory"


def continued(recordings: list[Recording], cut: Cut, options: MemoryOptions, seed: int, told: Told) -> Played:
    """One continuation, samples (n, 2)."""
    began = time.process_time()
    blocks = play(recordings, Waveform(cut.prompt(), RATE), FRAME, options, np.random.default_rng(seed))
    loaded = time.process_time()
    fade, wanted = options.splice.crossfade, options.splice.crossfade + round(cut.part * RATE)
    whole = next(in_pieces(blocks, wanted, wanted))
    told.loading += loaded - began
    told.playing += time.process_time() - loaded
    told.music += cut.part
    told.takes += 1
    return Played(whole.samples[fade:], tuple(at - fade for at in whole.jumps if at > fade))


def continuity(album: Album, places: list[tuple[Path, float]]) -> list[str]:
    """How often the music steps less at the jumps than random splices of held-out music do, a line each."""
    real = [Span(cut.track.path, cut.at, cut.at + 2 * cut.part) for cut in album.cuts]
    rows = prompt_rows([], places, real, MEASURES) or {}
    names = ("better", "level", "spectrum", "key", "pulse")
    return [
        f"{name}: {row.cuts} places, better than splices in "
        + ", ".join(f"{100 * getattr(row, each):.0f} % ({each})" for each in names if getattr(row, each) is not None)
        for name, row in rows.items()
    ]


def long_lines(
    judge: Judge, recordings: list[Recording], options: MemoryOptions, args: argparse.Namespace, told: Told
) -> list[str]:
    """Figures of ten minutes after some prompts, and what they are made of, lines for each seed."""
    cuts = [dataclasses.replace(cut, part=SECONDS) for cut in evenly(judge.album.cuts, args.long)]
    lines = []
    for seed in range(args.seeds):
        takes = [continued(recordings, cut, options, 1000 * seed + i, told).samples for i, cut in enumerate(cuts)]
        figures, words = long_row(judge, takes)
        lines += [f"{args.name}, seed {seed}: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items())]
        lines += words
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("album", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0, help="of a training track, at most")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--name", default="product")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--keys", nargs="*", type=int, metavar="SEMITONES", help="that are remembered too, if not those"
    )
    parser.add_argument("--long", type=int, default=0, metavar="N", help="ten minutes after so many prompts instead")
    parser.add_argument("--no-figures", action="store_true", help="play only")
    args = parser.parse_args()
    album = divide(args.album, args.work, args.minutes)
    folder = args.work / "memory" / f"{album.name}-{args.minutes:g}"
    index, recordings = remembered(album, folder, None if args.keys is None else tuple(args.keys))
    options = MemoryOptions(walk=WalkOptions(shared=index.shared, returned=index.returned))
    for pair in args.set:
        options = changed(options, *pair.split("=", 1))
    rows, told, jumps = [], Told(), list[tuple[Path, float]]()
    judge = None if args.no_figures else Judge(album, max(map(abs, index.semitones), default=0))
    if judge and args.long:
        print("\n".join(long_lines(judge, recordings, options, args, told)))
        print(told)
        return
    for seed in range(args.seeds):
        takes = []
        folder = args.work / "takes" / (f"{args.name}-{seed}" if seed else args.name) / album.name
        folder.mkdir(parents=True, exist_ok=True)
        for i, cut in enumerate(album.cuts):
            take, path = continued(recordings, cut, options, 1000 * seed + i, told), folder / f"{cut.track.name}.wav"
            takes.append(take.samples)
            soundfile.write(path, np.clip(take.samples, -1, 1), RATE)
            jumps += [(path, at / RATE) for at in take.jumps]
        if judge:
            rows.append(judge.row(takes, args.name))
    if judge:
        print(header())
        print(shown("real", [judge.real_row], judge.real_row))
        print(shown(args.name, rows, judge.real_row))
        print("\n".join(continuity(album, jumps)))
    print(f"{album.minutes:.0f} minutes in {len(recordings)} recordings: {told}")


if __name__ == "__main__":
    main()
