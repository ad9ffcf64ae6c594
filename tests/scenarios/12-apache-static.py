#!/usr/bin/python3
"""Goal of this test: with contrib/apache/putslot-static.conf the web server serves
public files by itself, as putslot would, and nothing else."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario  # noqa: E402
from harness.static_cases import run_static_cases  # noqa: E402
from harness.web_servers import ApacheStatic  # noqa: E402

run_scenario(lambda scenario: run_static_cases(scenario, ApacheStatic))
