"""A second external component, by a stream of our own (XEP-0114).

Through it the tests are as many users as they like, a gateway, and a sender of
stanzas that no client's connection would let pass.
"""

import hashlib
import re
import socket
import xml.etree.ElementTree as ET

from .stanzas import PING, Requester

NAMESPACE = "jabber:component:accept"
STREAMS = "http://etherx.jabber.org/streams"
SECONDS = 30


class RawComponent:
    """Connected from the start. Use it in a with statement."""

    def __init__(self, address, jid, secret):
        self.jid = jid
        self.socket = socket.create_connection(address, SECONDS)
        self.parser = ET.XMLPullParser(("start", "end"))
        self.events = iter(())
        self.depth = 0
        self.early = {}  # answers that nobody has asked for yet, by id
        self.send(f"<stream:stream xmlns='{NAMESPACE}' to='{jid}'"
                  f" xmlns:stream='{STREAMS}'>")
        id = self._next("start").get("id")
        digest = hashlib.sha1((id + secret).encode()).hexdigest()
        self.send(f"<handshake>{digest}</handshake>")
        handshake = self.stanza()
        if not handshake.tag.endswith("}handshake"):
            raise PermissionError(ET.tostring(handshake, "unicode"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, xml):
        self.socket.sendall(xml.encode())

    def _next(self, wanted):
        """The next event of that kind at the stream's own level."""
        while True:
            for event, element in self.events:
                self.depth += 1 if event == "start" else -1
                if event == wanted and self.depth == 1:
                    return element
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed the stream")
            self.parser.feed(data)
            self.events = self.parser.read_events()

    def stanza(self):
        """The next whole stanza."""
        return self._next("end")

    def answers(self, iqs):
        """Sends all at once; the answers in the order of the requests."""
        self.send("".join(iqs))
        return [self.answer_to(iq) for iq in iqs]

    def answer_to(self, iq):
        """The answer to an IQ that has been sent."""
        id = re.search("id='([^']*)'", iq)[1]
        while id not in self.early:
            stanza = self.stanza()
            self.early[stanza.get("id")] = stanza
        return self.early.pop(id)

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
