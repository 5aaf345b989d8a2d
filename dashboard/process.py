"""What this server process owns, whoever is looking: the open store and the runs being started.

A module-level singleton on purpose: a visitor's "Clear cache" would empty ``st.cache_resource`` for everybody.
Nothing here imports Streamlit, and nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import access
from nas_core.data.splits import RANDOM, SplitScheme
from nas_core.errors import NasightError, RunError, error_line

if TYPE_CHECKING:
    from nas_core.data import ClassWeights, Dataset, DataSource, Problem, TransformName
    from nas_core.records import Architecture
    from nas_core.runs.run import Run
    from nas_core.runs.settings import RunSettings
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["EXAMPLE", "Launch", "Order", "active_runs", "configure", "dataset_of", "example_run", "latest_launch",
           "launch", "problem_of", "resume", "start_demo", "steered", "store"]  # fmt: skip

EXAMPLE = "example-breast-cancer"
"""Identity of the recorded run that comes with the studio."""
_EXAMPLES = {EXAMPLE: Path(__file__).parent / "example" / "breast_cancer.zip"}

_lock = threading.RLock()
_location: str | None = None
_store: Store | None = None
_launches: list[Launch] = []


@dataclass(frozen=True)
class Order:
    """What to search: enough to start a run.

    Attributes:
        source: The data.
        settings: Strategy, budget, preference, seed.
        metric: Name of the metric, None for the task's default.
        split_seed: Seed of the split.
        fractions: Shares of the train, validation and test parts.
        scheme: Whether rows are split at random, by group or by time.
        class_weights: Whether all classes count the same in the training loss.
        target_transform: What a regression is trained on.
        family: Family of networks; None for the first one that suits the data.
        preset: Preset of the space.
        space: An edited space; None for the preset unchanged.
        first: A person's own architectures, evaluated before the strategy is asked.
        warm: Earlier runs to start from.
        name: What the run is called; empty for the name of its data.
    """

    source: DataSource
    settings: RunSettings
    metric: str | None = None
    split_seed: int = 0
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    scheme: SplitScheme = RANDOM
    class_weights: ClassWeights = "none"
    target_transform: TransformName = "none"
    family: str | None = None
    preset: str = "balanced"
    space: SearchSpace | None = None
    first: tuple[Architecture, ...] = ()
    warm: tuple[str, ...] = ()
    name: str = ""


class Launch:
    """A run on its way: data, features and PyTorch are loaded on a thread of its own while pages already answer.

    ``state`` is preparing, then started (``run`` is set) or failed (``message`` says why).
    """

    def __init__(self, work: Callable[[], str], *, by: access.Visitor = access.HOUSE, demo: bool = False) -> None:
        self.state, self.message, self.demo = "preparing", "", demo
        self.run: str | None = None
        self._work, self._by = work, by
        self._thread = threading.Thread(target=self._go, name="nasight-launch", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has started or failed, at most ``timeout`` seconds."""
        self._thread.join(timeout)

    def _go(self) -> None:
        try:
            run = self._work()
            if self._by != access.HOUSE:
                access.wheel.take_over(run, self._by.browser)  # whoever starts a run steers it
            self.run = run
            self.state = "started"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("A run could not be started")
            self.message, self.state = f"The run could not be started: {error_line(error)}", "failed"


def configure(location: str | None = None, *, opened: Store | None = None) -> None:
    """Set which store this process uses: a URL or a path (None: the default), or one that is open already."""
    global _location, _store
    with _lock:
        _location, _store = location, opened
        _launches.clear()


def store() -> Store:
    """Return the store of this process, opened on first use, with the recorded example beside it.

    Raises:
        StoreError: It cannot be opened.
    """
    global _store
    with _lock:
        if _store is None:
            from nas_core.store import open_store
            from nas_core.store.beside import StoreWithExamples

            _store = StoreWithExamples(open_store(_location), _EXAMPLES, access.require_driver)
        return _store


def example_run() -> str | None:
    """Return the identity of the recorded example; None where the store shows none."""
    return next(iter(getattr(store(), "examples", ())), None)


def latest_launch() -> Launch | None:
    """Return the launch begun last in this process."""
    with _lock:
        return _launches[-1] if _launches else None


def launch(order: Order) -> Launch:
    """Begin to start the run that ``order`` describes; returns at once.

    Raises:
        AccessError: This visitor may only look.
    """
    return _begin(lambda: _start(order), access.require_driver())


def resume(run_id: str, *, changes: Mapping[str, Any] | None = None) -> Launch:
    """Begin to continue a run that has ended; returns at once.

    Args:
        run_id: The run.
        changes: By name: ``strategy``, ``halving``, ``candidates`` with ``seconds``, ``plateau`` with ``until_goals``;
            ``overrule`` are candidates that were stopped early, to be trained to the end.

    Raises:
        AccessError: This visitor may only look.
    """
    by = access.require_driver()

    def work() -> str:
        from nas_core.runs.control import Budget, Rules
        from nas_core.runs.registry import resume_run

        check_process(run_id)
        asked = dict(changes or {})
        if "plateau" in asked:
            asked["rules"] = Rules(asked.pop("until_goals"), asked.pop("plateau"))
        if "candidates" in asked:
            asked["budget"] = Budget(asked.pop("candidates"), asked.pop("seconds"))
        return resume_run(store(), run_id, **asked).id

    return _begin(work, by)


def check_process(run_id: str) -> None:
    """Raise RunError for a run on a cluster: Ray can end its process without warning, so it is never the studio's."""
    executor = store().run(run_id).settings.get("executor", "local")
    if executor != "local":
        raise RunError(
            f"Run {run_id} trains on the cluster {executor}, in a process of its own",
            allowed="watching it here",
            fix=f"continue it in a terminal with `nasight resume {run_id}`",
        )


def start_demo(*, candidates: int, seed: int) -> Launch:
    """Begin the demo: a search on scikit-learn's breast cancer data."""

    def work() -> str:
        from nas_core.data import DataSource
        from nas_core.runs.settings import RunSettings

        source = DataSource(kind="builtin", location="breast_cancer")
        return _start(Order(source, RunSettings(candidates=candidates, seed=seed)))

    return _begin(work, access.HOUSE, demo=True)


def active_runs() -> list[str]:
    """Return the runs this process is running now, the oldest first."""
    from nas_core.runs.registry import active

    return [run.id for run in active()]


def steered(run_id: str) -> Run | None:
    """Return a run of this process for this visitor to act on, who steers it from now on; None if it is elsewhere.

    Raises:
        AccessError: This visitor may only look, or another browser steers it.
    """
    from nas_core.runs import registry

    run = registry.get(run_id)
    if run is not None and run.alive:
        access.require_wheel(run_id)
    else:
        access.require_driver()
    return run


def _begin(work: Callable[[], str], by: access.Visitor, *, demo: bool = False) -> Launch:
    with _lock:
        begun = Launch(work, by=by, demo=demo)
        _launches.append(begun)
        return begun


def dataset_of(source: DataSource) -> Dataset:
    """Return the data set of a source, kept for the next reader while its file stays as it is.

    Raises:
        DataError: It cannot be read or learned from.
    """
    stamp = None
    if source.kind == "file":
        with contextlib.suppress(OSError):
            found = Path(source.location).stat()
            stamp = found.st_mtime_ns, found.st_size
    return _dataset(source.model_dump_json(), stamp)


@lru_cache(maxsize=2)
def _dataset(source: str, stamp: tuple[int, int] | None) -> Dataset:
    from nas_core.data import DataSource, load

    return load(DataSource.model_validate_json(source))


def problem_of(order: Order) -> Problem:
    """Return the problem of an order: its data read and split; the one way from what is prepared to a problem."""
    from nas_core.data import Problem

    return Problem.create(
        dataset_of(order.source), order.metric, order.split_seed, fractions=order.fractions, scheme=order.scheme,
        class_weights=order.class_weights, target_transform=order.target_transform,
    )  # fmt: skip


def _start(order: Order) -> str:
    from nas_core.runs.registry import start_run
    from nas_core.spaces import SearchSpace

    problem = problem_of(order)
    space = order.space or SearchSpace.for_problem(problem, order.preset, order.family)
    return start_run(
        store(), problem, space, order.settings, name=order.name, first=order.first, warm=order.warm
    ).id  # fmt: skip
