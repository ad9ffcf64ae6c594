"""A row of the table."""

import operator
import statistics
from typing import NamedTuple

RELATIONS = {">=": operator.ge, "<=": operator.le, "<": operator.lt}


class Figure(NamedTuple):
    """The median of several measurements, and the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))


class Row(NamedTuple):
    """part: the part it belongs to; what: one line that says what was
    measured; unit: "" for a ratio; target: (relation, bound), or None for a
    row that is there to be compared with; note: anything more; why: what went
    wrong, when there is no figure."""

    part: str
    what: str
    figure: Figure | None
    unit: str = ""
    target: tuple | None = None
    note: str = ""
    why: str = ""

    @property
    def reached(self):
        """None: there is no target."""
        if self.target is None:
            return None
        relation, bound = self.target
        return (self.figure is not None
                and RELATIONS[relation](self.figure.median, bound))


def ratio(subject, floor, key="per_second"):
    """Of two lists of samples taken by turns, round by round."""
    return Figure.of(a[key] / b[key]
                     for a, b in zip(subject, floor, strict=True))


def figure(samples, key, scale=1):
    return Figure.of(sample[key] * scale for sample in samples)
