#!/usr/bin/python3
"""Goal of this test: in a browser, an upload runs nothing and is framed by
nobody, whatever it is; a web client of another origin can upload, and read why
it could not; pictures, sound and films are shown, and can be sought in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario  # noqa: E402
from harness.browser_cases import run_browser_cases  # noqa: E402
from harness.web_servers import Nginx  # noqa: E402

run_scenario(lambda scenario: run_browser_cases(scenario, Nginx))
