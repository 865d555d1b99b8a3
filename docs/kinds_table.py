#!/usr/bin/env python3
"""The tables of README.md, written from the data they show. `./dev docs` runs this and
kinds_pages.py.

    docs/kinds_table.py                 the table of kinds, from include/actfn/kinds.inc
    docs/kinds_table.py --check         exit 1 if README.md has another one
    docs/kinds_table.py --speed F.json  and the table of speeds, from `act-bench --json F.json`
"""
import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
KINDS = ROOT / "include/actfn/kinds.inc"


def split(text):
    """The arguments of a macro call: commas inside parentheses or strings do not count."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (c == "(") - (c == ")")
            if c == "," and depth == 0:
                parts.append(text[start:i].strip())
                start = i + 1
    return parts + [text[start:].strip()]


def arguments(call):
    """'NAME(a, b)' -> ['a', 'b'], 'NAME' -> []"""
    return split(call[call.index("(") + 1 : call.rindex(")")]) if "(" in call else []


def text_of(field):
    """'"a" "b"' -> 'ab'"""
    return "".join(re.findall(r'"([^"]*)"', field))


def kinds():
    for line in KINDS.read_text().splitlines():
        if line.startswith("ACT_KIND("):
            yield arguments(line)


def parameters(params):
    """[(field, the literature's name, default, domain)] of NOPARAM, PARAM2(...), BETA(...)"""
    # The n-th parameter is alpha, beta, gamma or delta.
    fields = ("beta",) if params.startswith("BETA") else ("alpha", "beta", "gamma", "delta")
    return [(field, *arguments(p)) for field, p in zip(fields, arguments(params))]


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def kinds_table():
    header = ["kind", "y = f(x)", "parameters", "f32 bound", "f32 derivative", "f64 bound", "f64 derivative"]
    rows = []
    for _, _, name, _, formula, _, params, bounds in kinds():
        ulp = arguments(bounds)
        assert len(ulp) == 8, f"{name}: ULP() has {len(ulp)} columns, not 8"
        rows.append([
            f"[`{name}`](docs/kinds/{name}.md)",
            "`" + text_of(formula).replace("|", "\\|") + "`",
            ", ".join(field + (f" ({own})" if own != field else "") + f" = {float(value):.6g}"
                      for field, own, value, _ in parameters(params)),
            ulp[1], ulp[4], ulp[6], ulp[7],
        ])
    return table(header, rows)


def speed_table(path):
    """ns per element at the smallest n, forward and backward, one column per ISA."""
    report = json.loads(pathlib.Path(path).read_text())
    cells = {}
    for b in report["benchmarks"]:
        kind, op, dtype, isa, n = b["name"].split("/")
        if "real_time" in b:
            cells[kind, op, isa, int(n)] = b["real_time"] / int(n)
    n = min(key[3] for key in cells)
    isas = list(dict.fromkeys(key[2] for key in cells if key[3] == n))
    rows = []
    for kind in dict.fromkeys(key[0] for key in cells):
        row = [f"`{kind}`"]
        for op in ("forward", "backward"):
            row += [f"{cells[kind, op, isa, n]:.3f}" if (kind, op, isa, n) in cells else "-"
                    for isa in isas]
        rows.append(row)
    context = report["context"]
    note = (f"ns per element, {n} elements per call, one thread; {context['cpu']}, "
            f"{context['mhz_per_cpu'] / 1000:.1f} GHz, {context['compiler']}, "
            f"{context['date'][:10]}.\n\n")
    return note + table(["kind"] + [f"forward {i}" for i in isas] +
                        [f"backward {i}" for i in isas], rows)


def put(readme, marker, content):
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
    if readme.count(begin) != 1 or readme.count(end) != 1:
        sys.exit(f"README.md does not have {begin.strip()} and {end} once each")
    head, rest = readme.split(begin)
    return head + begin + content + "\n" + end + rest.split(end)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--speed", metavar="FILE.json")
    options = parser.parse_args()

    old = README.read_text()
    new = put(old, "kinds", kinds_table())
    if options.speed:
        new = put(new, "speed", speed_table(options.speed))
    if options.check:
        if new != old:
            sys.exit("README.md is not what kinds.inc says: run docs/kinds_table.py")
    elif new != old:
        README.write_text(new)


if __name__ == "__main__":
    main()
