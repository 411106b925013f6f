"""`music-composer web`: the page."""

from __future__ import annotations

from pathlib import Path

import click

from music_composer.cli.options import DEBUG, FOLDER, begin, with_options
from music_composer.cli.sections import SectionedCommand
from music_composer.stopping import regular_end


@click.command(cls=SectionedCommand)
@with_options(
    click.argument("folder", type=FOLDER, default=Path(".")),
    click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port; 0: any free one."),
    click.option("--no-browser", is_flag=True, help="Only print the address."),
    DEBUG,
)
def web(folder: Path, port: int, no_browser: bool, debug: bool) -> None:
    """Open a page for a folder: record, train, listen and evolve without a terminal.

    The page is for this machine alone. Its jobs are commands, which go on when the page is closed.
    """
    context = begin()
    from music_composer.web.server import serve

    with regular_end():  # Ctrl-C is how it ends
        serve(folder, port, not no_browser, context)
