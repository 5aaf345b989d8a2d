"""One candidate, or all of a run, as a file for other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command.drawing import known_candidate
from nas_core.command.room import RunArgument, StoreOption, app, known_run, opened, spoken
from nas_core.errors import ExportError, SettingsError

if TYPE_CHECKING:
    from nas_core.exports.formats import ExportFile
    from nas_core.store import Store

__all__ = ["export"]


@app.command()
@spoken
def export(
    run: RunArgument,
    candidate: Annotated[
        str | None,
        typer.Argument(help="A candidate's number, its id or the beginning of it; the best at λ when not given.",
                       metavar="[CANDIDATE]"),
    ] = None,
    to: Annotated[
        str, typer.Option(help="Of a candidate: onnx, torch, source, json, card, card-html. Of a run: csv, parquet, "
                               "optuna; json without CANDIDATE is the run's.")
    ] = "source",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="FILE to write; named by itself else.")] = None,
    weight: Annotated[
        float | None, typer.Option(help="λ at which the best candidate is taken, 0 … 1; that of the run else.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
    store: StoreOption = None,
) -> None:  # fmt: skip
    """Write a candidate as ONNX, PyTorch program, source, JSON or model card; a run as CSV, Parquet, JSON, Optuna.

    A file that predicts is compared with the candidate on validation rows before it is written.
    """
    from nas_core.exports.files import write_export

    where = opened(store)
    try:
        made = _made(where, known_run(where, run), candidate, to, weight)
    finally:
        where.close()
    path = output or Path(made.name)
    write_export(path, made.data, force=force)
    typer.secho(f"{path}: {len(made.data):,} bytes", err=True)
    if made.check is not None:
        typer.secho(f"Checked: {made.check.words}.", err=True)
    for note in made.notes:
        typer.secho(note, err=True)


def _made(store: Store, run_id: str, candidate: str | None, to: str, weight: float | None) -> ExportFile:
    """Return the file, telling on stderr how far it is."""
    from rich.console import Console

    from nas_core.exports.exporting import export_candidate, export_run
    from nas_core.exports.formats import CANDIDATE_FORMATS, RUN_FORMATS

    if to not in {**CANDIDATE_FORMATS, **RUN_FORMATS}:
        raise ExportError(
            f"There is no export format {to!r}", allowed=", ".join({**CANDIDATE_FORMATS, **RUN_FORMATS}),
            fix="choose one of them with --to",
        )  # fmt: skip
    of_run = to in RUN_FORMATS and candidate is None and (to not in CANDIDATE_FORMATS or weight is None)
    if not of_run and to not in CANDIDATE_FORMATS:
        raise ExportError(
            f"A candidate cannot be exported as {to}", allowed=", ".join(CANDIDATE_FORMATS),
            fix="leave the candidate and --weight out, for the whole run",
        )  # fmt: skip
    with Console(file=sys.stderr).status("Exporting") as status:

        def told(words: str, share: float) -> None:
            status.update(f"{words} ({share:.0%})")

        if of_run:
            return export_run(store, run_id, to, on_progress=told)
        chosen = _best(store, run_id, weight) if candidate is None else known_candidate(store, run_id, candidate).id
        return export_candidate(store, run_id, chosen, to, on_progress=told)


def _best(store: Store, run_id: str, weight: float | None) -> str:
    """Return the best candidate of a run at λ.

    Raises:
        ExportError: No candidate of the run may enter a front.
        SettingsError: λ is not between 0 and 1.
    """
    from nas_core.preferences import Preference
    from nas_core.runs.viewer import RunView

    view = RunView(store, run_id)
    wish = view.settings.preference
    if weight is not None:
        if not 0.0 <= weight <= 1.0:
            raise SettingsError(f"λ is {weight:g}", allowed="a number from 0 to 1", fix="change --weight")
        wish = Preference.model_validate({**wish.model_dump(), "weight": weight})
    snapshot = view.snapshot
    best = snapshot.rank(wish, view.inside(snapshot)).best
    if best is None:
        raise ExportError("The run has no candidate on its front yet", fix="wait for one, or name a candidate")
    typer.secho(f"The best at λ = {wish.weight:g} is #{snapshot.index[best]}.", err=True)
    return snapshot.ids[best]
