#!/usr/bin/env python3
"""Writes the tables of docs/records.md from docs/record.schema.json: `kuu results --schema` makes that."""

import argparse
import json
import re
import textwrap
from pathlib import Path

WIDTH = 160  # of a line
DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "records.md"
BEGIN, END = "<!-- scripts/records.py writes what follows -->", "<!-- scripts/records.py ends here -->"


def kind(schema):
    """The type of a member, in a word or two."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            words = [kind(one) for one in schema[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(words))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    types = schema.get("type", "anything")
    types = [one for one in (types if isinstance(types, list) else [types]) if one != "null"]
    if types == ["array"]:
        items = schema.get("items") or {"anyOf": schema.get("prefixItems", [{}])}
        return f"list of {kind(items)}"
    if types == ["object"] and isinstance(schema.get("additionalProperties"), dict):
        return f"{kind(schema['additionalProperties'])} by name"
    return " or ".join(types)


def words(schema):
    return " ".join(schema.get("description", "").split()).replace("|", "\\|")


def rows(schema):
    needed = schema.get("required", [])
    for name, member in schema.get("properties", {}).items():
        mark = "" if name in needed else " (may be missing)"
        yield f"| `{name}` | {kind(member)} | {words(member)}{mark} |"


def folded(text, indent=""):
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def table(schema):
    """The members: a table, or a list where a line of it would be too long."""
    lines = list(rows(schema))
    if any(len(line) > WIDTH for line in lines):
        cells = (re.split(r"(?<!\\) \| ", line[2:-2], maxsplit=2) for line in lines)
        return "\n".join(folded(f"- {name}, {kind}: {what}".rstrip(": "), "  ") for name, kind, what in cells)
    return "\n".join(["| member | type | what it is |", "|---|---|---|", *lines]) if lines else ""


def section(name, schema):
    parts = [f"### {name}", folded(words(schema)), table(schema)]
    for one in schema.get("oneOf", []) + schema.get("anyOf", []):
        names = ", ".join(f"`{member}`: {kind(of)}" for member, of in one.get("properties", {}).items())
        parts.append(folded(f"- {kind(one)} {words(one)} {names}".rstrip(), "  "))
    return "\n\n".join(part for part in parts if part)


def named_by_command(schema):
    """The configurations, which the schema numbers, with the names of their commands."""
    text = json.dumps(schema)
    for one in schema["oneOf"]:
        name = one["properties"]["config"]["$ref"].rsplit("/", 1)[1]
        text = text.replace(f'"#/$defs/{name}"', f'"#/$defs/Options-{one["properties"]["command"]["const"]}"')
        text = text.replace(f'"{name}": {{', f'"Options-{one["properties"]["command"]["const"]}": {{')
    return json.loads(text)


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    schema = named_by_command(json.loads((DOCS / "record.schema.json").read_text()))
    sections = [section("Record", schema)]
    sections += [section(name, of) for name, of in sorted(schema.get("$defs", {}).items())]
    before, after = PAGE.read_text().split(BEGIN)[0], PAGE.read_text().split(END)[1]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n\n".join(sections) + "\n\n" + END + after)


main()
