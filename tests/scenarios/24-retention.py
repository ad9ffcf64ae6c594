#!/usr/bin/python3
"""Goal of this test: putslot-cleanup beside traffic hinders nobody; it removes
what it shall and nothing else; --erase and --fsck do what they say; and what an
administrator types into sqlite3 is honoured by everyone at once."""

import random
import re
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import (JID, SECRET, TOP, Certificates, Lighttpd,  # noqa: E402
                     Prosody, Putslot, Site, equal, request, run_scenario, true)
from harness.raw_component import RawComponent  # noqa: E402
from harness.stanzas import Refused, purpose, slot_request  # noqa: E402
from harness.xmpp_cases import stamp_of, wait_until  # noqa: E402
from harness.xmpp_servers import GATE  # noqa: E402

BUSY = 5  # seconds; the default of busy_timeout
DATABASE_PAGE = TOP / "docs/database.md"


class Bench:
    def __init__(self, site: Site):
        self.site = site
        self.tls = Certificates(site)
        self.putslot = Putslot(site)
        self.web = Lighttpd(site, self.tls, self.putslot)
        self.putslot.set("web", put_url=self.web.url)
        self.putslot.set("rule two", match=f"two@{GATE}", files_per_user="2")
        self.putslot.set("rule many", match=f"past@{GATE} busy@{GATE}",
                         slots_per_window="unlimited")
        self.putslot.set("rule all", match="*")
        prosody = Prosody(site, self.tls, self.putslot)
        prosody.start()
        self.putslot.start_component()
        self.putslot.start_fcgi()
        self.web.start()
        self.gate = RawComponent(prosody.gate, GATE, SECRET)

    def put(self, url, body=b"fives"):
        return request(self.tls, "PUT", url, body).status

    def get(self, url):
        return request(self.tls, "GET", url).status

    def stored(self, name, count=1, inside=""):
        """GET URLs of fresh uploads of name@GATE."""
        gets = []
        for _ in range(count):
            put, get = self.gate.user(name).slot(JID, 5, inside=inside)
            equal(self.put(put), 201, "PUT")
            gets.append(get)
        return gets

    def state(self):
        """All that cleanup could change."""
        return [self.putslot.sql(f"SELECT * FROM {table} ORDER BY 1")
                for table in ("slot", "usage", "total", "doomed", "recent")
                ] + [sorted(self.putslot.files())]

    def file(self, get):
        return self.putslot.files().get(token(get))

    def id(self, get):
        return self.putslot.sql("SELECT id FROM slot WHERE token = ?",
                                token(get))[0][0]

    def recipe(self, title, get=None, owner=None):
        """Types in what docs/database.md has under the sentence that begins
        with this title, about another slot and another user."""
        page = DATABASE_PAGE.read_text()
        found = re.search(re.escape(title) + r"[^`]*(?:`[^`]+`[^`]*)*?"
                          r"```sql\n(.*?);", page, re.S)
        true(found, f"no recipe {title!r}")
        sql = found[1]
        if get:
            sql = sql.replace("42", str(self.id(get)))
        self.putslot.sql(sql.replace("juliet@example.org", owner or "nobody"))


def token(get):
    return get.split("/")[-2]


def end(bench, gets):
    """Their time is over, as if it had passed."""
    for get in gets:
        bench.putslot.sql("UPDATE slot SET expires_at = 0 WHERE token = ?",
                          token(get))


class Cleanups(threading.Thread):
    """Runs putslot-cleanup again and again."""

    def __init__(self, putslot, *options):
        super().__init__()
        self.putslot = putslot
        self.options = options
        self.wanted = True
        self.said = []
        self.error = None

    def run(self):
        try:
            while self.wanted:
                self.said.append(self.putslot.cleanup(*self.options))
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.wanted = False
        self.join()


def beside_traffic(scenario, bench, *options):
    with scenario.case(f"cleanup beside traffic, options {options}: no upload "
                       "and no slot request fails or waits noticeably"):
        user = bench.gate.user("busy")
        doomed = bench.stored("past", 60)
        soon = purpose("ephemeral", expire_before=stamp_of(time.time() + 2))
        bench.gate.answers([
            bench.gate.user("past").make_iq(slot_request(inside=soon), to=JID)
            for _ in range(600)])
        end(bench, doomed)
        slowest, stored = 0, []
        with Cleanups(bench.putslot, *options) as cleanups:
            until = time.monotonic() + 4
            while time.monotonic() < until:
                began = time.monotonic()
                stored += bench.stored("busy")
                slowest = max(slowest, time.monotonic() - began)
        true(cleanups.error is None, f"cleanup failed: {cleanups.error}")
        true(len(cleanups.said) > 2, "cleanup was not running all the time")
        true(slowest < BUSY / 2, f"the slowest upload took {slowest:.1f} s")
        bench.putslot.cleanup()
        for get in stored:
            equal(bench.get(get), 200, "status of a fresh upload")
        for get in doomed:
            equal((bench.get(get), bench.file(get)), (404, None), "the old")
        equal(bench.putslot.sql("SELECT * FROM usage WHERE owner LIKE 'past@%'"
                                ), [], "usage of who has nothing left")
        true(user.slot(JID, 5), "no slot afterwards")

    with scenario.case("two cleanups at once do not harm each other"):
        gets = bench.stored("past", 30)
        end(bench, gets)
        with Cleanups(bench.putslot) as one, Cleanups(bench.putslot) as other:
            while not (len(one.said) > 2 and len(other.said) > 2):
                true(not (one.error or other.error),
                     f"{one.error} {other.error}")
                time.sleep(0.05)
        equal([bench.file(get) for get in gets], [None] * 30, "the files")
        equal(bench.putslot.sql("SELECT * FROM doomed"), [], "doomed")


def options(scenario, bench):
    with scenario.case("-n says what would be done and changes nothing"):
        expired, = bench.stored("shown")
        soon = int(time.time()) + 2
        bench.gate.user("shown").slot(JID, 5, inside=purpose(
            "ephemeral", expire_before=stamp_of(soon)))
        end(bench, [expired])
        wait_until(soon)
        before = bench.state()
        said = bench.putslot.cleanup("-n")
        true("would remove 1 files" in said, said)
        true("expired 1, never used 1" in said, said)
        equal(bench.state(), before, "database and disk")
        bench.putslot.cleanup()
        equal(bench.file(expired), None, "the file afterwards")

    with scenario.case("-v gives a line with the reason for each"):
        gets = bench.stored("shown", 2)
        ids = [bench.id(get) for get in gets]
        end(bench, gets)
        said = bench.putslot.cleanup("-v")
        for id in ids:
            true(re.search(rf"slot {id} of shown@{GATE}, message, .*5 bytes",
                           said), said)
        for get in gets:
            true(token(get) not in said, "a token is in the log")

    with scenario.case("--erase forgets one user whole, and nobody else"):
        gone, stay = bench.stored("gone", 3), bench.stored("stay", 2)
        bench.gate.user("gone").slot(JID, 5)
        equal(len(bench.putslot.sql("SELECT * FROM recent WHERE owner = ?",
                                    f"gone@{GATE}")), 4, "rows of recent")
        said = bench.putslot.cleanup("--erase", f"gone@{GATE}")
        true("erased 4" in said and "removed 3 files" in said, said)
        for get in gone:
            equal((bench.get(get), bench.file(get)), (404, None), "the erased")
        equal([bench.get(get) for get in stay], [200, 200], "the others")
        for table in ("slot", "usage", "recent"):
            equal(bench.putslot.sql(
                f"SELECT * FROM {table} WHERE owner = ?", f"gone@{GATE}"), [],
                f"rows of {table}")

    with scenario.case("mistakes in options or configuration end with 2, what "
                       "cannot be done with 1"):
        for words in (["--nonsense"], ["--erase", "a@b/resource"],
                      ["--fsck", "--erase", "a@b"], ["--repair"], ["more"]):
            bench.putslot.cleanup(*words, status=2)
        store = bench.putslot.config["store"]
        right = store["database"]
        for database, status in (("relative", 2), ("/nowhere/putslot.db", 1)):
            store["database"] = database
            bench.putslot.cleanup(status=status)
        store["database"] = right


def check(scenario, bench):
    def fsck(*more, status=0):
        return bench.putslot.cleanup("--fsck", *more, status=status)

    with scenario.case("--fsck finds nothing where nothing is wrong"):
        sound = bench.stored("sound", 5)
        fsck("--grace", "0s")

    with scenario.case("--fsck finds what hands and disks have done, ends with "
                       "3, and repairs only when told"):
        lost, short = bench.stored("sound", 2)
        bench.file(lost).unlink()
        bench.file(short).write_bytes(b"fiv")
        orphan = bench.file(sound[0]).parent / (
            token(sound[0])[:2] + "".join(random.choices("abcdefgh", k=24)))
        orphan.write_bytes(b"whose?")
        bench.putslot.sql("UPDATE usage SET stored_files = 99 "
                          "WHERE owner = ?", f"sound@{GATE}")
        before = bench.state()
        true("orphans 0" in fsck(status=3), "the grace period was ignored")
        said = fsck("--grace", "0s", status=3)
        for found in ("lost 1", "wrong size 1", "orphans 1", "repaired 0"):
            true(found in said, said)
        true("database 0" not in said, said)
        equal(bench.state(), before, "database and disk")
        fsck("--grace", "0s", "--repair")
        equal([bench.get(lost), bench.get(short), orphan.exists()],
              [404, 404, False], "what was wrong")
        equal(bench.putslot.sql(
            "SELECT stored_files FROM usage WHERE owner = ?",
            f"sound@{GATE}"), [(5,)], "the counter")
        bench.putslot.cleanup()
        fsck("--grace", "0s")
        equal([bench.get(get) for get in sound], [200] * 5, "the sound")


def hands(scenario, bench):
    """The recipes of docs/database.md, as they stand there."""
    def is_full(name="two"):
        answer = bench.gate.user(name).iq(slot_request(), to=JID)
        return (answer.get("type") == "error" and
                Refused(answer).kind == "wait")

    def forget(name="two"):
        bench.putslot.sql("DELETE FROM slot WHERE owner = ?", f"{name}@{GATE}")

    for title in ("Take an upload down at once", "Delete an upload"):
        with scenario.case(f"recipe: {title}"):
            get, _ = bench.stored("two", 2)
            file = bench.file(get)
            true(is_full(), "the quota is not reached")
            bench.recipe(title, get)
            equal(bench.get(get), 404, "status")
            true(file.exists() and not is_full(), "the quota has not noticed")
            bench.putslot.cleanup()
            true(not file.exists(), "the file has stayed")
            forget()

    with scenario.case("recipe: Delete all uploads of a user"):
        gets, other = bench.stored("two", 2), bench.stored("stay")
        bench.recipe("Delete all uploads of a user", owner=f"two@{GATE}")
        equal([bench.get(get) for get in gets + other], [404, 404, 200],
              "status")
        bench.stored("two", 2)
        true(is_full(), "the quota is lost")
        bench.putslot.cleanup()
        equal([bench.file(get) for get in gets], [None, None], "the files")
        forget()

    with scenario.case("recipe: Prolong an upload"):
        soon = int(time.time()) + 3
        get, = bench.stored("stay", inside=purpose(
            "ephemeral", expire_before=stamp_of(soon)))
        bench.recipe("Prolong an upload", get)
        wait_until(soon)
        bench.putslot.cleanup()
        equal(bench.get(get), 200, "status after its former time")

    with scenario.case("recipe: Apply a new, shorter retention"):
        get, = bench.stored("stay")
        bench.putslot.sql("UPDATE slot SET issued_at = issued_at - 31 * 86400,"
                          " expires_at = NULL WHERE token = ?", token(get))
        equal(bench.get(get), 200, "status before")
        bench.recipe("Apply a new, shorter retention")
        equal(bench.get(get), 404, "status after")
        true("expired 1" in bench.putslot.cleanup(), "cleanup did not notice")
        equal(bench.file(get), None, "the file")

    with scenario.case("after all that the counters are right"):
        equal(bench.putslot.sql("SELECT * FROM usage EXCEPT "
                                "SELECT * FROM recount"), [], "usage")
        bench.putslot.cleanup("--fsck", "--grace", "0s")


def body(scenario):
    bench = Bench(scenario.site)
    beside_traffic(scenario, bench)
    beside_traffic(scenario, bench, "-f")
    options(scenario, bench)
    check(scenario, bench)
    hands(scenario, bench)
    bench.gate.socket.close()


run_scenario(body)
