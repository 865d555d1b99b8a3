#!/usr/bin/env python3
"""The table of kernels/selu.c: lambda alpha 2^(k/8) as scale (1 + rest), scale a float given by its
bits less k << 20. rest[0] makes the float product scale rest exactly LAMBDA_ALPHA_LOW."""
import numpy as np
from mpmath import mp, mpf

mp.dps = 40
constant = mpf("1.7580993408473768599402175208123")
high = np.float32(float.fromhex("0x1.c212ccp+0"))
low = np.float32(float(constant - mpf(float(high))))
scales, rests = [], []
for k in range(8):
    exact = constant * mpf(2)**(mpf(k) / 8)
    scale = np.float32(float(exact))
    rest = np.float32(float(exact / mpf(float(scale)) - 1))
    if k == 0:
        while np.float32(scale * rest) < low:
            rest = np.nextafter(rest, np.float32(1))
        while np.float32(scale * rest) > low:
            rest = np.nextafter(rest, np.float32(0))
        assert scale == high and np.float32(scale * rest) == low
    bits = int(scale.view(np.int32)) - (k << 20)
    scales.append(np.int32(bits).view(np.float32))
    rests.append(rest)
for name, row in (("scale", scales), ("rest", rests)):
    print(name, ", ".join(float(v).hex().replace("0000000p", "p") + "f" for v in row))
print("LOW", float(low).hex(), "LOW / constant", float(np.float32(float(mpf(float(low)) / constant))).hex())
l = mpf("1.0507009873554804934193349852946")
print("lambda", float(np.float32(float(l))).hex())
