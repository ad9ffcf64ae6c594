#!/usr/bin/python3
"""Goal of this test: each of the three programs may be killed in place of any
call that changes something, or in the middle of it, and no promise is broken:
what was answered 201 is whole, nothing partial is served, the states are those
of docs/internals.md, --fsck finds nothing, the programs start again, and a slot
whose PUT was not acknowledged can be used again.

PUTSLOT_KILL_POINTS  how many points (100; all there are, and some twice: 800)
PUTSLOT_SEED         of their choice and of what surrounds each; printed
"""

import os
import random
import sqlite3
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario, true  # noqa: E402
from harness.faults import read_trace  # noqa: E402
from harness.kill_bench import Bench  # noqa: E402
from harness.kill_operations import OPERATIONS  # noqa: E402

POINTS = int(os.environ.get("PUTSLOT_KILL_POINTS", "100"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))


class Bystander:
    """Another program that has the database open all the time: SQLite then
    leaves its WAL alone when a program ends."""

    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.open = None
        if self.database.exists():
            self.open = sqlite3.connect(self.database)
            self.open.execute("SELECT count(*) FROM sqlite_schema").fetchall()

    def __exit__(self, *_):
        if self.open:
            self.open.close()


def steps_of(bench, operation):
    """The names of the calls that an undisturbed run makes."""
    trace = bench.faults.trace()
    operation.prepare()
    operation.run({"trace": trace, **operation.extra})
    operation.check()
    bench.fsck()
    return [record.name for record in read_trace(trace)
            if not record.path.endswith("-shm")]


def all_points(bench):
    """[(operation's class, number of the call, whether it is half done)]"""
    points = []
    for kind in OPERATIONS:
        names = steps_of(bench, kind(bench))
        print(f"# {kind.name}: {len(names)} steps")
        points += [(kind, number, tear)
                   for number, name in enumerate(names, 1)
                   for tear in (False, True)
                   if not tear or name in ("write", "pwrite", "send")]
    return points


def survive(bench, kind, number, tear):
    """True when the program was killed; whatever is wrong is an exception.

    With a bystander a program may end before that call: then without."""
    beside = bench.random.choice((Bystander, nullcontext))
    if beside is Bystander and survive_beside(bench, kind(bench), number, tear,
                                              Bystander):
        return True
    return survive_beside(bench, kind(bench), number, tear, nullcontext)


def survive_beside(bench, operation, number, tear, beside):
    operation.prepare()
    plan = {"kill": number, **operation.extra}
    if tear:
        plan["tear"] = 1
    bench.killed = False
    with beside(bench.putslot.database):
        operation.run(plan)
        killed = bench.killed
        if operation.sound and bench.random.random() < 0.5:
            bench.fsck()
        operation.check()
    bench.fsck()
    bench.promises()
    return killed


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_KILL_POINTS={POINTS}", flush=True)
    bench = Bench(scenario.site, SEED)
    points = []
    with scenario.case("undisturbed, each operation does what it shall"):
        points = all_points(bench)
    print(f"# {len(points)} points")
    chosen = []
    while points and len(chosen) < POINTS:
        chosen += bench.random.sample(points, len(points))
    survived = Counter()
    for kind, number, tear in chosen[:POINTS]:
        how = "in the middle of" if tear else "before"
        with scenario.case(f"{kind.name}, killed {how} call {number}"):
            survived[kind.name] += survive(bench, kind, number, tear)
    print(f"# {sum(survived.values())} kills survived: {dict(survived)}")
    with scenario.case("the kills took place"):
        true(sum(survived.values()) >= 0.9 * POINTS, f"{survived}")


run_scenario(body)
