"""What peers.py measured, as docs/PERFORMANCE.md and docs/performance.svg, or of another type
docs/PERFORMANCE-DTYPE.md. Standard library only."""
import math
import os
import re
import statistics

NAMES = {"actfn": "**libactfn**", "torch": "PyTorch", "onednn": "oneDNN", "onednn_sycl": "oneDNN (SYCL)",
         "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "jax": "JAX",
         "numpy": "NumPy/SciPy", "mkl": "MKL VML HA", "mkl_la": "MKL VML LA"}
OPS = {"fwd": "forward", "bwd_x": "backward, from x", "bwd_y": "backward, from the output"}
GOAL_SIZE = 65536
CURVED = "sigmoid tanh silu gelu gelu_tanh mish elu softplus".split()
# (peer, direction, kinds, at least this many times as fast)
GOALS = {"f32": (
    [(p, "fwd", k, 0.97) for p in ("torch", "onednn") for k in ("relu", "leaky_relu", "hardswish")]
    + [("onednn", "fwd", k, r) for k, r in (
        ("softplus", 2.8), ("gelu_tanh", 1.8), ("tanh", 1.7), ("silu", 1.7), ("sigmoid", 1.5),
        ("elu", 1.5), ("mish", 1.5), ("gelu", 1.3))]
    + [("torch", "fwd", k, 4.0 if k in ("tanh", "gelu_tanh", "softplus", "mish") else 1.5)
       for k in CURVED]
    + [("onednn", "bwd_x", k, 1.7) for k in CURVED]
    + [(p, "bwd_y", k, 1.0) for p in ("torch", "onednn") for k in ("sigmoid", "tanh", "elu")]),
    "f64": [("torch", "fwd", k, 1.5) for k in ("tanh", "gelu", "mish", "softplus")],
    "bf16": [("onednn", "fwd", k, 2.0) for k in ("sigmoid", "tanh", "silu", "gelu", "mish")],
}
GOALS["f16"] = GOALS["bf16"]
ERRORS = {
    "f32": "The errors are those of 2^21 inputs, half uniform over the bit patterns of |x| < 10^4 and "
           "half N(0, 1.5), against libactfn's f64 functions, which the tests hold to MPFR, and the "
           "gradient to take through is 1.",
    "f64": "The errors are those of 2^21 inputs, half uniform over the bit patterns of |x| < 10^4 and "
           "half N(0, 1.5), against libactfn's own results, which are within 2 ULP of MPFR's themselves "
           "(ACCURACY-f64.md), and the gradient to take through is 1.",
    "f16": "The errors are those of all inputs of |x| < 10^4, against libactfn's f64 functions, which "
           "the tests hold to MPFR, and the gradient to take through is 1. Not nearest: the share of "
           "results that are not the nearest number of the type (from the output: of what the rounded "
           "output gives).",
}
ERRORS["bf16"] = ERRORS["f16"]


class Cell:
    """One peer, kind and direction: times of its calls and of libactfn's in the same rounds."""

    def __init__(self, results, peer, kind, op):
        self.data = results["cells"].get(f"{peer}|{kind}|{op}", {})
        self.times = self.data.get("time", {})
        start = self.times.get("1 normal")
        # A call of one element is what a call costs before the first vector.
        self.start = [statistics.median(t[i] for t in start) for i in (0, 1)] if start else None

    def measured(self, n):
        return {key.split()[1]: t for key, t in self.times.items()
                if key.split()[0] == str(n) and t and self.start}

    def net(self, n, which):
        """ns per element less the start of the call, the worse distribution's median, and whether the
        start is most of it."""
        worst = None
        for turns in self.measured(n).values():
            whole = statistics.median(t[which] for t in turns)
            net = max(whole - self.start[which], 0.0)
            worst = max(worst or (0, False), (net / n, net < whole / 4))
        return worst

    def ratio(self, n):
        """How many times libactfn's time the peer's is: the worse distribution's median, MAD, name."""
        worst = None
        for dist, turns in self.measured(n).items():
            # In whole calls that last less than their start there is nothing left to compare.
            found = [(t[0] - self.start[0]) / (t[1] - self.start[1]) for t in turns
                     if t[0] > self.start[0] and t[1] > self.start[1]]
            if 2 * len(found) <= len(turns):
                return None
            middle = statistics.median(found)
            spread = statistics.median(abs(r - middle) for r in found)
            worst = min(worst or (math.inf, 0, ""), (middle, spread, dist))
        return worst


def number(value):
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞"
    if value >= 1e5:
        digits, power = f"{value:.0e}".split("e")
        return f"{digits}·10^{int(power)}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def nanoseconds(pair):
    if pair is None:
        return "–"
    return ("~" if pair[1] else "") + (f"{pair[0]:.3f}" if pair[0] < 10 else f"{pair[0]:.1f}")


def times_as_fast(pair):
    return "–" if pair is None else f"{pair[0]:.2f} ±{pair[1]:.2f} {pair[2][0].upper()}"


def order(results):
    """(kinds, peers, sizes) that were asked for and hold times."""
    chosen = results["chosen"]
    timed = [name.split("|") for name, cell in results["cells"].items() if cell.get("time")]
    return ([k for k in chosen["kinds"] if any(k == t[1] for t in timed)],
            [p for p in NAMES if p in chosen["peers"] and any(p == t[0] for t in timed)],
            sorted(chosen["n"]))


def ours(cells, n):
    """libactfn's time is the median over the rounds with every peer."""
    found = [c.net(n, 1) for c in cells if c.measured(n)]
    return (statistics.median(f[0] for f in found), any(f[1] for f in found)) if found else None


def accuracy(data):
    if "ulp" not in data:
        return "–", "–"
    share = data["over"]
    return number(data["ulp"]), "0" if share == 0 else "<0.01 %" if share < 1e-4 else f"{share:.2%}"


def table(results, kind, op, peers, sizes):
    cells = {p: Cell(results, p, kind, op) for p in peers}
    cells = {p: c for p, c in cells.items() if c.times or c.data.get("error")}
    if not cells:
        return []
    head = GOAL_SIZE if GOAL_SIZE in sizes else sizes[0]
    over = "not nearest" if results["context"]["dtype"] in ("bf16", "f16") else "> 4 ULP"
    out = [f"### {kind}, {OPS[op]}", "",
           "| library | " + " | ".join(f"{n:,}" for n in sizes)
           + f" | × ours at {head:,} | max ULP | {over} | edges |",
           "| --- |" + " --- |" * (len(sizes) + 4)]
    own = results["cells"].get(f"actfn|{kind}|{op}", {})
    rows = [("actfn", own, [ours(cells.values(), n) for n in sizes], "1")]
    for peer, cell in cells.items():
        rows.append((peer, cell.data, [cell.net(n, 0) for n in sizes],
                     times_as_fast(cell.ratio(head))))
    for peer, data, times, ratio in rows:
        notes = data.get("notes", [])
        name = NAMES[peer] + (f" ({', '.join(notes)})" if notes else "")
        edges = data.get("error") or "; ".join(data.get("edges", [])) or "–"
        out.append("| " + " | ".join([name, *map(nanoseconds, times), ratio, *accuracy(data), edges])
                   + " |")
    return out + [""]


def goals(results):
    rows = []
    for peer, op, kind, wanted in GOALS[results["context"]["dtype"]]:
        found = Cell(results, peer, kind, op).ratio(GOAL_SIZE)
        verdict = "not measured" if found is None else "met" if found[0] >= wanted else "**missed**"
        rows.append((peer, op, kind, wanted, found, verdict))
    out = ["| against | direction | kind | goal | measured | |", "| --- | --- | --- | --- | --- | --- |"]
    for peer, op, kind, wanted, found, verdict in rows:
        out.append(f"| {NAMES[peer]} | {OPS[op]} | {kind} | {wanted:g} | {times_as_fast(found)} | "
                   f"{verdict} |")
    count = sum(r[5] == "met" for r in rows)
    return count, len(rows), out


def page(results, picture):
    kinds, peers, sizes = order(results)
    context, about = results["context"], results["about"]
    digits = {"f32": 24, "f64": 53, "bf16": 8, "f16": 11}[context["dtype"]]
    out = [
        "# Speed and accuracy beside other libraries", "",
        f"Written by `{results['command']}` on {results['date']} at {results['commit']}: "
        f"{context['machine']}, {context['dtype']}.", "",
        *([f"![ns per element against ULP]({picture})", ""] if picture else []),
        "One thread each, pinned to one CPU; each library in a process of its own. In a round all "
        "compute the same in turn, and a ratio is of times of one round; medians of the rounds, ± the "
        "median deviation. Times are of the process's CPU clock. Of two inputs, N(0, 1.5) and uniform in [-8, 8], the worse counts: the longer "
        "time, the lower ratio. Out of place, into arrays made beforehand; *allocates*: the library "
        "cannot write into a given array, and what it takes to get one is in its times. *composed*: an "
        "expression of several calls, for want of a function. *saved*: the backward pass also reads what "
        "the forward pass left for it.", "",
        "All are called from Python, which costs them between 0.3 and 20 µs a call, so the time of a call "
        "of one element, in the table below, is subtracted from every time; ~: it is more than three "
        "quarters of what was measured. × ours: how many times as long as libactfn it takes, N or U by the input where that is less.", "",
        f"{ERRORS[context['dtype']]} A flushed subnormal result counts as the 2^{digits - 1} ULP that it "
        f"is. The derivative is judged in units of at least 2^-{digits} within 0.5 of its zero. *edges*: "
        "what is wrong at -inf, +inf, NaN and -0 amid other elements, NaN lost included.", "",
        "| library | version | one thread by | ns to start a call: tanh forward, theirs, ours |",
        "| --- | --- | --- | --- |"]
    for peer in ["actfn"] + peers:
        start = Cell(results, peer, "tanh", "fwd").start
        out.append(f"| {NAMES[peer]} | {about[peer]['version']} | {about[peer]['threads']} | "
                   + (f"{start[0]:.0f}, {start[1]:.0f}" if start else "–") + " |")
    if "onednn" in peers:
        out += ["", "oneDNN is the OpenMP build that PaddlePaddle's wheel carries, called through its C "
                "API; oneDNN (SYCL) is its own wheel, newer, but each call is a task given to another "
                "thread."]
    if results["absent"]:
        out += ["", "Absent: " + "; ".join(f"{NAMES[p]} ({why})" for p, why in results["absent"].items())
                + "."]
    out += ["", "XNNPACK is not compared: its wheel offers an interpreter of models, not its operators.", ""]
    met, count, rows = goals(results)
    out += ["## Goals", "", f"At {GOAL_SIZE:,} elements, as many times as fast. {met} of {count} met.",
            "", *rows]
    for op in results["chosen"]["ops"]:
        title = OPS[op]
        body = [line for kind in kinds for line in table(results, kind, op, peers, sizes)]
        if body:
            out += ["", f"## {title[0].upper() + title[1:]}", "", "ns per element.", "", *body]
    return re.sub("\n{3,}", "\n\n", "\n".join(out)).rstrip("\n") + "\n"


COLOURS = {"actfn": "#c0392b", "torch": "#e67e22", "onednn": "#1f5fa8", "onednn_sycl": "#7fb3e6",
           "onnxruntime": "#148f77", "openvino": "#7d3c98", "jax": "#b7950b", "numpy": "#566573",
           "mkl": "#d63384", "mkl_la": "#f0a6ca"}
PANEL, COLUMNS, LEFT, TOP, GAP = (180, 130), 4, 46, 76, (54, 52)
EXACT = 0.25  # ULP: errors below are drawn here


def panel(points, title, x0, y0):
    """points: [(peer, ns per element, ULP)]; ours is drawn last, and larger."""
    width, height = PANEL
    low = 10 ** math.floor(math.log10(min(p[1] for p in points)) * 2 - 0.1)
    low = math.sqrt(low)
    high = math.sqrt(10 ** math.ceil(math.log10(max(p[1] for p in points)) * 2 + 0.1))
    top = 26  # log2 ULP: above are those wrong by more than a whole significand

    def place(ns, ulp):
        across = math.log(ns / low) / math.log(high / low)
        up = (min(math.log2(max(ulp, EXACT)), top) + 3) / (top + 3)
        return x0 + across * width, y0 + (1 - up) * height

    out = [f'<g><title>{title}</title>',
           f'<rect x="{x0}" y="{y0}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>',
           f'<text x="{x0}" y="{y0 - 6}" font-weight="bold">{title}</text>']
    for power in range(-2, 3):
        for step in (1, 2, 5):
            ns = step * 10.0**power
            if low * 0.999 <= ns <= high * 1.001:
                x, _ = place(ns, 1)
                out.append(f'<path d="M{x:.1f} {y0}v{height}" stroke="#eee"/><text x="{x:.1f}" '
                           f'y="{y0 + height + 12}" text-anchor="middle" fill="#666">{ns:g}</text>')
    for bits in (0, 8, 16, 24):
        _, y = place(low, 2.0**bits)
        out.append(f'<path d="M{x0} {y:.1f}h{width}" stroke="{"#bbb" if bits == 0 else "#eee"}"/>'
                   f'<text x="{x0 - 4}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{bits}</text>')
    for peer, ns, ulp in sorted(points, key=lambda p: p[0] == "actfn"):
        x, y = place(ns, ulp)
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if peer == "actfn" else 4}" '
                   f'fill="{COLOURS[peer]}" fill-opacity="0.85" stroke="white"><title>'
                   f'{NAMES[peer].strip("*")}: {ns:.3f} ns, {number(ulp)} ULP</title></circle>')
    return out + ["</g>"]


def picture(results):
    """Speed against accuracy, forward, a panel for each kind."""
    kinds, peers, sizes = order(results)
    n = GOAL_SIZE if GOAL_SIZE in sizes else sizes[0]
    panels = []
    for kind in kinds:
        cells = {p: Cell(results, p, kind, "fwd") for p in peers}
        own = ours(cells.values(), n)
        data = results["cells"].get(f"actfn|{kind}|fwd", {})
        points = [("actfn", own[0], data["ulp"])] if own and "ulp" in data else []
        for peer, cell in cells.items():
            time = cell.net(n, 0)
            # Less than nothing left of a call cannot be drawn, nor is it a speed.
            if time and time[0] > 0 and "ulp" in cell.data:
                points.append((peer, time[0], cell.data["ulp"]))
        if points and points[0][1] > 0:
            panels.append((kind, points))
    rows = -(-len(panels) // COLUMNS) or 1
    width = LEFT + COLUMNS * (PANEL[0] + GAP[0])
    height = TOP + rows * (PANEL[1] + GAP[1])
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'font-family="sans-serif" font-size="11">', "<title>Speed against accuracy</title>",
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{LEFT}" y="18">Forward, {n:,} elements. Across: ns per element. Up: log2 of '
           f"the largest error in ULP, from 1/4 ULP or less. Better is lower and further left.</text>"]
    x = LEFT
    for peer in ["actfn"] + peers:
        name = NAMES[peer].strip("*")
        out.append(f'<circle cx="{x + 5}" cy="38" r="5" fill="{COLOURS[peer]}"/>'
                   f'<text x="{x + 14}" y="42">{name}</text>')
        x += 26 + 6.2 * len(name)
    for i, (kind, points) in enumerate(panels):
        out += panel(points, kind, LEFT + i % COLUMNS * (PANEL[0] + GAP[0]),
                     TOP + i // COLUMNS * (PANEL[1] + GAP[1]))
    return "\n".join(out + ["</svg>"]) + "\n"


def write(results, folder):
    """The paths written: the page, and of f32 its picture."""
    dtype = results["context"]["dtype"]
    if dtype != "f32":
        text = os.path.join(folder, f"PERFORMANCE-{dtype}.md")
        with open(text, "w") as out:
            out.write(page(results, None))
        return (text,)
    drawing = os.path.join(folder, "performance.svg")
    text = os.path.join(folder, "PERFORMANCE.md")
    with open(drawing, "w") as out:
        out.write(picture(results))
    with open(text, "w") as out:
        out.write(page(results, "performance.svg"))
    return text, drawing
