#!/usr/bin/env python3
"""Writes docs/scorecard.md from the records of races: scripts/scorecard.py RECORD...

A cell that several records have is that of the last one. `kuu race --scorecard` makes the records (docs/race.md).
"""

import json
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scorecard.md"
BEGIN, END = "<!-- scripts/scorecard.py writes what follows -->", "<!-- scripts/scorecard.py ends here -->"


def short(cell):
    verdict = cell["verdict"]
    if verdict == "corrected":
        return f"corrected {cell['windows']}"
    return verdict.replace("-", " ")


def users(cell):
    parts = [f"{sign}{cell[name]:,}" for sign, name in (("+", "more"), ("-", "fewer")) if cell.get(name)]
    return f"{' and '.join(parts)} users in {cell['windows']} windows: " if parts else ""


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
        [f"`{w}`", e, short(cells[w, e]), re.sub(r"\s+", " ", words(cells[w, e]))[:300]]
        for w in workloads
        for e in engines
        if (w, e) in cells and words(cells[w, e])
    ]
    return "\n\n".join(
        [
            state,
            table(["engine", "version"], [[e, versions[e] or "unknown"] for e in engines]),
            table(["workload", *engines], grid),
            "What is neither `exact` nor `corrected`:",
            table(["workload", "engine", "verdict", "why"], told),
        ]
    )


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    records = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    PAGE.write_text(f"{before}{BEGIN}\n\n{page(records)}\n\n{END}{after}")


main()
