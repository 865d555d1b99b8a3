#!/usr/bin/env python3
"""Writes the worst inputs of docs/ACCURACY.md into the comments of the f32 kernels:

    docs/worst.py             write them
    docs/worst.py --check     exit 1 if a comment is not what would be written

kernels/<kind>.c states them for avx2 (neon has its bits), kernels/avx512/<kind>.c for avx512: a comment, or
the end of one, that begins "Worst of all 2^32 floats". A kind whose worst is a rounding has none.
"""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN = "Worst of all 2^32 floats"
LAST_ROUNDING = .51


def worst_rows():
    """{(kind, ISA): {operation: (ULP, x, g, got, want)}}, of the table of all floats."""
    found = {}
    text = (ROOT / "docs/ACCURACY.md").read_text()
    for line in text[:text.index("## Other parameters")].splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) < 9 or cells[1] not in ("forward", "backward, g mixed"):
            continue
        for isa in cells[2].split(", "):
            found.setdefault((cells[0], isa), {})[cells[1]] = cells[4:9]
    return found


def sentence(rows):
    parts = []
    ulp, x, _, got, want = rows["forward"]
    if float(ulp) > LAST_ROUNDING:
        parts.append(f"{ulp} at x = {x} (got {got}, want {want})")
    ulp, x, g, got, want = rows["backward, g mixed"]
    if float(ulp) > LAST_ROUNDING:
        parts.append(f"g f' {ulp} at x = {x}, g = {g} (got {got}, want {want})")
    return "; ".join(parts)


def comment(text):
    lines = textwrap.wrap(text, 97, break_long_words=False, break_on_hyphens=False)
    return "\n * ".join(lines)


def rewrite(path, text, apart):
    """The source in which the comment that begins with BEGIN is text: one of its own, or the end of the first."""
    source = path.read_text()
    body = re.compile(r"(/\* |\n \*\n \* )" + re.escape(BEGIN) + r".*?\*/\n?", re.S)
    old = body.search(source)
    if old:
        start = old.group(1)
        new = start + comment(text) + " */\n" if text else "" if start == "/* " else " */\n"
        source = source[:old.start()] + new + source[old.end():]
    elif text:
        end = source.index("*/") + len("*/")
        if apart:
            source = source[:end] + "\n/* " + comment(text) + " */" + source[end:]
        else:
            source = source[:end - len(" */")] + "\n *\n * " + comment(text) + " */" + source[end:]
    return source


def main():
    stale = False
    for (kind, isa), rows in worst_rows().items():
        place = {"avx2": ROOT / f"kernels/{kind}.c", "avx512": ROOT / f"kernels/avx512/{kind}.c"}.get(isa)
        if place is None or not place.exists():
            continue
        found = sentence(rows)
        where = " on avx2 and neon" if isa == "avx2" else ""
        text = f"{BEGIN}{where}, in ULP (docs/ACCURACY.md): {found}." if found else ""
        new = rewrite(place, text, isa == "avx2")
        if new == place.read_text():
            continue
        if "--check" in sys.argv[1:]:
            print(f"{place.relative_to(ROOT)}: its worst inputs are not those of docs/ACCURACY.md: ./dev docs")
            stale = True
        else:
            place.write_text(new)
    return stale


sys.exit(main())
