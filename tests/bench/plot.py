"""Plots as SVG, without anything beyond the standard library.

Colours and text hold on a light and on a dark page.
"""

import math
from xml.sax.saxutils import escape

WIDTH = 1060
LABELS = 630  # for what stands left of the bars
BAR = 14
STEP = 22
TOP = 34
MISSED = "#c2410c"
REACHED = "#15803d"
PLAIN = "#64748b"
INK = "#475569"
GRID = "#94a3b8"

STYLE = (f'<style>text {{ font: 12px sans-serif; fill: {INK} }} '
         ".end { text-anchor: end } .middle { text-anchor: middle }</style>")


def document(width, height, parts):
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">',
        STYLE, *parts, "</svg>", ""))


def text(x, y, words, style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{escape(words)}</text>'


def line(x1, y1, x2, y2, colour=INK, width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def colour(row):
    return {True: REACHED, False: MISSED, None: PLAIN}[row.reached]


def ratios(title, rows):
    """Bars of all rows that are ratios, each with the spread of its figure
    and a mark where its target is. None: there are no such rows."""
    rows = [row for row in rows if row.figure and not row.unit]
    if not rows:
        return None
    most = max(max(row.figure.most, row.target[1] if row.target else 0)
               for row in rows)
    most = max(1, math.ceil(most * 2) / 2)
    scale = (WIDTH - LABELS - 60) / most
    height = TOP + STEP * len(rows) + 24
    parts = [text(8, 18, title)]
    for tick in range(0, int(most * 2) + 1):
        x = LABELS + tick / 2 * scale
        parts += [line(x, TOP - 4, x, height - 20, GRID, 0.5),
                  text(x, height - 6, f"{tick / 2:g}", "middle")]
    for i, row in enumerate(rows):
        parts += bar(row, TOP + i * STEP, scale)
    return document(WIDTH, height, parts)


def bar(row, y, scale):
    median, least, most = row.figure
    end = max(most, row.target[1] if row.target else 0)
    middle = y + BAR / 2
    parts = [text(LABELS - 8, y + BAR - 3, row.what, "end"),
             f'<rect x="{LABELS}" y="{y}" width="{median * scale:.1f}" '
             f'height="{BAR}" fill="{colour(row)}"/>',
             line(LABELS + least * scale, middle, LABELS + most * scale,
                  middle, INK, 1.5),
             text(LABELS + end * scale + 6, y + BAR - 3,
                  f"{median:.2f}")]
    if row.target:
        x = LABELS + row.target[1] * scale
        parts.append(line(x, y - 2, x, y + BAR + 2, INK, 2.5))
    return parts


def curves(title, series, x_name, y_name):
    """Lines over a logarithmic x: series is {name: [(x, y), …]}."""
    points = [point for values in series.values() for point in values]
    xs = [math.log10(x) for x, _ in points]
    high = max(y for _, y in points) * 1.1
    width, height = 620, 340
    left, right, top, bottom = 60, 150, 36, 48

    def at(x, y):
        span = (max(xs) - min(xs)) or 1
        return (left + (math.log10(x) - min(xs)) / span
                * (width - left - right),
                height - bottom - y / high * (height - top - bottom))

    parts = [text(8, 18, f"{title}, {y_name}"),
             text((left + width - right) / 2, height - 8, x_name, "middle")]
    for x in sorted({x for x, _ in points}):
        across, _ = at(x, 0)
        parts += [line(across, top, across, height - bottom, GRID, 0.5),
                  text(across, height - bottom + 16, f"{x:,}", "middle")]
    for i in range(5):
        _, down = at(points[0][0], high * i / 4)
        parts += [line(left, down, width - right, down, GRID, 0.5),
                  text(left - 6, down + 4, f"{high * i / 4:.3g}", "end")]
    for (name, values), paint in zip(
            series.items(), (REACHED, MISSED, "#1d4ed8", PLAIN, "#7e22ce")):
        places = [at(x, y) for x, y in sorted(values)]
        parts.append('<polyline fill="none" stroke-width="2" stroke='
                     f'"{paint}" points="' + " ".join(
                         f"{x:.1f},{y:.1f}" for x, y in places) + '"/>')
        parts.append(text(places[-1][0] + 8, places[-1][1] + 4, name))
    return document(width, height, parts)
