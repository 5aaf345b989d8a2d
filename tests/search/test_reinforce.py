"""The policy's step against the textbook, decision by decision."""

from __future__ import annotations

import numpy as np
import pytest
from strategy_contract import strategy_named
from toy_space import ToySpace, toy_evaluation

from nas_core.search.choices import BINS
from nas_core.search.decisions import decisions_of
from nas_core.search.reinforce import RATE


def test_all_decisions_of_a_candidate_step_as_one_by_one() -> None:
    space, strategy = ToySpace(), strategy_named("reinforce", ToySpace())
    told = [toy_evaluation(space, p) for p in strategy.ask(12)]
    strategy.tell(told)
    losses = strategy.losses()
    slow: dict[str, np.ndarray] = {}
    for evaluation in sorted(told, key=lambda e: e.id):
        worse = sum((loss > losses[evaluation.id]) + (loss >= losses[evaluation.id]) for loss in losses.values())
        advantage = 0.5 * worse / len(losses) - 0.5
        for name, decision in decisions_of(space, evaluation.architecture).items():
            logits = slow.setdefault(name, np.zeros(decision.options or BINS))
            chosen = int(decision.answer) if decision.options else min(BINS - 1, int(decision.answer * BINS))
            gradient = -np.exp(logits) / np.exp(logits).sum()
            gradient[chosen] += 1.0
            slow[name] = logits + RATE * advantage * gradient
    learned = strategy.state()["learned"]
    assert learned.keys() == slow.keys()
    assert any(np.abs(values).max() > 0.05 for values in slow.values())
    for name, values in slow.items():
        assert learned[name] == pytest.approx(values, abs=1e-12)
