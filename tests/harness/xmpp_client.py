"""An XMPP client whose calls return when the answer is there."""

import asyncio
import os
import re
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId

from .putslot import DOMAIN
from .stanzas import Requester
from .xmpp_servers import PASSWORD

SECONDS = 30  # for a login, and for any answer


class XmppClient(Requester):
    """slixmpp, logged in from the start. Use it in a with statement.

    name "": anonymous. plugins: of slixmpp, to be registered before the login.
    stream is the slixmpp client itself, for what has no method here.
    """

    def __init__(self, server, name="juliet", domain=DOMAIN,
                 password=PASSWORD, plugins=()):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        os.environ["SSL_CERT_FILE"] = str(server.tls.ca)
        self.jid = f"{name}@{domain}" if name else domain
        self.stream = slixmpp.ClientXMPP(self.jid, password)
        self.stream.loop = self.loop
        self.stream.ca_certs = str(server.tls.ca)
        for plugin in plugins:
            self.stream.register_plugin(plugin)
        started = self.loop.create_future()
        self.stream.add_event_handler("session_start", lambda _: (
            started.done() or started.set_result(True)))
        self.stream.add_event_handler("failed_all_auth", lambda _: (
            started.done() or started.set_exception(
                PermissionError("login refused"))))
        self.stream.connect(("127.0.0.1", server.port))
        self.wait(started)

    def wait(self, awaitable, seconds=SECONDS):
        return self.loop.run_until_complete(
            asyncio.wait_for(awaitable, seconds))

    def send(self, xml):
        """Sends any text on the stream; waits for nothing."""
        self.stream.send_raw(xml)

    def answer(self, iq, seconds=SECONDS):
        """Sends a whole <iq id='…'>; the answer with its id, an Element."""
        return self.answers([iq], seconds)[0]

    def answers(self, iqs, seconds=SECONDS):
        """Sends all at once; the answers in the order of the requests."""
        return self.collect(self.ask(iqs), seconds)

    def ask(self, iqs):
        """Sends all at once and does not wait: something for collect."""
        futures = [self._expect(re.search("id='([^']*)'", iq)[1])
                   for iq in iqs]
        for iq in iqs:
            self.send(iq)
        return asyncio.gather(*futures)

    def collect(self, asked, seconds=SECONDS):
        return self.wait(asked, seconds)

    def _expect(self, id):
        future = self.loop.create_future()

        def arrived(stanza):
            # A copy through text: slixmpp goes on to use its own.
            future.done() or future.set_result(
                ET.fromstring(ET.tostring(stanza.xml)))

        self.stream.register_handler(
            Callback(id, MatcherId(id), arrived, once=True))
        return future

    def close(self):
        if self.loop.is_closed():
            return
        self.wait(self.stream.disconnect())
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(
            asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
