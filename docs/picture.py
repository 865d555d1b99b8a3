"""The graph of f and f' as SVG: plain lines, the same bytes from the same values."""
WIDTH, HEIGHT, MARGIN = 480, 280, 10
CURVES = (("f", "#1f5fa8", ""), ("f'", "#c0392b", ' stroke-dasharray="6 3"'))


def lines(points):
    """Runs of points without the jumps between them."""
    runs = [[points[0]]]
    for (x0, y0), (x, y) in zip(points, points[1:]):
        if x - x0 < 1e-9 and abs(y - y0) > 1e-3:
            runs.append([])
        runs[-1].append((x, y))
    return runs


def draw(values, kinks, title):
    """values(points) -> [(f, f')]; kinks: where a curve may break."""
    reach = max(5.0, *(abs(k) + 2 for k in kinks)) if kinks else 5.0
    points = [reach * (i / 64 - 1) for i in range(129)]
    # Either side of a kink instead of the kink: nearer than a pixel, further than its rounding.
    points = [x for x in points if all(abs(x - k) > 1e-6 for k in kinks)]
    points = sorted(points + [k + side for k in kinks for side in (-2.0**-40, 2.0**-40)])
    found = values(points)
    everything = [v for pair in found for v in pair]
    low, high = max(-reach, min(everything)) - 0.3, min(reach, max(everything)) + 0.3

    def place(x, y):
        return (f"{MARGIN + (x + reach) / (2 * reach) * (WIDTH - 2 * MARGIN):.1f}",
                f"{MARGIN + (high - y) / (high - low) * (HEIGHT - 2 * MARGIN):.1f}")

    left, bottom = place(-reach, low)
    right, top = place(reach, high)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="11">',
           f"<title>{title}: f and f'</title>",
           f'<clipPath id="box"><rect x="{left}" y="{top}" width="{WIDTH - 2 * MARGIN}" '
           f'height="{HEIGHT - 2 * MARGIN}"/></clipPath>',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    zero = place(0, 0)
    grid = ("#e4e4e4", "#888")  # the axes darker
    for t in range(-int(reach), int(reach) + 1):
        x, _ = place(t, 0)
        out.append(f'<path d="M{x} {top}V{bottom}" stroke="{grid[t == 0]}"/>')
        if t % 2 == 0 and t:
            out.append(f'<text x="{x}" y="{float(zero[1]) + 12:.1f}" text-anchor="middle" '
                       f'fill="#666">{t}</text>')
    for t in range(-int(reach), int(reach) + 1):
        if low < t < high:
            _, y = place(0, t)
            out.append(f'<path d="M{left} {y}H{right}" stroke="{grid[t == 0]}"/>')
            if t:
                out.append(f'<text x="{float(zero[0]) - 4:.1f}" y="{float(y) + 4:.1f}" '
                           f'text-anchor="end" fill="#666">{t}</text>')
    for i, (name, colour, dash) in enumerate(CURVES):
        for run in lines([(x, pair[i]) for x, pair in zip(points, found)]):
            path = " ".join(",".join(place(x, y)) for x, y in run)
            out.append(f'<polyline points="{path}" clip-path="url(#box)" fill="none" '
                       f'stroke="{colour}" stroke-width="2"{dash}/>')
        y = MARGIN + 16 + 16 * i
        out.append(f'<path d="M16 {y - 4}h24" stroke="{colour}" stroke-width="2"{dash}/>'
                   f'<text x="46" y="{y}">{name}</text>')
    return "\n".join(out) + "\n</svg>\n"
