"""Whether everything that NASight needs is there and works."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command.room import JsonOption, StoreOption, app, console, spoken

if TYPE_CHECKING:
    from nas_core.runs.doctor import Diagnosis

__all__ = ["doctor"]

SIGNS = {"ok": ("✓", "green"), "missing": ("–", "yellow"), "broken": ("✗", "red")}


@app.command()
@spoken
def doctor(
    seconds: Annotated[float, typer.Option(help="About how long the speed is measured; 0 for not at all.", min=0)] = 10,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at versions, devices, memory, the store and the speed of this machine, and say what is missing.

    Ends with exit code 1 when something that is needed is broken.
    """
    found = _diagnosed(store, seconds)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _print(found)
    if not found.works:
        raise typer.Exit(1)


def _diagnosed(store: str | None, seconds: float) -> Diagnosis:
    """Look at everything, with a bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr, highlight=False), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)
        from nas_core.runs.doctor import diagnose  # torch costs seconds, and the bar is there

        return diagnose(
            store,
            seconds=seconds,
            on_progress=lambda words, share: bar.update(task, description=words, completed=share),
        )


def _print(found: Diagnosis) -> None:
    from rich.table import Table
    from rich.text import Text

    versions = [f"{p.name} {p.version}" for p in found.packages if not p.extra and p.version]
    out = console()
    out.print(f"Python {found.machine.python} on {found.machine.system}")
    out.print(", ".join(versions), style="dim")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in found.findings:
        sign, colour = SIGNS[finding.health]
        words = Text(finding.words)
        if finding.fix:
            words.append(f"\n→ {finding.fix}", style=colour)
        table.add_row(Text(sign, style=colour), finding.name, words)
    out.print(table)
    out.print(f"{found.calibration}.", style="dim")
    out.print("Everything that is needed works." if found.works else "Something that is needed is broken: see ✗.")
