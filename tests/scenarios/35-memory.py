#!/usr/bin/python3
"""Goal of this test: whatever allocation fails, once, a few times or from then
on, no program crashes, nothing is answered 201 that is not there, and a word is
said. libfcgi and libstrophe are spared: they end the process where they are
refused memory, and are not ours.

PUTSLOT_MEMORY_POINTS  how many allocations fail (60)
PUTSLOT_SEED           which; printed
"""

import os
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import equal, run_scenario, true  # noqa: E402
from harness.alone import OWNER, Alone  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402
from harness.stanzas import Refused  # noqa: E402

POINTS = int(os.environ.get("PUTSLOT_MEMORY_POINTS", "60"))
SEED = int(os.environ.get("PUTSLOT_SEED", random.randrange(10**9)))

SPARED = "libfcgi,libstrophe,libexpat"
FOR_EVER = 10**9


class Memory:
    """The allocations of each thing that is done, and their failing."""

    def __init__(self, alone):
        self.alone = alone
        self.there = alone.stored()
        self.count = alone.faults.trace("count")
        self.switch = alone.faults.trace("switch")

    def counted(self, do):
        """How many allocations do(plan) takes."""
        self.count.write_text("")
        do({"count": self.count, "skip": SPARED})
        return int(self.count.read_text())

    def put(self, plan):
        slot = self.alone.slot()
        answer = self.alone.put(slot, memory=plan)
        true(answer.status in (201, 500) and answer.exit_status in (0, 1, 2),
             f"PUT: {answer}")
        true(answer.status == 201 or answer.log, "no word")
        true(answer.status != 201 or self.alone.is_good(slot), "a wrong 201")
        true(self.alone.put(slot).status in (201, 409), "the PUT again")

    def get(self, plan):
        answer = self.alone.get(self.there, memory=plan)
        true(answer.status in (200, 500) and answer.exit_status in (0, 1, 2),
             f"GET: {answer}")
        true(answer.status == 200 or answer.log, "no word")
        true(answer.status != 200 or answer.body == self.there.body,
             "a wrong body")

    def cleanup(self, plan, *options):
        status, said = self.alone.cleanup(*options, memory=plan)
        true(status in (0, 1, 2), f"it ended with {status}: {said}")
        true(status == 0 or said, "no word")

    def fsck(self, plan):
        self.cleanup(plan, "--fsck")

    def component(self, plan):
        """From its start on."""
        with self.alone.component(memory=plan) as component:
            self.ask(component)
        self.ended_well(component)

    def requests(self, plan):
        """From the first request on."""
        with self.alone.component(
                memory={"switch": self.switch, **plan}) as component:
            self.switch.write_text("on")
            self.ask(component)
            self.switch.write_text("")
            if component.daemon.alive():
                # Or it waits for the answer that there was no memory for.
                true(component.slot(OWNER, 5), "no grant with memory")
        self.ended_well(component)

    def ask(self, component):
        if component.online:
            component.server.socket.settimeout(0.5)
        try:
            component.slot(OWNER, 5)
        except Refused as refused:
            equal(refused.kind, "wait", "kind of the error")
        except TimeoutError:
            component.daemon.wait_log("error: .*memory", 5)

    def ended_well(self, component):
        status = component.daemon.process.returncode
        said = component.daemon.log_text()
        true(status in (0, 1, 2), f"it ended with {status}: {said[-500:]}")
        true(status == 0 or said, "no word")

    def daemon(self, plan):
        """From the first request on."""
        slot = self.alone.slot()
        with self.alone.daemon(
                memory={"switch": self.switch, **plan}) as daemon:
            self.switch.write_text("on")
            answer = self.alone.ask_put(slot)
            self.switch.write_text("")
            true(answer.status in (201, 500), f"PUT: {answer}")
            true(answer.status == 201 or "error" in daemon.log_text(),
                 "no word")
            equal(self.alone.ask_put(slot).status,
                  409 if answer.status == 201 else 201, "PUT with memory")
        true(self.alone.is_good(slot), "it is not served")


def body(scenario):
    print(f"# PUTSLOT_SEED={SEED} PUTSLOT_MEMORY_POINTS={POINTS}", flush=True)
    if SANITIZED:
        print("# skipped: the sanitizers have a malloc of their own")
        return
    alone = Alone(scenario.site)
    alone.putslot.set("store", min_free="0 B")
    alone.putslot.set("web", threads=2)
    chance = random.Random(SEED)
    memory = Memory(alone)
    kinds = (memory.put, memory.get, memory.cleanup, memory.fsck,
             memory.component, memory.requests, memory.daemon)
    counts = {}
    with scenario.case("with memory, all works"):
        counts = {do: memory.counted(do) for do in kinds}
    for do, count in counts.items():
        print(f"# {do.__name__}: {count} allocations")
    for turn in range(POINTS):
        do = kinds[turn % len(kinds)]
        plan = {"fail": chance.randrange(1, counts[do] + 1), "skip": SPARED,
                "times": chance.choice((1, 1, 5, FOR_EVER))}
        memory.switch.write_text("")
        with scenario.case(f"{do.__name__}: {plan}"):
            do(plan)
    with scenario.case("after all this nothing is wrong"):
        alone.fsck()


run_scenario(body)
