"""An audit as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from nas_core.audit.confirm import Fresh
    from nas_core.records import Measurement
    from nas_core.runs.auditing import CandidateAudit, RunAudit

__all__ = ["audit_table", "fresh_table"]


def audit_table(audit: RunAudit) -> Table:
    """Return one row per candidate on the front; a dash stands for what was not reached or does not apply."""
    from nas_core.runs.auditing import AUDIT_MEASURES

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("candidate", no_wrap=True)
    labels = [label.lower() for label, _ in AUDIT_MEASURES.values()]
    for name in (audit.metric, "other seeds", "interpretability", "other seeds", "P(front)", "stays", "worst subgroup",
                 *labels, "warnings"):  # fmt: skip
        table.add_column(name, justify="right")
    for c in audit.candidates:
        table.add_row(
            str(c.index), c.id, f"{c.performance.value:.4f}", _spread(c, interpretability=False),
            f"{c.interpretability:.3f}", _spread(c, interpretability=True), _share(c.front_probability),
            _share(None if c.seeds is None else c.seeds.on_front), _worst(c),
            *(_measure(c.audit_measures.get(name)) for name in AUDIT_MEASURES), str(len(c.caveats)),
        )  # fmt: skip
    return table


def fresh_table(audit: RunAudit, fresh: Fresh) -> Table:
    """Return the optimistic and the honest performance of each candidate."""
    table = Table(box=None, pad_edge=False, header_style="bold", title=f"On {fresh.rows} test rows",
                  title_justify="left")  # fmt: skip
    table.add_column("#", justify="right")
    for name in ("chosen by (validation)", "95 %", "honest (test)", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    index = {c.id: c.index for c in audit.candidates}
    for row in fresh.candidates:
        v, f = row.validation, row.fresh
        table.add_row(
            str(index[row.id]), f"{v.value:.4f}", f"{v.low:.3f} … {v.high:.3f}", f"{f.value:.4f}",
            f"{f.low:.3f} … {f.high:.3f}",
        )  # fmt: skip
    return table


def _spread(c: CandidateAudit, *, interpretability: bool) -> str:
    """Return mean ± standard deviation over the other seeds."""
    if c.seeds is None or c.seeds.performance is None:
        return "–"
    mean, sd = (
        (c.seeds.interpretability, c.seeds.interpretability_sd)
        if interpretability
        else (c.seeds.performance, c.seeds.performance_sd)
    )
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _worst(c: CandidateAudit) -> str:
    worst = None if c.subgroups is None else c.subgroups.worst
    return "–" if worst is None else f"{worst.skill.value:.2f}{' !' if worst.lower else ''}"


def _measure(m: Measurement | None) -> str:
    return "–" if m is None or m.value is None else f"{m.value:.2f}"
