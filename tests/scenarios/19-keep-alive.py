#!/usr/bin/python3
"""Goal of this test: connections that nginx keeps open to putslot.fcgi serve
many requests, hold no thread while they are idle, and cost no upload when they
end.

The programs share a listener of the test's own, as systemd's units do, so that
one can end while another serves."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Nginx, equal, run_scenario, true  # noqa: E402
from harness.http_cases import Bench  # noqa: E402
from harness.site import wait_for  # noqa: E402


class Listener:
    """A socket, and the programs that serve on it."""

    def __init__(self, site, putslot):
        self.site = site
        self.putslot = putslot
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(putslot.socket))
        self.socket.listen(64)
        site.give(putslot.socket, site.web_user, 0o660)

    def start(self):
        return subprocess.Popen(
            self.site.as_user(self.site.web_user, [
                self.site.bin / "putslot.fcgi", "-c", self.putslot.path]),
            stdin=self.socket, stderr=subprocess.DEVNULL)


def connections(pid):
    """How many sockets the program has beside its listener."""
    links = (os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir())
    return sum(link.startswith("socket:") for link in links) - 1


def at_once(bench, count, size):
    """The status of so many uploads at the same time."""
    answers = []
    slots = [bench.slot(size) for _ in range(count)]
    threads = [threading.Thread(target=lambda put=put: answers.append(
        bench.put(put, bytes(size)).status)) for put, _ in slots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def body(scenario):
    bench = Bench(scenario.site, Nginx)
    bench.slot(1)  # makes the database
    bench.putslot.set("web", threads=1)
    listener = Listener(scenario.site, bench.putslot)
    bench.web.start()
    with ExitStack() as programs:
        def start():
            program = listener.start()
            programs.callback(program.wait)
            programs.callback(program.kill)
            return program

        program = start()
        with scenario.case("connections are kept, and few serve many"):
            for _ in range(20):
                get = bench.stored(b"fives")
                equal(bench.get(get).body, b"fives", "the body")
            kept = connections(program.pid)
            true(1 <= kept <= 2, f"{kept} connections")  # of two workers
        with scenario.case("one thread serves more connections than threads"):
            for _ in range(5):
                equal(set(at_once(bench, 8, 100000)), {201}, "status")
            true(connections(program.pid) > 1, "nothing is kept")
        with scenario.case("a PUT on a connection that ends is sent again"):
            for size in 5, 300000:
                put, get = bench.slot(size)
                program.send_signal(signal.SIGSTOP)
                answers = []
                client = threading.Thread(target=lambda put=put, size=size: (
                    answers.append(bench.put(put, bytes(size)).status)))
                client.start()
                # on the kept connection, on which nobody answers
                client.join(1)
                equal(answers, [], "answers before the program ended")
                program.kill()
                program = start()
                client.join(20)
                equal(answers, [201], "status of the PUT")
                equal(len(bench.get(get).body), size, "size")
        with scenario.case("a signal ends a program with kept connections"):
            true(connections(program.pid) > 0, "nothing is kept")
            program.send_signal(signal.SIGTERM)
            wait_for(lambda: program.poll() is not None, "its end")
            equal(program.returncode, 0, "exit status")


run_scenario(body)
