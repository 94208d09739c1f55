"""Largest values of many functions at once, by Newton steps."""

from collections.abc import Callable

import numpy as np

ENDLESS = 115.0
"""What stands for an infinite logarithm, and the negative of it for that of 0."""

STEPS = 400
"""Most steps of a search. About ten are usual; more go along a bent ridge, where each gains some 1e-9."""

DIFFERENCE = 1e-3
"""Step of the finite differences: small enough for bends, and large beside the rounding errors of limits, 1e-14."""

PRECISION = 1e-12
"""Gain of a step at which a search ends."""


def peaks(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Largest values of n functions of d variables near ``start`` (n, d): where they are (n, d), and they (n,).

    ``function(u, k)`` gives the values of functions number k (m, l) at u (m, l, d), each finite. The steps go upwards along
    the axes of the curvature, at most by 1 each, and are shortened where they lose.
    """
    number, d = start.shape
    i, j = np.triu_indices(d, 1)
    one = np.eye(d)
    places = DIFFERENCE * np.concatenate([np.zeros((1, d)), one, -one, one[i] + one[j], -one[i] - one[j]])
    u, best, left = start.copy(), np.full(number, -np.inf), np.arange(number)
    step, slope = np.zeros((number, d)), np.zeros((number, d))
    for _ in range(STEPS):
        tried = u[left] + step[left]
        f = function(tried[:, None] + places, np.repeat(left[:, None], len(places), axis=1))
        gained, step[left] = f[:, 0] > best[left], step[left] / 4
        new = left[gained]
        at, up, down, both = np.split(f[gained], [1, 1 + d, 1 + 2 * d], axis=-1)
        u[new], best[new], slope[new] = tried[gained], at[:, 0], (up - down) / (2 * DIFFERENCE)
        second = up + down - 2 * at
        curvature = second[..., None] * one
        mixed = np.sum(np.split(both, 2, axis=-1), axis=0) - 2 * at - second[:, i] - second[:, j]
        curvature[:, i, j] = curvature[:, j, i] = mixed / 2
        values, axes = np.linalg.eigh(curvature / DIFFERENCE**2)
        along = np.einsum("nij,ni->nj", axes, slope[new])
        along /= np.maximum(np.maximum(np.abs(values), np.abs(along)), 1e-100)
        step[new] = np.einsum("nij,nj->ni", axes, along)
        left = left[np.sum(np.abs(slope[left] * step[left]), axis=-1) > PRECISION]
        if not len(left):
            break
    return u, best
