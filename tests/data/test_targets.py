"""Transforms of the target: fitted on training rows, invertible, and judged in the target's own unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import PowerTransformer

from nas_core.data import TARGET_TRANSFORMS, Problem, ProblemSpec, dataset_from_frame, load_data
from nas_core.data.targets import TargetScale, TargetTransform, TransformName, fit_transform
from nas_core.errors import DataError, SettingsError

VALUES = hnp.arrays(float, st.integers(5, 60), elements=st.floats(0, 1e5, allow_subnormal=False))


def fitted(name: TransformName, y: np.ndarray) -> TargetTransform | None:
    """Return the transform, None where it refuses the values."""
    try:
        return fit_transform(name, y)
    except DataError:
        return None


@settings(deadline=None, max_examples=120)
@given(name=st.sampled_from(TARGET_TRANSFORMS), y=VALUES, shift=st.sampled_from([0.0, -300.0]))
def test_a_transform_can_be_taken_back(name: TransformName, y: np.ndarray, shift: float) -> None:
    y = np.round(y, 3) + (shift if name != "log1p" else 0.0)
    if np.ptp(y) < 1e-2:
        return
    made = fitted(name, y)
    if made is None:
        assert name == "yeo_johnson"
        return
    u = made.forward(y)
    assert np.isfinite(u).all()
    assert (np.diff(u[np.argsort(y, kind="stable")]) >= 0).all()
    assert made.inverse(u) == pytest.approx(y, rel=1e-9, abs=np.ptp(y) * (2e-3 if name == "yeo_johnson" else 1e-9))


@pytest.mark.parametrize("name", TARGET_TRANSFORMS[1:])
def test_the_inverse_stays_within_the_training_range(name: TransformName) -> None:
    y = np.random.default_rng(0).gamma(2.0, 50.0, 400)
    made = fit_transform(name, y)
    wild = made.inverse(np.array([-1e9, -50.0, 0.0, 50.0, 1e9]))
    assert np.isfinite(wild).all()
    assert wild.min() == pytest.approx(y.min())
    assert wild.max() == pytest.approx(y.max())


def test_yeo_johnson_is_scikit_learns() -> None:
    for seed in range(5):
        y = np.random.default_rng(seed).gamma(1.5, 3.0, 300) - 2.0
        made = fit_transform("yeo_johnson", y)
        theirs = PowerTransformer(standardize=False).fit(y[:, None])
        assert made.power == pytest.approx(theirs.lambdas_[0], abs=1e-3)
        assert made.forward(y) == pytest.approx(theirs.transform(y[:, None])[:, 0], rel=2e-3, abs=2e-3)


def test_the_normal_score_of_a_skewed_target_is_normal() -> None:
    y = np.random.default_rng(0).lognormal(0.0, 2.0, 5_000)
    u = fit_transform("quantile", y).forward(y)
    assert abs(u.mean()) < 0.01
    assert u.std() == pytest.approx(1.0, abs=0.02)
    assert np.median(u) == pytest.approx(0.0, abs=0.01)


@settings(deadline=None, max_examples=40)
@given(name=st.sampled_from(TARGET_TRANSFORMS), seed=st.integers(0, 100))
def test_perfect_outputs_are_judged_perfect(name: TransformName, seed: int) -> None:
    y = np.random.default_rng(seed).gamma(2.0, 10.0, 80)
    scale = TargetScale.fit(name, y)
    trained = scale.trained(y)
    assert trained.mean() == pytest.approx(0.0, abs=1e-9)
    assert trained.std() == pytest.approx(1.0)
    assert scale.judged(trained[None, :, None])[0, :, 0] == pytest.approx(scale.standardised(y), abs=1e-5)


def skewed(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "z": rng.normal(size=n), "price": np.exp(2 * x + 0.3 * rng.normal(size=n))})


@pytest.mark.parametrize("name", TARGET_TRANSFORMS)
def test_a_problem_trains_on_one_unit_and_judges_in_another(name: TransformName) -> None:
    problem = Problem.create(dataset_from_frame(skewed(), "price"), "mse", target_transform=name)
    train, valid = problem.train, problem.valid
    assert train.y.std() == pytest.approx(1.0)
    assert train.target.std() == pytest.approx(1.0)
    inside = (valid.target >= train.target.min()) & (valid.target <= train.target.max())
    assert problem.judged(valid.y)[inside] == pytest.approx(valid.target[inside], abs=1e-4)
    assert (train.y is train.target) or name != "none" or np.array_equal(train.y, train.target)
    assert problem.baseline == pytest.approx(float(np.mean(valid.target**2)))
    again = Problem.load(problem.spec) if problem.spec.source.kind != "memory" else problem
    assert again.target_scale.transform.name == name
    assert (problem.output_name == "price") is (name == "none")


def test_nothing_of_the_test_part_reaches_the_transform() -> None:
    frame = skewed()
    problem = Problem.create(dataset_from_frame(frame, "price"), target_transform="quantile")
    frame.loc[problem.split.test, "price"] = 1e9
    other = Problem.create(dataset_from_frame(frame, "price"), target_transform="quantile")
    assert np.array_equal(problem.train.y, other.train.y)
    assert np.array_equal(problem.valid.target, other.valid.target)


def test_a_logarithm_needs_values_of_zero_and_more() -> None:
    frame = skewed().assign(price=lambda f: f.price - 5)
    with pytest.raises(DataError, match=r"negative values.*smallest is -4.*Fix: use yeo_johnson or quantile"):
        Problem.create(dataset_from_frame(frame, "price"), target_transform="log1p")


def test_values_that_no_transform_can_hold_are_refused() -> None:
    with pytest.raises(DataError, match=r"cannot tell the values of the target apart.*Fix: use quantile"):
        fit_transform("yeo_johnson", np.array([1.0, *[0.0] * 36]))


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("iris", {"target_transform": "log1p"}, "target_transform is 'log1p', but the task is classification"),
        ("diabetes", {"class_weights": "balanced"}, "class_weights is 'balanced', but the task is regression"),
    ],
)
def test_an_option_of_the_other_task_is_refused(data: str, options: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Problem.create(load_data(data), **options)


def test_a_spec_of_an_older_version_still_loads() -> None:
    spec = Problem.create(load_data("wine")).spec.model_dump(mode="json")
    for name in ("split", "classes", "class_weights", "target_transform"):
        del spec[name]
    old = Problem.load(ProblemSpec.model_validate(spec))
    assert old.row_weights is None
    assert old.spec.split.kind == "random"
