"""What is wrong inside a network, in words, with the numbers and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nas_core.explanations.diagnosis_records import Finding, Flow, GradientCheck, LayerDiagnosis, Severity, Units

__all__ = ["findings"]

ORDER: tuple[Severity, ...] = ("serious", "warning", "note")
MOST, MANY, MOSTLY = (
    0.9,
    0.3,
    0.5,
)  # shares of a layer's units from which a finding is serious, a warning; of weights near zero, a note
NAMED = 3
"""Layers of one kind of finding that are told one by one; more of them are told together."""
VANISHED = (
    "Fewer layers, a residual connection, normalisation, or relu instead of sigmoid or tanh (Hochreiter 1991; "
    "Glorot & Bengio 2010)."
)
EXPLODED = "Smaller initial weights, normalisation, or a smaller learning rate (Glorot & Bengio 2010)."
Pair = tuple[LayerDiagnosis, Units]


def findings(
    layers: Sequence[LayerDiagnosis], check: GradientCheck, *, seen: int, rows: int, loss: float
) -> tuple[Finding, ...]:
    """Return what is wrong, the most serious first.

    Args:
        layers: All layers.
        check: The comparison of gradients with finite differences.
        seen: Rows behind the units.
        rows: Training rows behind the gradients.
        loss: Mean training loss on them.
    """
    found = [
        *_of_check(check),
        *_of_numbers(layers, loss),
        *_constant(layers, seen),
        *_of_flow(layers, rows),
        *_of_units(layers, seen),
        *_of_zeros(layers),
    ]
    return tuple(sorted(found, key=lambda f: ORDER.index(f.severity)))


def _of_check(check: GradientCheck) -> Iterator[Finding]:
    if check.ok is False:
        yield Finding(
            "serious", "check",
            f"Its gradients are wrong: at {check.worst} automatic differentiation and finite differences differ by "
            f"{_share(check.error or 0.0)}; rounding explains {check.tolerance:g}.",
            "An operation has a wrong derivative. Trust neither its training nor attributions by gradients.",
        )  # fmt: skip


def _of_numbers(layers: Sequence[LayerDiagnosis], loss: float) -> Iterator[Finding]:
    broken = [x for x in layers if x.weight_norm != x.weight_norm or x.weight_norm == float("inf")]
    if broken or loss != loss or loss == float("inf"):
        where = f"the weights of {broken[0].label}" if broken else "its training loss"
        yield Finding(
            "serious", "numbers", f"Not all of {where} are finite numbers." if broken else f"{where} is not finite.",
            "Train it again with a smaller learning rate.", tuple(x.name for x in broken),
        )  # fmt: skip


def _constant(layers: Sequence[LayerDiagnosis], seen: int) -> Iterator[Finding]:
    """Say where nothing depends on the inputs any more: the whole network, or the network of a group."""
    if not layers:
        return
    last = layers[-1]
    if _all_dead(last):
        yield Finding(
            "serious", "constant", f"It answers the same on all {seen:,} rows.",
            "It ignores its inputs: choose another candidate, or train it longer.", (last.name,),
        )  # fmt: skip
        return
    idle = [x for x in layers[:-1] if x.name.endswith(".read") and _all_dead(x)]
    if idle:
        what = [x.label.removeprefix("readout of ").removeprefix("weights of ") for x in idle]
        shown = "; ".join(what[:NAMED]) + (f" and {len(what) - NAMED} more" if len(what) > NAMED else "")
        yield Finding(
            "warning", "idle", f"{len(idle)} of its networks add the same to every prediction: {shown}."
            if len(idle) > 1 else f"The same is added to every prediction by {shown}.",
            "Drop these features: nothing changes, and feature parsimony rises.", tuple(x.name for x in idle),
        )  # fmt: skip


def _all_dead(layer: LayerDiagnosis) -> bool:
    return bool(layer.units) and layer.units[0].dead == layer.units[0].count > 0


def _of_flow(layers: Sequence[LayerDiagnosis], rows: int) -> Iterator[Finding]:
    """Say where the gradient gets lost or grows; one that only did so at the beginning is a note."""
    tellings = (
        ("none", "no gradient at all reaches", "What lies behind is dead or cut off. " + VANISHED),
        ("vanishing", "the gradient vanishes on its way to", VANISHED),
        ("exploding", "the gradient explodes on its way to", EXPLODED),
    )
    for trend, words, advice in tellings:
        now = [x for x in layers if x.trained is not None and x.trained.trend == trend]
        before = [x for x in layers if x.initial is not None and x.initial.trend == trend]
        if now:
            both = any(x in before for x in now)
            since = ", as it did at initialisation" if both else ""
            severity: Severity = "serious" if trend == "exploding" or (len(now) > 1 and both) else "warning"
            told = f"After training {words} {_names(now)}{since}{_strength([x.trained for x in now])} ({rows:,} rows)."
            yield Finding(severity, trend, told, advice, tuple(x.name for x in now))
        elif before:
            told = f"At initialisation {words} {_names(before)}{_strength([x.initial for x in before])}."
            left = "Training has overcome it; a search that meets it often wastes epochs. "
            yield Finding("note", trend, told, left + advice, tuple(x.name for x in before))


def _strength(flows: Sequence[Flow | None]) -> str:
    """Return the strongest ratio in words, to two digits."""
    known = [f.ratio for f in flows if f is not None and f.ratio]
    if not known:
        return ""
    times = max(max(r, 1 / r) for r in known)
    told = f"{float(f'{times:.2g}'):,.0f}" if times < 1e9 else f"{times:.0e}"
    return f", {told} times {'weaker' if min(known) < 1 else 'stronger'} than in the layers it came through"


def _of_units(layers: Sequence[LayerDiagnosis], seen: int) -> Iterator[Finding]:
    """Say which units do nothing, and which hardly learn: ReLUs, other functions, and heads of attention apart."""
    on, mostly = f"on all {seen:,} rows", f"on at least 95 % of {seen:,} rows"
    quiet = [(x, u) for x in layers for u in x.units if u.dead and not (x is layers[-1] or x.name.endswith(".read"))]
    yield from _told(
        [p for p in quiet if p[1].function == "relu"], "dead", ("never fires", "never fire"), f"zero {on}",
        "A narrower layer would do the same; a smaller learning rate keeps more of them alive.",
    )  # fmt: skip
    yield from _told(
        [p for p in quiet if p[1].function not in ("relu", "attention")], "dead", ("never changes", "never change"),
        f"constant {on}", "A narrower layer would do the same.",
    )  # fmt: skip
    yield from _told(
        [p for p in quiet if p[1].function == "attention"], "dead",
        ("looks at all steps alike", "look at all steps alike"), "no step counts more than another",
        "A mean over the steps would do the same.",
    )  # fmt: skip
    stuck = [(x, u) for x in layers for u in x.units if u.saturated]
    yield from _told(
        [p for p in stuck if p[1].function != "attention"], "saturated", ("is saturated", "are saturated"),
        f"a slope below a thousandth of the steepest {mostly}",
        "They hardly learn any more: smaller initial weights, normalisation, or relu.",
    )  # fmt: skip
    yield from _told(
        [p for p in stuck if p[1].function == "attention"], "saturated",
        ("looks at one step only", "look at one step only"), f"a single step has all the weight {mostly}",
        "It hardly learns to look elsewhere: a smaller learning rate or width.",
    )  # fmt: skip


def _told(pairs: Sequence[Pair], kind: str, verbs: tuple[str, str], why: str, advice: str) -> Iterator[Finding]:
    """Tell of each layer, or of all together where there are many; ``verbs`` are for one unit and for several."""

    def number(units: Units) -> int:
        return len(units.dead_at if kind == "dead" else units.saturated_at)

    if len(pairs) <= NAMED:
        for layer, units in pairs:
            name = "" if units.function in ("output", "relu") else f" ({units.function})"
            verb = verbs[number(units) > 1]
            words = f"{number(units):,} of {units.count:,} {units.what} of {layer.label}{name} {verb}: {why}."
            yield Finding(_severity(number(units) / units.count), kind, words, advice, (layer.name,))
        return
    total, count = sum(number(u) for _, u in pairs), sum(u.count for _, u in pairs)
    layer, units = max(pairs, key=lambda p: number(p[1]) / p[1].count)
    words = (
        f"{total:,} of {count:,} {units.what} in {len(pairs)} layers {verbs[1]}: {why}. Most of them in {layer.label}: "
        f"{number(units):,} of {units.count:,}."
    )
    yield Finding(_severity(total / count), kind, words, advice, tuple(dict.fromkeys(x.name for x, _ in pairs)))


def _of_zeros(layers: Sequence[LayerDiagnosis]) -> Iterator[Finding]:
    some = [x for x in layers if (x.zero_share or 0) >= MOSTLY]
    if some:
        zeros, total = sum(x.zeros for x in some), sum(x.connections for x in some)
        yield Finding(
            "note", "zeros", f"{zeros:,} of {total:,} weights of {_names(some)} are practically zero (below 10⁻⁶).",
            "They can be left out: a narrower layer or fewer features would do the same.", tuple(x.name for x in some),
        )  # fmt: skip


def _names(layers: Sequence[LayerDiagnosis]) -> str:
    """Return the labels of some layers: all of few, the first of many."""
    shown = [x.label for x in layers]
    if len(shown) > NAMED + 1:
        shown = [*shown[:NAMED], f"{len(shown) - NAMED} more layers"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _severity(share: float) -> Severity:
    return "serious" if share >= MOST else "warning" if share >= MANY else "note"


def _share(value: float) -> str:
    return f"{100 * value:.2g} %"
