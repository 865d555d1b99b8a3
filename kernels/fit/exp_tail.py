"""The constants of kernels/avx512/tail.h, elu.c and gelu.c's tail: needs mpmath and numpy.

    exp_tail.py

e^r - 1 = r + r^2 (c2 + c3 r) for |r| <= 1.01 ln 2 / 32, absolute error as small as can be; 2^(k/16)
times factor, as floats, with the relative error of each; ln 2 / 16 as 12 bits and the rest; and
d(w) = 1 - a Mills(a), w = 1/a^2, for a in [8.05, 14.9], by c1 w + ... + c4 w^4.
"""
import mpmath as mp
import numpy as np

mp.mp.prec = 100


def single(x):
    return np.float32(float(x))


def chebyshev(low, high, n):
    return (high - low) / 2 * np.cos(np.pi * (np.arange(n) + .5) / n) + (high + low) / 2


def exponential():
    end = float(mp.log(2) / 32) * 1.01
    r = chebyshev(-end, end, 200)
    y = np.expm1(r) - r
    columns = np.stack([r**2, r**3], axis=1)
    weight = np.ones_like(r)
    for _ in range(400):  # towards the smallest largest error
        root = np.sqrt(weight)
        c = np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0]
        error = np.abs(columns @ c - y)
        weight *= (error / error.max() + 1e-3)**.5
        weight /= weight.max()
    print("c2, c3:", *(float(single(v)).hex() for v in c), "error 2^%.1f" % np.log2(error.max()))


def powers(name, factor):
    values = [factor * mp.mpf(2)**(mp.mpf(k) / 16) for k in range(16)]
    print(name, *(float(single(v)).hex() for v in values))
    print("  rests", *(float(single(v / mp.mpf(float(single(v))) - 1)).hex() for v in values))


def mills():
    low, high = 1 / 14.9**2, 1 / 8.05**2
    w = chebyshev(low, high, 60)

    def d(w):
        a = 1 / mp.sqrt(w)
        return 1 - a * mp.erfc(a / mp.sqrt(2)) / 2 * mp.sqrt(2 * mp.pi) * mp.exp(a * a / 2)
    y = np.array([float(d(v)) for v in w])
    scaled = np.stack([(w / high)**i for i in range(1, 5)], axis=1)
    c = np.linalg.lstsq(scaled, y, rcond=None)[0]
    print("d:", *(c / high**np.arange(1, 5)), "error 2^%.1f" % np.log2(np.max(np.abs(scaled @ c - y))))


exponential()
powers("2^(k/16)", mp.mpf(1))
powers("over sqrt(2 pi)", 1 / mp.sqrt(2 * mp.pi))
powers("halved", mp.mpf(1) / 2)
high = mp.mpf(2839) / 65536
print("ln 2 / 16:", float(high).hex(), float(single(mp.log(2) / 16 - high)).hex())
mills()
