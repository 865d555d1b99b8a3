#!/usr/bin/env python3
"""The table of eight of kernels/eight.h: needs numpy and mpmath.

T_k = e^shift 2^(k/8), shift such that all eight are nearly floats, so that they need no low parts;
and e^-(r + shift) - 1 as a polynomial of r, |r| <= ln 2 / 16.
"""
import numpy as np
from mpmath import chebyfit, exp, log, mp, mpf

mp.dps = 30
k = np.arange(8)
ratios = 2.0 ** (k / 8)
best = (1, 0)
for first in range(0, 2**19, 4096):
    t0 = 0.97 + 0.06 * np.arange(first, first + 4096)[:, None] / 2**19
    t0 = np.float32(t0).astype(np.float64)
    for part in np.linspace(-0.2, 0.2, 9) * 2**-24:
        t = (t0 + part) * ratios
        rounded = np.float32(t).astype(np.float64)
        off = np.max(np.abs(rounded / t - 1), axis=1)
        i = int(np.argmin(off))
        best = min(best, (1, 0) if off[i] >= best[0] else (off[i], t0[i, 0] + part))
off, t0 = best
shift = log(mpf(t0))
print(f"shift {float(shift):.6f}, largest relative error of T_k 2^{np.log2(off):.2f}")
scale = 2.0**40
bits = np.float32(t0 * ratios * scale).view(np.int32) - (k.astype(np.int32) << 20)
print("{" + ", ".join(float(b).hex() + "f" for b in bits.astype(np.int32).view(np.float32)) + "}")
half = log(mpf(2)) / 16 * mpf("1.001")
for degree in 3, 4:
    c, error = chebyfit(lambda r: exp(-r - shift), [-half, half], degree + 1, error=True)
    c[-1] -= 1
    print(f"degree {degree}, error 2^{float(log(error, 2)):.2f}:",
          ", ".join(float(np.float32(float(v))).hex() for v in c))
l8 = log(mpf(2)) / 8
high = mpf(int(l8 * 2**16)) / 2**16
print("ln2/8 =", float(high).hex(), float(np.float32(float(l8 - high))).hex())
