"""A process that has loaded the program with its libraries, and a copy of it for each command.

Loading TensorFlow takes most of the time of a small command. A request is one line of JSON on standard input, the
answer one line with the number of the copy's process, and one with its exit code. The copies are processes of their
own: signals, limits and folders are theirs alone. One copy stays, for requests with `kept`: it runs them in turn, and
loads each model once.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import command


def main() -> None:
    _load()
    keeper = Keeper()
    for line in sys.stdin:
        request = json.loads(line)
        if request["kept"]:
            keeper.run(line)
            continue
        child = os.fork()
        if not child:
            os._exit(_exit_code(request))
        _answer(child)
        _answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


class Keeper:
    """A copy that stays until a command ends it, as one that fails does."""

    def __init__(self) -> None:
        self._child = 0
        self._requests = self._codes = sys.stdin  # pipes to and from the copy, once there is one

    def run(self, line: str) -> None:
        if not self._child:
            self._begin()
        self._requests.write(line)
        self._requests.flush()
        _answer(self._child)
        code = self._codes.readline()
        if not code:
            code = str(os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1]))
            self._child = 0
        _answer(int(code))

    def _begin(self) -> None:
        (theirs, ours), (answers, codes) = os.pipe(), os.pipe()
        self._child = os.fork()
        if self._child:
            os.close(theirs)
            os.close(codes)
            self._requests, self._codes = os.fdopen(ours, "w"), os.fdopen(answers)
            return
        os.close(ours)
        os.close(answers)
        for name in ("audio.generate", "audio.evaluate", "symbolic.generate", "symbolic.evaluate"):
            pipeline = importlib.import_module(f"music_composer.pipelines.{name}")
            pipeline.load = _once(pipeline.load)
        with os.fdopen(theirs) as requests:
            for line in requests:
                os.write(codes, f"{_exit_code(json.loads(line))}\n".encode())
        os._exit(0)


def _once(load: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Loads the model of a folder once, as long as nothing changes in there."""
    loaded: dict[object, Any] = {}

    def model_of(folder: Path) -> Any:
        files = sorted(folder.iterdir()) if folder.is_dir() else ()
        key = Path.cwd(), folder, tuple((file.name, file.stat().st_mtime_ns) for file in files)
        if key not in loaded:
            loaded[key] = load(folder)
        return loaded[key]

    return model_of


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


def _exit_code(request: dict[str, Any]) -> int:
    """Runs a request, and returns the exit code unless the command ends its process."""
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
    return code


if __name__ == "__main__":
    main()
