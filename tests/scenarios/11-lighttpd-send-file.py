#!/usr/bin/python3
"""Goal of this test: every HTTP case through lighttpd that sends the bytes of files
itself, with contrib/lighttpd/putslot-send-file.conf, and the answers being
those of putslot's own streaming."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import run_scenario  # noqa: E402
from harness.hand_off_cases import run_hand_off_cases  # noqa: E402
from harness.web_servers import LighttpdSendFile  # noqa: E402

run_scenario(lambda scenario: run_hand_off_cases(
    scenario, LighttpdSendFile))
