"""What a full run leaves in docs/: the table and the plots between the markers
of performance.md, and all figures beside it."""

from harness import TOP

from . import plot, report

PAGE = TOP / "docs/performance.md"
DIRECTORY = TOP / "docs/performance"
BEGIN = "<!-- `make bench` writes what follows -->\n"
END = "<!-- `make bench` wrote what precedes -->\n"


def plots(rows):
    """{file name: SVG} of each part that has ratios."""
    found = {}
    for part in dict.fromkeys(row.part for row in rows):
        svg = plot.ratios(part.capitalize(), [row for row in rows
                                              if row.part == part])
        if svg:
            found[part.replace(" ", "-") + ".svg"] = svg
    return found


def publish(rows, more, json, found):
    """more: plots of the parts' own, {file name: SVG}; json: the text of
    results.json; found: the machine."""
    DIRECTORY.mkdir(exist_ok=True)
    for old in DIRECTORY.glob("*.svg"):
        old.unlink()
    pictures = {**plots(rows), **more}
    for name, svg in pictures.items():
        (DIRECTORY / name).write_text(svg)
    (DIRECTORY / "results.json").write_text(json)
    text = "\n".join((
        "## Machine", "", report.machine(found), "## Results",
        report.table(rows), "## Plots", "",
        *(f"![{name.removesuffix('.svg')}](performance/{name})\n"
          for name in pictures)))
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise ValueError(f"{PAGE} lacks its markers")
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
