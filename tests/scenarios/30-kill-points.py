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
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Putslot, equal, run_scenario, true  # noqa: E402
from harness.cgi import cgi  # noqa: E402
from harness.faults import Faults, read_trace  # noqa: E402
from harness.lone_component import LoneComponent  # noqa: E402
from harness.site import SANITIZER  # noqa: E402
from harness.states import slot_states  # noqa: E402

POINTS = int(os.environ.get("PUTSLOT_KILL_POINTS", "100"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))

PUT_URL = "https://127.0.0.1:1/upload/"
PUBLIC_URL = "https://127.0.0.1:1/files/"
PURPOSES = ("message", "ephemeral")
SIZES = (1, 5, 70000)
LONG_AGO = 1000000000
KILLED = -9


class Slot:
    """A slot, and the body that is meant for it."""

    def __init__(self, put, get, body):
        self.put = put
        self.get = get
        self.body = body
        self.token = get.split("/")[-2]


class Bench:
    """A store with its programs, and what must be found in it."""

    def __init__(self, site):
        self.site = site
        self.random = random.Random(SEED)
        self.faults = Faults(site)
        self.putslot = Putslot(site, PUT_URL)
        # Of the two purposes that slots have, one makes public files.
        self.putslot.set("store", public=self.putslot.public)
        self.putslot.set("web", public_url=PUBLIC_URL)
        self.putslot.set("rule one", match="one@example.org",
                         files_per_user=1, when_full="make room")
        self.putslot.set("rule all", match="*", slots_per_window="unlimited",
                         bytes_per_window="unlimited",
                         files_per_user="unlimited",
                         bytes_per_user="unlimited")
        self.kept = {}  # token: Slot, of all that were answered 201
        self.killed = False  # whether a plan came to its end

    # ---- the programs, with a plan or without ----

    def around(self, plan):
        return lambda argv: self.faults.around(argv, plan)

    def body(self):
        return self.random.randbytes(self.random.choice(SIZES))

    def slot(self, owner="juliet@example.org", purpose=None):
        body = self.body()
        token, secret = self.putslot.grant(
            len(body), owner=owner, purpose=purpose or self.random.choice(
                PURPOSES))
        return Slot(f"{PUT_URL}{token}/{secret}/file.bin",
                    f"{PUT_URL}{token}/file.bin", body)

    def put(self, slot, plan=None):
        """Its status; None: there was no answer."""
        answer = cgi(self.putslot, "PUT", slot.put, slot.body,
                     self.around(plan))
        self.killed |= answer.exit_status == KILLED
        if answer.status == 201:
            self.kept[slot.token] = slot
        return answer.status

    def stored(self, **request):
        slot = self.slot(**request)
        equal(self.put(slot), 201, "an undisturbed PUT")
        return slot

    def get(self, slot):
        """Whether it is there, and then whole."""
        answer = cgi(self.putslot, "GET", slot.get)
        true(answer.status in (200, 404), f"GET: {answer}")
        if answer.status == 200:
            equal(answer.body == slot.body, True, "the body is whole")
        return answer.status == 200

    def component(self, plan=None):
        return LoneComponent(self.putslot, self.around(plan))

    def cleanup(self, *options, plan=None):
        """Its exit status."""
        argv = [self.site.bin / "putslot-cleanup", "-c", self.putslot.path,
                *options]
        done = subprocess.run(
            self.site.as_user(self.site.web_user,
                              self.faults.around(argv, plan)),
            capture_output=True, text=True, timeout=60)
        self.killed |= done.returncode == KILLED
        true(not SANITIZER.search(done.stderr), done.stderr)
        true(done.returncode in (0, 3, KILLED),
             f"putslot-cleanup {options}: {done}")
        return done.returncode

    # ---- what must hold whatever happened ----

    def fsck(self):
        equal(self.cleanup("--fsck", "--grace", "0s"), 0, "status of --fsck")

    def promises(self):
        """What was ever acknowledged is there, and whole."""
        states = slot_states(self.putslot)
        for token, slot in self.kept.items():
            equal(states.get(token), "S3", "state of an acknowledged upload")
        for slot in self.random.sample(sorted(
                self.kept.values(), key=lambda slot: slot.token),
                min(2, len(self.kept))):
            true(self.get(slot), "an acknowledged upload is not there")

    def state(self, token):
        return slot_states(self.putslot).get(token, "S0")

    # ---- what some operations begin with ----

    def anew(self):
        """Neither a database nor directories of bodies."""
        for path in self.putslot.store.glob("putslot.db*"):
            path.unlink()
        self.site.run(["rm", "-rf", *self.trees()])
        self.kept.clear()

    def trees(self):
        return self.putslot.bodies, self.putslot.public

    def leave_file(self, directory, name, content, when=None):
        """A file of the web side's, with either configuration."""
        path = self.random.choice(self.trees()) / directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.site.give(path.parent, self.site.web_user, 0o2770)
        self.site.give(path, self.site.web_user, 0o640)
        if when is not None:
            os.utime(path, (when, when))
        return path

    def leave_body(self, slot, content):
        """As a PUT that died between the link and the commit."""
        self.leave_file(slot.token[:2], slot.token, content)


# ---- what is killed ----

class Operation:
    """prepare() makes what run(plan) works on; check() judges what is left, of
    which nobody knows whether run() came to its end."""

    extra = {}  # of every plan
    sound = True  # --fsck has nothing to say even before check()

    def __init__(self, bench):
        self.bench = bench

    def prepare(self):
        pass


class FirstStart(Operation):
    """The component makes the database, and grants the first slot."""

    name = "component's first start"
    sound = False  # there are no bodies yet

    def prepare(self):
        self.bench.anew()

    def run(self, plan):
        with self.bench.component(plan) as component:
            component.slot("juliet@example.org", 5)
        self.bench.killed |= component.killed

    def check(self):
        bench = self.bench
        with bench.component() as component:
            urls = component.slot("juliet@example.org", 5)
        slot = Slot(*urls, b"fives")
        equal(bench.put(slot), 201, "PUT")
        left = list(bench.putslot.store.glob("putslot.db.*"))
        true(len(left) <= 1, f"temporary names of the database: {left}")
        for path in left:
            path.unlink()


class Grant(Operation):
    """A slot is granted, or nobody hears of it."""

    name = "grant"
    urls = None

    def run(self, plan):
        with self.bench.component(plan) as component:
            self.urls = component.slot("juliet@example.org", 5)
        self.bench.killed |= component.killed

    def check(self):
        bench = self.bench
        if self.urls is None:
            with bench.component() as component:
                self.urls = component.slot("juliet@example.org", 5)
        slot = Slot(*self.urls, b"fives")
        equal(bench.put(slot), 201, "PUT")
        true(bench.get(slot), "GET finds nothing")


class GrantBatch(Operation):
    """Several at once, one of them bad: whoever hears of a slot has it."""

    name = "several grants"
    urls = ()

    def run(self, plan):
        with self.bench.component(plan) as component:
            self.urls = component.slots("juliet@example.org", (5, 0, 5, 5))
        self.bench.killed |= component.killed

    def check(self):
        bench = self.bench
        [[there]] = bench.putslot.sql(
            "SELECT count(*) FROM slot WHERE stored_at IS NULL")
        true(there >= len(self.urls), f"{there} slots, {self.urls}")
        for urls in self.urls:
            slot = Slot(*urls, b"fives")
            equal(bench.put(slot), 201, "PUT")
            true(bench.get(slot), "GET finds nothing")


class Put(Operation):
    """201 and there, or to be done again."""

    name = "PUT"
    slot = status = None

    def prepare(self):
        self.slot = self.bench.slot()

    def run(self, plan):
        self.status = self.bench.put(self.slot, plan)

    def check(self):
        bench = self.bench
        true(self.status in (None, 201), f"PUT was answered {self.status}")
        if bench.random.random() < 0.5:
            self.check_state()
        again = bench.put(self.slot)
        if self.status == 201:
            equal(again, 409, "a second PUT")
        else:
            true(again in (201, 409), f"the PUT again: {again}")
        true(bench.get(self.slot), "GET finds nothing")
        true(bench.state(self.slot.token) == "S3", "it is not stored")
        bench.kept[self.slot.token] = self.slot

    def check_state(self):
        state = self.bench.state(self.slot.token)
        possible = ("S3",) if self.status == 201 else ("S1", "S2", "S3")
        true(state in possible, f"{state} after {self.status}")
        equal(self.bench.get(self.slot), state == "S3", "it is served")


class FirstPut(Put):
    """The directory of the bodies is made, too."""

    name = "first PUT"
    sound = False

    def prepare(self):
        self.bench.anew()
        super().prepare()


class NamedPut(Put):
    """As on a file system without nameless files."""

    name = "PUT without O_TMPFILE"
    extra = {"named": 1}


class PutOverLeftover(Put):
    """The file of an earlier PUT, which died before its commit, is there."""

    name = "PUT over a leftover"

    def prepare(self):
        super().prepare()
        self.bench.leave_body(self.slot, b"an earlier body")


class Evict(Operation):
    """A grant that makes room: both or neither."""

    name = "grant that evicts"
    owner = "one@example.org"
    urls = old = None

    def prepare(self):
        self.old = self.bench.stored(owner=self.owner, purpose="message")

    def run(self, plan):
        # From here on it may be gone.
        del self.bench.kept[self.old.token]
        with self.bench.component(plan) as component:
            self.urls = component.slot(self.owner, 5)
        self.bench.killed |= component.killed

    def check(self):
        bench = self.bench
        state = bench.state(self.old.token)
        true(state in (("S4",) if self.urls else ("S3", "S4")),
             f"{state} after {self.urls}")
        equal(bench.get(self.old), state == "S3", "the old one is served")
        [[others]] = bench.putslot.sql(
            "SELECT count(*) FROM slot WHERE owner = ? AND token <> ?",
            self.owner, self.old.token)
        equal(others, 0 if state == "S3" else 1, "new slots")
        bench.cleanup()
        equal(bench.state(self.old.token),
              "S3" if state == "S3" else "S0", "state after a cleanup")
        if self.urls:
            new = Slot(*self.urls, b"fives")
            equal(bench.put(new), 201, "PUT")
            del bench.kept[new.token]
        equal(bench.cleanup("--erase", self.owner), 0, "status of --erase")


class Cleanup(Operation):
    """Of all kinds of things that are over."""

    name = "cleanup"
    over = ()
    incoming = None

    def prepare(self):
        bench = self.bench
        expired, deleted = bench.stored(), bench.stored()
        unused, leftover = bench.slot(), bench.slot()
        bench.leave_body(leftover, leftover.body)
        self.over = {expired.token: ("S3", "S4", "S5", "S0"),
                     deleted.token: ("S4", "S5", "S0"),
                     unused.token: ("S1", "S5", "S0"),
                     leftover.token: ("S2", "S4", "S5", "S0")}
        for slot in expired, deleted:
            del bench.kept[slot.token]
        for slot in expired, unused, leftover:
            bench.putslot.sql(
                "UPDATE slot SET issued_at = ?1, put_expires_at = ?1,"
                " put_ends_at = ?1, expires_at = ?1 WHERE token = ?2",
                LONG_AGO, slot.token)
        bench.putslot.sql("DELETE FROM slot WHERE token = ?", deleted.token)
        self.incoming = bench.leave_file(
            "incoming", "a" * 26, b"in flight", LONG_AGO)

    def run(self, plan):
        self.bench.cleanup(plan=plan)

    def check(self):
        bench = self.bench
        if bench.random.random() < 0.5:
            states = slot_states(bench.putslot)
            for token, possible in self.over.items():
                state = states.get(token, "S0")
                true(state in possible, f"{state} is none of {possible}")
        equal(bench.cleanup(), 0, "status of the next cleanup")
        states = slot_states(bench.putslot)
        for token in self.over:
            equal(states.get(token), None, "state after the next cleanup")
        true(not self.incoming.exists(), "the leftover in incoming/ is there")


class Erase(Operation):
    """Of an owner with uploads and slots."""

    name = "cleanup --erase"
    owner = "gone@example.org"

    def prepare(self):
        for _ in range(3):
            del self.bench.kept[self.bench.stored(owner=self.owner).token]
        self.bench.slot(owner=self.owner)

    def run(self, plan):
        self.bench.cleanup("--erase", self.owner, plan=plan)

    def check(self):
        equal(self.bench.cleanup("--erase", self.owner), 0, "status of --erase")
        for table in "slot", "usage":
            equal(self.bench.putslot.sql(
                f"SELECT count(*) FROM {table} WHERE owner = ?", self.owner),
                [(0,)], f"what is left in {table}")
        left = set(slot_states(self.bench.putslot).values())
        true(not left & {"S4", "S5"}, f"states {left}")


class Repair(Operation):
    """Counters that are wrong, an upload without its body, a body that nobody
    knows."""

    name = "cleanup --fsck --repair"
    sound = False

    def prepare(self):
        bench = self.bench
        lost, _ = bench.stored(), bench.stored()
        bench.putslot.files()[lost.token].unlink()
        del bench.kept[lost.token]
        orphan = bench.slot()
        bench.leave_body(orphan, b"whose?")
        bench.putslot.sql("DELETE FROM slot WHERE token = ?", orphan.token)
        bench.putslot.sql("DELETE FROM doomed WHERE token = ?", orphan.token)
        bench.putslot.sql("UPDATE usage SET stored_bytes = stored_bytes + 1")

    def run(self, plan):
        self.bench.cleanup("--fsck", "--repair", "--grace", "0s", plan=plan)

    def check(self):
        equal(self.bench.cleanup("--fsck", "--repair", "--grace", "0s"), 0,
              "status of the next repair")



OPERATIONS = (FirstStart, Grant, GrantBatch, FirstPut, Put, NamedPut,
              PutOverLeftover, Evict, Cleanup, Erase, Repair)


# ---- points ----

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
    bench = Bench(scenario.site)
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
