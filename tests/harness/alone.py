"""putslot's programs without web and XMPP server, where things go wrong."""

import contextlib
import subprocess

from . import fastcgi
from .cases import equal, true
from .cgi import Answer, cgi
from .faults import Faults
from .lone_component import LoneComponent
from .putslot import Putslot
from .site import AS_ROOT, SANITIZER, accepts, wait_for

PUT_URL = "https://127.0.0.1:1/upload/"
OWNER = "juliet@example.org"


class Slot:
    """A slot, and the body that is meant for it."""

    def __init__(self, put, get, body):
        self.put = put
        self.get = get
        self.body = body
        self.token = get.split("/")[-2]


class Alone:
    """plans: what Faults.around takes, of one program that is started."""

    def __init__(self, site):
        self.site = site
        self.faults = Faults(site)
        self.putslot = Putslot(site, PUT_URL)
        self.putslot.set("rule all", match="*", slots_per_window="unlimited",
                         bytes_per_window="unlimited",
                         files_per_user="unlimited",
                         bytes_per_user="unlimited")

    def slot(self, body=b"fives", owner=OWNER):
        token, secret = self.putslot.grant(len(body), owner=owner)
        return Slot(f"{PUT_URL}{token}/{secret}/file.bin",
                    f"{PUT_URL}{token}/file.bin", body)

    @staticmethod
    def slot_of(urls, body):
        return Slot(*urls, body)

    # ---- the web side, a process for each request ----

    def put(self, slot, env=None, before=(), **plans):
        """The Answer; before: words before the command line."""
        return cgi(self.putslot, "PUT", slot.put, slot.body,
                   lambda argv: [*before, *self.faults.around(argv, **plans)],
                   env)

    def get(self, slot, env=None, before=(), **plans):
        return cgi(self.putslot, "GET", slot.get, b"",
                   lambda argv: [*before, *self.faults.around(argv, **plans)],
                   env)

    def stored(self, body=b"fives", **plans):
        slot = self.slot(body)
        equal(self.put(slot, **plans).status, 201, "PUT")
        return slot

    def is_good(self, slot):
        """Whether it is there; an error when it is not whole."""
        answer = self.get(slot)
        true(answer.status in (200, 404), f"GET: {answer}")
        true(answer.status == 404 or answer.body == slot.body,
             f"GET gave something else: {answer}")
        return answer.status == 200

    # ---- the web side as a daemon, spoken to without a web server ----

    @contextlib.contextmanager
    def daemon(self, before=(), **plans):
        site, putslot = self.site, self.putslot
        putslot.write_config()
        daemon = site.start(
            "putslot.fcgi",
            [*before, *self.faults.around(
                [site.bin / "putslot.fcgi", "-c", putslot.path], **plans)],
            lambda: putslot.socket.exists() and accepts(putslot.socket),
            user=site.web_user, exit_status=0)
        wait_for(lambda: "serving with" in daemon.log_text()
                 or not daemon.alive(), "service")
        try:
            yield daemon
            site.stop(daemon)
        except BaseException:
            if daemon in site.daemons:
                site.kill_daemon(daemon)
            raise

    def ask(self, method, url, body=b"", seconds=fastcgi.SECONDS):
        """The daemon's Answer."""
        pairs = {"REQUEST_METHOD": method, "SERVER_PROTOCOL": "HTTP/1.1",
                 "REQUEST_URI": url[len("https://127.0.0.1:1"):]}
        if method == "PUT":
            pairs["CONTENT_LENGTH"] = str(len(body))
        came = fastcgi.exchange(
            self.putslot.socket, fastcgi.request(pairs.items(), body),
            seconds)
        return Answer(fastcgi.output(came), "", None)

    def ask_put(self, slot):
        return self.ask("PUT", slot.put, slot.body)

    def ask_get(self, slot):
        return self.ask("GET", slot.get)

    # ---- the others ----

    def component(self, before=(), **plans):
        return LoneComponent(
            self.putslot,
            lambda argv: [*before, *self.faults.around(argv, **plans)])

    def cleanup(self, *options, before=(), env=None, **plans):
        """(exit status, output), which is UTF-8 whatever a database holds"""
        argv = [*before, *self.faults.around(
            [self.site.bin / "putslot-cleanup", "-c", self.putslot.path,
             *options], **plans)]
        done = subprocess.run(
            self.site.as_user(self.site.web_user, argv), encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            env=env)
        true(not SANITIZER.search(done.stdout), done.stdout)
        return done.returncode, done.stdout

    def fsck(self, *options):
        status, said = self.cleanup("--fsck", "--grace", "0s", *options)
        equal(status, 0, f"status of --fsck, which said {said!r}")


class SmallDisk:
    """A file system of its own at a directory, in a with statement."""

    def __init__(self, site, path, size, user):
        self.site = site
        self.path = path
        self.size = size
        self.options = f"mode=2770,uid={user},gid={site.group}"

    @staticmethod
    def reason():
        """Why there can be none here, or None."""
        if not AS_ROOT:
            return "only root can mount a small disk"
        tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs",
                                "none", "/mnt"], capture_output=True,
                               text=True)
        return tried.stderr.strip() or None

    def __enter__(self):
        self.site.run(["mount", "-t", "tmpfs", "-o",
                       f"size={self.size},{self.options}", "none", self.path])
        return self

    def __exit__(self, *_):
        # Lazily: what still runs will be killed after this.
        self.site.run(["umount", "-l", self.path])

    def remount(self, how):
        self.site.run(["mount", "-o", f"remount,{how}", self.path])

    def fill(self, leave=0):
        """Takes all the room but so many bytes, by a file of somebody's."""
        filler = self.path / "filler"
        with open(filler, "wb", buffering=0) as out:
            with contextlib.suppress(OSError):
                while True:
                    out.write(bytes(4096))
        size = filler.stat().st_size
        with open(filler, "r+b") as out:
            out.truncate(size - leave)

    def empty(self):
        (self.path / "filler").unlink(missing_ok=True)
