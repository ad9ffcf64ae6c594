"""Measuring: contenders by turns, and what their processes take meanwhile."""

import os
import re
import subprocess
import threading
from pathlib import Path

KIB = 1024
TICKS = os.sysconf("SC_CLK_TCK")


def by_turns(contenders, rounds, show, directory):
    """Samples of each: {name: [sample, …]}. contenders are {name: function
    that returns a sample}. Their order turns round with every round, so that
    none of them is always the one after the other; and what one has left to
    be written to the file system of that directory is not for the next one to
    pay."""
    samples = {name: [] for name in contenders}
    order = list(contenders)
    for i in range(rounds):
        for name in order:
            subprocess.run(["sync", "-f", directory], check=True)
            samples[name].append(contenders[name]())
            show(i, name, samples[name][-1])
        order.reverse()
    return samples


# ---- processes ----

def group(daemon):
    """The processes of a daemon, as directories of /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if int(fields[2]) == daemon.pid:
            yield stat.parent, fields


def cpu_seconds(daemon):
    """User and system time of a daemon, with children that have ended."""
    return sum(sum(map(int, fields[11:15])) / TICKS
               for _, fields in group(daemon))


def peak_memory(daemon):
    """Bytes that the largest process of a daemon has held at once."""
    found = (re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
             for process, _ in group(daemon))
    # one that has ended, and waits to be told of, holds none
    return max(int(match[1]) * KIB for match in found if match)


def forget_peak(daemon):
    for process, _ in group(daemon):
        (process / "clear_refs").write_text("5")


def shared_memory(daemon):
    """Bytes that all processes of a daemon hold, what they share once."""
    total = 0
    for process, _ in group(daemon):
        try:
            text = (process / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * KIB
    return total


class Watch:
    """What daemons take during a block.

    cpu: seconds by daemon; peak: bytes of its largest process, by daemon.
    """

    def __init__(self, daemons):
        self.daemons = daemons

    def __enter__(self):
        for daemon in self.daemons:
            forget_peak(daemon)
        self._before = {d.name: cpu_seconds(d) for d in self.daemons}
        return self

    def __exit__(self, *_):
        self.cpu = {d.name: cpu_seconds(d) - self._before[d.name]
                    for d in self.daemons}
        self.peak = {d.name: peak_memory(d) for d in self.daemons}


class Most:
    """The most that a function returns during a block, asked all the time."""

    def __init__(self, function, pause=0.05):
        self._function = function
        self._pause = pause
        self._stop = threading.Event()

    def __enter__(self):
        self.most = self._function()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self):
        while not self._stop.wait(self._pause):
            self.most = max(self.most, self._function())

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.most = max(self.most, self._function())


def disk_used(directories, daemons):
    """Bytes on disk of all files in the directories, and of those without a
    name that the daemons hold open."""
    found = {}
    for directory in directories:
        for path in Path(directory).rglob("*"):
            add_file(found, path)
    for daemon in daemons:
        for process, _ in group(daemon):
            for descriptor in (process / "fd").glob("*"):
                add_file(found, descriptor, nameless=True)
    return sum(found.values())


def add_file(found, path, nameless=False):
    try:
        st = path.stat()
    except OSError:
        return  # gone meanwhile, or a socket
    regular = st.st_mode & 0o170000 == 0o100000
    if regular and not (nameless and st.st_nlink):
        found[st.st_dev, st.st_ino] = st.st_blocks * 512
