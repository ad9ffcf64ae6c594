"""putslot's programs, each with a plan for its end, and what must hold then."""

import os
import random
import subprocess

from .alone import PUT_URL, Slot
from .cases import equal, true
from .cgi import cgi
from .faults import Faults
from .lone_component import LoneComponent
from .putslot import Putslot
from .site import SANITIZER
from .states import slot_states

PUBLIC_URL = "https://127.0.0.1:1/files/"
PURPOSES = ("message", "ephemeral")
SIZES = (1, 5, 70000)
KILLED = -9


class Bench:
    """A store with its programs, and what must be found in it.

    seed: of what the programs are given to do."""

    def __init__(self, site, seed):
        self.site = site
        self.random = random.Random(seed)
        self.faults = Faults(site)
        self.putslot = Putslot(site, PUT_URL)
        # Of the two purposes that slots have, one makes public files.
        self.putslot.set("store", public=self.putslot.public)
        self.putslot.set("web", public_url=PUBLIC_URL)
        self.putslot.set("rule one", match="one@example.org",
                         files_per_user=1, when_full="make room")
        self.putslot.set("rule all", match="*", slots_per_window="unlimited",
                         bytes_per_window="unlimited",
                         files_per_user="unlimited",
                         bytes_per_user="unlimited")
        self.kept = {}  # token: Slot, of all that were answered 201
        self.killed = False  # whether a plan came to its end

    # ---- the programs, with a plan or without ----

    def around(self, plan):
        return lambda argv: self.faults.around(argv, plan)

    def body(self):
        return self.random.randbytes(self.random.choice(SIZES))

    def slot(self, owner="juliet@example.org", purpose=None):
        body = self.body()
        token, secret = self.putslot.grant(
            len(body), owner=owner, purpose=purpose or self.random.choice(
                PURPOSES))
        return Slot(f"{PUT_URL}{token}/{secret}/file.bin",
                    f"{PUT_URL}{token}/file.bin", body)

    def put(self, slot, plan=None):
        """Its status; None: there was no answer."""
        answer = cgi(self.putslot, "PUT", slot.put, slot.body,
                     self.around(plan))
        self.killed |= answer.exit_status == KILLED
        if answer.status == 201:
            self.kept[slot.token] = slot
        return answer.status

    def stored(self, **request):
        slot = self.slot(**request)
        equal(self.put(slot), 201, "an undisturbed PUT")
        return slot

    def get(self, slot):
        """Whether it is there, and then whole."""
        answer = cgi(self.putslot, "GET", slot.get)
        true(answer.status in (200, 404), f"GET: {answer}")
        if answer.status == 200:
            equal(answer.body == slot.body, True, "the body is whole")
        return answer.status == 200

    def component(self, plan=None):
        return LoneComponent(self.putslot, self.around(plan))

    def ask(self, owner="juliet@example.org", plan=None):
        """The URLs of a slot for five bytes; None: there was no answer."""
        with self.component(plan) as component:
            urls = component.slot(owner, 5)
        self.killed |= component.killed
        return urls

    def use(self, urls):
        """Puts five bytes."""
        slot = Slot(*urls, b"fives")
        equal(self.put(slot), 201, "PUT")
        return slot

    def cleanup(self, *options, plan=None):
        """Its exit status."""
        argv = [self.site.bin / "putslot-cleanup", "-c", self.putslot.path,
                *options]
        done = subprocess.run(
            self.site.as_user(self.site.web_user,
                              self.faults.around(argv, plan)),
            capture_output=True, text=True, timeout=60)
        self.killed |= done.returncode == KILLED
        true(not SANITIZER.search(done.stderr), done.stderr)
        true(done.returncode in (0, 3, KILLED),
             f"putslot-cleanup {options}: {done}")
        return done.returncode

    # ---- what must hold whatever happened ----

    def fsck(self):
        equal(self.cleanup("--fsck", "--grace", "0s"), 0, "status of --fsck")

    def promises(self):
        """What was ever acknowledged is there, and whole."""
        states = slot_states(self.putslot)
        for token, slot in self.kept.items():
            equal(states.get(token), "S3", "state of an acknowledged upload")
        for slot in self.random.sample(sorted(
                self.kept.values(), key=lambda slot: slot.token),
                min(2, len(self.kept))):
            true(self.get(slot), "an acknowledged upload is not there")

    def state(self, token):
        return slot_states(self.putslot).get(token, "S0")

    # ---- what some operations begin with ----

    def anew(self):
        """Neither a database nor directories of bodies."""
        for path in self.putslot.store.glob("putslot.db*"):
            path.unlink()
        self.site.run(["rm", "-rf", *self.trees()])
        self.kept.clear()

    def trees(self):
        return self.putslot.bodies, self.putslot.public

    def leave_file(self, directory, name, content, when=None):
        """A file of the web side's, with either configuration."""
        path = self.random.choice(self.trees()) / directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.site.give(path.parent, self.site.web_user, 0o2770)
        self.site.give(path, self.site.web_user, 0o640)
        if when is not None:
            os.utime(path, (when, when))
        return path

    def leave_body(self, slot, content):
        """As a PUT that died between the link and the commit."""
        self.leave_file(slot.token[:2], slot.token, content)
