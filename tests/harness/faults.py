"""Programs in which something goes wrong: tests/faults/ in their environment.

A plan is a dictionary of what tests/faults/plan.h and memory.c describe, with
lower-case names: faults={"kill": 3, "tear": 1}, memory={"fail": 100}.
"""

import shutil
from collections import namedtuple

from .site import BUILD

Record = namedtuple("Record",
                    "pid name result inode offset length path other data at")


class Faults:
    def __init__(self, site):
        self.site = site
        self.directory = site.make_directory("faults", 0o1777)
        for name in ("faults.so", "memory.so"):
            shutil.copy(BUILD / "tests/faults" / name, self.directory)

    def around(self, argv, faults=None, memory=None):
        """The command line that runs argv with that plan. By env(1), so that
        what changes the user before is left alone."""
        preload, words = [], []
        for name, plan in (("faults", faults), ("memory", memory)):
            if plan is not None:
                preload.append(str(self.directory / f"{name}.so"))
                words += [f"{name.upper()}_{key.upper()}={value}"
                          for key, value in plan.items()]
        if not preload:
            return argv
        # Sanitizers want to be the first library, and do not need to be.
        return ["env", "LD_PRELOAD=" + ":".join(preload),
                "ASAN_OPTIONS=verify_asan_link_order=0", *words, *argv]

    def trace(self, name="trace"):
        """The path of a new trace that every program may write to."""
        path = self.directory / name
        path.write_bytes(b"")
        path.chmod(0o666)
        return path


def read_trace(path):
    """The records of a trace, in their order; at is where each begins."""
    records = []
    data = path.read_bytes()
    at = 0
    while at < len(data):
        start, end = at, data.index(b"\n", at)
        fields = data[at:end].decode(errors="surrogateescape").split("\t")
        length = int(fields[5])
        at = end + 1 + length + 1
        records.append(Record(
            int(fields[0]), fields[1], *(int(f) for f in fields[2:6]),
            fields[6], fields[7], data[end + 1:end + 1 + length], start))
    return records
