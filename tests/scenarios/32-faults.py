#!/usr/bin/python3
"""Goal of this test: a disk that is full or read-only, limits of the process,
and a database that is locked, gone, replaced or garbage are answered and
logged, end no program in an unclean way, leave nothing half done, and are over
when their cause is.

Small disks are mounted by root only; without root those cases are skipped."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, run_scenario, true, wait_for  # noqa: E402
from harness.alone import OWNER, Alone, SmallDisk, Slot  # noqa: E402
from harness.cgi import Answer  # noqa: E402
from harness.stanzas import Refused, slot_request  # noqa: E402
from harness.states import slot_states  # noqa: E402

PAGE = 4096
ENOSPC, EROFS = 28, 30


def is_clear(status, said, codes=(0, 1)):
    """That a program has ended in order, and not without a word."""
    true(status in codes, f"it ended with {status}: {said}")
    true(status == 0 or "error" in said, f"it failed without a word: {said!r}")


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
                slots = [alone.slot() for _ in range(150)]
                for slot in slots:
                    equal(alone.ask_put(slot).status, 201, "PUT")
                wal = Path(f"{alone.putslot.database}-wal").stat().st_size
                true(wal > 1000 * PAGE, f"the WAL has but {wal} bytes")
        true(all(map(alone.is_good, slots[-3:])), "they are not served")
        alone.fsck()
    with scenario.case("a disk that becomes read-only: 500, wait errors, and "
                       "GETs go on"):
        stored, slot = alone.stored(), alone.slot()
        with alone.daemon(faults=switch.plan(EROFS)), alone.component(
                faults=switch.plan(EROFS)) as component:
            with switch:
                # The answer to us is a write, too, but to no file.
                pass
        equal(alone.put(slot).status, 201, "PUT")
        true(alone.is_good(stored), "it is not served")


def body(scenario):
    alone = Alone(scenario.site)
    alone.putslot.set("store", min_free="0 B", busy_timeout="1s")
    alone.putslot.set("web", threads=4)
    small_disk(scenario, alone)
    failing_calls(scenario, alone)


run_scenario(body)
