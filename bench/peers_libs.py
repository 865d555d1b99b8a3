"""The libraries compared, each behind one small class.

prepare(kind, op, n) makes whatever n elements need once and returns bind(x, g, out) -> run: x is the
input, or for bwd_y the output of the forward pass; run() computes into out, or returns an array where
the library cannot write into memory it is given. It returns None where the library has no such
function. Kinds that a library has only as an expression of several calls are in `composed`.
"""
import ctypes as C
import glob
import os
import sys

import numpy as np

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
# What an array holds; bf16, which NumPy has not, as its bits.
STORAGE = {"f32": np.dtype("f4"), "f64": np.dtype("f8"), "bf16": np.dtype("u2"), "f16": np.dtype("f2")}


def stored(dtype, values):
    """float32 or float64 values in the type of dtype; bf16 rounds to nearest, ties to even."""
    if dtype != "bf16":
        return values.astype(STORAGE[dtype])
    bits = values.astype("f4").view("u4")
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(values), 0x7FC0, rounded).astype("u2")


def widened(dtype, array):
    """What stored has stored, as float64."""
    if dtype != "bf16":
        return array.astype("f8")
    return (array.astype("u4") << 16).view("f4").astype("f8")


class Ours:
    """libactfn.so through ctypes, its arguments converted beforehand."""

    threads = "1, its default"

    def __init__(self, dtype, path):
        self.lib = C.CDLL(path)
        self.lib.act_version.restype = self.lib.act_isa_name.restype = C.c_char_p
        isa = self.lib.act_isa_name(self.lib.act_get_isa()).decode()
        self.version = f"{self.lib.act_version().decode()} ({isa})"
        self.suffix = "" if dtype == "f32" else "_" + dtype

    def call(self, op, suffix):
        name = {"fwd": "act_forward", "bwd_x": "act_backward",
                "bwd_y": "act_backward_from_output"}[op] + suffix
        function = getattr(self.lib, name)
        function.argtypes = ([C.c_int, C.c_void_p] + [C.c_void_p] * (2 if op == "fwd" else 3)
                             + [C.c_size_t])
        return function

    def prepare(self, kind, op, n, suffix=None, alpha=None):
        number = self.lib.act_kind_from_name(kind.encode())
        params = None if alpha is None else (C.c_double * 4)(alpha)
        function = self.call(op, self.suffix if suffix is None else suffix)
        if number < 0 or function(number, None, *[None] * (2 if op == "fwd" else 3), 0):
            return None

        def bind(x, g, out):
            pointers = [C.c_void_p(a.ctypes.data) for a in ([x, out] if op == "fwd" else [x, g, out])]
            arguments = [C.c_int(number), params, *pointers, C.c_size_t(n)]
            return lambda: function(*arguments)
        return bind


class Torch:
    threads = "torch.set_num_threads(1)"
    composed = {("softsign", "fwd")}
    allocates = {("mish", "bwd_x"), ("hardswish", "bwd_x")}
    saved = {("logsigmoid", "bwd_x")}

    def __init__(self, dtype, _):
        import torch
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.torch, self.version = torch, f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
        self.dtype = dtype

    def tensor(self, array):
        if self.dtype == "bf16":
            return self.torch.from_numpy(array.view("i2")).view(self.torch.bfloat16)
        return self.torch.from_numpy(array)

    def array(self, tensor):
        return (tensor.view(self.torch.int16) if self.dtype == "bf16" else tensor).numpy()

    def prepare(self, kind, op, n):
        t = self.torch
        nn, aten = t._C._nn, t.ops.aten
        # relu(x) is clamp_min(x, 0) inside and has no out=; relu6 and selu are hardtanh and elu.
        forward = {
            "relu": lambda x, o: lambda: t.clamp_min(x, 0, out=o),
            "leaky_relu": lambda x, o: lambda: nn.leaky_relu(x, 0.01, out=o),
            "sigmoid": lambda x, o: lambda: t.sigmoid(x, out=o),
            "tanh": lambda x, o: lambda: t.tanh(x, out=o),
            "silu": lambda x, o: lambda: nn.silu(x, out=o),
            "gelu": lambda x, o: lambda: nn.gelu(x, approximate="none", out=o),
            "gelu_tanh": lambda x, o: lambda: nn.gelu(x, approximate="tanh", out=o),
            "mish": lambda x, o: lambda: nn.mish(x, out=o),
            "elu": lambda x, o: lambda: nn.elu(x, 1.0, 1.0, 1.0, out=o),
            "softplus": lambda x, o: lambda: nn.softplus(x, 1.0, 20.0, out=o),
            "hardswish": lambda x, o: lambda: nn.hardswish(x, out=o),
            "logsigmoid": lambda x, o: lambda: nn.log_sigmoid(x, out=o),
            "hardsigmoid": lambda x, o: lambda: nn.hardsigmoid(x, out=o),
            "relu6": lambda x, o: lambda: nn.hardtanh(x, 0.0, 6.0, out=o),
            "selu": lambda x, o: lambda: nn.elu(x, SELU_ALPHA, SELU_SCALE, 1.0, out=o),
            "softsign": lambda x, o: lambda: t.div(x, t.abs(x, out=o).add_(1), out=o),
        }
        into = {
            "relu": ("x y", lambda x, g, o: lambda: aten.threshold_backward.grad_input(
                g, x, 0, grad_input=o)),
            "leaky_relu": ("x y", lambda x, g, o: lambda: aten.leaky_relu_backward.grad_input(
                g, x, 0.01, op == "bwd_y", grad_input=o)),
            "sigmoid": ("y", lambda y, g, o: lambda: aten.sigmoid_backward.grad_input(
                g, y, grad_input=o)),
            "tanh": ("y", lambda y, g, o: lambda: aten.tanh_backward.grad_input(g, y, grad_input=o)),
            "silu": ("x", lambda x, g, o: lambda: aten.silu_backward.grad_input(g, x, grad_input=o)),
            "gelu": ("x", lambda x, g, o: lambda: aten.gelu_backward.grad_input(
                g, x, approximate="none", grad_input=o)),
            "gelu_tanh": ("x", lambda x, g, o: lambda: aten.gelu_backward.grad_input(
                g, x, approximate="tanh", grad_input=o)),
            "mish": ("x", lambda x, g, o: lambda: aten.mish_backward(g, x)),
            "elu": ("x y", lambda x, g, o: lambda: aten.elu_backward.grad_input(
                g, 1.0, 1.0, 1.0, op == "bwd_y", x, grad_input=o)),
            "selu": ("x y", lambda x, g, o: lambda: aten.elu_backward.grad_input(
                g, SELU_ALPHA, SELU_SCALE, 1.0, op == "bwd_y", x, grad_input=o)),
            "softplus": ("x", lambda x, g, o: lambda: aten.softplus_backward.grad_input(
                g, x, 1.0, 20.0, grad_input=o)),
            "hardswish": ("x", lambda x, g, o: lambda: aten.hardswish_backward(g, x)),
            "logsigmoid": ("x", lambda x, g, o, saved=None: lambda: (
                aten.log_sigmoid_backward.grad_input(g, x, saved, grad_input=o))),
            "hardsigmoid": ("x", lambda x, g, o: lambda: aten.hardsigmoid_backward.grad_input(
                g, x, grad_input=o)),
            "relu6": ("x", lambda x, g, o: lambda: aten.hardtanh_backward.grad_input(
                g, x, 0.0, 6.0, grad_input=o)),
        }
        if op == "fwd":
            make = forward.get(kind)
            return make and (lambda x, g, o: make(self.tensor(x), self.tensor(o)))
        sources, make = into.get(kind, ("", None))
        if op[-1] not in sources.split():
            return None
        if kind == "logsigmoid":  # its forward pass leaves exp(-|x|) for the backward pass
            return lambda x, g, o: make(self.tensor(x), self.tensor(g), self.tensor(o),
                                        aten.log_sigmoid_forward(self.tensor(x))[1])
        return lambda x, g, o: make(self.tensor(x), self.tensor(g), self.tensor(o))


class OneDnn:
    """The C API; the numbers are those of dnnl_types.h."""

    threads = "OMP_NUM_THREADS=1"
    RELU, TANH, ELU, SOFT_RELU, HARDSIGMOID, LOGISTIC = 0x20, 0x21, 0x22, 0x27, 0x28, 0x29
    GELU_TANH, SWISH, CLIP_V2, GELU_ERF, MISH, HARDSWISH = 0x2B, 0x2C, 0x2F, 0x31, 0x33, 0x34
    TYPES = {"f16": 1, "bf16": 2, "f32": 3}
    TAG_A, INFERENCE, TRAINING = 2, 96, 64
    SRC, DST, DIFF_SRC, DIFF_DST = 1, 17, 129, 145
    KINDS = {
        "relu": (RELU, 0, 0), "leaky_relu": (RELU, 0.01, 0), "sigmoid": (LOGISTIC, 0, 0),
        "tanh": (TANH, 0, 0), "silu": (SWISH, 1, 0), "gelu": (GELU_ERF, 0, 0),
        "gelu_tanh": (GELU_TANH, 0, 0), "mish": (MISH, 0, 0), "elu": (ELU, 1, 0),
        "softplus": (SOFT_RELU, 1, 0), "logsigmoid": (SOFT_RELU, -1, 0),
        "hardswish": (HARDSWISH, 1 / 6, 0.5), "hardsigmoid": (HARDSIGMOID, 1 / 6, 0.5),
        "relu6": (CLIP_V2, 0, 6),
    }
    FROM_OUTPUT = {RELU: 0x100, TANH: 0x101, ELU: 0x102, LOGISTIC: 0x104, CLIP_V2: 0x106}

    class Argument(C.Structure):
        _fields_ = [("index", C.c_int), ("memory", C.c_void_p)]

    def __init__(self, dtype, path):
        if dtype not in self.TYPES:
            raise NotImplementedError(f"it has no {dtype}")
        self.type = self.TYPES[dtype]
        self.lib = lib = C.CDLL(path)
        pointer, real, whole = C.c_void_p, C.c_float, C.c_int
        lib.dnnl_version.restype = pointer
        self.version = ".".join(map(str, (whole * 3).from_address(lib.dnnl_version())))
        lib.dnnl_engine_create.argtypes = [pointer, whole, C.c_size_t]
        lib.dnnl_stream_create.argtypes = [pointer, pointer, C.c_uint]
        lib.dnnl_memory_desc_create_with_tag.argtypes = [pointer, whole, pointer, whole, whole]
        lib.dnnl_eltwise_forward_primitive_desc_create.argtypes = [
            pointer, pointer, whole, whole, pointer, pointer, real, real, pointer]
        lib.dnnl_eltwise_backward_primitive_desc_create.argtypes = [
            pointer, pointer, whole, pointer, pointer, pointer, real, real, pointer, pointer]
        lib.dnnl_primitive_create.argtypes = [pointer, pointer]
        lib.dnnl_memory_create.argtypes = [pointer, pointer, pointer, pointer]
        lib.dnnl_primitive_execute.argtypes = [pointer, pointer, whole, pointer]
        lib.dnnl_stream_wait.argtypes = [pointer]
        self.engine = self.new("dnnl_engine_create", 1, 0)  # the CPU
        self.stream = self.new("dnnl_stream_create", self.engine, 1)  # in order

    def new(self, function, *arguments):
        made = C.c_void_p()
        status = getattr(self.lib, function)(C.byref(made), *arguments)
        if status:
            raise RuntimeError(f"{function}: status {status}")
        return made

    def prepare(self, kind, op, n):
        algorithm, alpha, beta = self.KINDS.get(kind, (None, 0, 0))
        if op == "bwd_y":
            algorithm = self.FROM_OUTPUT.get(algorithm)
        if algorithm is None:
            return None
        shape = self.new("dnnl_memory_desc_create_with_tag", 1, C.byref(C.c_int64(n)), self.type,
                         self.TAG_A)
        plan = self.new("dnnl_eltwise_forward_primitive_desc_create", self.engine,
                        self.INFERENCE if op == "fwd" else self.TRAINING, algorithm, shape, shape,
                        alpha, beta, None)
        if op != "fwd":
            plan = self.new("dnnl_eltwise_backward_primitive_desc_create", self.engine, algorithm,
                            shape, shape, shape, alpha, beta, plan, None)
        primitive = self.new("dnnl_primitive_create", plan)
        source = self.DST if op == "bwd_y" else self.SRC
        execute, wait, stream = (self.lib.dnnl_primitive_execute, self.lib.dnnl_stream_wait,
                                 self.stream)

        def bind(x, g, out):
            places = [(source, x), (self.DST, out)] if op == "fwd" else \
                [(source, x), (self.DIFF_DST, g), (self.DIFF_SRC, out)]
            memory = [(i, self.new("dnnl_memory_create", shape, self.engine, a.ctypes.data))
                      for i, a in places]
            arguments = (self.Argument * len(memory))(*memory)
            count, address = C.c_int(len(memory)), C.c_void_p(C.addressof(arguments))

            def run(keep=(memory, arguments)):
                execute(primitive, stream, count, address)
                wait(stream)
            return run
        return bind


class OneDnnSycl(OneDnn):
    threads = "SYCL, one CPU in its affinity"


class OnnxRuntime:
    threads = "intra_op_num_threads = 1"
    composed = {("silu", "fwd")}
    NODES = {
        "relu": [("Relu", {})], "leaky_relu": [("LeakyRelu", {"alpha": 0.01})],
        "sigmoid": [("Sigmoid", {})], "tanh": [("Tanh", {})],
        "silu": [("Sigmoid", {}), ("Mul", {})],  # the optimiser makes one node of it
        "gelu": [("Gelu", {})], "gelu_tanh": [("Gelu", {"approximate": "tanh"})],
        "mish": [("Mish", {})], "elu": [("Elu", {"alpha": 1.0})], "softplus": [("Softplus", {})],
        "hardswish": [("HardSwish", {})],
        "hardsigmoid": [("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5})],
        "relu6": [("Clip", {})], "softsign": [("Softsign", {})], "selu": [("Selu", {})],
    }

    def __init__(self, dtype, _):
        import onnx
        import onnxruntime
        onnxruntime.set_default_logger_severity(3)
        self.onnx, self.runtime, self.version = onnx, onnxruntime, onnxruntime.__version__
        if dtype == "bf16":
            raise NotImplementedError("its CPU provider has no bf16")
        self.type = STORAGE[dtype]

    def prepare(self, kind, op, n):
        if op != "fwd" or kind not in self.NODES:
            return None
        helper = self.onnx.helper
        code = helper.np_dtype_to_tensor_dtype(self.type)
        nodes, name, constants = [], "x", []
        for i, (operator, attributes) in enumerate(self.NODES[kind]):
            inputs = {"Mul": ["x", name], "Clip": [name, "low", "high"]}.get(operator, [name])
            if operator == "Clip":
                constants = [helper.make_tensor(c, code, [], [v]) for c, v in (("low", 0), ("high", 6))]
            name = "y" if i + 1 == len(self.NODES[kind]) else f"t{i}"
            nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        shape = [helper.make_tensor_value_info(v, code, [n]) for v in "xy"]
        graph = helper.make_graph(nodes, "g", shape[:1], shape[1:], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = self.runtime.InferenceSession(model.SerializeToString(), options,
                                                    providers=["CPUExecutionProvider"])
        except Exception as error:  # an operator without a kernel of this type
            if "NOT_IMPLEMENTED" in str(error):
                return None
            raise

        def bind(x, g, out):
            binding = session.io_binding()
            binding.bind_input("x", "cpu", 0, self.type, [n], x.ctypes.data)
            binding.bind_output("y", "cpu", 0, self.type, [n], out.ctypes.data)
            return lambda: session.run_with_iobinding(binding)
        return bind


class OpenVino:
    threads = "INFERENCE_NUM_THREADS 1, NUM_STREAMS 1"

    def __init__(self, dtype, _):
        import openvino
        if dtype == "f64":
            raise NotImplementedError("its CPU plugin computes f64 in f32")
        self.ov, self.core = openvino, openvino.Core()
        self.hint, self.type = dtype, getattr(openvino.Type, dtype)
        self.version = openvino.__version__.split("-")[0]

    def prepare(self, kind, op, n):
        from openvino import opset13 as ops
        constant = lambda v: ops.constant([v], self.type)  # noqa: E731
        make = {
            "relu": ops.relu, "leaky_relu": lambda x: ops.prelu(x, constant(0.01)),
            "sigmoid": ops.sigmoid, "tanh": ops.tanh,
            "silu": lambda x: ops.swish(x, ops.constant(1.0, self.type)),
            "gelu": lambda x: ops.gelu(x, "erf"), "gelu_tanh": lambda x: ops.gelu(x, "tanh"),
            "mish": ops.mish, "elu": lambda x: ops.elu(x, 1.0), "softplus": ops.softplus,
            "hardswish": ops.hswish, "hardsigmoid": ops.hsigmoid,
            "relu6": lambda x: ops.clamp(x, 0.0, 6.0), "softsign": ops.softsign,
            "selu": lambda x: ops.selu(x, constant(SELU_ALPHA), constant(SELU_SCALE)),
        }.get(kind)
        if op != "fwd" or make is None:
            return None
        # Dimensions of their own for channels: some operators broadcast a parameter over them.
        parameter = ops.parameter([1, 1, n], self.type)
        compiled = self.core.compile_model(self.ov.Model([make(parameter)], [parameter]), "CPU", {
            "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": self.hint})

        def bind(x, g, out):
            request = compiled.create_infer_request()
            shape = self.ov.Shape([1, 1, n])
            request.set_input_tensor(self.ov.Tensor(x, shape, self.type))
            request.set_output_tensor(self.ov.Tensor(out, shape, self.type))

            def run():
                request.start_async()
                request.wait()
            return run
        return bind


class Jax:
    threads = "one CPU, no Eigen threads"
    allocates_all = True

    def __init__(self, dtype, _):
        import jax
        jax.config.update("jax_enable_x64", dtype == "f64")
        self.jax, self.version, self.dtype = jax, jax.__version__, dtype

    def array(self, array):
        if self.dtype == "bf16":
            array = array.view(self.jax.numpy.bfloat16)
        return self.jax.numpy.asarray(array)

    def prepare(self, kind, op, n):
        nn, np_ = self.jax.nn, self.jax.numpy
        function = {
            "relu": nn.relu, "leaky_relu": nn.leaky_relu, "sigmoid": nn.sigmoid, "tanh": np_.tanh,
            "silu": nn.silu, "gelu": lambda x: nn.gelu(x, approximate=False),
            "gelu_tanh": lambda x: nn.gelu(x, approximate=True), "mish": nn.mish, "elu": nn.elu,
            "softplus": nn.softplus, "hardswish": nn.hard_swish, "logsigmoid": nn.log_sigmoid,
            "hardsigmoid": nn.hard_sigmoid, "relu6": nn.relu6, "softsign": nn.soft_sign,
            "selu": nn.selu,
        }.get(kind)
        if function is None or op == "bwd_y":
            return None
        if op == "fwd":
            compiled = self.jax.jit(function)
            bind = lambda x: lambda: compiled(x).block_until_ready()  # noqa: E731
            return lambda x, g, out: bind(self.array(x))
        compiled = self.jax.jit(lambda x, g: self.jax.vjp(function, x)[1](g)[0])
        bind = lambda x, g: lambda: compiled(x, g).block_until_ready()  # noqa: E731
        return lambda x, g, out: bind(self.array(x), self.array(g))


class NumPy:
    threads = "1"
    composed = {(k, "fwd") for k in (
        "leaky_relu", "silu", "gelu", "gelu_tanh", "mish", "elu", "hardswish", "hardsigmoid",
        "softsign", "selu")}

    def __init__(self, dtype, _):
        import scipy
        if dtype == "bf16":
            raise NotImplementedError("it has no bf16")
        self.version = f"{np.__version__}, SciPy {scipy.__version__}"

    def prepare(self, kind, op, n):
        from scipy import special
        if op != "fwd":
            return None

        def leaky_relu(x, o, t):
            np.maximum(x, np.multiply(x, 0.01, out=o), out=o)

        def silu(x, o, t):
            np.multiply(x, special.expit(x, out=o), out=o)

        def gelu(x, o, t):
            np.multiply(x, special.ndtr(x, out=o), out=o)

        def gelu_tanh(x, o, t):
            np.multiply(x, x, out=o)
            np.multiply(o, 2 * 0.7978845608028654 * 0.044715, out=o)
            np.add(o, 2 * 0.7978845608028654, out=o)
            np.multiply(x, special.expit(np.multiply(o, x, out=o), out=o), out=o)

        def mish(x, o, t):
            np.multiply(x, np.tanh(np.logaddexp(x, 0, out=o), out=o), out=o)

        def elu(x, o, t, alpha=1.0, scale=1.0):
            np.expm1(np.minimum(x, 0, out=o), out=o)
            np.multiply(o, alpha * scale, out=o)
            np.multiply(np.maximum(x, 0, out=t), scale, out=t)
            np.add(o, t, out=o)

        def hardsigmoid(x, o, t):
            np.multiply(np.clip(np.add(x, 3, out=o), 0, 6, out=o), 1 / 6, out=o)

        def hardswish(x, o, t):
            np.multiply(x, np.clip(np.add(x, 3, out=o), 0, 6, out=o), out=o)
            np.multiply(o, 1 / 6, out=o)

        def softsign(x, o, t):
            np.divide(x, np.add(np.abs(x, out=o), 1, out=o), out=o)

        make = {
            "relu": lambda x, o, t: np.maximum(x, 0, out=o), "leaky_relu": leaky_relu,
            "sigmoid": lambda x, o, t: special.expit(x, out=o),
            "tanh": lambda x, o, t: np.tanh(x, out=o), "silu": silu, "gelu": gelu,
            "gelu_tanh": gelu_tanh, "mish": mish, "elu": elu,
            "softplus": lambda x, o, t: np.logaddexp(x, 0, out=o),
            "logsigmoid": lambda x, o, t: special.log_expit(x, out=o), "hardswish": hardswish,
            "hardsigmoid": hardsigmoid, "relu6": lambda x, o, t: np.clip(x, 0, 6, out=o),
            "softsign": softsign, "selu": lambda x, o, t: elu(x, o, t, SELU_ALPHA, SELU_SCALE),
        }.get(kind)
        if make is None:
            return None

        def bind(x, g, out):
            scratch = np.zeros_like(out)
            return lambda: make(x, out, scratch)
        return bind


class Mkl:
    """VML in its default accuracy, HA."""

    threads = "sequential MKL"
    mode = 2
    composed = {("gelu", "fwd"), ("gelu_tanh", "fwd")}

    def __init__(self, dtype, path):
        if dtype not in ("f32", "f64"):
            raise NotImplementedError(f"it has no {dtype}")
        self.lib = C.CDLL(path)
        text = C.create_string_buffer(200)
        self.lib.mkl_get_version_string(text, 200)
        self.version = text.value.decode().split("Version ")[-1].split(" ")[0]
        self.letter = {"f32": "s", "f64": "d"}[dtype]

    def prepare(self, kind, op, n):
        if op != "fwd" or kind not in ("tanh", "gelu", "gelu_tanh"):
            return None
        function = getattr(self.lib, f"vm{self.letter}{'CdfNorm' if kind == 'gelu' else 'Tanh'}")
        function.argtypes = [C.c_int, C.c_void_p, C.c_void_p, C.c_int64]

        def bind(x, g, out):
            source = x if kind != "gelu_tanh" else np.zeros_like(out)
            arguments = [C.c_int(n), C.c_void_p(source.ctypes.data), C.c_void_p(out.ctypes.data),
                         C.c_int64(self.mode)]
            if kind == "tanh":
                return lambda: function(*arguments)
            if kind == "gelu":
                return lambda: (function(*arguments), np.multiply(x, out, out=out)) and None

            def run():
                np.multiply(x, x, out=source)
                np.multiply(source, 0.7978845608028654 * 0.044715, out=source)
                np.add(source, 0.7978845608028654, out=source)
                np.multiply(source, x, out=source)
                function(*arguments)
                np.add(out, 1, out=out)
                np.multiply(out, x, out=out)
                np.multiply(out, 0.5, out=out)
            return run
        return bind


class MklLa(Mkl):
    """VML in its faster accuracy, LA."""

    mode = 1


def find(*patterns):
    """The first file below the virtual environment's lib, or the folder of extracted libraries."""
    for pattern in patterns:
        for folder in (os.path.join(sys.prefix, "lib"), os.path.join(os.path.dirname(sys.prefix), "lib")):
            found = sorted(glob.glob(os.path.join(folder, pattern)))
            if found:
                return found[0]
    raise FileNotFoundError(f"no {patterns[0]}")


def make(peer, dtype, actfn):
    if peer == "onednn":
        # Not the virtual environment's, which is the SYCL build.
        path = os.path.join(os.path.dirname(sys.prefix), "lib", "libdnnl.so.3")
        return OneDnn(dtype, path)
    if peer == "onednn_sycl":
        return OneDnnSycl(dtype, os.path.join(sys.prefix, "lib", "libdnnl.so.3"))
    if peer in ("mkl", "mkl_la"):
        return {"mkl": Mkl, "mkl_la": MklLa}[peer](dtype, find("libmkl_rt.so*"))
    return {"actfn": Ours, "torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino,
            "jax": Jax, "numpy": NumPy}[peer](dtype, actfn)
