"""Slow clients beside fast ones: what the fast ones feel, and the memory."""

from .load import Load
from .measure import Most, shared_memory
from .rows import Figure, Row, ratio
from .servers import (NGINX, Sites, behind, floor_behind, floor_with_slots,
                      webdav)
from .uploads import DIGESTING_SLOTS, SLOPPY, SMALL, warm

MB = 1_000_000
SLOW_SIZE = 200 * 1024

FAST = 10  # clients
PAUSE = 0.1  # seconds, of each of them
ROUNDS = 3


class Crowd:
    """count clients that take seconds each, beginning over half of that."""

    def __init__(self, count, seconds):
        self.count = count
        self.seconds = seconds

    def beside_fast(self, endpoint):
        """A sample: what the fast ones found, and the memory of all."""
        fast_seconds = self.seconds * 1.4
        slow = Load(endpoint.site, endpoint.port,
                    endpoint.new_paths(self.count, SLOW_SIZE), self.count,
                    SLOW_SIZE, slow=self.seconds)
        fast = Load(endpoint.site, endpoint.port,
                    endpoint.new_paths(int(FAST / PAUSE * fast_seconds) + FAST,
                                       SMALL),
                    FAST, SMALL, seconds=fast_seconds, pause=PAUSE)

        def memory():
            return sum(shared_memory(daemon) for daemon in endpoint.daemons)

        with Most(memory, pause=0.5) as most:
            slow.start()
            sample = fast.run()
            sample["slow"] = slow.end()
        sample["memory"] = most.most
        return sample


def rows(bench):
    crowd = Crowd(*(300, 5) if bench.quick else (1000, 20))
    what = (f"{crowd.count} × 200 KiB over {crowd.seconds} s, beside "
            f"{FAST} fast")
    with Sites(bench.fresh) as sites:
        dav = sites.make(webdav)
        program = sites.make(floor_behind, NGINX)
        whole = sites.make(floor_with_slots, NGINX, "-s",
                           name=DIGESTING_SLOTS)
        putslot = sites.make(behind, NGINX.but(**SLOPPY))
        endpoints = [dav, program, whole, putslot]
        warm(*endpoints)
        samples = bench.compare(f"slow clients: {what}", endpoints,
                                crowd.beside_fast, ROUNDS)
    mine, floor = samples[putslot.name], samples[dav.name]
    yield Row("slow clients", f"{what}: p99 of the fast, to nginx's WebDAV",
              ratio(mine, floor, "p99_ms"), target=("<=", 2.5))
    for other in program, whole:
        yield Row("slow clients", f"{what}: p99 of the fast, {other.name}, to "
                  "nginx's WebDAV", ratio(samples[other.name], floor, "p99_ms"))
    yield Row("slow clients", f"{what}: memory of all beyond nginx alone",
              Figure.of((a["memory"] - b["memory"]) / MB
                        for a, b in zip(mine, floor, strict=True)),
              "MB", ("<=", 60))
    yield Row("slow clients", f"{what}: failed",
              Figure.of(crowd.count - s["slow"]["requests"] for s in mine),
              target=("<=", 0))
