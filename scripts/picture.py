#!/usr/bin/env python3
"""Makes the pictures of the README from the committed records, by `kuu report`.

    scripts/picture.py [--kuu PATH] [--check]

docs/latency.svg is the plot of latency by leg of the bench in results/example, docs/race.svg the steady part of the race there. Both follow
light and dark. --check changes nothing, and exits with 1 if a picture is not what the records give."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
# The picture, the records it may be of, and a text that only its plot has.
PICTURES = [
    ("latency.svg", "bench-*.json.gz", "<title id=\"record-1-latency-0-title\">"),
    ("race.svg", "race-*.json.gz", ">Steady: an input without an end, after the warm-up</title>"),
]


def rules(page):
    """What the style sheet of the page says of plots, and the colours for light and dark."""
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    colours = re.findall(r"^:root \{.*?^\}|^@media \(prefers-color-scheme.*?^\}", style, re.S | re.M)
    plots = [line for line in style.splitlines() if line.startswith(("svg .", "svg text"))]
    return "\n".join(colours + plots)


def plot_of(kuu, records, mark):
    """The plot that has this text, of the newest record that has one: its record, its page and the plot."""
    for record in reversed(records):
        page = subprocess.run([kuu, "report", record], check=True, capture_output=True, text=True).stdout
        plots = [plot for plot in re.findall(r"<svg .*?</svg>", page, re.S) if mark in plot]
        if len(plots) > 1:
            sys.exit(f"{record}: {len(plots)} plots have {mark}")
        if plots:
            return record, page, plots[0]
    sys.exit(f"no plot has {mark} in {', '.join(str(record) for record in records) or 'no record'}")


def picture(page, plot):
    """The plot of a page as a file of its own."""
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', plot).groups()
    box = f'viewBox="-12 -6 {float(width) + 24:g} {float(height) + 12:g}" width="{float(width) + 24:g}" height="{float(height) + 12:g}"'
    paper = f'<rect x="-12" y="-6" width="{float(width) + 24:g}" height="{float(height) + 12:g}" fill="var(--paper)"></rect>'
    plot = re.sub(r'viewBox="[^"]*"', f'{box} xmlns="http://www.w3.org/2000/svg"', plot, count=1)
    style = f"<style>\n{rules(page)}\n</style>"
    return re.sub(r"(</desc>)", lambda found: f"{found.group(1)}\n{style}\n{paper}\n", plot, count=1) + "\n"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kuu", default=str(TARGET / "release/kuu"), help="the program [release/kuu of CARGO_TARGET_DIR or target]")
    options.add_argument("--check", action="store_true", help="only compare")
    given = options.parse_args()
    stale = []
    for name, pattern, mark in PICTURES:
        records = sorted((ROOT / "results/example").glob(pattern))
        record, page, plot = plot_of(given.kuu, records, mark)
        made = picture(page, plot)
        path = ROOT / "docs" / name
        if given.check:
            stale += [name] if not path.exists() or path.read_text() != made else []
        else:
            path.write_text(made)
            print(f"docs/{name}: {len(made)} bytes, from {record.name}")
    if stale:
        sys.exit(f"not what the records give: {', '.join(stale)}: run scripts/picture.py")


if __name__ == "__main__":
    main()
