"""What matters for what, as data: shares of variation by choice, what single options do, and pairs of choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import catalogue, text
from dashboard.views.card import measure_label
from dashboard.views.words import count, number, percent, signed
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.insight import Aim, Effect, Importance, Pair, Reliability
    from nas_core.insight.importance import Share
    from nas_core.objectives import Objective

__all__ = ["AimImportance", "Bar", "EffectView", "LevelPoint", "MatrixView", "PairsView", "aim_label", "effect_view",
           "facet_label", "importance_view", "matrix_view", "pairs_view", "reliability_words",
           "titled"]  # fmt: skip

PARTS = 10
"""Parts of a choice that are drawn, those that change most."""
PAIRS = 8


@dataclass(frozen=True)
class Bar:
    """One choice: what it explains, in [0, 1], with its interval, and SHAP's share of it where there is one."""

    key: str
    label: str
    value: float
    low: float
    high: float
    shap: float | None
    shap_low: float | None
    shap_high: float | None
    words: str


@dataclass(frozen=True)
class AimImportance:
    """How much each choice explains of one aim.

    Attributes:
        name, label: The aim.
        predicts: Whether the surrogate predicts; without it the bars mean nothing and are not drawn.
        sentence: The finding in words, or why there is none.
        reliability: How well the surrogate predicts, in words.
        bars: The choices, the most important first, interactions last with the key "".
        n: How many candidates it rests on.
    """

    name: str
    label: str
    predicts: bool
    sentence: str
    reliability: str
    bars: tuple[Bar, ...]
    n: int

    @property
    def spoken(self) -> str:
        """All bars in one sentence, for those who do not see them."""
        return text("insight.bars_spoken", aim=self.label, bars="; ".join(b.words for b in self.bars))


@dataclass(frozen=True)
class LevelPoint:
    """One level of a choice (or the change by one part): the surrogate's mean and what was observed."""

    label: str
    count: int
    mean: float
    low: float
    high: float
    observed: float | None
    observed_low: float | None
    observed_high: float | None
    words: str


@dataclass(frozen=True)
class EffectView:
    """What a choice does to one aim.

    Attributes:
        aim, axis: Name of the aim, and what its axis says.
        levels: Mean aim by level.
        parts: Change of the mean by parts that are there or not, the strongest first.
        hidden: Parts that are not drawn.
        sentence: The largest difference in words.
        spoken: All levels in words.
    """

    aim: str
    axis: str
    levels: tuple[LevelPoint, ...]
    parts: tuple[LevelPoint, ...]
    hidden: int
    sentence: str
    spoken: str


@dataclass(frozen=True)
class PairsView:
    """What two choices explain jointly beyond what each explains alone: the strongest pairs."""

    aim: str
    bars: tuple[Bar, ...]
    keys: tuple[tuple[str, str], ...]
    sentence: str


@dataclass(frozen=True)
class MatrixView:
    """Shares of all choices for all aims; None where the surrogate of an aim does not predict."""

    choices: tuple[str, ...]
    aims: tuple[str, ...]
    shares: tuple[tuple[float | None, ...], ...]
    hover: tuple[tuple[str, ...], ...]
    silent: tuple[str, ...]


def facet_label(key: str, label: str) -> str:
    """Return what a person calls a choice: the catalogue's words, else those of the space."""
    named = f"insight.facet_{key.replace('.', '_')}"
    return text(named) if named in catalogue("en") else label


def aim_label(name: str, objective: Objective, weight: float) -> str:
    """Return what a person calls an aim within a sentence; a measure is quoted, as its name is part of one."""
    if name == "performance":
        return objective.label
    if name == "scalar":
        return text("insight.aim_scalar", weight=f"{weight:.2f}")
    if name in ("interpretability", "seconds"):
        return text(f"insight.aim_{name}")
    return f"“{measure_label(name)}”"


def importance_view(aim: Aim, found: Importance, label: str) -> AimImportance:
    """Return what is drawn of the importances of one aim that is called ``label``."""
    shap = found.shap or (None,) * len(found.keys)
    bars = [
        _bar(key, facet_label(key, name), m, s) for key, name, m, s in zip(found.keys, found.labels, found.main, shap)
    ]
    told = _sentence(label, bars, found)
    if found.main:
        bars.append(_bar("", text("insight.interactions"), found.together, None))
    return AimImportance(aim.name, label, found.reliability.predicts and bool(found.main), told,
                         reliability_words(found.reliability), tuple(bars), found.n)  # fmt: skip


def reliability_words(found: Reliability) -> str:
    """Return how well candidates are predicted that were not seen."""
    return text("insight.reliability", r2=percent(found.r2), low=percent(found.r2_low), high=percent(found.r2_high),
                rank=f"{found.rank:.2f}", n=count(found.n))  # fmt: skip


def effect_view(aim: Aim, effect: Effect, label: str) -> EffectView:
    """Return what is drawn of the effect of one choice on the aim that is called ``label``."""
    levels = tuple(
        LevelPoint(
            e.label, e.count, e.mean, e.low, e.high, _known(e.observed), _known(e.observed_low),
            _known(e.observed_high),
            text("insight.level_words", level=e.label, count=count(e.count), mean=number(e.mean), low=number(e.low),
                 high=number(e.high), observed=number(e.observed)),
        )
        for e in effect.levels
    )  # fmt: skip
    parts = tuple(
        LevelPoint(p.label, p.count, p.change, p.low, p.high, None, None, None,
                   text("insight.part_words", part=p.label, count=count(p.count), change=signed(p.change),
                        low=signed(p.low), high=signed(p.high)))
        for p in effect.parts[:PARTS]
    )  # fmt: skip
    known = [e for e in levels if math.isfinite(e.mean)]
    told = text("insight.effect_none")
    if len(known) > 1:
        low, high = min(known, key=lambda e: e.mean), max(known, key=lambda e: e.mean)
        clear = high.low > low.high
        told = text("insight.effect_sentence" if clear else "insight.effect_unclear", aim=label,
                    choice=markdown_text(facet_label(effect.key, effect.label)), high=markdown_text(high.label),
                    low=markdown_text(low.label), most=number(high.mean), least=number(low.mean))  # fmt: skip
    axis = f"{titled(label)} ({aim.unit})" if aim.unit else titled(label)
    return EffectView(aim.name, axis, levels, parts, max(0, len(effect.parts) - PARTS), told,
                      "; ".join(e.words for e in levels))  # fmt: skip


def pairs_view(aim: Aim, pairs: Sequence[Pair], label: str) -> PairsView:
    """Return the strongest pairs of choices for the aim that is called ``label``."""
    best = pairs[:PAIRS]
    bars = []
    for pair in best:
        one, other = facet_label(pair.first, pair.labels[0]), facet_label(pair.second, pair.labels[1])
        bars.append(_bar(f"{pair.first}|{pair.second}", f"{one} × {other}", pair.share, None))
    told = text("insight.pairs_none", aim=label)
    if bars and bars[0].value >= 0.005:
        key = "insight.pairs_sentence" if bars[0].low > 0 else "insight.pairs_unclear"
        told = text(key, pair=markdown_text(bars[0].label), aim=label, share=_share(bars[0].value),
                    low=_share(bars[0].low), high=_share(bars[0].high))  # fmt: skip
    return PairsView(aim.name, tuple(bars), tuple((p.first, p.second) for p in best), told)


def matrix_view(found: Sequence[AimImportance]) -> MatrixView:
    """Return all choices against all aims, the choices that matter most somewhere first."""
    told = [one for one in found if one.predicts]
    labels = {b.key: b.label for one in found for b in one.bars if b.key}
    largest = {key: max((b.value for one in told for b in one.bars if b.key == key), default=0.0) for key in labels}
    keys = sorted(labels, key=lambda key: -largest[key])
    known = [{b.key: b for b in one.bars} if one.predicts else {} for one in found]
    shares = tuple(tuple(row[key].value if key in row else None for row in known) for key in keys)
    hover = tuple(
        tuple(f"{one.label}<br>{row[key].words}" if key in row else one.sentence for one, row in zip(found, known))
        for key in keys
    )
    silent = tuple(one.label for one in found if not one.predicts)
    return MatrixView(tuple(labels[k] for k in keys), tuple(titled(one.label) for one in found), shares, hover, silent)


def titled(words: str) -> str:
    """Return the name of an aim to stand alone: with a capital first letter, and unquoted."""
    bare = words.removeprefix("“").removesuffix("”")
    return bare[:1].upper() + bare[1:]


def _bar(key: str, label: str, main: Share, shap: Share | None) -> Bar:
    words = text("insight.bar_words", choice=label, share=_share(main.value), low=_share(main.low),
                 high=_share(main.high))  # fmt: skip
    if shap is not None:
        words += text("insight.bar_shap", share=_share(shap.value))
    beside = (None, None, None) if shap is None else (shap.value, shap.low, shap.high)
    return Bar(key, label, main.value, main.low, main.high, beside[0], beside[1], beside[2], words)


def _sentence(label: str, bars: Sequence[Bar], found: Importance) -> str:
    r = found.reliability
    if not bars:
        return text("insight.constant_aim", aim=label)
    if not r.predicts:
        return text(
            "insight.not_predicted", aim=label, r2=percent(r.r2), low=percent(r.r2_low), high=percent(r.r2_high)
        )
    first = bars[0]
    words = {
        "choice": markdown_text(first.label),
        "share": _share(first.value),
        "low": _share(first.low),
        "high": _share(first.high),
    }
    if len(bars) == 1 or bars[1].value < 0.01:
        return text("insight.sentence_one", aim=label, **words)
    return text(
        "insight.sentence_two", aim=label, second=markdown_text(bars[1].label), other=_share(bars[1].value), **words
    )


def _share(value: float) -> str:
    """Return a share as a percentage; small ones as "< 1 %"."""
    return text("insight.below_one") if 0 < value < 0.005 else percent(value)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
