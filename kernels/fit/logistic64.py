"""kernels/half_logistic64.h: e^r = 1 + r + r^2 q(r), |r| <= ln 2 / 2, q of degree 9. Prints its coefficients,
lowest first, and the largest error.

    python3 logistic64.py      (needs mpmath)
"""
import mpmath as mp

from table64 import nodes, through

END = mp.log(2) / 2 * mp.mpf("1.0002")
q = [float(c) for c in through([(r, (mp.exp(r) - 1 - r) / r**2) for r in nodes(-END, END, 10)])]
worst = max(abs(1 + r + r * r * mp.polyval([mp.mpf(c) for c in q[::-1]], r) - mp.exp(r))
            for r in nodes(-END, END, 200))
print("\n".join(c.hex() for c in q))
print(f"2^{float(mp.log(worst, 2)):.1f}")
