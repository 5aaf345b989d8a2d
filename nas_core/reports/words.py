"""The sentences of a decision record in English; a studio in another language hands in its own under the same keys."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["WORDS"]

WORDS: Mapping[str, str] = {
    "title": "Decision: candidate #{number} of {run}",
    "lead": "Candidate #{number} was chosen from {evaluated} candidates at λ = {weight}.",
    "decision": "Decision",
    "choice": "Choice",
    "reason": "Reason",
    "no_reason": "No reason was written.",
    "by": "Decided by",
    "nobody": "not said",
    "when": "When",
    "run": "Run",
    "state": "State of the run",
    "state_words": "{state}: {reason}",
    "state_created": "created",
    "state_running": "running",
    "state_paused": "paused",
    "state_done": "done",
    "state_stopped": "stopped",
    "state_interrupted": "interrupted",
    "chosen": "What was chosen",
    "identity": "Identity",
    "built": "Built as",
    "performance": "{metric} on the validation rows",
    "skill": "Skill",
    "skill_words": "{skill} of the way from ignoring the inputs (0) to perfect (1)",
    "interpretability": "Interpretability",
    "parameters": "Parameters",
    "operations": "Operations per prediction",
    "front": "On the front",
    "yes": "yes",
    "no": "no",
    "front_words": "{answer}; the front has {count} candidates",
    "metrics": "Other metrics",
    "made": "Came from",
    "made_words": "{origin}, by {operator}; seed {seed}; version {version} of the space",
    "origin_strategy": "the search",
    "origin_manual": "a person",
    "origin_warm": "an earlier run",
    "measures": "What its interpretability is made of",
    "measure": "Measure",
    "score": "Score (0 to 1)",
    "interval": "95 % interval",
    "weight": "Weight",
    "raw": "Quantity behind it",
    "undefined": "undefined: {reason}",
    "exact": "exact",
    "alternatives": "What else there was",
    "alternatives_none": "No other candidate was on the front.",
    "candidate": "Candidate",
    "role": "Why it is here",
    "gain": "Difference",
    "told_apart": "Told apart",
    "told_apart_help": (
        "“No” means that the 95 % intervals of the two performances overlap. Differences are to the chosen "
        "candidate; + is better."
    ),
    "role_best": "best at λ",
    "role_knee": "knee of the front",
    "role_accurate": "most accurate",
    "role_interpretable": "most interpretable",
    "role_neighbour_accurate": "next more accurate",
    "role_neighbour_interpretable": "next more interpretable",
    "wish": "What was asked for",
    "lambda": "λ",
    "lambda_words": "{weight} (0 = accuracy only, 1 = interpretability only)",
    "families": "Weights of the families",
    "families_none": "none: measures are weighed one by one",
    "family_structure": "structure",
    "family_summary": "summary",
    "family_explanation": "explanation",
    "goals": "Goal lines",
    "goals_none": "none",
    "goal_performance": "performance",
    "goal_interpretability": "interpretability",
    "data": "Data",
    "data_name": "Data set",
    "data_from": "Source",
    "hash": "SHA-256",
    "target": "Target",
    "task": "Task",
    "task_classification": "classification",
    "task_regression": "regression",
    "split": "Split",
    "split_random": "at random",
    "split_group": "by group ({column})",
    "split_time": "by time ({column})",
    "row_order": "order of the rows",
    "split_words": "{scheme}, seed {seed}; shares {shares} for training, validation and test",
    "rows": "Rows",
    "rows_words": "{train} training, {valid} validation, {test} test",
    "rows_unknown": "unknown: the data could not be read again",
    "search": "Search",
    "family": "Family of networks",
    "space": "Search space",
    "space_first": "version {version}: as the run began",
    "space_edit": "version {version}, after {since} candidates: {words}",
    "strategy": "Strategy",
    "seed": "Seed",
    "device": "Device",
    "budget": "Budget",
    "budget_none": "none",
    "budget_candidates": "{count} candidates",
    "budget_seconds": "{time}",
    "used": "Used",
    "used_words": "{count} candidates in {time}",
    "statuses": "How they ended",
    "status_done": "{count} done",
    "status_pruned": "{count} stopped early",
    "status_failed": "{count} failed",
    "status_ineligible": "{count} not eligible",
    "status_cancelled": "{count} cancelled",
    "hypervolume": "Hypervolume",
    "acts": "What was done while it searched",
    "acts_none": "Nothing: it ran as it began.",
    "act": "after {evaluated} candidates: {words}",
    "act_steered": "λ = {weight}, goals: {goals}",
    "act_strategy": "strategy {before} → {after}",
    "act_space": "search space, version {version}: {words}",
    "act_halving": "early stopping of dominated candidates: {on}",
    "act_proposed": "{count} candidates proposed by a person or taken from an earlier run",
    "act_overruled": "{count} early stops overruled",
    "act_killed": "{count} candidates given up",
    "act_budget": "budget: {candidates} candidates, {seconds} seconds",
    "act_rules": "stop at the goals: {goals}; plateau: {plateau}",
    "act_resumed": "resumed",
    "act_stopped": "stopped: {reason}",
    "act_interrupted": "interrupted: {reason}",
    "act_warm": "began with {count} architectures of {runs}",
    "test": "Test rows",
    "test_closed": "The test part has not been opened.",
    "test_words": "{metric} {fresh} on {rows} test rows; {validation} on the validation rows it was chosen by.",
    "test_skill": "Skill on the test rows: {skill}.",
    "test_looks": "Times the test part of this run had been opened by then, this one included: {looks}.",
    "caveats": "To be careful about",
    "caveat_ineligible": "#{number} may not enter a front (it is {status}): {reason}.",
    "caveat_dominated": (
        "#{number} is not on the front: another candidate is at least as good in both, and better in one."
    ),
    "caveat_not_best": "At λ = {weight} another candidate ranks first: #{best}.",
    "caveat_goals_missed": "#{number} does not meet all goal lines.",
    "caveat_outside": "#{number} lies outside the version of the search space that is in force.",
    "caveat_undefined": "{count} of its measures are undefined and do not count: {names}.",
    "caveat_data_unread": "The data could not be read again, so rows and the command were not checked.",
    "caveat_few_rows": "Only {rows} validation rows: the intervals are wide.",
    "caveat_overlap": (
        "The validation rows do not tell the performance of #{number} apart from that of others on the front "
        "({count}; the first of them is #{other})."
    ),
    "caveat_curse": (
        "It was chosen from {count} eligible candidates by their numbers on the same validation rows, which "
        "favours lucky ones: expect a little less on new rows."
    ),
    "caveat_inherited": (
        "Its training began from the weights of {parent}: trained alone from its own seed it will differ."
    ),
    "caveat_inheriting": (
        "Other candidates began from their parents' weights, so they are not compared on equal terms."
    ),
    "caveat_no_weights": "Its trained weights are not stored: it must be trained again before it can predict.",
    "caveat_ended_early": "The search ended before its budget: {reason}.",
    "caveat_still_searching": "The search was still going on, after {evaluated} candidates.",
    "caveat_few_candidates": "Only {evaluated} candidates were evaluated.",
    "caveat_lost": "{failed} failed and {ineligible} were not eligible, of {evaluated}: look at their reasons.",
    "caveat_pruned": "{count} candidates were not trained to the end; their final numbers are unknown.",
    "caveat_test_closed": "The test rows have not been looked at.",
    "caveat_test_elsewhere": (
        "The test part was opened for other candidates of this run (times: {looks}), and not for this one."
    ),
    "caveat_test_looks": "The test part was opened {looks} times for this run: it is fresh the first time only.",
    "caveat_test_differs": "On the test rows it lies outside the interval of the validation rows.",
    "caveat_test_ineligible": "On the test rows it would not be eligible: {reason}.",
    "caveat_no_audit": (
        "It was not audited: other seeds, subgroups and the trust in its explanations were not looked at for this "
        "record."
    ),
    "caveat_audit": "Audit: {words}.",
    "caveat_audit_clean": "An audit of this candidate (guards, subgroups, untrained twin) found nothing to warn of.",
    "remake": "How to have it again",
    "remake_train": (
        "The chosen network alone, trained again and compared with this record (needs the record as JSON, {file}):"
    ),
    "remake_not": (
        "The chosen network cannot be trained again alone: its training began from other weights, or its data were "
        "handed over in memory."
    ),
    "remake_exact": "The whole search, with the same candidates and the same numbers:",
    "remake_near": "No command repeats this search exactly. The nearest one:",
    "remake_steered": (
        "it was steered by hand (acts: {count}; {kinds}), for the first time after {evaluated} candidates; from "
        "then on the search depends on when that was done"
    ),
    "remake_warm": "it began with candidates of other runs ({runs})",
    "remake_unread": "its data could not be read again to check a command",
    "remake_budget": (
        "the run ended after {evaluated} candidates, within a pack; this goes on to {budget}, and the first "
        "{evaluated} are the same"
    ),
    "remake_file": (
        "the command line cannot say all of this (an edited space, another split, other packs), so it reads the "
        "record as JSON, {file}"
    ),
    "versions": "Versions",
    "print": "Print, or save as PDF",
}
