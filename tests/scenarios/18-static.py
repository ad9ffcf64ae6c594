#!/usr/bin/python3
"""Goal of this test: putslot.fcgi as "make static" builds it needs no library
of the host's, and passes every HTTP case as a CGI program there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import TOP, ApacheCgi, run_scenario, true  # noqa: E402
from harness.http_cases import run_http_cases  # noqa: E402


def build(directory):
    """A build of its own: the one under test may be one with sanitizers,
    which make would hand down in its environment."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS", "SANITIZE"))}
    subprocess.run(["make", "-s", "static", f"BUILD={directory}"], cwd=TOP,
                   env=environment, check=True)
    return directory / "static" / "putslot.fcgi"


class ApacheAlone(ApacheCgi):
    def snippet(self):
        shutil.copy(self.program, self.site.bin)
        return super().snippet()


def body(scenario):
    ApacheAlone.program = build(scenario.site.path("build"))
    with scenario.case("it needs no shared library"):
        said = scenario.site.run(["ldd", ApacheAlone.program], status=None)
        true("statically linked" in said, said)
    run_http_cases(scenario, ApacheAlone)


run_scenario(body)
