#!/usr/bin/env python3
"""Writes docs/scorecard.md, or another page, from the records of races: scripts/scorecard.py [--page PAGE] RECORD...

A cell that several records have is that of the last one. `kuu race --scorecard` makes the records (docs/race.md). A RECORD may
also be a file with one record a line; --pack adds records to such a file, and writes nothing else.
With --same it writes nothing, and names the cells that have not the same verdict in all of the records: exit status 1 if there
is one. With --costs it writes what each cell used. With --again it prints WORKLOAD-ENGINE, a tab and the command that runs it
alone, for each cell that is not right. --only and --but leave out engines by their names.
"""

import argparse
import gzip
import json
import sys
import textwrap
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scorecard.md"
WIDTH = 160  # of a line
NOT_RIGHT = ("wrong", "died", "hung")
BEGIN, END = "<!-- scripts/scorecard.py writes what follows -->", "<!-- scripts/scorecard.py ends here -->"


@cache
def approximates(engine):
    """Whether the engine says of itself that it does not count exactly. Its name may end with a checkpoint interval."""
    descriptor = ROOT / "engines" / engine.split(".")[0] / "engine.toml"
    return descriptor.exists() and tomllib.loads(descriptor.read_text()).get("distinct") == "approximate"


def short(cell):
    verdict = cell["verdict"]
    if verdict == "corrected" and cell["windows"]:
        return f"corrected {cell['windows']}"
    if verdict == "within-policy" and approximates(cell["engine"]):
        return f"approximates {cell['windows']}"
    return verdict.replace("-", " ")


def users(cell):
    parts = [f"{sign}{cell[name]:,}" for sign, name in (("+", "more"), ("-", "fewer")) if cell.get(name)]
    windows = f"{cell.get('windows')} window{'' if cell.get('windows') == 1 else 's'}"
    return f"{' and '.join(parts)} user{'' if parts in (['-1'], ['+1']) else 's'} in {windows}: " if parts else ""


def words(cell):
    match cell["verdict"]:
        case "wrong":
            return users(cell) + " or ".join(cell["why"])
        case "within-policy":
            return users(cell).rstrip(": ")
        case "differs":
            return cell["answer"]
        case "died":
            return f"{cell['status']}: {cell['line']}"
        case "refused":
            return cell["line"]
        case "hung":
            return cell["state"]
        case "not-run":
            return cell["why"]
    return ""


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def grids(engines, grid):
    """A table of all engines, or several where it would be too wide, or where engines have other workloads."""
    has = [[bool(row[1 + at]) for row in grid] for at in range(len(engines))]
    parts = [[]]
    for at, engine in enumerate(engines):
        columns = [0, *(1 + column for column in parts[-1]), 1 + at]
        is_wide = max(len(" | ".join(row[column] for column in columns)) for row in [["workload", *engines], *grid]) + 4 > WIDTH
        if parts[-1] and (is_wide or has[at] != has[parts[-1][-1]]):
            parts.append([])
        parts[-1].append(at)
    for part in parts:
        rows = ([row[0], *(row[1 + column] for column in part)] for row in grid)
        yield table(["workload", *(engines[column] for column in part)], [row for row in rows if any(row[1:])])


def folded(text):
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def others(records):
    """Cells that ran more than once, and had another verdict before."""
    told = [
        folded(f"- `{workload}`, {engine}: {', '.join(found[:-1])}; then {found[-1]}".replace("-policy", " policy"))
        for (workload, engine), found in sorted(verdicts_of(records).items())
        if len(set(found)) > 1
    ]
    return ["Run again, with another verdict (the tables have the last one):", "\n".join(told)] if told else []


def page(records):
    cells = {(cell["workload"], cell["engine"]): cell for record in records for cell in record["cells"]}
    engines = list(dict.fromkeys(engine for _, engine in cells))
    engines.sort(key=lambda name: (name != "kuu", name != "kuu-plain"))
    workloads = sorted({workload for workload, _ in cells})
    last = records[-1]
    machine = last["machine"]
    state = (
        f"State: {last['written'][:10]}, kuu {last['program']['version']} ({last['program']['git']}), Apache Kafka "
        f"{last['broker'].get('version') or 'of scripts/kafka.sh'}, {machine['cores']} cores {machine['cpu']}, Linux {machine['kernel']}."
    )
    versions = {cell["engine"]: cell["version"] for cell in cells.values()}
    grid = [[f"`{w}`", *(short(cells[w, e]) if (w, e) in cells else "" for e in engines)] for w in workloads]
    told = [
        folded(f"- `{w}`, {e}: {short(cells[w, e])}: {' '.join(words(cells[w, e]).split())[:300]}")
        for w in workloads
        for e in engines
        if (w, e) in cells and words(cells[w, e])
    ]
    return "\n\n".join(
        [
            state,
            table(["engine", "version"], [[e, versions[e] or "unknown"] for e in engines]),
            *grids(engines, grid),
            "What is neither `exact` nor `corrected`:",
            "\n".join(told),
            *others(records),
        ]
    )


def costs(records):
    """What each cell used, and when it was right: those that are right first, then by memory."""
    is_right = lambda cell: cell["verdict"] not in NOT_RIGHT
    last = {(cell["workload"], cell["engine"]): cell for record in records for cell in record["cells"]}
    cells = sorted(last.values(), key=lambda cell: (not is_right(cell), cell["used"]["peak_pss_bytes"]))
    seconds = lambda us: "" if us is None else f"{us / 1e6:.0f}"
    rows = [
        [
            cell["engine"],
            short(cell),
            f"{cell['used']['peak_pss_bytes'] / 1e6:,.0f} MB",
            seconds(cell["used"]["cpu_us"]),
            seconds(cell["times"]["right_us"]) if is_right(cell) else "",
        ]
        for cell in cells
    ]
    told = [folded(f"- {cell['engine']}: {short(cell)}: {' '.join(words(cell).split())[:300]}") for cell in cells if words(cell)]
    return "\n\n".join([table(["engine", "verdict", "largest memory (PSS)", "processor seconds", "right after seconds"], rows), "\n".join(told)])


def load(path):
    """The records of races in a file; that of a cell is as if it were a race of this cell."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    found = [json.loads(line) for line in text.splitlines()] if ".jsonl" in path.name else [json.loads(text)]
    return [record if "cells" in record else {"cells": [record]} for record in found]


def pack(path, records):
    """Adds the records that the file does not have, in the order in which they were written."""
    there = load(path) if path.exists() else []
    new = [record for record in records if record not in there]
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in sorted(there + new, key=lambda record: record["written"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    print(f"{path}: {len(there)} records, and {len(new)} new ones")


def verdicts_of(records):
    """The verdicts of each cell, in the order of the records."""
    verdicts = {}
    for record in records:
        for cell in record["cells"]:
            verdicts.setdefault((cell["workload"], cell["engine"]), []).append(cell["verdict"])
    return verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=PAGE, help="a page with the two lines between which the tables go")
    parser.add_argument("--same", action="store_true", help="compare the verdicts of the records")
    parser.add_argument("--pack", type=Path, metavar="FILE.jsonl.gz", help="add the records to this file")
    parser.add_argument("--costs", action="store_true", help="write what each cell used instead of what it was")
    parser.add_argument("--again", action="store_true", help="the commands of the cells that are not right; RECORD may be a cell's")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="engines with such names, as '*-default'")
    parser.add_argument("--but", metavar="PATTERN", default="", help="no engines with such names")
    parser.add_argument("record", type=Path, nargs="+")
    arguments = parser.parse_args()
    records = [record for path in arguments.record for record in load(path)]
    is_asked = lambda cell: fnmatch(cell["engine"], arguments.only) and not fnmatch(cell["engine"], arguments.but)
    records = [record | {"cells": list(filter(is_asked, record["cells"]))} for record in records]
    records = [record for record in records if record["cells"]]
    if arguments.pack:
        pack(arguments.pack, records)
        return
    if arguments.same:
        cells = sorted(verdicts_of(records).items())
        differ = [(cell, found) for cell, found in cells if len(found) < len(records) or len(set(found)) > 1]
        for (workload, engine), found in differ:
            print(f"{workload}, {engine}: {', '.join(found)}")
        print(f"{len(cells)} cells in {len(records)} records: {len(differ)} differ")
        sys.exit(1 if differ else 0)
    if arguments.again:
        for cell in (cell for record in records for cell in record["cells"] if cell["verdict"] in NOT_RIGHT):
            # The race measured the pace by these, and nothing else.
            if not cell["workload"].endswith(".calm"):
                print(f"{cell['workload']}-{cell['engine']}\t{cell['again']}")
        return
    text = arguments.page.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    arguments.page.write_text(f"{before}{BEGIN}\n\n{(costs if arguments.costs else page)(records)}\n\n{END}{after}")


main()
