"""The model card and the JSON of a candidate: what they hold, and that no name becomes markup."""

from __future__ import annotations

import html.parser
import json

import pytest
from export_examples import named_problem
from recorded import RUN, recorded_run

from nas_core.data import Problem, ProblemSpec
from nas_core.exports.card import Card, card_html, card_markdown, model_card
from nas_core.exports.exporting import export_candidate
from nas_core.exports.facts import candidate_document, reproduction
from nas_core.records import Evaluation
from nas_core.runs.versions import proposed_in
from nas_core.store import InMemoryStore, Store

EVIL = "<script>alert(1)</script> | `x` [l](javascript:1)\n# h"


@pytest.fixture(scope="module")
def recorded() -> tuple[Store, list[Evaluation]]:
    return recorded_run(InMemoryStore(), count=8)


def test_a_card_has_the_sections_of_its_kind(recorded: tuple[Store, list[Evaluation]]) -> None:
    store, evaluations = recorded
    made = export_candidate(store, RUN, evaluations[3].id, "card").data.decode()
    for section in ("Model", "Intended use", "Data", "Performance", "Interpretability", "Trust checks", "Training",
                    "Limitations", "Ethical considerations", "Reproduction"):  # fmt: skip
        assert f"## {section}\n" in made
    assert evaluations[3].performance is not None
    assert f"{evaluations[3].performance.low:.4g} to {evaluations[3].performance.high:.4g}" in made
    assert "nasight search breast_cancer --metric roc_auc" in made
    assert "the test part was not opened" in made
    assert store.run(RUN).data_hash in made
    assert "Molnar et al" in made
    assert "Outputs vary" in made


def test_a_failed_candidate_has_a_card_without_checks(recorded: tuple[Store, list[Evaluation]]) -> None:
    store, evaluations = recorded
    made = export_candidate(store, RUN, evaluations[-2].id, "card").data.decode()
    assert "None was made for this card" in made
    assert "status\\: failed" in made


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name in ("src", "href") or name.startswith("on") for name, _ in attrs)


def evil_card(recorded: tuple[Store, list[Evaluation]]) -> Card:
    store, evaluations = recorded
    record = store.run(RUN).model_copy(update={"name": EVIL})
    problem = named_problem([EVIL, "b", "c"], [EVIL, "d"], [EVIL, "no"], EVIL)
    evaluation = evaluations[3].model_copy(update={"reason": EVIL, "operator": EVIL})
    return model_card(evaluation, record, proposed_in(store, record, evaluation)[0], problem)


def test_no_name_is_markup(recorded: tuple[Store, list[Evaluation]]) -> None:
    card = evil_card(recorded)
    tags = Tags()
    tags.feed(card_html(card))
    ours = "html head meta title style body h1 h2 p ul li table thead tbody tr th td code"
    assert tags.seen <= set(ours.split())
    made = card_markdown(card)
    assert "<script>" not in made
    assert "\n# h" not in made
    assert made.count("\n## ") == len(card.sections)


def test_the_json_tells_everything_but_folders(recorded: tuple[Store, list[Evaluation]]) -> None:
    store, evaluations = recorded
    document = json.loads(export_candidate(store, RUN, evaluations[3].id, "json").data)
    assert document["architecture"] == evaluations[3].architecture.model_dump(mode="json")
    assert document["evaluation"]["measures"].keys() == evaluations[3].measures.keys()
    assert document["problem"]["class_names"] == ["malignant", "benign"]
    assert document["run"]["command"] == reproduction(store.run(RUN))
    record = store.run(RUN)
    spec = ProblemSpec.model_validate(record.problem)
    source = spec.source.model_copy(update={"kind": "file", "location": "/home/me/a.csv"})
    moved = spec.model_copy(update={"source": source})
    record = record.model_copy(update={"problem": moved.model_dump(mode="json")})
    space = proposed_in(store, record, evaluations[3])[0]
    text = json.dumps(candidate_document(evaluations[3], record, space, Problem.load(spec)))
    assert "/home/me" not in text
    assert "a.csv" in text
