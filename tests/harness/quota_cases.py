"""XMPP cases about quotas: see xmpp_cases."""

import time

from .cases import equal, true
from .putslot import JID
from .stanzas import (LEGACY, Refused, child_request, purpose, slot_request,
                      slot_urls)
from .xmpp_cases import case, seconds_of, stamp_of, wait_until


def is_full(refused, used, allowed):
    """Checks a refusal that names what is used, what is allowed, and when;
    its stamp, in seconds."""
    equal(refused.what, "wait/resource-constraint", "the answer")
    true(f"{used} of {allowed}" in refused.text, refused.text)
    true(refused.retry and refused.retry in refused.text,
         f"retry is {refused.retry!r}, the text {refused.text!r}")
    return seconds_of(refused.retry)


@case("each quota refuses and tells what is used, what is allowed, and when; "
      "the stamp is true", phase="rules")
def _(bench):
    # All four are filled up first: they wait for their stamps together.
    ends = int(time.time()) + 4
    ending = purpose("ephemeral", expire_before=stamp_of(ends))
    lasting = purpose("ephemeral", expire_before=stamp_of(ends + 3600))
    waiting = []
    for name, size, times, used, allowed in (
            ("files", 5, 2, "2", "2"), ("bytes", 400, 2, "800 B", "1000 B"),
            ("slots", 5, 2, "2", "2"), ("rate", 400, 2, "800 B", "1000 B")):
        user = bench.gate.user(name)
        gets = [bench.slot(user, size, inside=ending)[1]
                for _ in range(times)]
        issued, = bench.row(gets[0], "issued_at")
        request = slot_request(size, inside=lasting)
        stamp = is_full(bench.refused(user, request), used, allowed)
        equal(stamp, ends if name in ("files", "bytes") else issued + 3,
              f"the stamp for {name}")
        waiting.append((stamp, name, user, request))
    for stamp, name, user, request in sorted(waiting, key=lambda w: w[0]):
        wait_until(stamp - 1)
        answer, now = user.iq(request, to=JID), time.time()
        if now < stamp:
            true(answer.get("type") == "error", f"{name}: granted too early")
            equal(seconds_of(Refused(answer).retry), stamp,
                  f"the stamp for {name} a second before")
        wait_until(stamp)
        slot_urls(user.iq(request, to=JID))


@case("what is deleted gives back its place in the store, not in the window",
      phase="rules")
def _(bench):
    for name, after in (("one", "result"), ("hourly", "error")):
        user = bench.gate.user(name)
        bench.stored(user)
        is_full(bench.refused(user, slot_request()), "1", "1")
        bench.putslot.sql("DELETE FROM slot WHERE owner = ?", user.bare)
        equal(bench.ask(user).get("type"), after, f"the answer to {name}")


@case("a quota never deletes silently: it refuses, and all files stay",
      phase="rules")
def _(bench):
    user = bench.gate.user("refuse")
    gets = [bench.stored(user) for _ in range(2)]
    is_full(bench.refused(user, slot_request()), "2", "2")
    older = bench.refused(user, child_request(ns=LEGACY))
    equal((older.what, older.retry), ("wait/resource-constraint", None),
          "the answer in the older form")
    true("2 of 2" in older.text, older.text)
    for get in gets:
        equal(bench.get(get).status, 200, "status")


@case("making room takes the oldest of the same user and purpose only, and "
      "is logged", phase="rules")
def _(bench):
    evict, other = bench.gate.user("evict"), bench.gate.user("premium")
    profile = bench.stored(evict, inside=purpose("profile"))
    others = bench.stored(other)
    oldest, second = (bench.stored(evict) for _ in range(2))
    newest = bench.stored(evict)
    equal([bench.get(get).status for get in
           (profile, others, oldest, second, newest)],
          [200, 200, 404, 200, 200], "what is left")
    true("older uploads (5 bytes) of evict@gate.example.org removed"
         in bench.component.log_text(), "the log does not say so")
    bench.putslot.cleanup()
    true(oldest.split("/")[-2] not in bench.putslot.files(), "the file stays")


@case("making room takes as many as are needed, and never more than there are",
      phase="rules")
def _(bench):
    user = bench.gate.user("evictbytes")
    gets = [bench.stored(user, b"x" * 300) for _ in range(3)]
    gets.append(bench.stored(user, b"x" * 500))
    equal([bench.get(get).status for get in gets], [404, 404, 200, 200],
          "what is left")
    # A slot that is only awaited cannot be evicted.
    bench.slot(user, 150)
    bench.slot(user, 700)
    is_full(bench.refused(user, slot_request(400)), "850 B", "1000 B")


@case("20 requests pipelined by 4 clients get exactly the 5 slots of a limit",
      phase="rules")
def _(bench):
    clients = [bench.client("mercutio") for _ in range(4)]
    try:
        asked = [client.ask([client.make_iq(slot_request(), to=JID)
                             for _ in range(5)]) for client in clients]
        answers = [answer for client, future in zip(clients, asked)
                   for answer in client.collect(future)]
    finally:
        for client in clients:
            client.close()
    equal(len(answers), 20, "number of answers")
    granted = [a for a in answers if a.get("type") == "result"]
    equal(len(granted), 5, "number of slots granted")
    for answer in answers:
        if answer not in granted:
            is_full(Refused(answer), "5", "5")
    equal(bench.putslot.sql("SELECT count(*) FROM slot WHERE owner = ?",
                            "mercutio@example.org"), [(5,)], "rows")


@case("unused slots count until they time out, not until the retention's end",
      phase="short")
def _(bench):
    waiting = []
    for name in ("unused", "window"):
        user = bench.gate.user(name)
        _, get = bench.slot(user)
        ends, expires = bench.row(get, "put_ends_at", "expires_at")
        true(expires > ends + 86400, "the retention is not longer")
        stamp = is_full(bench.refused(user, slot_request()), "1", "1")
        equal(stamp, ends, f"the stamp for {name}")
        waiting.append((user, stamp))
    for user, stamp in waiting:
        wait_until(stamp)
        get = bench.stored(user)  # this one is used, and goes on to count
        wait_until(bench.row(get, "put_ends_at")[0])
        bench.refused(user, slot_request())


@case("a store that is full for everyone says wait, and to whom it happens",
      phase="full")
def _(bench):
    used, = bench.putslot.sql(
        "SELECT stored_bytes + reserved_bytes FROM total")[0]
    # What the other phases have reserved does not count here.
    if used:
        bench.putslot.sql("DELETE FROM slot")
    one, other = bench.gate.user("one"), bench.gate.user("other")
    bench.slot(one, 90000)
    refused = bench.refused(other, slot_request(20000))
    equal(refused.what, "wait/resource-constraint", "the answer")
    true("full" in refused.text, refused.text)
    bench.slot(other, 10000)
    bench.refused(one, slot_request(1))
    bench.putslot.sql("DELETE FROM slot WHERE size = 10000")
    bench.slot(one, 1)


@case("a disk without the room that shall stay free says wait", phase="disk")
def _(bench):
    before = bench.putslot.sql("SELECT count(*) FROM slot")
    refused = bench.refused(bench.gate.user("one"), slot_request())
    equal(refused.what, "wait/resource-constraint", "the answer")
    true("disk" in refused.text, refused.text)
    equal(bench.putslot.sql("SELECT count(*) FROM slot"), before, "slots")
