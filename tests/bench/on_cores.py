"""An evaluator of packs of tables on all cores whose workers are ready, as they are some time into a search."""

from __future__ import annotations

import threading
import time

import numpy as np

from nas_core import Problem, SearchSpace
from nas_core.evaluation.cores import LEAST, CoresEvaluator, cores_of_each, divided
from nas_core.evaluation.isolation.beside import Beside
from nas_core.evaluation.isolation.recipes import PackRecipe
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Proposal

__all__ = ["ready_on_cores"]


def ready_on_cores(problem: Problem, space: SearchSpace, size: int, cores: int) -> CoresEvaluator:
    """Return an evaluator that has evaluated a pack of ``size`` and waited for its workers; close it in the end."""
    recipe = PackRecipe(
        problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), device="cpu",
        cores=cores_of_each(cores),
    )  # fmt: skip
    own = PackEvaluator(problem, space, device="cpu")
    several = CoresEvaluator(own, lambda: Beside(recipe), divided(problem), cores, worth=0.0)
    try:
        work = [Proposal(architecture=space.sample(np.random.default_rng(k), problem.hints)) for k in range(size)]
        list(several.evaluate(work, stop=threading.Event()))
        several.take_weights()
        while several.ready < min(cores, size // LEAST):
            time.sleep(0.1)
    except BaseException:
        several.close()
        raise
    return several
