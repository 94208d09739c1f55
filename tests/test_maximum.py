"""Searches for the largest values of many functions at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cevns_tmm.maximum import ENDLESS, PRECISION, peaks

place = st.floats(-4, 4)


def hills(centres, matrices):
    """-log(1 + (u - c)ᵀ A (u - c)): round at the top, saddle-like further out, where they are flat."""

    def function(u, k):
        far = u - centres[k]
        return -np.log1p(np.einsum("...i,...ij,...j->...", far, matrices[k], far))

    return function


@pytest.mark.parametrize("d", [0, 1, 2, 3])
@given(data=st.data())
def test_the_top_of_each_hill_is_found(d, data):
    number = data.draw(st.integers(1, 4))
    numbers = st.lists(place, min_size=number * d, max_size=number * d)
    centres, start = (np.reshape(data.draw(numbers), (number, d)) for _ in range(2))
    roots = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))).normal(size=(number, d, d))
    matrices = roots @ roots.mT + 0.1 * np.eye(d)
    _, found = peaks(hills(centres, matrices), start)
    assert found.shape == (number,)
    assert found == pytest.approx(0, abs=1e-9)
    assert np.all(found <= 0)


def test_values_are_those_of_the_function_and_never_below_the_start():
    centres, start = np.array([[1.0, -2.0], [0.5, 0.5]]), np.zeros((2, 2))
    function = hills(centres, np.array([np.eye(2), 5 * np.eye(2)]))
    begin = function(start, np.arange(2))
    assert np.all(peaks(function, start)[1] >= begin)
    _, at_the_top = peaks(function, centres)
    assert np.array_equal(at_the_top, function(centres, np.arange(2)))


def test_a_saddle_is_left_upwards():
    """At a saddle but for a little, Newton's own step would lead back to it."""

    def function(u, _):
        x, y = np.moveaxis(u, -1, 0)
        return -((x**2 - 1) ** 2) - y**2

    assert peaks(function, np.array([[0.01, 0.3], [-0.01, -2.0]]))[1] == pytest.approx(0, abs=1e-9)


def test_a_bent_ridge_is_followed():
    """As far as the finite differences know its slope."""

    def function(u, _):
        x, y = np.moveaxis(u, -1, 0)
        return -((1 - x) ** 2) / 10 - 10 * (y - x**2) ** 2

    assert peaks(function, np.array([[-1.5, 2.0], [0.0, 3.0]]))[1] == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("level", [ENDLESS, -ENDLESS])
def test_a_plain_ends_the_search_at_once(level):
    calls = []

    def function(u, _):
        calls.append(u.shape)
        return np.full(u.shape[:-1], level)

    assert list(peaks(function, np.zeros((3, 2)))[1]) == [level] * 3
    assert len(calls) == 1


def test_no_step_is_longer_than_one_along_an_axis_of_the_curvature():
    """So a search does not leave the hill that it begins on for a higher one far away."""

    def function(u, _):
        x = u[..., 0]
        return -np.log(1 + x**2) + 3 * np.exp(-((x - 30) ** 2))

    assert peaks(function, np.array([[2.0]]))[1] == pytest.approx(0, abs=10 * PRECISION)
