"""What a person changes while a run lives, applied between two packs by the run's own thread.

Nothing here commits: the coordinator does, everything that was taken over at one time together.
"""

from __future__ import annotations

from typing import Any

from nas_core.preferences import Preference
from nas_core.records import Evaluation
from nas_core.runs.control import Budget, Control, Halving, Rules, SpaceEdit, StrategyChange
from nas_core.runs.ledger import Ledger
from nas_core.runs.rules import StoppingRules
from nas_core.runs.searcher import Searcher
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import SpaceVersion
from nas_core.runs.waiting import Waiting

__all__ = ["Acts"]

OUTSIDE = "They are not in the new version of the search space"


class Acts:
    """Takes wishes from the control, applies them and notes them in the ledger.

    Attributes:
        versions: The versions of the space so far, the present one last.
    """

    def __init__(
        self,
        control: Control,
        ledger: Ledger,
        searcher: Searcher,
        rules: StoppingRules,
        waiting: Waiting,
        versions: tuple[SpaceVersion, ...],
    ) -> None:
        self._control, self._ledger, self._searcher = control, ledger, searcher
        self._rules, self._waiting = rules, waiting
        self.versions = versions

    def take_proposals(self) -> bool:
        """Queue the candidates that were proposed since the last look; return whether there are any."""
        asked = self._control.take_proposals()
        space = self._searcher.space
        belonging = [p for p in asked if not space.validate_architecture(p.architecture)]
        fresh = self._waiting.take_in(belonging, self._searcher.known)
        if asked:
            self._ledger.note("proposed", candidates=fresh, known=len(belonging) - len(fresh))
        if outside := [p.architecture.id for p in asked if p not in belonging]:
            self._ledger.note("dropped", candidates=outside, reason=OUTSIDE)
        return bool(asked)

    def take_candidates(self) -> bool:
        """Queue the candidates that were overruled, and let go those that are given up before their turn."""
        fresh = self._waiting.overrule(self._control.take_overruled(), self._searcher.known, self._ledger.evaluation)
        if fresh:
            self._ledger.note("overruled", candidates=fresh)
        kills = self._control.kills
        gone = self._waiting.drop(kills)
        if gone:
            self._ledger.note("killed", candidates=gone, waiting=True)
        self._control.end_kills(kills)
        return bool(fresh or gone)

    def take_limits(self, settings: RunSettings) -> RunSettings:
        """Return ``settings`` with the budget and the stopping rules that were asked for."""
        changes: dict[str, Any] = {}
        if (budget := self._control.take(Budget)) is not None:
            changes |= {"candidates": budget.candidates, "seconds": budget.seconds}
            self._ledger.note("budget", candidates=budget.candidates, seconds=budget.seconds)
        if (rules := self._control.take(Rules)) is not None:
            changes |= {"until_goals": rules.until_goals, "plateau": rules.plateau}
            self._ledger.note("rules", until_goals=rules.until_goals, plateau=rules.plateau)
        return settings.model_copy(update=changes)

    def take_direction(self, settings: RunSettings) -> RunSettings:
        """Let the search go where it was asked to; return ``settings`` with what changed."""
        before = settings
        steered = self._take_preference(settings)
        settings = self._take_halving(steered)
        change, edit = self._control.take(StrategyChange), self._control.take(SpaceEdit)
        switched = change is not None and change.name != settings.strategy
        if change is not None and switched:
            settings = settings.model_copy(update={"strategy": change.name})
        edited = edit is not None and edit.space.id != self._searcher.space.id
        told = None
        if edit is not None and edited:
            told = self._edit(edit, settings)
        elif switched:
            told = self._searcher.renew(settings, self._searcher.space)
        elif steered is not before:
            self._searcher.steer(settings.preference)
        if told is not None:
            if switched:
                names = {"from": before.strategy, "to": settings.strategy}
                self._ledger.note("strategy", **names, told=len(told))
            self._rules.fill(told)
        if told is not None or steered is not before:
            self._rules.move_on()
        return settings

    def _take_preference(self, settings: RunSettings) -> RunSettings:
        preference = self._control.take(Preference)
        if preference is None or preference == settings.preference:
            return settings
        self._ledger.note("steered", preference=preference.model_dump(mode="json"))
        return settings.model_copy(update={"preference": preference})

    def _take_halving(self, settings: RunSettings) -> RunSettings:
        halving = self._control.take(Halving)
        if halving is None or halving.on == settings.halving:
            return settings
        self._ledger.note("halving", on=halving.on)
        return settings.model_copy(update={"halving": halving.on})

    def _edit(self, edit: SpaceEdit, settings: RunSettings) -> list[Evaluation]:
        """Go on in another version of the space; return what the strategy is told: what lies outside stays known."""
        previous, known = self._searcher.space, len(self._searcher.known)
        space = edit.space.changed(version=max(edit.space.version, previous.version + 1))
        told = self._searcher.renew(settings, space)
        inside = len(told)
        self.versions = (*self.versions, SpaceVersion(space, edit.words, known, inside, known - inside))
        self._ledger.change(space=space.model_dump(mode="json"))
        self._ledger.note(
            "space", version=space.version, words=edit.words, inside=inside, outside=known - inside,
            previous=previous.model_dump(mode="json"),
        )  # fmt: skip
        if dropped := self._waiting.drop_outside(space):
            self._ledger.note("dropped", candidates=dropped, reason=OUTSIDE)
        return told
