"""Strategies compared on a recorded table."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command.room import JsonOption, app, console, spoken

if TYPE_CHECKING:
    from nas_core.runs.benchmark import Replay

__all__ = ["benchmark"]


@app.command()
@spoken
def benchmark(
    table: Annotated[Path, typer.Argument(help="A CSV, TSV or Parquet file, one row per result.", metavar="TABLE")],
    variables: Annotated[str, typer.Option(help="Columns that make an architecture, separated by commas.")],
    search: Annotated[str, typer.Option(help="Column that strategies see.")],
    report: Annotated[str, typer.Option(help="Column that is reported.")],
    strategies: Annotated[str | None, typer.Option(help="Names separated by commas; all when not given.")] = None,
    budget: Annotated[int, typer.Option(help="Evaluations per trial.")] = 100,
    trials: Annotated[int, typer.Option(help="Trials per strategy.")] = 500,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 0,
    minimise: Annotated[bool, typer.Option("--minimise", help="Smaller values are better.")] = False,
    workers: Annotated[int, typer.Option(help="Processes; 0 for one per core.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Replay a recorded benchmark with each strategy.

    Each distinct row of the variable columns is an architecture. What is reported is the architecture that is best by
    the searched column, as a user would choose.
    """
    from rich.console import Console
    from rich.progress import Progress

    from nas_core.data import read_table
    from nas_core.evaluation.recorded import RecordedTable
    from nas_core.runs.benchmark import replay
    from nas_core.search import STRATEGIES

    recorded = RecordedTable(read_table(table), _names(variables), search, report, minimise=minimise)
    chosen = _names(strategies) if strategies else list(STRATEGIES)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks = {name: bar.add_task(name, total=trials) for name in chosen}
        found = replay(
            recorded, chosen, budget=budget, trials=trials, seed=seed, workers=workers or os.cpu_count() or 1,
            on_progress=lambda name, done: bar.advance(tasks[name], done),
        )  # fmt: skip
    if as_json:
        asked = {"table": table.name, "architectures": len(recorded), "budget": budget, "trials": trials, "seed": seed}
        typer.echo(json.dumps({**asked, "strategies": {r.strategy: r.document() for r in found}}))
    else:
        _print(found, report, len(recorded), minimise=minimise)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(found: Sequence[Replay], report: str, architectures: int, *, minimise: bool) -> None:
    """Print one row per strategy, the best first."""
    from rich.table import Table

    budget = len(found[0].curve)
    points = sorted({min(budget, n) for n in (10, 20, 50, 100, budget)})
    table = Table(box=None, pad_edge=False, header_style="bold", caption=f"{architectures:,} architectures")
    table.add_column("strategy", no_wrap=True)
    for name in (report, "± standard error", *(f"after {n}" for n in points), "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for r in sorted(found, key=lambda r: r.mean if minimise else -r.mean):
        curve = [f"{r.curve[n - 1]:.3f}" for n in points]
        table.add_row(r.strategy, f"{r.mean:.4f}", f"{r.standard_error:.4f}", *curve, f"{r.seconds:.1f}")
    console().print(table)
