"""A day's programs, which may be stopped, killed, and asked for everything."""

import collections
import http.client
import signal
import socket
import threading
import time
import xml.etree.ElementTree as ET

from .http_client import request
from .putslot import JID, SECRET, Putslot
from .raw_component import RawServer
from .stanzas import slot_request, slot_urls
from .tls import Certificates
from .web_servers import Lighttpd

WINDOW = 4  # seconds for a PUT to begin, and as many to end
RETENTION = 10  # of messages
PICTURES = 3  # files of the purpose profile that a user keeps
RECOVERY = 3  # seconds after a restart in which a web server may answer 5xx


class Away(Exception):
    """A program was away: what was asked of it may have been done or not."""


class Totals:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()

    def add(self, what, count=1):
        with self.lock:
            self.counts[what] += count


class Day:
    """The programs, and who may ask them for what."""

    def __init__(self, site):
        self.site = site
        self.tls = Certificates(site)
        self.putslot = putslot = Putslot(site)
        self.web = Lighttpd(site, self.tls, putslot)
        putslot.set("web", put_url=self.web.url)
        putslot.set("timers", put_window=f"{WINDOW}s",
                    upload_timeout=f"{WINDOW}s")
        for name in ("message", "profile", "ephemeral", "permanent"):
            putslot.set(f"purpose {name}", enabled="yes",
                        slots_per_window="unlimited", window="1s")
        putslot.set("purpose message", retention=f"{RETENTION}s")
        putslot.set("purpose profile", files_per_user=PICTURES)
        self.listening = socket.create_server(
            ("127.0.0.1", putslot.component_port))
        self.listening.settimeout(30)
        self.totals = Totals()
        self.turn = threading.Lock()  # on the XMPP stream
        self.stream = None
        self.ids = 0
        self.disturbed = 0.0  # until then answers may be missing
        self.daemons = {name: None for name in (
            "putslot-component", "putslot.fcgi", "lighttpd")}
        for name in self.daemons:
            self.start(name)

    # ---- programs ----

    def start(self, name):
        if name == "putslot-component":
            self.daemons[name] = self.putslot.start_component(wait=False)
            self.stream = RawServer(self.listening, SECRET)
        elif name == "putslot.fcgi":
            self.daemons[name] = self.putslot.start_fcgi()
        else:
            self.daemons[name] = self.web.start()

    def restart(self, name, kill):
        self.disturbed = float("inf")
        daemon = self.daemons[name]
        if kill:
            self.site.kill_daemon(daemon)
        elif name == "putslot-component":
            daemon.signal(signal.SIGTERM)
        if name == "putslot-component":
            with self.turn:
                self.stream.socket.close()
                if not kill:
                    self.site.stop(daemon)
                self.start(name)
        else:
            if not kill:
                self.site.stop(daemon)
            self.start(name)
        self.disturbed = time.monotonic() + RECOVERY
        self.totals.add(f"{name} {'killed' if kill else 'restarted'}")

    def usage(self, names):
        return {name: self.daemons[name].usage() for name in names}

    # ---- requests ----

    def slot(self, owner, size, inside=""):
        """A slot's URLs; Refused, Away."""
        with self.turn:
            self.ids += 1
            id = f"s{self.ids}"
            try:
                self.stream.send(
                    f"<iq type='get' id='{id}' to='{JID}' from='{owner}/day'>"
                    f"{slot_request(size, inside=inside)}</iq>")
                answer = self.stream.stanza()
                while answer.get("id") != id:
                    answer = self.stream.stanza()
            except (OSError, ET.ParseError):
                raise Away from None
        return slot_urls(answer)

    def ask(self, method, url, body=None, headers=None):
        """An answer, or Away; 5xx is right only while programs restart."""
        began = time.monotonic()
        try:
            response = request(self.tls, method, url, body, headers)
            problem = response.status if response.status >= 500 else None
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
        if problem is None:
            return response
        if began > self.disturbed:
            raise AssertionError(f"{method}: {problem} on a calm day")
        raise Away
