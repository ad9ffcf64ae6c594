#!/usr/bin/python3
"""Goal of this test: every XMPP case through Prosody, with
contrib/prosody/putslot.cfg.lua, the uploads through lighttpd."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Lighttpd, Prosody, run_scenario  # noqa: E402
from harness.xmpp_cases import run_xmpp_cases  # noqa: E402

run_scenario(lambda scenario: run_xmpp_cases(scenario, Prosody, Lighttpd))
