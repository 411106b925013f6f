"""Joining a Ray cluster and leaving it. One process joins one cluster at a time.

Ray is imported here first, since it reads its environment then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from music_composer.cluster.options import LOCAL, ClusterOptions, host_and_port
from music_composer.errors import ClusterError, OptionError

PROBE_SECONDS = 3.0  # until something must answer at the address
ASK_SECONDS, GONE_SECONDS = 2.0, 10.0  # between two looks at the head, and until it counts as gone
JOIN_SECONDS = 30.0  # until the cluster must have let us in
INSTALL = "pip install 'music-composer[cluster]'"
# No usage statistics are sent, and jobs see the GPUs of their machine, which they do not reserve.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class Head:
    """Tells whether the head of a cluster still answers.

    A minute after it is gone, Ray ends this process without a word.
    """

    def __init__(self, address: str) -> None:
        self._address, self._answered = address, time.monotonic()
        self._asked = self._answered

    def require(self, now: bool = False) -> None:
        """Raises ClusterError where it has not answered for GONE_SECONDS, or does not `now`.

        Otherwise it is asked once in ASK_SECONDS at most.
        """
        moment = time.monotonic()
        if self._address == LOCAL or (moment < self._asked + ASK_SECONDS and not now):
            return
        self._asked = moment
        try:
            _probe(self._address)
            self._answered = moment
        except ClusterError as error:
            if now or moment - self._answered > GONE_SECONDS:
                raise ClusterError(
                    f"the head of the cluster at {self._address} is gone: what is finished is kept, and the same "
                    "command goes on from there"
                ) from error


_lock = threading.Lock()
_address: str | None = None  # of the cluster that this process has joined


def joined(options: ClusterOptions) -> Any:
    """Joins the cluster once for this process, and returns Ray's module."""
    global _address
    with _lock:
        if options.address not in (LOCAL, _address):
            _probe(options.address or "")
        os.environ.update(QUIET)
        if options.address == LOCAL:
            # Its ports can be reached from elsewhere, whatever address it is given: a token of its own keeps all out.
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            import ray
        except ImportError as error:
            raise OptionError(f"--cluster needs Ray, which is not installed: {INSTALL}") from error
        if _address != options.address:
            if options.address == LOCAL:
                # Not in a thread that ends: the engine's processes end with the thread that has started them.
                _join(ray, options)
            else:
                _in_time(lambda: _join(ray, options), options.address or "")
            _address = options.address
            _require_one_filesystem(ray)
        return ray


def leave() -> None:
    global _address
    with _lock:
        if _address:
            import ray

            ray.shutdown()
            _address = None


def _join(ray: Any, options: ClusterOptions) -> None:
    here = {"num_cpus": options.workers, "include_dashboard": False} if options.address == LOCAL else {}
    # A thread of Ray prints on standard output, which may hold music, when a worker dies. No option is against it.
    ray._private.worker.print_to_stdstream = lambda *_, **__: None
    ray.init(address=options.address, log_to_driver=False, logging_level=logging.CRITICAL, **here)


def _probe(address: str) -> None:
    """Ray itself waits for minutes where nothing answers."""
    try:
        with socket.create_connection(host_and_port(address), PROBE_SECONDS):
            pass
    except OSError as error:
        raise ClusterError(f"nothing answers at {address} ({error}): is the head of the cluster running?") from error


def _in_time(join: Callable[[], None], address: str) -> None:
    """Raises ClusterError where joining fails, or takes too long: so a wrong token or another version shows."""
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            join()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(JOIN_SECONDS)
    if thread.is_alive() or errors:
        why = f" ({str(errors[0]).splitlines()[0][:200]})" if errors and str(errors[0]) else ""
        raise ClusterError(
            f"the cluster at {address} does not let this command in{why}: the token (RAY_AUTH_TOKEN, or its file) and "
            "the versions of Ray and Python must be those of the cluster"
        )


def _require_one_filesystem(ray: Any) -> None:
    """Every machine must see this folder at the same path. Raises ClusterError naming those that do not."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nonce = secrets.token_hex(16)
    path = Path.cwd() / f".music-composer-{nonce[:8]}.part"
    try:
        path.write_text(nonce, encoding="ascii")
    except OSError as error:
        raise ClusterError(f"{path.parent} cannot be written, and a cluster needs that: {error.strerror}") from error
    try:
        look = ray.remote(num_cpus=0, max_retries=0)(_read)
        nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
        seen = {
            look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(each, soft=False)).remote(str(path)): name
            for each, name in nodes.items()
        }
        blind = []
        for reference, name in seen.items():
            with contextlib.suppress(ray.exceptions.RayError):  # that machine has gone meanwhile
                blind += [name] * (ray.get(reference, timeout=JOIN_SECONDS) != nonce)
    finally:
        path.unlink(missing_ok=True)
    if blind:
        raise ClusterError(
            f"{', '.join(sorted(set(blind)))} of the cluster cannot see {path.parent}: all machines need one shared "
            "filesystem, at the same path"
        )


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="ascii")
    return ""
