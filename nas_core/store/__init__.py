"""Where runs live: records, evaluations, events, strategy states and artifacts, each change with a revision.

``base`` is the interface, ``sql`` keeps everything in a ``database`` (``sqlite``, or ``postgres`` by URL) whose tables
``schema`` names and ``layout`` brings up to date, ``memory`` is its twin for tests and throw-away runs. ``artifacts``
and ``remote`` hold large bytes beside the database, ``owner`` tells whether the process that runs a run is still there,
``marks`` says what people may note beside a candidate, ``summaries`` reads all candidates as plain columns while
``uncollected`` keeps the garbage collector at rest, ``checking``, ``repairing`` and ``copying`` look after a store.
``packed`` is one finished run in one file that is only read, and ``beside`` shows such runs with a person's own.
``opening`` turns a path, a URL or nothing into one.
"""

from __future__ import annotations

from nas_core.store.base import Store
from nas_core.store.marks import Mark, mark_candidate
from nas_core.store.memory import InMemoryStore
from nas_core.store.opening import default_location, open_store

__all__ = ["InMemoryStore", "Mark", "Store", "default_location", "mark_candidate", "open_store"]
