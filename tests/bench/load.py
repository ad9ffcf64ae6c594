"""The load generator, and what it said."""

import json
import subprocess

from harness import BUILD

HTTP_LOAD = BUILD / "tests/bench/http_load"


class Failed(Exception):
    """Some requests did: what was measured is worth nothing."""


class Load:
    """Requests to a port of this machine.

    paths is where each request goes to. connections at a time; size: of the
    bodies to PUT, None for GET; seconds: of the run, the paths then being
    repeated; slow: seconds that a body takes; headers: more of them.
    """

    def __init__(self, site, port, paths, connections=1, size=None,
                 seconds=None, slow=None, headers=()):
        self._paths = site.write(f"load/{port}", "\n".join(paths) + "\n")
        options = ["-c", connections]
        if slow is None:
            options += ["-k"]
        else:
            options += ["-S", slow, "-t", 600]
        if size is not None:
            options += ["-s", size]
        if seconds is not None:
            options += ["-r", "-t", seconds]
        for header in headers:
            options += ["-H", header]
        self._argv = [str(word) for word in (
            HTTP_LOAD, *options, port, self._paths)]

    def start(self):
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        return self

    def end(self):
        """Waits for the end; the figures as http_load printed them."""
        output, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise Failed(f"http_load: {errors.strip()}")
        figures = json.loads(output)
        wrong = {status: count for status, count in figures["status"].items()
                 if not status.startswith("2")}
        if wrong or figures["broken"] or not figures["requests"]:
            raise Failed(f"answers {wrong}, none {figures['broken']}, "
                         f"good {figures['requests']}")
        return figures

    def run(self):
        return self.start().end()
