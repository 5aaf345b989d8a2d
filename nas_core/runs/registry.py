"""The runs of this process: started here, found again by every page and thread.

A module-level singleton on purpose: whoever imports it, however often a page is reloaded, sees the same runs.
"""

from __future__ import annotations

import atexit
import secrets
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import RunError
from nas_core.preferences import Preference
from nas_core.records import Architecture, RunRecord, RunState
from nas_core.runs.control import Budget, Rules
from nas_core.runs.coordinator import Parts
from nas_core.runs.executing import EvaluatorFactory, Isolation, Making, check_executor, device_words, executed
from nas_core.runs.inheriting import StoredParents
from nas_core.runs.rules import check_rules
from nas_core.runs.run import Run, check_edit, check_member, check_unfinished
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import space_versions
from nas_core.runs.warm import STARTS, hints_of, warm_start
from nas_core.search.halving import Halving
from nas_core.search.limits import Limits
from nas_core.search.registry import check_strategy, make_strategy
from nas_core.search.strategy import Strategy
from nas_core.store.base import Store
from nas_core.store.owner import this_process

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.space import SearchSpace

__all__ = ["EvaluatorFactory", "Isolation", "active", "get", "resume_run", "start_run", "stop_all"]

_KEPT = 8  # runs that have ended and can still be asked for their last snapshot
_lock = threading.Lock()
_runs: dict[str, Run] = {}


def start_run(
    store: Store,
    problem: Problem,
    space: SearchSpace,
    settings: RunSettings | None = None,
    *,
    name: str = "",
    first: Sequence[Architecture] = (),
    made: str = "drawn",
    warm: Sequence[str] = (),
    evaluator: EvaluatorFactory | None = None,
) -> Run:
    """Record a new run and start it in the background.

    Args:
        store: Where it is kept.
        problem: What to solve.
        space: Where to search.
        settings: Strategy, preference, budget and seed.
        name: For people; the data set's name when empty.
        first: A person's own architectures, evaluated before the strategy is asked.
        made: What made those, for their ``operator``.
        warm: Earlier runs of the store to start from: architectures of their fronts are evaluated next.
        evaluator: Makes the evaluator; by default candidates are trained in packs.

    Raises:
        SettingsError: No such strategy; its cluster cannot be used; it should end at its goals, and has none; a goal is
            for a measure that is not measured, or no model can reach it; a run to start from is on data of another
            shape, or found nothing; its training should be isolated, and a worker could not load the data or keep the
            limits here.
        SpaceError: The space has no valid candidate, or one of ``first`` is not in it.
        StoreError: The store cannot be written, or has no such run to start from.
    """
    settings = (settings or RunSettings()).suited(signals=space.signal is not None)
    check_strategy(settings.strategy)
    check_executor(settings, problem.spec.source)
    check_rules(settings.preference, until_goals=settings.until_goals)
    Limits.of(settings.preference.goals, problem.objective, problem.spec.measures)
    space.sample(np.random.default_rng(settings.seed))  # an empty space is refused before there is a run of it
    for architecture in first:
        check_member(space, architecture)
    earlier = None
    if warm:
        earlier = warm_start(store, warm, problem, space, min(STARTS, settings.candidates or STARTS))
        settings = earlier.settled(settings)
    now = time.time()
    record = RunRecord(
        id=f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(2)}",
        name=name or problem.spec.name,
        created=now,
        state=RunState.CREATED,
        problem=problem.spec.model_dump(mode="json"),
        space=space.model_dump(mode="json"),
        settings=settings.model_dump(mode="json"),
        data_hash=problem.spec.data_hash,
        baseline=problem.baseline,
        heartbeat=now,
    )
    store.create_run(record)
    if earlier is not None:
        store.commit(record.id, (), None, {}, [earlier.event])
    run = _prepare(store, record.id, problem, space, evaluator)
    for architecture in first:
        run.propose(architecture, operator=made)
    for proposal in earlier.proposals if earlier is not None else ():
        run.propose(proposal.architecture, operator=proposal.operator, origin=proposal.origin)
    run.start()
    return run


def resume_run(
    store: Store,
    run_id: str,
    *,
    candidates: int | None = None,
    seconds: float | None = None,
    preference: Preference | None = None,
    strategy: str | None = None,
    space: SearchSpace | None = None,
    rules: Rules | None = None,
    budget: Budget | None = None,
    halving: bool | None = None,
    overrule: Sequence[str] = (),
    executor: str | None = None,
    isolation: Isolation | None = None,
    evaluator: EvaluatorFactory | None = None,
) -> Run:
    """Continue a run where it was: it asks for the same candidates as if it had never ended.

    What is changed here is taken over before the next pack; a pack that was begun is finished first.

    Args:
        store: Where it is kept.
        run_id: A run that is paused, stopped, interrupted or done; one that runs here is only changed.
        candidates: A new budget in candidates; the old one when None.
        seconds: A new budget in running seconds, earlier ones included; the old one when None.
        preference: A new preference.
        strategy: Another strategy.
        space: Another version of the space.
        rules: New stopping rules.
        budget: A new budget as a whole, where no limit means none; instead of ``candidates`` and ``seconds``.
        halving: Whether what is almost surely dominated is trained no further; as before when None.
        overrule: Candidates that were stopped early, to be trained to the end.
        executor: Where candidates are trained from now on; as before when None.
        isolation: Whether candidates are trained in a worker process from here on; as before when None.
        evaluator: As in :func:`start_run`; must be of the same kind as before.

    Raises:
        StoreError: No such run or candidate, or another living process has it.
        RunError: A candidate to be trained to the end was not stopped early; where candidates are trained should be
            changed while the run is alive.
        SettingsError: No such strategy; its cluster cannot be used; a worker could not load the data or keep the limits
            here; the run should end at its goals, and has none.
        SpaceError: The space is for other data, or empty.
        DataError: The data of the run cannot be read or have changed.
    """
    from nas_core.data.problem import ProblemSpec

    record = store.run(run_id)
    settings = RunSettings.model_validate(record.settings)
    # whatever can be refused is refused before this process has the run
    check_strategy(strategy or settings.strategy)
    wanted = _moved(settings, executor, isolation)
    check_executor(wanted, ProblemSpec.model_validate(record.problem).source)
    if space is not None:
        _check_edit(record, space)
    if rules is not None:
        check_rules(preference or settings.preference, until_goals=rules.until_goals)
    for candidate in overrule:
        check_unfinished(store.evaluation(run_id, candidate))
    run = get(run_id)
    living = run is not None and run.alive
    if run is None or not living:
        run = _continued(store, record, wanted, evaluator)
    elif wanted != settings:
        raise RunError(
            f"Run {run_id} is {run.state}: where its candidates are trained cannot be changed now",
            allowed="a run that has ended",
            fix="stop it, and resume it then",
        )
    if preference is not None:
        run.steer(preference)
    if strategy is not None:
        run.set_strategy(strategy)
    if space is not None:
        run.edit_space(space)
    if rules is not None:
        run.set_rules(until_goals=rules.until_goals, plateau=rules.plateau)
    if budget is None and (candidates is not None or seconds is not None):
        budget = Budget(candidates or settings.candidates, seconds or settings.seconds)
    if budget is not None:
        run.set_budget(candidates=budget.candidates, seconds=budget.seconds)
    if halving is not None:
        run.set_halving(halving)
    for candidate in overrule:
        run.overrule(candidate)
    (run.resume if living else run.start)()
    return run


def get(run_id: str) -> Run | None:
    """Return the run with this id if it runs here, or ended here lately."""
    return _runs.get(run_id)


def active() -> list[Run]:
    """Return the runs of this process that have not ended."""
    return [run for run in list(_runs.values()) if run.alive]


def stop_all(reason: str = "The process that ran it was asked to end", *, timeout: float = 5.0) -> None:
    """End all runs of this process, as interrupted, and wait until they have committed what is finished.

    Args:
        reason: Why, for their records.
        timeout: Seconds to wait, all runs together.
    """
    deadline = time.monotonic() + timeout
    running = active()
    for run in running:
        run.stop(reason, interrupted=True)
    for run in running:
        run.wait(max(0.0, deadline - time.monotonic()))


def _moved(settings: RunSettings, executor: str | None, isolation: Isolation | None) -> RunSettings:
    """Return the settings with another place where candidates are trained, as far as it is to change."""
    changes: dict[str, Any] = {} if executor is None else {"executor": executor}
    if isolation is not None:
        changes["isolation"] = isolation.limits
    return RunSettings.model_validate({**settings.model_dump(), **changes})


def _check_edit(record: RunRecord, space: SearchSpace) -> None:
    from nas_core.spaces.space import SearchSpace

    check_edit(SearchSpace.model_validate(record.space), space)


def _continued(store: Store, record: RunRecord, settings: RunSettings, factory: EvaluatorFactory | None) -> Run:
    """Return a run that is to go on here, not started yet."""
    from nas_core.data.problem import Problem, ProblemSpec

    problem = Problem.load(ProblemSpec.model_validate(record.problem))
    # of the first version of its space: what is measured on a scale of the space stays on that one
    first = space_versions(store.events(record.id), record)[0].space
    return _prepare(store, record.id, problem, first, factory, settings)


def _prepare(
    store: Store, run_id: str, problem: Problem, space: SearchSpace, factory: EvaluatorFactory | None,
    changed: RunSettings | None = None,
) -> Run:  # fmt: skip
    with _lock:
        known = _runs.get(run_id)
        if known is not None and known.alive:
            raise RunError(f"Run {run_id} is running here already", fix="use the run that registry.get returns")
        record = store.claim(run_id, this_process(), time.time())
        if changed is not None and (wanted := changed.model_dump(mode="json")) != record.settings:
            record = store.update_run(run_id, settings=wanted)

        def build() -> Parts:
            settings = RunSettings.model_validate(record.settings)
            evaluator = executed(Making(problem, space, settings, factory), StoredParents(store, run_id))
            device = device_words(settings) if factory is None else ""
            return Parts(strategy_of, evaluator, _halving(problem, space, settings), device)

        def strategy_of(name: str, within: SearchSpace, preference: Preference, seed: int) -> Strategy:
            return make_strategy(
                name,
                within,
                seed=seed,
                preference=preference,
                objective=problem.objective,
                hints=hints_of(problem, RunSettings.model_validate(record.settings)),
                measures=problem.spec.search_measures,
            )

        run = Run(store, record, build)
        _remember(run)
        return run


def _halving(problem: Problem, space: SearchSpace, settings: RunSettings) -> Halving:
    return Halving(
        space,
        problem.objective,
        problem.spec.search_measures,
        epochs=problem.spec.recipe.max_epochs,
        seed=settings.seed,
    )


def _remember(run: Run) -> None:
    if not _runs:
        atexit.register(stop_all)
    _runs.pop(run.id, None)
    _runs[run.id] = run
    ended = [other for other in _runs.values() if other is not run and not other.alive]
    for other in ended[: max(0, len(ended) - _KEPT)]:
        del _runs[other.id]
