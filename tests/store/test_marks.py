"""What may be said of a candidate: the limits, and how a change is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from store_contract import evaluation, record

from nas_core.errors import StoreError
from nas_core.store import open_store
from nas_core.store.copying import back_up
from nas_core.store.marks import NOTE_LENGTH, TAG_LENGTH, TAGS, Mark, MarkChange, mark_candidate, mark_change, marked


def test_what_is_too_long_is_refused_with_the_limit() -> None:
    assert mark_change(note="x" * NOTE_LENGTH).note == "x" * NOTE_LENGTH
    with pytest.raises(StoreError, match=r"note has 4,001 characters. Allowed: at most 4,000"):
        mark_change(note="x" * (NOTE_LENGTH + 1))
    assert mark_change(tags=["x" * TAG_LENGTH]).tags == ("x" * TAG_LENGTH,)
    with pytest.raises(StoreError, match=r"has 41 characters. Allowed: at most 40"):
        mark_change(tags=["x" * (TAG_LENGTH + 1)])
    assert len(mark_change(tags=[f"t{n}" for n in range(TAGS)]).tags or ()) == TAGS
    with pytest.raises(StoreError, match=r"These are 21 tags. Allowed: at most 20"):
        mark_change(tags=[f"t{n}" for n in range(TAGS + 1)])
    with pytest.raises(StoreError, match="half of a character"):
        mark_change(note="\ud800")


def test_a_long_name_of_an_author_is_cut_and_one_is_found_where_none_is_given() -> None:
    assert mark_change(author="a" * 200).author == "a" * 80
    assert mark_change(author="\ud800").author == "?"
    assert mark_change().author


@given(some.lists(some.text(max_size=12), max_size=12))
def test_tags_are_single_lines_that_differ(tags: list[str]) -> None:
    try:
        found = mark_change(tags=tags).tags or ()
    except StoreError as error:
        assert "half of a character" in str(error)  # noqa: PT017 - the only thing that may be wrong with short tags
        return
    assert len({tag.casefold() for tag in found}) == len(found)
    assert all(tag == " ".join(tag.split()) and tag for tag in found)
    assert mark_change(tags=found).tags == found


texts = some.text(some.characters(exclude_categories=["Cs"]), max_size=5)
changes = some.builds(
    mark_change, star=some.none() | some.booleans(), note=some.none() | texts,
    tags=some.none() | some.lists(texts, max_size=3), author=some.just("x"), now=some.floats(0, 9),
)  # fmt: skip


@given(some.lists(changes, min_size=1, max_size=6))
def test_the_last_word_on_each_field_counts(told: list[MarkChange]) -> None:
    mark: Mark | None = None
    for change in told:
        mark = marked(mark, "c", change)
    assert mark is not None
    for name, nothing in (("star", False), ("note", ""), ("tags", ())):
        said = [getattr(change, name) for change in told if getattr(change, name) is not None]
        assert getattr(mark, name) == (said[-1] if said else nothing)
    assert mark == Mark.model_validate_json(mark.model_dump_json())


def test_a_backup_has_the_marks(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a")
    store.create_run(record())
    store.commit("r1", [evaluation(0)], {}, {})
    made = mark_candidate(store, "r1", evaluation(0).id, tags=["kept"], note="né\u0000")
    copy = open_store(back_up(store, str(tmp_path / "b.sqlite")))
    assert copy.marks("r1") == {evaluation(0).id: made} == store.marks("r1")
    copy.close()
    store.close()
