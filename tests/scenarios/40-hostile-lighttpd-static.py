#!/usr/bin/python3
"""Goal of this test: every bad input is answered as it should be through
lighttpd that serves public files by itself, and nothing is served but uploads."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario  # noqa: E402
from harness.hostile import run_hostile_inputs  # noqa: E402
from harness.hostile_public import run_hostile_public  # noqa: E402
from harness.static_cases import StaticBench  # noqa: E402
from harness.web_servers import LighttpdStatic  # noqa: E402


def body(scenario):
    run_hostile_public(scenario, run_hostile_inputs(
        scenario, LighttpdStatic, StaticBench))


run_scenario(body)
