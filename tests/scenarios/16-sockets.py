#!/usr/bin/python3
"""Goal of this test: putslot.fcgi serves on a socket of its own, on one of
spawn-fcgi's and on one of systemd's; it ends when told to, with what it was
doing done, and what it leaves when it is killed disturbs nobody."""

import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import (ApacheProxyFcgi, RawConnection,  # noqa: E402
                     accepts, equal, run_scenario, true, wait_for)
from harness.http_cases import Bench, no_leftovers  # noqa: E402

MIB = 1024 * 1024
IDLE = 64  # threads, when one has an upload: 63, and the one that relieves


def served(bench):
    equal(bench.get(bench.stored(b"fives")).body, b"fives", "the body")


def bodies_in_flight(daemon):
    """Files that putslot.fcgi has open, and that have no name."""
    found = 0
    for descriptor in Path(f"/proc/{daemon.pid}/fd").iterdir():
        try:
            found += str(descriptor.readlink()).endswith(" (deleted)")
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def half_an_upload(bench, put, daemon):
    """An upload of a MiB of which putslot.fcgi has begun to read."""
    connection = RawConnection(bench.tls, bench.web.url)
    connection.head("PUT", put, {"Content-Length": MIB,
                                 "Expect": "100-continue",
                                 "Connection": "close"})
    true(connection.read().startswith(b"HTTP/1.1 100"), "no 100 Continue")
    connection.send(b"a" * (MIB // 2))
    # The 100 is Apache's own, which may not have passed on anything yet.
    wait_for(lambda: bodies_in_flight(daemon) == 1, "the body's file", 5)
    return connection


def threads(daemon):
    true(daemon.alive(), "it ended in the middle of an upload")
    return len(list(Path(f"/proc/{daemon.pid}/task").iterdir()))


def own_socket(scenario, bench):
    putslot = bench.putslot
    with scenario.case("its own socket has the mode and group of the file"):
        daemon = putslot.start_fcgi()
        found = putslot.socket.stat()
        equal(stat.S_IMODE(found.st_mode), 0o660, "mode")
        equal(putslot.socket.group(), bench.site.group, "group")
        served(bench)
    with scenario.case("a second instance leaves the socket to the first"):
        said = bench.site.run(
            [bench.site.bin / "putslot.fcgi", "-c", putslot.path],
            user=bench.site.web_user, status=1)
        true("another process listens" in said, said)
        served(bench)
    return daemon


def stops(scenario, bench, daemon):
    putslot = bench.putslot
    with scenario.case("told to end, it finishes the upload that runs"):
        put, get = bench.slot(MIB)
        connection = half_an_upload(bench, put, daemon)
        left = threads(daemon) - IDLE
        daemon.signal(signal.SIGTERM)
        wait_for(lambda: threads(daemon) <= left, "end of the idle threads", 5)
        connection.send(b"a" * (MIB // 2))
        equal(connection.response().status, 201, "status")
        wait_for(lambda: not daemon.alive(), "end of putslot.fcgi", 10)
        bench.site.stop(daemon)
        true(not putslot.socket.exists(), "the socket is still there")
    with scenario.case("started again, it serves what was stored before"):
        daemon = putslot.start_fcgi()
        equal(bench.get(get).body, b"a" * MIB, "the body")
    with scenario.case("killed in an upload, it leaves a slot to be used"):
        put, get = bench.slot(MIB)
        connection = half_an_upload(bench, put, daemon)
        bench.site.kill_daemon(daemon)
        # What Apache answers, and when, depends on how much it had passed on.
        connection.abort()
        true(putslot.socket.exists(), "nothing to take over")
        daemon = putslot.start_fcgi()
        bench.unchanged(put, get, b"b" * MIB)
        no_leftovers(putslot)
    with scenario.case("with nothing to do it ends at once"):
        bench.site.stop(daemon)


def inherited(scenario, bench):
    site, putslot = bench.site, bench.putslot
    program = [site.bin / "putslot.fcgi", "-c", putslot.path]
    with scenario.case("it serves on a socket of spawn-fcgi's"):
        daemon = site.start(
            "spawn-fcgi", ["spawn-fcgi", "-n", "-s", putslot.socket, "-M",
                           "0660", "--", *program],
            lambda: accepts(putslot.socket), user=site.web_user,
            exit_status=0)
        served(bench)
        site.stop(daemon)
    with scenario.case("it serves on a socket of systemd's"):
        # What systemd does, for machines that have none: the socket is
        # descriptor 3, and both variables say so.
        putslot.socket.unlink(missing_ok=True)
        site.write("listen.py", f"""
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind({str(putslot.socket)!r})
listener.listen(64)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], sys.argv[1:])
""")
        daemon = site.start(
            "systemd", [sys.executable, site.path("listen.py"), *program],
            lambda: accepts(putslot.socket), user=site.web_user,
            exit_status=0)
        served(bench)
        site.stop(daemon)
        true(putslot.socket.exists(), "it removed a socket of another's")
    with scenario.case("it serves on no TCP socket"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            done = subprocess.run(
                site.as_user(site.web_user, program), stdin=listener,
                stderr=subprocess.PIPE, text=True, timeout=30)
        equal(done.returncode, 1, "exit status")
        true("no UNIX socket" in done.stderr, done.stderr)
    with scenario.case("with no socket at all it says so"):
        putslot.socket.unlink()
        del putslot.config["web"]["socket"]
        putslot.write_config()
        said = site.run(program, user=site.web_user, status=1)
        true("no socket" in said, said)


def body(scenario):
    bench = Bench(scenario.site, ApacheProxyFcgi)  # it streams
    bench.slot(1)  # makes the database, as the component would
    bench.web.start()
    daemon = own_socket(scenario, bench)
    stops(scenario, bench, daemon)
    inherited(scenario, bench)


run_scenario(body)
