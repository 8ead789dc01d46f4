"""Warm, sandboxed child processes, one for each job: limits, deadlines, pipes, and an end that is certain."""

from fileserver.workers.channel import Channel
from fileserver.workers.endings import QueueFull, Reason, WorkerDied, WorkerEnd, WorkerGone
from fileserver.workers.kept import KeptWorkers
from fileserver.workers.limits import PoolLimits
from fileserver.workers.pool import Pool
from fileserver.workers.process import Usage
from fileserver.workers.sandbox import LAYERS, sandbox_layers
from fileserver.workers.worker import Worker

__all__ = [
    "LAYERS",
    "Channel",
    "KeptWorkers",
    "Pool",
    "PoolLimits",
    "QueueFull",
    "Reason",
    "Usage",
    "Worker",
    "WorkerDied",
    "WorkerEnd",
    "WorkerGone",
    "sandbox_layers",
]
