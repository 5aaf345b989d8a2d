"""The engine's commands. Progress goes to stderr, results to stdout.

Searching: search, resume. Looking: runs, show, log, graph. Handing over: export. Doubting: audit. Understanding the
search: insight. Repeating: reproduce. Comparing: baselines (models), benchmark (strategies). Keeping: check, backup,
delete. Checking the installation: doctor.
"""

from nas_core.command.auditing import audit
from nas_core.command.benchmarking import benchmark
from nas_core.command.comparing import baselines
from nas_core.command.doctoring import doctor
from nas_core.command.drawing import graph
from nas_core.command.exporting import export
from nas_core.command.insighting import insight
from nas_core.command.keeping import backup, check, delete
from nas_core.command.listing import log, runs, show
from nas_core.command.parsing import parse_kinds, parse_seconds, parse_size
from nas_core.command.reproducing import reproduce
from nas_core.command.room import app
from nas_core.command.searching import resume, search

__all__ = [
    "app",
    "audit",
    "backup",
    "baselines",
    "benchmark",
    "check",
    "delete",
    "doctor",
    "export",
    "graph",
    "insight",
    "log",
    "parse_kinds",
    "parse_seconds",
    "parse_size",
    "reproduce",
    "resume",
    "runs",
    "search",
    "show",
]
