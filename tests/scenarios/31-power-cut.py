#!/usr/bin/python3
"""Goal of this test: the power may fail at any moment. The order of the calls
is the one that docs/internals.md promises, and whatever part of what was not
yet synced is lost, an upload that was answered 201 is there and whole, and
--fsck finds nothing. With `durable = no` uploads may be lost, but only whole
ones: nothing is served in part or as another's, --fsck says what is missing,
and --repair leaves a service that works.

The disk after the cut is made from a trace of all calls; it is stricter than
most real ones (tests/harness/disk_model.py).

PUTSLOT_POWER_CUTS  how many cuts, at random places (40; as many without
                    `durable`)
PUTSLOT_SEED        of the places and of what is lost; printed
"""

import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Putslot, equal, run_scenario, true  # noqa: E402
from harness.cgi import cgi  # noqa: E402
from harness.disk_model import Disk, any_part, only  # noqa: E402
from harness.faults import Faults, read_trace  # noqa: E402
from harness.lone_component import LoneComponent  # noqa: E402
from harness.power_cut import check_loss, empty, start_again  # noqa: E402
from harness.states import slot_states  # noqa: E402

CUTS = int(os.environ.get("PUTSLOT_POWER_CUTS", "40"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))

PUT_URL = "https://127.0.0.1:1/upload/"
CREATED = b"Status: 201"
YESTERDAY = -86400
NEVER = 10**9  # no trace has so many records


class Upload:
    """body is in place under the token from the trace's record `since` on, and
    until somebody begins to remove it at record `until`."""

    def __init__(self, token, body):
        self.token = token
        self.body = body
        self.since = self.until = NEVER


class Session:
    """Everything that changes something, with each of its calls recorded."""

    def __init__(self, site, putslot, faults, chance):
        self.site = site
        self.putslot = putslot
        self.faults = faults
        self.random = chance
        self.trace = faults.trace()
        self.clock = faults.trace("clock")
        self.uploads = []
        self.first = Disk(putslot.store)

    def around(self, argv):
        return self.faults.around(
            argv, {"trace": self.trace, "clock": self.clock})

    def now(self):
        return len(read_trace(self.trace))

    def upload(self, urls, body):
        put, get = urls
        upload = Upload(get.split("/")[-2], body)
        equal(cgi(self.putslot, "PUT", put, body, self.around).status, 201,
              "PUT")
        self.uploads.append(upload)
        return upload

    def grant(self, size, owner):
        """Without a component."""
        token, secret = self.putslot.grant(
            size, "f", owner=owner, around=self.around)
        return f"{PUT_URL}{token}/{secret}/f", f"{PUT_URL}{token}/f"

    def cleanup(self, *options):
        self.site.run(self.around([
            self.site.bin / "putslot-cleanup", "-c", self.putslot.path,
            *options]), user=self.site.web_user)

    def body(self):
        return self.random.randbytes(self.random.choice((1, 5, 3000, 90000)))

    def play(self, slot):
        """A life, where slot(size, owner) gives the slots."""
        for _ in range(3):
            body = self.body()
            self.upload(slot(len(body), "juliet@example.org"), body)
        slot(5, "juliet@example.org")
        to_go = []
        for _ in range(2):
            body = self.body()
            to_go.append(self.upload(
                slot(len(body), "gone@example.org"), body))
        self.make_expired()
        self.cleanup()
        for upload in to_go:
            upload.until = self.now()
        self.cleanup("--erase", "gone@example.org")

    def make_expired(self):
        self.clock.write_text(str(YESTERDAY))
        body = self.body()
        self.upload(self.grant(len(body), "romeo@example.org"), body)
        self.grant(5, "romeo@example.org")
        self.clock.write_text("0")
        # To GET it is gone at once.
        self.uploads[-1].until = 0

    def evict(self, component):
        """Each makes room for the next; the last is not put, so that nothing
        but cleanup syncs that removal."""
        last = None
        for _ in range(3):
            body = self.body()
            if last:
                last.until = self.now()
            urls = component.slot("one@example.org", len(body))
            last = self.upload(urls, body)
        last.until = self.now()
        component.slot("one@example.org", 5)


def check_order(disk, record, putslot):
    """That the call may come now, by what is safe on the disk. The name of the
    rule that was looked at, or None."""
    store = str(putslot.store)
    wal = f"{putslot.database}-wal"
    directory, _, name = record.path.rpartition("/")
    in_shard = (directory.startswith(str(putslot.bodies) + "/")
                and not name.startswith("#"))

    if record.name == "link" and in_shard:
        file = disk.files[record.inode]
        true(not file.pending, "a body gets its name before it is synced")
        true(disk.is_safe(wal) and disk.is_safe(store),
             "a body gets its name before its row is safe")
        return "link"
    if record.name == "unlink" and in_shard:
        true(disk.is_safe(wal) and disk.is_safe(store),
             "a body goes before the removal of its row is safe")
        return "unlink"
    if record.name == "pwrite" and record.path == wal:
        for path in disk.directories:
            true(not path.startswith(str(putslot.bodies))
                 or disk.is_safe(path),
                 f"a commit speaks of what is not safe in {path}")
        return "commit"
    if record.data.startswith(CREATED):
        for path in [*disk.directories, wal]:
            true(disk.is_safe(path), f"201 is said before {path} is safe")
        return "answer"
    return None


def check_all_orders(session, records):
    seen = {}
    disk = session.first
    acknowledged = iter(session.uploads)
    for number, record in enumerate(records):
        rule = check_order(disk, record, session.putslot)
        seen[rule] = seen.get(rule, 0) + 1
        if rule == "answer":
            next(acknowledged).since = number
        disk.take(record)
    equal(seen.get("answer"), len(session.uploads), "number of 201")
    for rule in "link", "unlink", "commit":
        true(seen.get(rule, 0) > 3, f"the rule of {rule} was hardly tried")


def check_after_cut(session, number):
    putslot = session.putslot
    if not start_again(putslot):
        true(not any(u.since < number for u in session.uploads),
             "an upload was acknowledged, and there are no bodies")
        return
    putslot.cleanup("--fsck", "--grace", "0s")
    states = slot_states(putslot)
    for upload in session.uploads:
        must = upload.since < number <= upload.until
        true(not must or states.get(upload.token) == "S3",
             f"{states.get(upload.token)} of an acknowledged upload")
        answer = cgi(putslot, "GET", f"{PUT_URL}{upload.token}/f")
        true(answer.status == 200 or (answer.status == 404 and not must),
             f"GET: {answer}")
        if answer.status == 200:
            true(answer.body == upload.body, "the body is not whole")
    putslot.cleanup()
    states = slot_states(putslot).values()
    true(not {"S4", "S5"} & set(states), f"after a cleanup: {states}")


# ---- durable = no ----

def lose(scenario, putslot, live, chance):
    putslot.set("store", durable="no")
    with scenario.case("durable = no: nothing waits for the disk"):
        # The component keeps the database open: it is not written back
        # whenever a program ends.
        session, records = live(True)
        equal([r for r in records if "sync" in r.name
               and r.path.endswith(" (deleted)")], [], "syncs of bodies")

    bodies = {upload.token: upload.body for upload in session.uploads}

    def cut(number, survivors, in_order):
        empty(putslot)
        disk = Disk(putslot.store)
        for record in records[:number]:
            disk.take(record)
        disk.cut(putslot.store, survivors)
        return check_loss(putslot, bodies, in_order)

    third = [n for n, record in enumerate(records)
             if record.data.startswith(CREATED)][2] + 1
    for what, where, expected in (("rows", putslot.database, (3, 0, 0)),
                                  ("bodies", putslot.bodies, (0, 0, 3))):
        with scenario.case(f"durable = no: of three uploads, the {what} alone"):
            equal(cut(third, only(where), True), expected, "mistakes")
    for in_order in True, False:
        places = (putslot.bodies,) if in_order else ()
        how = "in order" if in_order else "in any order"
        for _ in range(CUTS // 2):
            number = chance.randrange(len(records) + 1)
            with scenario.case(f"durable = no, bodies written {how}: power cut"
                               f" before call {number} of {len(records)}"):
                cut(number, any_part(chance, places), in_order)


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_POWER_CUTS={CUTS}", flush=True)
    site = scenario.site
    chance = random.Random(SEED)
    putslot = Putslot(site, PUT_URL)
    putslot.set("rule one", match="one@example.org", files_per_user=1,
                when_full="make room")
    putslot.set("rule all", match="*")
    faults = Faults(site)

    def live(with_component):
        empty(putslot)
        session = Session(site, putslot, faults, chance)
        if with_component:
            with LoneComponent(putslot, session.around) as component:
                session.play(lambda size, owner: component.slot(owner, size))
                session.evict(component)
                session.cleanup()
        else:
            session.play(session.grant)
        return session, read_trace(session.trace)

    for with_component in True, False:
        where = "beside the component" if with_component else "alone"
        with scenario.case(f"{where}: synced before named, named before "
                           "committed, safe before acknowledged"):
            session, records = live(with_component)
            check_all_orders(session, records)
        for _ in range(CUTS // 2):
            number = chance.randrange(len(records) + 1)
            with scenario.case(f"{where}: power cut before call {number} of "
                               f"{len(records)}"):
                empty(putslot)
                disk = Disk(putslot.store)
                for record in records[:number]:
                    disk.take(record)
                disk.cut(putslot.store, any_part(chance))
                check_after_cut(session, number)
    lose(scenario, putslot, live, chance)


run_scenario(body)
