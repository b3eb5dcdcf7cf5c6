# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG: lines over a logarithmic x axis, and phases over time."""

import math
from xml.sax.saxutils import escape

COLORS = {"floor": "#888888", "rt": "#0b6e4f", "rt-glibc": "#63b095", "crun": "#c8553d", "runc": "#3d5a98"}
SPARE = ("#0b6e4f", "#c8553d", "#3d5a98", "#b58900", "#7b3f9e")
WIDTH, HEIGHT = 420, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 66, 30, 42


def document(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def words(x, y, text, anchor="start", **more):
    extra = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(str(text))}</text>'


def line(x1, y1, x2, y2, color="#dddddd"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def ticks(most):
    """Round numbers from 0 to just above the most."""
    step = 10 ** math.floor(math.log10(most))
    step = next(part for part in (step / 5, step / 2, step, step * 2) if most / part <= 6)
    return [step * at for at in range(math.ceil(most / step) + 1)]


def spread(places, gap=12):
    """Labels that would lie on each other are moved down."""
    last, found = -gap, {}
    for name, y in sorted(places.items(), key=lambda item: item[1]):
        last = found[name] = max(y, last + gap)
    return found


def lines(title, x_name, y_name, series):
    """series: {name: [(x, y)]}; x above 0."""
    xs = sorted({x for points in series.values() for x, _ in points})
    levels = ticks(max(y for points in series.values() for _, y in points))
    low, high = math.log(xs[0]), math.log(xs[-1])
    inner, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(x):
        return LEFT + (inner * (math.log(x) - low) / (high - low) if high > low else 0)

    def up(y):
        return HEIGHT - BOTTOM - tall * y / levels[-1]

    parts = [words(LEFT, 18, title, font_weight="bold"),
             words(LEFT + inner / 2, HEIGHT - 8, x_name, "middle"),
             words(14, TOP + tall / 2, y_name, "middle", transform=f"rotate(-90 14 {TOP + tall / 2})")]
    for level in levels:
        parts += [line(LEFT, up(level), LEFT + inner, up(level)), words(LEFT - 6, up(level) + 4, f"{level:g}", "end")]
    parts += [words(across(x), HEIGHT - BOTTOM + 15, f"{x:,}", "middle") for x in xs]
    labels = spread({name: up(points[-1][1]) + 4 for name, points in series.items()})
    for at, (name, points) in enumerate(series.items()):
        color = COLORS.get(name, SPARE[at % len(SPARE)])
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="2.5" fill="{color}"/>' for x, y in points]
        parts.append(words(LEFT + inner + 8, labels[name], name, fill=color))
    return document(WIDTH, HEIGHT, parts)


def timeline(title, spans):
    """spans: [{row, phase, begin, took}] in milliseconds, one bar a line."""
    width, bar, left = 640, 16, 150
    end = max(span["begin"] + span["took"] for span in spans)
    height = 64 + bar * len(spans)
    scale = (width - left - 60) / end
    parts = [words(10, 18, title, font_weight="bold")]
    for level in ticks(end):
        if level <= end:
            parts += [line(left + level * scale, 28, left + level * scale, height - 30),
                      words(left + level * scale, height - 16, f"{level:g} ms", "middle")]
    for at, span in enumerate(spans):
        y = 32 + bar * at
        x = left + span["begin"] * scale
        color = COLORS["rt"] if span["row"] == "rt" else COLORS["crun"]
        parts.append(words(left - 6, y + 11, span["phase"], "end", fill=color))
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(span["took"] * scale, 1):.1f}" '
                     f'height="{bar - 3}" fill="{color}"/>')
        parts.append(words(x + span["took"] * scale + 4, y + 11, f"{span['took']:.2f}", font_size="9"))
    parts.append(words(10, height - 3, "green: the rt that was called; red: the container's process",
                       font_size="9", fill="#555555"))
    return document(width, height, parts)
