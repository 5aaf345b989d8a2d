"""All candidates of a run as rows of one table, and that table as CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.escaping import safe_cell
from nas_core.records import canonical_json

if TYPE_CHECKING:
    from nas_core.records import Estimate, Evaluation
    from nas_core.runs.viewer import RunView

__all__ = ["candidate_rows", "csv_table", "flattened", "parquet_table"]

SHORT = 12
"""Lists of plain values up to this long get a column for each."""
MOST_FEATURES = 64
"""Tables of up to so many features get a column for each that says whether it is used."""


def flattened(values: Mapping[str, Any], features: Sequence[str] = ()) -> dict[str, Any]:
    """Return the variables of an architecture as single values by name.

    A short list of plain values gives one column for each (``cell.1`` …); any other list or mapping its length. The
    groups of a table also say how many features are used, how large the largest group is, how many groups are linear,
    and, of up to 64 features, whether each is used (``uses.NAME``).

    Args:
        values: The values of the architecture.
        features: Names of the features of a table; empty for other data.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found[name] = len(value)
        elif isinstance(value, list | tuple):
            plain = 0 < len(value) <= SHORT and all(isinstance(x, str | int | float | bool) for x in value)
            found |= {f"{name}.{at}": x for at, x in enumerate(value, start=1)} if plain else {name: len(value)}
        else:
            found[name] = value
    groups = values.get("groups")
    if isinstance(groups, list | tuple):
        found |= _groups(groups, features)
    if isinstance(stages := values.get("stages"), list | tuple):
        found["blocks"] = sum(len(stage.get("blocks", ())) for stage in stages)
    return found


def _groups(groups: Sequence[Mapping[str, Any]], features: Sequence[str]) -> dict[str, Any]:
    used = {j for group in groups for j in group["features"]}
    found: dict[str, Any] = {
        "features_used": len(used),
        "largest_group": max((len(group["features"]) for group in groups), default=0),
        "linear_groups": sum(bool(group["linear"]) for group in groups),
    }
    if len(features) <= MOST_FEATURES:
        found |= {f"uses.{name}": j in used for j, name in enumerate(features)}
    return found


def candidate_rows(view: RunView) -> list[dict[str, Any]]:
    """Return a row for each candidate of a run, in the order of their numbers; all rows have the same columns.

    ``on_front`` and ``meets_goals`` are those of the run's preference, as in :func:`run_document`.
    """
    view.refresh()
    snapshot = view.snapshot
    ranking = snapshot.rank(view.settings.preference, view.inside(snapshot))
    rows = []
    for evaluation in view.store.evaluations(view.run_id):
        at = snapshot.position(evaluation.id)
        if at is None:
            continue
        ranked = {
            "interpretability": _number(ranking.interpretability[at]),
            "on_front": bool(ranking.on_front[at]),
            "meets_goals": bool(ranking.meets[at]),
        }
        rows.append(_row(view, evaluation, ranked))
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def _row(view: RunView, e: Evaluation, ranked: dict[str, Any]) -> dict[str, Any]:
    space = view.space_of(e)
    row: dict[str, Any] = {
        "number": e.index, "id": e.id, "status": e.status.value, "reason": e.reason or None,
        "structure": space.engine.describe(space, e.architecture.values), "metric": view.objective.name,
        **_estimate("performance", e.performance), **_estimate("skill", e.skill), **ranked,
    }  # fmt: skip
    row |= {f"metric.{name}": value for name, value in e.metrics.items()}
    for name, m in e.measures.items():
        row |= {f"{name}": m.value, f"{name}.low": m.low, f"{name}.high": m.high, f"{name}.raw": m.raw}
    features = [f.name for f in space.features] if space.signal is None else []
    row |= {f"variable.{name}": v for name, v in flattened(e.architecture.values, features).items()}
    finished = datetime.fromtimestamp(e.finished, UTC).isoformat(timespec="seconds") if e.finished else None
    return row | {
        "parameters": e.cost.parameters, "operations": e.cost.operations, "seconds": e.cost.seconds,
        "epochs": len(e.curves.get("train_loss", ())), "origin": e.origin, "operator": e.operator,
        "parents": " ".join(e.parents) or None, "inherited": e.inherited or None, "space": e.space,
        "seed": e.seed, "finished": finished, "architecture": canonical_json(e.architecture.values),
    }  # fmt: skip


def _estimate(name: str, found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {name: None, f"{name}.low": None, f"{name}.high": None}
    return {name: found.value, f"{name}.low": found.low, f"{name}.high": found.high}


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def csv_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV (RFC 4180, UTF-8 with a mark that spreadsheets look for); missing values are empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if rows:
        writer.writerow([safe_cell(name) for name in rows[0]])
        writer.writerows([safe_cell(value) for value in row.values()] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def parquet_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as Parquet: text, whole numbers, numbers and truth values keep their types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(rows[0]) if rows else ["id"]
    columns = {name: pa.array(_alike([row[name] for row in rows])) for name in names}
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out)
    found: bytes = out.getvalue().to_pybytes()
    return found


def _alike(values: list[Any]) -> list[Any]:
    """Return the values of a column in one type."""
    kinds = {type(v) for v in values if v is not None}
    if len(kinds) <= 1:
        return values
    kind = float if kinds <= {int, float} else str
    return [None if v is None else kind(v) for v in values]
