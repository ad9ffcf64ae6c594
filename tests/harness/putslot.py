"""putslot's own programs in a site, and the database they share."""

import base64
import os
import re
import secrets
import sqlite3
from contextlib import closing

from .site import BUILD, accepts

DOMAIN = "example.org"
JID = "upload.example.org"
SECRET = "a secret of the tests"

# What looks for leaks at the end traces the program and reads /proc, which the
# walls are there to stop: a build with sanitizers runs without them.
SANITIZED = re.search(
    b"__[at]san_init", (BUILD / "putslot-cleanup").read_bytes()) is not None


def made():
    """A token, or a secret."""
    return base64.b32encode(secrets.token_bytes(17))[:26].decode().lower()


class Putslot:
    """Configuration, programs and database of one site.

    config is a dictionary of sections, as in putslot.conf; change it and call
    write_config. A section "rule …" comes where it stands in the dictionary.
    """

    def __init__(self, site, put_url=None):
        self.site = site
        self.store = site.make_directory(
            "store", 0o2770, site.component_user, site.group)
        self.run_directory = site.make_directory(
            "run", 0o2770, site.web_user, site.group)
        self.socket = self.run_directory / "fcgi.sock"
        self.database = self.store / "putslot.db"
        self.bodies = self.store / "bodies"
        self.public = self.store / "public"  # once the configuration has it
        self.path = site.path("putslot.conf")
        self.component_port = site.port()
        secret = site.write("secret", SECRET + "\n")
        site.give(secret, site.component_user, 0o400)
        self.config = {
            "component": {"jid": JID, "port": self.component_port,
                          "host": "127.0.0.1", "secret_file": secret},
            "store": {"database": self.database, "bodies": self.bodies,
                      "min_free": "1 MiB"},
            "web": {"put_url": put_url or "https://127.0.0.1:1/upload/",
                    "socket": self.socket, "socket_mode": "0660"},
        }
        if SANITIZED:
            self.config["walls"] = {"landlock": "no", "seccomp": "no"}

    def write_config(self):
        lines = []
        for section, keys in self.config.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {value}" for key, value in keys.items()]
        return self.site.write(self.path.name, "\n".join(lines) + "\n")

    def set(self, section, **keys):
        """Changes keys of the configuration and writes the file."""
        self.config.setdefault(section, {}).update(keys)
        return self.write_config()

    # ---- programs ----

    def start_fcgi(self, verbose=True):
        """putslot.fcgi, ready to answer on its socket."""
        self.write_config()
        return self.site.start(
            "putslot.fcgi",
            [self.site.bin / "putslot.fcgi", *["-v"] * verbose,
             "-c", self.path],
            lambda: self.socket.exists() and accepts(self.socket),
            user=self.site.web_user, exit_status=0)

    def start_component(self, wait=True, options=("-v",)):
        """putslot-component; with wait, until the XMPP server took it."""
        self.write_config()
        daemon = self.site.start(
            "putslot-component", [self.site.bin / "putslot-component",
                                  *options, "-c", self.path],
            lambda: True, user=self.site.component_user, exit_status=0)
        if wait:
            daemon.wait_log("connected")
        return daemon

    def cleanup(self, *options, status=0):
        """Runs putslot-cleanup; what it said."""
        self.write_config()
        return self.site.run(
            [self.site.bin / "putslot-cleanup", "-c", self.path, *options],
            user=self.site.cleanup_user, status=status)

    def grant(self, size, name="file.bin", type="", retention=3600,
              put_window=300, upload_timeout=300, owner="juliet@example.org",
              purpose="message", around=list):
        """A slot without XMPP: (token, secret). Durations in seconds; around
        may put more about the arguments of what grants it."""
        words = self.site.run(around(
            [self.site.bin / "grant", self.database, owner, purpose,
             name, type, str(size), str(put_window), str(upload_timeout),
             str(retention)]), user=self.site.component_user).split()
        return words[-2], words[-1]

    def grants(self, count, size, **more):
        """As many slots at once, without a program for each: [(token,
        secret)]. All but their names is as grant would have it."""
        first, _ = self.grant(size, **more)
        columns = ("owner, purpose, file_name, content_type, size, issued_at,"
                   " put_expires_at, put_ends_at, expires_at")
        slots = [(made(), made()) for _ in range(count)]
        with closing(sqlite3.connect(self.database, timeout=10)) as db, db:
            db.executemany(
                f"INSERT INTO slot (token, secret, {columns}) "
                f"SELECT ?, ?, {columns} FROM slot WHERE token = ?",
                [(*slot, first) for slot in slots])
            db.execute("DELETE FROM slot WHERE token = ?", (first,))
        return slots

    # ---- what they leave ----

    def sql(self, statement, *values):
        """As an administrator would type it into sqlite3; the rows."""
        before = os.umask(0o007)  # SQLite may have to make its files
        try:
            with closing(sqlite3.connect(self.database, timeout=10)) as db:
                with db:
                    return db.execute(statement, values).fetchall()
        finally:
            os.umask(before)

    def files(self):
        """The bodies on disk, by token; anything in flight under its path."""
        return {p.name: p for tree in (self.bodies, self.public)
                for p in tree.rglob("*") if p.is_file()}
