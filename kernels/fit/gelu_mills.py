#!/usr/bin/env python3
"""kernels/gelu.c in double: 2 Q(a) e^(a^2/2) (1 + C a) = 1 + h(t), t = (a - K) / (a + K), a from 0
to 40: h by Chebyshev interpolation, and h' to a few bits. python3 gelu_mills.py (mpmath)"""
from mpmath import mp, mpf, cos, pi, erfc, exp, sqrt, diff, log

mp.dps = 60
K, C, LAST = mpf(5), mpf('1.09375'), mpf(40)


def ratio(a):  # Q(a) e^(a^2/2)
    return erfc(a / sqrt(2)) * exp(a * a / 2) / 2


def h(t):
    a = K * (1 + t) / (1 - t)
    return 2 * ratio(a) * (1 + C * a) - 1


END = (LAST - K) / (LAST + K)


def fit(f, degree):
    """Coefficients in t, rising."""
    n, mid, half = degree + 1, (END - 1) / 2, (END + 1) / 2
    nodes = [cos(pi * (k + mpf(1) / 2) / n) for k in range(n)]
    values = [f(mid + half * x) for x in nodes]
    cheb = [2 * sum(v * cos(j * pi * (k + mpf(1) / 2) / n) for k, v in enumerate(values)) / n
            for j in range(n)]
    cheb[0] /= 2
    # Chebyshev polynomials of s = (t - mid) / half as polynomials in t
    s = [-mid / half, 1 / half]
    mul = lambda p, q: [sum(p[i] * q[k - i] for i in range(len(p)) if 0 <= k - i < len(q))
                        for k in range(len(p) + len(q) - 1)]
    add = lambda p, q: [(p[i] if i < len(p) else 0) + (q[i] if i < len(q) else 0)
                        for i in range(max(len(p), len(q)))]
    old, new, total = [mpf(1)], s, [cheb[0]]
    for j in range(1, n):
        total = add(total, [cheb[j] * c for c in new])
        old, new = new, add([2 * c for c in mul(s, new)], [-c for c in old])
    return [mpf(float(c)) for c in total]


def value(p, t):
    v = mpf(0)
    for c in reversed(p):
        v = v * t + c
    return v


def report(name, f, degree):
    p = fit(f, degree)
    grid = [-1 + (END + 1) * mpf(i) / 997 for i in range(998)]
    worst = max(abs(value(p, t) - f(t)) for t in grid)
    print(f'{name}: absolute error 2^{float(log(worst, 2)):.1f}, sum of |c| {float(sum(map(abs, p))):.3f}')
    for i, c in enumerate(p):
        print(f'  t^{i:<2d} {float(c).hex()}')


report('h', h, 24)
report("h'", lambda t: diff(h, t), 6)
