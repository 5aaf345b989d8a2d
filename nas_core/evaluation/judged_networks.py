"""Networks of images and sequences, each judged and measured by itself in one of several threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.errors import SettingsError
from nas_core.evaluation.base import Weights
from nas_core.records import Evaluation, Proposal
from nas_core.training.shortage import is_shortage

if TYPE_CHECKING:
    from nas_core.training.result import PackResult

__all__ = ["JudgedNetwork", "clocked", "judged_network"]

log = logging.getLogger(__name__)
Judged = Callable[[Sequence[Proposal], "PackResult"], tuple[list[Evaluation], dict[str, Weights]]]


@dataclass(frozen=True)
class JudgedNetwork:
    """What came of one network.

    Attributes:
        evaluations, weights: Its evaluation, and its weights by its identity where it has any.
        seconds: That judging and measuring took.
        starved: Why there was no memory for it; empty where there was. Then there is no evaluation.
    """

    evaluations: list[Evaluation]
    weights: dict[str, Weights]
    seconds: float = 0.0
    starved: str = ""


def judged_network(
    proposal: Proposal,
    result: PackResult,
    judged: Judged,
    failed: Callable[[Proposal, Exception], Evaluation],
    *,
    many: bool,
) -> JudgedNetwork:
    """Return what ``judged`` makes of one trained network, or ``failed`` of its error.

    Raises:
        SettingsError: As ``judged`` does; nothing is wrong with the network then.
    """
    if result.outcomes[0].starved:
        return JudgedNetwork([], {}, starved=result.outcomes[0].reason)
    began = time.perf_counter()
    weights: dict[str, Weights] = {}
    try:
        found, weights = judged([proposal], result)
    except SettingsError:
        raise
    except Exception as error:
        if many and is_shortage(error):
            return JudgedNetwork([], {}, starved=str(error) or "out of memory")
        log.exception("Candidate %s failed", proposal.architecture.id)
        found = [failed(proposal, error)]
    return JudgedNetwork(found, weights, time.perf_counter() - began)


def clocked(
    results: Iterator[JudgedNetwork], workers: int, add: Callable[[str, float], None]
) -> Iterator[JudgedNetwork]:
    """Pass results on, and ``add`` the seconds until each to those of training and measuring.

    Both go on at the same time. Measuring is given what it took divided by the ``workers``, training what is left.
    """
    owed, began = 0.0, time.perf_counter()
    for found in results:
        waited = time.perf_counter() - began
        owed += found.seconds / workers
        measuring = min(waited, owed)
        owed -= measuring
        add("measure", measuring)
        add("train", waited - measuring)
        yield found
        began = time.perf_counter()
