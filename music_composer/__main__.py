"""Runs the command: stopping is answered from the first moment on, and every error is one line and an exit code.

Imports next to nothing before that: see stopping.py.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from music_composer import quiet, stopping


def main() -> None:
    """The `music-composer` command."""
    _fill_closed_streams()
    # Read as NumPy is loaded. Products are small, or several samples are made at once: threads mostly wait for each
    # other, and how many there are changes the last bits of a sum.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with quiet.own_stderr(), stopping.answering():
        try:
            _run()
        except KeyboardInterrupt as stopped:
            if code := stopping.exit_code():
                _fail(str(stopped) or "stopped", code)
            stopping.end(code)
        finally:
            _let_go_of_words()


def _fill_closed_streams() -> None:
    """Where standard output or error is closed, the next file that is opened would get what is written to it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)  # standard output stays None: `-o -` is refused then


def _let_go_of_words() -> None:
    """What could not be said, on a full disk say, is no failure of the command: Python would make it one at the end."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _run() -> None:
    debug = "--debug" in sys.argv
    try:
        import click

        from music_composer.cli.commands import cli
        from music_composer.errors import MusicComposerError
        from music_composer.web.command import web

        cli.add_command(web)  # here, since the page itself is made from the other commands

        try:
            cli(standalone_mode=False)
            if sys.stdout:
                sys.stdout.flush()  # a full disk is told now, not when the interpreter ends
        except click.exceptions.Exit as finished:
            sys.exit(finished.exit_code)
        except click.ClickException as error:
            error.show()
            _append_error(error.format_message(), error.exit_code)
            sys.exit(error.exit_code)
        except click.Abort as error:  # what click makes of the interruption; its first versions name no cause
            raise error.__cause__ or error.__context__ or KeyboardInterrupt from None
        except MusicComposerError as error:
            _fail(str(error), error.exit_code, debug)
    except BrokenPipeError:  # nobody reads what we print any more
        stopping.end(1)
    except Exception as error:
        _fail(line_of(error), 1, debug)


def line_of(error: Exception) -> str:
    """An error that is not ours in one line: what the operating system refused, what memory was short of, or a fault
    of this program.
    """
    words = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's name for it
        return f"out of memory{f': {words}' if words else ''}; less is needed with smaller -n, -l, -b, -g or -s"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    import traceback

    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected error, {type(error).__name__}: {words or 'no message'} ({place.name} in {place.filename}, line "
        f"{place.lineno}): --debug shows where it came from; please report it"
    )


def _append_error(line: str, code: int) -> None:
    """For another program that follows this one."""
    from music_composer.progress import append_error

    append_error(line, code)


def _fail(line: str, code: int, debug: bool = False) -> NoReturn:
    import contextlib

    from music_composer.printable import printable

    with contextlib.suppress(OSError):  # of a full disk, or a terminal that is gone
        if debug:
            import traceback

            traceback.print_exc()
        sys.stderr.write(printable(f"music-composer: {line}\n"))
        sys.stderr.flush()
    _append_error(line, code)
    stopping.end(code)


if __name__ == "__main__":
    main()
