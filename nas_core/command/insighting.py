"""Which choices of a search mattered for which objective."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.command.room import JsonOption, RunArgument, StoreOption, app, console, known_run, opened, spoken

if TYPE_CHECKING:
    from rich.table import Table

    from nas_core.store import Store

__all__ = ["insight"]


@app.command()
@spoken
def insight(
    run: RunArgument,
    aim: Annotated[
        list[str] | None,
        typer.Option("--for", help="What to explain: performance, interpretability, scalar, seconds, or a measure."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Explain everything there is.")] = False,
    weight: Annotated[float | None, typer.Option(help="The λ of the trade-off; default: that of the run.")] = None,
    shap: Annotated[bool, typer.Option("--shap/--no-shap", help="Show SHAP values of the surrogate beside it.")] = True,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which choices matter for which objective, and how well they predict it.

    Without --for: performance and interpretability. Shares have 95 % intervals over candidates.
    """
    where = opened(store)
    try:
        document = _found(where, known_run(where, run), aim, everything, weight, shap)
    finally:
        where.close()
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
    else:
        _print(document)


def _found(
    store: Store, run_id: str, chosen: list[str] | None, everything: bool, weight: float | None, shap: bool
) -> dict[str, Any]:
    """Return what is said of a run, with a bar on stderr while it is worked out."""
    from rich.console import Console
    from rich.progress import track

    from nas_core.errors import RunError
    from nas_core.insight import FEWEST, aim_names, gather, importance_of, insight_document
    from nas_core.insight.importance import explained
    from nas_core.runs.viewer import RunView

    view = RunView(store, run_id)
    preference = view.settings.preference
    if weight is not None:
        preference = type(preference).model_validate({**preference.model_dump(), "weight": weight})
    snapshot = view.snapshot
    ranking = snapshot.rank(preference, view.inside(snapshot))
    names = aim_names(snapshot) if everything else tuple(chosen or ("performance", "interpretability"))
    material = gather(snapshot, store.evaluations(run_id), view.space)
    if material.missing:
        raise RunError(
            f"The run has {material.eligible} candidates that ended well, and {FEWEST} are needed to say what matters",
            fix=f"wait for {material.missing} more, or give the run a larger budget with nasight resume",
        )
    aims = [material.aim(name, ranking) for name in names]
    errors = Console(file=sys.stderr, highlight=False)
    told = track(aims, "Working out what matters", console=errors, transient=True, disable=not errors.is_terminal)
    found = [(one, importance_of(explained(material.facets, one.values), shap=shap)) for one in told]
    return {"run_id": run_id, **insight_document(material, found)}


def _print(document: dict[str, Any]) -> None:
    out = console()
    drawn = f", {document['candidates']:,} of them drawn at random" if document["sampled"] else ""
    out.print(f"{document['eligible']:,} candidates that ended well{drawn}; {document['left_out']:,} left out.")
    for aim in document["aims"]:
        out.print(f"\n{aim['label']}", style="bold")
        out.print(aim["sentence"])
        r = aim["reliability"]
        out.print(
            f"Of candidates not seen before the surrogate explains {r['r2']:.0%} "
            f"({r['r2_low']:.0%} – {r['r2_high']:.0%}) of the variation; rank correlation {r['rank']:.2f}.",
        )
        if aim["predicts"]:
            out.print(_table(aim))
    out.print(f"\n{document['caveat']}")
    if document["constant"]:
        out.print(f"The same for all: {', '.join(document['constant'])}.")


def _table(aim: dict[str, Any]) -> Table:
    """Return one row per choice, the most important first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("choice")
    for name in ("explains", "95 %", "SHAP", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for choice in aim["choices"]:
        table.add_row(choice["label"], *_cells(choice["share"]), *_cells(choice["shap"]))
    table.add_row("interactions", *_cells(aim["interactions"]), "–", "–")
    return table


def _cells(share: dict[str, float] | None) -> tuple[str, str]:
    return ("–", "–") if share is None else (f"{share['value']:.1%}", f"{share['low']:.0%} – {share['high']:.0%}")
