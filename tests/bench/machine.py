"""The machine, as far as figures depend on it."""

import os
import platform
import re
import subprocess
from pathlib import Path

# Programs, and how each says its version.
VERSIONS = (
    ("nginx", "nginx", "-v"), ("lighttpd", "lighttpd", "-v"),
    ("Apache", "apache2", "-v"), ("Prosody", "prosodyctl", "--version"),
    ("ejabberd", "dpkg-query", "-W", "-f", "${Version}", "ejabberd"),
    ("gcc", "gcc", "-dumpfullversion"),
    ("SQLite", "sqlite3", "--version"))


def cpu_model():
    found = re.search(r"^model name\s*:\s*(.*)$",
                      Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def file_system(path):
    """Type and device of the file system that holds the path."""
    words = subprocess.run(["findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", path],
                           capture_output=True, text=True).stdout.split()
    return " on ".join(words) or "unknown"


def version(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else None


def describe(disk):
    """{what: text}; disk: a path on the disk that is written to."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = {name: version(argv) for name, *argv in VERSIONS}
    return {
        "processor": cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": file_system(disk),
        **{name: found for name, found in versions.items() if found},
    }
