"""Named cases, and the frame of a scenario script."""

import contextlib
import signal
import sys
import traceback
from pathlib import Path

from .site import Site


class Scenario:
    """What a scenario script works with: a site, and cases to report."""

    def __init__(self, site):
        self.site = site
        self.failed = 0

    @contextlib.contextmanager
    def case(self, name):
        """One line on stdout for the block: "ok NAME" or "not ok NAME: why".

        A failed case does not end the scenario: the next ones run, too.
        """
        try:
            yield
        except Exception as error:
            self.failed += 1
            why = str(error) or type(error).__name__
            print(f"not ok {name}: {why}".replace("\n", " | "), flush=True)
            traceback.print_exc()
        else:
            print(f"ok {name}", flush=True)


def equal(found, expected, what="value"):
    """Fails with both values in its sentence."""
    if found != expected:
        raise AssertionError(f"{what} is {found!r}, expected {expected!r}")


def true(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def run_scenario(body):
    """Runs body(scenario) in a new site and ends the process.

    The site's daemons are stopped whatever happens. A green site is deleted;
    a red one is kept and named, and the ends of its logs are shown.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    site = Site(Path(sys.argv[0]).stem)
    scenario = Scenario(site)
    try:
        with scenario.case("the scenario runs to its end"):
            body(scenario)
        with scenario.case("no daemon ended early or reported a defect"):
            site.close()
    except BaseException:
        scenario.failed += 1
        raise
    finally:
        site.kill()
        if scenario.failed:
            site.show_logs()
            print(f"kept for you: {site.directory}")
        else:
            site.delete()
    sys.exit(1 if scenario.failed else 0)
