"""PUT: small and large bodies, with and without durability, memory and disk.

Bodies are written to the fresh file system, but for those that are synced.
"""

import json
import subprocess

from harness import BUILD

from . import peer
from .load import Load
from .measure import Most, Watch, disk_used
from .rows import Figure, Row, figure, ratio
from .servers import (APACHE, LIGHTTPD, LIGHTTPD_CGI, NGINX, NGINX_HANDED,
                      NGINX_STREAMED, STREAMS, SYNCING_THREADS, Sites, behind,
                      floor_behind, floor_with_slots, webdav)

KIB = 1024
MIB = KIB * KIB
GB = 1e9
SMALL = 10 * KIB
WARM = 3000  # files, of 1024 directories
OFTEN = 9  # rounds

SLOPPY = {"store": {"durable": "no"}}

# The floor program, when it does more than write.
RECORDING = "a program that writes and records"
RECORDING_SLOTS = "a program that writes and records putslot's row"
DIGESTING_SLOTS = RECORDING_SLOTS + " and digests"
DIGESTING = "a program that writes and digests"
SYNCING = "a program that writes and syncs"
RECORDING_DURABLY = "a program that writes, syncs and records"

# Connections, and the ratio that is aimed at.
SMALL_TARGETS = {1: 0.55, 16: 0.65, 64: 0.70}
DURABLE_TARGETS = {1: 0.6, 16: 0.6, 64: 0.6}


def new_load(endpoint, connections, count, size):
    """So many uploads, each to an address of its own."""
    return Load(endpoint.site, endpoint.port, endpoint.new_paths(count, size),
                connections, size)


def upload(endpoint, connections, count, size):
    """A sample of that load."""
    load = new_load(endpoint, connections, count, size)
    with Watch(endpoint.daemons) as watch:
        sample = load.run()
    cpu = sum(watch.cpu.values())
    sample.update(cpu=watch.cpu, peak=watch.peak,
                  cpu_per_1000=cpu / count * 1000,
                  cpu_per_gb=cpu / (count * size / GB),
                  peak_program=watch.peak[endpoint.daemons[-1].name])
    return sample


def disk_for(endpoint, size):
    """How many times its size one upload takes on the disk, at most."""
    def used():
        return disk_used(endpoint.directories, endpoint.daemons)

    load = new_load(endpoint, 1, 1, size)
    before = used()
    with Most(used) as most:
        load.run()
    endpoint.forget_bodies()
    return (most.most - before) / size


def warm(*endpoints):
    """Lets every directory have its first file."""
    for endpoint in endpoints:
        new_load(endpoint, 16, WARM, 1).run()


# ---- small ----

def small(bench):
    with Sites(bench.fresh) as sites:
        dav = sites.make(webdav)
        program = sites.make(floor_behind, NGINX)
        recording = sites.make(floor_behind, NGINX, "-r", name=RECORDING)
        full = sites.make(floor_with_slots, NGINX, name=RECORDING_SLOTS)
        whole = sites.make(floor_with_slots, NGINX, "-s",
                           name=DIGESTING_SLOTS)
        putslot = sites.make(behind, NGINX.but(**SLOPPY))
        handed = sites.make(behind, NGINX_HANDED.but(**SLOPPY),
                            "putslot, handed over")
        endpoints = [dav, program, recording, full, whole, putslot, handed]
        if peer.php_fpm():
            endpoints.append(sites.make(peer.script))
        else:
            yield Row("uploads", f"10 KiB: {peer.NAME}", None,
                      why="there is no php-fpm")
        warm(*endpoints)
        for connections, target in SMALL_TARGETS.items():
            count = bench.count(4000 if connections == 1 else 12000)
            what = f"10 KiB, {connections} at a time"
            samples = bench.compare(
                f"uploads: {what}", endpoints,
                lambda e: upload(e, connections, count, SMALL))
            yield Row("uploads", f"{what}: putslot to nginx's WebDAV",
                      ratio(samples[putslot.name], samples[dav.name]),
                      target=(">=", target))
            for other in endpoints:
                if other not in (dav, putslot):
                    yield Row(
                        "uploads", f"{what}: {other.name}, to nginx's WebDAV",
                        ratio(samples[other.name], samples[dav.name]))
            for name, target in ((RECORDING, None), (RECORDING_SLOTS, None),
                                 (DIGESTING_SLOTS, None),
                                 (peer.NAME, (">=", 1))):
                if name in samples:
                    yield Row("uploads", f"{what}: putslot to {name}",
                              ratio(samples[putslot.name], samples[name]),
                              target=target)


# ---- durable ----

class WriteLoop:
    """The floor of durable uploads, as an endpoint."""

    name = "write, fsync and rename alone"

    def __init__(self, site):
        self.site = site
        self.runs = 0

    def run(self, threads, count, size):
        self.runs += 1
        directory = self.site.make_directory(f"loop{self.runs}")
        return json.loads(subprocess.run(
            [BUILD / "tests/bench/write_loop", str(threads), str(count),
             str(size), directory], check=True, stdout=subprocess.PIPE,
            text=True).stdout)


def durable(bench):
    with Sites(None) as sites:
        loop = sites.make(WriteLoop)
        syncing = sites.make(floor_behind, NGINX, "-d", name=SYNCING,
                             threads=SYNCING_THREADS)
        recording = sites.make(floor_behind, NGINX, "-dr",
                               name=RECORDING_DURABLY,
                               threads=SYNCING_THREADS)
        putslot = sites.make(behind, NGINX)
        handed = sites.make(behind, NGINX_HANDED, "putslot, handed over")
        endpoints = [syncing, recording, putslot, handed]
        warm(*endpoints)

        def take(contender):
            if contender is loop:
                return loop.run(connections, count, SMALL)
            return upload(contender, connections, count, SMALL)

        for connections, target in DURABLE_TARGETS.items():
            count = bench.count(800 if connections == 1 else 6000)
            what = f"10 KiB, durable, {connections} at a time"
            samples = bench.compare(
                f"uploads: {what}", [loop, *endpoints], take)
            for other in endpoints:
                yield Row("uploads", f"{what}: {other.name}, to {loop.name}",
                          ratio(samples[other.name], samples[loop.name]),
                          target=(">=", target) if other in (putslot, handed)
                          else None)
            for program in syncing, recording:
                yield Row("uploads", f"{what}: putslot to {program.name}",
                          ratio(samples[putslot.name], samples[program.name]))
        for mine in putslot, handed:
            yield Row("uploads", f"{what}: 99 of 100 within, {mine.name}",
                      figure(samples[mine.name], "p99_ms"), "ms", ("<", 50))


# ---- large ----

def upload_large(endpoint, count, size):
    """A sample of so many at once, which are not kept."""
    sample = upload(endpoint, count, count, size)
    endpoint.forget_bodies()
    return sample


class Large:
    """count bodies of size at once, for each of some endpoints."""

    def __init__(self, bench, endpoints, count, size, often=False):
        self.what = (f"{count} × " if count > 1 else "") + f"{size // MIB} MiB"

        self.samples = bench.compare(
            f"uploads: {self.what}" + ", often" * often, endpoints,
            lambda e: upload_large(e, count, size), OFTEN if often else 3)

    def ratio(self, subject, floor, target=None):
        return Row("uploads", f"{self.what}: {subject.name} to {floor.name}",
                   ratio(self.samples[subject.name],
                         self.samples[floor.name]),
                   target=target and (">=", target))

    def figure(self, subject, what, key, unit="", target=None, scale=1):
        return Row("uploads", f"{self.what}: {what}, {subject.name}",
                   figure(self.samples[subject.name], key, scale), unit,
                   target)


def large(bench):
    whole = 1024 * MIB if not bench.quick else 256 * MIB
    with Sites(bench.fresh) as sites:
        dav = sites.make(webdav)
        dav128 = sites.make(webdav, "nginx's WebDAV with a buffer of 128k",
                            "client_body_buffer_size 128k;")
        buffered = sites.make(behind, NGINX.but(**SLOPPY), "putslot, buffered")
        streamed = sites.make(behind, NGINX_STREAMED.but(**SLOPPY),
                              "putslot, streamed")
        handed = sites.make(behind, NGINX_HANDED.but(**SLOPPY),
                            "putslot, handed over")
        for count, size in (1, whole), (8, whole // 8):
            found = Large(bench, [dav, streamed, buffered], count, size)
            # of these a round is quick, and says little by itself
            often = Large(bench, [dav, dav128, handed], count, size,
                          often=True)
            yield often.ratio(handed, dav, 2.0 if count == 1 else 1.9)
            yield often.ratio(dav128, dav)
            yield found.ratio(streamed, dav, 0.85)
            yield found.ratio(buffered, dav)
            for samples, endpoint, target in (
                    (often, handed, ("<=", 0.55)), (often, dav128, None),
                    (found, streamed, None), (found, buffered, None),
                    (often, dav, None)):
                yield samples.figure(endpoint, "CPU of server and program",
                                     "cpu_per_gb", "s/GB", target)
            if count == 1:
                for samples, endpoint in ((often, handed), (found, streamed),
                                          (found, buffered)):
                    yield samples.figure(
                        endpoint, "memory of the program", "peak_program",
                        "MiB", ("<", 12), 1 / MIB)
        for endpoint, target in ((handed, 1.02), (streamed, 1.02),
                                 (buffered, None)):
            yield Row("uploads", f"{whole // MIB} MiB: disk while it comes, "
                      f"to its size, {endpoint.name}",
                      Figure.of([disk_for(endpoint, whole)]),
                      target=target and ("<=", target))


def in_flight(bench):
    """Memory with 64 uploads at a time."""
    with Sites(bench.fresh) as sites:
        endpoints = [
            sites.make(behind, NGINX.but(**SLOPPY), "buffered"),
            sites.make(behind, NGINX_STREAMED.but(
                **SLOPPY, web={"threads": STREAMS}), "streamed"),
            sites.make(behind, NGINX_HANDED.but(**SLOPPY), "handed over")]
        what = "64 × 4 MiB in flight"
        samples = bench.compare(
            f"uploads: {what}", endpoints,
            lambda e: upload(e, 64, 64, 4 * MIB), rounds=3)
        for endpoint in endpoints:
            yield Row("uploads", f"{what}: memory of the program, "
                      f"{endpoint.name}",
                      figure(samples[endpoint.name], "peak_program", 1 / MIB),
                      "MiB", ("<", 32))


# ---- other servers ----

def elsewhere(bench):
    """lighttpd and Apache."""
    for name, way in ("lighttpd", LIGHTTPD), ("Apache", APACHE):
        with Sites(bench.fresh) as sites:
            program = sites.make(floor_behind, way)
            recording = sites.make(floor_behind, way, "-r", name=RECORDING)
            full = sites.make(floor_with_slots, way, name=RECORDING_SLOTS)
            digesting = sites.make(floor_behind, way, "-s", name=DIGESTING)
            putslot = sites.make(behind, way.but(**SLOPPY))
            warm(program, recording, full, digesting, putslot)
            count = bench.count(4000)
            for connections in 16, 64:
                yield from to_floors(
                    bench, f"{name}, 10 KiB, {connections} at a time",
                    [program, recording, full], [putslot],
                    lambda e: upload(e, connections, count, SMALL))
            mine = [putslot]
            if way is LIGHTTPD:
                mine.append(sites.make(behind, LIGHTTPD_CGI.but(**SLOPPY),
                                       "putslot, by CGI"))
            yield from to_floors(
                bench, f"{name}, one large body", [program, digesting], mine,
                lambda e: upload_large(e, 1, bench.count(512) * MIB))


def to_floors(bench, what, floors, mine, take):
    """putslot's endpoints to floors, of which the others do more than the
    first, by which the target goes."""
    samples = bench.compare(f"uploads: {what}", floors + mine, take, rounds=3)
    least, *others = (floor.name for floor in floors)
    for endpoint in mine:
        yield Row("uploads", f"{what}: {endpoint.name} to {least}",
                  ratio(samples[endpoint.name], samples[least]),
                  target=(">=", 0.9))
    for more in others:
        yield Row("uploads", f"{what}: {more} to {least}",
                  ratio(samples[more], samples[least]))
        yield Row("uploads", f"{what}: {mine[0].name} to {more}",
                  ratio(samples[mine[0].name], samples[more]))


def rows(bench):
    for some in small, durable, large, in_flight, elsewhere:
        yield from some(bench)
