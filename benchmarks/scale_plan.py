"""What many hours of music take: measured on this machine with synthetic frames, and predicted for more machines.

    python benchmarks/scale_plan.py measure                 # 1, 10 and 100 hours, 1,000 by sparse files: 25 GB of disk
    python benchmarks/scale_plan.py measure --hours 1 10 --sparse
    python benchmarks/scale_plan.py measure --hours --sparse --clips 100000  # of mixed lengths, mono and stereo
    python benchmarks/scale_plan.py plan --hours 100 1000 10000 --machines 1 8 --gpus 1 8

`measure` starts `music-composer` from the PATH, with at most 256 open files, and kills a training after its first
update. The last column is the time of listing the windows of an epoch. The line through the two rows before predicts a
row. `plan` takes every figure as an option. Its defaults were measured, but for the disk, the network and the prices,
which are assumed: see docs/scale.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from scale.caches import window_list, write_cache, write_clips

OPEN_FILES = 256
TRAIN = ("train", "-d", "music", "--head", "flow", "-n", "8", "-l", "1", "-e", "1", "--seed", "1")
PCM_BYTES = 3600 * 44100 * 2 * 2.0  # of an hour of stereo in 16 bits
GRADIENT_BYTES = 4.0  # of a weight


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took. seconds: of all its processors, or until its first update."""

    seconds: float
    megabytes: float


@dataclasses.dataclass(frozen=True)
class Speeds:
    """Figures that a plan is made from.

    prepare: processor seconds for an hour of music. cache: bytes of frames of an hour. windows: that a GPU trains on in
    a second, each of `window` seconds, with `batch` of them in an update. weights: of the network. read, network: bytes
    a second, of the shared disk for all machines together, and between two GPUs. continuations: seconds of music that a
    GPU generates in a second. machine, gpu: price of an hour.
    """

    prepare: float = 16.4
    cache: float = 238.1e6
    windows: float = 350.7
    window: float = 17.83
    batch: int = 256
    weights: float = 109e6
    read: float = 1e9
    network: float = 10e9
    continuations: float = 22.3
    machine: float = 1.0
    gpu: float = 3.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """hours: of music. prepare, train, generate: hours of work. disk: bytes of the cache."""

    hours: float
    disk: float
    prepare: float
    train: float
    generate: float
    price: float


def planned(hours: float, machines: int, cores: int, gpus: int, epochs: int, made: float, speeds: Speeds) -> Plan:
    """The plan for some hours of music. gpus: of all machines together. made: hours of continuations."""
    processors = hours * speeds.prepare / (machines * cores)
    prepare = max(processors, hours * PCM_BYTES / speeds.read)
    # Every GPU sends and receives the gradients once for each update, but for its own part.
    exchange = 2 * GRADIENT_BYTES * speeds.weights * (gpus - 1) / gpus / speeds.network
    update = speeds.batch / speeds.windows + exchange
    train = epochs * hours * 3600 / speeds.window / (gpus * speeds.batch) * update
    generate = made * 3600 / (speeds.continuations * gpus)
    price = prepare * machines * speeds.machine + (train + generate) * gpus * speeds.gpu
    return Plan(hours, hours * speeds.cache, prepare / 3600, train / 3600, generate / 3600, price / 3600)


def print_plans(options: argparse.Namespace) -> None:
    speeds = Speeds(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Speeds)})
    print("| hours of music | machines | GPUs | recordings | cache | prepare | train | generate | price |")
    print("|---|---|---|---|---|---|---|---|---|")
    for hours in options.hours:
        for machines, gpus in zip(options.machines, options.gpus, strict=True):
            plan = planned(hours, machines, options.cores, gpus, options.epochs, options.made, speeds)
            sizes = f"{hours * PCM_BYTES / 1e9:,.0f} GB | {plan.disk / 1e9:,.0f} GB"
            took = " | ".join(f"{each:.2f} h" for each in (plan.prepare, plan.train, plan.generate))
            print(f"| {hours:,g} | {machines} | {gpus} | {sizes} | {took} | {plan.price:,.1f} |")


def measure(options: argparse.Namespace) -> None:
    print("| hours | recordings | cache | second prepare | predicted | training start | predicted | windows |")
    print("|---|---|---|---|---|---|---|---|")
    rows: list[tuple[float, Cost, Cost]] = []
    caches = [(each, "") for each in options.hours] + [(each, "sparse") for each in options.sparse]
    for amount, kind in [*caches, *((each, "clips") for each in options.clips)]:
        folder = Path(tempfile.mkdtemp(prefix="scale-", dir=options.folder))
        try:
            if kind == "clips":
                count, hours = amount, write_clips(folder, amount)
            else:
                count, hours = write_cache(folder, amount, kind == "sparse"), amount
            size = sum(path.stat().st_size for path in (folder / "train_data").iterdir())
            prepare, start, windows = prepared(folder), training_start(folder), window_list(folder)
        finally:
            shutil.rmtree(folder)
        rows.append((hours, prepare, start))
        cells = []
        for place, cost in ((1, prepare), (2, start)):
            cells.append(f"{cost.seconds:.1f} s, {cost.megabytes:.0f} MB")
            cells.append(f"{predicted(rows, place, hours):.1f} s" if len(rows) > 2 and kind != "clips" else "")
        name = f"{hours:.4g}{f' ({kind})' if kind else ''}"
        print(f"| {name} | {count:,} | {size / 1e9:.1f} GB | {' | '.join(cells)} | {windows:.2f} s |", flush=True)


def predicted(rows: list[tuple[float, Cost, Cost]], place: int, hours: float) -> float:
    """Seconds on the line through the two rows before the last. place: of the cost in a row."""
    (first, *before), (second, *after) = rows[-3], rows[-2]
    slope = (after[place - 1].seconds - before[place - 1].seconds) / (second - first)
    return before[place - 1].seconds + slope * (hours - first)


def prepared(folder: Path) -> Cost:
    """Of `prepare`, which finds nothing to do: the processor seconds."""
    process = started(folder, ("prepare", "-d", "music"))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"prepare ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def training_start(folder: Path) -> Cost:
    """Of `train`, until its first update: the seconds."""
    begun, events = time.monotonic(), folder / "events.jsonl"
    process = started(folder, TRAIN, {"MUSIC_COMPOSER_PROGRESS": str(events)})
    while process.poll() is None:
        if events.exists() and any(has_trained(line) for line in events.read_text(encoding="utf-8").splitlines()):
            break
        time.sleep(0.05)
    else:
        raise SystemExit(f"train ended with {process.returncode}")
    seconds = time.monotonic() - begun
    process.kill()
    return Cost(seconds, os.wait4(process.pid, 0)[2].ru_maxrss / 1024)


def started(folder: Path, words: tuple[str, ...], more: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))

    environment = {**os.environ, **(more or {})}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        ["music-composer", *words], cwd=folder, env=environment, stdout=quiet, stderr=quiet, preexec_fn=limit
    )


def has_trained(line: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:  # it is being written
        return False
    return event.get("stage") == "training" and event.get("done", 0) >= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--hours", type=float, nargs="*", default=[1, 10, 100])
    measuring.add_argument("--sparse", type=float, nargs="*", default=[1000])
    measuring.add_argument("--clips", type=int, nargs="*", default=[])
    measuring.add_argument("--folder", help="with room for the frames")
    measuring.set_defaults(run=measure)
    planning = commands.add_parser("plan")
    planning.add_argument("--hours", type=float, nargs="+", default=[100, 1000, 10000])
    planning.add_argument("--machines", type=int, nargs="+", default=[1, 8])
    planning.add_argument("--gpus", type=int, nargs="+", default=[1, 8], help="of all machines, one for each of these")
    planning.add_argument("--cores", type=int, default=16, help="of a machine")
    planning.add_argument("--epochs", type=int, default=1)
    planning.add_argument("--made", type=float, default=10.0, help="hours of continuations")
    for field in dataclasses.fields(Speeds):
        planning.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    planning.set_defaults(run=print_plans)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
