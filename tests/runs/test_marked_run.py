"""What a run keeps beside its candidates: marks in its document and its table, and when each pack was in work."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from rich.console import Console
from run_examples import synthetic, until

from nas_core.runs.report import run_document
from nas_core.runs.run import Run
from nas_core.runs.tables import front_table
from nas_core.runs.viewer import RunView
from nas_core.store import Store, mark_candidate

Launch = Callable[..., Run]


def test_marks_are_in_the_document_and_a_star_in_the_table(launch: Launch, store: Store) -> None:
    run = launch(candidates=24)
    assert run.wait(20)
    before = store.run(run.id)
    best = run_document(RunView(store, run.id))["best"]
    mark_candidate(store, run.id, best, star=True, note="the one", tags=["a"], author="Ada")
    document = json.loads(json.dumps(run_document(RunView(store, run.id)), allow_nan=False))
    marks = {c["id"]: c["mark"] for c in document["candidates"]}
    assert {k: m for k, m in marks.items() if m is not None}.keys() == {best}
    assert (marks[best]["star"], marks[best]["note"], marks[best]["tags"]) == (True, "the one", ["a"])
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(front_table(document))
    assert f"{best} ★ ◀" in console.export_text()
    assert store.run(run.id) == before


def test_a_live_run_takes_marks_and_goes_on(launch: Launch, disk: Store) -> None:
    run = launch(synthetic(delay=0.002), into=disk, candidates=64)
    until(lambda: len(disk.evaluations(run.id)) > 8)
    for e in disk.evaluations(run.id):
        mark_candidate(disk, run.id, e.id, star=True)
    assert run.wait(30)
    assert len(disk.evaluations(run.id)) == 64
    assert len(disk.marks(run.id)) > 8


def test_each_pack_says_which_candidates_it_had_and_when(launch: Launch, store: Store) -> None:
    run = launch(candidates=40, pack_size=16, first_pack=8)
    assert run.wait(20)
    packs = [e for e in store.events(run.id) if e.kind == "pack"]
    assert [(p.payload["number"], p.payload["first"], p.payload["last"], p.payload["size"]) for p in packs] == [
        (0, 0, 7, 8), (1, 8, 23, 16), (2, 24, 39, 16),
    ]  # fmt: skip
    times = [t for p in packs for t in (p.payload["began"], p.time)]
    assert times == sorted(times)
    assert not any(p.payload["again"] for p in packs)
