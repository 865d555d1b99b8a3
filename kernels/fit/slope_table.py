#!/usr/bin/env python3
"""The tables of kernels/slope_table.h: needs mpmath.

    slope_table.py KIND > kernels/tables/KIND_slope.h

    f'(-a) = e^-u(a) R(a),   a in [0, 15 k],   8 intervals: 1 + a/k in a half of a binade each

R(c + d) = high + (low + d q(d)): c an interval's middle, high R(c) to 13 bits. Least squares of the
relative error on Chebyshev nodes; the coefficients are rounded to float one after the other, from
the lowest on, and those that are left refitted. Sorted by the lowest three bits of the bits of
1 + a/k shifted right by 22.
"""
import struct
import sys

from mpmath import cos, diff, erfc, exp, findroot, log, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 34


def bits(v):
    return struct.unpack("<I", struct.pack("<f", float(v)))[0]


def rounded(v, digits=24):
    if v == 0:
        return v
    shift = digits - mp.frexp(v)[1]
    return mp.ldexp(mp.nint(mp.ldexp(v, shift)), -shift)


def logistic(a):
    return 1 / (1 + exp(-a))


def silu(a):
    return logistic(a) * (1 - a * logistic(a))


def gelu(a):  # Q(a) - a phi(a), over e^(-a^2/2)
    return exp(a * a / 2) * erfc(a / sqrt(mpf(2))) / 2 - a / sqrt(2 * pi)


def gelu_tanh(a):
    k1, k3 = 2 * sqrt(2 / pi), 2 * sqrt(2 / pi) * mpf("0.044715")
    s = logistic(k1 * a + k3 * a**3)
    return s * (1 - a * (k1 + 3 * k3 * a * a) * s)


def mish(a):  # below 0
    z = exp(-a)
    return (4 * (1 - a) + z * (6 - 4 * a) + 4 * z**2 + z**3) / (2 + 2 * z + z * z)**2


def mish_above(a):  # (1 - f'(a)) / e^-a
    z = exp(-a)
    return z * ((2 - 4 * a) + (4 - 4 * a) * z + 4 * z * z) / (1 + 2 * z + 2 * z * z)**2


# R, k, degree, and how small the relative error counts R (near its zero).
KINDS = {
    "silu": (silu, "1.25", 7, "0.4"),
    "mish": (mish, "1.25", 10, "0.4"),
    "gelu": (gelu, "1", 7, "0.15"),
    "gelu_tanh": (gelu_tanh, "0.76", 8, "0.15"),
}


# Where d q(d) must be small: near the window around the zero of f', and near 0. Those of silu and
# gelu_tanh hold the zero: for the floats beside it v_slope's rest, which has the error of value -
# high there, must leave low the sign of high (tests/test_flags.c): so did 5 of 8 numbers that were
# tried for silu, and one of 53 for gelu_tanh.
CENTRES = {
    (silu, 1.25): mpf("1.9"),
    (gelu_tanh, 0.38): mpf("0.64"),
    (mish, 1.25): 2,
    (mish_above, 0.0): mpf("0.15"),
}


def centre(f, middle, half, least):
    """c, R(c): the best of 65 floats R(c) for which c is within a tenth of the interval."""
    unit = max(mp.ldexp(mpf(1), mp.frexp(f(middle))[1] - 24), least)
    slope = abs(diff(f, middle))
    stride = max(1, int(slope * half / unit / 320))
    first, best = mp.nint(f(middle) / unit), None
    for j in range(-32, 33):
        value = rounded((first + j * stride) * unit)
        try:
            c = rounded(findroot(lambda a: f(a) - value, middle))
        except ValueError:
            continue
        if abs(c - middle) > half / 5:
            continue
        error = abs(f(c) / value - 1)
        if best is None or error < best[0]:
            best = error, c, value
    return best[1:]


def fit(f, weight, lower, upper, degree, least):
    """[c, value, q0, q1, ...] and the error."""
    if lower == 0 and f(lower) == 0.5:  # R(0) = 1/2, without a rounding
        c, value = lower, rounded(f(mpf(0)))
    else:
        middle = CENTRES.get((f, float(lower)), (lower + upper) / 2)
        c, value = centre(f, middle, (upper - lower) / 2, least)
    count = 2 * degree + 10
    nodes = [(lower + upper) / 2 - c + (upper - lower) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    values = [f(c + d) for d in nodes]
    fixed = [value]
    while len(fixed) <= degree:
        free = range(len(fixed), degree + 1)
        left, right = matrix(count, len(free)), matrix(count, 1)
        for i, d in enumerate(nodes):
            w = 1 / max(abs(values[i]), weight)
            for j, k in enumerate(free):
                left[i, j] = d**k * w
            right[i] = (values[i] - sum(q * d**k for k, q in enumerate(fixed))) * w
        fixed.append(rounded(lu_solve(left, right)[0]))
    error = 0
    for i in range(201):
        d = lower + (upper - lower) * i / 200 - c
        found = sum(q * d**k for k, q in enumerate(fixed))
        error = max(error, abs(found - f(c + d)) / max(abs(f(c + d)), weight))
    return [c] + fixed, error


def main():
    kind = sys.argv[1]
    f, k, degree, weight = KINDS[kind]
    if len(sys.argv) > 2:
        degree = int(sys.argv[2])
    k, weight = mpf(k), mpf(weight)
    columns, errors = [None] * 8, []
    halves = (1,) if kind == "mish" else (1, mpf("1.5"))
    edges = [k * half * 2**i for i in range(4) for half in halves] + [16 * k]
    for lower, upper in zip(edges, edges[1:]):
        least = mpf(2)**-17 if kind in ("silu", "mish") and upper == edges[-1] else 0
        column, error = fit(f, weight, lower - k, upper - k, degree, least)
        errors.append(float(log(error, 2)))
        middle = bits((lower + upper) / 2 / k)
        if kind == "mish":
            columns[middle >> 23 & 7] = column
            weight_above = mpf("0.6") * exp(lower - k)
            column, error = fit(mish_above, weight_above, lower - k, upper - k, degree, 0)
            errors.append(float(log(error, 2)))
            columns[(middle >> 23) + 4 & 7] = column
        else:
            columns[middle >> 22 & 7] = column
    print(f"/* {kind}: written by kernels/fit/slope_table.py. Relative error 2^{max(errors):.2f}. */")
    print(f"#define SLOPE_DEGREE  {degree}")
    print(f"#define SLOPE_INVERSE {float(1 / k)!r}f")
    # Where 1 + a/k is still below 16.
    print(f"#define SLOPE_END     {float(15 * k - mpf(1) / 128)}f")
    print('#include "kernels/slope_table.h"\n')
    print(f"static const struct slope_table slope_table = {{")
    names = ["middle", "value"]
    for row in range(degree + 2):
        if row < 2:
            start = f"    .{names[row]} = {{"
        elif row == 2:
            start = "    .q = {{"
        else:
            start = "          {"
        values = [float(column[row]).hex().replace("0000000p", "p") + "f" for column in columns]
        lines, line = [], start
        for i, value in enumerate(values):
            item = value + (", " if i < 7 else "")
            if len(line) + len(item) > 99:
                lines.append(line.rstrip())
                line = " " * len(start)
            line += item
        end = "}," if row < 2 else "}}" if row == degree + 1 else "},"
        lines.append(line + end)
        print("\n".join(lines))
    print("};")
    print(kind, " ".join(f"{e:.2f}" for e in errors), file=sys.stderr)


main()
