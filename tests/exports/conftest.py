"""Recorded runs and small candidates of other folders are examples here too."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "explanations"), str(TESTS / "dashboard")]
