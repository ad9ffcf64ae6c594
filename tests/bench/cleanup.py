"""putslot-cleanup: flat out against plain unlink, and what others feel of it
when it takes its time."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from harness import BUILD, Putslot

from . import ground
from .load import Load
from .measure import Most
from .rows import Figure, Row, figure, ratio
from .servers import NGINX, Sites, behind

KIB = 1024
MIB = KIB * KIB
PART = "cleanup"

# Beside a run that takes its time.
UPLOADERS = 4
PAUSE = 0.02  # seconds, of each of them and of who asks for slots
SECONDS = 10
QUICK_SECONDS = 4
OWNERS = 1000


# ---- a store to clean ----

def tool(name):
    return BUILD / "tests/bench" / name


def fill(putslot, slots, files, size, state):
    """Fills a database that does not exist yet; what fill.c printed."""
    site = putslot.site
    shutil.copy(tool("fill"), site.bin)
    return json.loads(subprocess.run(
        [str(word) for word in site.as_user(site.web_user, [
            site.bin / "fill", putslot.database, putslot.bodies, slots, files,
            size, state])],
        check=True, stdout=subprocess.PIPE, text=True).stdout)


def peak_of(process):
    """Bytes that a process has held at once; wait4 would count what Python
    held before it became that program."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    exe = re.search(r"^Name:\s+python", status)
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) * KIB if found and not exe else 0


def run(argv):
    """A sample: a program from its start to its end."""
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in argv],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    with Most(lambda: peak_of(process)) as most:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ChildProcessError(f"{argv[0]}: {process.returncode}: {output}")
    return {"seconds": time.monotonic() - began, "output": output,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": most.most}


def clean(putslot, *options):
    putslot.write_config()
    return run([putslot.site.bin / "putslot-cleanup", *options, "-c", putslot.path])


# ---- flat out ----

class Remover:
    """One of two ways to make count files of 1 KiB go, each time on a file
    system where nothing has been removed before."""

    def __init__(self, name, remove, count):
        self.name = name
        self._remove = remove
        self._count = count

    def take(self):
        with ground.fresh() as (directory, _), Sites(directory) as sites:
            putslot = sites.make(Putslot)
            fill(putslot, self._count, self._count, KIB, "expired")
            os.sync()
            sample = self._remove(putslot)
            sample["per_second"] = self._count / sample["seconds"]
            sample["cpu_per_1000"] = sample["cpu"] / self._count * 1000
        return sample


def flat_out(bench):
    count = 20_000 if bench.quick else 1_000_000
    floor = Remover(
        "unlink alone",
        lambda putslot: run([tool("unlink_loop"), putslot.bodies]),
        count)
    ours = Remover(
        "putslot-cleanup -f",
        lambda putslot: clean(putslot, "-f"), count)
    what = f"{count:,} expired uploads of 1 KiB"
    # Two minutes for each, most of which it takes to make the files.
    samples = bench.compare(f"cleanup: {what}", [floor, ours],
                            Remover.take, rounds=1)
    mine = samples[ours.name]
    yield Row(PART, f"{what}, flat out: to unlink alone",
              ratio(mine, samples[floor.name]), target=(">=", 0.5))
    yield Row(PART, f"{what}, flat out: peak memory",
              figure(mine, "peak", 1 / MIB), "MiB", ("<", 16))
    yield Row(PART, f"{what}, flat out: CPU per 1000",
              figure(mine, "cpu_per_1000", 1000), "ms")


# ---- beside others ----

class Traffic:
    """Uploads and grants for some seconds, with or without a cleanup."""

    def __init__(self, name, endpoint, cleaned, seconds):
        self.name = name
        self._seconds = seconds
        self._endpoint = endpoint
        self._cleaned = cleaned

    def take(self):
        endpoint = self._endpoint
        putslot = endpoint.putslot
        paths = endpoint.new_paths(
            int(UPLOADERS * self._seconds / PAUSE) + UPLOADERS, 10 * KIB)
        uploads = Load(endpoint.site, endpoint.port, paths, UPLOADERS,
                       10 * KIB, seconds=self._seconds, pause=PAUSE)
        cleanup = self._cleaned and subprocess.Popen(
            endpoint.site.as_user(endpoint.site.cleanup_user, [
                endpoint.site.bin / "putslot-cleanup", "-c", putslot.path]),
            stdout=subprocess.DEVNULL)
        uploads.start()
        grants = json.loads(subprocess.run(
            [str(word) for word in (
                tool("grant_loop"), putslot.database, OWNERS, 1_000_000,
                self._seconds, int(PAUSE * 1000))],
            check=True, stdout=subprocess.PIPE, text=True).stdout)
        sample = uploads.end()
        sample["grants"] = grants
        sample["grant_p99_ms"] = grants["p99_ms"]
        if cleanup:
            sample["beside"] = cleanup.poll() is None
            cleanup.terminate()
            cleanup.wait()
        return sample


def paced(bench):
    backlog = 40_000 if bench.quick else 200_000

    def prepare(putslot):
        fill(putslot, backlog, backlog, KIB, "expired")

    with Sites(None) as sites:
        endpoint = sites.make(behind, NGINX, prepare=prepare)
        seconds = QUICK_SECONDS if bench.quick else SECONDS
        alone = Traffic("without", endpoint, False, seconds)
        beside = Traffic("beside a cleanup", endpoint, True, seconds)
        samples = bench.compare("cleanup: what others feel", [alone, beside],
                                Traffic.take, rounds=3)
        if not all(s["beside"] for s in samples[beside.name]):
            raise ValueError("the cleanup came to its end too early")
    for key, what in (("grant_p99_ms", "grants"), ("p99_ms", "uploads")):
        yield Row(PART, f"p99 of {what} beside it, to without",
                  ratio(samples[beside.name], samples[alone.name], key),
                  target=("<=", 3))
        yield Row(PART, f"p99 of {what} beside it",
                  figure(samples[beside.name], key), "ms", ("<=", 20))


def rows(bench):
    yield from flat_out(bench)
    yield from paced(bench)
