"""Runs: a search in a background thread that can be watched, steered, paused, stopped and resumed exactly.

``run`` is the handle, ``coordinator`` the thread that owns the strategy and the evaluator, ``ledger`` and ``writer``
its books, ``control`` what other threads may ask of it. ``registry`` knows the runs of this process, ``viewer`` follows
any run, also one of another process; ``report`` turns a run into one JSON document, ``candidates`` loads a trained
one. ``doctor`` looks at the ``machine`` and what is installed.
"""
