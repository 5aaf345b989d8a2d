"""A decision record as sections of rows, tables and sentences, in whatever language the words are given in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nas_core.preferences import INTERPRETABILITY, PERFORMANCE
from nas_core.reports.amounts import amount, clock, difference, duration, share, with_interval
from nas_core.reports.gathering import record_file
from nas_core.reports.record import DecisionRecord
from nas_core.reports.words import WORDS

__all__ = ["Section", "record_sections"]

Words = Mapping[str, str]


@dataclass(frozen=True)
class Section:
    """One part of a document; what is empty is not written.

    Attributes:
        key: What it is about, the same in every language.
        title: Its heading.
        rows: Terms with what is said of them.
        head, table: A table.
        sentences: Paragraphs, after rows and table.
        items: A list.
        codes: Sentences with a command each; the sentence may be empty.
    """

    key: str
    title: str
    rows: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    sentences: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()


def record_sections(record: DecisionRecord, words: Words = WORDS) -> tuple[Section, ...]:
    """Return the sections of a record.

    Args:
        record: What was decided.
        words: Sentences by key, those of :data:`WORDS`; ``measure_NAME`` and ``strategy_NAME`` may name what they name.
    """
    return (
        _decision(record, words), _caveats(record, words), _chosen(record, words), _measures(record, words),
        _alternatives(record, words), _wish(record, words), _test(record, words), _data(record, words),
        _search(record, words), _acts(record, words), _remake(record, words), _versions(record, words),
    )  # fmt: skip


def _decision(r: DecisionRecord, w: Words) -> Section:
    word = w.get(f"state_{r.state}", r.state)
    state = word if not r.state_reason else w["state_words"].format(state=word, reason=r.state_reason)
    rows = (
        (w["choice"], f"#{r.chosen.number} · {r.chosen.structure}"), (w["reason"], r.reason or w["no_reason"]),
        (w["by"], r.by or w["nobody"]), (w["when"], clock(r.made)), (w["run"], f"{r.run_name} ({r.run_id})"),
        (w["state"], state),
    )  # fmt: skip
    return Section("decision", w["decision"], rows)


def _caveats(r: DecisionRecord, w: Words) -> Section:
    return Section("caveats", w["caveats"], items=tuple(_filled(w, f"caveat_{c.kind}", c.facts) for c in r.caveats))


def _chosen(r: DecisionRecord, w: Words) -> Section:
    c = r.chosen
    origin = w.get(f"origin_{c.origin}", c.origin)
    skill = "–" if c.skill is None else w["skill_words"].format(skill=with_interval(c.skill))
    rows = [
        (w["performance"].format(metric=r.metric_label), with_interval(c.performance)),
        (w["interpretability"], amount(c.interpretability)), (w["skill"], skill), (w["built"], c.structure),
        (w["parameters"], f"{c.cost.parameters:,}"), (w["operations"], f"{c.cost.operations:,}"),
        (w["front"], w["front_words"].format(answer=w["yes" if c.on_front else "no"], count=r.front)),
        (w["made"], w["made_words"].format(origin=origin, operator=c.operator, seed=c.seed, version=c.space)),
        (w["identity"], c.id),
    ]  # fmt: skip
    others = {n: v for n, v in c.metrics.items() if n != r.metric}
    if others:
        rows.append((w["metrics"], ", ".join(f"{name} {amount(value)}" for name, value in others.items())))
    return Section("chosen", w["chosen"], tuple(rows))


def _measures(r: DecisionRecord, w: Words) -> Section:
    head = tuple(w[key] for key in ("measure", "score", "interval", "weight", "raw"))
    table = []
    for name, m in r.chosen.measures.items():
        spread = "–" if m.low is None or m.high is None else f"{amount(m.low)} – {amount(m.high)}"
        if m.value is not None and m.low == m.high == m.value:
            spread = w["exact"]
        score = amount(m.value) if m.value is not None else w["undefined"].format(reason=(m.reason or "").rstrip("."))
        table.append((measure_name(name, w), score, spread, share(r.weights.get(name, 0.0)), amount(m.raw)))
    return Section("measures", w["measures"], head=head, table=tuple(table))


def _alternatives(r: DecisionRecord, w: Words) -> Section:
    if not r.alternatives:
        return Section("alternatives", w["alternatives"], sentences=(w["alternatives_none"],))
    head = (w["candidate"], w["role"], r.metric_label, w["gain"], w["told_apart"], w["interpretability"], w["gain"],
            w["parameters"], w["built"])  # fmt: skip
    table = [
        (f"#{a.number}", ", ".join(w[f"role_{role}"] for role in a.roles), with_interval(a.performance),
         difference(a.performance_gain), w["no" if a.overlaps else "yes"], amount(a.interpretability),
         difference(a.interpretability_gain), f"{a.parameters:,}", a.structure)
        for a in r.alternatives
    ]  # fmt: skip
    return Section("alternatives", w["alternatives"], head=head, table=tuple(table), sentences=(w["told_apart_help"],))


def _wish(r: DecisionRecord, w: Words) -> Section:
    wish = r.preference
    families = ", ".join(f"{w[f'family_{n}']} {share(v)}" for n, v in wish.families.items()) or w["families_none"]
    rows = (
        (w["lambda"], w["lambda_words"].format(weight=f"{wish.weight:.2f}")), (w["families"], families),
        (w["goals"], ", ".join(_goal(r, w, g.name, g.value) for g in wish.goals) or w["goals_none"]),
    )  # fmt: skip
    return Section("wish", w["wish"], rows)


def _goal(r: DecisionRecord, w: Words, name: str, value: float) -> str:
    if name == PERFORMANCE:
        return f"{r.metric_label} {'≥' if r.maximise else '≤'} {amount(value)}"
    label = w["goal_interpretability"] if name == INTERPRETABILITY else measure_name(name, w)
    return f"{label} ≥ {amount(value)}"


def _test(r: DecisionRecord, w: Words) -> Section:
    if r.test is None:
        return Section("test", w["test"], sentences=(w["test_closed"],))
    t = r.test
    said = [w["test_words"].format(metric=r.metric_label, fresh=with_interval(t.fresh), rows=t.rows,
                                   validation=with_interval(t.validation)),
            w["test_skill"].format(skill=with_interval(t.skill)), w["test_looks"].format(looks=t.looks)]  # fmt: skip
    return Section("test", w["test"], sentences=tuple(said))


def _data(r: DecisionRecord, w: Words) -> Section:
    d = r.data
    scheme = w[f"split_{d.split}"].format(column=d.split_column or w["row_order"])
    shares = " / ".join(f"{100 * part:.4g} %" for part in d.fractions)
    rows = w["rows_unknown"]
    if d.train_rows is not None:
        counts = {"train": d.train_rows, "valid": d.valid_rows, "test": d.test_rows}
        rows = w["rows_words"].format(**{name: f"{many:,}" for name, many in counts.items()})
    found = [(w["data_name"], d.name), (w["data_from"], f"{d.kind}: {d.location}"), (w["hash"], d.hash),
             (w["task"], w[f"task_{d.task}"]), (w["rows"], rows),
             (w["split"], w["split_words"].format(scheme=scheme, seed=d.split_seed, shares=shares))]  # fmt: skip
    if d.target is not None:
        found.insert(3, (w["target"], d.target))
    return Section("data", w["data"], tuple(found))


def _search(r: DecisionRecord, w: Words) -> Section:
    b = r.budget
    limits = [w["budget_candidates"].format(count=f"{b.candidates:,}")] if b.candidates is not None else []
    limits += [w["budget_seconds"].format(time=duration(b.seconds))] if b.seconds is not None else []
    steps = [
        w["space_edit"].format(version=s.version, since=f"{s.since:,}", words=s.words.rstrip(".") or "–")
        if at else w["space_first"].format(version=s.version)
        for at, s in enumerate(r.space)
    ]  # fmt: skip
    statuses = ", ".join(w[f"status_{name}"].format(count=f"{many:,}") for name, many in b.by_status.items())
    rows = (
        (w["family"], r.space_family), (w["space"], "; ".join(steps)),
        (w["strategy"], w.get(f"strategy_{r.strategy}", r.strategy)), (w["seed"], str(r.seed)),
        (w["device"], r.device), (w["budget"], ", ".join(limits) or w["budget_none"]),
        (w["used"], w["used_words"].format(count=f"{b.evaluated:,}", time=duration(b.used_seconds))),
        (w["statuses"], statuses or "–"), (w["hypervolume"], amount(r.hypervolume)),
    )  # fmt: skip
    return Section("search", w["search"], rows)


def _acts(r: DecisionRecord, w: Words) -> Section:
    items = tuple(
        w["act"].format(evaluated=f"{a.evaluated:,}", words=_filled(w, f"act_{a.kind}", a.facts)) for a in r.acts
    )
    return Section("acts", w["acts"], items=items, sentences=() if items else (w["acts_none"],))


def _remake(r: DecisionRecord, w: Words) -> Section:
    file = f"{record_file(r.run_id, r.chosen.number)}.json"
    codes: list[tuple[str, str]] = []
    if r.remake.retrainable:
        codes.append((w["remake_train"].format(file=file), f"nasight reproduce {file}"))
    codes.append((w["remake_exact" if r.remake.exact else "remake_near"], r.remake.search))
    reasons = tuple(f"{_filled(w, f'remake_{c.kind}', c.facts)}." for c in r.remake.because)
    said = () if r.remake.retrainable else (w["remake_not"],)
    return Section("remake", w["remake"], sentences=said, items=reasons, codes=tuple(codes))


def _versions(r: DecisionRecord, w: Words) -> Section:
    return Section("versions", w["versions"], sentences=(", ".join(f"{n} {v}" for n, v in r.versions.items()),))


def measure_name(name: str, words: Words) -> str:
    """Return what a person reads for a measure."""
    from nas_core.interpretability import MEASURES

    label = MEASURES[name].label if name in MEASURES else name.replace("_", " ")
    return words.get(f"measure_{name}", label)


def _filled(words: Words, key: str, facts: Mapping[str, str]) -> str:
    return words[key].format(**facts)
