#!/usr/bin/python3
"""Goal of this test: of many requests that come at once each is answered
rightly and in its turn, whatever the others are; what the database does not
take is an error for all of them; and a component that is killed while it
answers has recorded every slot that anybody heard of."""

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import JID, Putslot, equal, run_scenario, true  # noqa: E402
from harness.lone_component import LoneComponent  # noqa: E402
from harness.stanzas import PING, Refused, slot_request, slot_urls  # noqa: E402

PUT_URL = "https://127.0.0.1:1/upload/"
REQUESTS = 200
USERS = 7
QUOTA = 10  # slots of the last user
BUSY = 2  # seconds that the component waits for the database

OK = "slot"
MALFORMED = "modify/bad-request"
TOO_LARGE = "modify/not-acceptable"
FULL = "wait/resource-constraint"
BROKEN = "wait/internal-server-error"

# What is asked at the numbers that are 0, 1, … modulo its length.
KINDS = (
    (slot_request(5), OK),
    (slot_request(5, "b.png", "image/png"), OK),
    (slot_request(-1), MALFORMED),
    (PING, "result"),
    (slot_request(5, "é" * 300), OK),
    (slot_request(2 ** 50), TOO_LARGE),
    (slot_request(5, None), MALFORMED),
    (slot_request(6), OK),
    ("<nothing xmlns='urn:example:nothing'/>", "cancel/service-unavailable"),
    (slot_request(5, type="no type"), MALFORMED),
)


def iq(number, payload):
    return (f"<iq type='get' id='{number}' to='{JID}'"
            f" from='user{number % USERS}@example.org/r'>{payload}</iq>")


def outcome(answer):
    """As in KINDS."""
    if answer.get("type") == "error":
        return Refused(answer).what
    if len(answer) == 0:
        return "result"
    slot_urls(answer)
    return OK


def token_of(answer):
    return slot_urls(answer)[1].split("/")[-2]


def answers(component, count):
    """So many answers, each with the id that is due."""
    for number in range(count):
        answer = component.server.stanza()
        equal(answer.get("id"), str(number), "the answer's id")
        yield answer


def tokens(putslot):
    return {token for token, in putslot.sql("SELECT token FROM slot")}


def is_full(number, granted):
    return number % USERS == USERS - 1 and granted >= QUOTA


def mixed(putslot):
    with LoneComponent(putslot) as component:
        component.server.send("".join(
            iq(n, KINDS[n % len(KINDS)][0]) for n in range(REQUESTS)))
        granted = 0  # to the user with the quota
        heard = set()
        for n, answer in enumerate(answers(component, REQUESTS)):
            expected = KINDS[n % len(KINDS)][1]
            if expected == OK and is_full(n, granted):
                expected = FULL
            equal(outcome(answer), expected, f"answer {n}")
            if expected == OK:
                granted += n % USERS == USERS - 1
                heard.add(token_of(answer))
    equal(granted, QUOTA, "slots of the user with a quota")
    equal(tokens(putslot), heard, "the slots")


def locked(putslot):
    putslot.sql("DELETE FROM slot")
    with LoneComponent(putslot) as component, closing(
            sqlite3.connect(putslot.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        component.server.send("".join(
            iq(n, KINDS[n % len(KINDS)][0]) for n in range(REQUESTS)))
        for n, answer in enumerate(answers(component, REQUESTS)):
            expected = KINDS[n % len(KINDS)][1]
            equal(outcome(answer), BROKEN if expected == OK else expected,
                  f"answer {n}")
        # One wait for each batch, and not for each request.
        true(time.monotonic() - began < REQUESTS / 4 * BUSY, "it took long")
        db.execute("ROLLBACK")
        equal(tokens(putslot), set(), "slots")
        true(component.slot("user0@example.org", 5), "it goes on")


def killed(putslot):
    """At a moment of its own each time, while it answers."""
    for delay in range(12):
        putslot.sql("DELETE FROM slot")
        with LoneComponent(putslot) as component:
            component.server.send("".join(
                iq(n * USERS, slot_request(5)) for n in range(1000)))
            heard = {token_of(component.server.stanza())
                     for _ in range(1 + 20 * delay)}
            component.daemon.kill()
            heard |= hear_the_rest(component)
        true(heard <= tokens(putslot), f"lost: {heard - tokens(putslot)}")


def hear_the_rest(component):
    """The tokens in what it has sent and nobody read yet."""
    heard = set()
    try:
        while True:
            heard.add(token_of(component.server.stanza()))
    except ConnectionError:
        return heard


def body(scenario):
    site = scenario.site
    putslot = Putslot(site, PUT_URL)
    site.make_directory("store/bodies", 0o2770, site.web_user, site.group)
    putslot.set("store", busy_timeout=f"{BUSY}s")
    putslot.set("rule quota", match=f"user{USERS - 1}@example.org",
                files_per_user=QUOTA)
    putslot.set("rule all", match="*", slots_per_window="unlimited")
    with scenario.case("each of many is answered rightly and in its turn"):
        mixed(putslot)
    with scenario.case("a locked database is an error for all of them"):
        locked(putslot)
    with scenario.case("a killed component has recorded what it answered"):
        killed(putslot)
    with scenario.case("the database is sound"):
        putslot.cleanup("--fsck")


run_scenario(body)
