"""The tables of kernels/avx512/: 32 intervals, in each a polynomial around a centre c.

    python3 table.py gelu > ../avx512/tables/gelu.h      (needs numpy, scipy; half a minute)

index(x) makes intervals of about equal relative change; entry k serves k - 1/2 <= index < k + 1/2. Or
octaves = (k, s): the entry is the low bits of k x + s's exponent and its first three of the significand,
intervals eight to the octave of that.
c is a float for which f(c) is nearly a float, so that c0 has next to no error. Where in the interval
decides how far the rounding errors add up: of the best floats around nine points of it (or those of
"parts"), taken is the one whose row errs least when it is computed as the kernel does, on all floats of
the interval or 400,000 of them: in ULP, or for a derivative, which is still to be multiplied by g, relative
to it, in 2^-24. (A centre in the middle of every interval costs .2 to .5 ULP.) c1, c2 ... are minimax by
Lawson's iteration at Chebyshev nodes, relative to f (to max(|f|, .06) near a zero of f), each rounded to
float before the next are fitted again. Prints the largest errors.
"""
import sys

import numpy as np
from scipy.special import erfcx

ROOT = np.sqrt(2 / np.pi)


def gelu(x):  # a Phi(-a)
    return x * np.exp(-x * x / 2) * erfcx(x / np.sqrt(2)) / 2


def gelu_grad(x):
    return np.exp(-x * x / 2) * (erfcx(x / np.sqrt(2)) / 2 - x / np.sqrt(2 * np.pi))


def u(x):  # gelu_tanh(x) = x / (1 + e^-u)
    return 2 * ROOT * (x + .044715 * x**3)


def u_slope(x):
    return 2 * ROOT * (1 + .134145 * x**2)


def mish(x):  # mish(x) / x
    e = np.exp(x)
    return e * (e + 2) / (e * (e + 2) + 2)


def mish_grad(x):
    e = np.exp(x)
    return e * (4 * (x + 1) + 4 * e**2 + e**3 + e * (4 * x + 6)) / (2 * e + e**2 + 2)**2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu_grad(x):  # silu'(-a)
    return (1 - x / (1 + np.exp(-x))) / (1 + np.exp(x))


SELU = 1.0507009873554804934193349852946, 1.7580993408473768599402175208123

# what is tabulated, index(x) = x (i1 + x (i2 + x i3)), entries, degree, from, to; origin: entry 0 is
# centred at 0, f(0) exact; zero: of f; end: beyond it, in the last entry, f is added to 1 or more, and
# errors are absolute; product: a derivative; parts: where centres are tried, from, to, how many.
# gelu_tanh_grad's entry 0 ends where the window around the zero of f' begins: in entry 1 the roundings
# of large terms make a small sum.
KINDS = {
    "gelu": dict(f=gelu, text="a Phi(-a)", index=(1.93183, -.0592825, .037757), degree=6, origin=True),
    "gelu_grad": dict(product=True, f=gelu_grad, text="gelu'(-a)", index=(1.69858, .27399, 0), degree=7,
                      zero=.75179152),
    "gelu_tanh": dict(f=lambda x: x / (1 + np.exp(u(x))), text="a sigmoid(-2u(a))",
                      index=(1.6, -.23, .063775), degree=7, origin=True),
    "gelu_tanh_grad": dict(product=True, f=lambda x: (1 - x * u_slope(x) / (1 + np.exp(-u(x)))) / (1 + np.exp(u(x))),
                           text="gelu_tanh'(-a)", index=(2.05, -.355, .0726), degree=7, parts=(.3, .9, 33),
                           zero=.75246142),
    "tanh": dict(f=np.tanh, text="tanh(a)", octaves=(1.8392, 1.18), degree=4, origin=True, high=9.13),
    "elu": dict(f=lambda x: np.expm1(-x), text="e^-a - 1", octaves=(1.289, 1.57), degree=4, origin=True,
                high=17.4),
    "sigmoid": dict(f=lambda x: sigmoid(-x), text="sigmoid(-a)", index=(2, 0, 0), degree=5, end=15.25, high=18),
    "sigmoid_grad": dict(product=True, f=lambda x: sigmoid(-x) * sigmoid(x), text="sigmoid'(a)", index=(2.6, -.0233, 0),
                         degree=5, high=13.829),
    "softplus": dict(f=lambda x: np.log1p(np.exp(-x)), text="log1p(e^-a)", index=(2, 0, 0), degree=5,
                     end=15.25, high=18),
    "silu": dict(f=lambda x: x * sigmoid(-x), text="a sigmoid(-a)", index=(2.6, -.0233, 0), degree=5,
                 origin=True, end=13.32, high=20),
    "silu_grad": dict(product=True, f=silu_grad, text="silu'(-a)", index=(2.6, -.0233, 0), degree=5, zero=1.27846454,
                      end=13.32, high=20),
    "gelu_quick": dict(f=lambda x: x * sigmoid(-1.702 * x), text="a sigmoid(-1.702 a)",
                       index=(4.288, -.0622, 0), degree=5, origin=True, end=8.05, high=12),
    "gelu_quick_grad": dict(product=True, f=lambda x: silu_grad(1.702 * x), text="gelu_quick'(-a)",
                            index=(4.288, -.0622, 0), degree=5, zero=.751154255, end=8.05, high=12),
    "selu": dict(f=lambda x: SELU[1] * np.expm1(-x), text="lambda alpha (e^-a - 1)", octaves=(1.289, 1.57),
                 degree=4, origin=True, high=17.4),
    "selu_grad": dict(product=True, f=lambda x: SELU[1] * np.exp(x), text="lambda alpha e^x", index=(3.84, 0, 0), degree=4,
                      first=-31, last=0, low=-8.06, high=0, origin=True),
    "elu_grad": dict(product=True, f=np.exp, text="e^x", index=(3.84, 0, 0), degree=4, first=-31, last=0, low=-8.06, high=0,
                     origin=True),
    "tanh_grad": dict(product=True, f=lambda x: 4 * np.exp(-2 * x) / (1 + np.exp(-2 * x))**2, text="tanh'(a)",
                      index=(4.3388, -.05358, 0), degree=5),
    "mish": dict(f=mish, text="mish(x) / x", index=(2.268, -.03087, -.005563), degree=5, first=-17,
                 last=14, low=-8.06, high=9.7),
    "mish_grad": dict(product=True, f=mish_grad, text="mish'(x)", index=(2.446, .01229, -.008481), degree=6, first=-14,
                      last=17, low=-8.06, high=10.3, zero=-1.19243121),
}


def boundaries(kind):
    """(entry, from, to) of all: by bisection, the index rises from low to high."""
    low, high = kind.get("low", 0), kind.get("high", 8.06)
    if "octaves" in kind:
        scale, start = (float(np.float32(i)) for i in kind["octaves"])
        entry = lambda x: int(np.float32(scale * x + start).view(np.int32)) >> 20
        first, last = entry(low), entry(high)
        assert last - first < 32, "index out of the table"
    else:
        i1, i2, i3 = (float(np.float32(i)) for i in kind["index"])
        first, last = kind.get("first", 0), kind.get("last", 31)
        entry = lambda x: int(np.floor(x * (i1 + x * (i2 + x * i3)) + .5))
        if "end" in kind:
            assert entry(kind["end"]) <= last
            entry = lambda x: min(last, int(np.floor(x * (i1 + x * (i2 + x * i3)) + .5)))
        assert first <= entry(low) and entry(high) <= last, "index out of the table"
    ends = [low]
    for k in range(first + 1, last + 1):
        a, b = ends[-1], high
        for _ in range(60):
            middle = (a + b) / 2
            if entry(middle) < k:
                a = middle
            else:
                b = middle
        ends.append(a)
    ends.append(high)
    return [(first + i, ends[i], ends[i + 1]) for i in range(len(ends) - 1)]


def centres(f, middle, width):
    """Floats near middle where f is nearest to a float: within 400 floats, or, where f hardly changes
    over these, within a tenth of the interval."""
    def distance(t):
        v = f(t.astype(np.float64))
        return np.abs((v - v.astype(np.float32)) / v)
    bits = np.float32(middle).view(np.int32)
    near = np.arange(bits - 400, bits + 401, dtype=np.int32).view(np.float32)
    if np.min(distance(near)) > 2.0**-30:
        near = np.float32(middle + width * np.linspace(-.1, .1, 20001))
    return near[np.argsort(distance(near))[:3]]


def minimax(columns, rest):
    """Lawson: least squares again and again, weighted by the errors."""
    weight = np.ones(len(rest))
    for _ in range(12):
        root = np.sqrt(weight)
        s = np.linalg.lstsq(columns * root[:, None], rest * root, rcond=None)[0]
        error = np.abs(rest - columns @ s)
        weight = weight * (error + 1e-3 * error.max())
        weight /= weight.max()
    return s


def fit(kind, low, high, c, scale_of):
    """The row around c and its largest relative error."""
    f, degree = kind["f"], kind["degree"]
    slack = 2.0**-20  # the interval is chosen in float: a few ULP to either side
    low, high = low - abs(low) * slack, high + abs(high) * slack
    x = (high - low) / 2 * np.cos(np.pi * (np.arange(80) + .5) / 80) + (high + low) / 2
    c0 = np.float32(f(np.float64(c)))
    y = f(x)
    weight, t, rest = 1 / scale_of(x, y), x - float(c), y - float(c0)
    size, row = np.max(np.abs(t)), [c, c0]
    for j in range(1, degree + 1):
        columns = np.stack([(t / size)**i for i in range(j, degree + 1)], axis=1)
        s = minimax(columns * weight[:, None], rest * weight)
        row.append(np.float32(s[0] / size**j))
        rest = rest - float(row[-1]) * t**j
    return row, np.max(np.abs(rest * weight))


def fma(a, b, c):
    return (a.astype(np.float64) * b + c).astype(np.float32)


def computed_error(row, x, y, unit):
    """The largest error of table_value() in units."""
    t = x - row[0]
    q = np.full_like(x, row[-1])
    for c in row[-2:0:-1]:
        q = fma(q, t, c)
    return np.max(np.abs(q - y) / unit)


def entry(kind, low, high, k):
    """The best row, what it errs as computed, and the error of its fit."""
    f, zero = kind["f"], kind.get("zero")
    near_zero = zero is not None and min(abs(low - zero), abs(high - zero)) < .55
    scale_of = lambda x, y: np.maximum(np.abs(y), np.where(x >= kind.get("end", 99), 1, .06 * near_zero))
    first, last = (int(np.float32(v).view(np.int32)) & 2**31 - 1 for v in (low, high))
    if 0 not in (low, high) and low * high > 0 and abs(last - first) < 400000:
        x = np.arange(min(first, last), max(first, last) + 1, dtype=np.int32).view(np.float32)
        x = x if low > 0 else -x
    else:
        x = np.append(np.random.default_rng(k & 31).uniform(low, high, 400000), (low, high))
        x = x.astype(np.float32)
    x = x[x != 0]
    y = f(x.astype(np.float64))
    scale = scale_of(x, y)
    if kind.get("product"):
        unit = 2.0**-24 * scale
    else:
        unit = 2.0**(np.maximum(np.floor(np.log2(scale)), -126) - 23)
    if 0 in (low, high) and kind.get("origin"):
        tried = [np.float32(0)]
    elif k == 0 and kind.get("low", 0) < 0:
        tried = centres(f, -.02, high - low)  # -0 P(-0) must be -0: t q > 0 at 0
    else:
        tried = np.concatenate([centres(f, low + (high - low) * part, high - low)
                                for part in np.linspace(*kind.get("parts", (.4, .84, 9)))])
    found = []
    for c in tried:
        row, error = fit(kind, low, high, c, scale_of)
        found.append((computed_error(row, x, y, unit), error, row))
    return min(found, key=lambda r: r[0])


def main():
    name = sys.argv[1]
    kind = KINDS[name]
    rows, worst, worst_fit = {}, (0, 0), 0
    for k, low, high in boundaries(kind):
        ulp, error, row = entry(kind, low, high, k)
        rows[k & 31] = row
        worst, worst_fit = max(worst, (ulp, k)), max(worst_fit, error)
        print("entry %d to %.5f: %.3f ULP, fit 2^%.2f" % (k, high, ulp, np.log2(error)), file=sys.stderr)
    count = kind["degree"] + 2
    form = "octaves" if "octaves" in kind else "index"
    constants = [float(np.float32(i)).hex().replace("0000000p", "p") for i in kind[form]]
    print("/* %s: rows c, c0 .. c%d (kernels/fit/table.py). The largest error of a fit, its coefficients\n"
          " * rounded, is 2^%.1f; as computed, %.2f %s in entry %d. */" %
          (kind["text"], count - 2, np.log2(worst_fit), worst[0],
           "x 2^-24" if kind.get("product") else "ULP", worst[1]))
    print("#define %s_%s %s" % (name.upper(), form.upper(), ", ".join(x + "f" for x in constants)))
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
