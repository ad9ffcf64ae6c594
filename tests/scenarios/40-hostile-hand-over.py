#!/usr/bin/python3
"""Goal of this test: every bad input is answered as it should be through nginx
that hands uploads over as files; and of the files that somebody names straight
at the socket, putslot.fcgi takes only what nginx could have written, and
stores only what it has looked at."""

import os
import socket
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import NginxHandOver, equal, run_scenario, true  # noqa: E402
from harness.fastcgi import exchange, output, request  # noqa: E402
from harness.hostile import run_hostile_inputs  # noqa: E402
from harness.http_cases import no_leftovers, token_of  # noqa: E402
from harness.site import AS_ROOT  # noqa: E402

BODY = b"fives"
OTHER = b"other"


class Files:
    """nginx's directory, and a file outside of it."""

    def __init__(self, bench):
        self.bench = bench
        self.site = bench.site
        self.incoming = bench.web.incoming
        self.inside = self.incoming / "5"
        self.inside.mkdir(exist_ok=True)
        self.site.give(self.inside, self.site.web_user, 0o700)
        self.outside = self.site.make_directory(
            "outside", 0o700, self.site.web_user, self.site.group)
        self.names = (f"{n:010}" for n in range(1, 1000))
        self.target = self.write(self.outside / "0000000001", OTHER)

    def write(self, path, content=BODY, mode=0o600, user=None):
        path.write_bytes(content)
        self.site.give(path, user or self.site.web_user, mode)
        return path

    def new(self, content=BODY, **more):
        return self.write(self.inside / next(self.names), content, **more)

    def make(self, make):
        path = self.inside / next(self.names)
        make(path)
        # The kernel lets nobody link a symbolic link of root's.
        os.lchown(path, path.parent.stat().st_uid, -1)
        return path


def ask(bench, url, *parameters, method="PUT", body=b""):
    """The status that a web server gets that says so."""
    answer = output(exchange(bench.putslot.socket, request([
        ("REQUEST_METHOD", method), ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_URI", url[url.index("/upload/"):]),
        ("CONTENT_LENGTH", str(len(BODY))), *parameters], body)))
    return int(answer.split()[1])


def hand_over(bench, put, path):
    return ask(bench, put, ("REQUEST_BODY_FILE", str(path)))


# ---- files that are not believed ----

def bind(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def unbelievable(files):
    """{what: path}"""
    incoming, inside, target = files.incoming, files.inside, files.target
    tried = {
        "a path outside": target,
        "a path of the system": "/etc/passwd",
        "the root": "/",
        "the directory": incoming,
        "the directory and a slash": f"{incoming}/",
        "the directory's sub-directory": inside,
        "a directory that begins like it": f"{incoming}2/0000000001",
        "a path that is not absolute": "5/0000000001",
        "a lone name": "0000000001",
        "a path with ..": f"{incoming}/../outside/0000000001",
        "a path with .. that ends inside": f"{incoming}/5/../5/1",
        "a path with a dot": f"{incoming}/./5/{files.new().name}",
        "a path with two slashes": f"{incoming}//5/{files.new().name}",
        "a path with two slashes behind": f"{incoming}/5//{files.new().name}",
        "a path with a slash at its end": f"{files.new()}/",
        "a path with a line's end": f"{files.new()}\n",
        "a path with a blank": f"{files.new()} ",
        "a path in a URL": f"file://{files.new()}",
        "an escaped path": str(files.new()).replace("/", "%2F"),
        "a sub-directory of two digits": f"{incoming}/55/0000000001",
        "two sub-directories": f"{inside}/5/0000000001",
        "a name of no digits": files.write(inside / "passwd"),
        "a name of digits and more": files.write(inside / "0000000001.x"),
        "a name with a sign": files.write(inside / "-000000001"),
        "a name that is longer than a token": files.write(inside / ("1" * 27)),
        "a path of 4 KiB": f"{inside}/{'1' * 4096}",
        "a path of a megabyte": f"{inside}/{'1' * 2**20}",
        "a path of a million ..": f"{inside}/{'../' * 10**6}1",
        "a path that is not UTF-8": f"{inside}/\udcff",
        "a file that is not there": inside / "0999999999",
        "a symbolic link": files.make(lambda path: path.symlink_to(target)),
        "a symbolic link to another file of nginx's": files.make(
            lambda path: path.symlink_to(files.new())),
        "a dangling symbolic link": files.make(
            lambda path: path.symlink_to("nowhere")),
        "a hard link": files.make(lambda path: os.link(target, path)),
        "a directory": files.make(lambda path: path.mkdir()),
        "a FIFO": files.make(os.mkfifo),
        "a socket": files.make(bind),
    }
    if AS_ROOT:
        tried["a device"] = files.make(
            lambda path: os.mknod(path, 0o20666, os.makedev(1, 5)))
        tried["a file of somebody else"] = files.new(
            mode=0o644, user=files.site.component_user)
        tried["a file that cannot be read"] = files.new(mode=0)
    return tried


def check_refused(files, path):
    bench = files.bench
    put, get = bench.slot(len(BODY))
    path = os.fsencode(path)
    equal(ask(bench, put, ("REQUEST_BODY_FILE", path)), 500, "status")
    bench.unchanged(put, get, BODY)
    true(files.target.read_bytes() == OTHER, "the file outside has changed")


def through_a_link(files):
    """The directory that it is in is one."""
    bench, inside = files.bench, files.inside
    put, get = bench.slot(len(BODY))
    moved = inside.rename(files.outside / "moved")
    inside.symlink_to(files.outside)
    equal(hand_over(bench, put, inside / "0000000001"), 500, "status")
    inside.unlink()
    moved.rename(inside)
    bench.unchanged(put, get, BODY)


# ---- files as nginx makes them, and requests as it does not ----

def sizes(files):
    bench = files.bench
    for size, status in (4, 400), (6, 413), (0, 400):
        put, get = bench.slot(len(BODY))
        path = files.new()
        os.truncate(path, size)
        equal(hand_over(bench, put, path), status, "status")
        equal(path.stat().st_size, size, "size")
        bench.unchanged(put, get, BODY)


def no_right(files):
    """Without one to this slot, it stays nginx's."""
    bench = files.bench
    put, get = bench.slot(len(BODY))
    path = files.new()
    token, secret = put.split("/")[-3:-1]
    for url in (put.replace(secret, secret[::-1]),
                put.replace(token, token[::-1]), get):
        true(hand_over(bench, url, path) in (404, 405), url)
        equal(path.read_bytes(), BODY, "nginx's file")
    for method in "GET", "DELETE", "OPTIONS":
        ask(bench, put, ("REQUEST_BODY_FILE", str(path)), method=method)
        equal(path.read_bytes(), BODY, "nginx's file")
    equal(hand_over(bench, put, path), 201, "status")
    true(not path.exists(), "it has both names")
    path = files.new()
    equal(hand_over(bench, put, path), 409, "status of a second PUT")
    equal(path.read_bytes(), BODY, "nginx's file")


def twice(files):
    """One file for two slots at the same time: it becomes one's body."""
    bench = files.bench
    for _ in range(10):
        slots = [bench.slot(len(BODY)) for _ in range(4)]
        path = files.new()
        statuses = []
        clients = [threading.Thread(
            target=lambda put: statuses.append(hand_over(bench, put, path)),
            args=(put,)) for put, _ in slots]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        equal(sorted(statuses), [201, 500, 500, 500], "statuses")
        for _, get in slots:
            true(bench.get(get).body == BODY or bench.get(get).status == 404,
                 "another body")


def more_than_a_path(files):
    """The first of two paths counts, as with all parameters, and a NUL ends
    it."""
    bench = files.bench
    for make in (lambda path: [path, "/etc/passwd"],
                 lambda path: [f"{path}\0.."]):
        put, get = bench.slot(len(BODY))
        equal(ask(bench, put, *(("REQUEST_BODY_FILE", str(value))
                                for value in make(files.new()))),
              201, "status")
        equal(bench.get(get).body, BODY, "the body")
    put, get = bench.slot(len(BODY))
    equal(ask(bench, put, ("REQUEST_BODY_FILE", "/etc/passwd"),
              ("REQUEST_BODY_FILE", str(files.new()))), 500, "status")
    bench.unchanged(put, get, BODY)


def body_beside(files):
    """Then nobody knows which of them it is."""
    bench = files.bench
    for body in b"o", OTHER, OTHER * 100000:
        put, get = bench.slot(len(BODY))
        path = files.new()
        equal(ask(bench, put, ("REQUEST_BODY_FILE", str(path)), body=body),
              500, "status")
        equal(path.read_bytes(), BODY, "nginx's file")
        bench.unchanged(put, get, BODY)


def no_path(files):
    """nginx has no file for a request without a body."""
    bench = files.bench
    put, get = bench.slot(len(BODY))
    equal(ask(bench, put, ("REQUEST_BODY_FILE", ""), body=BODY[:-1]), 400,
          "status")
    bench.unchanged(put, get, BODY)


# ---- what is looked at, and what is taken ----

def replace_by_file(files, path):
    files.write(path.with_name(next(files.names)), OTHER).rename(path)


def replace_by_link(files, path):
    path.unlink()
    path.symlink_to(files.target)
    if AS_ROOT:
        os.lchown(path, files.target.stat().st_uid, -1)


def replace_by_hard_link(files, path):
    path.unlink()
    os.link(files.target, path)


def remove(_, path):
    path.unlink()


REPLACEMENTS = (("another file", replace_by_file),
                ("a symbolic link", replace_by_link),
                ("a hard link", replace_by_hard_link), ("nothing", remove))


def replaced(files, replace):
    """After it was looked at, while the upload waits for the database. What
    was looked at is stored, or nothing."""
    bench = files.bench
    put, get = bench.slot(len(BODY))
    path = files.new()
    statuses = []
    client = threading.Thread(
        target=lambda: statuses.append(hand_over(bench, put, path)))
    with closing(sqlite3.connect(bench.putslot.database,
                                 isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        client.start()
        time.sleep(0.4)  # nothing tells when it waits
        replace(files, path)
        lock.execute("ROLLBACK")
    client.join(20)
    if statuses == [201]:
        body = bench.putslot.files()[token_of(get)]
        true(not body.is_symlink(), "a symbolic link was stored")
        equal(body.stat().st_nlink, 1, "names of what was stored")
        equal(bench.get(get).body, BODY, "the body")
    else:
        equal(statuses, [500], "status")
        bench.unchanged(put, get, BODY)
    true(files.target.read_bytes() == OTHER, "the file outside has changed")


def body(scenario):
    bench = run_hostile_inputs(scenario, NginxHandOver)
    files = Files(bench)
    for what, path in unbelievable(files).items():
        with scenario.case(f"{what} is not believed"):
            check_refused(files, path)
    for name, function in (
            ("a file in a directory that is a link is not believed",
             through_a_link),
            ("a file of another size is refused and stays", sizes),
            ("who has no right to a slot leaves the file alone", no_right),
            ("one file for several slots is one's body", twice),
            ("more than a path changes nothing", more_than_a_path),
            ("a body beside the path is refused", body_beside),
            ("an empty path names nothing", no_path)):
        with scenario.case(name):
            function(files)
    for what, replace in REPLACEMENTS:
        with scenario.case(f"a file that {what} takes the place of"):
            replaced(files, replace)
    with scenario.case("every file on the disk belongs to a slot, whole"):
        no_leftovers(bench.putslot)


run_scenario(body)
