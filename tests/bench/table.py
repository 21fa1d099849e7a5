"""The figures as Markdown, the same on the screen and in docs/performance.md."""

import os
import platform
from pathlib import Path

WHO = ("hermesctl", "kubectl", "curl", "curl, all at once")


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores, {model}, Linux {platform.release()}"


def ms(seconds):
    return f"{seconds * 1000:.1f}" if seconds < 0.1 else f"{seconds * 1000:.0f}"


def mb(size):
    return f"{size / 1e6:.1f}"


def grid(head, rows):
    """The first column is text, the others are numbers."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]]) + "|"
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])])


def row(title, values, show):
    """`values`: name -> what `show` makes a cell of; who is not in it did not take part."""
    return [title] + [show(values[name]) if name in values else "-" for name in WHO]


def spread(figures):
    return f"{ms(figures.wall)} ({ms(figures.fastest)}-{ms(figures.slowest)})"


def of_figures(title, figures):
    return [
        row(f"{title}: ms", figures, spread),
        row(f"{title}: processor, ms", figures, lambda f: ms(f.cpu)),
        row(f"{title}: peak memory, MB", figures, lambda f: mb(f.peak)),
    ]


def of_traffic(title, traffic):
    return [
        row(f"{title}: requests", traffic, lambda t: str(t.requests)),
        row(f"{title}: one after the other", traffic, lambda t: str(t.chain)),
        row(f"{title}: connections", traffic, lambda t: str(t.connections)),
    ]
