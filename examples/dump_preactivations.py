#!/usr/bin/env python3
"""Real input for act-bench: the hidden pre-activations of a small MLP trained on handwritten digits.

    pip install numpy scikit-learn          (Debian: python3-numpy python3-sklearn)
    python3 examples/dump_preactivations.py --out preactivations.npy
    ./dev bench --input preactivations.npy

The digits come with scikit-learn. The network, 64-128-64-10 with SiLU, is trained here in NumPy by
Adam, so that its pre-activations are at hand: those of both hidden layers over the whole data
set, one after the other, as one f32 array.
"""
import argparse

import numpy as np
from sklearn.datasets import load_digits

LAYERS, STEPS, BATCH, RATE = (64, 128, 64, 10), 600, 128, 3e-3


def silu(z):
    s = 1 / (1 + np.exp(-z))
    return z * s, s * (1 + z * (1 - s))


def forward(x, weights):
    """Inputs, pre-activations and slopes of each hidden layer, and the logits."""
    inputs, hidden, slopes = [x], [], []
    for w, b in weights[:-1]:
        z = inputs[-1] @ w + b
        y, slope = silu(z)
        inputs.append(y)
        hidden.append(z)
        slopes.append(slope)
    w, b = weights[-1]
    return inputs, hidden, slopes, inputs[-1] @ w + b


def gradients(x, label, weights):
    inputs, _, slopes, logits = forward(x, weights)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    delta = (p - np.eye(LAYERS[-1])[label]) / len(x)
    result = []
    for layer in reversed(range(len(weights))):
        result.append((inputs[layer].T @ delta, delta.sum(axis=0)))
        if layer > 0:
            delta = delta @ weights[layer][0].T * slopes[layer - 1]
    return result[::-1]


def train(x, label, rng):
    weights = [[rng.normal(0, np.sqrt(2 / n), (n, m)), np.zeros(m)]
               for n, m in zip(LAYERS, LAYERS[1:])]
    mean = [[np.zeros_like(t) for t in layer] for layer in weights]
    square = [[np.zeros_like(t) for t in layer] for layer in weights]
    for step in range(1, STEPS + 1):
        batch = rng.integers(0, len(x), BATCH)
        for layer, grads in enumerate(gradients(x[batch], label[batch], weights)):
            for i, g in enumerate(grads):
                mean[layer][i] += 0.1 * (g - mean[layer][i])
                square[layer][i] += 0.001 * (g * g - square[layer][i])
                m, v = mean[layer][i] / (1 - 0.9**step), square[layer][i] / (1 - 0.999**step)
                weights[layer][i] -= RATE * m / (np.sqrt(v) + 1e-8)
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="preactivations.npy", help="file to write")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    rng = np.random.default_rng(args.seed)
    x, label = load_digits(return_X_y=True)
    x = (x - x.mean()) / x.std()
    order = rng.permutation(len(x))
    held_out, rest = order[:300], order[300:]
    weights = train(x[rest], label[rest], rng)
    correct = forward(x[held_out], weights)[3].argmax(axis=1) == label[held_out]

    z = np.concatenate([h.ravel() for h in forward(x, weights)[1]]).astype("<f4")
    with open(args.out, "wb") as file:  # a name given to np.save would get .npy appended
        np.save(file, z)
    print(f"accuracy on {len(held_out)} held-out digits: {correct.mean():.3f}")
    print(f"{args.out}: shape {z.shape}, mean {z.mean():.3f}, sigma {z.std():.3f}, "
          f"min {z.min():.2f}, max {z.max():.2f}")


main()
