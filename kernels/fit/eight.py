#!/usr/bin/env python3
"""Tables of eight polynomials for the portable kernels: needs mpmath and numpy.

    eight.py tanh | gelu | log1p | mish [degree]
    eight.py even tanh | tanhshrink | tanh_square | logcosh | lisht_slope > kernels/tables/even_*.h

f(a) = c0 + t (c1 + t (c2 + ...)), t = a - c, on eight intervals. c is taken from the 2 * SEARCH + 1
floats around the middle so that f(c) is as nearly a float as possible: then c0 has no error, and
the last fma is the only rounding that counts. The others by least squares of the relative error on
Chebyshev nodes, rounded to float one after the other from c1 on, and those that are left refitted.
Writes rows of eight, entry k at place k, and the error of each interval.
"""
import sys

import numpy as np
from mpmath import cos, cosh, erfc, exp, log, log1p, mp, mpf, pi, sech, sqrt, tanh

kind = sys.argv[1]
mp.dps = 30
SEARCH = 300


def to_float(v):
    return mpf(float(np.float32(float(v))))


def half_octaves(steps, shift, last):
    """(entry, low, high): the entry is bits(steps a + shift) >> 22, its low three bits."""
    start = int(np.float32(shift).view(np.int32)) >> 22
    tops = [mpf(float(np.int32((start + i) << 22).view(np.float32))) for i in range(8)]
    edges = [(v - shift) / steps for v in tops] + [mpf(last)]
    return [((start + i) & 7, edges[i], edges[i + 1]) for i in range(8)]


def eighths(steps):
    """Entry: the low bits of z * steps + 1.5 * 2^23; steps < 7.5."""
    edges = [mpf(0)] + [(i + mpf("0.5")) / steps for i in range(7)] + [mpf(1)]
    return [(i, edges[i], edges[i + 1]) for i in range(8)]


def octaves_of_square():
    """(entry, low, high): the entry is the exponent of (a + t)^2, t^2 = 1/2 (v_even_number)."""
    start = float(np.float32(np.sqrt(0.5)))
    edges = [mpf(2)**(mpf(i - 1) / 2) - mpf(start) for i in range(9)]
    edges[0] = mpf(0)
    return [((126 + i) & 7, edges[i], edges[i + 1]) for i in range(8)]


def centre(f, low, high, wide=False):
    """wide: as far apart as it takes f through two floats, within a quarter of the interval."""
    middle = np.float32((low + high) / 2)
    best, start, stride = None, int(middle.view(np.int32)), 1
    if wide:
        quarter = int(np.float32((low + 3 * high) / 4).view(np.int32)) - start
        around = abs(f(mpf(float(np.int32(start + quarter // 2).view(np.float32)))) - f(mpf(float(middle))))
        step = mpf(2)**(mp.frexp(f(mpf(float(middle))))[1] - 24)
        stride = max(1, min(quarter // SEARCH, int(quarter / 2 * step / around / SEARCH)))
    for bits in range(start - SEARCH * stride, start + SEARCH * stride + 1, stride):
        c = mpf(float(np.int32(bits).view(np.float32)))
        off = abs(f(c) - to_float(f(c))) / mpf(2)**(mp.frexp(f(c))[1] - 24)
        if best is None or off < best[0]:
            best = (off, c)
    return best[1]


def fit(f, low, high, degree, c, weight):
    c0 = to_float(f(c))
    count = 4 * degree + 8
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    t = np.array([float(a - c) for a in nodes])
    rest = np.array([float(f(a) - c0) for a in nodes])
    scale = np.array([float(weight(a)) for a in nodes])
    fixed = []
    for k in range(1, degree + 1):
        left = rest - sum(v * t**(j + 1) for j, v in enumerate(fixed))
        span = max(abs(t))
        columns = np.stack([(t / span)**j * scale for j in range(k, degree + 1)], axis=1)
        solution = np.linalg.lstsq(columns, left * scale, rcond=None)[0]
        fixed.append(float(np.float32(solution[0] / span**k)))
    grid = [low + (high - low) * (i + mpf("0.5")) / 200 for i in range(200)]
    error = max(abs((c0 + sum(v * (a - c)**(j + 1) for j, v in enumerate(fixed)) - f(a)) * weight(a))
                for a in grid)
    return [c, c0] + fixed, float(mp.log(error, 2))


def rows_of(f, intervals, degree, weight=None, first_centre=None, first=None):
    rows = [None] * 8
    for i, (entry, low, high) in enumerate(intervals):
        g = first if i == 0 and first else f
        c = first_centre if i == 0 and first_centre is not None else centre(g, low, high)
        rows[entry], error = fit(g, low, high, degree, c, weight or (lambda a: 1 / g(a)))
        print(f"// [{float(low):g}, {float(high):g}] error 2^{error:.1f}")
    return rows


def table(*args, **options):
    show(rows_of(*args, **options))


def show(rows):
    if kind != "tanh":
        for r in rows:
            r[0] = -r[0]
    for row in range(len(rows[0])):
        print("{" + ", ".join(float(rows[k][row]).hex() + "f" for k in range(8)) + "},")


# f, k, the limit of f(a) / a^k at 0, how many intervals of f(a) / a^k; f(a) / e^k beyond, e the end
# of the last one.
EVEN = {
    "tanh": (tanh, 1, 1, 3),
    "tanhshrink": (lambda a: a - tanh(a), 3, mpf(1) / 3, 5),
    "tanh_square": (lambda a: tanh(a)**2, 2, 1, 3),
    "logcosh": (lambda a: log(cosh(a)), 2, mpf(1) / 2, 8),
    "lisht_slope": (lambda a: tanh(a) + a * sech(a)**2, 1, 2, 3),
}


def even_end(count):
    """The largest float a in the first count intervals."""
    limit = np.float32(2.0**(count - 1))
    v = np.float32(np.sqrt(0.5))
    a = np.float32(np.sqrt(limit)) - v
    while (a + v) * (a + v) < limit:
        a = np.nextafter(a, np.float32(100))
    while (a + v) * (a + v) >= limit:
        a = np.nextafter(a, np.float32(0))
    return mpf(float(a))


def even(name, degree):
    f, power, limit, count = EVEN[name]
    rows, worst, rest, end = [None] * 8, 0, 0, even_end(count)
    for i, (entry, low, high) in enumerate(octaves_of_square()):
        if i < count:
            g = lambda a: f(a) / a**power if a > mpf("1e-6") else mpf(limit)
        else:
            g = lambda a: f(a) / end**power
        rows[entry], error = fit(g, low, high, degree, centre(g, low, high, True),
                                  lambda a: 1 / g(a))
        rest = max([rest] + [abs(rows[entry][1] / g(a) - 1) for a in (low, high)])
        worst = max(worst, 2**error)
        print(f"[{float(low):g}, {float(high):g}] 2^{error:.1f}", file=sys.stderr)
    print(f"""/* {name} / w^{power}, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^{float(log(worst, 2)):.1f}; value and rest differ by up to {float(rest):.2f} of the value. */
#define EVEN_{name.upper()}_END {float(end).hex()}f
static const float even_{name}[{degree + 2}][8] = {{""")
    for row in range(degree + 2):
        values = [float(rows[k][row] if row else -rows[k][row]) for k in range(8)]
        print("    {" + ", ".join(v.hex().replace("0000000p", "p") + "f" for v in values) + "},")
    print("};")


def gelu_near(a):
    return a * erfc(a / sqrt(2)) / 2


def gelu_rest(a):
    return gelu_near(a) * exp(a * a / 2)


def mish_below(z):
    """x < 0: y = x z h(z), z = e^x."""
    return (2 + z) / (z * z + 2 * z + 2)


def mish_above(z):
    """x > 0: y = x - x z h(z), z = e^-x."""
    return 2 * z / (1 + 2 * z + 2 * z * z)


def main():
    if kind == "even":
        return even(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 7)
    degree = int(sys.argv[2]) if len(sys.argv) > 2 else None
    if kind == "tanh":
        table(lambda a: tanh(a) if a else mpf(0), half_octaves(mpf("1.2"), mpf("0.75"), mpf("9.1")),
              degree or 7, first_centre=mpf(0))
    elif kind == "log1p":
        table(lambda z: log1p(z) / z if z else mpf(1), eighths(mpf("7.49")), degree or 4)
    elif kind == "mish":
        # The leading bits of 3 +- .998 z, z known to .2% (near).
        weight = lambda z: max(z, mpf("0.03")) * (1 + 2 * z + 2 * z * z) / (1 + 2 * z)
        intervals = [(3 - i, mpf(i) / 4, min(1, mpf(i + 1) / 4 * mpf("1.004"))) for i in range(4)]
        below = rows_of(mish_below, intervals, degree or 5)
        above = rows_of(mish_above, [(7 - e, l, h) for e, l, h in intervals], degree or 5, weight)
        show([a or b for a, b in zip(below, above)])
    elif kind == "gelu":
        # The first interval without the exponential.
        intervals = half_octaves(mpf(1), mpf(1), mpf("14.4"))
        table(gelu_rest, intervals, degree or 7, first_centre=mpf(0), first=gelu_near)


main()
