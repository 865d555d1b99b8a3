"""What the library computes, asked of the program kind_facts, and what a kind's comment says, held
against it."""
import math
import re
import struct
import subprocess
import sys

from kind import FIELDS, Wrong, evaluate

SMALLEST_NORMAL = 2.0**-126


class Facts:
    """f and f' as the library computes them."""

    def __init__(self, program):
        try:
            self.process = subprocess.Popen([program], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        except OSError as error:
            sys.exit(f"{program}: {error.strerror}; ./dev docs builds it")

    def at(self, kind, points, params, dtype="f64"):
        """[(f(x), f'(x)) for x in points]"""
        words = [kind, dtype, *(repr(params.get(field, 0.0)) for field in FIELDS),
                 str(len(points)), *map(repr, points)]
        print(*words, file=self.process.stdin, flush=True)
        answer = [float(word) for word in self.process.stdout.readline().split()]
        if len(answer) != 2 * len(points):
            raise Wrong("kind_facts does not know it, or refuses its parameters: "
                        "is the build older than kinds.inc?")
        return list(zip(answer[::2], answer[1::2]))


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    return f"{value:.6g}"


def same(a, b):
    if a == 0 == b:
        return math.copysign(1, a) == math.copysign(1, b)
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def near(a, b):
    """Of a formula evaluated naively, whose terms may cancel."""
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


def beside(k):
    """Points just below and above k, further than the rounding of k."""
    step = 2.0**-40 * max(1, abs(k))
    return k - step, k + step


def jumps(facts, kind, params):
    """Where f' jumps on [-8, 8], to 2^-40."""
    def slopes(points):
        return [d for _, d in facts.at(kind.name, points, params)]

    step = 2.0**-7
    grid = [i * step - 8 for i in range(int(16 / step) + 1)]
    found = []
    for low, high, a, b in zip(grid, grid[1:], *(lambda d: (d, d[1:]))(slopes(grid))):
        if abs(b - a) <= 4 * step:
            continue  # f'' beyond 4 may hide a jump or look like one: the bisection tells
        while high - low > 2.0**-40:
            middle = (low + high) / 2
            m = slopes([middle])[0]
            if abs(m - a) > abs(b - m):
                high, b = middle, m
            else:
                low, a = middle, m
        if abs(b - a) > 1e-3 and not (found and abs(found[-1] - low) < 1e-9):
            found.append(low)
    return found


def check(kind, facts, params):
    """Raises Wrong unless what the comment says is so at these parameters."""
    where = ", ".join(f"{field} = {value:g}" for field, value in params.items())
    where = f" at {where}" if where else ""

    points = [i / 4 for i in range(-32, 33)]
    for x, (y, d) in zip(points, facts.at(kind.name, points, params)):
        claimed = kind.derivative_at(x, y, params)
        if not near(claimed, d):
            raise Wrong(f"Derivative: gives f'({x:g}) = {claimed:.9g}, the library {d:.9g}{where}")

    kinks = kind.kinks_at(params)
    for x in jumps(facts, kind, params):
        if not any(abs(x - kink) < 1e-6 for kink in kinks):
            raise Wrong(f"f' jumps at x = {x:.6g}{where}: a line 'Kinks: ... .' does not name it")
    if params != kind.defaults or not params:  # at the defaults a kink may vanish: elu
        for kink, x in zip(kind.kinks, kinks):
            (_, below), (_, above) = facts.at(kind.name, beside(x), params)
            if abs(above - below) < 1e-3:
                raise Wrong(f"Kinks: f' does not jump at {kink}{where}")

    names = {"f": lambda x: facts.at(kind.name, [x], params)[0][0],
             "f'": lambda x: facts.at(kind.name, [x], params)[0][1], **params}
    for statement in kind.statements:
        for a in (0.5, 1.75, 4.0):
            where_from = f"'{statement}', which ends at a comma, semicolon or full stop"
            values = [evaluate(where_from, side, {**names, "a": a})
                      for side in statement.split(" = ")]
            if not all(same(values[0], value) for value in values):
                raise Wrong(f"'{statement}' is not so{where}: " + ", ".join(map(number, values)))


def as_f32(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def first_where(holds, sign):
    """The float nearest 0, on this side, from which holds(x) to infinity, or None; by bisection."""
    low, high = 0, 0x7f800000  # the bits of 0 and inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(sign * as_f32(middle)) else (middle, high)
    return None if high == 0x7f800000 else sign * as_f32(high)


def tails(kind, facts):
    """Rows: where an f32 result gets subnormal, and where it reaches its limit."""
    kinks = [0.0] + kind.kinks_at(kind.defaults)
    for sign in (-1, 1):
        for which, name in ((0, "f"), (1, "f'")):
            def value(x):
                return facts.at(kind.name, [x], kind.defaults, "f32")[0][which]

            limit = value(sign * math.inf)
            reached = first_where(lambda x: value(x) == limit, sign)
            if reached is None or any(abs(reached - kink) < 1e-5 for kink in kinks):
                continue  # never before infinity, or at a kink, which the table of kinks has
            subnormal = None
            if limit == 0:
                subnormal = first_where(lambda x: abs(value(x)) < SMALLEST_NORMAL, sign)
            yield [number(sign * math.inf), name, number(limit),
                   number(subnormal) if subnormal is not None else "", number(reached)]


def check_tails(kind, rows):
    measured = [abs(float(cell)) for row in rows for cell in row[3:] if cell]
    for text in re.findall(r"\bfrom (?:[xa] = )?-?(\d*\.?\d+)", kind.text):
        digit = 10.0 ** -len(text.partition(".")[2])
        if not any(abs(float(text) - value) <= 0.51 * digit for value in measured):
            raise Wrong(f"'from {text}': measured are {', '.join(map(str, measured)) or 'none'}")
