"""A second external component, by a stream of our own (XEP-0114).

Through it the tests are as many users as they like, a gateway, and a sender of
stanzas that no client's connection would let pass. And the other end of such a
stream, for what no XMPP server does at will.
"""

import hashlib
import itertools
import re
import select
import socket
import xml.etree.ElementTree as ET

from .putslot import JID
from .stanzas import PING, Requester

NAMESPACE = "jabber:component:accept"
STREAMS = "http://etherx.jabber.org/streams"
SECONDS = 30
NUDGE = "nudge"  # begins the id of what RawComponent sends in silence
SILENCE = 0.5  # seconds; a busy server is rarely silent for so long


class RawStream:
    """One end of an XMPP stream. Use it in a with statement."""

    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(SECONDS)
        self.parser = ET.XMLPullParser(("start", "end"))
        self.received = bytearray()
        self.events = iter(())
        self.seen = 0  # events
        self.whole = True  # whether the parser has had all in one piece
        self.depth = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, xml):
        self.socket.sendall(xml.encode())

    def _next(self, wanted):
        """The next event of that kind at the stream's own level; None when
        the stream or the connection has ended."""
        while True:
            for event, element in self.events:
                self.seen += 1
                self.depth += 1 if event == "start" else -1
                if self.depth == 0:
                    return None
                if event == wanted and self.depth == 1:
                    return element
            if not self._more():
                return None

    def _more(self):
        """Waits for more to read; false when the connection has ended.

        A patched expat puts off a long tag that came in pieces until there is
        much more: when nothing comes, all is parsed anew, in one piece.
        """
        if not self.whole and not select.select([self.socket], (), (), 0.2)[0]:
            self.parser = ET.XMLPullParser(("start", "end"))
            self.parser.feed(bytes(self.received))
            self.events = itertools.islice(
                self.parser.read_events(), self.seen, None)
            self.whole = True
            return True
        data = self.socket.recv(65536)
        self.received += data
        self.parser.feed(data)
        self.events = self.parser.read_events()
        self.whole = False
        return bool(data)

    def stanza(self):
        """The next whole stanza."""
        stanza = self._next("end")
        if stanza is None:
            raise ConnectionError("the stream has ended")
        return stanza


class RawServer(RawStream):
    """An XMPP server for one component, which it has accepted."""

    def __init__(self, listening, secret):
        connected, _ = listening.accept()
        super().__init__(connected)
        self.jid = self._next("start").get("to")
        self.send(f"<stream:stream xmlns='{NAMESPACE}' id='a&quot;b'"
                  f" from='{self.jid}' xmlns:stream='{STREAMS}'>")
        digest = hashlib.sha1(('a"b' + secret).encode()).hexdigest()
        self.right = self.stanza().text == digest
        self.send("<handshake/>")

    def end(self):
        """Waits for the component's </stream:stream>, and answers it."""
        while self._next("end") is not None:
            pass
        if self.depth > 0:
            raise ConnectionError("the component did not close its stream")
        self.send("</stream:stream>")


class RawComponent(RawStream):
    """Connected from the start."""

    def __init__(self, address, jid, secret):
        super().__init__(socket.create_connection(address, SECONDS))
        self.jid = jid
        self.online = False
        self.nudges = 0  # since an answer was last awaited
        self.early = {}  # answers that nobody has asked for yet, by id
        self.send(f"<stream:stream xmlns='{NAMESPACE}' to='{jid}'"
                  f" xmlns:stream='{STREAMS}'>")
        id = self._next("start").get("id")
        digest = hashlib.sha1((id + secret).encode()).hexdigest()
        self.send(f"<handshake>{digest}</handshake>")
        handshake = self.stanza()
        if not handshake.tag.endswith("}handshake"):
            raise PermissionError(ET.tostring(handshake, "unicode"))
        self.online = True

    def answers(self, iqs):
        """Sends all at once; the answers in the order of the requests."""
        self.send("".join(iqs))
        return [self.answer_to(iq) for iq in iqs]

    def answer_to(self, iq):
        """The answer to an IQ that has been sent."""
        id = re.search("id='([^']*)'", iq)[1]
        self.nudges = 0
        while id not in self.early:
            stanza = self.stanza()
            self.early[stanza.get("id")] = stanza
        return self.early.pop(id)

    def stanza(self):
        while True:
            stanza = super().stanza()
            if not stanza.get("id", "").startswith(NUDGE):
                return stanza

    def _more(self):
        """With a patched expat the XMPP server, too, puts off long tags that
        came in pieces, ours and the service's: so that what hangs moves on,
        some more is sent to and fro over both streams."""
        if self.online and self.whole and not select.select(
                [self.socket], (), (), SILENCE)[0]:
            self.nudges += 1
            if self.nudges > SECONDS / SILENCE:
                raise TimeoutError("no answer, whatever else was asked")
            for i in range(8):
                self.send(f"<iq type='get' id='{NUDGE}{i}{'x' * 1000}'"
                          f" from='nudge@{self.jid}' to='{JID}'>{PING}</iq>")
        return super()._more()

    def until_ping(self, to):
        """What has come, and comes before the answer to a ping sent now."""
        ping = self.user("ping").make_iq(PING, to=to)
        id = re.search("id='([^']*)'", ping)[1]
        self.send(ping)
        came = list(self.early.values())
        self.early.clear()
        while True:
            stanza = self.stanza()
            if stanza.get("id") == id:
                return came
            came.append(stanza)

    def user(self, name, resource="/somewhere"):
        """A Requester whose stanzas come from name@ this component."""
        return GateUser(self, f"{name}@{self.jid}{resource}")

    def itself(self):
        """A Requester whose stanzas come from the component's bare domain."""
        return GateUser(self, self.jid)


class GateUser(Requester):
    namespace = NAMESPACE

    def __init__(self, component, sender):
        self.component = component
        self.sender = sender

    @property
    def bare(self):
        return self.sender.split("/")[0]

    def answer(self, iq):
        return self.component.answers([iq])[0]

    def answers(self, iqs):
        return self.component.answers(iqs)
