#!/usr/bin/env python3
"""Softmax beside PyTorch and oneDNN, after ./dev peers has installed them:

    taskset -c 0 build/peers/venv/bin/python bench/peers_softmax.py [libactfn.so]

One thread, one process, calls in turns. A time is that below which a fifth of the calls' CPU times
lie: other processes make a call slower, never faster. The results are compared first."""
import ctypes as C
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402

import peers  # noqa: E402
from peers_libs import OneDnn  # noqa: E402

SHAPES = [("rows of 128", 512, 128, 1), ("rows of 1000", 128, 1000, 1),
          ("rows of 4096", 32, 4096, 1),
          ("1024 x 1024, last axis", 1024, 1024, 1), ("1024 x 1024, first axis", 1, 1024, 1024)]
ROUNDS = 41
SOFTMAX, AB = 0x30000, 3  # dnnl_types.h


class Shape(C.Structure):
    _fields_ = [("outer", C.c_size_t), ("axis", C.c_size_t), ("inner", C.c_size_t)]


def ours(lib, shape, x, g, y, out):
    shape = Shape(*shape)
    forward, backward = lib.act_softmax_forward, lib.act_softmax_backward
    forward.argtypes = [C.c_int, C.c_uint, Shape] + [C.c_void_p] * 3
    backward.argtypes = [C.c_int, C.c_uint, Shape] + [C.c_void_p] * 4
    address = [a.ctypes.data for a in (x, g, y, out)]
    return (lambda: forward(0, 0, shape, None, address[0], address[2]),
            lambda: backward(0, 0, shape, None, address[2], address[1], address[3]))


def torch_calls(shape, x, g, y, out):
    import torch
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    outer, axis, inner = shape
    dimension = 1 if inner == 1 else 0
    flat = (outer, axis) if inner == 1 else (axis, inner)
    x, g, y, out = (torch.from_numpy(a.reshape(flat)) for a in (x, g, y, out))
    aten = torch.ops.aten
    return (lambda: aten._softmax.out(x, dimension, False, out=y),
            lambda: aten._softmax_backward_data.out(g, y, dimension, torch.float32, grad_input=out))


class Softmax(OneDnn):
    def calls(self, shape, x, g, y, out):
        pointer, whole = C.c_void_p, C.c_int
        self.lib.dnnl_softmax_forward_primitive_desc_create.argtypes = [
            pointer, pointer, whole, whole, pointer, pointer, whole, pointer]
        self.lib.dnnl_softmax_backward_primitive_desc_create.argtypes = [
            pointer, pointer, whole, pointer, pointer, pointer, whole, pointer, pointer]
        outer, axis, inner = shape
        flat = (outer, axis) if inner == 1 else (axis, inner)
        dimension = 1 if inner == 1 else 0
        described = self.new("dnnl_memory_desc_create_with_tag", 2, (C.c_int64 * 2)(*flat), self.type, AB)
        plans = []
        for kind in (self.INFERENCE, self.TRAINING):
            plans.append(self.new("dnnl_softmax_forward_primitive_desc_create", self.engine, kind,
                                  SOFTMAX, described, described, dimension, None))
        plans[1] = self.new("dnnl_softmax_backward_primitive_desc_create", self.engine, SOFTMAX,
                            described, described, described, dimension, plans[1], None)
        places = [[(self.SRC, x), (self.DST, y)],
                  [(self.DST, y), (self.DIFF_DST, g), (self.DIFF_SRC, out)]]
        return [self.bound(plan, described, place) for plan, place in zip(plans, places)]

    def bound(self, plan, described, places):
        primitive = self.new("dnnl_primitive_create", plan)
        memory = [(i, self.new("dnnl_memory_create", described, self.engine, a.ctypes.data))
                  for i, a in places]
        arguments = (self.Argument * len(memory))(*memory)
        execute, wait, stream = (self.lib.dnnl_primitive_execute, self.lib.dnnl_stream_wait,
                                 self.stream)

        def run(keep=(memory, arguments)):
            execute(primitive, stream, len(memory), C.addressof(arguments))
            wait(stream)
        return run


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(peers.ROOT, "build/release/libactfn.so")
    onednn = Softmax("f32", os.path.join(peers.FOLDER, "lib", "libdnnl.so.3"))
    lib = C.CDLL(path)
    random = np.random.default_rng(1)
    os.sched_setaffinity(0, {os.sched_getcpu() if hasattr(os, "sched_getcpu") else 0})
    print(f"oneDNN {onednn.version}; ns per element of ours, then times ours\n")
    print(f"{'':24} {'':9} {'ours':>7} {'PyTorch':>8} {'oneDNN':>8}")
    for name, *shape in SHAPES:
        n = shape[0] * shape[1] * shape[2]
        x, g = (random.normal(0, 1.5, n).astype("f4") for _ in range(2))
        y, out = np.zeros(n, "f4"), np.zeros(n, "f4")
        arrays = x, g, y, out
        calls = [ours(lib, shape, *arrays), torch_calls(shape, *arrays), onednn.calls(shape, *arrays)]
        for direction in (0, 1):
            results = []
            for call in calls:
                calls[0][0]()
                call[direction]()
                results.append((out if direction else y).copy())
            assert all(np.allclose(results[0], r, 1e-4, 1e-7) for r in results)
            times = [[] for _ in calls]
            repeat = max(1, 200000 // n)
            for _ in range(ROUNDS):
                for call, spent in zip(calls, times):
                    call[direction]()
                    start = time.thread_time_ns()
                    for _ in range(repeat):
                        call[direction]()
                    spent.append((time.thread_time_ns() - start) / repeat / n)
            best = [sorted(t)[ROUNDS // 5] for t in times]
            print(f"{name:24} {('forward', 'backward')[direction]:9} {best[0]:7.3f}"
                  + "".join(f" {b / best[0]:8.2f}" for b in best[1:]))


if __name__ == "__main__":
    main()
