"""Who is to blame when a pack fails as a whole: it is halved until the candidate stands alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from nas_core.errors import SettingsError
from nas_core.records import Evaluation, Proposal
from nas_core.spaces import StructuralFacts
from nas_core.training.shortage import free_memory, is_shortage

__all__ = ["failure_words", "in_halves"]

log = logging.getLogger(__name__)


def in_halves(
    proposals: Sequence[Proposal],
    attempt: Callable[[Sequence[Proposal]], Iterable[Evaluation]],
    failed: Callable[[Proposal, Exception], Evaluation],
    *,
    through: tuple[type[Exception], ...] = (SettingsError,),
) -> Iterator[Evaluation]:
    """Yield what ``attempt`` yields; what is left when it raises is attempted again, in halves.

    What was yielded stands. Nobody is blamed who was not alone in an attempt that raised. What the failed attempt held
    is given back before the next one begins, so a pack that needed too much memory makes room for its halves.

    Args:
        proposals: The pack.
        attempt: Evaluates some of them, each exactly as it would all of them.
        failed: Makes the evaluation of the one that is to blame.
        through: Errors for which no candidate is to blame.
    """
    waiting = [list(proposals)] if proposals else []
    while waiting:
        part = waiting.pop()
        left = {p.architecture.id: p for p in part}
        problem: Exception | None = None
        try:
            for evaluation in attempt(part):
                del left[evaluation.id]
                yield evaluation
        except through:
            raise
        except Exception as error:
            if len(part) == 1:
                log.exception("Candidate %s failed", part[0].architecture.id)
            problem = error
        if problem is None or not left:
            continue
        _let_go(problem)
        if is_shortage(problem):
            free_memory()
        rest = list(left.values())
        if len(part) == 1:
            yield failed(rest[0], problem)
            continue
        half = (len(rest) + 1) // 2
        log.warning("A pack of %d failed (%s); trying %d of it again", len(part), problem, half)
        waiting += [p for p in (rest[half:], rest[:half]) if p]


def failure_words(error: Exception, known: StructuralFacts | None) -> str:
    """Return why a candidate failed; where memory ran out, with how large it is."""
    words = f"{type(error).__name__}: {error}"
    if not is_shortage(error) or known is None:
        return words
    size = f"{known.parameters:,} parameters ({4 * known.parameters / 1e6:,.1f} MB of weights)"
    return f"Too large for the memory, even alone: {size}, {known.operations:,} operations a prediction. {words}"


def _let_go(error: BaseException | None) -> None:
    """Forget the frames an error and its causes hold: with them go the tensors of the failed attempt."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
