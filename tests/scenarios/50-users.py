#!/usr/bin/python3
"""Goal of this test: component, web side and cleanup as three users, as
contrib/systemd sets them up: whoever starts first, whoever is killed, whatever
the umask, all can go on with the database and its side files; the component
cannot get at the bodies, and nobody else at anything.

The users have numbers and no names, so that nothing of the machine changes.
Without root there are no other users, and nothing to show.
"""

import contextlib
import itertools
import os
import shutil
import socket
import stat
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import JID, SECRET, Putslot, equal, run_scenario, true  # noqa: E402
from harness import fastcgi  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402
from harness.raw_component import RawServer  # noqa: E402
from harness.site import AS_ROOT  # noqa: E402
from harness.stanzas import slot_request, slot_urls  # noqa: E402

COMPONENT, WEB, CLEANUP, WEB_SERVER, STRANGER = range(61201, 61206)
GROUP, BODIES, WEB_GROUP = 61211, 61212, 61213

UMASKS = ("000", "022", "077")
NAMES = ("component", "web", "cleanup")


class House:
    """An installation, as putslot.sysusers and putslot.tmpfiles make it."""

    def __init__(self, site):
        self.site = site
        site.group = GROUP
        site.component_user, site.web_user = COMPONENT, WEB
        site.cleanup_user = CLEANUP
        site.more_groups = {WEB: [BODIES], CLEANUP: [BODIES]}
        self.putslot = Putslot(site)
        # Set-group-ID, so that the socket becomes the web server's.
        shutil.chown(self.putslot.run_directory, WEB, WEB_GROUP)
        self.listening = socket.create_server(
            ("127.0.0.1", self.putslot.component_port))
        self.listening.settimeout(30)
        self.running = {}  # name: daemon
        self.stream = None
        self.count = 0

    def empty(self):
        """As on the first day."""
        store = self.putslot.store
        shutil.rmtree(store)
        for path, user, group in ((store, 0, GROUP),
                                  (self.putslot.bodies, WEB, BODIES)):
            path.mkdir()
            shutil.chown(path, user, group)
            path.chmod(0o2771 if path == store else 0o2770)

    # ---- programs ----

    def start(self, name, umask="022"):
        """Starts one, or has the cleanup run, under that umask."""
        if name == "cleanup":
            return self.cleanup(umask)
        before = os.umask(int(umask, 8))
        try:
            if name == "web":
                self.running[name] = self.putslot.start_fcgi()
            else:
                self.running[name] = self.putslot.start_component(wait=False)
                self.stream = RawServer(self.listening, SECRET)
        finally:
            os.umask(before)

    def cleanup(self, umask="022"):
        before = os.umask(int(umask, 8))
        try:
            return self.putslot.cleanup("-v")
        finally:
            os.umask(before)

    def kill(self, name):
        self.site.kill_daemon(self.running.pop(name))
        if name == "component":
            self.stream.__exit__()

    def stop_web(self):
        self.site.stop(self.running.pop("web"))

    def stop(self):
        self.stream.__exit__()  # or the component would wait for its end
        for name in list(self.running):
            self.site.stop(self.running.pop(name))

    # ---- what they are for ----

    def slot(self):
        self.count += 1
        self.stream.send(f"<iq type='get' id='s{self.count}' to='{JID}' "
                         f"from='juliet@example.org/x'>{slot_request()}</iq>")
        return slot_urls(self.stream.stanza())

    def ask(self, method, url, body=b""):
        """As the web server would; the whole answer."""
        path = url[url.index("/upload/"):]
        return fastcgi.output(fastcgi.exchange(
            self.putslot.socket, fastcgi.request(
                [("REQUEST_METHOD", method), ("REQUEST_URI", path),
                 ("CONTENT_LENGTH", str(len(body)))], body)))

    def is_well(self):
        """Everybody does his work."""
        put, get = self.slot()
        answer = self.ask("PUT", put, b"fives")
        true(b"Status: 201" in answer, f"PUT: {answer[:200]}")
        answer = self.ask("GET", get)
        true(answer.endswith(b"\r\n\r\nfives"), f"GET: {answer[:200]}")
        token = get.split("/")[-2]
        self.putslot.sql("DELETE FROM slot WHERE token = ?", token)
        self.cleanup()
        true(token not in self.putslot.files(), "cleanup left the file")

    def check_modes(self):
        for path in self.putslot.store.rglob("*"):
            status = path.stat()
            inside = path.is_relative_to(self.putslot.bodies)
            mode = (0o2770 if path.is_dir() else 0o640 if inside else 0o660)
            equal((oct(stat.S_IMODE(status.st_mode)), status.st_gid),
                  (oct(mode), BODIES if inside else GROUP), str(path))


def orders(scenario, house):
    for order in itertools.permutations(NAMES):
        with scenario.case(f"first {order[0]}, then {order[1]}, then "
                           f"{order[2]}, under three umasks"):
            house.empty()
            for name, umask in zip(order, UMASKS):
                # Of nothing, cleanup makes nothing.
                if name == "cleanup" and not house.running:
                    said = house.putslot.cleanup(status=1)
                    true("No such file" in said, said)
                else:
                    house.start(name, umask)
            house.is_well()
            house.check_modes()
            house.stop()
            house.check_modes()


def deaths(scenario, house):
    """Side files stay when their last user is killed; SQLite's next user, who
    is another one, has to go on with them."""
    for last, first in itertools.permutations(NAMES[:2]):
        for umask in UMASKS:
            with scenario.case(f"{first} killed, then {last}; {last} starts "
                               f"first, umask {umask}"):
                house.empty()
                for name in (first, last):
                    house.start(name, umask)
                house.is_well()
                house.kill(first)
                house.kill(last)
                true(house.putslot.database.with_name(
                    "putslot.db-wal").exists(), "no side file was left")
                house.check_modes()
                house.start(last, umask)
                house.cleanup(umask)
                house.start(first, umask)
                house.is_well()
                house.check_modes()
                house.stop()

    with scenario.case("after both were killed, cleanup comes first"):
        house.empty()
        for name in ("web", "component"):
            house.start(name)
        put, get = house.slot()
        house.kill("component")
        house.kill("web")
        house.cleanup("077")
        house.check_modes()
        for name in ("component", "web"):
            house.start(name)
        true(b"Status: 201" in house.ask("PUT", put, b"fives"), "PUT")
        house.is_well()
        house.check_modes()


class Borders:
    """What each user can read of a house with one upload, and change."""

    def __init__(self, house):
        self.house = house
        self.site, self.putslot = house.site, house.putslot
        put, get = house.slot()
        house.ask("PUT", put, b"fives")
        self.body = self.putslot.files()[get.split("/")[-2]]
        self.secret = self.site.path("secret")
        database = self.putslot.database
        self.everything = [
            self.putslot.path, self.secret, database, self.putslot.store,
            database.with_name("putslot.db-wal"),
            database.with_name("putslot.db-shm"),
            self.putslot.bodies, self.body.parent, self.body]
        self.show_configuration()

    def show_configuration(self):
        """To the group, as after each change of it."""
        shutil.chown(self.putslot.path, 0, GROUP)
        self.putslot.path.chmod(0o640)

    def reads(self, user, *paths):
        """Which of them the user can read."""
        return [path for path in paths if self.site.run(
            ["sh", "-c", 'cat "$1" 2>&1 >/dev/null || ls "$1" 2>&1 >/dev/null',
             "sh", path], user=user, status=None) == ""]

    @contextlib.contextmanager
    def group(self, group, *more):
        """What runs meanwhile runs in it; the web server in more as well."""
        self.site.group = group
        self.site.more_groups[WEB_SERVER] = list(more)
        try:
            yield
        finally:
            self.site.group = GROUP

    # ---- who can do what ----

    def component(self):
        site, bodies = self.site, self.putslot.bodies
        equal(self.reads(COMPONENT, self.body, self.body.parent, bodies), [],
              "reads")
        for command in ("touch", "rm -f", "mkdir"):
            said = site.run([*command.split(), bodies / "new"],
                            user=COMPONENT, status=None)
            true("denied" in said or command == "rm -f", f"{command}: {said}")
        true(not (bodies / "new").exists(), "it made a file")
        site.run(["rm", "-f", self.body], user=COMPONENT, status=None)
        true(self.body.exists(), "it removed a body")
        said = site.run(["stat", "-f", "-c", "%a", bodies], user=COMPONENT)
        true(int(said) > 0, "it cannot ask for the free space")
        true("min_free is left" not in
             self.house.running["component"].log_text(),
             "the component could not ask for the free space")

    def readers_of_the_secret(self):
        for user in (WEB, CLEANUP):
            equal(self.reads(user, self.secret), [], "reads")
        equal(self.reads(COMPONENT, self.secret), [self.secret], "reads")

    def outsiders(self):
        connect = ["/usr/bin/python3", "-c", "import socket, sys; socket.socket"
                   "(socket.AF_UNIX).connect(sys.argv[1])", self.putslot.socket]
        groups = {STRANGER: STRANGER, WEB_SERVER: WEB_GROUP}
        for user, group in groups.items():
            with self.group(group):
                equal(self.reads(user, *self.everything), [],
                      f"what {user} can read")
                self.site.run(connect, user=user,
                              status=0 if user == WEB_SERVER else 1)

    def sender_of_files(self):
        with self.group(WEB_GROUP, BODIES):
            equal(self.reads(WEB_SERVER, *self.everything), [self.body],
                  "what it can read")

    def server_of_public_files(self):
        public = self.publish()
        with self.group(WEB_GROUP):
            equal(self.reads(WEB_SERVER, *self.everything, public), [public],
                  "what it can read")
            for path in public, public.parent / "new":
                self.site.run(["sh", "-c", 'echo x > "$1"', "sh", path],
                              user=WEB_SERVER, status=None)
            self.site.run(["rm", "-f", public], user=WEB_SERVER, status=None)
            equal(list(public.parent.iterdir()), [public], "the files")
            equal(public.read_bytes(), b"fives", "the public file")
        with self.group(STRANGER):
            equal(self.reads(STRANGER, public), [], "what a stranger can read")
        self.putslot.sql("DELETE FROM slot WHERE token = ?", public.name)
        self.house.cleanup()
        true(public.name not in self.putslot.files(), "cleanup left the file")

    def publish(self):
        """The path of an upload to a house that makes them public."""
        house, putslot = self.house, self.putslot
        house.stop_web()
        make_public(putslot.public)
        putslot.set("store", public=putslot.public)
        putslot.set("web", public_url="https://127.0.0.1:1/files/")
        house.start("web", "077")
        put, get = house.slot()
        true(b"Status: 201" in house.ask("PUT", put, b"fives"), "PUT")
        public = putslot.public / body_path(get)
        equal(public.read_bytes(), b"fives", "the public file")
        self.show_configuration()
        return public


def borders(scenario, house):
    there = Borders(house)
    with scenario.case("the component cannot read, list or change the bodies"):
        there.component()
    with scenario.case("web side and cleanup cannot read the secret, the "
                       "component can"):
        there.readers_of_the_secret()
    with scenario.case("a stranger reads nothing and cannot connect; the web "
                       "server can connect and reads nothing"):
        there.outsiders()
    with scenario.case("a web server that sends files reads the bodies, and "
                       "nothing else"):
        there.sender_of_files()
    with scenario.case("a web server that serves public files reads those, and "
                       "changes nothing"):
        there.server_of_public_files()


def body_path(get):
    token = get.split("/")[-2]
    return f"{token[:2]}/{token}"


def make_public(path):
    """As the lines in putslot.tmpfiles do: the web server may read, which is
    inherited."""
    user, group, more, mask, other = 0x01, 0x04, 0x08, 0x10, 0x20
    entries = ((user, 7, -1), (group, 7, -1), (more, 5, WEB_GROUP),
               (mask, 7, -1), (other, 0, -1))
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHi", *entry) for entry in entries)
    path.mkdir()
    shutil.chown(path, WEB, BODIES)
    path.chmod(0o2770)
    for kind in "access", "default":
        os.setxattr(path, f"system.posix_acl_{kind}", acl)


def walls(scenario, house):
    """What the programs say of their walls is so."""
    for name in ("component", "web"):
        with scenario.case(f"{name}: the log says which walls stand"):
            daemon = house.running[name]
            said = daemon.wait_log(r"walls: (.*); (.*)$")
            print(f"{name}: {said[0]}")
            status = Path(f"/proc/{daemon.pid}/status").read_text()
            true("\nNoNewPrivs:\t1\n" in status, "NoNewPrivs")
            equal("\nSeccomp:\t2\n" in status, said[2] == "seccomp", "seccomp")
            true(SANITIZED or said[2] == "seccomp" or "archi" in said[2],
                 said[2])
            equal(os.stat(f"/proc/{daemon.pid}/environ").st_uid, 0,
                  "owner of what a dumpable process leaves to its user")
    with scenario.case("cleanup says it when asked to say more"):
        true("walls: " in house.cleanup(), "it said nothing")
        true("walls: " not in house.putslot.cleanup(), "it said so unasked")


def body(scenario):
    if not AS_ROOT:
        with scenario.case("left out: there is one user alone without root"):
            return
    house = House(scenario.site)
    orders(scenario, house)
    deaths(scenario, house)
    walls(scenario, house)
    borders(scenario, house)
    with scenario.case("nothing of all this was damage"):
        house.putslot.cleanup("--fsck", "--grace", "0s")
    house.stop()
    house.listening.close()


run_scenario(body)
