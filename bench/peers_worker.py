"""One library in a process of its own, asked by peers.py: a JSON request a line, an answer a line."""
import json
import mmap
import os
import sys
import time
import traceback

SAMPLE = 1 << 21  # half uniform over bit patterns, half N(0, 1.5)
SLOPE_ZERO = {"silu": -1.27846, "gelu": -0.75179, "gelu_tanh": -0.75246, "mish": -1.19246,
              "hardswish": -1.5}
# Binary digits, the least exponent of a normal number.
FORMAT = {"f32": (24, -126), "f64": (53, -1022), "bf16": (8, -126), "f16": (11, -14)}
KEEPS_ZERO = ("leaky_relu tanh silu gelu gelu_tanh mish elu hardswish softsign selu").split()


class Worker:
    def __init__(self, peer, dtype, actfn, folder):
        import numpy
        import peers_libs
        global np
        np = numpy
        np.seterr(all="ignore")
        self.type = peers_libs.STORAGE[dtype]
        self.stored = lambda values: peers_libs.stored(dtype, values)
        self.widened = lambda array: peers_libs.widened(dtype, array)
        self.peer, self.folder, self.dtype = peer, folder, dtype
        self.library = peers_libs.make(peer, dtype, actfn)
        # Of the same arithmetic everywhere: the output that bwd_y starts from, and the reference.
        self.actfn = self.library if peer == "actfn" else peers_libs.Ours(dtype, actfn)
        self.arrays, self.bound, self.made = {}, {}, (None, None)

    def array(self, name, n):
        """Pages of its own for each, the same in every process: no luck of malloc's alignment."""
        if name not in self.arrays or len(self.arrays[name]) < n:
            size = max(n, 1 << 18)
            memory = np.frombuffer(mmap.mmap(-1, size * self.type.itemsize), self.type)
            random = np.random.Generator(np.random.PCG64(len(name)))
            real = np.dtype("f8" if self.dtype == "f64" else "f4")
            if name == "normal":
                memory[:] = self.stored(1.5 * random.standard_normal(size, dtype=real))
            elif name == "uniform":
                memory[:] = self.stored(16 * random.random(size, dtype=real) - 8)
            elif name == "grad":
                memory[:] = self.stored(random.standard_normal(size, dtype=real))
            else:
                memory[:] = 0  # touched, so that no timing pays for page faults
            self.arrays[name] = memory
        return self.arrays[name][:n]

    def prepare(self, kind, op, n):
        if self.made[0] != (kind, op, n):
            self.made = ((kind, op, n), None)
            self.made = ((kind, op, n), self.library.prepare(kind, op, n))
        return self.made[1]

    def source(self, kind, op, x, name="output"):
        if op != "bwd_y":
            return x
        y = self.array(name, len(x))
        self.actfn.prepare(kind, "fwd", len(x))(x, None, y)()
        return y

    def has(self, kind, op):
        notes = [name for name in ("composed", "allocates", "saved")
                 if (kind, op) in getattr(self.library, name, ())]
        if getattr(self.library, "allocates_all", False):
            notes.append("allocates")
        return {"has": self.prepare(kind, op, 64) is not None, "notes": notes}

    def time(self, kind, op, n, dist, budget):
        """ns per call: the calls that fit into budget seconds, after a first that warms the caches. Of the
        process's CPU clock, all of its threads: what else the machine does is in no time."""
        key = (kind, op, n, dist)
        if key not in self.bound:
            if not self.bound or next(iter(self.bound))[:3] != key[:3]:
                self.bound.clear()
            x = self.source(kind, op, self.array(dist, n), f"output of {dist}")
            arrays = x, self.array("grad", n), self.array("result", n)
            self.bound[key] = self.prepare(kind, op, n)(*arrays), arrays
            self.bound[key][0]()
        run = self.bound[key][0]
        warm = time.process_time_ns()
        run()
        warm = time.process_time_ns() - warm
        if n > 1 << 22:
            return {"ns": warm}  # no cache holds these
        calls = max(1, min(1 << 16, int(budget * 1e9 / max(warm, 200))))
        loop = range(calls)
        start = time.process_time_ns()
        for _ in loop:
            run()
        return {"ns": (time.process_time_ns() - start) / calls}

    def sample(self):
        random = np.random.Generator(np.random.PCG64(1))
        integer = np.dtype(f"u{self.type.itemsize}")
        top = int(self.stored(np.array([1e4])).view(integer)[0])
        if integer.itemsize == 2:  # all there are
            bits = np.arange(1 << 16, dtype=integer)
            return bits[(bits & 0x7FFF) < top].view(self.type)
        bits = random.integers(0, 2 * top, SAMPLE // 2, dtype=integer)
        sign = (bits >= top).astype(integer)
        bits = (bits - sign * integer.type(top)) | (sign << integer.type(8 * integer.itemsize - 1))
        normal = 1.5 * random.standard_normal(SAMPLE - SAMPLE // 2, dtype=self.type)
        return np.concatenate([bits.view(self.type), normal])

    def compute(self, kind, op, x):
        self.bound.clear()  # its arrays may be replaced by larger ones
        out, ones = self.array("result", len(x)), self.stored(np.ones(len(x)))
        found = self.prepare(kind, op, len(x))(x, ones, out)()
        if hasattr(found, "numpy"):  # of PyTorch
            found = self.library.array(found)
        found = np.asarray(out if found is None or isinstance(found, int) else found)
        return self.widened(found.view(self.type))

    def paths(self, kind, op):
        return [os.path.join(self.folder, f"{name}-{self.dtype}-{kind}-{op}.npy")
                for name in ("input", "exact")]

    def exact(self, kind, op, x):
        out, ones = np.zeros_like(x), np.ones_like(x)
        # The slope that a library of this type has, not the nearest double.
        real = np.float64 if self.dtype == "f64" else np.float32
        alpha = float(real(0.01)) if kind == "leaky_relu" else None
        self.actfn.prepare(kind, op, len(x), "_f64", alpha)(x, ones, out)()
        return out

    def reference(self, kind, op):
        """What the accuracy is held against: the f64 kernels, which the tests hold to 2 f64 ULP."""
        x = self.sample()
        source = np.array(self.source(kind, op, x))
        exact = self.exact(kind, op, self.widened(source))
        for path, array in zip(self.paths(kind, op), (source, exact)):
            np.save(path, array)
        return {}

    def accuracy(self, kind, op):
        if self.dtype == "f64" and self.peer == "actfn":
            return {}  # it is what the others are held against
        x, exact = (np.load(path) for path in self.paths(kind, op))
        found, x = self.compute(kind, op, x), self.widened(x)
        digits, least = FORMAT[self.dtype]
        unit = np.ldexp(1.0, np.maximum(np.frexp(exact)[1] - 1, least) - digits + 1)
        if op == "bwd_x" and kind in SLOPE_ZERO:
            # Next to its zero a derivative is judged absolutely, as libactfn's bounds are.
            near = np.abs(x - SLOPE_ZERO[kind]) < 0.5
            unit[near] = np.maximum(unit[near], 2.0**-digits)
        error = np.abs(found - exact) / unit
        error[~np.isfinite(found)] = np.inf
        worst = int(np.argmax(error))
        # A tie of f64 may be off it by the error of the f64 kernel.
        limit = 0.5 + 1e-9 if digits < 24 else 4
        return {"ulp": float(error[worst]), "at": float(x[worst]),
                "over": float(np.mean(error > limit))}

    def edges(self, kind, op):
        """f at -inf, +inf, NaN and -0, amid others so that vector code meets them."""
        if op == "bwd_y":
            return {"edges": []}  # an output is never infinite, but for kinds without a bound
        x = np.ones(64)
        places = {"-inf": (5, -np.inf), "+inf": (18, np.inf), "NaN": (35, np.nan), "-0": (52, -0.0)}
        for place, value in places.values():
            x[place] = value
        right = self.exact(kind, op, x)
        found = self.compute(kind, op, self.stored(x))
        bad = []
        for name, (place, _) in places.items():
            got, want = float(found[place]), float(right[place])
            # An underflow to 0 or the smallest normal is a matter of accuracy, not of the edge.
            near = max(1e-6, 2.0 ** -FORMAT[self.dtype][0] * abs(want))  # rounded to the type
            same = got == want or (got != got and want != want) or abs(got - want) <= near
            signed = name == "-0" and op == "fwd" and kind in KEEPS_ZERO
            if not same or (signed and not np.signbit(found[place])):
                bad.append(f"{name} → {got:+.3g}".replace("+nan", "NaN").replace("-nan", "NaN"))
        if not np.allclose(found[:5], right[:5], rtol=1e-2):
            bad.append("its neighbours")
        return {"edges": bad}

    def about(self):
        return {"version": self.library.version, "threads": self.library.threads}


def main():
    peer, dtype, actfn, folder, cpu = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu)})
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or Worker(peer, dtype, actfn, folder)
            answer = getattr(worker, request.pop("do"))(**request)
        except NotImplementedError as error:
            answer = {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
