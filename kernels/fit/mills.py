#!/usr/bin/env python3
"""Rational fit of the Gaussian tail for kernels/gelu.c: needs mpmath and numpy.

    Q(a) = erfc(a / sqrt 2) / 2 = phi(a) / (a + f(a)),   f = M / (C K),   0 <= a <= 14.8

f is the tail of Laplace's continued fraction: 0.798 at 0, about 1/a for large a. With C the float
nearest to sqrt(2 pi), a Q(a) = e^(-a^2/2) a K / (C a K + M): for large a the errors of a K cancel
between numerator and denominator, and those of M weigh f / (a + f). The fit minimises the relative
error of that quotient: linearised least squares on Chebyshev nodes in a / (1 + a), reweighted
towards the minimax (Lawson); then the coefficients are rounded to float one at a time and the
others refitted.
"""
import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 40
END = 14.8
M_DEGREE, K_DEGREE = (int(v) for v in sys.argv[1:3]) if len(sys.argv) > 2 else (4, 4)
C = float(np.float32(mp.sqrt(2 * mp.pi)))


def exact_f(a):
    """C a K + M = a K e^(-a^2/2) / (a Q): f here is M / K."""
    return float(mp.exp(-a * a / 2) / (mp.erfc(a / mp.sqrt(2)) / 2) - C * a)


def nodes(count):
    t_end = END / (1 + END)
    t = (1 - np.cos(np.pi * (np.arange(count) + .5) / count)) / 2 * t_end
    return t / (1 - t)


def fit(a, f, fixed):
    """Coefficients m0.., k0.. with those in fixed held; minimax of (M/K - f) / (C a + f)."""
    count = M_DEGREE + K_DEGREE + 2
    powers = np.array([a**i for i in range(M_DEGREE + 1)] + [-f * a**i for i in range(K_DEGREE + 1)])
    free = [i for i in range(count) if i not in fixed]
    right = -sum(c * powers[i] for i, c in fixed.items())
    weight, k = np.ones_like(a), np.ones_like(a)
    best, best_error = None, np.inf
    for _ in range(80):
        scale = np.sqrt(weight) / (k * (C * a + f))
        columns = (powers[free] * scale).T
        size = np.linalg.norm(columns, axis=0)  # keeps the system of high powers solvable
        c = np.zeros(count)
        c[free] = np.linalg.lstsq(columns / size, right * scale, rcond=None)[0] / size
        for i, value in fixed.items():
            c[i] = value
        m = sum(c[i] * a**i for i in range(M_DEGREE + 1))
        k = sum(c[M_DEGREE + 1 + i] * a**i for i in range(K_DEGREE + 1))
        error = np.abs((m / k - f) / (C * a + f))
        if error.max() < best_error:
            best, best_error = c, error.max()
        weight = weight * (error / error.max() + .05)
        weight /= weight.mean()
    return best, best_error


def main():
    a = nodes(400)
    f = np.array([exact_f(mp.mpf(float(v))) for v in a])
    # Q(0) = 1/2 exactly; from 1.5 and 3, since just above a power of two rounding errs most.
    fixed = {0: 3.0, M_DEGREE + 1: 1.5}
    c, error = fit(a, f, fixed)
    print(f"real coefficients: relative error 2^{np.log2(error):.2f}")
    for i in list(range(1, M_DEGREE + 1)) + list(range(M_DEGREE + 2, len(c))):
        fixed[i] = float(np.float32(c[i]))
        if len(fixed) < len(c):
            c, error = fit(a, f, fixed)
    names = [f"M{i}" for i in range(M_DEGREE + 1)] + [f"K{i}" for i in range(K_DEGREE + 1)]
    m = sum(fixed[i] * a**i for i in range(M_DEGREE + 1))
    k = sum(fixed[M_DEGREE + 1 + i] * a**i for i in range(K_DEGREE + 1))
    print(f"float coefficients: relative error 2^{np.log2(np.abs((m / k - f) / (C * a + f)).max()):.2f}")
    for i, name in enumerate(names):
        print(name, float(np.float32(fixed[i])).hex())


main()
