"""Ranks: processes that train one network together, each on its rows of every batch (data parallelism).

Gradients are added up over all ranks before each update (all-reduce), so all ranks hold the same weights, to the last
bit. They equal those of a single process to rounding, since random numbers are those of the whole batch. TensorFlow's
collectives do the sums: its ring on CPUs, NCCL on GPUs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from music_composer.cluster.ranks import RankLostError
from music_composer.values import Rows

HOST, GRADIENTS = 1, 2  # keys of the groups of devices that sum: processors, and what the network is trained on


class Ranks(Protocol):
    """What the training loop needs to know of the processes that train."""

    @property
    def rank(self) -> int:
        """The number of this process; 0 writes the run folder."""

    @property
    def count(self) -> int: ...

    @property
    def rows(self) -> Rows | None:
        """Those of each batch that this process trains on; None: all of them."""

    def join(self, model: Any) -> None:
        """Makes a compiled model train on `rows`, by the gradients of the whole batch."""

    def mean(self, loss: float) -> float:
        """The mean loss of a batch, from that of the rows of each process. All ask for it after each update."""

    def total(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes."""

    def part(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The rows (rows, units) of arrays of a batch; none where they are of another batch size."""

    def whole(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The inverse of `part`. All processes call it at the same moment."""


class Alone:
    """A single process."""

    rank, count, rows = 0, 1, None

    def join(self, model: Any) -> None:
        """Does nothing."""

    def mean(self, loss: float) -> float:
        return loss

    def total(self, values: Sequence[float]) -> list[float]:
        return list(values)

    def part(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(carried)

    def whole(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(carried)


ALONE = Alone()


@dataclasses.dataclass(frozen=True)
class TensorFlowRanks:
    """Several processes; each has called `connect`.

    batch: rows of a batch. wish: whether this process is asked to stop. stopping: is set after the same update in all
    processes once one of them is asked to.
    """

    rank: int
    count: int
    batch: int
    wish: Callable[[], bool]
    stopping: threading.Event

    @property
    def rows(self) -> Rows:
        edges = [self.batch * i // self.count for i in (self.rank, self.rank + 1)]
        return Rows(edges[0], edges[1], self.batch)

    def join(self, model: Any) -> None:
        model.rows = self.rows
        model.optimizer.all_reduce = self._whole_gradients

    def mean(self, loss: float) -> float:
        mean, wishes = self.total([self.rows.share * loss, float(self.wish())])
        if wishes:
            self.stopping.set()
        return mean

    def total(self, values: Sequence[float]) -> list[float]:
        return [float(value) for value in self._sum(np.asarray(values, np.float64))]

    def part(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        if any(len(array) != self.batch for array in carried):
            return []
        return [array[self.rows.start : self.rows.stop] for array in carried]

    def whole(self, carried: Sequence[np.ndarray]) -> list[np.ndarray]:
        found = []
        for array in carried:
            padded = np.zeros((self.batch, *array.shape[1:]), array.dtype)
            padded[self.rows.start : self.rows.stop] = array
            found.append(self._sum(padded))
        return found

    def _sum(self, values: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        with tf.device("CPU:0"):
            return _all_reduced(tf.constant(values), self.count, HOST).numpy()

    def _whole_gradients(self, gradients: Sequence[Any]) -> list[Any]:
        """Gradients of the whole batch from those of the rows of each process, summed as one vector."""
        import tensorflow as tf

        flat = tf.concat([tf.reshape(each, (-1,)) for each in gradients if each is not None], axis=0)
        parts = iter(
            tf.split(
                _all_reduced(flat * self.rows.share, self.count, GRADIENTS),
                [int(np.prod(each.shape)) for each in gradients if each is not None],
            )
        )
        return [None if each is None else tf.reshape(next(parts), each.shape) for each in gradients]


def connect(addresses: Sequence[str], rank: int, threads: int = 0) -> Any:
    """Connects this process with the others, before TensorFlow computes anything in it; waits for all of them.

    addresses: HOST:PORT of each. threads: for one operation; 0: as many as there are cores. Keep the result as long as
    the processes train: it watches whether the others are there.
    """
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(addresses)}), task_type="worker", task_id=rank, rpc_layer="grpc"
    )
    # Only for the runtime of collectives that it starts. The model knows nothing of it.
    return tf.distribute.MultiWorkerMirroredStrategy(resolver)


@contextlib.contextmanager
def losses() -> Iterator[None]:
    """While inside, an error of TensorFlow that shows that another process is gone becomes RankLostError."""
    try:
        yield
    except Exception as error:
        from tensorflow import errors

        names = ("Unavailable", "Aborted", "Cancelled", "Internal", "Unknown", "DeadlineExceeded", "FailedPrecondition")
        if isinstance(error, tuple(getattr(errors, f"{name}Error") for name in names)):
            raise RankLostError("a process that trained does not answer any more") from error
        raise


def _all_reduced(values: Any, count: int, group: int) -> Any:
    import tensorflow as tf

    # One sum must always have the same shape and type in all processes, so these are a part of its key.
    what = f"{group} {values.dtype.name} {values.shape}"
    return tf.raw_ops.CollectiveReduceV2(
        input=values,
        group_size=count,
        group_key=group,
        instance_key=zlib.crc32(what.encode()) % 2**31,
        ordering_token=[],
        merge_op="Add",
        final_op="Id",
        communication_hint="nccl" if group == GRADIENTS and tf.config.get_visible_devices("GPU") else "ring",
    )
