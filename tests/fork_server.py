"""A process that has loaded the program with its libraries, and a copy of it for each command.

Loading TensorFlow takes most of the time of a small command. A request is one line of JSON on standard input, the
answer one line with the number of the copy's process, and one with its exit code. The copies are processes of their
own: signals, limits and folders are theirs alone.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from typing import Any, NoReturn

from tests import command


def main() -> None:
    _load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(json.loads(line))
        _answer(child)
        _answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _load() -> None:
    """Imports only: nothing is computed, since threads do not survive a fork."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import filelock  # noqa: F401
    import keras  # noqa: F401
    import matplotlib.backends.backend_agg  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import PIL.Image
    import scipy.signal  # noqa: F401

    import music_composer.audio.continuation.network_player
    import music_composer.cli.commands
    import music_composer.pipelines.audio.compose
    import music_composer.pipelines.audio.evaluate
    import music_composer.pipelines.audio.generate
    import music_composer.pipelines.evolve
    import music_composer.pipelines.render
    import music_composer.pipelines.symbolic.compose
    import music_composer.pipelines.symbolic.generate
    import music_composer.training.loop
    import music_composer.training.optimizer  # noqa: F401

    PIL.Image.preinit()  # the formats that matplotlib asks for
    gc.freeze()  # copies do not search it for garbage, and so do not copy the memory that it is in


def _run(request: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        for number, path in enumerate((os.devnull, request["output"], request["errors"])):
            os.dup2(os.open(path, os.O_WRONLY if number else os.O_RDONLY), number)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        if request["before"]:
            name, *values = request["before"]
            getattr(command, name)(*values)
        for name, value in request["constants"].items():
            module, _, constant = name.rpartition(".")
            assert hasattr(importlib.import_module(module), constant), name
            setattr(sys.modules[module], constant, value)
        sys.argv = ["music-composer", *request["arguments"]]
        if request["code"]:
            exec(request["code"], {"__name__": "__main__"})
        else:
            from music_composer.__main__ import main

            main()
        code = 0
    except SystemExit as finished:
        code = finished.code if isinstance(finished.code, int) else 1 if finished.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
