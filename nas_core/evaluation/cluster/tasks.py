"""The tasks of a run on a cluster: given out, waited for, ended, and what became of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from nas_core.errors import NasightError, RunError
from nas_core.evaluation.cluster.connection import Cluster
from nas_core.evaluation.cluster.task import Found, MakeEvaluator, Share, evaluate_share

__all__ = ["ProcessEndedError", "Tasks"]

log = logging.getLogger(__name__)


class ProcessEndedError(Exception):
    """The process that ran a task ended by itself, on a node that is still there: out of memory, or a crash."""


class Tasks:
    """Tasks on a cluster.

    Args:
        cluster: Joined.
        make: Makes the evaluator on a node; sent to the cluster once.
    """

    def __init__(self, cluster: Cluster, make: MakeEvaluator) -> None:
        import ray

        self._ray, self._cluster = ray, cluster
        self._made = ray.put(make)
        self._task = cluster.task(evaluate_share)

    def submit(self, share: Share) -> Any:
        """Give a share out; return the task."""
        return self._task.remote(share, [self._made])

    def wait(self, tasks: Sequence[Any], seconds: float) -> list[Any]:
        """Return one of the tasks that has ended, none when none does within so many seconds."""
        return self._ray.wait(list(tasks), num_returns=1, timeout=seconds)[0]

    def cancel(self, task: Any) -> None:
        """End a task at once, with the process that runs it."""
        self._ray.cancel(task, force=True)

    def result(self, task: Any) -> Found | None:
        """Return what a task that has ended found; None when it is lost with its node.

        Raises:
            ProcessEndedError: Its process ended by itself.
            RunError: The head of the cluster is gone, or the node is not set up as it should be.
            NasightError: What the evaluator raised.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            if isinstance(error.cause, NasightError):
                raise error.cause from None
            said = str(error).strip().splitlines()[-1]
            raise RunError(
                f"A task failed on a node of the cluster: {said}", fix="look into the logs of Ray on that node"
            ) from error
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            self._cluster.check_now()
            raise ProcessEndedError(str(error).strip().partition("\n")[0]) from error
        except errors.RayError as error:
            self._cluster.check_now()
            log.warning("A task is lost with its node (%s)", type(error).__name__)
            return None
