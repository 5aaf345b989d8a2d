"""Audits: what is looked at after a search, so that the search cannot have aimed at it.

A measure that is optimised stops being a good measure (Goodhart). Here are two that are kept out of every search, to be
plotted beside those that are not: ``simulated_user``, whether somebody with a bounded memory can foresee the network
from its explanations, and ``random_control``, how much more faithful its attributions are than random ones. Neither is
in ``MEASURES``, neither can be an objective, nothing in ``evaluation`` or ``search`` may import this folder, and tests
hold all three. They are numbers to be suspicious with: a front that improves on its own measures and not on these has
learned the measures.

The other audits ask whether what a search reports holds: ``confirm`` draws the validation rows again, trains with other
seeds and looks at fresh rows (P(on the front), the winner's curse), ``subgroups`` finds for whom a model works worst,
``untrained`` measures the same network before its training, ``eligibility`` asks the guards again, and ``off_data``
whether a network does on mixtures of rows, where it is explained, what it does on data, where it is used.
"""

from nas_core.audit.confirm import front_probability
from nas_core.audit.eligibility import guard_checks
from nas_core.audit.off_data import off_data_check
from nas_core.audit.random_control import random_control
from nas_core.audit.simulated_user import simulated_user_accuracy
from nas_core.audit.subgroups import subgroup_skills
from nas_core.audit.untrained import untrained_twin

__all__ = [
    "front_probability",
    "guard_checks",
    "off_data_check",
    "random_control",
    "simulated_user_accuracy",
    "subgroup_skills",
    "untrained_twin",
]
