"""Runs and fronts as tables for a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from nas_core.records import RunRecord

__all__ = ["floors_table", "front_table", "runs_table", "summary_line"]

FRONT_ROWS = 30


def runs_table(records: Sequence[RunRecord]) -> Table:
    """Return one row per run."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "data", "state", "candidates", "strategy", "λ", "started", "reason"):
        table.add_column(name, no_wrap=name != "reason")
    for r in records:
        settings = r.settings
        table.add_row(
            r.id,
            r.name,
            r.state.value,
            str(r.progress.get("evaluated", 0)),
            str(settings.get("strategy", "")),
            f"{settings.get('preference', {}).get('weight', 0.0):.2f}",
            time.strftime("%Y-%m-%d %H:%M", time.localtime(r.created)),
            r.reason,
        )
    return table


def front_table(document: Mapping[str, Any]) -> Table:
    """Return the candidates on the front, the most accurate first."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("candidate", no_wrap=True)
    for name in (document["metric"], "95 %", "interpretability", "features", "pairs", "not monotone", "parameters"):
        table.add_column(name, justify="right", no_wrap=True)
    front = [c for c in document["candidates"] if c["on_front"]]
    front.sort(key=lambda c: (-c["performance"]["value"], c["index"]))
    for c in front[:FRONT_ROWS]:
        measures, p = c["measures"], c["performance"]
        table.add_row(
            str(c["index"]),
            c["id"] + (" ◀" if c["id"] == document["best"] else ""),
            f"{p['value']:.4f}",
            f"{p['low']:.3f} … {p['high']:.3f}",
            f"{c['interpretability']:.3f}",
            _raw(measures, "feature_parsimony", "{:.0f}"),
            _raw(measures, "interaction_sparsity", "{:.1%}"),
            _raw(measures, "monotone_share", "{:.1%}"),
            f"{c['cost']['parameters']:,}",
        )
    if len(front) > FRONT_ROWS:
        table.caption = f"{len(front) - FRONT_ROWS} more on the front; --json lists all"
    return table


def floors_table(document: Mapping[str, Any]) -> Table:
    """Return the trivial models."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("trivial model")
    for name in (document["metric"], "features", "hypervolume"):
        table.add_column(name, justify="right")
    for floor in document["floors"].values():
        table.add_row(
            floor["label"], f"{floor['performance']:.4f}", str(len(floor["features"])), f"{floor['hypervolume']:.4f}"
        )
    table.add_row("all of them", "", "", f"{document['floors_hypervolume']:.4f}", style="bold")
    return table


def summary_line(document: Mapping[str, Any]) -> str:
    """Return what was found in one sentence."""
    candidates = document["candidates"]
    lost = len(candidates) - sum(c["status"] == "done" for c in candidates)
    ending = f": {document['reason']}" if document["reason"] else ""
    return (
        f"Run {document['run_id']} is {document['state']}{ending}. {len(candidates)} candidates"
        + (f", {lost} of them failed or ineligible" if lost else "")
        + f", {sum(c['on_front'] for c in candidates)} on the front; hypervolume {document['hypervolume']:.4f} "
        f"(losses {', '.join(document['hypervolume_losses'])}; reference 1)"
    )


def _raw(measures: Mapping[str, Any], name: str, form: str) -> str:
    measure = measures.get(name)
    return "" if measure is None or measure["raw"] is None else form.format(measure["raw"])
