#!/usr/bin/env python3
"""docs/kinds: a page for each kind, from include/actfn/kinds.inc, the comment that opens
kernels/<kind>.c, and what the library computes (the program kind_facts, built with the tests).

    docs/kinds_pages.py             write the pages
    docs/kinds_pages.py --check     exit 1 if a page is not what would be written

The comment is prose, "Name: y = ..." first. What it says is held against the library, at the
defaults and at other parameters:

    Derivative: alpha * s, s = exp(x).   f' in the syntax of docs/FORMULAS.md, y and names allowed
    Kinks: -alpha, alpha.                where f' jumps; without the line, nowhere
    f'(0) = alpha, f(-inf) = -0          anywhere, up to the next comma, semicolon or full stop;
                                         `a` stands for any positive number
    subnormal from x = -87.3, 0 from -104  a number after `from` is one of the table of tails
"""
import argparse
import math
import re
import sys
import textwrap

from kind import Kind, Wrong, evaluate
from kinds_table import ROOT, kinds, table, text_of
from measure import Facts, beside, check, check_tails, number, tails
from picture import draw

PAGES = ROOT / "docs/kinds"
# Pictures of docs/dyrelu.md and theta.md: functions of lines, (slope, offset) or hinge (a_s, b_s).
DYRELU = ((1.0, 0.0), (0.0, 0.0), (1.5, -0.5), (-0.25, -1.0))
APL = ((0.2, 0.5), (-0.1, -0.5))
DOMAINS = {
    "FINITE": "finite",
    "POSITIVE": "finite, > 0",
    "NONNEGATIVE": "finite, >= 0",
    "EXTENDED": "any number, +-inf too",
    "ABOVE_ALPHA": ">= alpha, +-inf too",
    "BELOW_ALPHA": "<= alpha, +-inf too",
    "FINITE_ABOVE_ALPHA": "finite, >= alpha",
    "FINITE_BELOW_ALPHA": "finite, <= alpha",
}


def paragraph(text):
    return textwrap.fill(text, 100, break_on_hyphens=False, break_long_words=False)


def prose(text):
    """Markdown that shows this text in wrapped paragraphs: nothing of it is read as markup."""
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", text.strip())]
    shown = [paragraph(re.sub(r"[\\`*<\[]|(?<!\w)_|_(?!\w)", r"\\\g<0>", p)) for p in paragraphs]
    # A line may have come to begin with what is a list, a heading or a quotation there.
    return re.sub(r"^(?=[-+] |[#>]|[-=]+$)", r"\\", "\n\n".join(shown), flags=re.M)


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def swept():
    """The kinds that docs/ACCURACY.md has."""
    return set(re.findall(r"^\| (\w+) \| forward \|", (ROOT / "docs/ACCURACY.md").read_text(),
                          re.M))


def from_output_cell(kind):
    if kind.from_output == "NO_OUTPUT":
        return "no"
    condition = ", for alpha >= 0" if kind.from_output.startswith("SLOPE") else ""
    return code(text_of(kind.from_output)) + condition


def bounds_table(kind):
    f32, f64 = kind.bounds[:6], kind.bounds[6:]
    rows = [["f32", "forward", "0.51", f32[0], f32[1], f32[2]],
            ["f32", "derivative", "0.51", f32[3], f32[4], f32[5]],
            ["f64", "forward", *[f64[0]] * 4],
            ["f64", "derivative", *[f64[1]] * 4]]
    return table(["type", "", "scalar", "sse42", "avx2, neon", "avx512"], rows)


def page(kind, facts, exhaustive):
    f = lambda *points: facts.at(kind.name, points, kind.defaults)
    parts = [
        f"<!-- Written by docs/kinds_pages.py from kinds.inc, {kind.file} and measurements. -->",
        f"# {kind.name}",
        prose(kind.text),
        f"![f and f'](svg/{kind.name}.svg)",
        table(["", ""], [
            ["f(x)", code(kind.formula)],
            ["f'(x)", code(kind.derivative)],
            ["f' from the output y", from_output_cell(kind)],
            ["in C", f"`ACT_{kind.upper}`, {kind.id}"],
            ["aliases", ", ".join(map(code, kind.aliases)) or "none"],
            ["source", f"[{kind.file}](../../{kind.file})"],
        ]),
        "## Parameters",
        table(["field", "name", "default", "domain"],
              [[code(field), own, f"{float(value):.6g}", DOMAINS[domain]]
               for field, own, value, domain in kind.parameters]) if kind.parameters else "None.",
        "## Values",
        "At the default parameters, as the library computes them in f64.",
        table(["x", "f(x)", "f'(x)"], [
            [number(x), *map(number, f(x)[0])]
            for x in (-math.inf, -0.0, 0.0, math.inf, math.nan)]),
    ]
    if kind.zero:
        parts.append(paragraph(f"f' is 0 at x = {kind.zero}. Within 0.5 of it the bound of g f'(x) "
                               "is absolute: 2^-22 |g|, f64 2^-52 |g|."))
    if kind.kinks:
        rows = []
        for kink, x in zip(kind.kinks, kind.kinks_at(kind.defaults)):
            below, above = beside(x)
            triples = zip(*f(below, x, above))
            own = kink if kink == number(x) else f"{kink} = {number(x)}"
            # A kink may be where f is 0 but for what a step of 2^-40 makes of it.
            rows.append([own, *(", ".join(number(v if abs(v) > 1e-9 else 0.0) for v in triple)
                                for triple in triples)])
        parts += ["## Kinks",
                  table(["x", "f just below, at, just above", "f' just below, at, just above"],
                        rows)]
        if any(abs(above - below) < 1e-3 for x in kind.kinks_at(kind.defaults)
               for (_, below), (_, above) in [f(*beside(x))]):
            parts.append("Where f' does not jump here, other parameters make it.")
    rows = list(tails(kind, facts))
    check_tails(kind, rows)
    if rows:
        parts += ["## Tails in f32",
                  paragraph("Where a result of the scalar table becomes subnormal, and where it "
                            "reaches its limit."),
                  table(["x towards", "", "limit", "subnormal from x =", "limit from x ="], rows)]
    parts += ["## Error bounds",
              paragraph("In ULP, at the default parameters. f32 is " +
                        ("measured over all 2^32 inputs" if kind.name in exhaustive else
                         "held on samples, not yet swept over all inputs") +
                        " ([ACCURACY.md](../ACCURACY.md))."),
              bounds_table(kind)]
    return "\n\n".join(parts) + "\n"


def index(all_kinds):
    rows = [[f"[`{kind.name}`]({kind.name}.md)", kind.title, code(kind.formula),
             "no" if kind.from_output == "NO_OUTPUT" else "yes",
             " / ".join(kind.bounds[0:3]), " / ".join(kind.bounds[3:6]),
             ", ".join(kind.bounds[6:8])]
            for kind in all_kinds]
    return "\n\n".join([
        "<!-- Written by docs/kinds_pages.py. -->",
        "# Kinds",
        paragraph("Bounds in ULP at default parameters; f32 for sse42 / avx2 and neon / avx512. "
                  "The scalar table is within 0.51 ULP in f32."),
        table(["kind", "name", "f(x)", "f' from the output", "f32 forward", "f32 derivative",
               "f64 forward, derivative"], rows)]) + "\n"


def largest(x):
    """The largest of the lines of DYRELU, and its slope."""
    return max((a * x + b, a) for a, b in DYRELU)


def hinges(x):
    """max(0, x) + the hinges of APL, and the slope."""
    return (max(0.0, x) + sum(a * max(0.0, b - x) for a, b in APL),
            float(x > 0) - sum(a for a, b in APL if x < b))


def pictures():
    yield "dyrelu", largest, [-4.0, 0.0, 1.0], "dynamic ReLU of four pieces"
    yield "apl", hinges, [-0.5, 0.0, 0.5], "apl of two hinges"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--facts", metavar="PROGRAM", help="kind_facts of another build",
                        default=ROOT / "build/release/docs/kind_facts")
    options = parser.parse_args()

    facts = Facts(options.facts)
    wanted, all_kinds, wrong, exhaustive = {}, [], [], swept()
    for fields in kinds():
        try:
            kind = Kind(fields)
            for params in (kind.defaults, kind.others) if kind.parameters else (kind.defaults,):
                check(kind, facts, params)
            if kind.zero:
                zero = evaluate("ACT_TEST", kind.zero, kind.defaults)
                if abs(facts.at(kind.name, [zero], kind.defaults)[0][1]) > 1e-7:
                    raise Wrong(f"ACT_TEST: f' is not 0 at .zero, {kind.zero}")
            wanted[f"{kind.name}.md"] = page(kind, facts, exhaustive)
            wanted[f"svg/{kind.name}.svg"] = draw(
                lambda points: facts.at(kind.name, points, kind.defaults),
                kind.kinks_at(kind.defaults), kind.name)
            all_kinds.append(kind)
        except Wrong as error:
            wrong.append(f"kernels/{fields[2]}.c: {error}")
    if wrong:
        sys.exit("\n".join(wrong))
    wanted["README.md"] = index(all_kinds)
    for name, function, kinks, title in pictures():
        wanted[f"svg/{name}.svg"] = draw(lambda points: [function(x) for x in points], kinks, title)

    there = {path.relative_to(PAGES).as_posix(): path.read_text()
             for path in PAGES.rglob("*") if path.is_file()}
    stale = sorted(name for name in wanted.keys() | there.keys()
                   if wanted.get(name) != there.get(name))
    if options.check:
        if stale:
            sys.exit("not what the library and its comments say: " +
                     ", ".join(f"docs/kinds/{name}" for name in stale) + "; run ./dev docs")
        return
    (PAGES / "svg").mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (PAGES / name).write_text(wanted[name])
        else:
            (PAGES / name).unlink()


if __name__ == "__main__":
    main()
