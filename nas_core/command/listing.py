"""Runs that are in a store: a list of them, the front of one, the log of one."""

from __future__ import annotations

import json

import typer

from nas_core.command.room import JsonOption, RunArgument, StoreOption, app, console, known_run, opened, printed, spoken

__all__ = ["log", "runs", "show"]


@app.command()
@spoken
def runs(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the runs of a store, the newest first."""
    where = opened(store)
    try:
        records = where.runs()
        for damaged in where.damaged_runs():
            typer.secho(f"Damaged: {damaged.reason}", fg="red", err=True)
        if as_json:
            fields = {"id", "name", "state", "reason", "created", "progress", "data_hash", "settings"}
            typer.echo(json.dumps([r.model_dump(mode="json", include=fields) for r in records], ensure_ascii=False))
        elif not records:
            typer.echo(f"No runs yet in {where.url}. Start one: nasight search breast_cancer")
        else:
            from nas_core.runs.tables import runs_table

            console().print(runs_table(records))
    finally:
        where.close()


@app.command()
@spoken
def show(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show the front of a run."""
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    where = opened(store)
    try:
        document = run_document(RunView(where, known_run(where, run)))
        printed(document, as_json=as_json)
    finally:
        where.close()


@app.command()
@spoken
def log(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Print the log of a run: what it did, what was done to it, what failed. With --json, one object a line."""
    from nas_core.runs.run_log import as_json_lines, run_log

    where = opened(store)
    try:
        lines = run_log(where, known_run(where, run))
        if as_json:
            typer.echo(as_json_lines(lines), nl=False)
            return
        for line in lines:
            facts = (f"{name} {value}" for name, value in line.facts.items() if name != "began" and _is_short(value))
            told = line.message or ", ".join(facts)
            who = f"#{line.facts['number']} failed" if line.event == "failed" else line.event
            typer.echo(f"{line.moment}  {line.level:<7}  {who}{f': {told}' if told else ''}")
    finally:
        where.close()


def _is_short(value: object) -> bool:
    return isinstance(value, int | float | str) and len(str(value)) <= 60
