"""Ten minutes after a prompt: whether they are stable, get stuck in a loop, and drift away."""

from collections.abc import Sequence

import numpy as np

from memory.cuts import RATE, Track, mono
from memory.figures import COPY, MEASURES, SPECTRUM, TONES, Judge, Row
from music_composer.evaluation.audio.signal.drift import Course, course_of_blocks, envelope_of, stability
from music_composer.evaluation.audio.signal.semitones import semitone_levels
from music_composer.evaluation.audio.similarity.frechet_distance import frechet, window_features
from music_composer.evaluation.audio.structure.loops import is_stuck, most_repeated

SECONDS = 600.0
DRIFT = MEASURES.drift


def course_of(track: Track) -> Course:
    """Of a training track, kept beside its decoded samples."""
    kept = track.samples.with_name(f"{track.samples.stem}-course.npy")
    if not kept.exists():
        course = course_of_blocks([mono(track.load())], DRIFT)
        np.save(kept, np.stack([course.loudness, course.flatness, course.high_ratio]))
    return Course(*np.load(kept))


def long_row(judge: Judge, takes: Sequence[np.ndarray]) -> tuple[Row, list[str]]:
    """takes: samples (n, 2) of at least a minute. Returns the figures, and what they are made of in lines of words."""
    envelope = envelope_of([course_of(track) for track in judge.album.training], DRIFT)
    courses = [course_of_blocks([mono(take)], DRIFT) for take in takes]
    stable = [stability(course, envelope, DRIFT) for course in courses]
    repeated = [most_repeated(semitone_levels(mono(take), COPY.spectrum), TONES, MEASURES.loops) for take in takes]
    distances = minute_distances(judge, takes)
    figures = {
        "stable": float(np.mean([each.stable for each in stable])),
        "stuck": float(np.mean([is_stuck(each, MEASURES.loops) for each in repeated])),
        "worst minute": max(distances) / distances[0],
    }
    words = ["distance minute by minute: " + ", ".join(f"{each:.1f}" for each in distances)]
    for i, (left, phrase, course) in enumerate(zip(stable, repeated, courses, strict=True)):
        above = course.loudness.max() - envelope.loudness[1]
        words.append(
            f"take {i}: of {left.segments} segments these leave the training music's range: {left.loudness} by level "
            f"(its loudest {above:+.1f} dB above), {left.flatness} by flatness, {left.high_ratio} by high frequencies; "
            f"four seconds come {phrase.times} times, {phrase.in_a_row} in succession"
        )
    return figures, words


def minute_distances(judge: Judge, takes: Sequence[np.ndarray]) -> list[float]:
    """Frechet distance to the training music of each whole minute, of all takes together."""
    minute = 60 * RATE
    count = min(len(take) for take in takes) // minute
    parts = [[take[i * minute : (i + 1) * minute] for take in takes] for i in range(count)]
    return [
        frechet(judge.reference, np.concatenate([window_features(each, SPECTRUM) for each in part])) for part in parts
    ]


def real_long_row(judge: Judge) -> Row:
    """Of the held-out tracks as they are, those of at least a minute, as far as ten minutes."""
    tracks = [cut.track.load(0.0, SECONDS) for cut in judge.cuts if cut.track.seconds >= 60.0]
    if not tracks:
        return {}
    return {key: value for key, value in long_row(judge, tracks)[0].items() if key != "worst minute"}
