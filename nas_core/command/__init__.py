"""The engine's commands: search, resume, runs, show, graph, benchmark. Progress goes to stderr, results to stdout."""

from nas_core.command.benchmarking import benchmark
from nas_core.command.drawing import graph
from nas_core.command.listing import runs, show
from nas_core.command.parsing import parse_kinds, parse_seconds, parse_size
from nas_core.command.room import app
from nas_core.command.searching import resume, search

__all__ = [
    "app",
    "benchmark",
    "graph",
    "parse_kinds",
    "parse_seconds",
    "parse_size",
    "resume",
    "runs",
    "search",
    "show",
]
