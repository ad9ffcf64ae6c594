"""XMPP cases about upload purposes, XEP-0363 section 5: see xmpp_cases."""

import time
from datetime import datetime, timedelta, timezone

from .cases import equal, true
from .stanzas import purpose, slot_request
from .xmpp_cases import case, seconds_of, stamp_of, wait_until

DAY = 86400


def life(bench, get):
    """(purpose, seconds from issue to expiry; None: never) of a GET URL."""
    name, issued, expires = bench.row(
        get, "purpose", "issued_at", "expires_at")
    return name, None if expires is None else expires - issued


@case("without a purpose it is a message; each purpose has its retention")
def _(bench):
    later = stamp_of(time.time() + 365 * DAY)
    for inside, expected in (
            ("", ("message", 30 * DAY)),
            (purpose("message"), ("message", 30 * DAY)),
            (purpose("profile"), ("profile", None)),
            (purpose("ephemeral", expire_before=later),
             ("ephemeral", 7 * DAY))):
        get = bench.stored(bench.romeo, inside=inside)
        equal(life(bench, get), expected, f"purpose and life of {inside}")
        equal(bench.get(get).status, 200, "status")


@case("the permanent purpose, once enabled, keeps for ever", phase="rules")
def _(bench):
    _, get = bench.slot(bench.gate.user("premium"),
                        inside=purpose("permanent"))
    equal(life(bench, get), ("permanent", None), "purpose and life")


@case("an expire-before is kept to the second, with offsets and fractions")
def _(bench):
    at = int(time.time()) + 7200
    utc = datetime.fromtimestamp(at, timezone.utc)
    india = utc.astimezone(timezone(timedelta(hours=5, minutes=30)))
    west = utc.astimezone(timezone(timedelta(hours=-8)))
    plain = utc.strftime("%Y-%m-%dT%H:%M:%S")
    for stamp in (plain + "Z", plain + "+00:00", plain + ".000Z",
                  plain + ".999999Z", india.isoformat(), west.isoformat()):
        _, get = bench.slot(bench.romeo, inside=purpose(
            "ephemeral", expire_before=stamp))
        equal(bench.row(get, "expires_at"), (at,), f"expiry of {stamp}")


@case("the sooner of expire-before and retention counts")
def _(bench):
    for stamp in (stamp_of(time.time() + 8 * DAY), "9999-12-31T23:59:59Z"):
        _, get = bench.slot(bench.romeo, inside=purpose(
            "ephemeral", expire_before=stamp))
        equal(life(bench, get), ("ephemeral", 7 * DAY), f"life by {stamp}")


@case("an expire-before that is past, missing or malformed is refused")
def _(bench):
    future = stamp_of(time.time() + 3600)
    for attributes in (
            {}, {"expire_before": ""}, {"expire_before": "tomorrow"},
            {"expire_before": "2017-12-03T23:42:05Z"},
            {"expire_before": stamp_of(time.time() - 1)},
            {"expire_before": future[:-1]},
            {"expire_before": future[:10]},
            {"expire_before": future.replace("T", " ")},
            {"expire_before": future.replace("-", "")},
            {"expire_before": " " + future},
            {"expire_before": future + "Z"},
            {"expire_before": "2099-02-29T00:00:00Z"},
            {"expire_before": "2099-13-01T00:00:00Z"},
            {"expire_before": "2099-01-01T25:00:00Z"},
            {"expire_before": "4102444800"}):
        refused = bench.refused(bench.romeo, slot_request(
            inside=purpose("ephemeral", **attributes)))
        equal(refused.what, "modify/bad-request", f"answer to {attributes}")
        true("expire-before" in refused.text, refused.text)


@case("a file is not available from its expire-before on")
def _(bench):
    at = int(time.time()) + 3
    get = bench.stored(bench.romeo, inside=purpose(
        "ephemeral", expire_before=stamp_of(at)))
    response, now = bench.get(get), time.time()
    true(response.status == 200 or now >= at, "it was gone too early")
    wait_until(at)
    equal(bench.get(get).status, 404, "status after its time")


@case("two purposes are refused, even the same one")
def _(bench):
    future = stamp_of(time.time() + 3600)
    for one, other in (("message", "profile"), ("profile", "profile")):
        refused = bench.refused(bench.romeo, slot_request(
            inside=purpose(one) + purpose(other)))
        equal(refused.what, "modify/bad-request", "the answer")
        true("purpose" in refused.text, refused.text)
    refused = bench.refused(bench.romeo, slot_request(
        inside=purpose("message") + purpose("ephemeral",
                                            expire_before=future)))
    equal(refused.what, "modify/bad-request", "the answer")


@case("an unknown or disabled purpose is refused by name; elements of other "
      "namespaces are passed over")
def _(bench):
    for name in ("permanent", "eternal", "Message"):
        refused = bench.refused(bench.romeo,
                                slot_request(inside=purpose(name)))
        equal(refused.what, "cancel/feature-not-implemented", "the answer")
        true(f"'{name}'" in refused.text, refused.text)
    _, get = bench.slot(bench.romeo, inside="<profile xmlns='urn:other'/>")
    equal(life(bench, get)[0], "message", "purpose")


@case("every purpose has limits of its own", phase="rules")
def _(bench):
    small = bench.gate.user("small")
    refused = bench.refused(small, slot_request(inside=purpose(
        "ephemeral", expire_before=stamp_of(time.time() + 3600))))
    equal(refused.what, "cancel/feature-not-implemented", "the answer")
    bench.slot(small, 300, inside=purpose("profile"))
    refused = bench.refused(small, slot_request(301,
                                                inside=purpose("profile")))
    equal(refused.what, "modify/not-acceptable", "the answer")
    bench.slot(small, 301)


@case("a PUT after its window is refused; a GET after the retention, too",
      phase="short")
def _(bench):
    brief = bench.gate.user("brief")
    put, get = bench.slot(brief)
    put_until, = bench.row(get, "put_expires_at")
    stored = bench.stored(brief)
    expires_at, = bench.row(stored, "expires_at")
    wait_until(put_until)
    equal(bench.put(put, b"fives").status, 404, "status of the late PUT")
    response, now = bench.get(stored), time.time()
    true(response.status == 200 or now >= expires_at, "gone too early")
    wait_until(expires_at)
    equal(bench.get(stored).status, 404, "status after the retention")
    true(seconds_of(stamp_of(expires_at)) == expires_at, "stamps")
