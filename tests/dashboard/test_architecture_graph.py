"""The architecture graph: positions that do not overlap, totals that survive merging, and a picture of all of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
from graph_examples import cells, parallel_groups, tower
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import run_problem

from dashboard.figures.architecture import architecture_figure, drawn_width, kind_colour
from dashboard.figures.outlines import box_outline
from dashboard.theme import DARK, LIGHT
from dashboard.views.collapse import Fold, fold_graph, folds, named
from dashboard.views.graph import CLUSTER_LETTERS, PADDING, GraphView, graph_view
from dashboard.views.lettering import fitted, shorten, text_width
from nas_core.spaces import SearchSpace, facts, graph
from nas_core.spaces.graph_kinds import KIND_STYLES, kind_style

NAMES = [f"feature {i}" for i in range(100)]
EVERYTHING = Fold()


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem(), "accurate")


def boxes_overlap(view: GraphView) -> bool:
    return any(
        abs(a.x - b.x) < (a.width + b.width) / 2 - 1 and abs(a.y - b.y) < (a.height + b.height) / 2 - 1
        for a, b in combinations(view.nodes, 2)
    )


def drawn_as_it_should(view: GraphView, edges: int) -> None:
    """Boxes apart and inside the frame, their letters inside them, every edge from its box to its box."""
    assert not boxes_overlap(view)
    places = {n.id: n for n in view.nodes}
    for n in view.nodes:
        assert -1 <= n.x - n.width / 2 <= n.x + n.width / 2 <= view.width + 1
        assert -1 <= n.y - n.height / 2 <= n.y + n.height / 2 <= view.height + 1
        assert max(text_width(n.label), text_width(n.second)) + PADDING <= n.width + 1e-6
    assert len(view.edges) == edges
    for edge in view.edges:
        for end, (x, y) in ((places[edge.source], edge.points[0]), (places[edge.target], edge.points[-1])):
            assert abs(x - end.x) <= end.width / 2 + 2
            assert abs(y - end.y) <= end.height / 2 + 2
        assert all(-2 <= x <= view.width + 2 and -2 <= y <= view.height + 2 for x, y in edge.points)
    for outline in view.clusters:
        inside = [n for n in view.nodes if n.group == outline.group]
        assert inside
        for n in inside:
            assert outline.left <= n.x - n.width / 2
            assert n.x + n.width / 2 <= outline.right
            assert outline.bottom <= n.y - n.height / 2
            assert n.y + n.height / 2 <= outline.top - (CLUSTER_LETTERS if outline.label else 0) + 1
        assert text_width(outline.label, CLUSTER_LETTERS) <= outline.right - outline.left


@settings(max_examples=40, deadline=None)
@given(nodes=st.integers(3, 100), skips=st.floats(0, 2), stages=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_any_network_is_drawn_with_boxes_apart_and_every_edge(nodes: int, skips: float, stages: int, seed: int) -> None:
    network = tower(nodes, skips, seed, stages)
    view = graph_view(network, NAMES, fold=EVERYTHING)
    assert len(view.nodes) == view.whole == nodes
    assert {(e.source, e.target) for e in view.edges if e.skip} == {
        (a, b) for a, b, d in network.edges(data=True) if d["skip"]
    }
    drawn_as_it_should(view, network.number_of_edges())


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=14), depth=st.integers(0, 3))
def test_groups_side_by_side_are_drawn_with_boxes_apart(sizes: list[int], depth: int) -> None:
    network = parallel_groups(sizes, depth)
    drawn_as_it_should(graph_view(network, NAMES, fold=EVERYTHING), network.number_of_edges())


def test_a_hundred_nodes_with_skip_connections_take_less_than_a_third_of_a_second_of_computing() -> None:
    network = tower(100, 2.0)
    assert network.number_of_edges() > 200
    graph_view(network, NAMES)
    best: dict[str, float] = {}
    for fold in (EVERYTHING, None):
        for _ in range(3):
            began = time.process_time()
            architecture_figure(graph_view(network, NAMES, fold=fold), LIGHT)
            spent = time.process_time() - began
            best[str(fold)] = min(spent, best.get(str(fold), spent))
    assert max(best.values()) < 0.3


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_fold_keeps_totals_features_and_a_way_from_every_input(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    known = facts(space, architecture)
    names = [f.name for f in space.features]
    whole = named(graph(space, architecture), names)
    for fold in folds(whole, 8):
        small, told = fold_graph(whole, fold)
        data = [d for _, d in small.nodes(data=True)]
        assert sum(d["parameters"] for d in data) == known.parameters
        assert sum(d["operations"] for d in data) == known.operations
        assert {f for d in data for f in d["features"]} == {names[j] for j in known.used_features}
        assert sorted(m for d in data for m in d["members"]) == sorted(whole)
        assert nx.is_directed_acyclic_graph(small)
        assert all(nx.has_path(small, n, "output") for n in small)
        assert bool(told) == (small.number_of_nodes() < whole.number_of_nodes())


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_graph_of_any_size_is_folded_until_it_is_readable(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    view = graph_view(graph(space, architecture), [f.name for f in space.features])
    assert len(view.nodes) <= 32
    assert view.height <= 760
    assert view.width * 0.7 <= 620
    assert not boxes_overlap(view)
    assert view.parameters == facts(space, architecture).parameters


def test_a_deep_network_is_read_from_top_to_bottom_and_groups_side_by_side_from_left_to_right() -> None:
    for nodes in (12, 40, 100):
        assert graph_view(tower(nodes, 1.0), NAMES).direction == "TB"
    view = graph_view(parallel_groups([2, 3, 1, 1, 2, 4, 1, 2]), NAMES)
    assert view.direction == "LR"


def test_stages_close_one_by_one_the_largest_first_and_no_more_than_needed() -> None:
    network = tower(36, 0.5, stages=4)
    shown = graph_view(network, NAMES, tallest=2000)
    assert not any(g.closed for g in shown.groups)
    tight = graph_view(network, NAMES, tallest=700)
    closed = {g.index for g in tight.groups if g.closed}
    assert 0 < len(closed) < 4
    assert len(tight.nodes) < len(shown.nodes)


def test_cells_that_repeat_are_one_box_and_the_first_of_a_kind_stays_open() -> None:
    view = graph_view(cells(6), NAMES, tallest=900)
    assert [g.index for g in view.groups if not g.closed] == [0, 3]
    assert [n.label for n in view.nodes if n.closed] == ["cell × 2", "cell × 2"]
    assert {n.closed for n in view.nodes if n.closed} == {(1, 2), (4, 5)}
    assert "repeats" in view.collapsed


def test_cells_that_only_look_alike_are_not_one_box() -> None:
    network = cells(4, per_stage=2)
    everything = Fold(frozenset(range(4)), 2)
    view = graph_view(network, NAMES, fold=everything)
    assert [n.closed for n in view.nodes if n.closed] == [(0, 1), (2, 3)]
    network.add_edge("cell0-in", "cell3-in", skip=True)  # now the first cell also leads somewhere else
    view = graph_view(network, NAMES, fold=everything)
    assert [n.closed for n in view.nodes if n.closed] == [(0,), (1,), (2,), (3,)]


def test_a_click_opens_a_closed_part_and_closes_an_open_one() -> None:
    network = cells(6)
    view = graph_view(network, NAMES, tallest=900)
    several = next(n for n in view.nodes if n.closed == (1, 2))
    opened = view.toggled(several.id)
    assert opened is not None
    after = graph_view(network, NAMES, fold=opened, direction=view.direction)
    assert [g.index for g in after.groups if not g.closed] == [0, 1, 3]
    back = after.toggled(next(n.id for n in after.nodes if n.group == 1))
    assert back == view.fold
    assert view.toggled("input") is None
    assert view.toggled("nothing of that name") is None


def test_the_box_of_the_other_groups_opens_into_their_own_boxes() -> None:
    network = parallel_groups([1] * 40)
    view = graph_view(network, NAMES)
    rest = next(n for n in view.nodes if n.id == "rest")
    assert len(rest.closed) > 2
    fold = view.toggled(rest.id)
    after = graph_view(network, NAMES, fold=fold, direction=view.direction)
    assert sum(len(n.closed) for n in after.nodes) == 40
    assert len(after.nodes) == 41


def parts(view: GraphView) -> dict[object, tuple[float, float]]:
    """Return the centre of every group, open or closed, and of every other box."""
    found: dict[object, list[tuple[float, float]]] = {}
    for n in view.nodes:
        key = n.group if n.group is not None else n.closed or n.id
        found.setdefault(key if not isinstance(key, tuple) or len(key) > 1 else key[0], []).append((n.x, n.y))
    return {key: tuple(np.mean(places, axis=0)) for key, places in found.items()}


@pytest.mark.parametrize(
    "network",
    [tower(60, 1.0), cells(5, per_stage=1), parallel_groups([1, 3, 2, 1, 4, 2, 1, 2])],
    ids=["tower", "cells", "groups"],
)
def test_toggling_one_group_leaves_all_others_in_their_order(network: nx.DiGraph) -> None:
    everything = frozenset(d["group"] for _, d in network.nodes(data=True) if d["group"] >= 0)
    before = graph_view(network, NAMES, fold=Fold(everything, 2))
    along = 0 if before.direction == "TB" else 1  # the axis on which parallel parts lie beside one another
    for group in everything:
        after = graph_view(network, NAMES, fold=before.fold.toggled(group), direction=before.direction)
        one, other = parts(before), parts(after)
        assert len(set(one) & set(other)) >= len(everything)
        for axis in (along, 1 - along):
            kept = sorted((k for k in one if k in other and k != group), key=lambda k: one[k][axis])
            for a, b in pairwise(kept):
                if one[b][axis] - one[a][axis] > 20:
                    assert other[b][axis] > other[a][axis]


def chain(skip: bool) -> nx.DiGraph:
    picture = nx.DiGraph()
    for name, kind in (("a", "input"), ("b", "linear"), ("c", "activation"), ("d", "output")):
        picture.add_node(name, kind=kind, label=f"<{name}>", shape=(4,), parameters=5, operations=7,
                         group=-1 if kind == "output" else 0, features=(0,), details="seen on hover")  # fmt: skip
    nx.add_path(picture, "abcd", skip=False)
    if skip:
        picture.add_edge("a", "d", skip=True)
    return picture


def test_an_activation_whose_input_is_used_elsewhere_keeps_its_own_box() -> None:
    network = tower(3, 0)
    network.add_node("act", kind="activation", label="relu", shape=(1,), parameters=0, operations=1, group=0,
                     features=(), module="")  # fmt: skip
    network.add_edge("op-0", "act", skip=False)
    network.add_edge("act", "output", skip=False)
    assert network.nodes["op-0"]["kind"] != "input"
    assert len(graph_view(network, NAMES, fold=Fold(detail=2)).nodes) == 4
    network.remove_edge("op-0", "output")
    view = graph_view(network, NAMES, fold=Fold(detail=2))
    assert len(view.nodes) == 3
    fused = next(n for n in view.nodes if n.members == ("op-0", "act"))
    assert (fused.second, fused.shape) == ("relu", "1")


def test_the_picture_shows_every_box_every_edge_and_what_is_inside() -> None:
    view = graph_view(chain(skip=True), ["height"])
    figure = architecture_figure(view, LIGHT)
    boxes = [t for t in figure.data if t.meta == "boxes"]
    assert {t.name: t.line.color for t in boxes} == {
        k: kind_colour(k, LIGHT) for k in ("input", "linear", "activation", "output")
    }
    edges = {t.name: t for t in figure.data if t.meta == "edges"}
    assert list(edges["edges"].x).count(None) == 3
    assert edges["skip"].line.color == LIGHT.chosen
    assert edges["skip"].line.dash == "dot"
    labels = next(t for t in figure.data if t.meta == "labels")
    assert [text.split("<br>")[0] for text in labels.text] == [f"&lt;{n}&gt;" for n in "abcd"]
    hover = next(t for t in figure.data if t.meta == "hover")
    assert list(hover.customdata) == ["a", "b", "c", "d"]
    for words in ("5 parameters", "7 operations", "height", "output 4", "seen on hover"):
        assert words in hover.hovertext[1]
    assert figure.layout.height >= view.height


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "<b>bold</b>", 'a"b', "a<br>b", "&lt;", "日本語 😀"])
def test_names_from_data_are_shown_and_not_obeyed(words: str) -> None:
    network = chain(skip=False)
    network.nodes["a"]["label"] = words
    figure = architecture_figure(graph_view(network, [words]), LIGHT)
    label = next(t for t in figure.data if t.meta == "labels").text[0].split("<br>")[0]
    hover = next(t for t in figure.data if t.meta == "hover").hovertext[0]
    shown = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert label == shown
    assert hover.startswith(f"<b>{shown}</b>")
    assert hover.endswith(shown)


def test_a_wide_graph_is_shrunk_letters_included_but_stays_legible() -> None:
    view = graph_view(chain(skip=False), ["height"])
    size = {}
    for name, room in (("wide", 2000), ("narrow", view.width), ("tiny", view.width / 3)):
        figure = architecture_figure(view, DARK, room=room)
        size[name] = next(t for t in figure.data if t.meta == "labels").textfont.size
        up = figure.layout.yaxis.range[1] - figure.layout.yaxis.range[0]
        across = figure.layout.xaxis.range[1] - figure.layout.xaxis.range[0]
        assert figure.layout.yaxis.scaleanchor == "x"
        assert size[name] / 11 == pytest.approx(figure.layout.height / up)  # text shrinks with its boxes
        assert drawn_width(view, room) == pytest.approx(across * size[name] / 11)
        assert (figure.layout.width is None) == (drawn_width(view, room) <= room)
    assert 7 <= size["narrow"] < size["wide"] == 11
    assert size["tiny"] > 9  # it is scrolled anyhow, so it may as well be legible
    inside = architecture_figure(view, DARK, room=100, height=50)
    assert inside.layout.width is None
    assert inside.layout.height == 50


@given(
    st.sampled_from(["rectangle", "pill", "rounded", "cut", "funnel", "stack"]),
    st.floats(40, 250),
    st.floats(20, 40),
)
def test_an_outline_is_closed_and_stays_inside_its_box(outline: str, width: float, height: float) -> None:
    xs, ys = box_outline(outline, 100.0, 50.0, width, height)
    assert (xs[0], ys[0]) == pytest.approx((xs[-1], ys[-1]))
    assert max(xs) - min(xs) == pytest.approx(width)
    assert max(ys) - min(ys) == pytest.approx(height)
    assert (max(xs) + min(xs)) / 2 == pytest.approx(100.0)
    assert (max(ys) + min(ys)) / 2 == pytest.approx(50.0)


def test_no_two_kinds_look_the_same_unless_they_do_nothing_or_stand_for_weights() -> None:
    looks: dict[tuple[int, str], list[str]] = {}
    for name, style in KIND_STYLES.items():
        looks.setdefault((style.slot, style.outline), []).append(name)
    assert [names for names in looks.values() if len(names) > 1] == [["linear", "conv"]]
    assert kind_style("something new").words == "something new"


def test_layouts_from_several_threads_are_the_same() -> None:
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda _: graph_view(chain(skip=True), ["height"]), range(12)))
    assert all(view == views[0] for view in views)


def test_long_names_keep_both_ends() -> None:
    assert shorten("short", 28) == "short"
    assert shorten("a" * 30 + "z" * 30, 20) == "a" * 13 + "…" + "z" * 6


@given(st.text(min_size=1), st.floats(40, 300))
def test_a_fitted_text_is_on_one_line_printable_and_fits(words: str, width: float) -> None:
    short = fitted(words, width)
    assert "\n" not in short
    assert short.isprintable()
    assert text_width(short) <= width or len(short) <= 4
    if text_width(" ".join(words.split())) <= width and words.isprintable():
        assert short == " ".join(words.split())
