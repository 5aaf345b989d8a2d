"""Doing again what a decision record tells, and comparing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command.room import JsonOption, StoreOption, app, console, opened, spoken
from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from nas_core.reports import DecisionRecord, Repeat

__all__ = ["reproduce"]


@app.command()
@spoken
def reproduce(
    record: Annotated[Path, typer.Argument(help="A decision record as JSON (`nasight report RUN --format json`).")],
    search: Annotated[
        bool, typer.Option("--search", help="Repeat the whole search in the store, not the chosen network alone.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the network of a decision again, or repeat its search, and compare every number with the record.

    Ends with exit code 1 where something differs.
    """
    told = _read(record)
    found = _searched(told, store) if search else _trained(told)
    if as_json:
        numbers = [{"name": n.name, "recorded": n.recorded, "found": n.found, "same": n.same} for n in found.numbers]
        typer.echo(json.dumps({"id": found.id, "same_network": found.same_network, "same": found.same,
                               "numbers": numbers}))  # fmt: skip
    else:
        _print(told, found)
    if not found.same:
        raise typer.Exit(1)


def _read(file: Path) -> DecisionRecord:
    from pydantic import ValidationError

    from nas_core.reports import DecisionRecord

    try:
        return DecisionRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"The record {file} cannot be read ({error})", fix="check the path") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SettingsError(
            f"{file} is no decision record: {where}: {first['msg']}",
            allowed="what `nasight report RUN --format json` writes", fix="write it again",
        ) from None  # fmt: skip


def _trained(told: DecisionRecord) -> Repeat:
    from nas_core.reports import retrained_choice

    if not told.remake.retrainable:
        raise SettingsError(
            "This network cannot be trained again alone: its training began from other weights, or its data are gone",
            fix="repeat the search with --search",
        )
    typer.secho(f"Training #{told.chosen.number} of {told.run_name} again …", err=True)
    return retrained_choice(told)


def _searched(told: DecisionRecord, location: str | None) -> Repeat:
    from nas_core.reports.repeating import compared, searched_again
    from nas_core.runs.bar import follow_with_bar

    where = opened(location)
    try:
        run = searched_again(told, where)
        typer.secho(f"Searching again as {run.id} …", err=True)
        try:
            follow_with_bar(run)
        except KeyboardInterrupt:
            run.stop("Stopped by Ctrl-C")
            run.wait(10.0)
            raise typer.Exit(130) from None
        same = [e for e in where.evaluations(run.id) if e.id == told.chosen.id]
        return compared(told.chosen, same[0] if same else None)
    finally:
        where.close()


def _print(told: DecisionRecord, found: Repeat) -> None:
    from rich.table import Table

    out = console()
    if found.numbers:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in ("number", "recorded", "now", "same"):
            table.add_column(head, justify="left" if head == "number" else "right")
        for n in found.numbers:
            table.add_row(n.name, *("–" if v is None else f"{v:.6f}" for v in (n.recorded, n.found)),
                          "yes" if n.same else "no")  # fmt: skip
        out.print(table)
    said = "The same network with the same numbers." if found.same else (
        "The network was not found again." if not found.same_network else "Some numbers differ from the record."
    )  # fmt: skip
    out.print(f"#{told.chosen.number} {found.id}: {said}")
