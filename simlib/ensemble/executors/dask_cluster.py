"""Workers of a Dask cluster, on this machine or on many.

Dask moves a task whose worker is lost to another; a task over which several workers die
is given up by the scheduler and comes back as `WorkerDied`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import socket
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from simlib.ensemble.executors.crew import InProcess, WorkerDied
from simlib.ensemble.executors.starting import GUARD, interrupts_held, safe_path, stays_here
from simlib.ensemble.surroundings import watched
from simlib.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simlib.ensemble.executors.crew import Crew, Task


_ALLOWED_FAILURES = 2
"""Of a local scheduler: it gives up a task at the third worker that dies over it."""
_PATIENCE = 30
"""Seconds until a scheduler must have answered."""


class _Cluster:
    """The workers behind a scheduler, as many as there are at the time."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def capacity(self) -> int:
        """One task for each thread, so that a worker dies over one task; one if none is there.

        A task that only waited on a worker that died would be blamed as well.
        """
        return max(1, sum(map(int, self._client.nthreads().values())))

    def share(self, data: bytes) -> Any:
        """Data that many tasks take as a task of its own, made again when it is lost."""
        key = f"simlib-job-{hashlib.sha256(data).hexdigest()[:16]}"
        return self._client.submit(_itself, data, key=key)

    def submit(self, task: Task) -> Future[Any]:
        inner = self._client.submit(watched, task.call, *task.arguments, key=task.key, pure=True)
        outer: Future[Any] = Future()
        # Only the caller's thread fetches results: one that waited for a result in a thread
        # of Dask's while the client closes would wait for good.
        inner.add_done_callback(outer.set_result)
        return outer

    def result(self, future: Future[Any]) -> Any:
        distributed = importlib.import_module("distributed")
        inner = future.result()
        try:
            return inner.result()
        except distributed.KilledWorker as error:
            last = f"the last was {error.last_worker.address}"
            raise WorkerDied(last, n_deaths=error.allowed_failures + 1) from None
        except (CancelledError, OSError) as error:
            message = "the Dask scheduler was lost; what was finished is kept, run again to go on"
            raise SimulationError(message) from error
        finally:
            inner.release()

    def end_worker(self, future: Future[Any], why: str) -> bool:
        """Leave it to whoever runs the workers: they may be anywhere."""
        del future, why
        return False


def _itself(data: bytes) -> bytes:
    return data


@contextlib.contextmanager
def cluster(scheduler: Any, *, jobs: int | None = None) -> Iterator[Crew]:
    """Open a crew of Dask workers.

    The scheduler is an address, a ``distributed.Client``, or ``local``: a scheduler and `jobs`
    worker processes on this machine, ended with the crew.

    Raises
    ------
    SimulationError
        Dask is not installed, or no scheduler answers at that address.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        message = "Dask needs the extra dask: pip install 'simlib-scenarios[dask]'"
        raise SimulationError(message) from None
    if isinstance(scheduler, distributed.Client):
        yield _Cluster(scheduler)
        return
    if scheduler == "local" and stays_here():
        yield InProcess()
        return
    with contextlib.ExitStack() as stack:
        if scheduler == "local":
            # For as long as it lives: Dask starts workers again that were lost.
            stack.enter_context(safe_path())
        # Its threads and processes inherit the mask: only the parent hears Ctrl-C.
        with interrupts_held():
            if scheduler == "local":
                scheduler = stack.enter_context(_local(distributed, jobs))
            client = stack.enter_context(_client(distributed, scheduler))
        yield _Cluster(client)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _local(distributed: Any, jobs: int | None) -> Any:
    settings = importlib.import_module("dask.config")
    try:
        with settings.set({"distributed.scheduler.allowed-failures": _ALLOWED_FAILURES}):
            return distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
    except RuntimeError as error:
        why = _first_line(error)
        message = f"Dask's workers could not be started here ({why}); {GUARD}, or run again"
        raise SimulationError(message) from None


def _client(distributed: Any, scheduler: Any) -> Any:
    try:
        if isinstance(scheduler, str):
            # A client that finds nobody holds its caller for a minute when it is collected.
            host, port = distributed.comm.get_address_host_port(scheduler, strict=True)
            socket.create_connection((host, port), timeout=_PATIENCE).close()
        return distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = _first_line(error) or type(error).__name__
        message = f"no Dask scheduler answers at {scheduler} ({reason})"
        raise SimulationError(message) from None
