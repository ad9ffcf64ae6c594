#!/usr/bin/python3
"""Goal of this test: uploads that end together are published together, and
the promises hold for each of them: when putslot.fcgi is killed in place of any
call that it makes for them, what was answered 201 is there and whole, --fsck
finds nothing, and all others can be put again.

The database is locked while the uploads come: the first to end waits for it,
and the others wait for the first.

PUTSLOT_BATCH_POINTS  how many places to kill at (12)
PUTSLOT_SEED          of their choice; printed
"""

import os
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, run_scenario, true  # noqa: E402
from harness.alone import Alone  # noqa: E402
from harness.faults import read_trace  # noqa: E402
from harness.states import slot_states  # noqa: E402

POINTS = int(os.environ.get("PUTSLOT_BATCH_POINTS", "12"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))
UPLOADS = 6
CREATED = b"Status: 201"


class Killed(Exception):
    """The daemon has ended, as it was meant to."""


class Batch:
    """Slots, and what became of their uploads."""

    def __init__(self, alone, chance):
        self.alone = alone
        self.slots = [alone.slot(chance.randbytes(chance.choice((1, 9000))))
                      for _ in range(UPLOADS)]
        self.answers = {}

    def put(self, slot):
        try:
            self.answers[slot.token] = self.alone.ask_put(slot).status
        except (OSError, ValueError, IndexError):
            self.answers[slot.token] = None  # there was none, or a part of it

    def put_all(self, release):
        """All at once, while the database is locked until release()."""
        clients = [threading.Thread(target=self.put, args=(slot,))
                   for slot in self.slots]
        with closing(sqlite3.connect(self.alone.putslot.database,
                                     isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            for client in clients:
                client.start()
            time.sleep(0.4)  # they wait: nothing tells when the last does
            release()
            lock.execute("ROLLBACK")
        for client in clients:
            client.join(20)

    def check(self):
        alone = self.alone
        alone.fsck()
        states = slot_states(alone.putslot)
        for slot in self.slots:
            status, state = self.answers[slot.token], states[slot.token]
            true(status in (201, None), f"PUT was answered {status}")
            true(state == "S3" or (status is None and state in ("S1", "S2")),
                 f"{state} after {status}")
            equal(alone.is_good(slot), state == "S3", "it is served")
            equal(alone.put(slot).status, 409 if state == "S3" else 201,
                  "the PUT again")
            true(alone.is_good(slot), "it is not served")
        alone.fsck()


def undisturbed(alone, chance):
    """How many calls there are from the release of the lock to the last
    answer."""
    batch = Batch(alone, chance)
    trace = alone.faults.trace()
    before = []
    with alone.daemon(faults={"trace": trace}):
        batch.put_all(lambda: before.append(len(read_trace(trace))))
    records = read_trace(trace)[before[0]:]
    equal(set(batch.answers.values()), {201}, "answers")
    calls = Counter(record.name for record in records)
    equal(calls["link"], UPLOADS, "links")
    syncs = [r for r in records if r.name in ("fsync", "fdatasync")
             and r.path.endswith("-wal")]
    # One before the first names, and by the commits of two batches: of the
    # one who came first, and of all others. SQLite adds one for a new WAL and
    # one at its end.
    true(3 <= len(syncs) <= 5, f"{len(syncs)} syncs of the WAL")
    batch.check()
    return max(i for i, r in enumerate(records, 1) if CREATED in r.data)


def killed(alone, chance, number):
    batch = Batch(alone, chance)
    switch = alone.faults.trace("switch")
    try:
        with alone.daemon(faults={"kill": number, "switch": switch}) as daemon:
            batch.put_all(lambda: switch.write_text("on"))
            daemon.process.wait(10)
            raise Killed
    except Killed:
        pass
    batch.check()


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_BATCH_POINTS={POINTS}", flush=True)
    chance = random.Random(SEED)
    alone = Alone(scenario.site)
    steps = 0
    with scenario.case("those who wait are published together"):
        steps = undisturbed(alone, chance)
    for number in sorted(chance.sample(range(1, steps + 1),
                                       min(POINTS, steps))):
        with scenario.case(f"killed before call {number} of {steps}"):
            killed(alone, chance, number)


run_scenario(body)
