#!/usr/bin/python3
"""Goal of this test: uploads that end together are published together, and
the promises hold for each of them: when putslot.fcgi is killed in place of any
call that it makes for them, what was answered 201 is there and whole, --fsck
finds nothing, and all others can be put again.

The database is locked while the uploads come: the first to end waits for it,
and the others for the first. All that again without durable, where such small
bodies are written after their rows; and with more uploads than there can be
requests under way.

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
THREADS = 4
CROWD = 150  # more than those threads and two batches
CREATED = b"Status: 201"


class Killed(Exception):
    """The daemon has ended, as it was meant to."""


class Batch:
    """Slots, and what became of their uploads."""

    def __init__(self, alone, chance, count=UPLOADS):
        self.alone = alone
        self.slots = [alone.slot(chance.randbytes(chance.choice((1, 9000))))
                      for _ in range(count)]
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


def undisturbed(alone, chance, durable):
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
    equal(calls["link"], UPLOADS if durable else 0, "links")
    syncs = [r for r in records if r.name in ("fsync", "fdatasync")
             and r.path.endswith("-wal")]
    # One before the first names, and by the commits of two batches: of the
    # one who came first, and of all others. SQLite adds one for a new WAL and
    # one at its end.
    least = 3 if durable else 0
    true(least <= len(syncs) <= least + 2, f"{len(syncs)} syncs of the WAL")
    batch.check()
    return max(i for i, r in enumerate(records, 1) if CREATED in r.data)


def killed(alone, chance, number):
    """Whether it was, or had ended before."""
    batch = Batch(alone, chance)
    switch = alone.faults.trace("switch")
    try:
        with alone.daemon(faults={"kill": number, "switch": switch}) as daemon:
            batch.put_all(lambda: switch.write_text("on"))
            # how they fall into batches, and so the number of calls, varies:
            # the last come only when it is told to end, or not at all
            if set(batch.answers.values()) != {201}:
                daemon.process.wait(10)
                raise Killed
        was_killed = False
    except (Killed, ChildProcessError):
        was_killed = True
    batch.check()
    return was_killed


def crowd(alone, chance):
    batch = Batch(alone, chance, CROWD)
    with alone.daemon():
        batch.put_all(lambda: None)
        equal(Counter(batch.answers.values()), Counter({201: CROWD}),
              "answers")
        true(all(alone.is_good(slot) for slot in batch.slots),
             "not all are served")
    alone.fsck()


def batches(scenario, alone, chance, durable):
    alone.putslot.set("store", durable="yes" if durable else "no")
    way = "" if durable else "without durable, "
    steps = kills = 0
    with scenario.case(f"{way}those who wait are published together"):
        steps = undisturbed(alone, chance, durable)
    points = sorted(chance.sample(range(1, steps + 1), min(POINTS, steps)))
    for number in points:
        with scenario.case(f"{way}killed before call {number} of {steps}"):
            kills += killed(alone, chance, number)
    with scenario.case(f"{way}it was killed at most of these calls"):
        true(kills > len(points) // 2, f"{kills} of {len(points)}")


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_BATCH_POINTS={POINTS}", flush=True)
    chance = random.Random(SEED)
    alone = Alone(scenario.site)
    for durable in True, False:
        batches(scenario, alone, chance, durable)
    alone.putslot.set("web", threads=THREADS)
    with scenario.case("a crowd waits until there is room for its requests"):
        crowd(alone, chance)


run_scenario(body)
