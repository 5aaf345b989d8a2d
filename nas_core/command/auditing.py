"""Whether the front of a run holds: on other rows, with other seeds, for every subgroup."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from nas_core.command.room import JsonOption, RunArgument, StoreOption, app, console, known_run, opened, spoken

if TYPE_CHECKING:
    from nas_core.runs.auditing import AuditProgress, RunAudit
    from nas_core.store import Store

__all__ = ["audit"]


@app.command()
@spoken
def audit(
    run: RunArgument,
    seeds: Annotated[int, typer.Option(help="How many times the front is trained again; 0 for not at all.")] = 3,
    fresh: Annotated[
        str | None, typer.Option(help="test: open the test part. Do it once, when nothing will be changed any more.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the front of a run again: other rows, other seeds, subgroups, untrained twins, unoptimised measures.

    Ctrl-C ends it; what was found is printed.
    """
    where = opened(store)
    try:
        found = _audited(where, known_run(where, run), seeds, fresh)
        if as_json:
            typer.echo(found.model_dump_json())
        else:
            _print(found)
    finally:
        where.close()
    if not found.complete:
        raise typer.Exit(130)


def _audited(store: Store, run_id: str, seeds: int, fresh: str | None) -> RunAudit:
    """Audit in a thread of its own, with a bar on stderr, so that Ctrl-C is seen at once."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    from nas_core.runs.auditing import audit_run

    stop = threading.Event()
    found: list[RunAudit | BaseException] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(file=sys.stderr, highlight=False), transient=True) as bar:
        task = bar.add_task("Reading the run", total=None)

        def told(p: AuditProgress) -> None:
            bar.update(task, description=p.words, total=p.total, completed=p.done)

        def work() -> None:
            try:
                chosen = cast('Literal["test"] | None', fresh)  # audit_run refuses anything else
                found.append(audit_run(store, run_id, seeds=seeds, fresh=chosen, on_progress=told, stop=stop))
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                found.append(error)

        thread = threading.Thread(target=work, name="nasight-audit", daemon=True)
        thread.start()
        while thread.is_alive():
            try:
                thread.join(0.2)
            except KeyboardInterrupt:
                stop.set()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _print(audit: RunAudit) -> None:
    from nas_core.runs.audit_tables import audit_table, fresh_table

    out = console()
    out.print(audit_table(audit))
    if audit.fresh is not None:
        out.print(fresh_table(audit, audit.fresh))
    for words in audit.caveats:
        out.print(f"• {words}")
    for candidate in audit.candidates:
        if candidate.caveats:
            out.print(f"\n#{candidate.index} {candidate.id}")
            for words in candidate.caveats:
                out.print(f"  • {words}")
