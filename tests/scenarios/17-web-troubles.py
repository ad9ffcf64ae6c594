#!/usr/bin/python3
"""Goal of this test: what goes wrong on the web side is answered, in the form
of every other refusal, leaves nothing behind, and is over when its cause is.

Through Apache with mod_proxy_fcgi, because it streams: putslot.fcgi itself
sees clients that stall, that are late, and that vanish."""

import sqlite3
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import ApacheProxyFcgi, equal  # noqa: E402
from harness import run_scenario, true  # noqa: E402
from harness.http_cases import Bench, is_refusal, no_leftovers  # noqa: E402

MIB = 1024 * 1024


def restarted(bench, daemon, section, **keys):
    """putslot.fcgi with other keys in its configuration."""
    bench.site.stop(daemon)
    bench.putslot.set(section, **keys)
    return bench.putslot.start_fcgi()


def disk(scenario, bench, daemon):
    with scenario.case("a disk without room is 507, and takes the PUT later"):
        put, get = bench.slot(5)
        daemon = restarted(bench, daemon, "store", min_free="1000000 TiB")
        is_refusal(bench.put(put, b"fives"), 507)
        daemon = restarted(bench, daemon, "store", min_free="1 MiB")
        bench.unchanged(put, get, b"fives")
    with scenario.case("a body that was lost is 404 and logged, not served"):
        get = bench.stored(b"fives")
        bench.putslot.files()[get.split("/")[-2]].unlink()
        is_refusal(bench.get(get), 404)
        daemon.wait_log("its body is missing", 5)
        bench.putslot.cleanup("--fsck", "--repair", "--grace", "0",
                              status=None)
    with scenario.case("a body cut short by the disk is 500, not served"):
        get = bench.stored(b"fives")
        path = bench.putslot.files()[get.split("/")[-2]]
        path.write_bytes(b"fi")
        is_refusal(bench.get(get), 500)
        path.write_bytes(b"fives")
        equal(bench.get(get).body, b"fives", "the body")
    return daemon


def database(scenario, bench, daemon):
    daemon = restarted(bench, daemon, "store", busy_timeout="1s")
    with scenario.case("a database locked for too long is 500; GETs go on"):
        get = bench.stored(b"there")
        put, get_later = bench.slot(5)
        lock = sqlite3.connect(bench.putslot.database, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        is_refusal(bench.put(put, b"fives"), 500)
        equal(bench.get(get).body, b"there", "the body")
        lock.execute("ROLLBACK")
        lock.close()
        bench.unchanged(put, get_later, b"fives")
    return daemon


def clients(scenario, bench, daemon):
    with scenario.case("a client that stalls is cut off, and may come again"):
        daemon = restarted(bench, daemon, "web", read_timeout="1s")
        put, get = bench.slot(MIB)
        with bench.raw() as connection:
            connection.head("PUT", put, {"Content-Length": MIB,
                                         "Connection": "close"})
            connection.send(b"a" * (MIB // 2))
            started = time.monotonic()
            daemon.wait_log(r"ended after \d+ of 1048576", 10)
            true(time.monotonic() - started < 5, "it waited far too long")
        bench.unchanged(put, get, b"b" * MIB)
    with scenario.case("an upload that goes on after its time is refused"):
        put, get = bench.slot(MIB, put_window=1, upload_timeout=1)
        with bench.raw() as connection:
            connection.head("PUT", put, {"Content-Length": MIB,
                                         "Connection": "close"})
            for _ in range(8):  # never stalls, and takes four seconds
                connection.send(b"a" * 1024)
                time.sleep(0.5)
            # Apache keeps the answer until the body is over.
            daemon.wait_log("PUT, slot [0-9]+: 408", 5)
        equal(bench.get(get).status, 404, "status of the GET")
        no_leftovers(bench.putslot)
    with scenario.case("all threads taken by slow clients are given back"):
        daemon = restarted(bench, daemon, "web", threads=2,
                           read_timeout="2s")
        slots = [bench.slot(MIB) for _ in range(2)]
        slow = [bench.raw() for _ in slots]
        for connection, (put, _) in zip(slow, slots):
            connection.head("PUT", put, {"Content-Length": MIB})
            connection.send(b"a")
        bench.stored(b"fives")
        for connection in slow:
            connection.abort()
    return daemon


def cors(scenario, bench, daemon):
    with scenario.case("the configured origin is the one that is allowed"):
        daemon = restarted(bench, daemon, "web",
                           cors_origin="https://chat.example.org")
        get = bench.stored(b"fives")
        for response in (bench.get(get), bench.get(get + "/unknown")):
            equal(response.header("Access-Control-Allow-Origin"),
                  "https://chat.example.org", "origin")
            true("Origin" in response.header("Vary"), "no Vary")
        daemon = restarted(bench, daemon, "web", cors_origin="*")
    return daemon


def body(scenario):
    bench = Bench(scenario.site, ApacheProxyFcgi)
    bench.slot(1)  # makes the database, as the component would
    bench.web.start()
    daemon = bench.putslot.start_fcgi()
    daemon = cors(scenario, bench, daemon)
    daemon = disk(scenario, bench, daemon)
    daemon = database(scenario, bench, daemon)
    clients(scenario, bench, daemon)


run_scenario(body)
