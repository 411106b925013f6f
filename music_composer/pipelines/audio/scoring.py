"""Analyses music and writes its scorecard: figures, tables and pictures."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence

from music_composer import parallel
from music_composer.audio.continuation.metadata import read_jumps
from music_composer.audio.options import EvaluateOptions, FrameOptions
from music_composer.audio.plots import plot_spectrogram
from music_composer.context import Context
from music_composer.evaluation.audio import report, scorecard
from music_composer.evaluation.audio.analysis import Analysis, MetricOptions, Span, analyze
from music_composer.evaluation.audio.comparison import Trials
from music_composer.evaluation.audio.cuts import Cut
from music_composer.evaluation.audio.plots import plot_minutes
from music_composer.evaluation.audio.scorecard_records import FolderFacts, RunFacts, Scorecard, plain_of
from music_composer.files.outputs import Output, Staged, staged
from music_composer.progress import duration
from music_composer.reports.tables import write_page

CARD, PAGE, MINUTES, COPIED = "scorecard.json", "scorecard.html", "minutes.png", "most-copied.png"


@dataclasses.dataclass(frozen=True)
class Music:
    """The music to evaluate, and the music that it is compared with.

    made: new music. training, real: training and held-out music. codec, coded_training: held-out and training music
    after the codec, where the model has one. prompts: one for each entry of each of `played`, which holds continuations
    by the name of their player. cuts: one for each prompt, where prompts are cut from whole tracks. cut: new music
    whose beginning is compared with its prompt; None for all of `made`.
    """

    made: Sequence[Span]
    training: Sequence[Span]
    real: Sequence[Span]
    codec: Sequence[Span] = ()
    coded_training: Sequence[Span] = ()
    prompts: Sequence[Span] = ()
    cuts: Sequence[Cut] = ()
    played: Mapping[str, Sequence[Span]] = dataclasses.field(default_factory=dict)
    cut: Sequence[Span] | None = None


def card_output(options: EvaluateOptions, others: Sequence[str] = ()) -> Output:
    """The files of a scorecard. others: names beside those of every one."""
    return Output(options.output / CARD, (PAGE, MINUTES, COPIED, *others))


def judge(music: Music, options: EvaluateOptions, facts: RunFacts | FolderFacts, context: Context) -> Scorecard:
    """Writes the scorecard and returns it. facts: what the scorecard states beside the figures."""
    metrics, started = MetricOptions(), time.monotonic()
    card = scorecard.scorecard_of(_analyzed(music, metrics, context), metrics, facts)
    facts = dataclasses.replace(facts, evaluation_seconds=round(time.monotonic() - started, 1))
    card = dataclasses.replace(card, facts=facts)
    with staged(options.output / CARD, options.overwrite) as files:
        pictures = _draw(card, music.made, files)
        write_page(files.file(PAGE), "The scorecard", report.summary_of(card), report.tables_of(card), pictures)
        files.commit(plain_of(card))
    context.say(f"judged in {duration(time.monotonic() - started)}: {options.output / PAGE}")
    context.written(options.output / PAGE)
    return card


def _analyzed(music: Music, metrics: MetricOptions, context: Context) -> scorecard.AnalyzedMusic:
    """The analyses of all music, in the form that the scorecard takes."""
    analyses = _analyses(music, metrics, context)

    def of(spans: Sequence[Span]) -> list[Analysis]:
        return [analyses[span] for span in spans]

    trials = Trials(
        prompts=of(music.prompts),
        truths=of([cut.truth for cut in music.cuts]),
        later=of([cut.later for cut in music.cuts]),
        played={name: of(spans) for name, spans in music.played.items()},
        seconds=music.cuts[0].part if music.cuts else Trials.seconds,
        prompt_seconds=min((cut.at - cut.start for cut in music.cuts), default=Trials.prompt_seconds),
    )
    return scorecard.AnalyzedMusic(
        training=of(music.training),
        real=of(music.real),
        made=of(music.made),
        codec=of(music.codec),
        coded_training=of(music.coded_training),
        trials=trials,
        cut=music.cut,
        jumps=[(span.path, second) for span in music.made for second in read_jumps(span.path)],
    )


def _analyses(music: Music, metrics: MetricOptions, context: Context) -> dict[Span, Analysis]:
    """The analysis of each span. Each is read once, however many parts of the scorecard need it."""
    # Levels take most of the memory, and nothing is searched for in music that has been through the codec.
    flat = (*music.codec, *music.coded_training)
    played = [span for spans in music.played.values() for span in spans]
    truths = [span for cut in music.cuts for span in (cut.truth, cut.later)]
    whole = (*music.training, *music.real, *music.made, *music.prompts, *truths, *played)
    spans = {span: span not in flat for span in (*whole, *flat)}
    jobs = [(span, metrics, with_levels) for span, with_levels in spans.items()]
    with context.stage("listening", "files") as advance:
        finished = itertools.count(1)

        def done(number: int, result: object) -> None:
            advance(next(finished), len(jobs), jobs[number][0].path.name)

        found = parallel.map(analyze, jobs, context.executor or parallel.Sequential(), done, check=context.check)
    return dict(zip(spans, found, strict=True))


def _draw(card: Scorecard, made: Sequence[Span], files: Staged) -> dict[str, list[str]]:
    """Pictures for the page: names of files, by the table that they go with."""
    pictures: dict[str, list[str]] = {}
    if card.minutes:
        plot_minutes(card.minutes, card.distance[0], files.file(MINUTES))
        pictures["Minute by minute"] = [MINUTES]
    most = card.copying.generated[0]
    span = next(span for span in made if str(span.path) == most.file)
    copied = [(most.at, most.at + most.seconds)] if most.seconds else []
    cuts = [span.start] if span.start else []
    plot_spectrogram(span.path, files.file(COPIED), FrameOptions(), cuts, copied)
    pictures["Copying"] = [COPIED]
    return pictures
