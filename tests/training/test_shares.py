"""A pack divided among cores: everyone once, about equal costs, like shapes together."""

from __future__ import annotations

import pytest
from training_samples import make_problem, make_space, sampled

from nas_core.spaces.tabular.layout import network_layout
from nas_core.training.network import pack_members
from nas_core.training.plan import group_sections, subs_of
from nas_core.training.shares import equal_shares, layout_seconds


@pytest.mark.parametrize(("count", "parts"), [(64, 2), (64, 4), (24, 2), (3, 5), (1, 2)])
def test_everyone_is_in_one_share_and_the_shares_cost_about_the_same(count: int, parts: int) -> None:
    problem, space = make_problem("breast_cancer"), make_space("breast_cancer")
    layouts = [network_layout(a, problem.encoder, problem.C) for a in sampled(space, count)]
    shares = equal_shares(layouts, parts)
    assert all(shares)
    assert sorted(k for share in shares for k in share) == list(range(count))
    costs = [sum(layout_seconds(layouts[k]) for k in share) for share in shares]
    assert max(costs) <= sum(costs) / parts + max(map(layout_seconds, layouts))


def test_shares_hold_fewer_sections_than_parts_by_turns() -> None:
    problem, space = make_problem("breast_cancer"), make_space("breast_cancer")
    layouts = [network_layout(a, problem.encoder, problem.C) for a in sampled(space, 64)]

    def sections(chosen: list[int]) -> int:
        own = [layouts[k] for k in chosen]
        return len(group_sections(subs_of(pack_members(own, [0] * len(own)))[0]))

    by_shape, by_turns = equal_shares(layouts, 2), [list(range(0, 64, 2)), list(range(1, 64, 2))]
    assert sum(map(sections, by_shape)) < sum(map(sections, by_turns))
