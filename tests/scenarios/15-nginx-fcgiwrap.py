#!/usr/bin/python3
"""Goal of this test: every HTTP case through nginx and fcgiwrap, with
contrib/nginx/putslot-fcgiwrap.conf."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import NginxCgi, run_scenario  # noqa: E402
from harness.http_cases import run_http_cases  # noqa: E402

run_scenario(lambda scenario: run_http_cases(scenario, NginxCgi))
