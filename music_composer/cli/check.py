"""Checks a command without running it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import click

from music_composer.cli.commands import cli
from music_composer.cli.options import CHECK, Checked
from music_composer.errors import MusicComposerError


def refusal_of(arguments: Sequence[str]) -> str:
    """Returns the line with which `music-composer ARGUMENTS` would refuse its options; nothing where it accepts them.

    Nothing is run, read or written, so a file that is missing is not noticed.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # of --help and --version
            cli.main(list(arguments), "music-composer", standalone_mode=False, obj=CHECK)
    except Checked:
        return ""
    except click.ClickException as error:
        return error.format_message()
    except MusicComposerError as error:
        return str(error)
    return ""
