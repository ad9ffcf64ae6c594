#!/usr/bin/python3
"""Goal of this test: a disk that is full or read-only, limits of the process,
and a database that is locked, gone, replaced or garbage are answered and
logged, end no program in an unclean way, leave nothing half done, and are over
when their cause is.

Small disks are mounted by root only; without root those cases are skipped.

PUTSLOT_SEED  of what is spoilt; printed
"""

import os
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, run_scenario, true  # noqa: E402
from harness.alone import OWNER, Alone, SmallDisk  # noqa: E402
from harness.stanzas import Refused  # noqa: E402
from harness.states import slot_states  # noqa: E402

PAGE = 4096
WAL_MAX = 2000 * (2048 + 24)  # bytes, at which a checkpoint is due
ENOSPC, EROFS = 28, 30


def is_clear(status, said, codes=(0, 1)):
    """That a program has ended in order, and not without a word."""
    true(status in codes, f"it ended with {status}: {said}")
    true(status == 0 or "error" in said or "warning" in said,
         f"it failed without a word: {said!r}")


def may_be_put(alone, slot, answer, codes=(507,)):
    """That an answer other than 201 is one of these, and took nothing."""
    true(answer.status in (201, *codes), f"PUT: {answer}")
    if answer.status == 201:
        return
    true(slot_states(alone.putslot).get(slot.token) in ("S1", "S2"),
         "the row of a failed PUT")
    true(not alone.is_good(slot), "a failed PUT is served")


def may_be_granted(component, size=5):
    """(PUT URL, GET URL), or None after a wait error."""
    try:
        return component.slot(OWNER, size)
    except Refused as refused:
        equal(refused.kind, "wait", "kind of the error")
        true(refused.text, "an error without a text")
        return None


class Switch:
    """Turns a plan on, in a program that runs."""

    def __init__(self, alone):
        self.path = alone.faults.trace("switch")

    def __enter__(self):
        self.path.write_text("on")

    def __exit__(self, *_):
        self.path.write_text("")

    def plan(self, errno=ENOSPC, **more):
        return {"switch": self.path, "fail": 1, "errno": errno, **more}


# ---- disks ----

def full_disk(scenario, alone, disk):
    with alone.daemon() as daemon:
        with scenario.case("a disk that fills while a body streams: 507, and "
                           "the same slot later"):
            slot = alone.slot(bytes(300 * 1024))
            disk.fill(leave=100 * 1024)
            answer = alone.ask_put(slot)
            equal(answer.status, 507, "PUT")
            true(not alone.is_good(slot), "it is served")
            disk.empty()
            equal(alone.ask_put(slot).status, 201, "the PUT with room")
            true(alone.is_good(slot), "it is not served")
        with scenario.case("a disk with some pages left: each PUT is 201 and "
                           "kept, or 507"):
            for pages in range(10):
                slot = alone.slot(bytes(3000))
                disk.fill(leave=pages * PAGE)
                answer = alone.ask_put(slot)
                true(answer.status in (201, 507), f"{pages} pages: {answer}")
                equal(alone.ask_get(slot).status,
                      200 if answer.status == 201 else 404, "GET")
                disk.empty()
                equal(alone.ask_put(slot).status,
                      409 if answer.status == 201 else 201, "the PUT again")
                true(alone.is_good(slot), "it is not served")
            daemon.wait_log("database or disk is full")
    with scenario.case("a full disk: cleanup fails with a word, and does all "
                       "when there is room"):
        slot = alone.stored()
        alone.putslot.sql("DELETE FROM slot WHERE token = ?", slot.token)
        disk.fill()
        is_clear(*alone.cleanup())
        disk.empty()
        equal(alone.cleanup()[0], 0, "the status with room")
        equal(slot_states(alone.putslot).get(slot.token), None, "its state")
    with scenario.case("a full disk: grants are wait errors, and go on when "
                       "there is room"):
        with alone.component() as component:
            disk.fill()
            equal(may_be_granted(component), None, "a grant")
            for pages in range(1, 10):
                disk.empty()
                disk.fill(leave=pages * PAGE)
                may_be_granted(component)
            disk.empty()
            true(component.slot(OWNER, 5), "no grant")
    with scenario.case("a full disk: no program begins half"):
        disk.fill()
        for options in (), ("--fsck",):
            is_clear(*alone.cleanup(*options))
        disk.empty()
        alone.fsck()


def read_only_disk(scenario, alone, disk):
    with scenario.case("a read-only disk: every program says so"):
        slot, stored = alone.slot(), alone.stored()
        disk.remount("ro")
        try:
            answer = alone.put(slot)
            equal(answer.status, 500, "PUT")
            true("error" in answer.log, f"no word: {answer}")
            is_clear(*alone.cleanup(), codes=(1,))
            with alone.component() as component:
                true(not component.online, "the component goes online")
            equal(component.daemon.process.returncode, 1, "its exit status")
        finally:
            disk.remount("rw")
        equal(alone.put(slot).status, 201, "PUT")
        true(alone.is_good(stored), "the other")


def small_disk(scenario, alone):
    reason = SmallDisk.reason()
    if reason:
        print(f"# skipped: {reason}")
        return
    with SmallDisk(scenario.site, alone.putslot.store, "1m",
                   scenario.site.component_user) as disk:
        alone.stored()
        full_disk(scenario, alone, disk)
        read_only_disk(scenario, alone, disk)
        with scenario.case("after all this nothing is wrong"):
            alone.fsck()


def failing_calls(scenario, alone):
    """What no small disk does at will."""
    switch = Switch(alone)
    for name, plan in (
            ("the body", {"path": "/bodies/", "calls": "write"}),
            ("the name of a body", {"path": "/bodies/", "calls": "link"}),
            ("the WAL", {"end": "-wal", "calls": "pwrite"})):
        with scenario.case(f"no room for {name}: 507, and later 201"):
            slot = alone.slot()
            with alone.daemon(faults=switch.plan(**plan)):
                with switch:
                    may_be_put(alone, slot, alone.ask_put(slot))
                equal(alone.ask_put(slot).status, 201, "PUT")
            true(alone.is_good(slot), "it is not served")
    for name, plan in (
            ("fsync of a body", {"path": "/bodies/", "calls": "fsync"}),
            ("sync of the WAL", {"end": "-wal", "calls": "fdatasync"})):
        with scenario.case(f"{name} fails: no 201"):
            slot = alone.slot()
            with alone.daemon(faults=switch.plan(errno=5, **plan)):
                with switch:
                    answer = alone.ask_put(slot)
                    equal(answer.status, 500, "PUT")
            true(alone.put(slot).status in (201, 409), "PUT again")
            true(alone.is_good(slot), "it is not served")
    with scenario.case("no room for a checkpoint: uploads go on in the WAL"):
        with alone.daemon(faults=switch.plan(
                end="putslot.db", calls="pwrite,ftruncate")):
            with switch:
                slots = [alone.slot() for _ in range(250)]
                for slot in slots:
                    equal(alone.ask_put(slot).status, 201, "PUT")
                wal = Path(f"{alone.putslot.database}-wal").stat().st_size
                true(wal > WAL_MAX, f"the WAL has but {wal} bytes")
        true(all(map(alone.is_good, slots[-3:])), "they are not served")
        alone.fsck()
    with scenario.case("a disk that becomes read-only: 500, wait errors, and "
                       "GETs go on"):
        stored, slot = alone.stored(), alone.slot()
        plan = switch.plan(EROFS, path="/store/")
        with alone.daemon(faults=plan), alone.component(
                faults=plan) as component:
            with switch:
                equal(alone.ask_put(slot).status, 500, "PUT")
                equal(alone.ask_get(stored).body, b"fives", "the body")
                equal(may_be_granted(component), None, "a grant")
            true(component.slot(OWNER, 5), "no grant")
        equal(alone.put(slot).status, 201, "PUT")
        true(alone.is_good(stored), "it is not served")


# ---- limits of a process ----

def limits(scenario, alone):
    with scenario.case("RLIMIT_FSIZE: 507, and no program dies of a signal"):
        slot = alone.slot(bytes(200000))
        answer = alone.put(slot, before=("prlimit", "--fsize=100000"))
        equal(answer.status, 507, "PUT")
        for size in 0, 100, 5000, 20000:
            limit = ("prlimit", f"--fsize={size}")
            slot = alone.slot()
            may_be_put(alone, slot, alone.put(slot, before=limit), (500, 507))
            with alone.component(before=limit) as component:
                may_be_granted(component)
            true(component.daemon.process.returncode in (0, 1),
                 f"the component ended with {component.daemon.process}")
            for options in (), ("--fsck",):
                is_clear(*alone.cleanup(*options, before=limit))
        alone.fsck()
    with scenario.case("RLIMIT_NOFILE: each program serves or says why not"):
        for most in range(4, 16):
            limit = ("prlimit", f"--nofile={most}:{most}")
            slot = alone.slot()
            answer = alone.put(slot, before=limit)
            may_be_put(alone, slot, answer, (500,))
            true(answer.status == 201 or answer.log, "it failed in silence")
            is_clear(*alone.cleanup(before=limit), codes=(0, 1, 2))
            with alone.component(before=limit) as component:
                may_be_granted(component)
            true(component.daemon.process.returncode in (0, 1, 2),
                 f"the component ended with {component.daemon.process}")
        alone.fsck()
    with scenario.case("RLIMIT_NOFILE: the daemon serves or says why not"):
        for most in (8, 16, *range(20, 40, 2)):
            few_descriptors(alone, most)
        alone.fsck()


def few_descriptors(alone, most):
    try:
        with alone.daemon(before=("prlimit", f"--nofile={most}:{most}")) as on:
            slot = alone.slot()
            try:
                answer = alone.ask("PUT", slot.put, slot.body, seconds=1)
            except OSError:
                return  # it has ended: leaving the block says how
            if answer.status is None:
                true("cannot accept" in on.log_text(), "silence")
            else:
                may_be_put(alone, slot, answer, (500,))
    except ChildProcessError as error:
        true("ended with 1" in str(error) and "error" in str(error),
             str(error))


# ---- databases ----

def locked(scenario, alone):
    with scenario.case("a person's transaction is open: 500, a wait error, "
                       "exit status 1, and all goes on after it"):
        slot = alone.slot()
        with alone.daemon() as daemon, alone.component() as component:
            with closing(sqlite3.connect(
                    alone.putslot.database, isolation_level=None)) as person:
                person.execute("BEGIN IMMEDIATE")
                equal(alone.ask_put(slot).status, 500, "PUT")
                equal(may_be_granted(component), None, "a grant")
                is_clear(*alone.cleanup(), codes=(1,))
                person.execute("ROLLBACK")
            daemon.wait_log("database is locked")
            equal(alone.ask_put(slot).status, 201, "PUT")
            true(component.slot(OWNER, 5), "no grant")


def away(scenario, alone):
    database, bodies = alone.putslot.database, alone.putslot.bodies
    other = database.with_name("other.db")
    alone.site.run([alone.site.bin / "grant", other, OWNER, "message", "f",
                    "", "5", "300", "300", "300"],
                   user=alone.site.component_user)

    def remove():
        database.rename(f"{database}.away")

    def replace():
        remove()
        other.rename(database)

    def replace_bodies():
        bodies.rename(f"{bodies}.away")
        bodies.mkdir()

    def bring_back(path):
        alone.site.run(["rm", "-rf", path])
        Path(f"{path}.away").rename(path)

    for name, do, path in (
            ("database is removed", remove, database),
            ("database is replaced", replace, database),
            ("directory of bodies is replaced", replace_bodies, bodies)):
        with scenario.case(f"the {name} under programs that run: no 201, no "
                           "slot, a word; and all is well when it is back"):
            slot = alone.slot()
            with alone.daemon() as daemon, alone.component() as component:
                equal(alone.ask_get(slot).status, 404, "GET")
                do()
                try:
                    equal(alone.ask_put(slot).status, 500, "PUT")
                    if path == database:
                        equal(may_be_granted(component), None, "a grant")
                    daemon.wait_log("removed or replaced")
                finally:
                    bring_back(path)
                equal(alone.ask_put(slot).status, 201, "PUT")
            true(alone.is_good(slot), "it is not served")
            alone.fsck()


def spoil(path, kind, chance):
    """Does to a database what no program does."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        if kind == "garbage":
            for _ in range(3):
                file.seek(chance.randrange(100, size - 600))
                file.write(chance.randbytes(600))
        elif kind == "zeros":
            file.seek(chance.randrange(1, size // PAGE) * PAGE)
            file.write(bytes(PAGE))
        elif kind == "truncated":
            file.truncate(chance.randrange(1, size))
        elif kind == "text":
            file.write(b"This is no database.\n" * 300)
            file.truncate(6000)
        else:
            file.truncate(0)


def may_be_served(slot, answer):
    """That nothing else is served. Even after a 201 the file may be missing:
    its row, or the way to it in an index, can be in a page that is spoilt, and
    that the writer had in memory or did not need."""
    true(answer.status in (200, 404, 500), f"GET: {answer}")
    true(answer.status != 200 or answer.body == slot.body,
         f"GET gave something else: {answer}")


def use_spoilt(alone, kind, slots):
    """Every program, with a database that is worth nothing."""
    for slot in slots:
        answer = alone.put(slot)
        true(answer.exit_status in (0, 1) and answer.status is not None,
             f"PUT: {answer}")
        true(answer.status in (201, 404, 409) or answer.log,
             f"no word: {answer}")
        true(answer.status != 201 or kind not in ("text", "empty"),
             f"201 without any row: {answer}")
        may_be_served(slot, alone.get(slot))
    with alone.component() as component:
        may_be_granted(component)
    true(component.daemon.process.returncode in (0, 1),
         f"the component ended with {component.daemon.process.returncode}")
    for options in (), ("--fsck",), ("--erase", OWNER), ("--fsck", "--repair"):
        status, said = alone.cleanup(*options)
        is_clear(status, said, (0, 1, 3))


def spoilt(scenario, alone):
    seed = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))
    chance = random.Random(seed)
    good, good_bodies = alone.site.path("good.db"), alone.site.path("good")
    bodies = alone.putslot.bodies
    slots = [alone.slot(), alone.slot(bytes(3000))]
    for _ in range(40):
        alone.slot()
    stored = alone.stored()
    with closing(sqlite3.connect(alone.putslot.database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good.write_bytes(alone.putslot.database.read_bytes())
    alone.site.run(["cp", "-a", bodies, good_bodies])

    def restore():
        """In place: the file stays the same."""
        for path in alone.putslot.store.glob("putslot.db-*"):
            path.unlink()
        alone.putslot.database.write_bytes(good.read_bytes())
        alone.site.run(["rm", "-rf", bodies])
        alone.site.run(["cp", "-a", good_bodies, bodies])

    def is_as_before():
        restore()
        alone.fsck()
        true(alone.is_good(stored), "what was stored before is gone")
        for slot in slots:
            equal(alone.put(slot).status, 201, "PUT, all being put back")
            true(alone.is_good(slot), "it is not served")

    for kind in ("garbage", "garbage", "zeros", "zeros", "truncated",
                 "truncated", "text", "empty"):
        with scenario.case(f"a database that is {kind} (seed {seed}): "
                           "answers, words, and all is well when it is back"):
            restore()
            spoil(alone.putslot.database, kind, chance)
            use_spoilt(alone, kind, slots)
            is_as_before()
        with scenario.case(f"a database that becomes {kind} (seed {seed}) "
                           "under programs that run: the same"):
            restore()
            with alone.daemon(), alone.component() as component:
                alone.ask_get(slots[0])
                spoil(alone.putslot.database, kind, chance)
                for slot in slots:
                    answer = alone.ask_put(slot)
                    true(answer.status in (201, 404, 409, 500), f"{answer}")
                    may_be_served(slot, alone.ask_get(slot))
                may_be_granted(component)
            is_as_before()


def body(scenario):
    alone = Alone(scenario.site)
    alone.putslot.set("store", min_free="0 B", busy_timeout="1s")
    alone.putslot.set("web", threads=4)
    small_disk(scenario, alone)
    failing_calls(scenario, alone)
    limits(scenario, alone)
    locked(scenario, alone)
    away(scenario, alone)
    spoilt(scenario, alone)


run_scenario(body)
