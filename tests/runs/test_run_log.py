"""The log of a run: what it says, in which order, what it hides."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from run_examples import until
from typer.testing import CliRunner

from nas_core.command import app
from nas_core.data import Problem
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop
from nas_core.evaluation.packs import PackEvaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal, Status
from nas_core.runs.listening import MOST_LINES, listened
from nas_core.runs.run import Run
from nas_core.runs.run_log import as_json_lines, run_log
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import Store

Launch = Callable[..., Run]


class Talking(SyntheticEvaluator):
    """Warns before every pack."""

    def evaluate(
        self, proposals: Sequence[Proposal], *, stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None, referee: Referee | None = None,
    ) -> Iterator[Evaluation]:  # fmt: skip
        logging.getLogger("nas_core.test").warning("connecting with password=%s", "hunter2")
        yield from super().evaluate(proposals, stop=stop, on_progress=on_progress, referee=referee)


def talking(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
    return Talking(space, settings.seed)


def test_the_log_tells_acts_warnings_and_the_end_in_order(launch: Launch, store: Store) -> None:
    run = launch(talking, candidates=16)
    assert run.wait(20)
    lines = run_log(store, run.id)
    kinds = [line.event for line in lines]
    assert (kinds[0], kinds[-1]) == ("started", "done")
    assert kinds.count("pack") == kinds.count("log") >= 1
    assert [line.time for line in lines] == sorted(line.time for line in lines)
    warned = next(line for line in lines if line.event == "log")
    assert (warned.level, warned.message) == ("warning", "connecting with password=•••")
    documents = [json.loads(line) for line in as_json_lines(lines).splitlines()]
    assert [d["event"] for d in documents] == kinds
    assert all(d["time"].endswith("Z") for d in documents)


def test_two_runs_side_by_side_keep_their_own_logs(launch: Launch, store: Store) -> None:
    loud, quiet = launch(talking, candidates=16), launch(candidates=16)
    assert loud.wait(20)
    assert quiet.wait(20)
    assert [line for line in run_log(store, loud.id) if line.event == "log"]
    assert not [line for line in run_log(store, quiet.id) if line.event == "log"]


def test_a_failed_candidate_is_in_the_log_with_its_traceback(problem: Problem, space: SearchSpace) -> None:
    proposal = Proposal(architecture=space.sample(np.random.default_rng(0)))

    def parents(_proposals: Sequence[Proposal]) -> dict[str, tuple[()]]:
        raise ValueError("weights at token=abc cannot be read")

    found = list(PackEvaluator(problem, space, parents=parents).evaluate([proposal], stop=threading.Event()))
    assert found[0].status is Status.FAILED
    assert found[0].reason == "ValueError: weights at token=••• cannot be read"
    assert "in parents" in found[0].traceback
    assert "abc" not in found[0].traceback


def test_an_interrupted_run_logs_the_error_it_ended_by(launch: Launch, store: Store) -> None:
    def broken(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        raise RuntimeError("no such device")

    run = launch(broken, candidates=8)
    until(lambda: not run.alive)
    lines = run_log(store, run.id)
    error = next(line for line in lines if line.event == "log")
    assert error.level == "error"
    assert "RuntimeError: no such device" in error.facts["traceback"]
    assert lines[-1].event == "interrupted"


def test_a_flood_of_warnings_ends_with_a_word() -> None:
    told: list[dict[str, object]] = []
    with listened(lambda kind, **facts: told.append(facts)):
        for n in range(MOST_LINES + 50):
            logging.getLogger("nas_core.flood").warning("line %d", n)
    assert len(told) == MOST_LINES + 1
    assert "the rest is left out" in str(told[-1]["message"])
    logging.getLogger("nas_core.flood").warning("nobody listens any more")
    assert len(told) == MOST_LINES + 1


def test_the_command_prints_the_log(launch: Launch, disk: Store) -> None:
    run = launch(talking, disk, candidates=8)
    assert run.wait(20)
    said = CliRunner().invoke(app, ["log", "latest", "--store", disk.url])
    assert said.exit_code == 0
    assert "info     started" in said.stdout
    assert "info     pack: number 0, size 8, first 0, last 7" in said.stdout
    assert "warning  log: connecting with password=•••" in said.stdout
    assert "hunter2" not in said.stdout
    as_json = CliRunner().invoke(app, ["log", run.id, "--store", disk.url, "--json"])
    assert as_json.stdout == as_json_lines(run_log(disk, run.id))
