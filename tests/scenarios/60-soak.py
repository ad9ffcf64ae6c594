#!/usr/bin/python3
"""Goal of this test: a day's life in little time leaves the books in order, and
no process larger than it was.

Users upload, break off, download, let slots and files run out, replace their
pictures, delete; cleanup runs beside them; for the first part of the time all
programs are stopped and killed at random. Then a calm part follows, over which
the processes are watched. Every 201 is held against what comes back.

PUTSLOT_SOAK is the whole time in seconds, PUTSLOT_SEED makes the same dice.
Alone it takes ten minutes; among all tests, tests/run makes it short.
"""

import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import RawConnection, equal, run_scenario, true  # noqa: E402
from harness.day import RECOVERY, RETENTION, WINDOW, Away, Day  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402
from harness.stanzas import Refused, purpose  # noqa: E402
from harness.xmpp_cases import stamp_of  # noqa: E402

SECONDS = float(os.environ.get("PUTSLOT_SOAK", "600"))
SEED = int(os.environ.get("PUTSLOT_SEED", "0")) or random.randrange(1 << 32)
USERS = 6
TROUBLE = 0.4  # the part of the time in which programs are stopped and killed

# KiB that a process may grow in the calm part: caches of the database, which
# end at 2000 KiB each. putslot.fcgi has one for each thread.
GROWTH = {"putslot-component": 2500, "putslot.fcgi": 4096}
CREW = 16  # threads of putslot.fcgi that are started when they are first needed


class Full(Exception):
    """Slots that await their picture leave no room for another."""


class Upload:
    """One that was answered 201: what must come back, and until when."""

    def __init__(self, get, body, purpose, ends):
        self.get = get
        self.size = len(body)
        self.digest = hashlib.sha256(body).digest()
        self.purpose = purpose
        self.ends = ends  # (not before, not after); None: stays
        self.tag = None

    def may_be_gone(self, now):
        return (self.purpose == "profile"  # has made room
                or self.ends is not None and now >= self.ends[0])

    def must_be_gone(self, now):
        return self.ends is not None and now >= self.ends[1]


class User(threading.Thread):
    def __init__(self, day, number):
        super().__init__(name=f"user {number}", daemon=True)
        self.day = day
        self.owner = f"user{number}@example.org"
        self.dice = random.Random(SEED * 100 + number)
        self.wanted = True
        self.error = None
        self.uploads = []
        self.gone = []

    def run(self):
        deeds = (self.uploading, self.uploading, self.uploading,
                 self.downloading, self.downloading, self.downloading,
                 self.asking_for_more, self.looking_for_the_gone,
                 self.breaking_off, self.forgetting, self.deleting)
        try:
            while self.wanted:
                try:
                    self.dice.choice(deeds)()
                except Away:
                    self.day.totals.add("tries while a program was away")
                    time.sleep(0.1)
                except Full:
                    self.day.totals.add("pictures refused for now")
                time.sleep(self.dice.random() * 0.02)
        except Exception as error:
            self.error = error

    # ---- deeds ----

    def grant(self, size):
        """(slot, purpose, ends)"""
        name = self.dice.choices(
            ("message", "ephemeral", "profile", "permanent"), (6, 3, 2, 1))[0]
        # time(2), which dates slots, may be some milliseconds behind.
        before = int(time.time() - 0.05)
        ends = None
        inside = purpose(name)
        if name == "ephemeral":
            at = before + self.dice.randint(2, 8)
            ends = (at, at)
            inside = purpose(name, expire_before=stamp_of(at))
        try:
            slot = self.day.slot(self.owner, size, inside)
        except Refused as refused:
            if (name, refused.what) != ("profile", "wait/resource-constraint"):
                raise
            raise Full from None
        if name == "message":
            ends = (before + RETENTION, time.time() + RETENTION + 1)
        self.day.totals.add("slots")
        return slot, name, ends

    def body(self):
        size = self.dice.choice((1, 100, 5000, 70000, 300000))
        return self.dice.randbytes(self.dice.randint(1, size))

    def put(self, url, body):
        """1 stored, 0 too late; and again when nobody knows."""
        until = time.monotonic() + WINDOW
        unknown = False
        while time.monotonic() < until + RECOVERY:
            try:
                status = self.day.ask("PUT", url, body).status
            except Away:
                unknown = True
                self.day.totals.add("uploads tried again")
                time.sleep(0.3)
                continue
            if status == 409 and unknown:
                self.day.totals.add("found stored after no answer")
                return 1
            if status == 201:
                return 1
            late = time.monotonic() > until - 2
            true(status == 404 and late or self.is_short, f"PUT: {status}")
            break
        return 0

    def uploading(self):
        body = self.body()
        (put, get), name, ends = self.grant(len(body))
        self.is_short = name == "ephemeral"  # may end before it begins
        if self.put(put, body):
            self.uploads.append(Upload(get, body, name, ends))
            self.day.totals.add("uploads")
            self.day.totals.add("bytes uploaded", len(body))

    def breaking_off(self):
        body = self.body() + b"more"
        (put, get), name, ends = self.grant(len(body))
        try:
            with RawConnection(self.day.tls, put) as connection:
                connection.head("PUT", put, {"Content-Length": len(body)})
                connection.send(body[:len(body) // 2])
        except OSError:
            raise Away from None
        self.day.totals.add("uploads broken off")
        self.is_short = name == "ephemeral"
        if self.dice.random() < 0.5 and self.put(put, body):
            self.uploads.append(Upload(get, body, name, ends))
            self.day.totals.add("uploads after breaking off")

    def forgetting(self):
        self.grant(self.dice.randint(1, 1 << 20))

    def asking_for_more(self):
        try:
            self.day.slot(self.owner, 1 << 40)
        except Refused:
            self.day.totals.add("requests refused")
        else:
            raise AssertionError("a tebibyte was granted")

    def downloading(self):
        if not self.uploads:
            return
        upload = self.dice.choice(self.uploads)
        kind = self.dice.choice(("whole", "part", "head", "again"))
        headers = {}
        first = self.dice.randrange(upload.size)
        if kind == "part":
            headers["Range"] = f"bytes={first}-"
        if kind == "again" and upload.tag:
            headers["If-None-Match"] = upload.tag
        before = time.time()
        response = self.day.ask("HEAD" if kind == "head" else "GET",
                                upload.get, headers=headers)
        if response.status == 404:
            true(upload.may_be_gone(time.time()), "a file has gone too early: "
                 f"{upload.purpose}, {upload.ends}")
            self.leave(upload)
            return
        true(not upload.must_be_gone(before), "a file has outlived its time")
        if kind == "part":
            equal((response.status, len(response.body)),
                  (206, upload.size - first), "a part")
        elif response.status != 304:
            equal(response.status, 200, "status of a download")
            upload.tag = response.header("ETag")
            if kind != "head":
                equal(hashlib.sha256(response.body).digest(), upload.digest,
                      "digest of a download")
        self.day.totals.add("downloads")
        self.day.totals.add("bytes downloaded", len(response.body))

    def leave(self, upload):
        self.uploads.remove(upload)
        self.gone.append(upload)
        self.day.totals.add("replaced" if upload.purpose == "profile"
                            else "expired")

    def looking_for_the_gone(self):
        if self.gone:
            response = self.day.ask("GET", self.dice.choice(self.gone).get)
            equal(response.status, 404, "status of what had gone")

    def deleting(self):
        """By an administrator's hand."""
        if self.uploads and self.dice.random() < 0.3:
            upload = self.dice.choice(self.uploads)
            self.day.putslot.sql("DELETE FROM slot WHERE token = ?",
                                 upload.get.split("/")[-2])
            self.uploads.remove(upload)
            self.gone.append(upload)
            self.day.totals.add("deleted by hand")


class Cleanups(threading.Thread):
    """Runs putslot-cleanup again and again; sometimes it is killed."""

    def __init__(self, day):
        super().__init__(name="cleanup", daemon=True)
        self.day = day
        self.dice = random.Random(SEED)
        self.wanted = True
        self.error = None

    def run(self):
        try:
            while self.wanted:
                self.run_one()
                time.sleep(0.5)
        except Exception as error:
            self.error = error

    def run_one(self):
        putslot, site = self.day.putslot, self.day.site
        roll = self.dice.random()
        if roll < 0.2:
            process = subprocess.Popen(
                site.as_user(site.cleanup_user, [
                    site.bin / "putslot-cleanup", "-c", putslot.path]),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.dice.random() * 0.03)
            process.kill()
            process.wait()
            self.day.totals.add("cleanups killed")
        elif roll < 0.4:
            putslot.cleanup("--fsck")
            self.day.totals.add("fsck runs")
        else:
            putslot.cleanup()
            self.day.totals.add("cleanups")


def raise_errors(threads):
    for thread in threads:
        if thread.error is not None:
            raise thread.error


def wait(seconds, threads):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        raise_errors(threads)
        time.sleep(0.1)


def trouble(day, threads, seconds):
    dice = random.Random(SEED + 1)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wait(dice.random() * 2, threads)
        day.restart(dice.choice(list(day.daemons)), dice.random() < 0.7)


def books_balance(day):
    """Counters, rows and files say the same, and fsck nothing at all."""
    day.putslot.cleanup("--fsck", "--grace", "0s")
    sql = day.putslot.sql
    equal(sql("SELECT * FROM usage EXCEPT SELECT * FROM recount"), [], "usage")
    equal(sql("SELECT * FROM recount EXCEPT SELECT * FROM usage"), [], "usage")
    files = day.putslot.files()
    on_disk = (len(files), sum(f.stat().st_size for f in files.values()))
    equal(sql("SELECT stored_files, stored_bytes FROM total"), [on_disk],
          "total, against the files on disk")
    equal(sql("SELECT count(*), ifnull(sum(size), 0) FROM slot "
              "WHERE stored_at IS NOT NULL"), [on_disk], "rows")
    equal(sql("SELECT * FROM doomed"), [], "doomed")


def compare(before, after):
    for name, limit in GROWTH.items():
        print(f"{name}: {before[name]}, then {after[name]}")
        more = after[name].threads - before[name].threads
        true(0 <= more <= (CREW if name == "putslot.fcgi" else 0),
             f"{name}: {more} more threads")
        equal(after[name].descriptors, before[name].descriptors,
              f"{name}: descriptors")
        grown = after[name].memory - before[name].memory
        true(SANITIZED or grown <= limit, f"{name} has grown by {grown} KiB")


def quiet(day, threads):
    """Everybody pauses, and what the programs have then."""
    for thread in threads:
        thread.wanted = False
    for thread in threads:
        thread.join()
    raise_errors(threads)
    time.sleep(1)  # lighttpd closes what it kept open
    return day.usage(GROWTH)


def crowd(day, users=None):
    """Threads, begun; with the memories of former ones."""
    threads = [Cleanups(day), *(User(day, n) for n in range(USERS))]
    for new, old in zip(threads[1:], users or ()):
        new.uploads, new.gone = old.uploads, old.gone
        new.dice = old.dice
    for thread in threads:
        thread.start()
    return threads


def body(scenario):
    print(f"PUTSLOT_SEED={SEED} PUTSLOT_SOAK={SECONDS:g}")
    day = Day(scenario.site)
    threads = crowd(day)
    with scenario.case("programs come and go, and every promise is kept"):
        trouble(day, threads, SECONDS * TROUBLE)
        wait(RECOVERY, threads)
    if scenario.failed:
        return
    with scenario.case("on a calm day, too, and no process grows"):
        wait(SECONDS * 0.1, threads)
        before = quiet(day, threads)
        threads = crowd(day, threads[1:])
        wait(SECONDS * (1 - TROUBLE - 0.1) - RECOVERY, threads)
        after = quiet(day, threads)
        compare(before, after)
    if scenario.failed:
        return
    with scenario.case("what is to be there is there, the rest is not"):
        for user in threads[1:]:
            for upload in list(user.uploads):
                user.uploads = [upload]
                for _ in range(3):
                    user.downloading()
            for upload in user.gone[-20:]:
                equal(day.ask("GET", upload.get).status, 404, "gone")
    with scenario.case("the books balance"):
        time.sleep(2 * WINDOW + 1)  # until no slot awaits its upload
        day.putslot.cleanup()
        books_balance(day)
        equal(day.putslot.sql("SELECT reserved_files, reserved_bytes "
                              "FROM total"), [(0, 0)], "reserved")
    with scenario.case("everybody leaves, and nothing is left"):
        for number in range(USERS):
            day.putslot.cleanup("--erase", f"user{number}@example.org")
        books_balance(day)
        equal((day.putslot.files(), day.putslot.sql("SELECT * FROM usage")),
              ({}, []), "what is left")
    for what, count in sorted(day.totals.counts.items()):
        print(f"total: {what}: {count}")
    day.stream.socket.close()
    day.listening.close()


run_scenario(body)
