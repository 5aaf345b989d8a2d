"""What every store must do; inherit ``StoreContract`` and provide ``store``."""

from __future__ import annotations

import threading
from contextlib import suppress

import numpy as np
import pytest

from nas_core.errors import StoreError
from nas_core.records import Architecture, Evaluation, Event, Measurement, RunRecord, RunState, Status
from nas_core.store.base import Store
from nas_core.store.marks import Mark, mark_candidate, mark_change
from nas_core.store.owner import this_process
from nas_core.store.summaries import FIELDS, PLACES, SCORES, Summaries

NAMES = ("feature_parsimony", "additivity", "monotone_share")


def record(run_id: str = "r1", **changes: object) -> RunRecord:
    base = RunRecord(
        id=run_id,
        name="a run",
        created=100.0,
        state=RunState.CREATED,
        problem={"source": "breast_cancer"},
        space={"family": "tabular"},
        settings={"seed": 0},
        data_hash="abc",
    )
    return base.model_copy(update=changes)


def evaluation(number: int, **changes: object) -> Evaluation:
    architecture = Architecture(family="tabular", values={"number": number})
    values = {"id": architecture.id, "index": number, "architecture": architecture, "status": Status.DONE}
    return Evaluation.model_validate({**values, "curves": {"train_loss": [0.5, 0.25]}, **changes})


def same_summaries(found: Summaries, twins: list[Evaluation], names: tuple[str, ...]) -> None:
    """Assert that ``found`` says what whole evaluations say."""
    assert found.names == names
    assert found.ids == tuple(e.id for e in twins)
    assert [found.architecture(at) for at in range(len(twins))] == [e.architecture for e in twins]
    for at, e in enumerate(twins):
        assert found.architecture(at).values == e.architecture.values
        assert list(found.architecture(at).values) == list(e.architecture.values)
    for name in FIELDS:
        assert getattr(found, name) == tuple(getattr(e, name) for e in twins)
    assert found.index.tolist() == [e.index for e in twins]
    assert found.revision.tolist() == [e.revision for e in twins]
    assert found.eligible.tolist() == [e.eligible for e in twins]
    for column, place in zip(found.numbers.T, PLACES, strict=True):
        values = [e.model_dump() for e in twins]
        for key in place:
            values = [None if v is None else v[key] for v in values]
        assert np.array_equal(column, np.array(values, dtype=float), equal_nan=True)
    assert found.scores.shape == (len(twins), len(names), len(SCORES))
    for at, name in enumerate(names):
        for e, scores in zip(twins, found.scores[:, at]):
            told = e.measures.get(name, Measurement())
            expected = np.array([getattr(told, key) for key in SCORES], dtype=float)
            assert np.array_equal(scores, expected, equal_nan=True)


def _two_candidates(store: Store) -> tuple[str, str]:
    """Create run r1 with two candidates and return their identities."""
    store.create_run(record())
    store.commit("r1", [evaluation(0), evaluation(1)], {"counter": 1}, {})
    return evaluation(0).id, evaluation(1).id


class StoreContract:
    """Inherited by the tests of each store."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    def test_a_run_reads_as_it_was_written(self, store: Store) -> None:
        made = store.create_run(record())
        assert made.revision == 1
        assert store.run("r1") == made

    def test_runs_come_newest_first(self, store: Store) -> None:
        for name, created in (("old", 1.0), ("new", 3.0), ("middle", 2.0)):
            store.create_run(record(name, created=created))
        assert [r.id for r in store.runs()] == ["new", "middle", "old"]

    def test_two_runs_cannot_have_one_id(self, store: Store) -> None:
        store.create_run(record())
        with pytest.raises(StoreError, match="already a run 'r1'"):
            store.create_run(record())

    def test_an_unknown_run_is_named_with_those_there_are(self, store: Store) -> None:
        store.create_run(record())
        for ask in (store.run, store.evaluations, store.events, store.strategy_state):
            with pytest.raises(StoreError, match=r"no run 'r2'.*r1"):
                ask("r2")

    def test_a_commit_carries_everything(self, store: Store) -> None:
        store.create_run(record())
        happened = Event(kind="started", time=1.0, payload={"weight": 0.5})
        revision = store.commit("r1", [evaluation(0)], {"counter": 1}, {"evaluated": 1}, [happened], reason="because")
        assert revision == 2
        assert store.evaluations("r1") == [evaluation(0, revision=2)]
        assert store.evaluation("r1", evaluation(0).id) == evaluation(0, revision=2)
        assert store.events("r1") == [happened.model_copy(update={"revision": 2})]
        assert store.strategy_state("r1") == {"counter": 1}
        found = store.run("r1")
        assert (found.progress, found.reason, found.revision) == ({"evaluated": 1}, "because", 2)

    def test_a_note_adds_events_and_changes_nothing_else(self, store: Store) -> None:
        store.create_run(record())
        before = store.commit("r1", [evaluation(0)], {"counter": 1}, {"evaluated": 1}, [Event(kind="a", time=1.0)])
        noted = Event(kind="decision", time=2.0, payload={"reason": "</script>"})
        revision = store.note("r1", [noted])
        assert revision == before + 1
        assert store.events("r1", since=before) == [noted.model_copy(update={"revision": revision})]
        assert [e.kind for e in store.events("r1")] == ["a", "decision"]
        assert store.strategy_state("r1") == {"counter": 1}
        assert (store.run("r1").progress, store.run("r1").revision) == ({"evaluated": 1}, revision)
        with pytest.raises(StoreError, match="no run 'r2'"):
            store.note("r2", [noted])

    def test_a_reader_gets_only_what_is_new(self, store: Store) -> None:
        store.create_run(record())
        first = store.commit("r1", [evaluation(1), evaluation(0)], {}, {}, [Event(kind="a", time=1.0)])
        store.commit("r1", [evaluation(2)], {}, {}, [Event(kind="b", time=2.0)])
        assert [e.index for e in store.evaluations("r1")] == [0, 1, 2]
        assert [e.index for e in store.evaluations("r1", since=first)] == [2]
        assert [e.kind for e in store.events("r1", since=first)] == ["b"]
        assert store.evaluations("r1", since=99) == []

    def test_summaries_are_those_of_the_evaluations(self, store: Store) -> None:
        store.create_run(record())
        measures = {NAMES[0]: Measurement(value=0.5, raw=3.0, low=0.25, high=0.75), NAMES[1]: Measurement(reason="no")}
        done = evaluation(
            3, performance={"value": 0.9, "low": 0.8, "high": 1e-7}, skill={"value": -0.0, "low": 0.0, "high": 1.0},
            measures=measures, parents=("a", 'b"\\'), operator="move 網", inherited="a", space=2, finished=1.5e9,
            cost={"parameters": 2**40, "operations": 7, "seconds": 0.125},
        )  # fmt: skip
        first = store.commit("r1", [done, evaluation(1, status=Status.FAILED, reason="it failed")], None, {})
        store.commit("r1", [evaluation(2), evaluation(0, measures=measures)], None, {})
        same_summaries(store.summaries("r1", NAMES), store.evaluations("r1"), NAMES)
        same_summaries(store.summaries("r1", NAMES[:1], since=first), store.evaluations("r1", since=first), NAMES[:1])
        same_summaries(store.summaries("r1", ()), store.evaluations("r1"), ())
        same_summaries(store.summaries("r1", NAMES, since=99), [], NAMES)
        with pytest.raises(StoreError, match=r"no run 'r2'.*r1"):
            store.summaries("r2", NAMES)

    def test_a_second_commit_of_a_candidate_replaces_it(self, store: Store) -> None:
        store.create_run(record())
        store.commit("r1", [evaluation(0)], None, {})
        revision = store.commit("r1", [evaluation(0, reason="again")], None, {})
        assert [(e.reason, e.revision) for e in store.evaluations("r1")] == [("again", revision)]

    def test_no_state_keeps_the_present_one(self, store: Store) -> None:
        store.create_run(record())
        assert store.strategy_state("r1") is None
        store.commit("r1", [], {"counter": 1}, {})
        store.commit("r1", [evaluation(0)], None, {})
        assert store.strategy_state("r1") == {"counter": 1}

    def test_a_refused_commit_leaves_no_trace(self, store: Store) -> None:
        store.create_run(record())
        store.commit("r1", [evaluation(0)], {"counter": 1}, {"evaluated": 1})
        with pytest.raises(StoreError, match="no field colour"):
            store.commit(
                "r1", [evaluation(1)], {"counter": 2}, {"evaluated": 2}, [Event(kind="x", time=1)], colour="red"
            )
        with pytest.raises(ValueError, match="JSON"):
            store.commit("r1", [evaluation(1)], {"counter": float("nan")}, {"evaluated": 2})
        assert [e.index for e in store.evaluations("r1")] == [0]
        assert store.strategy_state("r1") == {"counter": 1}
        assert (store.run("r1").revision, store.run("r1").progress) == (2, {"evaluated": 1})
        assert store.events("r1") == []

    def test_an_update_changes_what_it_names(self, store: Store) -> None:
        store.create_run(record())
        changed = store.update_run("r1", state=RunState.DONE, reason="budget reached")
        assert changed == store.run("r1")
        assert (changed.state, changed.reason, changed.name, changed.revision) == ("done", "budget reached", "a run", 2)
        with pytest.raises(StoreError, match="no field id"):
            store.update_run("r1", id="r2")

    def test_what_was_read_can_be_changed_without_harm(self, store: Store) -> None:
        store.create_run(record())
        store.commit("r1", [], {"seen": [1]}, {})
        state = store.strategy_state("r1")
        assert state is not None
        state["seen"].append(2)
        assert store.strategy_state("r1") == {"seen": [1]}

    def test_a_run_of_a_living_process_cannot_be_claimed(self, store: Store) -> None:
        store.create_run(record(state=RunState.RUNNING, owner=this_process()))
        with pytest.raises(StoreError, match="being run by another process"):
            store.claim("r1", "another|1|1", 0.0)
        assert store.claim("r1", this_process(), 5.0).heartbeat == 5.0

    def test_a_run_of_a_dead_process_is_interrupted_and_can_be_claimed(self, store: Store) -> None:
        place, _, start = this_process().split("|")
        store.create_run(record(state=RunState.RUNNING, owner=f"{place}|4194304000|{start}"))
        assert store.run("r1").state is RunState.INTERRUPTED
        assert store.runs()[0].state is RunState.INTERRUPTED
        assert "ended without stopping" in store.run("r1").reason
        assert store.claim("r1", this_process(), 5.0).owner == this_process()
        assert store.run("r1").state is RunState.RUNNING

    def test_only_one_of_many_claims_wins(self, store: Store) -> None:
        store.create_run(record(state=RunState.INTERRUPTED))
        won: list[str] = []
        ready = threading.Barrier(4)

        def claim(number: int) -> None:
            ready.wait()
            with suppress(StoreError):
                won.append(store.claim("r1", f"elsewhere-{number}|1|1", 1e12).owner)

        threads = [threading.Thread(target=claim, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [store.run("r1").owner]

    def test_a_deleted_run_leaves_nothing_and_the_others_alone(self, store: Store) -> None:
        for name in ("r1", "r2"):
            store.create_run(record(name))
            store.commit(name, [evaluation(0)], {"counter": 1}, {}, [Event(kind="started", time=1.0)])
            store.put_artifact(f"weights/{name}/0", name.encode())
        store.put_artifact("weights/shared", b"of nobody")
        store.delete_run("r1")
        assert [r.id for r in store.runs()] == ["r2"]
        for ask in (store.run, store.evaluations, store.events, store.strategy_state, store.delete_run):
            with pytest.raises(StoreError, match=r"no run 'r1'.*r2"):
                ask("r1")
        with pytest.raises(StoreError, match="weights/r1/0 is missing"):
            store.get_artifact("weights/r1/0")
        assert store.evaluations("r2") == [evaluation(0, revision=2)]
        assert (store.strategy_state("r2"), len(store.events("r2"))) == ({"counter": 1}, 1)
        assert (store.get_artifact("weights/r2/0"), store.get_artifact("weights/shared")) == (b"r2", b"of nobody")
        store.create_run(record("r1"))
        assert (store.evaluations("r1"), store.events("r1"), store.strategy_state("r1")) == ([], [], None)

    def test_a_mark_says_what_was_said_by_whom_and_when(self, store: Store) -> None:
        first, second = _two_candidates(store)
        assert store.marks("r1") == {}
        change = mark_change(
            star=True, note=" worth a look\r\nlater ", tags=["simple", "Simple"], author="Ada", now=5.0
        )
        made = store.mark("r1", second, change)
        told = Mark(
            candidate=second, star=True, note="worth a look\nlater", tags=("simple",), author="Ada", changed=5.0
        )
        assert made == told
        later = store.mark("r1", first, mark_change(tags=["a b"], author="Bo", now=6.0))
        assert store.marks("r1") == {second: told, first: later}
        assert list(store.marks("r1")) == [second, first], "in the order of when they were changed"

    def test_a_change_of_a_mark_names_what_it_is_about_and_the_last_one_wins(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        store.mark("r1", candidate, mark_change(note="mine", tags=["x"], author="Ada", now=9.0))
        store.mark("r1", candidate, mark_change(star=True, author="Bo", now=8.0))  # a clock that is behind
        store.mark("r1", candidate, mark_change(tags=["y"], author="Bo", now=8.5))
        mark = store.marks("r1")[candidate]
        assert (mark.star, mark.note, mark.tags, mark.author, mark.changed) == (True, "mine", ("y",), "Bo", 8.5)

    def test_a_mark_that_says_nothing_is_not_kept(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        mark_candidate(store, "r1", candidate, star=True, note="x", tags=["y"])
        assert mark_candidate(store, "r1", candidate, star=False, note="") is not None
        assert mark_candidate(store, "r1", candidate, tags=[]) is None
        assert store.marks("r1") == {}

    def test_marking_a_run_that_another_process_runs_leaves_it_as_it_is(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        before = store.update_run("r1", state=RunState.RUNNING, owner="elsewhere|1|1", heartbeat=1e12)
        mark_candidate(store, "r1", candidate, star=True)
        assert store.run("r1") == before
        assert (store.evaluations("r1", since=before.revision), store.events("r1", since=0)) == ([], [])
        assert store.commit("r1", [evaluation(5)], {"counter": 2}, {}) == before.revision + 1

    def test_a_candidate_that_is_evaluated_again_keeps_its_mark(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        mark_candidate(store, "r1", candidate, note="keep me")
        store.commit("r1", [evaluation(0, reason="again")], None, {})
        assert store.marks("r1")[candidate].note == "keep me"

    def test_only_candidates_of_the_run_can_be_marked(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        with pytest.raises(StoreError, match="Run r1 has no candidate 'nobody'"):
            mark_candidate(store, "r1", "nobody", star=True)
        for ask in (lambda: mark_candidate(store, "r2", candidate, star=True), lambda: store.marks("r2")):
            with pytest.raises(StoreError, match=r"no run 'r2'.*r1"):
                ask()

    def test_marks_go_with_their_run(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        mark_candidate(store, "r1", candidate, star=True)
        store.create_run(record("r2"))
        store.commit("r2", [evaluation(0)], {}, {})
        kept = mark_candidate(store, "r2", candidate, star=True)
        store.delete_run("r1")
        assert store.marks("r2") == {candidate: kept}
        store.create_run(record())
        assert store.marks("r1") == {}

    def test_of_many_who_change_one_mark_none_takes_away_what_another_wrote(self, store: Store) -> None:
        candidate, _ = _two_candidates(store)
        ready = threading.Barrier(3)

        def say(**changes: object) -> None:
            ready.wait()
            mark_candidate(store, "r1", candidate, **changes)

        changes: list[dict[str, object]] = [{"star": True}, {"note": "n"}, {"tags": ["t"]}]
        threads = [threading.Thread(target=say, kwargs=c) for c in changes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mark = store.marks("r1")[candidate]
        assert (mark.star, mark.note, mark.tags) == (True, "n", ("t",))

    @pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PAUSED])
    def test_a_run_that_is_alive_cannot_be_deleted(self, store: Store, state: RunState) -> None:
        store.create_run(record(state=state, owner=this_process()))
        with pytest.raises(StoreError, match=f"Run r1 is {state} and cannot be deleted.*stop it first"):
            store.delete_run("r1")
        store.update_run("r1", owner=f"{this_process()}9")  # a process that is not there
        store.delete_run("r1")
        assert store.runs() == []

    def test_artifacts_come_back_byte_for_byte(self, store: Store) -> None:
        digest = store.put_artifact("weights/r1/0001.safetensors", b"\x00\x01")
        assert store.get_artifact("weights/r1/0001.safetensors") == b"\x00\x01"
        assert store.get_artifact("weights/r1/0001.safetensors", digest) == b"\x00\x01"
        store.put_artifact("weights/r1/0001.safetensors", b"new")
        assert store.get_artifact("weights/r1/0001.safetensors") == b"new"
        with pytest.raises(StoreError, match="has changed since it was written"):
            store.get_artifact("weights/r1/0001.safetensors", digest)

    def test_a_missing_artifact_is_said_in_words(self, store: Store) -> None:
        with pytest.raises(StoreError, match=r"artifact weights/none is missing"):
            store.get_artifact("weights/none")

    @pytest.mark.parametrize(
        "name", ["", "/etc/passwd", "../x", "a/../../b", "a//b", "a\\b", ".hidden", "a/b/c/d/e", "a\n"]
    )
    def test_no_artifact_leaves_its_directory(self, store: Store, name: str) -> None:
        with pytest.raises(StoreError, match="is not an artifact name"):
            store.put_artifact(name, b"")
        with pytest.raises(StoreError, match="is not an artifact name"):
            store.get_artifact(name)

    def test_readers_and_a_writer_at_the_same_time(self, store: Store) -> None:
        store.create_run(record())
        failures: list[BaseException] = []
        done = threading.Event()

        def read() -> None:
            seen, since = 0, 0
            try:
                while not done.is_set():
                    for found in store.evaluations("r1", since=since):
                        seen, since = seen + 1, max(since, found.revision)
                seen += len(store.evaluations("r1", since=since))
                assert seen == 30
            except BaseException as error:  # noqa: BLE001 - reported by the main thread
                failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(30):
            store.commit("r1", [evaluation(number)], {"counter": number}, {})
        done.set()
        for reader in readers:
            reader.join()
        assert not failures

    def test_a_closed_store_says_so(self, store: Store) -> None:
        store.close()
        for use in (store.runs, lambda: store.put_artifact("a", b""), lambda: store.create_run(record())):
            with pytest.raises(StoreError, match="has been closed"):
                use()
