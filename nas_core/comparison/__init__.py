"""How candidates differ, and whether it matters.

``diff`` takes two architectures apart into single edits (``edits``, ``group_edits``, ``list_edits``) and finds a way
from one to the other through valid architectures; ``expected`` says what each of these is worth where it was not
trained; ``paired`` whether one candidate is better than another on the same rows; ``agreement`` whether both look at
the same; ``graph_diff`` which boxes of two drawings differ; ``chosen`` which candidates of a run are worth comparing.
"""
