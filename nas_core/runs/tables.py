"""Runs and fronts as tables for a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.table import Table

from nas_core.objectives import metric_objective
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
    """Return the candidates on the front, the most accurate first, with what the search optimised and what they cost.

    The best one is among them, also where it meets goals and is not on the front. With goals a column says who does.
    Of tables that is the number of features, the share of pairs that may interact, and that of effects that need not be
    monotone; of images and sequences also how much of the input one place sees.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("candidate", no_wrap=True)
    front = [c for c in document["candidates"] if c["on_front"] or c["id"] == document["best"]]
    columns = _columns(document, front)
    if document.get("goals"):
        columns = {"goals": lambda c: "met" if c["meets_goals"] else "–", **columns}
    for name in (document["metric"], "95 %", "interpretability", *columns):
        table.add_column(name, justify="right", no_wrap=True)
    sign = -1.0 if metric_objective(document["metric"]).maximise else 1.0
    front.sort(key=lambda c: (sign * c["performance"]["value"], c["index"]))
    for c in front[:FRONT_ROWS]:
        p = c["performance"]
        table.add_row(
            str(c["index"]),
            c["id"]
            + (" ★" if (c.get("mark") or {}).get("star") else "")
            + (" ◀" if c["id"] == document["best"] else ""),
            f"{p['value']:.4f}",
            f"{p['low']:.3f} … {p['high']:.3f}",
            f"{c['interpretability']:.3f}",
            *(cell(c) for cell in columns.values()),
        )
    if len(front) > FRONT_ROWS:
        table.caption = f"{len(front) - FRONT_ROWS} more on the front; --json lists all"
    return table


def _columns(document: Mapping[str, Any], front: Sequence[Mapping[str, Any]]) -> dict[str, Callable[[Any], str]]:
    """Return the columns that say how simple a candidate is, by header: those of the measures that were optimised."""
    known: dict[str, tuple[str, Callable[[Any], str]]] = {
        "feature_parsimony": (document["features"], lambda c: _raw(c, "feature_parsimony", "{:.0f}")),
        "interaction_sparsity": ("pairs", lambda c: _raw(c, "interaction_sparsity", "{:.1%}")),
        "monotone_share": ("not monotone", lambda c: _raw(c, "monotone_share", "{:.1%}")),
        "operation_economy": ("operations", lambda c: f"{c['cost']['operations']:,}"),
    }
    columns: dict[str, Callable[[Any], str]] = {}
    for name in document["hypervolume_losses"]:
        if name in known:
            columns[known[name][0]] = known[name][1]
        elif any(name in c["measures"] for c in front):
            columns[name.replace("_", " ")] = partial(_value, name=name)
    if any(c["receptive_field"] for c in front):
        columns["sees"] = _sees
    columns["parameters"] = lambda c: f"{c['cost']['parameters']:,}"
    return columns


def _sees(candidate: Any) -> str:
    """Return what one place sees of the input; all of it where every pair of features acts together."""
    sparsity = candidate["measures"].get("interaction_sparsity")
    if sparsity is not None and sparsity["raw"] == 1:
        return "all"
    return " × ".join(str(n) for n in candidate["receptive_field"] or ())


def floors_table(document: Mapping[str, Any]) -> Table:
    """Return the trivial models."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("trivial model")
    for name in (document["metric"], document["features"], "hypervolume"):
        table.add_column(name, justify="right")
    for floor in document["floors"].values():
        table.add_row(
            floor["label"], f"{floor['performance']:.4f}", str(len(floor["features"])), f"{floor['hypervolume']:.4f}"
        )
    table.add_row("all of them", "", "", f"{document['floors_hypervolume']:.4f}", style="bold")
    return table


def summary_line(document: Mapping[str, Any]) -> str:
    """Return what was found in one sentence, and in another what became of the goals, where there are any."""
    candidates = document["candidates"]
    lost = len(candidates) - sum(c["status"] == "done" for c in candidates)
    ending = f": {document['reason']}" if document["reason"] else ""
    return (
        f"Run {document['run_id']} is {document['state']}{ending}. {len(candidates)} candidates"
        + (f", {lost} of them failed or ineligible" if lost else "")
        + f", {sum(c['on_front'] for c in candidates)} on the front; hypervolume {document['hypervolume']:.4f} "
        f"(losses {', '.join(document['hypervolume_losses'])}; reference 1)"
        + (f". {document['goals']['sentence']}" if document.get("goals") else "")
    )


def _starred(candidate: Mapping[str, Any]) -> bool:
    return bool((candidate.get("mark") or {}).get("star"))


def _raw(candidate: Mapping[str, Any], name: str, form: str) -> str:
    measure = candidate["measures"].get(name)
    return "" if measure is None or measure["raw"] is None else form.format(measure["raw"])


def _value(candidate: Mapping[str, Any], name: str) -> str:
    measure = candidate["measures"].get(name)
    return "" if measure is None or measure["value"] is None else f"{measure['value']:.3f}"
