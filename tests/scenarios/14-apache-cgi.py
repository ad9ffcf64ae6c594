#!/usr/bin/python3
"""Goal of this test: every HTTP case through Apache and plain CGI, with
nothing but contrib/apache/htaccess in a directory of the web site."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import ApacheCgi, equal, run_scenario, true  # noqa: E402
from harness.http_cases import run_http_cases  # noqa: E402



def body(scenario):
    bench = run_http_cases(scenario, ApacheCgi)
    with scenario.case("a mistake in the configuration is a 500 that tells "
                       "nothing of it"):
        bench.putslot.path.write_text("[web]\nput_url = nonsense\n")
        response = bench.get(bench.web.url + "a" * 26 + "/x")
        equal(response.status, 500, "status")
        true(b"nonsense" not in response.body, f"it said {response.body!r}")
        bench.putslot.write_config()
        equal(bench.get(bench.stored(b"fives")).body, b"fives", "the body")


run_scenario(body)
