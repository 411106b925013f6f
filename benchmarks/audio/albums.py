"""One table for any number of albums: how well programs go on with recordings that they have not heard, and the aims.

    python benchmarks/audio/albums.py FOLDER... --work WORK [--memory] [--network FOLDER] [--toys] [--vmo] [--long 2]

Each FOLDER holds one album, and `demo` is the demonstration's own music, made in WORK. Whole tracks are held out,
by the digests of their files, or those of FOLDER/test; each is a prompt up to a cut, a true next part and the part
after it (`memory/cuts.py` says how long). --memory plays `--head memory` by the command line, with its guard and
without; --network plays the run folders FOLDER/ALBUM/model. Commands are said below the tables. FOLDER of --takes holds
ALBUM/TRACK.wav, the continuation alone, of any other program. WORK keeps what was decoded and measured;
WORK/prompts/ALBUM/TRACK.wav are the prompts, WORK/training/ALBUM/ links to the training tracks, WORK/played/ has what
was played (benchmarks/audio/listening_page.py shows it), and WORK/table.json the figures.
"""

import argparse
import json
import os
from pathlib import Path

import soundfile
from memory.aims import LONG_FIGURES
from memory.cuts import RATE, Album, divide
from memory.demo import demo_album
from memory.figures import Judge
from memory.players import MEMORY, ORACLE, TOYS, long_rows_of, players_of, rows_of
from memory.product import Program
from memory.verdict import album_table, beside_toys, pooled_table, summary

DEMO = Path("demo")


def lay_out(album: Album, work: Path) -> None:
    """Prompts as WAV files and links to the training tracks."""
    prompts, training = work / "prompts" / album.name, work / "training" / album.name
    for folder in (prompts, training):
        folder.mkdir(parents=True, exist_ok=True)
    for cut in album.cuts:
        if not (target := prompts / f"{cut.track.name}.wav").exists():
            soundfile.write(target, cut.prompt(), RATE)
    for track in album.training:
        if not (link := training / track.path.name).exists():
            os.symlink(track.path.resolve(), link)


def said_of(album: Album) -> str:
    first = min(cut.at for cut in album.cuts)
    return (
        f"**{album.name}**: {len(album.training)} tracks, {album.minutes:.0f} min to learn from, "
        f"{len(album.cuts)} held out, {album.cuts[0].part:g} s after {first:.0f} s or more"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of a training track, at most")
    parser.add_argument("--memory", action="store_true", help="play --head memory, with its guard and without")
    parser.add_argument("--network", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--takes", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--long", type=int, default=0, metavar="N", help="ten minutes after so many prompts too")
    parser.add_argument(
        "--kept", action="store_true", help="takes that are there are not played again, whatever code has played them"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speeds", type=int, default=0, help="semitones up and down to look for copies at")
    parser.add_argument("--toys", action="store_true")
    parser.add_argument("--vmo", action="store_true", help="needs the package of that name")
    parser.add_argument("--tracks", action="store_true", help="the figures of each held-out track too")
    args = parser.parse_args()
    program = Program(args.work.resolve(), args.seed, args.kept)
    tables, judges = {}, []
    for folder in args.albums:
        if folder == DEMO and not folder.exists():
            folder = demo_album(args.work / DEMO)
        album = divide(folder, args.work, args.minutes)
        lay_out(album, args.work)
        print(f"\n{said_of(album)}", flush=True)
        players = players_of(album, args, program)
        judge = Judge(album, max([args.speeds, *(each.speeds for each in players.values())]))
        judges.append(judge)
        tables[album.name] = rows = rows_of(judge, players, args, program)
        print("\n" + "\n".join(album_table(judge, rows)))
        print(f"\nHeld-out tracks share {judge.shared:.1f} s with the training music.", flush=True)
        if args.long:
            long, lines = long_rows_of(judge, players, args.long, program)
            print("\n" + "\n".join([*album_table(judge, long, LONG_FIGURES), "", *lines]), flush=True)
            for name, row in long.items():
                rows[name] |= row
        if args.tracks:
            print("\n" + "\n".join(judge.by_track()), flush=True)
        (args.work / "table.json").write_text(json.dumps(tables, indent=1))
    if len(judges) > 1:
        print("\nAll albums together:\n\n" + "\n".join(pooled_table(judges)))
    for name in [MEMORY] * args.memory + [each.partition("=")[0] for each in args.network]:
        print("\n" + "\n".join(summary(name, judges, tables)))
        print("\n" + "\n".join(beside_toys(name, [*TOYS, ORACLE], judges)))
    if program.told:
        print("\nCommands:\n\n" + "\n".join(program.told))


if __name__ == "__main__":
    main()
