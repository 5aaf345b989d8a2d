"""A report as a file: which decision it is about, in which form, and writing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.replay.gathering import Heard, ReplayPlan, replay_data
from dashboard.replay.page import replay_page
from dashboard.replay.texts import LANGUAGES_IN_FILE, decision_words, replay_words, told_record
from nas_core.errors import NasightError, SettingsError

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.preferences import Preference
    from nas_core.reports import DecisionRecord
    from nas_core.runs.viewer import RunView
    from nas_core.store import Store

__all__ = ["FORMATS", "report_file"]

FORMATS = {"html": "html", "htm": "html", "md": "md", "markdown": "md", "json": "json"}
"""What a format may be called, and the ending of its file."""


def report_file(
    store: Store, run_id: str, output: Path | None, format: str | None, *, candidate: str | None = None,
    weight: float | None = None, seconds: float = 0.0, language: str = "en", told: Heard | None = None,
) -> tuple[Path, str]:  # fmt: skip
    """Write the report of a run and return its file and a few words about it.

    Args:
        store: Where the run is kept.
        run_id: The run.
        output: The file; in the working directory under the record's own name when None.
        format: One of :data:`FORMATS`; that of the file's ending, else html, when None.
        candidate: Identity of the choice; the latest decision when neither it nor ``weight`` is given and there is one,
            else the best at λ.
        weight: λ; the run's when None.
        seconds: Of a replay, for what networks look at.
        language: ``en`` or ``zh``.
        told: Told how far it is, in words.

    Raises:
        SettingsError: No such format or language, λ is not in [0, 1], or the file cannot be written.
        NasightError: There is no such run, or nothing to choose.
    """
    from nas_core.reports import record_markdown
    from nas_core.reports.gathering import record_file
    from nas_core.runs.viewer import RunView

    kind = _format(format, output)
    if language not in LANGUAGES_IN_FILE:
        raise SettingsError(
            f"There is no language {language!r}", allowed=", ".join(LANGUAGES_IN_FILE), fix="choose one"
        )
    view = RunView(store, run_id)
    problem = _problem(view)
    record, decided = _record(view, candidate, weight, problem)
    if kind == "html":
        text = _replay(view, record, decided, seconds, language, problem, told)
    else:
        text = (
            record_markdown(told_record(record, language), decision_words(language))
            if kind == "md"
            else record.model_dump_json(indent=1)
        )
    file = output or Path(f"{record_file(record.run_id, record.chosen.number)}.{kind}")
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"The file {file} cannot be written ({error})", fix="choose another with -o") from None
    size = len(text.encode()) / 1e6
    what = "the decision for" if decided else "no decision is recorded, so it is about"
    return file, f"{what} #{record.chosen.number} of {record.budget.evaluated:,} candidates, {size:.2f} MB"


def _format(format: str | None, output: Path | None) -> str:
    ending = "" if output is None else output.suffix.removeprefix(".")
    asked = (format or ending or "html").lower()
    if asked not in FORMATS:
        raise SettingsError(
            f"There is no report format {asked!r}", allowed="html, md, json", fix="write for example --format html"
        )
    return FORMATS[asked]


def _problem(view: RunView) -> Problem | None:
    from nas_core.data.problem import Problem, ProblemSpec

    try:
        return Problem.load(ProblemSpec.model_validate(view.record.problem))
    except NasightError:  # becomes a caveat of the record
        return None


def _record(
    view: RunView, candidate: str | None, weight: float | None, problem: Problem | None
) -> tuple[DecisionRecord, bool]:
    """Return what the report is about, and whether that is a recorded decision."""
    from nas_core.reports import decision_record, decisions_of

    decisions = decisions_of(view.store, view.run_id)
    if weight is None and (own := [d for d in decisions if candidate in (None, d.chosen.id)]):
        return own[0], True
    return decision_record(view, candidate, preference=_wish(view, weight), problem=problem), False


def _wish(view: RunView, weight: float | None) -> Preference | None:
    from nas_core.preferences import Preference

    if weight is None:
        return None
    return Preference.model_validate({**view.settings.preference.model_dump(), "weight": weight})


def _replay(
    view: RunView, record: DecisionRecord, decided: bool, seconds: float, language: str, problem: Problem | None,
    told: Heard | None,
) -> str:  # fmt: skip
    words = replay_words("en")

    def heard(share: float, step: str) -> None:
        if told is not None:
            told(share, words[step])

    plan = ReplayPlan(attribution_seconds=seconds, language=language, decided=decided)
    data = replay_data(view, record, plan, problem=problem, told=heard)
    assert data is not None  # nobody can stop it here
    return replay_page(data)
