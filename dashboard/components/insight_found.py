"""What the Insight page has worked out, shared by all tabs of this process: one run at one moment.

A moment is a revision of a run: on a live run everything stays as of one candidate until a person asks for more, so
nothing moves while somebody reads, and nothing is worked out again and again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from dashboard.components.pool import pool_of
from dashboard.texts import text
from dashboard.views.insight import AimImportance, aim_label, importance_view
from dashboard.watching import Watched, ranking

if TYPE_CHECKING:
    from nas_core.insight import AblationPath, Aim, Effect, Embedding, Importance, Material, Pair, PairMap
    from nas_core.insight.importance import Explained
    from nas_core.preferences import Preference
    from nas_core.search import Ranking

__all__ = ["Moment", "moment_of"]

Found = TypeVar("Found")
KEPT = {"material": 3, "surrogate": 6, "map": 12}
"""How many of the large things are kept; of the others 128."""
MAPPED = 10_000
"""Candidates that a map shows; of more, as many drawn at random."""

_memory: dict[str, OrderedDict[tuple[Hashable, ...], Any]] = {}
_lock, _working = threading.Lock(), threading.RLock()


@dataclass(frozen=True)
class Moment:
    """A run as of one revision, under one preference.

    Attributes:
        run, created, revision: Which run, and when.
        material: Its candidates that count, as of then.
        ranked: Them, ranked under the preference in force.
    """

    run: str
    created: float
    revision: int
    material: Material
    ranked: Ranking

    @property
    def candidates(self) -> int:
        """How many candidates the run had evaluated."""
        return len(self.material.snapshot)

    def label(self, name: str) -> str:
        """Return what a person calls an aim."""
        return aim_label(name, self.material.snapshot.objective, self.ranked.preference.weight)

    def aim(self, name: str) -> Aim:
        """Return one aim of the candidates."""
        return self.material.aim(name, self.ranked)

    def surrogate(self, name: str) -> Explained:
        """Return the surrogate of an aim; shows how far it is while it is fitted."""
        from nas_core.insight.importance import explained

        def fit() -> Explained:
            label = text("insight.fitting", aim=self.label(name))
            bar = st.progress(0.0, text=label)

            def told(share: float) -> None:
                bar.progress(share, text=label)

            try:
                return explained(self.material.facets, self.aim(name).values, on_progress=told)
            finally:
                bar.empty()

        return _kept("surrogate", self._key(name), fit)

    def importance(self, name: str, *, shap: bool = True) -> Importance:
        """Return how much each choice explains of an aim."""
        from nas_core.insight import importance_of

        return _kept("importance", (*self._key(name), shap),
                     lambda: _spun(lambda: importance_of(self.surrogate(name), shap=shap)))  # fmt: skip

    def importance_view(self, name: str, *, shap: bool = True) -> AimImportance:
        """Return what is drawn of it."""
        return importance_view(self.aim(name), self.importance(name, shap=shap), self.label(name))

    def predicts(self, name: str) -> bool:
        """Return whether the surrogate of an aim predicts."""
        found = _kept("reliability", self._key(name), lambda: self.surrogate(name).forest.reliability())
        return bool(found.predicts)

    def effect(self, name: str, key: str) -> Effect:
        """Return what a choice does to an aim."""
        from nas_core.insight import effect_of

        return _kept("effect", (*self._key(name), key), lambda: effect_of(self.surrogate(name), key))

    def pairs(self, name: str) -> tuple[Pair, ...]:
        """Return what every two choices explain jointly."""
        from nas_core.insight import pairs_of

        return _kept("pairs", self._key(name), lambda: _spun(lambda: pairs_of(self.surrogate(name))))

    def surface(self, name: str, one: str, other: str) -> PairMap:
        """Return the mean aim for each combination of two choices."""
        from nas_core.insight import pair_map

        return _kept("surface", (*self._key(name), one, other), lambda: pair_map(self.surrogate(name), one, other))

    def path(self, source: str, target: str) -> AblationPath:
        """Return the way from one candidate to another at λ."""
        from nas_core.insight import ablation_path

        key = (*self._key("scalar"), source, target)
        both = ("performance", "interpretability")
        return _kept("path", key, lambda: ablation_path(
            self.material, {name: self.surrogate(name) for name in both}, self.ranked, source, target
        ))  # fmt: skip

    def whole(self) -> Material:
        """Return as many candidates as a map can hold: all up to 10,000."""
        from nas_core.insight import gather

        if not self.material.sampled:
            return self.material
        known = self.material
        return _kept("material", (*self._key(""), "whole"), lambda: _spun(
            lambda: gather(known.snapshot, pool_of(self.run).candidates(), known.space, most=MAPPED)
        ))  # fmt: skip

    def embedding(self) -> Embedding:
        """Return the candidates of :meth:`whole` on a plane."""
        from nas_core.insight import embedding_of

        return _kept("embedding", self._key(""), lambda: _spun(lambda: embedding_of(self.whole().facets)))

    def once(self, kind: str, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
        """Return what ``find`` makes of this moment under the preference in force, made once for each ``key``."""
        return _kept(kind, (*self._key("scalar"), *key), find)

    def _key(self, name: str) -> tuple[Hashable, ...]:
        """Return what decides an aim: interpretability depends on the weights of measures, the trade-off on λ too."""
        wish: Preference = self.ranked.preference
        parts: dict[str, str] = {
            "interpretability": wish.model_copy(update={"weight": 0.5, "goals": ()}).model_dump_json(),
            "scalar": wish.model_dump_json(),
        }
        return self.run, self.created, self.revision, name, parts.get(name, "")


def moment_of(watched: Watched, preference: Preference, revision: int | None = None) -> Moment:
    """Return a run as of ``revision`` where that is still known, else as of now."""
    from nas_core.insight import gather

    def read() -> Material:
        return _spun(lambda: gather(watched.snapshot, pool_of(watched.record.id).candidates(), watched.space))

    run, created = watched.record.id, watched.record.created
    at = watched.snapshot.revision if revision is None else revision
    material: Material = _kept("material", (run, created, at), read)
    if material.snapshot is watched.snapshot:
        ranked = ranking(watched, preference)
    else:
        ranked = _kept("ranking", (run, created, at, preference.model_dump_json()),
                       lambda: material.snapshot.rank(preference))  # fmt: skip
    return Moment(run, created, at, material, ranked)


def _spun(work: Callable[[], Found]) -> Found:
    """Do something that may take a second or two while the page says so."""
    with st.spinner(text("insight.working"), show_time=True):
        return work()


def _kept(kind: str, key: tuple[Hashable, ...], find: Callable[[], Found]) -> Found:
    """Return what ``find`` returns, from memory when it was found before; one finds at a time."""
    with _lock:
        memory = _memory.setdefault(kind, OrderedDict())
        if key in memory:
            memory.move_to_end(key)
            return memory[key]
    with _working:
        with _lock:
            if key in memory:
                return memory[key]
        found = find()
        with _lock:
            memory[key] = found
            while len(memory) > KEPT.get(kind, 128):
                memory.popitem(last=False)
        return found
