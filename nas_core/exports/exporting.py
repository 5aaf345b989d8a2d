"""The door of the room: one candidate, or one run, as a file in one format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nas_core.data.problem import Problem
from nas_core.data.spec import ProblemSpec
from nas_core.errors import ExportError, NasightError
from nas_core.exports.facts import candidate_document, model_facts
from nas_core.exports.formats import CANDIDATE_FORMATS, RUN_FORMATS, ExportFile, format_named
from nas_core.runs.versions import proposed_in

if TYPE_CHECKING:
    from nas_core.exports.portable import Check
    from nas_core.records import Evaluation, RunRecord
    from nas_core.spaces.space import SearchSpace
    from nas_core.store.base import Store

__all__ = ["export_candidate", "export_run"]

Told = Callable[[str, float], None]
"""Called with what is being done, in words, and the share of the work that is done."""


def export_candidate(
    store: Store,
    run_id: str,
    candidate_id: str,
    format: str,
    *,
    problem: Problem | None = None,
    on_progress: Told | None = None,
) -> ExportFile:
    """Return one candidate as a file; one that predicts was compared with the candidate before.

    Args:
        store: Where the run is kept.
        run_id: The run.
        candidate_id: Its identity.
        format: One of ``CANDIDATE_FORMATS``.
        problem: The run's problem, where it is loaded already.
        on_progress: Called with what is being done and the share that is done.

    Raises:
        StoreError: No such run or candidate, or its weights are missing or have changed.
        DataError: The data of the run cannot be read or have changed.
        ExportError: No such format, it does not apply, or the file would not predict what the candidate does.
    """
    told = on_progress or _silent
    chosen = format_named(format, CANDIDATE_FORMATS)
    record, evaluation = store.run(run_id), store.evaluation(run_id, candidate_id)
    if not (verdict := chosen.applies_to(evaluation)).ok:
        raise ExportError(
            f"Candidate {evaluation.index} cannot be exported as {chosen.label}: {verdict.reason}",
            allowed=", ".join(f.name for f in CANDIDATE_FORMATS.values() if f.applies_to(evaluation).ok),
            fix="choose one of them, or another candidate",
        )
    space = proposed_in(store, record, evaluation)[0]
    name = f"{_plain(record.name or record.id)}-{evaluation.index}{chosen.suffix}"
    told("Reading the data", 0.05)
    if chosen.name == "json":
        document = candidate_document(evaluation, record, space, problem or _readable(record))
        return ExportFile(name, _json(document), chosen.media)
    problem = problem or Problem.load(ProblemSpec.model_validate(record.problem))
    if not chosen.trained:
        return ExportFile(name, _card(store, evaluation, record, space, problem, chosen.name, told), chosen.media)
    data, check = _model(store, evaluation, record, space, problem, chosen.name, told)
    notes: tuple[str, ...] = ()
    if chosen.name == "torch":
        import torch

        notes = (f"Load it with PyTorch {torch.__version__.split('+')[0]} or a version that reads its programs.",)
    return ExportFile(name, data, chosen.media, check, notes)


def export_run(store: Store, run_id: str, format: str, *, on_progress: Told | None = None) -> ExportFile:
    """Return all candidates of a run as a file.

    Args:
        store: Where the run is kept.
        run_id: The run.
        format: One of ``RUN_FORMATS``.
        on_progress: Called with what is being done and the share that is done.

    Raises:
        StoreError: No such run.
        ExportError: No such format, or the run has nothing to export so.
    """
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    told = on_progress or _silent
    chosen = format_named(format, RUN_FORMATS)
    view = RunView(store, run_id)
    name = f"{_plain(view.record.name or view.record.id)}{chosen.suffix}"
    told("Reading the candidates", 0.1)
    if chosen.name == "json":
        return ExportFile(name, _json(run_document(view)), chosen.media)
    if chosen.name == "optuna":
        from nas_core.exports.optuna_file import optuna_file

        data = optuna_file(
            view, lambda done, total: told(f"Writing trial {done:,} of {total:,}", 0.1 + 0.9 * done / total)
        )
        return ExportFile(name, data, chosen.media)
    from nas_core.exports.rows import candidate_rows, csv_table, parquet_table

    rows = candidate_rows(view)
    told("Writing the table", 0.8)
    return ExportFile(name, csv_table(rows) if chosen.name == "csv" else parquet_table(rows), chosen.media)


def _silent(words: str, share: float) -> None:
    """Tell nobody."""


def _plain(name: str) -> str:
    """Return a name that any file system takes."""
    return re.sub(r"[^\w-]+", "-", name).strip("-_")[:60] or "nasight"


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _readable(record: RunRecord) -> Problem | None:
    """Return the problem of a run, None where its data cannot be read any more."""
    try:
        return Problem.load(ProblemSpec.model_validate(record.problem))
    except NasightError:
        return None


def _card(
    store: Store, evaluation: Evaluation, record: RunRecord, space: SearchSpace, problem: Problem, format: str,
    told: Told,
) -> bytes:  # fmt: skip
    from nas_core.exports.card import card_html, card_markdown, model_card

    trust = None
    if evaluation.weights is not None:
        from nas_core.runs.auditing import audit_candidate
        from nas_core.runs.candidates import load_candidate

        told("Checking the candidate", 0.3)
        candidate = load_candidate(store, record.id, evaluation.id, problem=problem, space=space)
        trust = audit_candidate(candidate, evaluation)
    card = model_card(evaluation, record, space, problem, trust)
    return (card_html(card) if format == "card-html" else card_markdown(card)).encode()


def _model(
    store: Store, evaluation: Evaluation, record: RunRecord, space: SearchSpace, problem: Problem, format: str,
    told: Told,
) -> tuple[bytes, Check]:  # fmt: skip
    from nas_core.exports.portable import Portable
    from nas_core.runs.candidates import load_candidate

    told("Writing the network out", 0.15)
    portable = Portable(load_candidate(store, record.id, evaluation.id, problem=problem, space=space))
    facts = model_facts(evaluation, record, problem, space)
    told("Checking it on the validation rows", 0.25)
    _ = portable.check  # what is converted is the source, so that is held to its tolerance first
    if format == "source":
        from nas_core.exports.package import source_package

        return source_package(portable, facts)
    told("Converting and checking it", 0.4)
    if format == "torch":
        from nas_core.exports.torch_file import torch_file

        return torch_file(portable, facts)
    from nas_core.exports.onnx_file import onnx_file

    return onnx_file(portable, facts)
