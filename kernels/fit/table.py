"""The tables of kernels/avx512/ that reach over [-8, 8]: 32 intervals, in each a polynomial around a
centre c; table.sollya has the others.

    python3 table.py gelu > ../avx512/tables/gelu.h      (needs mpmath, numpy)

index(x) makes intervals of about equal relative change; entry k serves k - 1/2 <= index < k + 1/2.
c is the float near the middle for which f(c) is nearest to a float, so that c0 has next to no error.
c1, c2 ... are fitted by least squares at Chebyshev nodes, relative to f (to max(|f|, .06) near a zero
of f), each rounded to float before the next are fitted again. Prints the largest error.
"""
import sys

import mpmath as mp
import numpy as np

mp.mp.prec = 120
E, SQRT2, ROOT = mp.exp, mp.sqrt(2), mp.sqrt(2 / mp.pi)


def half_erfc(x):
    return mp.erfc(x / SQRT2) / 2


def u(x):  # gelu_tanh(x) = x / (1 + e^-u)
    return 2 * ROOT * (x + mp.mpf(44715) / 10**6 * x**3)


def u_slope(x):
    return 2 * ROOT * (1 + 3 * mp.mpf(44715) / 10**6 * x**2)


def mish(x):  # mish(x) / x
    return (E(x)**2 + 2 * E(x)) / (E(x)**2 + 2 * E(x) + 2)


def mish_grad(x):
    e = E(x)
    return e * (4 * (x + 1) + 4 * e**2 + e**3 + e * (4 * x + 6)) / (2 * e + e**2 + 2)**2


# what is tabulated, index(x) = x (i1 + x (i2 + x i3)), entries, degree, from, to; origin: entry 0 is
# centred at 0, f(0) = 0; zero: of f.
KINDS = {
    "gelu": dict(f=lambda x: x * half_erfc(x), text="a Phi(-a)", index=(.9, .374, 0), degree=7,
                 origin=True),
    "gelu_grad": dict(f=lambda x: half_erfc(x) - x * E(-x * x / 2) / mp.sqrt(2 * mp.pi),
                      text="gelu'(-a)", index=(2.2, .2124, 0), degree=7, zero=.75179152),
    "gelu_tanh": dict(f=lambda x: x / (1 + E(u(x))), text="a sigmoid(-2u(a))",
                      index=(1.4, 0, .0573), degree=8, high=7.21, origin=True),
    "gelu_tanh_grad": dict(f=lambda x: (1 - x * u_slope(x) / (1 + E(-u(x)))) / (1 + E(u(x))),
                           text="gelu_tanh'(-a)", index=(1.4, 0, .0573), degree=8, high=7.21,
                           zero=.75246142),
    "tanh_grad": dict(f=lambda x: 4 * E(-2 * x) / (1 + E(-2 * x))**2, text="tanh'(a)",
                      index=(3.91, 0, 0), degree=6),
    "mish": dict(f=mish, text="mish(x) / x", index=(2.268, -.03087, -.005563), degree=5, first=-17,
                 last=14, low=-8.06, high=9.7),
    "mish_grad": dict(f=mish_grad, text="mish'(x)", index=(2.446, .01229, -.008481), degree=6, first=-14,
                      last=17, low=-8.06, high=10.3, zero=-1.19243121),
}


def single(x):
    return np.float32(float(x))


def boundaries(kind):
    """Where an entry ends and the next begins: by bisection, the index rises from low to high."""
    first, last = kind.get("first", 0), kind.get("last", 31)
    low, high = kind.get("low", 0), kind.get("high", 8.06)
    i1, i2, i3 = (float(single(i)) for i in kind["index"])
    ends = [low]
    for k in range(first + 1, last + 1):
        a, b = ends[-1], high
        for _ in range(60):
            middle = (a + b) / 2
            if middle * (i1 + middle * (i2 + middle * i3)) < k - .5:
                a = middle
            else:
                b = middle
        ends.append(a)
    return first, ends + [high]


def centre(f, middle, width):
    """The float near middle where f is nearest to a float: within 400 floats, or, where f hardly
    changes over these, within a tenth of the interval."""
    def distance(t):
        v = f(mp.mpf(float(t)))
        return abs((v - mp.mpf(float(single(v)))) / v)
    bits = np.float32(middle).view(np.int32)
    near = np.arange(bits - 400, bits + 401, dtype=np.int32).view(np.float32)
    best = min(near, key=distance)
    if distance(best) > 2.0**-30:
        best = min(np.float32(middle + width * np.linspace(-.1, .1, 2001)), key=distance)
    return best


def fit(kind, low, high, k):
    """The row of an entry and its largest error."""
    f, degree, zero = kind["f"], kind["degree"], kind.get("zero")
    slack = 2.0**-20  # the interval is chosen in float: a few ULP to either side
    low, high = low - abs(low) * slack, high + abs(high) * slack
    at_origin = k == 0 and kind.get("origin")
    middle = (low + high) / 2
    if k == 0 and kind.get("low", 0) < 0:
        middle = -.02  # -0 P(-0) must be -0: t q > 0 at 0
    c = np.float32(0) if at_origin else centre(f, middle, high - low)
    c0 = single(f(mp.mpf(float(c))))
    n = 64
    x = [(mp.mpf(high) - low) / 2 * mp.cos(mp.pi * (i + .5) / n) + (mp.mpf(high) + low) / 2
         for i in range(n)]
    if at_origin:
        x = [mp.mpf(high) / 2 * (1 + mp.cos(mp.pi * (i + .5) / n)) for i in range(n)]
    y = [f(v) for v in x]
    near_zero = zero is not None and min(abs(low - zero), abs(high - zero)) < .55
    weight = np.array([float(1 / max(abs(v), mp.mpf(.06) if near_zero else 0)) for v in y])
    t = np.array([float(v - mp.mpf(float(c))) for v in x])
    rest = np.array([float(v - mp.mpf(float(c0))) for v in y]) # less what is already rounded
    scale = np.max(np.abs(t))
    row = [c, c0]
    for j in range(1, degree + 1):
        columns = np.stack([(t / scale)**i for i in range(j, degree + 1)], axis=1)
        s = np.linalg.lstsq(columns * weight[:, None], rest * weight, rcond=None)[0]
        row.append(single(s[0] / scale**j))
        rest = rest - float(row[-1]) * t**j
    return row, np.max(np.abs(rest * weight))


def main():
    name = sys.argv[1]
    kind = KINDS[name]
    first, ends = boundaries(kind)
    rows, worst = {}, (0, 0)
    for k in range(first, first + len(ends) - 1):
        row, error = fit(kind, ends[k - first], ends[k - first + 1], k)
        rows[k & 31] = row
        worst = max(worst, (error, k))
        print("entry", k, "to %.5f error 2^%.2f" % (ends[k - first + 1], np.log2(error)), file=sys.stderr)
    count = kind["degree"] + 2
    i1, i2, i3 = (float(single(i)).hex() for i in kind["index"])
    print("/* %s: rows c, c0 .. c%d (kernels/fit/table.py). The largest error of a fit, its coefficients\n"
          " * rounded, is 2^%.1f, in entry %d. */" % (kind["text"], count - 2, np.log2(worst[0]), worst[1]))
    print("#define %s_INDEX %s" % (name.upper(), ", ".join(x + "f" for x in (i1, i2, i3))))
    print("static const float table_%s[%d][32] = {" % (name, count))
    for j in range(count):
        values = [float(rows[i][j]).hex() + "f" if i in rows else "0" for i in range(32)]
        line = "    {"
        for i, v in enumerate(values):
            v = v.replace("0000000p", "p").replace("000000f", "f")
            piece = v + (", " if i < 31 else "},")
            if len(line) + len(piece) > 100:
                print(line.rstrip())
                line = "     "
            line += piece
        print(line)
    print("};")


main()
