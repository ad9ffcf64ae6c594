#!/usr/bin/python3
"""Goal of this test: many phones that each take a long time for 200 KiB do
not hold up a few fast clients, none of them fails, and the memory that it
takes stays within bounds. Through nginx and lighttpd, as they are shipped.

200 clients for 4 seconds by default; PUTSLOT_SLOW_CLIENTS=1000 and
PUTSLOT_SLOW_SECONDS=20 in the environment for the whole of it."""

import asyncio
import multiprocessing
import os
import resource
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Lighttpd, Nginx, equal, run_scenario, true  # noqa: E402
from harness.http_cases import Bench, no_leftovers  # noqa: E402

CLIENTS = int(os.environ.get("PUTSLOT_SLOW_CLIENTS", 200))
DURATION = float(os.environ.get("PUTSLOT_SLOW_SECONDS", 4))
KIB = 1024
SLOW_BODY = b"s" * 200 * KIB
PIECE = 5 * KIB

FAST = 10
FAST_BODY = b"f" * 10 * KIB
PAUSE = 0.1  # seconds between two uploads of a fast client
ALONE = 2  # seconds for which they are measured by themselves

# Each upload has nginx's buffer and what TLS takes, below 256 KiB together;
# the rest is what the programs have anyway, under ASan too.
MEMORY_EACH = 256 * KIB
MEMORY = 384 * KIB * KIB


# ---- slow ones, in a process of their own ----

async def slow_upload(bench, slot, delay, context):
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", bench.web.port, ssl=context,
        server_hostname="127.0.0.1", ssl_handshake_timeout=120)
    writer.write(f"PUT /upload/{slot[0]}/{slot[1]}/x HTTP/1.1\r\n"
                 f"Host: 127.0.0.1\r\nContent-Length: {len(SLOW_BODY)}\r\n"
                 "Connection: close\r\n\r\n".encode())
    for at in range(0, len(SLOW_BODY), PIECE):
        writer.write(SLOW_BODY[at:at + PIECE])
        await writer.drain()
        await asyncio.sleep(DURATION * PIECE / len(SLOW_BODY))
    line = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return line.decode()[9:12]


async def slow_uploads(bench, slots):
    context = bench.tls.client_context()
    return await asyncio.gather(*(
        slow_upload(bench, slot, DURATION / 2 * i / CLIENTS, context)
        for i, slot in enumerate(slots)), return_exceptions=True)


def slow_process(bench, slots, queue):
    queue.put([str(found) for found in asyncio.run(
        slow_uploads(bench, slots))])


# ---- fast ones ----

class Fast:
    """FAST clients that upload again and again until told to stop."""

    def __init__(self, bench, slots):
        self.bench = bench
        self.slots = slots
        self.times = []
        self.failed = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work)
                        for _ in range(FAST)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.stop.wait(PAUSE):
            token, secret = self.slots.pop()
            began = time.monotonic()
            try:
                status = self.bench.put(
                    f"{self.bench.web.url}{token}/{secret}/x",
                    FAST_BODY).status
            except OSError as error:
                status = error
            self.times.append(time.monotonic() - began)
            if status != 201:
                self.failed.append(status)

    def end(self):
        """The seconds that the slowest in a hundred took, and the median."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        equal(self.failed, [], "failures of the fast ones")
        times = sorted(self.times)
        return times[len(times) * 99 // 100], times[len(times) // 2]


# ---- memory ----

def resident(daemon):
    """Bytes of the daemon's processes, what they share counted once."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == daemon.pid:  # the process group
                for line in (stat.parent / "smaps_rollup").open():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * KIB
        except (OSError, ValueError):
            pass  # it has ended meanwhile
    return total


class Memory:
    """The most that each daemon has held."""

    def __init__(self, daemons):
        self.most = dict.fromkeys(daemons, 0)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.stop.wait(0.5):
            for daemon, most in self.most.items():
                self.most[daemon] = max(most, resident(daemon))

    def end(self):
        self.stop.set()
        self.thread.join()
        return self.most


# ---- the test ----

def beside_each_other(bench, daemons):
    rounds = int((ALONE + DURATION * 4 + 30) / PAUSE) * FAST
    fast_slots = bench.putslot.grants(rounds, len(FAST_BODY))
    slots = bench.putslot.grants(CLIENTS, len(SLOW_BODY))
    fast = Fast(bench, fast_slots)
    time.sleep(ALONE)  # how long they are measured, not for anything's sake
    alone, alone_median = fast.end()

    queue = multiprocessing.Queue()
    slow = multiprocessing.Process(target=slow_process,
                                   args=(bench, slots, queue))
    memory = Memory(daemons)
    slow.start()
    fast = Fast(bench, fast_slots)
    try:
        found = queue.get(timeout=DURATION * 4 + 120)
    finally:
        beside, beside_median = fast.end()
        most = memory.end()
        slow.terminate() if slow.exitcode is None else None
        slow.join()
    print(f"# {bench.server}: {CLIENTS} clients for {DURATION:g} s; fast "
          f"uploads alone {alone_median * 1000:.1f} ms, in the slowest of a "
          f"hundred {alone * 1000:.1f}; beside them "
          f"{beside_median * 1000:.1f} and {beside * 1000:.1f} ms, "
          f"{beside / alone:.1f} times as much")
    for daemon, size in most.items():
        print(f"# {daemon.name}: at most {size / KIB / KIB:.0f} MiB")
    equal({status: found.count(status) for status in set(found)},
          {"201": CLIENTS}, "what the slow ones were answered")
    true(sum(most.values()) < MEMORY + CLIENTS * MEMORY_EACH,
         f"too much memory: {most}")


def stalls(bench):
    put, get = bench.slot(len(SLOW_BODY))
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": len(SLOW_BODY)})
        connection.send(SLOW_BODY[:PIECE])
        began = time.monotonic()
        said = connection.read()
        true(1 < time.monotonic() - began < 10, "it was dropped too late")
        true(said == b"" or b" 408 " in said, f"it was told {said!r}")
    bench.unchanged(put, get, SLOW_BODY)


SETTINGS = {
    Nginx: {"client_body_timeout 60s": "client_body_timeout 2s"},
    Lighttpd: {"max-read-idle = 60": "max-read-idle = 2"}}


def body(scenario):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS * 4 + 1024
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (
            wanted if hard == resource.RLIM_INFINITY else min(wanted, hard),
            hard))
    bench = Bench(scenario.site, Nginx)
    bench.slot(1)  # makes the database, as the component would
    for server_class in (Nginx, Lighttpd):
        if server_class is not Nginx:
            bench.web = server_class(bench.site, bench.tls, bench.putslot)
        bench.server = server_class.__name__
        bench.web.connections = CLIENTS + 512
        bench.putslot.set("web", put_url=bench.web.url)
        fcgi, web = bench.putslot.start_fcgi(), bench.web.start()
        with scenario.case(f"slow clients beside fast ones, {bench.server}"):
            beside_each_other(bench, (web, fcgi))
        bench.site.stop(web)
        bench.web.replaced = SETTINGS[server_class]
        web = bench.web.start()
        with scenario.case(f"a client that stalls is cut, {bench.server}"):
            stalls(bench)
        bench.site.stop(web)
        bench.site.stop(fcgi)
    with scenario.case("every file on the disk belongs to a slot, whole"):
        no_leftovers(bench.putslot)


run_scenario(body)
