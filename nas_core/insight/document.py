"""Everything that is said about the choices of a run, as plain data and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas_core.insight.aims import Aim
    from nas_core.insight.importance import Importance, Share
    from nas_core.insight.material import Material

__all__ = ["caveat", "insight_document", "sentence"]


def sentence(aim: Aim, found: Importance) -> str:
    """Return in one sentence which choice explains most of an aim, or why nothing can be said."""
    if not found.main or not found.reliability.n:
        return f"{aim.label} does not vary among these candidates."
    r = found.reliability
    if not r.predicts:
        return (
            f"The choices do not predict {aim.label}: of candidates not seen before the surrogate explains "
            f"{r.r2:.0%} [{r.r2_low:.0%} – {r.r2_high:.0%}] of the variation, so it has nothing to say."
        )
    first = _said(found.labels[0], found.main[0])
    second = f", {_said(found.labels[1], found.main[1])}" if len(found.main) > 1 else ""
    return f"Of the variation of {aim.label} {first}{second}; {found.together.value:.0%} are interactions."


def _said(label: str, share: Share) -> str:
    return f"“{label}” explains {share.value:.0%} [{share.low:.0%} – {share.high:.0%}]"


def caveat() -> str:
    """Return what has to be known to read the shares."""
    return (
        "Shares are of the surrogate's variation, with every choice drawn independently of the others as often as this "
        "search tried it; they say nothing of options that were not tried."
    )


def insight_document(material: Material, found: Sequence[tuple[Aim, Importance]]) -> dict[str, Any]:
    """Return the importance of each choice for each aim as JSON-able data."""
    return {
        "candidates": len(material),
        "eligible": material.eligible,
        "left_out": material.left_out,
        "sampled": material.sampled,
        "constant": list(material.constant),
        "caveat": caveat(),
        "aims": [_aim(aim, importance) for aim, importance in found],
    }


def _aim(aim: Aim, found: Importance) -> dict[str, Any]:
    r, shap = found.reliability, found.shap or (None,) * len(found.keys)
    reliability = {
        name: round(getattr(r, name), 6) for name in ("r2", "r2_low", "r2_high", "rank", "rank_low", "rank_high")
    }
    choices = [
        {"key": key, "label": label, "share": _share(main), "shap": None if s is None else _share(s)}
        for key, label, main, s in zip(found.keys, found.labels, found.main, shap)
    ]
    return {
        "name": aim.name,
        "label": aim.label,
        "n": found.n,
        "predicts": r.predicts,
        "reliability": reliability,
        "sentence": sentence(aim, found),
        "interactions": _share(found.together),
        "choices": choices,
    }


def _share(share: Share) -> dict[str, float]:
    return {"value": round(share.value, 6), "low": round(share.low, 6), "high": round(share.high, 6)}
