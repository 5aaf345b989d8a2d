"""A run as a progress bar in the terminal."""

from __future__ import annotations

import math
import sys

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from nas_core.records import RunState
from nas_core.runs.progress import RunSnapshot
from nas_core.runs.run import Run
from nas_core.runs.viewer import RunView

__all__ = ["follow_with_bar", "time_text"]

LOOK_SECONDS = 0.25


def follow_with_bar(run: Run) -> None:
    """Draw the progress of ``run`` on stderr until it ends; a run that pauses because its store refuses is ended.

    Waits in small steps, so that Ctrl-C is seen at once.
    """
    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
    view = RunView(run.store, run.id)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, text="")
        while not run.wait(LOOK_SECONDS):
            view.refresh()
            snapshot = run.snapshot()
            total, done = _share(snapshot)
            bar.update(task, description=_phase(snapshot), total=total, completed=done, text=_text(snapshot, view))
            if snapshot.record.state is RunState.PAUSED:  # nobody here can resume it
                console.print(snapshot.record.reason)
                run.stop(snapshot.record.reason, interrupted=True)


def time_text(seconds: float | None) -> str:
    """Return a time as ``8 s``, ``2 min 10 s`` or ``1 h 05 min``; empty when it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _share(snapshot: RunSnapshot) -> tuple[float | None, float]:
    progress = snapshot.progress
    if progress.candidates is not None:
        working = 0.0 if progress.pack is None else progress.pack.done
        return float(progress.candidates), min(float(progress.candidates), progress.evaluated + working)
    return progress.budget_seconds, progress.elapsed


def _phase(snapshot: RunSnapshot) -> str:
    pack = snapshot.progress.pack
    if pack is None:
        return "preparing" if not snapshot.progress.evaluated else "searching"
    if pack.phase == "prepare":
        return "compiling, once on this machine"
    if pack.phase != "train":
        return f"measuring {pack.size}"
    return f"training {pack.size}, epoch {pack.epoch}" if pack.epochs else f"training {pack.size} on the cluster"


def _text(snapshot: RunSnapshot, view: RunView) -> str:
    progress = snapshot.progress
    parts = [f"{progress.evaluated} found"]
    if progress.rate is not None:
        parts.append(f"{progress.rate:.1f}/s")
    if progress.eta_seconds is not None:
        parts.append(f"{time_text(progress.eta_seconds)} left")
    seen = view.snapshot
    if seen.eligible.any():
        best = np.flatnonzero(seen.eligible)[np.argmin(seen.performance_loss[seen.eligible])]
        parts.append(f"best {view.objective.label} {seen.performance[best]:.4f}")
    return " · ".join(parts)
