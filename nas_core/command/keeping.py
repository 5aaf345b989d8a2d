"""Looking after a store: check and repair it, copy it, delete a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from nas_core.command.room import JsonOption, RunArgument, StoreOption, app, console, known_run, opened, spoken
from nas_core.errors import StoreError

if TYPE_CHECKING:
    from nas_core.store.checking import Finding, Health

__all__ = ["backup", "check", "delete"]

SILENT_SECONDS = 1.0
StoreArgument = Annotated[
    str | None, typer.Argument(help="Directory, .sqlite file or URL of the store; default: your own.", metavar="STORE")
]
Yes = Annotated[bool, Option("--yes", "-y", help="Do not ask.")]


@app.command()
@spoken
def check(
    location: StoreArgument = None,
    repair: Annotated[bool, Option("--repair", help="Put right what can be; deletes no candidate.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a store is complete and undamaged; ends with 1 where it is not."""
    from nas_core.runs.books import misfits
    from nas_core.store.checking import check_store
    from nas_core.store.repairing import repair_store
    from nas_core.store.sql import SqlStore

    if location is not None and store is not None and location != store:
        raise StoreError("Two stores are given", allowed="one", fix="leave out --store")
    where = opened(_there(location or store))
    try:
        if not isinstance(where, SqlStore):
            raise StoreError(f"There is nothing to check in {where.url}", fix="give a directory, a file or a URL")
        with _bar("checking") as show:
            health = repair_store(where, misfits, show) if repair else check_store(where, misfits, show)
    finally:
        where.close()
    if as_json:
        typer.echo(json.dumps({**asdict(health), "sound": health.sound}, ensure_ascii=False))
    else:
        _say(health)
    if not health.sound:
        raise typer.Exit(1)


@app.command()
@spoken
def backup(
    target: Annotated[str, typer.Argument(help="A new directory, or .sqlite file, for the copy.", metavar="DEST")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a store, even while a run is writing to it."""
    from nas_core.store.copying import back_up

    where = opened(_there(store))
    try:
        with _bar("copying") as show:
            made = back_up(where, target, show)
    finally:
        where.close()
    said = json.dumps({"store": where.url, "copy": str(made)}) if as_json else f"{where.url} is copied to {made}"
    typer.echo(said)


@app.command()
@spoken
def delete(run: RunArgument, yes: Yes = False, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Delete a run with all its candidates and their weights."""
    where = opened(store)
    try:
        if run in {damaged.id for damaged in where.damaged_runs()}:
            run_id, count, told = run, 0, "damaged: nobody can read it any more"
        else:
            record = where.run(known_run(where, run))
            run_id, count = record.id, len(where.evaluations(record.id))
            told = f"{record.name}, {record.state}"
        if not yes:
            typer.confirm(f"Delete the run {run_id} ({told}) with {count} candidates for good?", abort=True, err=True)
        where.delete_run(run_id)
    finally:
        where.close()
    typer.echo(
        json.dumps({"run_id": run_id, "candidates": count}) if as_json else f"Deleted {run_id} with {count} candidates"
    )


def _there(location: str | None) -> str | None:
    """Return ``location`` if there is a store: looking after one must not make one."""
    from nas_core.store import default_location
    from nas_core.store.opening import sqlite_path

    text = location or default_location()
    if "://" not in text.removeprefix("sqlite:///") and text != "memory:" and not (path := sqlite_path(text)).exists():
        raise StoreError(f"There is no store at {path}", fix="give the place of one with --store")
    return location


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while the body runs, from the second second on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(text, total=None)

    def show(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - began > SILENT_SECONDS:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()


def _say(health: Health) -> None:
    out = console()
    if health.counts:
        c = health.counts
        out.print(
            f"{health.location}: {c['runs']:,} runs, {c['evaluations']:,} candidates, {c['events']:,} events, "
            f"{c['marks']:,} marks, {c['artifacts']:,} artifacts ({c['bytes'] / 1e6:,.1f} MB)",
            soft_wrap=True,
        )
    for finding in health.findings:
        out.print(_line(finding), soft_wrap=True)
    harmful = [f for f in health.findings if f.harmful and not f.repaired]
    if harmful:
        out.print(f"{len(harmful)} things are damaged. A backup may have them: nasight check BACKUP", soft_wrap=True)
    elif any(not f.repaired for f in health.findings):
        out.print("Nothing is lost. --repair tidies up what is left over.")
    else:
        out.print("The store is sound.")


def _line(finding: Finding) -> str:
    mark = "repaired" if finding.repaired else ("damaged" if finding.harmful else "left over")
    return f"  {mark}: {f'run {finding.run}: ' if finding.run else ''}{finding.words}"
