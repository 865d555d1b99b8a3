#!/usr/bin/env python3
"""W of kernels/gelu.c: needs mpmath.

    f'(-a) = erfc(a / sqrt 2) / 2 - a phi(a) = (z - a) W(a - z),   0 <= a <= 1.5,   f'(-z) = 0

Least squares of the relative error on Chebyshev nodes; the coefficients are rounded to float one
after the other, from the constant on, and those that are left refitted. (Sollya's fpminimax does
not end with this quotient.)
"""
import sys

from mpmath import cos, erfc, exp, findroot, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 40
DEGREE = int(sys.argv[1]) if len(sys.argv) > 1 else 10


def slope(a):
    return erfc(a / sqrt(2)) / 2 - a * exp(-a * a / 2) / sqrt(2 * pi)


def to_float(v):
    return mp.ldexp(mp.nint(mp.ldexp(v, shift(v))), -shift(v))


def shift(v):
    return 24 - mp.frexp(v)[1]


ZERO = findroot(slope, mpf("0.7518"))
LOW, HIGH = -ZERO, mpf("1.5") - ZERO


def w(d):
    return slope(ZERO + d) / -d


def fit(fixed):
    """All coefficients, those of fixed held."""
    count = 3 * DEGREE + 6
    nodes = [(LOW + HIGH) / 2 + (HIGH - LOW) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    free = range(len(fixed), DEGREE + 1)
    left = matrix(count, len(free))
    right = matrix(count, 1)
    for i, d in enumerate(nodes):
        for j, k in enumerate(free):
            left[i, j] = d**k / w(d)
        right[i] = 1 - sum(c * d**k for k, c in enumerate(fixed)) / w(d)
    return fixed + list(lu_solve(left, right))


fixed = []
while len(fixed) <= DEGREE:
    fixed.append(to_float(fit(fixed)[len(fixed)]))
steps = [LOW + (HIGH - LOW) * (i + mpf("0.5")) / 1000 for i in range(1000)]
error = max(abs(sum(c * d**k for k, c in enumerate(fixed)) / w(d) - 1) for d in steps)
print(f"relative error 2^{float(log(error, 2)):.2f}")
high = to_float(ZERO)
print("z", float(high).hex(), float(to_float(ZERO - high)).hex())
for k, c in enumerate(fixed):
    print(f"d^{k}", float(c).hex())
