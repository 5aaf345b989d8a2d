"""A Ray cluster as a run sees it: joined once, watched, and left when the run ends."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

from nas_core.errors import RunError, SettingsError
from nas_core.evaluation.cluster.address import LOCAL, Address, cluster_address, open_with_token

__all__ = ["Cluster", "Needs"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SILENT_LOOKS = 3
JOIN_SECONDS = 30.0


@dataclass(frozen=True)
class Needs:
    """What one task takes of a node: processor cores and GPUs, fractions allowed."""

    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        return f"{self.cpus:g} CPU" + (f" and {self.gpus:g} GPU" if self.gpus else "")


class Cluster:
    """The connection of this process to a Ray cluster.

    When the head of a cluster is gone, Ray ends every process that is connected after about a minute, and nothing can
    prevent it; :meth:`check` sees it within seconds, so that a run can end in order before.

    Args:
        executor: ``ray`` or ``ray://HOST:PORT``.
        needs: Of one task.

    Raises:
        SettingsError: It is no cluster, none of its nodes can ever take a task, or Ray was imported without a token.
        RunError: The cluster cannot be joined, or this process has joined one already.
    """

    def __init__(self, executor: str, needs: Needs | None = None) -> None:
        address = cluster_address(executor)
        if address is None:
            raise SettingsError(f"The executor {LOCAL} is no cluster", allowed="ray, ray://HOST:PORT", fix="choose one")
        self._given, self.needs = address, needs or Needs()
        open_with_token(address)
        import ray

        self._ray = ray
        if ray.is_initialized():
            raise RunError(
                "This process has joined a Ray cluster already", allowed="one run on a cluster in a process",
                fix="start the run with `nasight search` in a process of its own",
            )  # fmt: skip
        self._join()
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._head = Address(host.strip("[]"), int(port))
        self._looked, self._silent = time.monotonic(), 0
        try:
            self._wait_for_room()
        except BaseException:
            self.close()
            raise

    def task(self, function: Any) -> Any:
        """Return ``function`` as a task that a node with enough room runs; what is lost is not repeated by Ray."""
        kind = self._ray.remote(
            num_cpus=self.needs.cpus, num_gpus=self.needs.gpus, max_retries=0, scheduling_strategy="SPREAD"
        )
        return kind(function)

    def check(self) -> None:
        """Raise RunError when the head has been silent for several looks; looks once a second, however often called."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._silent = 0 if self._head.answers() else self._silent + 1
        self._looked = time.monotonic()
        if self._silent >= SILENT_LOOKS:
            raise self._lost()

    def check_now(self) -> None:
        """Raise RunError when the head does not answer, before anybody else is blamed."""
        if not self._head.answers():
            raise self._lost()

    def close(self) -> None:
        """Leave the cluster; one of this run alone ends with it. Never stops the processes of other clusters."""
        self._ray.shutdown()

    def _join(self) -> None:
        try:
            if self._given.own:
                self._ray.init(
                    address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
                )
            else:
                self._ray.init(address=str(self._given), log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            deepest = error.__cause__ or error
            said = (str(deepest) or str(error)).strip().partition("\n")[0] or type(error).__name__
            raise RunError(
                f"The Ray cluster at {self._given} cannot be joined: {said}",
                allowed="a cluster of the same Ray and Python, one of whose nodes is this machine",
                fix=f"run `ray start --address={self._given} --num-cpus=0` here, with the token of the head",
            ) from error

    def _wait_for_room(self) -> None:
        deadline = time.monotonic() + JOIN_SECONDS
        while not self._slots():
            if time.monotonic() > deadline:
                has = self._ray.cluster_resources()
                raise SettingsError(
                    f"No node of the cluster at {self._given} can take a task: one needs {self.needs}, and all nodes "
                    f"together have {has.get('CPU', 0.0):g} CPU and {has.get('GPU', 0.0):g} GPU",
                    fix="add a node with `ray start --address=…`, or lower --task-cpus or --task-gpus",
                )
            self.check()
            time.sleep(0.2)

    def _slots(self) -> int:
        """Return how many tasks can run at a time, all nodes together."""
        found = 0.0
        for node in self._ray.nodes():
            has = node["Resources"] if node["Alive"] else {}
            rooms = [has.get("CPU", 0.0) / self.needs.cpus] if self.needs.cpus else []
            rooms += [has.get("GPU", 0.0) / self.needs.gpus] if self.needs.gpus else []
            found += math.floor(min(rooms, default=1.0))
        return int(found)

    def _lost(self) -> RunError:
        return RunError(
            f"The head of the Ray cluster at {self._head} does not answer any more",
            fix="start the cluster again, then continue the run; what was finished is kept",
        )
