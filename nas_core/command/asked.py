"""From the options of a search to its problem and its space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nas_core.command.parsing import parse_bytes, parse_goals, parse_seconds, parse_weights
from nas_core.errors import SettingsError, SpaceError

if TYPE_CHECKING:
    from nas_core.data import Dataset, Problem
    from nas_core.evaluation.isolation.limits import Limits
    from nas_core.preferences import Preference
    from nas_core.spaces import SearchSpace

__all__ = ["AskedProblem", "isolation_of", "preference_of", "problem_of", "space_of"]

SHOWN_NOTES = 8
SIGNALS = {"image": "images", "sequence": "series"}


@dataclass(frozen=True)
class AskedProblem:
    """What a person asked for: where the data are, how they are read, and what is predicted how."""

    data: str
    reading: dict[str, Any]
    metric: str | None = None
    groups: str | None = None
    order: str | None = None
    class_weights: str = "none"
    target_transform: str = "none"


def problem_of(asked: AskedProblem) -> Problem:
    """Return the problem, after saying on stderr how the data were understood.

    Raises:
        SettingsError: A setting does not exist or does not fit.
        DataError: The data cannot be read.
    """
    from nas_core.data import CLASS_WEIGHTS, MODALITIES, TARGET_TRANSFORMS, Problem, SplitScheme, load_data
    from nas_core.data.options import COLOURS

    reading = asked.reading
    _check("task", reading.get("task"), ("classification", "regression"))
    _check("modality", reading.get("modality"), MODALITIES)
    _check("colour", reading.get("colour"), COLOURS)
    _check("class weights", asked.class_weights, CLASS_WEIGHTS)
    _check("target transform", asked.target_transform, TARGET_TRANSFORMS)
    if asked.groups is not None and asked.order is not None:
        raise SettingsError(
            "Both --groups and --order are given", allowed="one of them: rows are split in one way", fix="drop one"
        )
    column = asked.groups or asked.order
    dataset = load_data(asked.data, aside=column, **reading)
    _say(dataset, chosen=reading.get("target") is not None)
    scheme = SplitScheme() if column is None else SplitScheme(kind="group" if asked.groups else "time", column=column)
    problem = Problem.create(
        dataset, metric=asked.metric, scheme=scheme,
        class_weights=asked.class_weights, target_transform=asked.target_transform,  # type: ignore[arg-type]
    )  # fmt: skip
    _warn(problem)
    return problem


def isolation_of(
    isolate: bool | None, seconds: str | None, memory: str | None, total: str | None, *, before: Limits | None = None
) -> Limits | None:
    """Return what holds for isolated candidates, None where they are not isolated; a limit asks for isolation.

    Args:
        isolate: What was asked for; None for nothing.
        seconds: What a candidate may take.
        memory: By how much it may make the process grow.
        total: What the process may have.
        before: What holds where nothing is asked for.

    Raises:
        SettingsError: A text means nothing, or there are limits and no isolation.
    """
    from nas_core.evaluation.isolation.limits import Limits

    limits = {
        "seconds": None if seconds is None else parse_seconds(seconds),
        "memory": None if memory is None else parse_bytes(memory),
        "total": None if total is None else parse_bytes(total),
    }
    asked = {name: value for name, value in limits.items() if value is not None}
    if isolate is False:
        if asked:
            raise SettingsError(
                "Limits for candidates are given, and --no-isolate",
                allowed="one of both: only a process can be held to a limit",
                fix="drop --no-isolate",
            )
        return None
    if isolate is None and not asked:
        return before
    kept = {} if before is None else before.model_dump()
    return Limits.model_validate({**kept, **asked})


def preference_of(
    weight: float, families: list[str], measures: list[str], goals: list[str], problem: Problem
) -> Preference:
    """Return λ with weights of families and measures, and goals, written as NAME=NUMBER.

    Raises:
        SettingsError: A text is not of this form; what has a weight or a goal does not exist, or is not measured here;
            no model can reach a goal.
    """
    from nas_core.preferences import FAMILIES, Preference
    from nas_core.search.limits import Limits

    measured = problem.spec.measures
    wish = Preference(
        weight=weight, families=parse_weights(families, FAMILIES), measures=parse_weights(measures, measured),
        goals=parse_goals(goals, problem.objective),
    )  # fmt: skip
    wish.vector(measured)
    Limits.of(wish.goals, problem.objective, measured)
    return wish


def space_of(problem: Problem, family: str | None, preset: str | None, file: Path | None) -> SearchSpace:
    """Return the search space of a preset, or of a file.

    Raises:
        SpaceError: The family reads other data, the preset or the file does not exist, the file suits other data.
    """
    from nas_core.spaces import SearchSpace
    from nas_core.spaces.family import families_for, family_named

    modality = problem.dataset.modality
    allowed = families_for(modality)
    if not allowed:
        raise SpaceError(f"No family of networks reads {modality} data", fix="choose another modality")
    if family is not None and family_named(family).modality != modality:
        raise SpaceError(
            f"The family {family!r} reads {family_named(family).modality} data, {problem.dataset.name} is {modality}",
            allowed=", ".join(allowed),
            fix="choose one of them with --family",
        )
    if file is None:
        return SearchSpace.for_problem(problem, preset or _usual(family or allowed[0]), family)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpaceError(f"The search space {file} cannot be read ({error})", fix="check the path") from None
    space = SearchSpace.from_json(text) if file.suffix == ".json" else SearchSpace.from_yaml(text)
    if family is not None and space.family != family:
        raise SpaceError(
            f"The search space {file} is of the family {space.family!r}, and --family is {family!r}",
            allowed="the same family",
            fix="leave --family out",
        )
    return _suiting(space, problem, preset, file)


def _suiting(space: SearchSpace, problem: Problem, preset: str | None, file: Path) -> SearchSpace:
    """Return ``space`` if it was made for these data."""
    from nas_core.spaces import SearchSpace
    from nas_core.spaces.family import families_for

    own = space.family if space.family in families_for(problem.dataset.modality) else None
    expected = SearchSpace.for_problem(problem, preset or _usual(own or families_for(problem.dataset.modality)[0]), own)
    if own is None or (space.features, space.outputs, space.signal) != (
        expected.features, expected.outputs, expected.signal,
    ):  # fmt: skip
        raise SpaceError(
            f"The search space {file} was made for other data: {_shape(space)}",
            allowed=f"a space for {_shape(expected)} of this data",
            fix="write a space for this data, or search without --space",
        )
    return space


def _usual(family: str) -> str:
    """Return the preset of a family that nobody chose: balanced, or its first."""
    from nas_core.spaces.family import family_named

    presets = family_named(family).presets
    return "balanced" if "balanced" in presets else next(iter(presets))


def _shape(space: SearchSpace) -> str:
    if space.signal is None:
        return f"{len(space.features)} features, {space.outputs} outputs"
    shape = " × ".join(map(str, space.signal.shape))
    return f"{SIGNALS[space.signal.modality]} of {shape}, {space.outputs} outputs"


def _check(what: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise SettingsError(f"There is no {what} {value!r}", allowed=", ".join(allowed), fix="choose one of them")


def _warn(problem: Problem) -> None:
    """Say which columns of a table look as if nothing, or too much, can be learned from them."""
    from nas_core.data.leaks import column_warnings

    found = column_warnings(problem.dataset, problem.split.train) if problem.dataset.signal is None else ()
    for warning in found[:SHOWN_NOTES]:
        words = f"Look at the column {warning.column!r}: {warning.evidence} {warning.suggestion}"
        typer.secho(words, fg="yellow", err=True)
    if (more := len(found) - SHOWN_NOTES) > 0:
        typer.secho(f"Look at {more} more columns: the Data page of the studio lists them.", fg="yellow", err=True)


def _say(dataset: Dataset, *, chosen: bool) -> None:
    """Say how the data were understood, and what was changed while reading."""
    if (signal := dataset.signal) is not None:
        held = 0 if dataset.held_out is None else len(dataset.held_out)
        what = "texts" if signal.vocabulary else SIGNALS[signal.modality]
        goal = f"{len(dataset.classes)} classes" if dataset.classes else "a quantity"
        test = f"; {held:,} of them are declared test rows" if held else ""
        said = f"Reading {dataset.N:,} {what} of {' × '.join(map(str, signal.shape))}, {goal}{test}."
        typer.secho(said, fg="yellow", err=True)
    elif not chosen and dataset.source.kind == "file":
        guess = f"Predicting the column {dataset.target!r} ({dataset.task}); choose another with --target."
        typer.secho(guess, fg="yellow", err=True)
    for note in dataset.notes[:SHOWN_NOTES]:
        typer.secho(f"Note: {note}", fg="yellow", err=True)
    if (more := len(dataset.notes) - SHOWN_NOTES) > 0:
        typer.secho(f"Note: {more} more like these.", fg="yellow", err=True)
