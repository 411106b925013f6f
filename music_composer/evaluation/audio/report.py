"""The scorecard for readers: its tables, and a summary in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from music_composer.evaluation.audio.comparison import LEAST_TRIALS
from music_composer.evaluation.audio.distances import MEASURES
from music_composer.evaluation.audio.scorecard_records import (
    AdherenceFigures,
    ContinuityFigures,
    CopyFigures,
    CopyingFigures,
    MinuteFigures,
    MusicFigures,
    OrderFigures,
    RunFacts,
    Scorecard,
    StabilityFigures,
)
from music_composer.reports.tables import Table

DISTANCES = list(MEASURES.values())


def tables_of(card: Scorecard) -> list[Table]:
    """All tables of a scorecard, as text."""
    tables = [_distance_table(card), _degradations_table(card)]
    if card.minutes:
        tables.append(_minutes_table(card.minutes, card.distance[0]))
    if card.stability:
        tables.append(_stability_table(card.stability))
    if card.adherence:
        tables.append(_adherence_table(card.adherence))
    tables += [order_table(card.order), _copying_table(card.copying)]
    if card.continuity:
        tables.append(_continuity_table(card.continuity))
    if isinstance(card.facts, RunFacts):
        tables.append(_speed_table(card.facts))
    return tables


def summary_of(card: Scorecard) -> str:
    """The summary in one sentence."""
    rows = {row.music: row for row in card.distance}
    real = rows["real, held out"]
    made = rows.get("continuations") or rows.get("long continuations")
    if made is None:
        return "Nothing was judged."
    return (
        f"The continuations are {_ratio(made.discrepancy, real.discrepancy)} as far from the training music as "
        f"held-out music is by their discrepancy ({made.discrepancy:.2f} and {real.discrepancy:.2f}), "
        f"{_ratio(made.frechet, real.frechet)} by the Frechet distance at {made.at_windows} windows. They move "
        f"{_ratio(made.change_db, real.change_db)} as much from frame to frame, and change harmony "
        f"{_ratio(made.harmonic_changes_per_second, real.harmonic_changes_per_second)} as often."
    )


def _distance_table(card: Scorecard) -> Table:
    columns = ["music", "recordings", "windows", "discrepancy", "95 % interval", *DISTANCES[1:], "change", "level"]
    columns += ["harmonic changes", "onsets", "side against mid"]
    real = card.distance[0]
    rows = [
        [
            row.music, str(row.recordings), str(row.windows), f"{row.discrepancy:.2f}",
            f"{row.low:.2f} to {row.high:.2f}", f"{row.frechet:.1f}", f"{row.frechet_bands:.1f}",
            _ratio(row.change_db, real.change_db), f"{row.loudness_db - real.loudness_db:+.1f} dB",
            _ratio(row.harmonic_changes_per_second, real.harmonic_changes_per_second),
            _ratio(row.onset_db, real.onset_db), f"{row.side_db:.1f} dB",
        ]
        for row in card.distance
    ]  # fmt: skip
    words = (
        f"how far from the training music, of which {card.reference.windows} half seconds are compared with; "
        f"Frechet distances at {card.windows_compared} windows each; change, level, harmonic changes and onsets "
        "against held-out music"
    )
    if isinstance(card.facts, RunFacts) and card.facts.codec_error_db is not None:
        words += f"; the codec's spectra are {card.facts.codec_error_db:.1f} dB from the true ones"
    return Table("Distance", words, columns, rows)


def _degradations_table(card: Scorecard) -> Table:
    rows = [
        [row.music, f"{row.discrepancy:.2f}", f"{row.frechet:.1f}", f"{row.frechet_bands:.1f}"]
        for row in card.degradations
    ]
    failed = card.degradations_not_in_order
    verdict = f"NOT in order: {', '.join(failed)}" if failed else "all measures put every family in order"
    return Table("Known damage", f"held-out music, damaged; {verdict}", ["damage", *DISTANCES], rows)


def _minutes_table(minutes: Sequence[MinuteFigures], real: MusicFigures) -> Table:
    columns = ["minute", *DISTANCES, "change", "level", "quietest to loudest", "flatness", "above 4 kHz"]
    rows = [
        [
            str(row.minute), f"{row.discrepancy:.2f}", f"{row.frechet:.1f}", f"{row.frechet_bands:.1f}",
            _ratio(row.change_db, real.change_db), f"{row.loudness_db - real.loudness_db:+.1f} dB",
            f"{row.quietest_db - real.loudness_db:+.1f} to {row.loudest_db - real.loudness_db:+.1f} dB",
            f"{row.flatness_db:.1f} dB", f"{row.high_ratio_db:.1f} dB",
        ]
        for row in minutes
    ]  # fmt: skip
    return Table("Minute by minute", "the long continuations, all together", columns, rows)


def _stability_table(row: StabilityFigures) -> Table:
    rows = [
        ["recordings", str(row.recordings)],
        ["stable: every 10 s within the training music's range", f"{100 * row.stable:.0f} %"],
        ["10 s segments outside of it", f"{100 * row.segments_outside:.1f} %"],
        [
            "loop: 4 s repeated more than 3 times",
            f"{100 * row.loop:.0f} % (most: {row.most_repeated} times; as much of the training music: "
            f"{row.most_repeated_in_music} times)",
        ],
        [
            "stuck: that in succession",
            f"{100 * row.stuck:.0f} % (most: {row.most_in_a_row} times in a row)",
        ],
        ["fall silent", f"{100 * row.silent:.0f} % (longest silence {row.longest_silence_s:.1f} s)"],
        ["slope of the level", f"{row.slope_db_per_minute:+.2f} dB/min"],
        ["steepest slope", f"{row.steepest_db_per_minute:+.2f} dB/min"],
    ]  # fmt: skip
    return Table("Stability", "of the long continuations, without any correction", ["figure", "reading"], rows)


def _adherence_table(found: AdherenceFigures) -> Table:
    rows = [
        [
            row.music, _share(row.nearest), f"{row.rank:.1f}", f"{row.own_over_others:.2f}",
            _share(row.normalized_rank), _share(row.normalized_ratio),
        ]
        for row in found.rows
    ]  # fmt: skip
    words = (
        f"is a continuation nearer to the true next {found.part_seconds:g} s of its own track than to those of all "
        f"{found.tracks} held-out tracks? Chance: mean rank {(found.tracks + 1) / 2:g}, own over others 1. "
        f"Prompts are the tracks up to the cut, {found.prompt_seconds:.0f} s or more; one continuation of each"
    )
    if not found.verdict:
        words += f". Fewer than {LEAST_TRIALS}: no verdict"
    columns = ["music", "nearest", "mean rank", "own over others", "normalized rank", "normalized own over others"]
    return Table("Adherence", words, columns, rows)


def order_table(found: Sequence[OrderFigures]) -> Table:
    """found: the rows of `comparison.order_rows`."""
    columns = ["music", "pieces", "pulse", "steadiness", "boundaries a minute", "again from the prompt"]
    columns += ["again from the training music", "longest", "clicks a minute"]
    real = found[0]
    rows = [
        [
            row.music, str(row.pieces), _beside(row.pulse, real.pulse, row is real),
            _beside(row.steadiness, real.steadiness, row is real),
            _beside(row.boundaries_per_minute, real.boundaries_per_minute, row is real),
            _share(row.prompt_repeated), _share(row.training_repeated), f"{row.training_longest_s:.1f} s",
            _beside(row.clicks_per_minute, real.clicks_per_minute, row is real),
        ]
        for row in found
    ]  # fmt: skip
    words = (
        "figures that depend on the order of half seconds: how clear the pulse is, whether onsets are in phase 4 to "
        "8 s later, how often a new section begins, the share of the music that repeats, and clicks. In brackets: over "
        "real music's"
    )
    if min(row.pieces for row in found) < LEAST_TRIALS:
        words += f". Fewer than {LEAST_TRIALS} pieces: no verdict"
    return Table("In the right order", words, columns, rows)


def _copying_table(copying: CopyingFigures) -> Table:
    rows = []
    for name, found in (("real, held out", copying.real), ("continuations", copying.generated)):
        if found:
            seconds = [row.seconds for row in found]
            rows.append([name, f"{max(seconds):.1f} s", f"{float(np.median(seconds)):.1f} s", _where(found[0])])
    return Table(
        "Copying", "longest run aligned to a training recording", ["music", "longest", "median", "where"], rows
    )


def _continuity_table(found: Mapping[str, ContinuityFigures]) -> Table:
    # Without real music there is no ratio: `_ratio` writes a dash for 0.
    change = found["real, held out"].harmonic_change if "real, held out" in found else 0.0
    rows = [
        [
            name, str(row.cuts), _share(row.better), _share(row.level), _share(row.spectrum), _share(row.key),
            _share(row.pulse), _ratio(row.harmonic_change, change),
        ]
        for name, row in found.items()
    ]  # fmt: skip
    words = (
        "how often the music steps less at the cut, or at a jump, than at a random splice of real music; uncut real "
        "music beside it; the pulse is that of the 6 s before it, if there are as many; music that stands still keeps "
        "its key, so its harmonic change is given too, over real music's"
    )
    columns = ["music", "cuts", "all together", "level", "spectrum", "key", "pulse", "harmonic change"]
    return Table("Continuity with the prompt", words, columns, rows)


def _speed_table(facts: RunFacts) -> Table:
    rows = []
    for each in facts.generating:
        title = f"{each.count} continuations of {each.seconds:g} s"
        rows.append([title, f"{each.elapsed:.0f} s, start-up included: {each.x_real_time:.1f} x real time"])
    if facts.seconds_an_epoch is not None:
        minutes = facts.training_seconds / 60
        rows.append(["training", f"{facts.epochs} epochs of {facts.seconds_an_epoch:.1f} s: {minutes:.1f} min"])
    rows.append(["first sound of a stream", f"{facts.first_sound_seconds:.2f} s after the model is loaded"])
    rows.append(["peak memory", f"{facts.peak_memory_mb} MB"])
    return Table("Speed", "on this machine", ["what", "reading"], rows)


def _where(copy: CopyFigures) -> str:
    if not copy.seconds:
        return ""
    return f"{copy.recording} at {copy.at:.1f} s is {copy.source} at {copy.source_at:.1f} s"


def _beside(value: float | None, real: float | None, itself: bool) -> str:
    """The figure, and over real music's. itself: whether it is real music's."""
    if value is None:
        return "-"
    return f"{value:.2f}" if itself or not real else f"{value:.2f} ({value / real:.2f} x)"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _ratio(value: float, real: float) -> str:
    return f"{value / real:.2f} x" if real > 0 else "-"
