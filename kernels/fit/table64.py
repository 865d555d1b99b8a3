"""The f64 tables of kernels/avx512/f64/: 16 intervals, in each a polynomial around a centre c.

    python3 table64.py tanh > ../avx512/tables/tanh64.h      (needs mpmath; tanh, gelu)
    python3 table64.py exp > ../avx512/tables/exp64.h        2^(j/16), and e^-m beside it

The entry is floor(a (i1 + a (i2 + a i3))), or four to an octave from 2 on of a / scale + 2. The polynomial
is that of Chebyshev's nodes; c is the double near the middle at which it is nearest to a double, so that
c0 has next to no error. For f(0) = 0, f'(0) = 1 the first entry has c = 0, and is t (1 + t (c2 + ...)).
Prints the largest error.
"""
import sys

import mpmath as mp

mp.mp.prec = 200
ENTRIES = 16
KINDS = {
    "tanh": dict(f=mp.tanh, text="tanh a", origin=True, index=(2.955, -0.212, 0.00528), degree=13, high=19.2),
    "gelu": dict(f=lambda a: mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2), text="2 Q(a) e^(a^2/2)",
                 scale=1.3, degree=13, high=39.0),
}


def octaves(scale, high):
    return [scale * (mp.mpf(2)**(k // 4) * (2 + mp.mpf(k % 4) / 2) - 2) for k in range(ENTRIES)] + [
        mp.mpf(high)]


def bounds(index, high):
    def q(a):
        return a * (index[0] + a * (index[1] + a * index[2]))
    out = [mp.mpf(0)]
    for k in range(1, ENTRIES):
        low, top = out[-1], mp.mpf(high)
        assert q(top) > k
        for _ in range(60):
            middle = (low + top) / 2
            low, top = (middle, top) if q(middle) < k else (low, middle)
        out.append(top)
    assert ENTRIES - 1 < q(mp.mpf(high)) < ENTRIES
    return out + [mp.mpf(high)]


def through(points):
    """Coefficients of the polynomial through (t, value)."""
    n = len(points)
    a = mp.matrix(n, n)
    for i, (t, _) in enumerate(points):
        for k in range(n):
            a[i, k] = t**k
    return list(mp.lu_solve(a, mp.matrix([v for _, v in points])))


def nodes(low, high, n):
    return [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * n))
            for i in range(n)]


def shifted(p, by):
    """p(t + by)"""
    p = list(p)
    for i in range(len(p)):
        for k in range(len(p) - 2, i - 1, -1):
            p[k] += by * p[k + 1]
    return p


def entry(f, degree, low, high, origin):
    if origin:
        # The nodes of a slightly wider interval, the least of which is 0.
        least = mp.cos(mp.pi / (2 * degree))
        at = nodes(-high * (1 - least) / (1 + least), high, degree)[:-1]
        p = through([(t, f(t) / t) for t in at] + [(mp.mpf(0), mp.mpf(1))])
        return 0.0, [0.0] + [float(c) for c in p]
    middle = float((low + high) / 2)
    about = through([(t - middle, f(t)) for t in nodes(low, high, degree + 1)])
    # Steps of c that move f by a part of its last place.
    step = max(mp.mpf(2) ** (mp.floor(mp.log(middle, 2)) - 52), mp.mpf(2) ** -57 / abs(about[1]))
    best = None
    for k in range(-1000, 1001):
        off = float(middle + k * step) - middle
        if abs(off) > (high - low) / 8:
            continue
        value = mp.polyval(about[::-1], off)
        loss = abs(value - float(value)) / mp.mpf(2) ** (mp.floor(mp.log(value, 2)) - 52)
        if best is None or loss < best[0]:
            best = loss, off
    p = shifted(about, mp.mpf(best[1]))
    return middle + best[1], [float(c) for c in p]


def array(name, values):
    text = [float(v).hex() for v in values]
    lines = [", ".join(text[i:i + 4]) for i in range(0, len(text), 4)]
    print(f"static const double {name}[{len(text)}] = {{\n    " + ",\n    ".join(lines) + "};")


def exponential():
    """e^-m = 1 - m + m^2 q(m), |m| <= ln 2 / 32 and its rounding."""
    end = mp.log(2) / 32 * mp.mpf("1.0005")

    def f(m):
        return (mp.exp(-m) - 1 + m) / m**2 if abs(m) > 1e-20 else mp.mpf(0.5)
    q = [float(c) for c in through([(m, f(m)) for m in nodes(-end, end, 5)])]
    worst = max(abs(1 - m + m * m * mp.polyval([mp.mpf(c) for c in q[::-1]], m) - mp.exp(-m))
                for m in nodes(-end, end, 100))
    powers = [mp.mpf(2) ** (mp.mpf(j) / ENTRIES) for j in range(ENTRIES)]
    print("/* 2^(j/16) as two doubles, and q of e^-m = 1 - m + m^2 q(m), |m| <= ln 2 / 32, to\n"
          f" * 2^{float(mp.log(worst, 2)):.1f} (kernels/fit/table64.py). */")
    array("exp_high", powers)
    array("exp_low", [p - mp.mpf(float(p)) for p in powers])
    array("exp_poly", q)


def main():
    if sys.argv[1] == "exp":
        return exponential()
    kind = KINDS[sys.argv[1]]
    f, degree = kind["f"], kind["degree"]
    edges = (bounds(kind["index"], kind["high"]) if "index" in kind else
             octaves(kind["scale"], kind["high"]))
    entries = [entry(f, degree, edges[i], edges[i + 1], i == 0 and "origin" in kind)
               for i in range(ENTRIES)]
    worst = 0
    for i, (c, p) in enumerate(entries):
        here = 0
        for t in nodes(edges[i], edges[i + 1], 101):
            value = mp.polyval([mp.mpf(v) for v in p[::-1]], t - c)
            here = max(here, abs(value / f(t) - 1))
        worst = max(worst, here)
        print(f"{float(edges[i]):.4f}: 2^{float(mp.log(here, 2)):.1f}", file=sys.stderr)
    name = sys.argv[1]
    print(f"/* {kind['text']}, a from 0 to {kind['high']:g}: 16 intervals, c and c0 .. c{degree}; relative error\n"
          f" * 2^{float(mp.log(worst, 2)):.1f} (kernels/fit/table64.py). */")
    if "index" in kind:
        print(f"#define {name.upper()}_INDEX " + ", ".join(map(repr, kind["index"])))
    else:
        print(f"#define {name.upper()}_SCALE {kind['scale']!r}")
    print(f"static const double {name}_rows[{degree + 2}][16] = {{")
    for row in [[c for c, _ in entries]] + [[p[k] for _, p in entries] for k in range(degree + 1)]:
        text = [float(v).hex() for v in row]
        print("    {" + ",\n     ".join(", ".join(text[i:i + 4]) for i in range(0, 16, 4)) + "},")
    print("};")


if __name__ == "__main__":
    main()
