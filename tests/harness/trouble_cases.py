"""XMPP cases about a database or a server that fails: see xmpp_cases."""

import subprocess
import time

from .cases import equal, true
from .putslot import JID
from .site import AS_ROOT, wait_for
from .stanzas import PING, Refused, slot_request, slot_urls
from .xmpp_cases import case


class Shell:
    """An administrator's sqlite3 that stays open."""

    def __init__(self, database):
        self.process = subprocess.Popen(
            ["sqlite3", "-batch", "-cmd", ".timeout 5000", str(database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)

    def do(self, statements):
        """Runs them to their end."""
        self.process.stdin.write(f"{statements}\n.print done\n")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), "done\n", "sqlite3's answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@case("a database locked for too long is a wait error, logged, and no more",
      phase="trouble")
def _(bench):
    user = bench.gate.user("one")
    with Shell(bench.putslot.database) as shell:
        shell.do("BEGIN EXCLUSIVE;")
        began = time.monotonic()
        refused = bench.refused(user, slot_request())
        true(time.monotonic() - began > 0.9, "nobody waited for the lock")
        equal(refused.kind, "wait", "kind of the error")
        true(refused.text, "no text")
        bench.component.wait_log("database is locked")
        equal(user.iq(PING, to=JID).get("type"), "result", "the pong")
        shell.do("ROLLBACK;")
    bench.slot(user)


@case("a lock shorter than busy_timeout is waited for", phase="trouble")
def _(bench):
    user = bench.gate.user("one")
    with Shell(bench.putslot.database) as shell:
        shell.do("BEGIN EXCLUSIVE;")
        request = user.make_iq(slot_request(), to=JID)
        bench.gate.send(request)
        time.sleep(0.3)  # how long the lock is held
        shell.do("ROLLBACK;")
    slot_urls(bench.gate.answer_to(request))


@case("a database that has become unusable is a wait error until it is well",
      phase="trouble")
def _(bench):
    user = bench.gate.user("one")
    with Shell(bench.putslot.database) as shell:
        shell.do("ALTER TABLE slot RENAME TO gone;")
        answers = [user.iq(slot_request(), to=JID) for _ in range(2)]
        shell.do("ALTER TABLE gone RENAME TO slot;")
    for answer in answers:
        equal(Refused(answer).kind, "wait", "kind of the error")
    bench.component.wait_log("no such table|SQL logic error")
    bench.slot(user)


@case("a database that cannot be read, or not be written, ends the component, "
      "with the reason", phase="trouble")
def _(bench):
    bench.site.stop(bench.component)
    mode = bench.putslot.database.stat().st_mode
    try:
        for wrong in (0, 0o400):
            bench.putslot.database.chmod(wrong)
            said = bench.site.run(
                [bench.site.bin / "putslot-component",
                 "-c", bench.putslot.path],
                user=bench.site.component_user, status=1)
            true(str(bench.putslot.database) in said, said)
    finally:
        bench.putslot.database.chmod(mode)
        bench.component = bench.putslot.start_component()
    bench.slot(bench.gate.user("one"))


@case("a wrong secret is logged as such and tried again; SIGTERM still ends it",
      phase="trouble")
def _(bench):
    bench.site.stop(bench.component)
    component = bench.putslot.config["component"]
    right = component["secret_file"]
    component["secret_file"] = bench.site.write("wrong", "not this\n")
    bench.site.give(component["secret_file"], bench.site.component_user, 0o400)
    try:
        daemon = bench.putslot.start_component(wait=False)
        daemon.wait_log("refuses the secret of upload.example.org")
        daemon.wait_log("the next attempt to connect is in [4-7][0-9]")
        true("not this" not in daemon.log_text(), "the secret is in the log")
        bench.site.stop(daemon)
    finally:
        component["secret_file"] = right
        bench.component = bench.putslot.start_component()
    bench.slot(bench.romeo)


@case("a second component of the same name does not stop the service",
      phase="trouble")
def _(bench):
    second = bench.putslot.start_component(wait=False)
    # Prosody keeps the first one, ejabberd shares out among both.
    second.wait_log("already connected: is another component running"
                    if bench.server.name == "prosody" else "connected to")
    for _ in range(4):
        bench.slot(bench.romeo)
    bench.site.stop(second)
    bench.slot(bench.romeo)


@case("the component comes back by itself after the XMPP server's restart",
      phase="trouble")
def _(bench):
    put, get = bench.slot(bench.romeo)
    before = bench.component.log_text().count("connected to")
    bench.close()
    bench.site.stop(bench.xmpp)
    bench.component.wait_log("the next attempt to connect")
    bench.xmpp = bench.server.start()
    bench.connect()
    equal(bench.put(put, b"fives").status, 201, "PUT of an old slot")
    wait_for(lambda: bench.component.log_text().count("connected to") > before,
             "connection of the component")
    bench.slot(bench.romeo)
    equal(bench.get(get).status, 200, "GET")
