"""The figures of a set of continuations, one row of the table, beside the real music that stands in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory.cuts import RATE, Album, Cut, Track, mono
from memory.steps import at_speed
from music_composer.evaluation.adherence import (
    Adherence,
    adherence_of,
    character,
    distances,
    share_of_the_way,
    whitening_of,
)
from music_composer.evaluation.boundaries import boundaries_a_minute, threshold_of
from music_composer.evaluation.clicks import bandwidth
from music_composer.evaluation.copying import find_copies, library_of
from music_composer.evaluation.distance import (
    frame_change,
    frechet,
    log_mel,
    loudness_db,
    reference_of,
    window_features,
)
from music_composer.evaluation.hearing import Measures
from music_composer.evaluation.pulse import onset_strength, steadiness
from music_composer.evaluation.semitones import semitone_levels
from music_composer.evaluation.trials import clicks_a_minute, order_row

MEASURES = Measures()
SPECTRUM, PULSE, BOUNDARY, COPY = MEASURES.distance, MEASURES.pulse, MEASURES.boundaries, MEASURES.copying
FRAMES = SPECTRUM.rate / SPECTRUM.hop
Row = dict[str, float]
ORDER = {  # columns, by the names of their figures in the scorecard
    "pulse": "pulse",
    "steady": "steadiness",
    "bounds": "boundaries_per_minute",
    "own again": "prompt_again",
    "train again": "training_again",
    "longest": "training_longest_s",
}


def levels_of(track: Track, start: float, stop: float, semitones: int = 0) -> np.ndarray:
    """Log-mel levels at another speed, kept beside the decoded samples."""
    kept = track.samples.with_name(f"{track.samples.stem}-levels-{start:g}-{stop:g}{semitones:+d}.npy")
    if not kept.exists():
        samples = at_speed(mono(track.load(start, stop)), semitones)
        np.save(kept, log_mel(samples, SPECTRUM).astype(np.float16))
    return np.load(kept).astype(np.float32)


def semitones_of(track: Track, semitones: int) -> np.ndarray:
    """Levels of semitones at another speed, kept beside the decoded samples."""
    kept = track.samples.with_name(f"{track.samples.stem}-semitones{semitones:+d}.npy")
    if not kept.exists():
        np.save(kept, semitone_levels(at_speed(mono(track.load()), semitones), COPY.spectrum).astype(np.float16))
    return np.load(kept).astype(np.float32)


@dataclass
class Judge:
    """What all rows of one album are held against. Made once; adherence among the true parts of this album alone."""

    album: Album
    speeds: int = 0  # semitones up and down that a memory may play the training music at

    def __post_init__(self) -> None:
        self.cuts = self.album.cuts
        self.truths = [cut.truth() for cut in self.cuts]
        self.characters = [self._character("truth", cut) for cut in self.cuts]
        self.whitening = whitening_of(self.characters, SPECTRUM)
        self.real_levels = [log_mel(mono(each), SPECTRUM) for each in self.truths]
        self.threshold = threshold_of(self.real_levels, FRAMES, BOUNDARY)
        self.training = [levels_of(track, 0.0, float("inf")) for track in self.album.training]
        speeds = [(track, s) for track in self.album.training for s in range(-self.speeds, self.speeds + 1)]
        self.training += [levels_of(track, 0.0, float("inf"), s) for track, s in speeds if s]
        self.library = library_of([semitones_of(track, s) for track, s in speeds])
        self.prompts = [levels_of(cut.track, 0.0, cut.at) for cut in self.cuts]
        self.reference = reference_of(self._training_features(), SPECTRUM)
        self.made = {"real": [self._character("later", cut) for cut in self.cuts]}  # characters, row by row
        self.tracks: dict[str, list[tuple[float, float]]] = {}  # of each track steadiness and boundaries, row by row
        self.real = adherence_of(distances(self.made["real"], *self._against()))
        self.real_row: Row = {}
        self.real_row = self.row([cut.truth() for cut in self.cuts], "real")

    def _against(self) -> tuple:
        return self.characters, self.whitening

    def _character(self, which: str, cut: Cut) -> np.ndarray:
        return character(mono(getattr(cut, which)()), SPECTRUM)

    def _training_features(self) -> np.ndarray:
        kept = [track.samples.with_name(f"{track.samples.stem}-windows.npy") for track in self.album.training]
        for path, track in zip(kept, self.album.training, strict=True):
            if not path.exists():
                np.save(path, window_features(track.load(), SPECTRUM))
        return np.concatenate([np.load(path) for path in kept])

    def adherence(self, takes: Sequence[np.ndarray], name: str) -> Adherence:
        self.made[name] = [character(mono(take), SPECTRUM) for take in takes]
        return adherence_of(distances(self.made[name], *self._against()))

    def row(self, takes: Sequence[np.ndarray], name: str) -> Row:
        """takes: (n, 2) of samples for each cut, in order; what is longer than the part is cut off."""
        takes = [take[: round(cut.part * RATE)] for take, cut in zip(takes, self.cuts, strict=True)]
        monos = [mono(take) for take in takes]
        levels = [log_mel(each, SPECTRUM) for each in monos]
        steady = [steadiness(onset_strength(each, PULSE), FRAMES, PULSE) for each in levels]
        bounds = [boundaries_a_minute([each], self.threshold, FRAMES, BOUNDARY) for each in levels]
        self.tracks[name] = list(zip(steady, bounds, strict=True))
        order = order_row(name, levels, self.prompts, self.training, self.threshold, MEASURES)
        minutes = sum(len(each) for each in monos) / RATE / 60.0
        copies = [find_copies(semitone_levels(each, COPY.spectrum), self.library, COPY, 1.0) for each in monos]
        copied = [copy.seconds for found in copies for copy in found]
        halves = [bandwidth(mono(truth), RATE, MEASURES.clicks) / 2 for truth in self.truths]
        figures: Row = {
            "distance": frechet(self.reference, np.concatenate([window_features(t, SPECTRUM) for t in takes])),
            "change": float(np.mean([frame_change(take, SPECTRUM) for take in takes])),
            "level": float(np.mean([loudness_db(take) for take in takes])),
            **{column: order[figure] for column, figure in ORDER.items()},
            "copied": sum(copied) / minutes / 60.0,
            "copy": max(copied, default=0.0),
            "clicks": clicks_a_minute(monos, halves, MEASURES),
        }
        adherence = self.adherence(takes, name) if self.real_row else self.real
        way = share_of_the_way(adherence, self.real)
        figures |= {"nearest": adherence.nearest, "rank": adherence.rank, "own/others": adherence.ratio}
        return figures | {"way rank": way.rank, "way ratio": way.ratio}

    def by_track(self) -> list[str]:
        """Own over others, steadiness and boundaries a minute of each held-out track, a line a row of the table."""
        lines = ["| | " + " | ".join(cut.track.name for cut in self.cuts) + " |", "|---" * (1 + len(self.cuts)) + "|"]
        for name, pairs in self.tracks.items():
            ratios = adherence_of(distances(self.made[name], *self._against())).ratios
            cells = [f"{r:.2f}, {s:.2f}, {b:.1f}" for r, (s, b) in zip(ratios, pairs, strict=True)]
            lines.append("| " + " | ".join([name, *cells]) + " |")
        return lines


def pooled(judges: Sequence[Judge], draws: int = 1000) -> list[str]:
    """Adherence among the held-out tracks of all albums together, with 95 % intervals that draw tracks anew."""
    truths = [each for judge in judges for each in judge.characters]
    whitening, rng = whitening_of(truths, SPECTRUM), np.random.default_rng(0)
    names = [name for name in judges[0].made if all(name in judge.made for judge in judges)]
    found = {
        name: adherence_of(distances([each for judge in judges for each in judge.made[name]], truths, whitening))
        for name in names
    }
    lines = [
        f"| {len(truths)} tracks | nearest | rank | own/others | way rank | way ratio |\n|---|---|---|---|---|---|"
    ]
    picks = rng.integers(len(truths), size=(draws, len(truths)))
    for name, adherence in found.items():
        way, real = share_of_the_way(adherence, found["real"]), found["real"]
        drawn = [(adherence.ranks[p].mean(), adherence.ratios[p].mean(), real.ratios[p].mean()) for p in picks]
        ratios = np.array([(1 - ours) / (1 - theirs) for _, ours, theirs in drawn])
        rank = "{:.2f} to {:.2f}".format(*np.percentile([rank for rank, _, _ in drawn], [2.5, 97.5]))
        ratio = "{:.0%} to {:.0%}".format(*np.percentile(ratios, [2.5, 97.5]))
        cells = [name, f"{adherence.nearest:.0%}", f"{adherence.rank:.2f} ({rank})", f"{adherence.ratio:.2f}"]
        lines.append("| " + " | ".join([*cells, f"{way.rank:.0%}", f"{way.ratio:.0%} ({ratio})"]) + " |")
    return lines


COLUMNS = {
    "distance": "x real",
    "change": "x real",
    "level": "dB off",
    "nearest": "%",
    "rank": "",
    "own/others": "",
    "way rank": "%",
    "way ratio": "%",
    "pulse": "x real",
    "steady": "x real",
    "bounds": "x real",
    "own again": "%",
    "train again": "%",
    "longest": "s",
    "copied": "%",
    "copy": "s",
    "clicks": "/min",
}


def shown(name: str, rows: Sequence[Row], real: Row) -> str:
    """The mean of the rows of several seeds, and half of what lies between the least and the most."""
    cells = []
    for column, unit in COLUMNS.items():
        values, form = np.array([row[column] for row in rows]), "{:.2f}"
        if unit == "x real" and rows[0] is not real:
            values, form = values / (real[column] or float("nan")), "{:.2f}x"
        elif unit == "dB off" and rows[0] is not real:
            values, form = values - real[column], "{:+.1f} dB"
        elif unit == "%":
            values, form = 100 * values, "{:.0f} %"
        elif abs(values.mean()) >= 10:
            form = "{:.1f}"
        spread = form.replace("+", "").format(np.ptp(values) / 2) if len(rows) > 1 else ""
        cells.append(form.format(values.mean()) + (f" ±{spread}" if spread else ""))
    return "| " + " | ".join([name, *cells]) + " |"


def header() -> str:
    return "| | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (1 + len(COLUMNS))


def saved_takes(folder: Path, cuts: Sequence[Cut]) -> list[np.ndarray]:
    import soundfile

    return [soundfile.read(folder / f"{cut.track.name}.wav", dtype="float32", always_2d=True)[0] for cut in cuts]
