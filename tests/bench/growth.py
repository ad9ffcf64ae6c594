"""What grows with the number of stored slots, and what a start and an idle
process take."""

import json
import os
import re
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from harness import Putslot, accepts
from harness.lone_component import LoneComponent
from harness.site import wait_for

from .cleanup import fill, run, tool
from .load import Load
from .measure import KIB
from .rows import Figure, Row, figure
from .servers import NGINX, Sites, behind

PART = "growth"
MIB = KIB * KIB
SIZES = (1_000, 100_000, 1_000_000, 5_000_000)
QUICK_SIZES = (1_000, 100_000)
SLOTS_PER_OWNER = 50  # as fill.c has it
FILES = 1000
BODY = 10 * KIB
MS = 1000
STARTS = 5
CGI_RUNS = 40
IDLE_SECONDS = 10
QUICK_IDLE_SECONDS = 3
SETTLED = 2  # seconds after which a start is over
GROWTH = 1.25


# ---- medians ----

class Store:
    """putslot behind nginx, with so many slots stored before it began."""

    def __init__(self, sites, slots):
        self.slots = slots
        self.name = f"{slots:,} slots"
        self.endpoint = sites.make(behind, NGINX, prepare=self._fill)
        self.putslot = self.endpoint.putslot
        self._gets = [f"/upload/{token}/x.jpg"
                      for token in self.putslot.files()]

    def _fill(self, putslot):
        self.filled = fill(putslot, self.slots, min(self.slots, FILES), BODY,
                           "stored")

    def take(self, count):
        """A sample: medians in ms, one client after the other."""
        site, port = self.endpoint.site, self.endpoint.port
        grants = json.loads(run([
            tool("grant_loop"), self.putslot.database,
            self.slots // SLOTS_PER_OWNER, count, 60, 0])["output"])
        puts = Load(site, port, self.endpoint.new_paths(count, BODY),
                    size=BODY).run()
        gets = Load(site, port, self._gets, seconds=1).run()
        return {"grant": grants["p50_ms"], "PUT": puts["p50_ms"],
                "GET": gets["p50_ms"], "p50_ms": puts["p50_ms"]}


def medians(bench, sites, sizes):
    stores = [Store(sites, slots) for slots in sizes]
    count = bench.count(2000)
    for store in stores:
        store.take(count)  # what is warm is compared
    samples = bench.compare("growth: medians", stores,
                            lambda store: store.take(count))
    least = samples[stores[0].name]
    for store in stores[1:]:
        for kind in ("grant", "PUT", "GET"):
            yield Row(PART, f"{kind}, one at a time: {store.name} to "
                      f"{stores[0].name}",
                      Figure.of(a[kind] / b[kind] for a, b in zip(
                          samples[store.name], least, strict=True)),
                      target=("<", GROWTH))
    for kind in ("grant", "PUT", "GET"):
        yield Row(PART, f"{kind}, one at a time: {stores[0].name}",
                  figure(least, kind), "ms")
    largest = stores[-1]
    yield Row(PART, f"database at {largest.name}, without names of files",
              Figure.of([largest.filled["bytes_per_slot"]]), "bytes a slot",
              ("<", 300))
    yield from starts(largest.putslot, largest.name)
    yield from idle(QUICK_IDLE_SECONDS if bench.quick else IDLE_SECONDS)
    yield from cgi(largest)


# ---- starts ----

def start_of_fcgi(putslot):
    """Seconds from exec to a connection that is taken."""
    path = putslot.run_directory / "start.sock"
    argv = putslot.site.as_user(putslot.site.web_user, [
        putslot.site.bin / "putslot.fcgi", "-c", putslot.path, "-s", path])
    began = time.monotonic()
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        while not (path.exists() and accepts(path)):
            time.sleep(0.0005)
        return time.monotonic() - began
    finally:
        process.terminate()
        process.wait()


def start_of_component(putslot):
    """Seconds from exec to the connection that it makes."""
    with socket.create_server(("127.0.0.1", putslot.component_port)) as server:
        server.settimeout(10)
        argv = putslot.site.as_user(putslot.site.component_user, [
            putslot.site.bin / "putslot-component", "-c", putslot.path])
        began = time.monotonic()
        process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            with closing(server.accept()[0]):
                return time.monotonic() - began
        finally:
            process.kill()
            process.wait()


def starts(putslot, what):
    for name, start in (("putslot.fcgi", start_of_fcgi),
                        ("putslot-component", start_of_component)):
        yield Row(PART, f"start of {name} at {what}",
                  Figure.of(start(putslot) * MS for _ in range(STARTS)),
                  "ms", ("<", 50))


# ---- idle ----

def resident(pid):
    """Bytes in memory, with the libraries that others have, too."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * KIB


def switches(pid):
    """How often all threads together have waited."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                             status.read_text(), re.M)[1])
               for status in Path(f"/proc/{pid}/task").glob("*/status"))


def observe(name, pid, seconds):
    time.sleep(SETTLED)
    before = switches(pid)
    time.sleep(seconds)
    yield Row(PART, f"{name}, idle: in memory",
              Figure.of([resident(pid) / MIB]), "MiB", ("<", 8))
    yield Row(PART, f"{name}, idle: wake-ups in {seconds} s",
              Figure.of([switches(pid) - before]), target=("<=", 0))


def idle(seconds):
    """A pair of programs that have just been started."""
    with Sites(None) as sites:
        putslot = sites.make(Putslot)
        putslot.write_config()
        with LoneComponent(putslot) as component:
            yield from observe("putslot-component", component.daemon.pid,
                               seconds)
        fcgi = putslot.start_fcgi()
        wait_for(lambda: "serving" in fcgi.log_text(), "threads")
        yield from observe("putslot.fcgi", fcgi.pid, seconds)


# ---- CGI ----

def cgi(store):
    """CPU of whole processes, which the first byte cannot take more than."""
    putslot = store.putslot
    token = next(iter(putslot.files()))
    os.environ.update({
        "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1", "PUTSLOT_CONFIG": str(putslot.path),
        "REQUEST_URI": f"/upload/{token}/x.jpg"})
    try:
        taken = [run(putslot.site.as_user(putslot.site.web_user, [
            putslot.site.bin / "putslot.fcgi"]))["cpu"]
            for _ in range(CGI_RUNS)]
    finally:
        for name in ("GATEWAY_INTERFACE", "REQUEST_METHOD", "SERVER_PROTOCOL",
                     "PUTSLOT_CONFIG", "REQUEST_URI"):
            del os.environ[name]
    yield Row(PART, f"GET by CGI at {store.name}: CPU of the process",
              Figure.of(seconds * MS for seconds in taken), "ms", ("<", 5))


def rows(bench):
    with Sites(bench.fresh) as sites:
        yield from medians(
            bench, sites, QUICK_SIZES if bench.quick else SIZES)
