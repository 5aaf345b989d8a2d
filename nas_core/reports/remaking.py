"""The command that gives the same result again, checked against what the run recorded rather than assumed.

Its parts are read back the way the command line reads them: the problem it would make must be the run's problem, the
preset it names must be the run's space. What the command line cannot say is left to the record itself, which
``nasight reproduce`` reads.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas_core.errors import NasightError
from nas_core.objectives import recorded_objective
from nas_core.preferences import PERFORMANCE, Preference
from nas_core.records import Evaluation, RunRecord
from nas_core.reports.acts import STEERING
from nas_core.reports.record import Act, Caveat, Remake
from nas_core.runs.settings import RunSettings

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.evaluation.isolation.limits import Limits
    from nas_core.spaces import SearchSpace

__all__ = ["remake_of", "repeatable_budget"]


def remake_of(
    run: RunRecord, settings: RunSettings, space: SearchSpace, chosen: Evaluation, acts: Sequence[Act], evaluated: int,
    problem: Problem | None, file: str,
) -> Remake:  # fmt: skip
    """Return how a result can be had again.

    Args:
        run: The run.
        settings: Those the repetition begins with.
        space: The space it begins in.
        chosen: The chosen candidate.
        acts: What was done to the run.
        evaluated: How many candidates it had evaluated.
        problem: The run's problem; None where its data cannot be read.
        file: Name of the file that the record is saved as.
    """
    because: list[Caveat] = []
    steering = [act for act in acts if act.kind in STEERING]
    if settings.warm:
        because.append(Caveat(kind="warm", facts={"runs": ", ".join(settings.warm)}))
    elif steering:
        kinds = ", ".join(dict.fromkeys(act.kind for act in steering))
        facts = {"count": str(len(steering)), "kinds": kinds, "evaluated": str(steering[0].evaluated)}
        because.append(Caveat(kind="steered", facts=facts))
    if problem is None:
        because.append(Caveat(kind="unread"))
    exact = not because
    budget = settings.candidates
    if budget != evaluated and exact:
        because.append(Caveat(kind="budget", facts={"evaluated": str(evaluated), "budget": str(budget)}))
    line = None if problem is None else _search_line(run, settings, space, problem)
    if line is None:
        because.append(Caveat(kind="file", facts={"file": file}))
        line = f"nasight reproduce {shlex.quote(file)} --search"
    memory = run.problem["source"]["kind"] == "memory"
    return Remake(
        search=line, exact=exact, because=tuple(because), retrainable=not chosen.inherited and not memory,
    )  # fmt: skip


def repeatable_budget(settings: RunSettings, evaluated: int) -> RunSettings:
    """Return settings that end by a number of candidates, so that time does not decide, and not inside a pack.

    A strategy may propose other candidates where it is asked for fewer at once, so a run that ended within a pack is
    repeated to that pack's end: the first ``evaluated`` candidates are the same, a few more follow.
    """
    if settings.candidates is not None and evaluated >= settings.candidates:
        return settings.model_copy(update={"seconds": None})
    first, size = settings.first_pack or settings.pack_size or 64, settings.pack_size or 64
    whole = max(first, evaluated)
    whole = first + -(-(whole - first) // size) * size
    budget = whole if settings.candidates is None else min(whole, settings.candidates)
    return settings.model_copy(update={"seconds": None, "candidates": budget})


def _search_line(run: RunRecord, settings: RunSettings, space: SearchSpace, problem: Problem) -> str | None:
    """Return the ``nasight search`` line, None where no such line gives this problem, space and settings."""
    said = _data_options(problem)
    preset = _preset_of(space, problem)
    if said is None or preset is None or settings != _plain(settings).suited(signals=space.signal is not None):
        return None
    parts = ["nasight", "search", *said, *preset, *_settings_options(run, settings)]
    return shlex.join(parts)


def _plain(settings: RunSettings) -> RunSettings:
    """Return the settings without what no option says: the sizes of packs, and what a warm start worked out."""
    return settings.model_copy(update={"pack_size": None, "first_pack": None})


def _data_options(problem: Problem) -> list[str] | None:
    """Return where the data are and how they are read, split and judged; None where no options say that."""
    from nas_core.data.problem import Problem

    spec, source = problem.spec, problem.spec.source
    try:
        again = Problem.create(
            problem.dataset, metric=spec.metric, scheme=spec.split, class_weights=spec.class_weights,
            target_transform=spec.target_transform,
        )  # fmt: skip
    except NasightError:
        return None
    if again.spec != spec or source.kind == "memory" or (source.aside or None) != (spec.split.column or None):
        return None
    if spec.split.kind == "time" and spec.split.column is None:
        return None  # by the order of the rows: no option says that
    reading = source.reading
    options: dict[str, Any] = {
        "target": source.target, "task": source.task, "modality": reading.modality,
        "size": None if reading.size is None else "x".join(map(str, reading.size)),
        "colour": None if reading.colour == "auto" else reading.colour, "length": reading.length, "text": reading.text,
        "id": reading.id, "time-column": reading.time, "test": reading.test, "metric": spec.metric,
        "groups": spec.split.column if spec.split.kind == "group" else None,
        "order": spec.split.column if spec.split.kind == "time" else None,
        "class-weights": None if spec.class_weights == "none" else spec.class_weights,
        "target-transform": None if spec.target_transform == "none" else spec.target_transform,
    }  # fmt: skip
    said = [source.location] + [f"--{name}={value}" for name, value in options.items() if value is not None]
    said += [f"--kind={name}={kind}" for name, kind in source.kinds.items()]
    return said + [f"--value={name}" for name in reading.values]


def _preset_of(space: SearchSpace, problem: Problem) -> list[str] | None:
    """Return the options of the preset that declares exactly this space, None where it was edited."""
    from nas_core.spaces import SearchSpace
    from nas_core.spaces.family import families_for, family_named

    wanted = space.model_dump(mode="json")
    for preset in family_named(space.family).presets:
        if SearchSpace.for_problem(problem, preset, space.family).model_dump(mode="json") == wanted:
            family = [] if families_for(problem.dataset.modality)[0] == space.family else [f"--family={space.family}"]
            return [*family, f"--preset={preset}"]
    return None


def _settings_options(run: RunRecord, settings: RunSettings) -> list[str]:
    """Return the options of strategy, preference, budget, rules and seed."""
    options = [f"--strategy={settings.strategy}", *_wish_options(run, settings.preference)]
    if settings.candidates is not None:
        options.append(f"--candidates={settings.candidates}")
    if settings.plateau is not None:
        options.append(f"--plateau={settings.plateau}")
    switches = {"--until-goals": settings.until_goals, "--halving": settings.halving, "--inherit": settings.inherit}
    options += [name for name, on in switches.items() if on]
    options += _isolation_options(settings.isolation)
    options += [f"--warm={earlier}" for earlier in settings.warm]
    options.append(f"--seed={settings.seed}")
    return options if settings.device == "auto" else [*options, f"--device={settings.device}"]


def _isolation_options(limits: Limits | None) -> list[str]:
    """Return the options of isolated training: a candidate that oversteps a limit is part of what was found."""
    if limits is None:
        return []
    options = ["--isolate"]
    if limits.seconds is not None:
        options.append(f"--candidate-seconds={limits.seconds!r}s")
    if limits.memory is not None:
        options.append(f"--candidate-memory={limits.memory}B")
    return options if limits.total is None else [*options, f"--memory={limits.total}B"]


def _wish_options(run: RunRecord, wish: Preference) -> list[str]:
    """Return λ, weights and goals as options; weights are written so that they read back as the same numbers."""
    metric = recorded_objective(run.problem).name
    options = [f"--weight={wish.weight!r}"]
    options += [f"--family-weight={name}={value!r}" for name, value in wish.families.items()]
    options += [f"--measure-weight={name}={value!r}" for name, value in wish.measures.items()]
    return options + [f"--goal={metric if g.name == PERFORMANCE else g.name}={g.value!r}" for g in wish.goals]
