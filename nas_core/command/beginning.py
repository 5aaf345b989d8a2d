"""What a search begins with: architectures of a file, and the fronts of earlier runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nas_core.command.room import known_run

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["begun_with", "earlier_runs", "say_warm"]

AUTO = "auto"
NEWEST = 3
"""Runs that ``auto`` starts from at most."""


def begun_with(file: Path | None, space: SearchSpace) -> list[Architecture]:
    """Return the architectures of a file, after saying on stderr what was left out.

    Raises:
        SpaceError: The file holds no architectures of the space.
    """
    if file is None:
        return []
    from nas_core.runs.start_file import read_architectures

    found, notes = read_architectures(file, space)
    for note in notes:
        typer.secho(f"Note: {note}.", err=True)
    return found


def earlier_runs(store: Store, asked: list[str], problem: Problem, space: SearchSpace) -> list[str]:
    """Return the ids of the runs that were asked for; ``auto`` stands for the newest three that fit.

    Raises:
        StoreError: Several runs begin with what was written.
    """
    from nas_core.runs.warm import fitting_runs

    found: list[str] = []
    for text in asked:
        if text != AUTO:
            found.append(known_run(store, text))
            continue
        fitting = fitting_runs(store, problem, space)[:NEWEST]
        if not fitting:
            typer.secho("Note: no earlier run is on data of this shape; the search starts without one.", err=True)
        for run in fitting:
            typer.secho(f"Starting from {run.record.id}: {run.sentence}.", err=True)
        found += [run.record.id for run in fitting]
    return found


def say_warm(store: Store, run_id: str) -> None:
    """Say on stderr what a run took from earlier ones."""
    for event in store.events(run_id):
        if event.kind == "warm":
            count, runs = event.payload["candidates"], ", ".join(event.payload["runs"])
            typer.secho(f"{count} architectures of {runs} are evaluated first.", err=True)
            for note in event.payload["notes"]:
                typer.secho(f"Note: {note}.", err=True)
