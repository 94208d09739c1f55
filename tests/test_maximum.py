"""The search for largest values, on functions whose largest values are known."""

import numpy as np
import pytest

from cevns_tmm.maximum import ENDLESS, peaks


def found(function, *starts):
    """Largest values of one function from several starts; it is called with as many as are still searched for."""
    return peaks(lambda u, _: function(u), np.array(starts, float))


def test_each_function_has_its_own_peak():
    heights, places = np.array([3.0, -2.0, 5.0]), np.array([[0.3, 7.0], [-4.0, 1.0], [0.0, 0.0]])
    values = peaks(
        lambda u, k: heights[k] - np.sum((u - places[k]) ** 2, axis=-1) - np.prod(u - places[k], axis=-1),
        np.zeros((3, 2)),
    )
    assert values == pytest.approx(heights, rel=1e-12, abs=0)


def test_steps_go_up_where_the_function_is_convex():
    """Beside a saddle, and beside a least value, Newton's own steps would go down."""
    assert found(lambda u: np.tanh(u[..., 1] ** 2) - u[..., 0] ** 2, [1, 1e-3]) == pytest.approx(
        1.0, abs=1e-12
    )
    assert found(lambda u: -((u[..., 0] ** 2 - 0.25) ** 2), [1e-3], [-1e-3]) == pytest.approx(0.0, abs=1e-11)


def test_a_bent_ridge_is_followed():
    def ridge(u):
        return -100 * (u[..., 1] - u[..., 0] ** 2) ** 2 - (1 - u[..., 0]) ** 2

    assert found(ridge, [-1.2, 1.0]) == pytest.approx(0.0, abs=1e-7)


def test_edges_and_plains():
    """A cliff down to the floor, a flat function, one that is endless somewhere, and none to search in."""
    edge = found(lambda u: np.where(u[..., 0] <= 0.7, u[..., 0], -ENDLESS), [0.0])
    assert 0.699 < edge[0] <= 0.7
    assert found(lambda u: np.full(u.shape[:-1], -ENDLESS), [0.0, 0.0]) == -ENDLESS
    assert found(lambda u: np.where(u[..., 0] > 2, ENDLESS, u[..., 0]), [0.0]) == ENDLESS
    assert peaks(lambda u, k: 3.0 + k, np.zeros((2, 0))).tolist() == [3.0, 4.0]
