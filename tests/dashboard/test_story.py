"""The story of a run as data: its stops, what they give up, what is said of that, and its pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from recorded import RUN, recorded_run

from dashboard import process
from dashboard.figures.story import price_figure, story_front_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.card import Card
from dashboard.views.story import SLIDES, Story, price_sentence, story
from dashboard.watching import Watched, card_of, ranking, watch
from nas_core.preferences import Preference
from nas_core.search import Ranking
from nas_core.store import InMemoryStore


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    store, _ = recorded_run(count=40)
    process.configure(opened=store)
    found = watch(RUN)
    yield found
    process.configure(opened=InMemoryStore())


def told(watched: Watched, weight: float = 0.5, chosen: str | None = None) -> tuple[Story, Ranking]:
    ranked = ranking(watched, Preference(weight=weight))
    found = story(watched.snapshot, ranked, lambda i: card_of(watched, i, ranked), chosen=chosen)
    assert found is not None
    return found, ranked


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_the_stops_go_from_the_most_accurate_network_to_the_simplest(watched: Watched, weight: float) -> None:
    found, ranked = told(watched, weight)
    performances = [stop.card.performance for stop in found.stops]
    assert performances == sorted(performances, reverse=True)
    assert found.first.card.performance == float(np.nanmax(watched.snapshot.performance[watched.snapshot.eligible]))
    assert found.last.card.interpretability == pytest.approx(float(np.nanmax(ranked.interpretability)))
    assert found.choice.card.id == watched.snapshot.ids[ranked.best]
    assert len({stop.card.id for stop in found.stops}) == len(found.stops)
    assert {role for stop in found.stops for role in stop.roles} == {"accurate", "knee", "chosen", "simple"}


def test_what_is_given_up_and_gained_is_against_the_most_accurate_network(watched: Watched) -> None:
    found, _ = told(watched)
    first = found.first.card
    assert found.first.given_up == 0.0
    assert found.first.gained == 0.0
    for stop in found.stops:
        assert stop.given_up == pytest.approx(first.performance - stop.card.performance)
        assert stop.gained == pytest.approx(stop.card.interpretability - first.interpretability)


def test_a_network_chosen_by_hand_is_put_forward_and_one_that_is_not_eligible_is_not(watched: Watched) -> None:
    best, ranked = told(watched)
    other = next(i for i, e in zip(watched.snapshot.ids, watched.snapshot.eligible) if e and i != best.choice.card.id)
    assert told(watched, chosen=other)[0].choice.card.id == other
    lost = watched.snapshot.ids[int(np.flatnonzero(~watched.snapshot.eligible)[0])]
    assert told(watched, chosen=lost)[0].choice.card.id == best.choice.card.id
    assert ranked.best is not None


def either(cards: dict[str, Card], watched: Watched, ranked: Ranking, candidate: str) -> Card | None:
    return cards.get(candidate) or card_of(watched, candidate, ranked)


def test_the_sentence_says_whether_the_intervals_overlap(watched: Watched) -> None:
    found, _ = told(watched)
    last, ranked = found.last, ranking(watched, Preference(weight=0.5))
    first = dataclasses.replace(found.first.card, performance=0.9, low=0.88, high=0.92)
    for low, high, said in ((0.86, 0.89, "overlap"), (0.84, 0.87, "more than")):
        card = dataclasses.replace(last.card, performance=(low + high) / 2, low=low, high=high)
        cards = {found.first.card.id: first, last.card.id: card}
        again = story(watched.snapshot, ranked, partial(either, cards, watched, ranked))
        assert again is not None
        assert said in price_sentence(again, again.last)
    assert "gives up nothing" in price_sentence(found, found.first)


def test_there_is_no_story_without_a_network_on_the_front(watched: Watched) -> None:
    ranked = ranking(watched, Preference(weight=0.5))
    assert story(watched.snapshot, dataclasses.replace(ranked, best=None), lambda i: None) is None
    assert story(watched.snapshot, ranked, lambda i: None) is None


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_pictures_show_every_stop(watched: Watched, colours: object) -> None:
    found, _ = told(watched)
    numbers = [f"#{stop.card.number}" for stop in found.stops]
    front = story_front_figure(found, colours, named=tuple(range(len(found.stops))))
    assert [a.text for a in front.layout.annotations] == [f"<b>{n}</b>" for n in numbers]
    assert list(story_front_figure(found, colours).layout.annotations) == []
    price = price_figure(found, colours)
    assert list(price.data[0].y) == numbers
    assert list(price.data[0].x) == [stop.given_up for stop in found.stops]
    assert list(price.data[1].x) == [stop.card.interpretability for stop in found.stops]
    assert price.layout.yaxis.type == "category"  # "#12" is a name, not a number


def test_a_smaller_metric_is_better_at_the_top(watched: Watched) -> None:
    found, _ = told(watched)
    low, high = story_front_figure(found, LIGHT).layout.yaxis.range
    assert low < high
    errors = dataclasses.replace(found, maximise=False, performance=1 - found.performance)
    low, high = story_front_figure(errors, LIGHT).layout.yaxis.range
    assert low > high


def test_there_are_eight_slides() -> None:
    assert len(SLIDES) == len(set(SLIDES)) == 8
