"""Evaluating on a Ray cluster: a part of a pack is a task on any node, everything else stays in the run's own process.

``address`` reads what a person writes and refuses what cannot work, ``connection`` joins and watches the cluster,
``task`` is what runs on its nodes, ``tasks`` gives them out, ``evaluator`` takes each candidate in exactly once. Ray is
imported where it is used, not before.
"""
