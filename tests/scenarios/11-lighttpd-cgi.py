#!/usr/bin/python3
"""Goal of this test: every HTTP case through lighttpd that starts a program for
uploads, with contrib/lighttpd/putslot-cgi.conf beside putslot.conf."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario, true  # noqa: E402
from harness.http_cases import run_http_cases  # noqa: E402
from harness.web_servers import LighttpdCgi  # noqa: E402


def body(scenario):
    bench = run_http_cases(scenario, LighttpdCgi)
    with scenario.case("a program of its own took the upload of 32 MiB"):
        lighttpd, fcgi = (
            next(d for d in bench.site.daemons if d.name == name).log_text()
            for name in ("lighttpd", "putslot.fcgi"))
        stored = f"stored {32 * 1024 * 1024} bytes"
        true(stored in lighttpd and stored not in fcgi, "it was the server's")


run_scenario(body)
