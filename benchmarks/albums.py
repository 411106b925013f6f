"""One table for any number of albums: how well programs go on with recordings that they have not heard.

    python benchmarks/albums.py FOLDER... --work WORK [--takes NAME=FOLDER ...] [--toys] [--vmo]

Each FOLDER holds one album. Whole tracks are held out, by the digests of their files; each is a prompt up to a cut, a
true next part and the part after it (`memory/cuts.py` says how long). FOLDER of --takes holds ALBUM/TRACK.wav, the
continuation alone, without the prompt. WORK keeps what was decoded and measured; WORK/prompts/ALBUM/TRACK.wav are the
prompts and WORK/training/ALBUM/ links to the training tracks, for any other program to work from.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import soundfile
from memory.cuts import RATE, Album, divide
from memory.figures import Judge, header, pooled, saved_takes, shown
from memory.oracle import improvised
from memory.toys import other_track, prompts_end, random_splices, shuffled_prompt

TOYS = {
    "shuffled prompt": shuffled_prompt,
    "random splices": random_splices,
    "another track": other_track,
    "the prompt's end again": prompts_end,
}


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


def table_of(judge: Judge, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    album = judge.album
    rows = {"real": judge.real_row}
    toys = dict(TOYS) if args.toys else {}
    toys |= {"vmo, from PyPI": improvised} if args.vmo else {}
    for name, toy in toys.items():
        rows[name] = judge.row([toy(album, cut, np.random.default_rng(i)) for i, cut in enumerate(album.cuts)], name)
    for each in args.takes:
        name, folder = each.split("=", 1)
        if (takes := Path(folder) / album.name).is_dir():
            rows[name] = judge.row(saved_takes(takes, album.cuts), name)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0, help="of a training track, at most")
    parser.add_argument("--takes", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--speeds", type=int, default=0, help="semitones up and down to look for copies at")
    parser.add_argument("--toys", action="store_true")
    parser.add_argument("--tracks", action="store_true", help="the figures of each held-out track too")
    parser.add_argument("--vmo", action="store_true", help="needs the package of that name")
    args = parser.parse_args()
    tables, judges = {}, []
    for folder in args.albums:
        album = divide(folder, args.work, args.minutes)
        lay_out(album, args.work)
        part = album.cuts[0].part
        print(f"\n**{album.name}**: {len(album.training)} tracks, {album.minutes:.0f} min to learn from, ", end="")
        print(
            f"{len(album.cuts)} held out, {part:g} s after {min(c.at for c in album.cuts):.0f} s or more\n", flush=True
        )
        judges.append(Judge(album, args.speeds))
        tables[album.name] = rows = table_of(judges[-1], args)
        print(header())
        for name, row in rows.items():
            print(shown(name, [row], rows["real"]), flush=True)
        if args.tracks:
            print("\n" + "\n".join(judges[-1].by_track()))
    if len(judges) > 1:
        print("\nAll albums together:\n\n" + "\n".join(pooled(judges)))
    (args.work / "table.json").write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()
