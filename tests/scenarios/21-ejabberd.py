#!/usr/bin/python3
"""Goal of this test: every XMPP case through ejabberd, with
contrib/ejabberd/putslot.yml, the uploads through nginx."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Ejabberd, Nginx, run_scenario  # noqa: E402
from harness.xmpp_cases import run_xmpp_cases  # noqa: E402

run_scenario(lambda scenario: run_xmpp_cases(scenario, Ejabberd, Nginx))
