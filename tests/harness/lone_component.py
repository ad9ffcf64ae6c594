"""putslot-component alone with the test, which is its XMPP server."""

import itertools
import signal
import socket
import subprocess

from .putslot import JID, SECRET
from .raw_component import SECONDS, RawServer
from .site import Daemon, wait_for
from .stanzas import slot_request, slot_urls


class LoneComponent:
    """Use it in a with statement, at whose end a living component is stopped.

    around(argv) may put words before the command line. Where the component
    dies, online is False and answers are None. After the end, killed says
    whether SIGKILL was what ended it.
    """

    def __init__(self, putslot, around=None):
        self.site = putslot.site
        self.ids = itertools.count()
        self.server = None
        self.killed = False
        with socket.create_server(
                ("127.0.0.1", putslot.component_port)) as listening:
            argv = [str(self.site.bin / "putslot-component"), "-c",
                    str(putslot.path)]
            self.daemon = self._start(around(argv) if around else argv)
            wait_for(lambda: self._accepts(listening)
                     or not self.daemon.alive() or self._gives_up(),
                     "connection or death")

    def _start(self, argv):
        """Not by Site.start, which takes an early death for an error."""
        log = self.site.path("log", "putslot-component")
        with open(log, "ab") as output:
            log_start = output.tell()
            process = subprocess.Popen(
                self.site.as_user(self.site.component_user, argv),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)
        daemon = Daemon("putslot-component", process, log, log_start, None)
        self.site.daemons.append(daemon)
        return daemon

    def _accepts(self, listening):
        listening.settimeout(0.02)
        try:
            self.server = RawServer(listening, SECRET)
        except TimeoutError:
            return False
        except (ConnectionError, AttributeError):
            return False  # it died while it logged in
        return True

    def _gives_up(self):
        return "the next attempt" in self.daemon.log_text()

    @property
    def online(self):
        return self.server is not None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.signal(signal.SIGTERM)
        if self.server:
            self._end_stream()
        self.killed = self.daemon.process.wait(SECONDS) == -signal.SIGKILL
        self.site.kill_daemon(self.daemon)

    def _end_stream(self):
        try:
            self.server.end()
        except ConnectionError:
            pass  # it died
        self.server.socket.close()

    def ask(self, user, xml, kind="get"):
        """The answer to an IQ from user; None when the component died."""
        if not self.online:
            return None
        id = str(next(self.ids))
        try:
            self.server.send(f"<iq type='{kind}' id='{id}' "
                             f"from='{user}/r' to='{JID}'>{xml}</iq>")
            while True:
                stanza = self.server.stanza()
                if stanza.get("id") == id:
                    return stanza
        except ConnectionError:
            return None

    def slots(self, user, sizes):
        """The URLs, as from slot, of what is granted of requests that are
        sent at once, until the component dies."""
        if not self.online:
            return []
        granted = []
        try:
            self.server.send("".join(
                f"<iq type='get' id='{next(self.ids)}' from='{user}/r'"
                f" to='{JID}'>{slot_request(size=size)}</iq>"
                for size in sizes))
            for _ in sizes:
                answer = self.server.stanza()
                if answer.get("type") == "result":
                    granted.append(slot_urls(answer))
        except ConnectionError:
            pass
        return granted

    def slot(self, user, size, **request):
        """(PUT URL, GET URL), or None when the component died."""
        answer = self.ask(user, slot_request(size=size, **request))
        return None if answer is None else slot_urls(answer)
