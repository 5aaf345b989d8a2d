"""Evaluation in a process of its own: what crashes, hangs or eats memory there is recorded, and the run goes on.

``evaluator`` is the door: an Evaluator around a worker process, whose life is in ``supervisor`` and whose progress and
questions ``teller`` passes on. ``limits`` is what holds for a candidate, ``recipes`` from what the worker builds the
real evaluator (there is no pickle: settings, problem and space as the store has them), ``frames`` what goes through the
pipes, ``process`` the worker as its parent sees it, ``worker`` what runs inside it, ``memory`` how much of it a process
has.
"""
