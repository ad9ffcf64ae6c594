#!/usr/bin/python3
"""Goal of this test: the power may fail while many uploads are published
together. Wherever it does, and whatever of what was not yet synced is lost,
what was answered 201 is there and whole, no row is stored without its whole
body, and no body is without a row. With `durable = no` only whole uploads are
lost, and --fsck finds and repairs what is missing.

The uploads come through FastCGI, into both trees, as streams and as files that
the web server hands over. The database is locked while they come, as in
34-batches, and the disk is made from a trace, as in 31-power-cut: after each
call, of what was not synced nothing is there, or the database alone, or the
bodies alone; and some cuts at random, after which the programs run.

PUTSLOT_POWER_CUTS  how many of the latter (10)
PUTSLOT_SEED        of the places and of what is lost; printed
"""

import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from copy import deepcopy
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, fastcgi, run_scenario, true  # noqa: E402
from harness.alone import OWNER, PUT_URL, Alone, Slot  # noqa: E402
from harness.disk_model import Disk, any_part, only  # noqa: E402
from harness.faults import read_trace  # noqa: E402
from harness.power_cut import (check_loss, check_mistakes,  # noqa: E402
                               check_served, empty, start_again)

CUTS = int(os.environ.get("PUTSLOT_POWER_CUTS", "10"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))

ROUNDS, UPLOADS = 2, 5  # of each round: with more, all lost, nothing is mended
SIZES = (1, 700, 5000, 90000)
CREATED = b"Status: 201"


# ---- what is traced ----

class Session:
    """Uploads by one daemon, in batches."""

    def __init__(self, alone, chance):
        self.alone = alone
        self.putslot = alone.putslot
        self.random = chance
        self.slots = {}  # by the id of the request
        self.statuses = {}
        self.trace = alone.faults.trace()
        empty(self.putslot)
        self.incoming = alone.site.make_directory(
            "store/handed-over", 0o700, alone.site.web_user, alone.site.group)
        self.putslot.set("web", incoming=self.incoming)
        self.first = Disk(self.putslot.store)

    def around(self, argv):
        return self.alone.faults.around(argv, {"trace": self.trace})

    def slot(self, id):
        body = self.random.randbytes(self.random.choice(SIZES))
        token, secret = self.putslot.grant(
            len(body), "f", owner=OWNER, around=self.around,
            purpose=("message", "ephemeral")[id % 2])
        self.slots[id] = Slot(f"{PUT_URL}{token}/{secret}/f",
                              f"{PUT_URL}{token}/f", body)

    def hand_over(self, id):
        """As nginx does: written and not synced."""
        path = self.incoming / f"{id:010}"
        subprocess.run(self.alone.site.as_user(
            self.alone.site.web_user, self.around(
                ["dd", "status=none", "bs=16k", f"of={path}"])),
            input=self.slots[id].body, check=True, timeout=20)
        return path

    def put(self, id):
        slot = self.slots[id]
        pairs = [("REQUEST_METHOD", "PUT"), ("SERVER_PROTOCOL", "HTTP/1.1"),
                 ("REQUEST_URI", slot.put[len("https://127.0.0.1:1"):]),
                 ("CONTENT_LENGTH", str(len(slot.body)))]
        body = slot.body
        if id % 3 == 0:
            pairs.append(("REQUEST_BODY_FILE", str(self.hand_over(id))))
            body = b""
        came = fastcgi.exchange(self.putslot.socket, fastcgi.request(
            pairs, body, id=id))
        self.statuses[id] = fastcgi.output(came)[:len(CREATED)]

    def batch(self, ids):
        """All at once, while nobody can publish."""
        for id in ids:
            self.slot(id)
        clients = [threading.Thread(target=self.put, args=(id,)) for id in ids]
        with closing(sqlite3.connect(self.putslot.database,
                                     isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            for client in clients:
                client.start()
            time.sleep(0.6)  # they wait: nothing tells when the last does
            lock.execute("ROLLBACK")
        for client in clients:
            client.join(20)

    def play(self):
        """The records."""
        with self.alone.daemon(faults={"trace": self.trace}):
            for first in range(1, 1 + ROUNDS * UPLOADS, UPLOADS):
                self.batch(range(first, first + UPLOADS))
        equal(set(self.statuses.values()), {CREATED}, "answers")
        records = read_trace(self.trace)
        true(largest_batch(records) >= UPLOADS - 2, "there was no batch")
        return records

    def bodies(self):
        return {slot.token: slot.body for slot in self.slots.values()}

    def acknowledged(self, record):
        """The token whose upload that call answers, or None."""
        at = record.data.find(CREATED)
        if at == -1 or not record.path.startswith("socket:"):
            return None
        # The records of FastCGI have the id of the request.
        return self.slots[struct.unpack(">H", record.data[2:4])[0]].token


def largest_batch(records):
    """How many bodies get their names between two commits."""
    largest = links = 0
    for record in records:
        if record.name == "link":
            links += 1
        elif record.name == "pwrite" and record.path.endswith("-wal"):
            links = 0
        largest = max(largest, links)
    return largest


# ---- what is left ----

class Remains:
    """A store after the cut, as the disk has it."""

    def __init__(self, path):
        self.stored = set()
        self.known = set()  # to a row, of a slot or of what is doomed
        self.files = {file.name: file.read_bytes() for tree in
                      ("bodies", "public") for file in path.glob(tree + "/??/*")}
        database = path / "putslot.db"
        if not database.exists():
            return
        with closing(sqlite3.connect(database)) as db:
            equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)],
                  "integrity of the database")
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                return
            slots = db.execute("SELECT token, stored_at FROM slot").fetchall()
            self.stored = {token for token, at in slots if at is not None}
            self.known = {token for token, _ in slots} | {
                token for token, in db.execute("SELECT token FROM doomed")}


def check_kept(remains, bodies, acknowledged):
    true(acknowledged <= remains.stored, "an acknowledged upload is not stored")
    true(remains.stored <= remains.files.keys(), "a stored body is missing")
    true(remains.files.keys() <= remains.known, "a body is without a row")
    for token, content in remains.files.items():
        true(content == bodies[token], "a body has its name and is not whole")


def check_own(remains, bodies, _):
    for token, content in remains.files.items():
        true(bodies[token].startswith(content), "a body is not its own")


def check_everywhere(session, records, check):
    """After each call that may matter. How many there were."""
    putslot, bodies = session.putslot, session.bodies()
    disk = deepcopy(session.first)
    acknowledged = set()
    looks = 0
    for number, record in enumerate(records):
        disk.take(record)
        token = session.acknowledged(record)
        if token:
            acknowledged.add(token)
        elif (not record.path.startswith(str(putslot.store))
              or record.path.endswith("-shm")):
            continue
        for places in ((), (putslot.database,),
                       (putslot.bodies, putslot.public)):
            with tempfile.TemporaryDirectory() as where:
                disk.cut(where, only(*places))
                try:
                    check(Remains(Path(where)), bodies, acknowledged)
                except AssertionError as error:
                    names = ", ".join(path.name for path in places)
                    raise AssertionError(
                        f"cut after call {number} of {len(records)}, "
                        f"{record.name} of {record.path}, with "
                        f"{names or 'nothing'} left of what was not synced: "
                        f"{error}") from error
            looks += 1
    equal(len(acknowledged), len(bodies), "uploads that were acknowledged")
    return looks


# ---- the scenario ----

def check_programs(session, records, number, durable, chance):
    """Bodies written in order: 31-power-cut has the others."""
    putslot, bodies = session.putslot, session.bodies()
    disk = deepcopy(session.first)
    for record in records[:number]:
        disk.take(record)
    empty(putslot)
    disk.cut(putslot.store, any_part(chance, (putslot.bodies, putslot.public)))
    if durable == "no":
        check_loss(putslot, bodies, True)
    elif start_again(putslot):
        equal(check_mistakes(putslot), (0, 0, 0), "mistakes")
        check_served(putslot, bodies, True)


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_POWER_CUTS={CUTS}", flush=True)
    chance = random.Random(SEED)
    alone = Alone(scenario.site)
    alone.putslot.set("store", public=alone.putslot.public)
    alone.putslot.set("web", public_url="https://127.0.0.1:1/files/")
    for durable, check in ("yes", check_kept), ("no", check_own):
        how = f"durable = {durable}"
        alone.putslot.set("store", durable=durable)
        with scenario.case(f"{how}: power cut after each call"):
            session = Session(alone, chance)
            records = session.play()
            print(f"# {check_everywhere(session, records, check)} cuts")
        for _ in range(CUTS // 2):
            number = chance.randrange(len(records) + 1)
            with scenario.case(f"{how}: the programs after a power cut before "
                               f"call {number} of {len(records)}"):
                check_programs(session, records, number, durable, chance)


run_scenario(body)
