#!/usr/bin/python3
"""Goal of this test: a clock that is set backwards or forwards, far from the
present or in the middle of an upload, odd time zones and leap seconds harm no
upload, crash nothing, and are over when the clock is right."""

import os
import re
import socket
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, run_scenario, true, wait_for  # noqa: E402
from harness import fastcgi  # noqa: E402
from harness.alone import OWNER, Alone  # noqa: E402
from harness.cgi import Answer  # noqa: E402
from harness.stanzas import (Refused, purpose, slot_request,  # noqa: E402
                             slot_urls)

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns", "<+99>-24:59:59",
         ":no/such/zone", "")


class Clock:
    """What the programs believe; the others know better."""

    def __init__(self, alone):
        self.path = alone.faults.trace("clock")
        self.plan = {"clock": self.path}

    def set(self, seconds):
        """How far from the present."""
        self.path.write_text(str(seconds))


def far_and_near(scenario, alone, clock):
    for name, offset in (("an hour back", -HOUR), ("a day back", -DAY),
                         ("ten years back", -10 * YEAR),
                         ("to 1970", 60 - int(time.time()))):
        with scenario.case(f"a clock set {name}: old uploads are there, new "
                           "ones are taken"):
            clock.set(0)
            old, later = alone.stored(), alone.slot()
            clock.set(offset)
            answer = alone.get(old, faults=clock.plan)
            equal(answer.status, 200, "GET")
            modified = parsedate_to_datetime(answer.headers["last-modified"])
            true(modified.timestamp() <= time.time() + offset + 2,
                 f"Last-Modified is in the future: {modified}")
            equal(alone.put(later, faults=clock.plan).status, 201, "PUT")
            with alone.component(faults=clock.plan) as component:
                true(component.slot(OWNER, 5), "no grant")
            equal(alone.cleanup(faults=clock.plan)[0], 0, "cleanup's status")
            clock.set(0)
            true(alone.is_good(old) and alone.is_good(later),
                 "they are not served")
    with scenario.case("a clock before 1970: a wait error, a 500, no crash"):
        clock.set(-int(time.time()) - DAY)
        with alone.component(faults=clock.plan) as component:
            equal(refusal(component, OWNER).kind, "wait",
                  "kind of the error")
        equal(component.daemon.process.returncode, 0, "exit status")
        slot = alone.slot()
        equal(alone.put(slot, faults=clock.plan).status, 500, "PUT")
        true(alone.cleanup(faults=clock.plan)[0] in (0, 1), "cleanup")
        equal(alone.put(slot).status, 201, "PUT by a right clock")
        true(alone.is_good(slot), "it is not served")
    for name, offset in (("to 2039", 13 * YEAR), ("to the year 9999",
                                                  7970 * YEAR),
                         ("to the year 12000", 10000 * YEAR)):
        with scenario.case(f"a clock set {name}: what is over is gone, the "
                           "rest goes on"):
            clock.set(0)
            old = alone.stored()
            clock.set(offset)
            equal(alone.get(old, faults=clock.plan).status, 404, "GET")
            with alone.component(faults=clock.plan) as component:
                urls = component.slot(OWNER, 5)
            true(urls, "no grant")
            equal(component.daemon.process.returncode, 0, "exit status")
            new = alone.slot_of(urls, b"fives")
            equal(alone.put(new, faults=clock.plan).status, 201, "PUT")
            equal(alone.get(new, faults=clock.plan).body, b"fives", "the body")
            clock.set(0)
            true(alone.is_good(old) and alone.is_good(new),
                 "they are not served by a right clock")


def jumps(scenario, alone, clock):
    for name, offset in (("forwards", DAY), ("backwards", -DAY)):
        with scenario.case(f"a clock set {name} in the middle of a body: 201"):
            clock.set(0)
            slot = alone.slot(bytes(300000))
            with alone.daemon(faults=clock.plan):
                equal(put_slowly(alone, slot, lambda: clock.set(offset)), 201,
                      "PUT")
                clock.set(0)
            true(alone.is_good(slot), "it is not served")
    with scenario.case("a clock that jumps under the component: quotas hold, "
                       "stamps are true"):
        clock.set(0)
        with alone.component(faults=clock.plan) as component:
            true(component.slot("few@example.org", 5), "no grant")
            for offset in 0, -HOUR // 2, 0:
                clock.set(offset)
                refused = refusal(component, "few@example.org")
                true(refused.retry, f"no stamp: {refused}")
            clock.set(2 * HOUR)
            true(component.slot("few@example.org", 5), "no grant")
            clock.set(-YEAR)
            equal(refusal(component, "few@example.org").kind, "wait",
                  "kind of the error")
    alone.fsck()


def refusal(component, owner):
    try:
        component.slot(owner, 5)
    except Refused as refused:
        return refused
    raise AssertionError("it was granted")


def bytes_in_flight(alone):
    """How much of nameless bodies is on the disk."""
    for link in Path(f"/proc/{alone.site.daemons[-1].pid}/fd").iterdir():
        try:
            if "/bodies/" in os.readlink(link) and link.is_file():
                return link.stat().st_size
        except OSError:
            pass  # closed since
    return 0


def put_slowly(alone, slot, between):
    """The status of a PUT whose body pauses for between()."""
    half = len(slot.body) // 2
    pairs = {"REQUEST_METHOD": "PUT", "SERVER_PROTOCOL": "HTTP/1.1",
             "REQUEST_URI": slot.put[len("https://127.0.0.1:1"):],
             "CONTENT_LENGTH": str(len(slot.body))}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(alone.putslot.socket))
        connection.sendall(fastcgi.begin() + fastcgi.params(pairs.items()))
        for at in range(0, half, 50000):
            connection.sendall(fastcgi.record(
                fastcgi.STDIN, slot.body[at:min(at + 50000, half)]))
        wait_for(lambda: bytes_in_flight(alone) > 0, "begin of the body")
        between()
        connection.sendall(fastcgi.stream(fastcgi.STDIN, slot.body[half:]))
        came = b""
        while chunk := connection.recv(65536):
            came += chunk
    return Answer(fastcgi.output(came), "", None).status


def zones(scenario, alone):
    stored = alone.stored()
    expected = alone.get(stored).headers["last-modified"]
    for zone in ZONES:
        with scenario.case(f"TZ={zone!r} changes nothing"):
            answer = alone.get(stored, env={"TZ": zone})
            equal(answer.headers["last-modified"], expected, "Last-Modified")
            with alone.component(before=("env", f"TZ={zone}")) as component:
                true(component.slot(f"few{ZONES.index(zone)}@example.org", 5),
                     "no grant")
                before = time.time()
                refused = refusal(component,
                                  f"few{ZONES.index(zone)}@example.org")
            stamp = time.strftime("%Y-%m-%dT%H", time.gmtime(before + HOUR))
            true(refused.retry.startswith(stamp) and refused.retry[-1] == "Z",
                 f"retry at {refused.retry}, not {stamp}")
            equal(alone.cleanup(env=dict(os.environ, TZ=zone))[0], 0,
                  "cleanup's status")
            true(alone.is_good(stored), "it is not served")


def leap_seconds(scenario, alone):
    with alone.component() as component:
        for stamp in ("2038-12-31T23:59:60Z", "2038-12-31T23:59:60.5Z",
                      "2039-01-01T05:29:60+05:30"):
            with scenario.case(f"an expire-before of {stamp} is the second "
                               "before it"):
                iq = component.ask(OWNER, slot_request(inside=purpose(
                    "ephemeral", expire_before=stamp)))
                token = slot_urls(iq)[1].split("/")[-2]
                [[expires]] = alone.putslot.sql(
                    "SELECT strftime('%Y-%m-%dT%H:%M:%S', expires_at,"
                    " 'unixepoch') FROM slot WHERE token = ?", token)
                equal(expires, "2038-12-31T23:59:59", "expiry")
        for stamp in "2038-12-31T23:59:61Z", "2038-12-31T22:59:60":
            with scenario.case(f"an expire-before of {stamp} is refused"):
                iq = component.ask(OWNER, slot_request(inside=purpose(
                    "ephemeral", expire_before=stamp)))
                true(re.search("expire-before", Refused(iq).text),
                     "the text does not say so")


def body(scenario):
    alone = Alone(scenario.site)
    rest = alone.putslot.config.pop("rule all")
    alone.putslot.set("rule few", match=" ".join(
        f"few{n}@example.org" for n in ("", *range(len(ZONES)))),
        slots_per_window=1, window="1h")
    alone.putslot.set("rule all", **rest)
    alone.putslot.set("purpose ephemeral", retention="50y")
    clock = Clock(alone)
    far_and_near(scenario, alone, clock)
    jumps(scenario, alone, clock)
    zones(scenario, alone)
    leap_seconds(scenario, alone)
    with scenario.case("after all this nothing is wrong"):
        alone.fsck()


run_scenario(body)
