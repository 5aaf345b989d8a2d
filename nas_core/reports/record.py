"""The decision record: frozen facts, as they were when a person decided; JSON and back without loss."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nas_core.preferences import Preference
from nas_core.records import Architecture, Cost, Estimate, FiniteRecord, Measurement

__all__ = ["Act", "Alternative", "BudgetUsed", "CandidateFacts", "Caveat", "DataFacts", "DecisionRecord", "FinalTest",
           "Remake", "SpaceStep"]  # fmt: skip


class CandidateFacts(FiniteRecord):
    """One candidate in numbers and one line of words.

    Attributes:
        id, number: Its identity, and its number in the run.
        architecture: What it is, enough to build it again.
        structure: The same in one line.
        performance, skill: With their 95 % intervals; None where it has none.
        interpretability: Weighted geometric mean of its measures under the record's preference, in [0, 1].
        measures: By name.
        metrics: Other metrics on the validation rows, by name.
        cost: Parameters, operations, seconds.
        seed: Of its training.
        space: Version of the search space it was proposed in.
        origin, operator: Who proposed it, and how it was made.
        inherited: Identity of the candidate whose weights its training began from; empty: from its own.
        status, note: How its evaluation ended, and what was noted.
        on_front, meets_goals: Under the record's preference, among the candidates there were.
    """

    id: str
    number: int
    architecture: Architecture
    structure: str
    performance: Estimate | None = None
    skill: Estimate | None = None
    interpretability: float | None = None
    measures: dict[str, Measurement] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    cost: Cost = Cost()
    seed: int = 0
    space: int = 1
    origin: str = "strategy"
    operator: str = "sample"
    inherited: str = ""
    status: str = "done"
    note: str = ""
    on_front: bool = False
    meets_goals: bool = True


class Alternative(FiniteRecord):
    """A candidate that could have been chosen instead, and what that would have changed.

    Attributes:
        roles: Why it is here: ``best`` (at λ), ``knee``, ``accurate`` and ``interpretable`` (the ends of the front),
            ``neighbour_accurate`` and ``neighbour_interpretable`` (next to the chosen one on the front).
        id, number, structure: Which.
        performance, interpretability: Its own.
        performance_gain: By how much it is better than the chosen one in the metric, positive = better whichever way
            the metric goes, in the metric's unit.
        interpretability_gain: The same of interpretability.
        overlaps: Whether the 95 % intervals of the two performances overlap.
        parameters: Trainable numbers.
    """

    roles: tuple[str, ...]
    id: str
    number: int
    structure: str
    performance: Estimate
    interpretability: float
    performance_gain: float | None = None
    interpretability_gain: float | None = None
    overlaps: bool = False
    parameters: int = 0


class DataFacts(FiniteRecord):
    """What was learned from; row counts are None where the data could not be read again."""

    name: str
    location: str
    kind: str
    hash: str
    target: str | None = None
    task: str
    modality: str
    split: str
    split_column: str | None = None
    split_seed: int
    fractions: tuple[float, float, float]
    train_rows: int | None = None
    valid_rows: int | None = None
    test_rows: int | None = None
    features: int | None = None


class SpaceStep(FiniteRecord):
    """One version of the search space: what made it, and how many candidates there were before it."""

    version: int
    words: str = ""
    since: int = 0


class BudgetUsed(FiniteRecord):
    """How much was searched: limits (None: none), candidates by status, and seconds of running time."""

    candidates: int | None = None
    seconds: float | None = None
    evaluated: int = 0
    by_status: dict[str, int] = Field(default_factory=dict)
    used_seconds: float = 0.0


class Act(FiniteRecord):
    """What somebody did to the run while it searched: the kind of event, after how many candidates, its facts."""

    kind: str
    time: float
    evaluated: int = 0
    facts: dict[str, str] = Field(default_factory=dict)


class Caveat(FiniteRecord):
    """One thing to be careful about: ``kind`` names the sentence ``caveat_KIND``, ``facts`` fill it in."""

    kind: str
    facts: dict[str, str] = Field(default_factory=dict)


class FinalTest(FiniteRecord):
    """One candidate on the test rows, which nothing before had seen.

    Attributes:
        id, number: Which candidate.
        rows: Test rows.
        validation, fresh: The performance it was chosen by, and that on the test rows, with 95 % intervals.
        skill: Share of the way from ignoring the inputs to perfect, on the test rows.
        reason: Why it would not have been eligible there; empty when it would.
        time: When the test part was opened.
        looks: How many times it had been opened for this run, this time included.
    """

    id: str
    number: int
    rows: int
    validation: Estimate
    fresh: Estimate
    skill: Estimate
    reason: str = ""
    time: float = 0.0
    looks: int = 1


class Remake(FiniteRecord):
    """How the result can be had again.

    Attributes:
        search: The ``nasight search`` line that comes nearest to the run.
        exact: Whether it gives the same candidates with the same numbers.
        because: Kinds of reason why it does not: sentences ``remake_KIND``, with the facts that fill them in.
        retrainable: Whether the chosen network alone can be trained again to the same numbers.
    """

    search: str
    exact: bool
    because: tuple[Caveat, ...] = ()
    retrainable: bool = True


class DecisionRecord(FiniteRecord):
    """What was decided about a run, from what, and how it can be had again.

    Attributes:
        made: When, seconds since 1970.
        by, reason: Who decided and why, in their own words.
        run_id, run_name, state, state_reason: Of which run, and where it stood.
        metric, metric_label, maximise: The performance metric.
        preference: λ, weights and goals the decision was made under.
        weights: Resulting share of each measure, summing to 1.
        chosen: The choice.
        alternatives: What else there was, the most accurate first.
        front: Number of candidates on the front.
        hypervolume: Of the losses of the search, reference point 1.
        data, space, budget: What was searched.
        strategy, seed, device: How.
        acts: What was done while it searched, in order.
        test: The final look at the test rows; None where nobody asked for it.
        caveats: What to be careful about, from facts.
        versions: Of nasight and the libraries that made the numbers.
        remake: How to have it again.
        origin: JSON forms of the problem, of the first version of the space and of the settings the run began with, and
            of the version that the chosen candidate was proposed in: enough to begin again elsewhere.
    """

    format: int = 1
    made: float
    by: str = ""
    reason: str = ""
    run_id: str
    run_name: str
    state: str
    state_reason: str = ""
    metric: str
    metric_label: str
    maximise: bool
    preference: Preference
    weights: dict[str, float]
    chosen: CandidateFacts
    alternatives: tuple[Alternative, ...] = ()
    front: int = 0
    hypervolume: float = 0.0
    data: DataFacts
    space_family: str
    space: tuple[SpaceStep, ...]
    strategy: str
    seed: int
    device: str
    budget: BudgetUsed
    acts: tuple[Act, ...] = ()
    test: FinalTest | None = None
    caveats: tuple[Caveat, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    remake: Remake
    origin: dict[str, Any] = Field(default_factory=dict)
