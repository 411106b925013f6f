"""The figures of a set of continuations, one row of the table, beside the real music that stands in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memory.cuts import RATE, Album, Cut, Track, mono
from memory.steps import at_speed
from music_composer.evaluation.audio.analysis import MetricOptions
from music_composer.evaluation.audio.comparison import clicks_a_minute, order_row
from music_composer.evaluation.audio.signal.clicks import bandwidth
from music_composer.evaluation.audio.signal.semitones import semitone_levels
from music_composer.evaluation.audio.similarity.adherence import (
    Adherence,
    adherence_of,
    character,
    distances,
    share_of_the_way,
    whitening_of,
)
from music_composer.evaluation.audio.similarity.copying import find_copies, library_of, longest_copy
from music_composer.evaluation.audio.similarity.frechet_distance import (
    frame_change,
    frechet,
    log_mel,
    loudness_db,
    reference_of,
    window_features,
)
from music_composer.evaluation.audio.structure.loops import returning
from music_composer.evaluation.audio.structure.novelty import boundaries_a_minute, threshold_of
from music_composer.evaluation.audio.structure.pulse import onset_strength, steadiness

MEASURES = MetricOptions()
SPECTRUM, PULSE, BOUNDARY, COPY = MEASURES.distance, MEASURES.pulse, MEASURES.boundaries, MEASURES.copying
FRAMES, TONES = SPECTRUM.rate / SPECTRUM.hop, COPY.spectrum.frames_per_second
SHARED_SECONDS = 360.0  # of a held-out track that are searched for what it shares with the training music
Row = dict[str, Any]  # float, or None where there is too little music for a figure
ORDER = {  # columns, by the names of their figures in the scorecard
    "pulse": "pulse",
    "steady": "steadiness",
    "bounds": "boundaries_per_minute",
    "own again": "prompt_repeated",
    "train again": "training_repeated",
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
        self.shared = max(self._shared(cut) for cut in self.cuts)  # seconds
        self.heard = [library_of([semitone_levels(mono(cut.prompt()), COPY.spectrum)]) for cut in self.cuts]
        self.prompts = [levels_of(cut.track, 0.0, cut.at) for cut in self.cuts]
        self.reference = reference_of(self._training_features(), SPECTRUM)
        self.made = {"real": [self._character("later", cut) for cut in self.cuts]}  # characters, row by row
        self.tracks: dict[str, list[tuple[float, float]]] = {}  # of each track steadiness and boundaries, row by row
        self.real = adherence_of(distances(self.made["real"], *self._against()))
        self.real_row: Row = {}
        self.real_row = self.row([cut.truth() for cut in self.cuts], "real")

    def _shared(self, cut: Cut) -> float:
        """Seconds of the longest run that the held-out track as a whole shares with the training music."""
        levels = semitone_levels(mono(cut.track.load(0.0, SHARED_SECONDS)), COPY.spectrum)
        return longest_copy(levels, self.library, COPY).seconds

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
        semitones = [semitone_levels(each, COPY.spectrum) for each in monos]
        copies = [find_copies(each, self.library, COPY, 1.0) for each in semitones]
        copied = [copy.seconds for found in copies for copy in found]
        own = [find_copies(each, prompt, COPY, 1.0) for each, prompt in zip(semitones, self.heard, strict=True)]
        halves = [bandwidth(mono(truth), RATE, MEASURES.clicks) / 2 for truth in self.truths]
        figures: Row = {
            "distance": frechet(self.reference, np.concatenate([window_features(t, SPECTRUM) for t in takes])),
            "change": float(np.mean([frame_change(take, SPECTRUM) for take in takes])),
            "level": float(np.mean([loudness_db(take) for take in takes])),
            **{column: getattr(order, figure) for column, figure in ORDER.items()},
            "copied": sum(copied) / minutes / 60.0,
            "own copied": sum(copy.seconds for found in own for copy in found) / minutes / 60.0,
            "copy": max(copied, default=0.0),
            "shared": max(copied, default=0.0) / self.shared if self.shared else float("nan"),
            "back": float(np.nanmean([returning(each, TONES, MEASURES.loops) for each in semitones])),
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
