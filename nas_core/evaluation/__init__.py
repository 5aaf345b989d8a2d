"""From proposals to evaluations: train, predict the validation rows, judge, measure.

``base`` is the interface, ``packs`` the real evaluator (networks of tables many at once, others one by one in the
order of ``turns``; ``halves`` finds who is to blame when a pack fails), ``isolation`` the same in a process of its own,
``judged`` what the measures look at, ``synthetic`` a public fake without torch, ``misbehaving`` one that crashes, hangs
and eats memory, ``performance`` the metrics with their bootstrap, ``metric_intervals`` all of a task at once,
``classified`` and ``residuals`` what goes wrong for whom, ``guards`` what refuses models that say nothing, ``floors``
the trivial models printed beside every result, ``baselines`` plain models on the same axes, ``calibration`` the time
that a search will take, ``throughput`` the candidates a second of this machine.
"""
