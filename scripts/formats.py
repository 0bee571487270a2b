#!/usr/bin/env python3
"""Writes the tables of docs/formats.md from a record of `kuu formats`: scripts/formats.py [--under-load] RECORD

Beside it results/example/formats-builds.jsonl, if it is there. scripts/formats.sh makes both.
"""

import argparse
import gzip
import json
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats.md"
BUILDS = ROOT / "results" / "example" / "formats-builds.jsonl"
WIDTH = 160  # of a line
BEGIN, END = "<!-- scripts/formats.py writes what follows -->", "<!-- scripts/formats.py ends here -->"
FIGURES = [
    ("stored_bytes_per_frame", "bytes/frame"),
    ("encode_ns_per_frame", "encode ns"),
    ("read_whole_ns_per_frame", "read, whole ns"),
    ("read_skip_ns_per_frame", "read, skip ns"),
    ("kafka_send_frames_per_s", "sent/s"),
    ("kafka_read_frames_per_s", "read/s"),
]


def read(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        return json.load(file)


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def folded(text, indent=""):
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def cell(figure):
    return f"{figure['median']:,.0f} ({figure['ratio_to_json']:.2f})" if figure else "none"


def formats(record, compression, figures):
    for row in record["formats"]:
        if row["compression"] == compression:
            mark = f" **changes {row['wrong_frames']:,} answers**" if row["wrong_frames"] else ""
            yield [f"`{row['format']}`{mark}", *(cell(row.get(name)) for name, _ in figures)]


def state(record, under_load):
    machine, broker, config = record["machine"], record.get("broker"), record["config"]
    where = "in memory only"
    if broker:
        where = "embedded broker (librdkafka's mock, not Apache Kafka)"
        if broker["kind"] == "kafka":
            where = f"Apache Kafka {broker.get('version') or 'of scripts/kafka.sh'}"
        where += f", {config['partitions']} partitions or fewer"
    load = " **Other programs ran at the same time: the times are not final, the ratios nearly so.**" if under_load else ""
    frames, size = record["figures"]["formats_frames"]["value"], record["figures"]["formats_bytes"]["value"]
    return folded(
        f"State: {record['written'][:10]}, kuu {record['program']['version']} ({record['program']['git']}), {where}, {machine['cores']} cores "
        f"{machine['cpu']}, Linux {machine['kernel']}; {frames:,.0f} frames of {size / frames:,.0f} bytes, {config['rounds']} rounds in turn, "
        f"medians.{load} Behind each figure, in brackets: its ratio to `json` with the same compression, the median over the rounds."
    )


def builds():
    if not BUILDS.exists():
        return []
    rows = [json.loads(line) for line in BUILDS.read_text().splitlines()]
    names = {"without": "`cargo build --release`", "with": "`cargo build --release --features formats`"}
    lines = [
        [names[row["build"]], row["crates"], f"{row['cpu_s']:,.0f}", f"{row['wall_s']:,.0f}", f"{row['program_bytes'] / 1e6:,.1f}"] for row in rows
    ]
    return ["A build from nothing:", table(["build", "crates", "processor s", "wall s", "MB of program"], lines)]


def page(record, under_load):
    figures = [figure for figure in FIGURES if any(figure[0] in row for row in record["formats"])]
    titles = [title for _, title in figures]
    parts = [state(record, under_load)]
    for compression, words in [("none", "Without compression"), ("lz4", "lz4, as kuu produces by default"), ("zstd", "zstd")]:
        parts += [f"{words}:", table(["format", *titles], formats(record, compression, figures))]
    first = [row for row in record["formats"] if row["compression"] == "none"]
    values = [[f"`{row['format']}`", cell(row["value_bytes_per_frame"]), f"{row['frames'] / row['messages']:,.0f}"] for row in first]
    parts += ["The value of a message alone, without key and framing:", table(["format", "bytes/frame", "frames/message"], values)]
    remarks = [*record.get("remarks", [])]
    lost = [folded(f"- `{row['format']}` loses: {row['loses']}. Whole: {row['validates']}. Skip: {row['skips']}.", "  ") for row in first]
    parts += ["\n".join(lost), *(folded(f"{remark[0].upper()}{remark[1:]}.") for remark in remarks), *builds()]
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--under-load", action="store_true", help="the page says that other programs ran")
    parser.add_argument("record", type=Path)
    arguments = parser.parse_args()
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{page(read(arguments.record), arguments.under_load)}\n\n{END}{after}")


main()
