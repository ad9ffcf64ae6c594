"""What a run found: JSON with all samples, and a table in Markdown."""

import json

MARKS = {True: "reached", False: "**missed**", None: ""}


def number(value):
    """Three digits that say something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_unit(text, unit):
    return f"{text} {unit}" if unit else text


def cells(row):
    if row.figure:
        measured = with_unit(number(row.figure.median), row.unit)
        spread = f"{number(row.figure.least)} – {number(row.figure.most)}"
    else:
        measured, spread = row.why, ""
    target = ""
    if row.target:
        relation, bound = row.target
        sign = {">=": "≥", "<=": "≤"}.get(relation, relation)
        target = with_unit(f"{sign} {bound:g}", row.unit)
    what = f"{row.what} ({row.note})" if row.note else row.what
    return what, measured, spread, target, MARKS[row.reached]


def table(rows):
    """The Markdown of all rows, one table for each part."""
    lines = []
    part = None
    for row in rows:
        if row.part != part:
            part = row.part
            lines += ["", f"### {part.capitalize()}", "",
                      "| what | median | spread | target | |",
                      "|---|--:|--:|--:|---|"]
        lines.append("| " + " | ".join(
            cell.replace("|", "\\|").replace("\n", " ")
            for cell in cells(row)) + " |")
    return "\n".join(lines) + "\n"


def machine(found):
    return "".join(f"- {what}: {text}\n" for what, text in found.items())


def as_json(rows, samples, found):
    return json.dumps({
        "machine": found,
        "rows": [{**row._asdict(),
                  "figure": row.figure and row.figure._asdict(),
                  "reached": row.reached} for row in rows],
        "samples": samples}, indent=1) + "\n"
