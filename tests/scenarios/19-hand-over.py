#!/usr/bin/python3
"""Goal of this test: every HTTP case through nginx that hands uploads over as
files, with contrib/nginx/putslot-hand-over.conf; what it hands over becomes
the uploaded file itself. (40-hostile-hand-over has what must not.)"""

import os
import signal
import stat
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import NginxHandOver, equal, run_scenario, true  # noqa: E402
from harness import wait_for  # noqa: E402
from harness.fastcgi import exchange, output, request  # noqa: E402
from harness.http_cases import run_http_cases, token_of  # noqa: E402

MIB = 1024 * 1024
BODY = b"fives"


def handed_over(bench):
    """What lies in the directory of nginx's files."""
    return [path for path in bench.web.incoming.rglob("*")
            if not path.is_dir()]


def put_as_nginx(bench, put, path):
    """The status that a web server gets that names that file."""
    answer = output(exchange(bench.putslot.socket, request([
        ("REQUEST_METHOD", "PUT"), ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_URI", put[put.index("/upload/"):]),
        ("CONTENT_LENGTH", str(len(BODY))),
        ("REQUEST_BODY_FILE", str(path))])))
    return int(answer.split()[1])


def write(bench, path, mode=0o600, user=None):
    path.write_bytes(BODY)
    bench.site.give(path, user or bench.site.web_user, mode)
    return path


def no_leftovers(bench):
    wait_for(lambda: not handed_over(bench), "end of nginx's files", 5)


def the_file_itself(bench):
    """Of an upload that nginx has begun to write, the inode."""
    body = bytes(range(256)) * (MIB // 256)
    put, get = bench.slot(len(body))
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": len(body),
                                     "Connection": "close"})
        connection.send(body[:-1])
        path, = wait_for(lambda: handed_over(bench), "nginx's file", 5)
        inode = path.stat().st_ino
        connection.send(body[-1:])
        equal(connection.response().status, 201, "status")
    stored = bench.putslot.files()[token_of(get)].stat()
    equal(stored.st_ino, inode, "inode")
    equal(stat.S_IMODE(stored.st_mode), 0o640, "mode")
    equal(stored.st_gid, bench.putslot.bodies.stat().st_gid, "group")
    equal(stored.st_nlink, 1, "names")
    equal(bench.get(get).body, body, "the body")


def header(bench):
    put, get = bench.slot(len(BODY))
    for name in ("REQUEST_BODY_FILE", "Request-Body-File",
                 "Request_Body_File"):
        get = bench.stored(BODY, headers={name: "/etc/passwd"})
        equal(bench.get(get).body, BODY, "the body")


def killed(bench, fcgi):
    """putslot.fcgi, before it has looked at a file that nginx has written."""
    put, get = bench.slot(len(BODY))
    fcgi.signal(signal.SIGSTOP)
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": len(BODY),
                                     "Connection": "close"})
        connection.send(BODY)
        wait_for(lambda: handed_over(bench), "nginx's file", 5)
        bench.site.kill_daemon(fcgi)
        equal(connection.response().status, 502, "status")
    no_leftovers(bench)
    fcgi = bench.putslot.start_fcgi()
    bench.unchanged(put, get, BODY)
    return fcgi


def at_start(bench, fcgi):
    """A restart removes what is old, and nothing that is running."""
    old, new = (write(bench, bench.web.incoming / name)
                for name in ("0000000071", "0000000072"))
    os.utime(old, (1, 1))
    bench.site.stop(fcgi)
    fcgi = bench.putslot.start_fcgi()
    true(not old.exists() and new.exists(), "the wrong one was removed")
    new.unlink()
    return fcgi


def elsewhere(bench):
    bench.putslot.set("web", incoming="/dev/shm")
    said = bench.site.run(
        [bench.site.bin / "putslot.fcgi", "-c", bench.putslot.path,
         "-s", bench.site.path("run", "other.sock")],
        user=bench.site.web_user, status=1)
    true("must be on one file system" in said, said)
    bench.putslot.set("web", incoming=bench.web.incoming)


def without_the_setting(bench, fcgi):
    """What the web server says is nothing then."""
    path = write(bench, bench.web.incoming / "0000000081")
    del bench.putslot.config["web"]["incoming"]
    bench.site.stop(fcgi)
    bench.putslot.start_fcgi()
    put, _ = bench.slot(len(BODY))
    equal(put_as_nginx(bench, put, path), 400, "status")
    true(path.exists(), "it was taken")


def body(scenario):
    bench = run_http_cases(scenario, NginxHandOver)
    fcgi, = (d for d in bench.site.daemons if d.name == "putslot.fcgi")
    with scenario.case("nothing of nginx's is left behind"):
        no_leftovers(bench)
    with scenario.case("nginx's file becomes the uploaded one"):
        the_file_itself(bench)
    with scenario.case("a client cannot name a file"):
        header(bench)
    with scenario.case("a kill of putslot.fcgi leaves no file of nginx's"):
        fcgi = killed(bench, fcgi)
    with scenario.case("files that a crash of nginx left go at a start"):
        fcgi = at_start(bench, fcgi)
    if os.stat("/dev/shm").st_dev != bench.putslot.bodies.stat().st_dev:
        with scenario.case("a directory on another file system is refused"):
            elsewhere(bench)
    with scenario.case("without the setting no file is taken"):
        without_the_setting(bench, fcgi)


run_scenario(body)
