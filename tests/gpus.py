"""GPUs of this machine, for tests that need them."""

from __future__ import annotations

import os
import shutil
import subprocess


def _count() -> int:
    if not shutil.which("nvidia-smi") or os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return 0
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return listed.stdout.count("UUID")


GPUS = _count()


def of_its_own(rank: int) -> dict[str, str]:
    """The environment of a process that has a GPU for itself, or shares the only one.

    NCCL connects two processes on one GPU only where they seem to be on different machines.
    """
    one_for_all = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "NCCL_HOSTID": str(rank), "NCCL_SOCKET_IFNAME": "lo"}
    return {"CUDA_VISIBLE_DEVICES": str(rank % GPUS)} | (one_for_all if GPUS == 1 else {})
