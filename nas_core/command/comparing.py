"""Plain models beside a search: what else one could use, on the same axes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from typer import Option

from nas_core.command.asked import AskedProblem, problem_of, space_of
from nas_core.command.parsing import parse_kinds, parse_size
from nas_core.command.room import JsonOption, app, console, spoken
from nas_core.command.searching import (
    Clock,
    Colour,
    Data,
    Family,
    Groups,
    Id,
    Kind,
    Length,
    Metric,
    Modality,
    Order,
    Preset,
    Size,
    Target,
    Task,
    Test,
    Text,
    Transform,
    Value,
    Weights,
)

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.evaluation.baselines import Baseline

__all__ = ["baselines"]

Measures = Annotated[
    str | None, Option(help="Measures separated by commas, or all; by default those that a search takes.")
]


@app.command()
@spoken
def baselines(
    data: Data, target: Target = None, task: Task = None, kind: Kind = None, modality: Modality = None,
    size: Size = None, colour: Colour = "auto", length: Length = None, text: Text = None, id_column: Id = None,
    time_column: Clock = None, value: Value = None, test: Test = None, metric: Metric = None, groups: Groups = None,
    order: Order = None, class_weights: Weights = "none", target_transform: Transform = "none", family: Family = None,
    preset: Preset = None, measures: Measures = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Fit plain models to DATA, and print how good and how interpretable they are: what a search stands beside."""
    from rich.console import Console

    from nas_core.evaluation.baselines import baselines as fitted
    from nas_core.interpretability import MEASURES

    reading = {
        "target": target, "task": task, "kinds": parse_kinds(kind or []), "modality": modality,
        "size": None if size is None else parse_size(size), "colour": colour, "length": length, "text": text,
        "id": id_column, "time": time_column, "values": value or (), "test": test,
    }  # fmt: skip
    asked = AskedProblem(data, reading, metric, groups, order, class_weights, target_transform)
    problem = problem_of(asked)
    space = space_of(problem, family, preset, None)
    names = list(MEASURES) if measures == "all" else None
    if measures is not None and names is None:
        names = [name.strip() for name in measures.split(",") if name.strip()]
    with Console(stderr=True).status("Fitting") as status:
        found = fitted(
            problem, space, names, lambda label, done, count: status.update(f"{label} ({done + 1} of {count})")
        )
    if as_json:
        document = {"data": problem.dataset.name, "metric": problem.objective.name, "baseline": problem.baseline}
        rows = [b.model_dump(mode="json") for b in found]
        typer.echo(json.dumps({**document, "baselines": rows}, ensure_ascii=False, allow_nan=False))
    else:
        _print(found, problem)


def _print(found: Sequence[Baseline], problem: Problem) -> None:
    """Print one row per model, the simplest first."""
    from rich.table import Table

    from nas_core.preferences import Preference, interpretability

    names = list(found[0].measures)
    weights = Preference().vector(names)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", no_wrap=True)
    headers = [problem.objective.label, "95 %", "interpretable", "features", *names]
    for header in headers:
        table.add_column(header.replace("_", "\n"), justify="right", no_wrap=True)
    for b in found:
        if b.performance is None:
            table.add_row(b.label, "–", "", "", "", *("" for _ in names))
            continue
        p = b.performance
        values = [m.value for m in b.measures.values()]
        known = np.array([[np.nan if v is None else v for v in values]])
        mean = float(interpretability(known, weights)[0])
        table.add_row(
            b.label, f"{p.value:.4f}", f"{p.low:.3f} … {p.high:.3f}", "–" if mean != mean else f"{mean:.3f}",
            str(len(b.features)), *("–" if v is None else f"{v:.3f}" for v in values),
        )  # fmt: skip
    console().print(table)
    for b in found:
        if b.reason:
            console().print(f"{b.label}: {b.reason}.", style="yellow")
