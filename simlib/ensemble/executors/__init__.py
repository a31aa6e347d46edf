"""Where chunks run: in this process, in a pool of workers, on a Dask cluster.

All are `Crew`s: `completed` hands them tasks and iterates over what comes of these. A
worker that dies while it runs a task is a `WorkerDied` of that task alone.
"""

from simlib.ensemble.executors.crew import (
    Crew,
    InProcess,
    NotStarted,
    Task,
    WorkerDied,
    completed,
    n_cores,
    pack,
    unpack,
)
from simlib.ensemble.executors.dask_cluster import cluster
from simlib.ensemble.executors.starting import refuse_bootstrapping
from simlib.ensemble.executors.worker_pool import StartMethod, pool

__all__ = [
    "Crew",
    "InProcess",
    "NotStarted",
    "StartMethod",
    "Task",
    "WorkerDied",
    "cluster",
    "completed",
    "n_cores",
    "pack",
    "pool",
    "refuse_bootstrapping",
    "unpack",
]
