"""The load generator, and what it said."""

import json
import subprocess

from harness import BUILD

MOST_SECONDS = 600

HTTP_LOAD = BUILD / "tests/bench/http_load"


class Failed(Exception):
    """Some requests did: what was measured is worth nothing."""


class Load:
    """Requests to a port of this machine.

    paths is where each request goes to. connections at a time; size: of the
    bodies to PUT, None for GET, whose paths are repeated; seconds: of the run;
    slow: seconds that a body takes, each on a connection of its own; pause:
    seconds after each request; headers: more of them.
    """

    def __init__(self, site, port, paths, connections=1, size=None,
                 seconds=None, slow=None, pause=None, headers=()):
        self._paths = site.write(
            f"load/{port}-{connections}", "\n".join(paths) + "\n")
        options = ["-c", connections]
        options += ["-k"] if slow is None else ["-S", slow]
        options += ["-r"] if size is None else ["-s", size]
        options += ["-t", seconds or MOST_SECONDS]
        if pause is not None:
            options += ["-p", pause]
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
