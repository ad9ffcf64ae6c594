"""Slot requests and their answers as XML, for whoever sends stanzas."""

import itertools
import re
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

UPLOAD = "urn:xmpp:http:upload:0"
LEGACY = "urn:xmpp:http:upload"
SIACS = "eu:siacs:conversations:http:upload"
PURPOSE = "urn:xmpp:http:upload:purpose:0"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
FORM = "jabber:x:data"
PING = "<ping xmlns='urn:xmpp:ping'/>"

# RFC 3986 section 3.3: unreserved characters and escapes, nothing else.
URL = re.compile(r"https://[a-z0-9.:]+(/([A-Za-z0-9._~-]|%[0-9A-F]{2})+)+")


def slot_request(size="5", name="file.bin", type=None, inside="", ns=UPLOAD):
    """<request/> with attributes; None leaves one out."""
    fields = (("filename", name), ("size", size), ("content-type", type))
    attributes = "".join(f" {key}={quoteattr(str(value))}"
                         for key, value in fields if value is not None)
    return f"<request xmlns='{ns}'{attributes}>{inside}</request>"


def child_request(size="5", name="file.bin", type=None, inside="", ns=LEGACY):
    """<request/> with child elements."""
    fields = (("filename", name), ("size", size), ("content-type", type))
    children = "".join(
        f"<{key}>{escape(str(value), {chr(13): '&#13;'})}</{key}>"
        for key, value in fields if value is not None)
    return f"<request xmlns='{ns}'>{children}{inside}</request>"


def purpose(name, **attributes):
    """A purpose's element; '_' in an attribute's name stands for '-'."""
    words = "".join(f" {key.replace('_', '-')}={quoteattr(value)}"
                    for key, value in attributes.items())
    return f"<{name} xmlns='{PURPOSE}'{words}/>"


class Refused(Exception):
    """An error answer: kind ("wait"), condition ("resource-constraint"), text
    ("" when there is none), retry (the stamp, or None), iq (the answer)."""

    def __init__(self, iq):
        error = child(iq, "error")
        conditions = [element for element in error
                      if element.tag.startswith(f"{{{STANZAS}}}")]
        self.iq = iq
        self.kind = error.get("type")
        self.condition = conditions[0].tag.split("}")[1]
        self.text = "".join(element.text or "" for element in conditions
                            if element.tag == f"{{{STANZAS}}}text")
        retry = error.find(f"{{{UPLOAD}}}retry")
        self.retry = None if retry is None else retry.get("stamp")
        super().__init__(f"{self.kind}/{self.condition} {self.text!r}")

    @property
    def what(self):
        return f"{self.kind}/{self.condition}"


def child(element, name):
    """The child of that local name, whatever its namespace; or an error."""
    for found in element:
        if found.tag.split("}")[-1] == name:
            return found
    raise LookupError(f"no <{name}/> in {ET.tostring(element, 'unicode')}")


def local(element):
    return element.tag.split("}")[-1]


def slot_urls(iq, ns=UPLOAD):
    """(PUT URL, GET URL) of an answer in that namespace, or Refused."""
    if iq.get("type") == "error":
        raise Refused(iq)
    slot = iq.find(f"{{{ns}}}slot")
    if slot is None:
        raise LookupError(ET.tostring(iq, "unicode"))
    urls = [slot.find(f"{{{ns}}}{name}") for name in ("put", "get")]
    if ns == UPLOAD:
        return tuple(element.get("url") for element in urls)
    return tuple(element.text for element in urls)


class Requester:
    """Asks and waits for the answer. What inherits it has answer(iq), which
    sends a whole <iq id='…'> and returns the answer as an Element."""

    namespace = "jabber:client"
    sender = None  # what it writes into from=
    _ids = itertools.count(1)

    def make_iq(self, payload, type="get", to=None):
        addresses = "".join(
            f" {key}={quoteattr(value)}"
            for key, value in (("to", to), ("from", self.sender)) if value)
        return (f"<iq xmlns='{self.namespace}' type='{type}'"
                f" id='test{next(Requester._ids)}'{addresses}>{payload}</iq>")

    def iq(self, payload, type="get", to=None):
        """Sends <iq> with that payload; the answer."""
        return self.answer(self.make_iq(payload, type, to))

    def slot(self, component, size, name="file.bin", type=None, inside=""):
        """Asks for a slot as XEP-0363 has it: (PUT URL, GET URL), or Refused.

        inside: child elements of the request, such as a purpose.
        """
        return slot_urls(self.iq(
            slot_request(size, name, type or None, inside), to=component))

    def refused(self, payload, to):
        """Sends <iq type='get'> with what must not be granted: the Refused."""
        answer = self.iq(payload, to=to)
        if answer.get("type") != "error":
            raise AssertionError(
                f"{payload} was granted: {ET.tostring(answer, 'unicode')}")
        return Refused(answer)
