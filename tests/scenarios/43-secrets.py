#!/usr/bin/python3
"""Goal of this test: after a day with everything in it, good and bad, no token
and no secret stands in a log, a view, an error, a command line or an
environment; and what lies on the disk is closed to others, whatever the umask
was."""

import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import (JID, SECRET, Lighttpd, Prosody, equal,  # noqa: E402
                     run_scenario, true)
from harness.stanzas import PING, purpose, slot_request  # noqa: E402
from harness.xmpp_cases import XmppBench, stamp_of  # noqa: E402
from harness.http_client import request  # noqa: E402

WRONG = "w" * 26  # a secret of nobody's

TOKEN = re.compile("(?<=/)[a-z2-7]{26}(?=/)")

# Putslot's own; the XMPP server's debug log has the whole stanzas.
OURS = ("putslot-component", "putslot.fcgi")


class Day:
    """What was said and what must not have been."""

    def __init__(self, bench):
        self.bench = bench
        self.secrets = {SECRET}
        self.said = []  # (by whom, text)
        self.answers = []  # of HTTP

    def slot(self, who, size=5, **more):
        put, get = self.bench.slot(who, size, **more)
        self.secrets.update(TOKEN.findall(put))
        return put, get

    def http(self, method, url, body=None, **headers):
        answer = request(self.bench.tls, method, url, body, {
            name.replace("_", "-"): value for name, value in headers.items()})
        if answer.header("ETag"):
            # It says what the request has named, and nothing more.
            equal(answer.header("ETag"), f'"{TOKEN.search(url)[0]}"', "ETag")
            del answer.headers["ETag"]
        self.answers.append(answer)
        return answer.status

    def run(self, program, *options, status=None):
        said = self.bench.site.run(
            [self.bench.site.bin / program, "-c", self.bench.putslot.path,
             *options], user=self.bench.site.component_user
            if program == "putslot-component" else self.bench.site.web_user,
            status=status)
        self.said.append((program, said))
        return said

    def collect(self):
        """All secrets that the database still has, and all of the logs."""
        for row in self.bench.putslot.sql("SELECT token, secret FROM slot"):
            self.secrets.update(row)
        for name in OURS:
            log = self.bench.site.path("log", name)
            self.said.append((name, log.read_text(errors="replace")))

    def is_kept_secret(self, by, text):
        for secret in self.secrets:
            true(secret not in text, f"{by} tells {secret}: " + "".join(
                line for line in text.splitlines(True) if secret in line))


# ---- a day ----

def grants(day):
    """Slots of every kind and refusals of every kind; the slots."""
    bench = day.bench
    gate = bench.gate
    slots = [day.slot(bench.romeo, type="text/plain") for _ in range(5)]
    soon = {"expire_before": stamp_of(time.time() + 3600)}
    slots += [day.slot(gate.user("premium"), inside=purpose(name, **more))
              for name, more in (("message", {}), ("profile", {}),
                                 ("ephemeral", soon), ("permanent", {}))]
    for _ in range(3):  # the third one makes room
        put, get = day.slot(gate.user("evict"))
        equal(day.http("PUT", put, b"fives"), 201, "status")
        slots.append((put, get))
    for user in ("plebs", "small", "files", "slots"):
        for fields in ({}, {"size": 10 ** 12}, {"size": "nonsense"},
                       {"type": "nonsense"}, {"name": ""}, {}, {}):
            answer = bench.ask(gate.user(user), **fields)
            for element in answer.iter():
                day.secrets.update(TOKEN.findall(element.get("url", "")))
    bench.romeo.iq(PING, to=JID)
    bench.romeo.iq("<nonsense xmlns='urn:x'/>", "set", JID)
    bench.romeo.iq(slot_request(inside=f"<x xmlns='{SECRET}'/>"), to=JID)
    return slots


def transfers(day, slots):
    (put, get), (late, late_get), (open_put, open_get) = slots[:3]
    swapped = put.split("/")
    swapped[-3:-1] = swapped[-2:-4:-1]
    for status, method, url, body, headers in (
            (404, "GET", get, None, {}), (400, "PUT", put, b"four", {}),
            (413, "PUT", put, b"sixsix", {}),
            (415, "PUT", put, b"fives", {"Content_Type": "text/html"}),
            (415, "PUT", put, b"fives", {"Content_Encoding": "gzip"}),
            (404, "PUT", "/".join(swapped), b"fives", {}),
            (404, "PUT", put.replace(put.split("/")[-2], WRONG), b"a", {}),
            (405, "GET", put, None, {}), (405, "PUT", get, b"fives", {}),
            (405, "DELETE", get, None, {}), (204, "OPTIONS", put, None, {}),
            (201, "PUT", put, b"fives", {}), (409, "PUT", put, b"fives", {}),
            (200, "GET", get, None, {}), (200, "HEAD", get, None, {}),
            (206, "GET", get, None, {"Range": "bytes=0-1"}),
            (416, "GET", get, None, {"Range": "bytes=9-"}),
            (304, "GET", get, None, {"If_None_Match": "*"}),
            (412, "GET", get, None, {"If_Match": '"a"'}),
            (201, "PUT", late, b"fives", {}), (200, "GET", late_get, None, {}),
            (201, "PUT", open_put, b"fives", {})):
        equal(day.http(method, url, body, **headers), status,
              f"status of {method} with {headers}")


def troubles(day, slots):
    """Damage, and what notices it."""
    putslot = day.bench.putslot
    files = putslot.files()
    gone, short = (get.split("/")[-2] for _, get in slots[1:3])
    files[gone].unlink()
    files[short].write_bytes(b"fi")
    equal(day.http("GET", slots[1][1]), 404, "status of what was lost")
    equal(day.http("GET", slots[2][1]), 500, "status of what was cut")
    (files[short].parent / "foreign").write_text("not ours")
    stray = "a" * 26
    shutil.copy(files[short], files[short].parent / stray)
    for name in ("foreign", stray):
        (files[short].parent / name).chmod(0o640)
    putslot.sql("UPDATE slot SET put_ends_at = 1, put_expires_at = 1, "
                "issued_at = 1 WHERE stored_at IS NULL")
    for options in (["-n", "-v"], ["-n", "-v", "--fsck"],
                    ["-v", "--fsck", "--grace", "0"],
                    ["-v", "--fsck", "--repair", "--grace", "0"], ["-v"],
                    ["-n", "-v", "--erase", "romeo@example.org"]):
        day.run("putslot-cleanup", *options)


def mistakes(day):
    """Configurations that are refused, with the secret in them."""
    putslot = day.bench.putslot
    good = putslot.write_config().read_text()
    try:
        for line in (f"sercet = {SECRET}", f"secret {SECRET}",
                     f"secret = {SECRET}", f"port = {SECRET}",
                     f"[{SECRET}", f"secret = {SECRET}\nsecret = {SECRET}",
                     f"secret_file = /nowhere\n  {SECRET}"):
            putslot.path.write_text(re.sub(
                "secret_file = .*", lambda _, line=line: line, good))
            putslot.path.chmod(0o644)
            for program in ("putslot-component", "putslot.fcgi",
                            "putslot-cleanup"):
                day.run(program, "-n")
    finally:
        putslot.write_config()
    for program in ("putslot-component", "putslot.fcgi"):
        day.run(program, "-n", status=0)
        day.run(program, "-n", "-v", status=0)


def readable(path):
    """What is in it; nothing where not even the same user may look, as at a
    process that is not dumpable."""
    try:
        return path.read_bytes().decode(errors="replace")
    except PermissionError:
        return ""


def processes(day, site):
    """Command lines and environments of all that runs for this site."""
    groups = {daemon.pid for daemon in site.daemons}
    seen = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            group = int((path / "stat").read_text().rpartition(")")[2]
                        .split()[2])
            if group not in groups:
                continue
            for name in ("cmdline", "environ"):
                day.said.append((f"{name} of {(path / 'comm').read_text()}",
                                 readable(path / name)))
            seen += 1
        except OSError:
            pass  # it has ended meanwhile
    true(seen >= 3, f"only {seen} processes were seen")


def views(day):
    putslot = day.bench.putslot
    names = [name for name, in putslot.sql(
        "SELECT name FROM sqlite_master WHERE type = 'view'")]
    true(len(names) >= 4, f"there are {names}")
    for name in names:
        rows = putslot.sql(f"SELECT * FROM {name}")
        day.said.append((f"the view {name}", repr(rows)))


def a_day(scenario, bench):
    day = Day(bench)
    with scenario.case("a day goes by"):
        slots = grants(day)
        transfers(day, slots)
        day.collect()
        views(day)
        processes(day, bench.site)
        troubles(day, slots)
        mistakes(day)
        day.run("putslot-cleanup", "-v", "--erase", "romeo@example.org",
                status=0)
        day.collect()
        equal(day.http("GET", slots[0][1]), 404, "status of what was erased")
    with scenario.case("there are secrets, and there is much that is said"):
        true(len(day.secrets) > 25, f"{len(day.secrets)} secrets")
        true(sum(len(text) for _, text in day.said) > 10000, "hardly a word")
        true(any(f"slot {i}" in text for i in range(9)
                 for _, text in day.said), "no slot is named by its id")
    with scenario.case("no log, view, command line or environment tells one"):
        for by, text in day.said:
            day.is_kept_secret(by, text)
    with scenario.case("no answer tells one, and each has its Referrer-Policy"):
        for answer in day.answers:
            equal(answer.header("Referrer-Policy"), "no-referrer",
                  f"Referrer-Policy of a {answer.status}")
            day.is_kept_secret("an answer", f"{answer.headers}"
                               f"{answer.body.decode()}")


# ---- the disk ----

def closed_to_others(bench):
    """The database and its side files, the bodies and their directories."""
    seen = set()
    for path in [bench.putslot.store, *bench.putslot.store.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_dir():
            equal(mode, 0o2770, f"mode of {path}")
        elif bench.putslot.bodies in path.parents:
            equal(mode, 0o640, f"mode of {path}")
        else:
            equal(mode, 0o660, f"mode of {path}")
        seen.add(re.sub("[a-z2-7]{26}", "TOKEN", path.name))
    for name in ("putslot.db", "putslot.db-wal", "putslot.db-shm", "TOKEN"):
        true(name in seen, f"there is no {name} among {seen}")
    nobody = subprocess.run(
        ["setpriv", "--reuid=games", "--regid=games", "--clear-groups",
         "find", bench.putslot.store, "-mindepth", "1"],
        capture_output=True, text=True)
    equal(nobody.stdout, "", "what a stranger sees")


def umasks(scenario, bench):
    site, putslot = bench.site, bench.putslot
    for umask in (0, 0o077, 0o777):
        with scenario.case(f"with the umask {umask:03o} all is closed to "
                           "others, and open to the group"):
            for daemon in list(site.daemons):
                if daemon.name in OURS:
                    site.stop(daemon)
            for path in list(putslot.store.iterdir()):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            site.umask = umask
            try:
                bench.component = putslot.start_component()
                putslot.start_fcgi()
                get = bench.stored(bench.romeo)
                bench.slot(bench.romeo)
                putslot.cleanup("-v")
                closed_to_others(bench)
                equal(bench.get(get).body, b"fives", "the body")
            finally:
                site.umask = -1
            mode = stat.S_IMODE(putslot.socket.stat().st_mode)
            equal(mode, 0o660, "mode of the socket")


def body(scenario):
    bench = XmppBench(scenario.site, Prosody, Lighttpd)
    bench.start()
    bench.configure("rules")
    a_day(scenario, bench)
    umasks(scenario, bench)
    bench.close()


run_scenario(body)
