"""How long a search takes, measured on this machine when a person asks for it, and remembered."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.prepared import data_key, problem
from dashboard.texts import text
from dashboard.views.words import count, duration
from nas_core.errors import NasightError, error_line

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.evaluation.calibration import Calibration
    from nas_core.evaluation.calibration_cache import KeptCalibration
    from nas_core.spaces import SearchSpace

__all__ = ["Measuring", "measure_time", "measured_time", "time_panel"]

SECONDS = 10.0  # a measurement may take about this long
CANDIDATES = 500
KEPT = 32
REFRESH = 0.5

_measured: OrderedDict[tuple[str, str], Measuring] = OrderedDict()
_lock = threading.Lock()


class Measuring:
    """A measurement on a thread of its own: ``result`` when it is done, ``reason`` when it failed."""

    def __init__(self, made: Problem, space: SearchSpace, seconds: float = SECONDS) -> None:
        self.began = time.monotonic()
        self.result: Calibration | None = None
        self.reason = ""
        self._thread = threading.Thread(
            target=self._go, args=(made, space, seconds), name="nasight-measure", daemon=True
        )
        self._thread.start()

    @property
    def running(self) -> bool:
        """True until it is done or has failed."""
        return self.result is None and not self.reason

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is over, at most ``timeout`` seconds."""
        self._thread.join(timeout)

    def _go(self, made: Problem, space: SearchSpace, seconds: float) -> None:
        from nas_core.evaluation.calibration import calibrate
        from nas_core.evaluation.calibration_cache import keep_calibration

        try:
            self.result = calibrate(made, space, seed=0, budget_seconds=seconds)
            keep_calibration(made, self.result)
        except NasightError as error:
            self.reason = str(error)
        except Exception as error:
            logging.getLogger(__name__).exception("A search space could not be measured")
            self.reason = error_line(error)


def measured_time(draft: state.Draft, space: SearchSpace) -> Measuring | None:
    """Return what is known of these data and this space, None when nobody has measured it in this process."""
    with _lock:
        return _measured.get((data_key(draft), space.id))


def measure_time(draft: state.Draft, space: SearchSpace) -> Measuring:
    """Begin to measure; one that is running is returned as it is."""
    key = (data_key(draft), space.id)
    with _lock:
        known = _measured.get(key)
        if known is not None and known.running:
            return known
    begun = Measuring(problem(draft), space)
    with _lock:
        _measured[key] = begun
        _measured.move_to_end(key)
        while len(_measured) > KEPT:
            _measured.popitem(last=False)
    return begun


def time_panel(draft: state.Draft, space: SearchSpace) -> None:
    """Draw how long a search takes, or the button that measures it."""
    st.markdown(f"**{text('space.time_title')}**")
    found = measured_time(draft, space)
    running = found is not None and found.running
    if running:
        st.fragment(_progress, run_every=REFRESH)(draft, space)
        return
    kept = _kept(draft, space) if found is None else None
    if kept is not None:
        _result(kept.calibration(space))
        st.caption(text("space.time_kept", day=datetime.fromtimestamp(kept.made).strftime("%Y-%m-%d %H:%M")))
    elif found is None:
        st.caption(text("space.time_none", seconds=round(SECONDS)))
    elif found.result is not None:
        _result(found.result)
    else:
        st.warning(text("space.time_failed", reason=found.reason))
    label = text("space.time_measure" if found is None and kept is None else "space.time_again")
    if st.button(label, icon=":material/timer:", key="space_measure"):
        measure_time(draft, space)
        st.rerun()


def _kept(draft: state.Draft, space: SearchSpace) -> KeptCalibration | None:
    """Return what was measured of these data and this space before this process began."""
    from nas_core.evaluation.calibration_cache import kept_calibration

    return kept_calibration(problem(draft), space)


def _progress(draft: state.Draft, space: SearchSpace) -> None:
    found = measured_time(draft, space)
    if found is None or not found.running:
        st.rerun()
    elapsed = time.monotonic() - found.began
    st.progress(min(1.0, elapsed / SECONDS),
                text("space.time_measuring", elapsed=round(elapsed), seconds=round(SECONDS)))  # fmt: skip


def _result(found: Calibration) -> None:
    candidates = int(
        st.number_input(text("space.time_candidates"), 1, 100_000, CANDIDATES, 100, key="space_time_count")
    )
    expected = found.run_seconds(candidates)
    st.markdown(text("space.time_result", count=count(candidates), middle=duration(expected.value),
                     low=duration(expected.low), high=duration(expected.high)))  # fmt: skip
    st.caption(text("space.time_how", measured=found.words))
