"""From proposals to evaluations: train, predict the validation rows, judge, measure.

``base`` is the interface, ``packs`` the real evaluator (many candidates at once), ``synthetic`` a public fake without
torch, ``performance`` the metrics with their bootstrap, ``floors`` the trivial models printed beside every result.
"""
