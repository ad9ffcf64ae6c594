#!/usr/bin/python3
"""Goal of this test: every bad input is answered as it should be through
lighttpd that sends the bytes of files itself, and does no harm."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario  # noqa: E402
from harness.hostile import run_hostile_inputs  # noqa: E402
from harness.web_servers import LighttpdSendFile  # noqa: E402

run_scenario(lambda scenario: run_hostile_inputs(scenario, LighttpdSendFile))
