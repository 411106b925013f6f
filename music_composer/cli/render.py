"""`music-composer midi render`, and the options by which other commands render what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from music_composer.cli.options import CLUSTER, DEBUG, FOLDER, OVERWRITE, begin, with_options
from music_composer.cli.sections import SectionedCommand, under
from music_composer.errors import OptionError

VOICES = ("auto", "piano", "strings", "organ", "pluck", "flute", "bell", "brass", "reed", "nes", "famicom")
SOUND = [
    click.option(
        "--voice", "voices", multiple=True, type=click.Choice(VOICES),
        help="What plays; repeatable, all of them at once.  [default: auto, each part's own instrument]",
    ),
    click.option("--soundfont", type=FOLDER, metavar="FILE.sf2", help="Play with a SoundFont; needs fluidsynth."),
]  # fmt: skip
RENDER = [click.option("--render", "rendered", is_flag=True, help="Write a WAV beside each MIDI file."), *SOUND]


@click.command(cls=SectionedCommand)
@with_options(
    click.argument("files", nargs=-1, required=True, type=FOLDER),
    under("Sound", *SOUND),
    under(
        "Output",
        click.option("-o", "--output", type=FOLDER, help="Folder of the WAVs.  [default: beside each file]"),
        OVERWRITE,
    ),
    CLUSTER,
    DEBUG,
)
def render(**given: Any) -> None:
    """Render MIDI files, and all in the folders among them, to WAVs."""
    from music_composer.pipelines import render as render_midi
    from music_composer.pipelines.requests import RenderRequest

    render_midi.render_files(RenderRequest(given["files"], given["output"], sound_of(given)), begin(given))


def sound_of(given: dict[str, Any]) -> Any:
    """The RenderOptions among what was given."""
    from music_composer.pipelines.requests import RenderOptions

    if given["soundfont"] and given["voices"]:
        raise OptionError("--voice and --soundfont exclude each other: give one of them")
    voices = given["voices"] or RenderOptions().voices
    return RenderOptions(voices, given["soundfont"], given.get("overwrite", False))


def render_written(paths: Sequence[Path], given: dict[str, Any]) -> None:
    """What --render asks for, once MIDI files are written."""
    if given["rendered"] and paths:
        from music_composer.pipelines import render as render_midi
        from music_composer.pipelines.requests import RenderRequest

        render_midi.render_files(RenderRequest(tuple(paths), None, sound_of(given)), begin(given))


def check_sound(given: dict[str, Any], name: str = "", count: int = 0) -> None:
    """Refuses what cannot be rendered before anything is composed for it: NAME-0.wav, ... that are in the way, too."""
    if not given["rendered"] and (given["voices"] or given["soundfont"]):
        raise OptionError("--voice and --soundfont do nothing without --render: give that too")
    if not given["rendered"]:
        return
    from music_composer.pipelines import render as render_midi

    render_midi.require_renderable(sound_of(given), name, count)
