"""PUT: small and large bodies, with and without durability."""

import contextlib

from .load import Load
from .measure import Watch
from .rows import Row, ratio
from .servers import Behind, NginxFloors, site_of

KIB = 1024
SMALL = 10 * KIB

# Connections, and the ratio to nginx's WebDAV that is aimed at.
SMALL_TARGETS = {1: 0.55, 16: 0.65, 64: 0.70}

SLOPPY = {}


def upload(endpoint, connections, count, size):
    """A sample: so many uploads, each to an address of its own."""
    load = Load(endpoint.site, endpoint.port, endpoint.new_paths(count, size),
                connections, size)
    with Watch(endpoint.daemons) as watch:
        figures = load.run()
    return {**figures, "cpu": watch.cpu, "peak": watch.peak,
            "cpu_per_1000": sum(watch.cpu.values()) / count * 1000}


def small(bench):
    with contextlib.ExitStack() as stack:
        floors = NginxFloors(stack.enter_context(
            site_of("floor", bench.fresh)))
        putslot = Behind(
            stack.enter_context(site_of("buffered", bench.fresh)),
            "putslot", sections=SLOPPY).endpoint
        for connections, target in SMALL_TARGETS.items():
            count = bench.count(1500 if connections == 1 else 5000)
            samples = bench.compare(
                f"small uploads, {connections} connections",
                [floors.dav, floors.program, putslot],
                lambda e: upload(e, connections, count, SMALL))
            what = f"10 KiB, {connections} connections"
            yield Row("uploads", f"{what}: putslot to WebDAV",
                      ratio(samples[putslot.name], samples[floors.dav.name]),
                      target=(">=", target))
            yield Row("uploads", f"{what}: a program that only writes to "
                      "WebDAV", ratio(samples[floors.program.name],
                                      samples[floors.dav.name]))


def rows(bench):
    yield from small(bench)
