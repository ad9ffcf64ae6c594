"""XMPP cases about discovery, ping, version and what is not for us: see
xmpp_cases."""

import random
import xml.etree.ElementTree as ET

from xml.sax.saxutils import quoteattr

from .cases import equal, true
from .putslot import DOMAIN, JID
from .stanzas import (DISCO_INFO, DISCO_ITEMS, FORM, LEGACY, PING, PURPOSE,
                      SIACS, STANZAS, UPLOAD, URL, slot_request, slot_urls)
from .xmpp_cases import case

VERSION = "jabber:iq:version"
QUERY = f"<query xmlns='{DISCO_INFO}'/>"
ALWAYS = {DISCO_INFO, DISCO_ITEMS, "urn:xmpp:ping", VERSION, UPLOAD, LEGACY,
          SIACS}


def disco(who):
    """(identities, features, forms) as who sees them; a form is a list of
    (var, type, value)."""
    query = who.iq(QUERY, to=JID).find(f"{{{DISCO_INFO}}}query")
    forms = [[(field.get("var"), field.get("type"),
               field.findtext(f"{{{FORM}}}value"))
              for field in form.iter(f"{{{FORM}}}field")]
             for form in query.findall(f"{{{FORM}}}x[@type='result']")]
    features = [feature.get("var")
                for feature in query.findall(f"{{{DISCO_INFO}}}feature")]
    equal(len(set(features)), len(features), "number of different features")
    return ([dict(identity.attrib) for identity in query.findall(
        f"{{{DISCO_INFO}}}identity")], set(features), forms)


def purposes(who):
    return {feature.split("#")[1] for feature in disco(who)[1]
            if feature.startswith(PURPOSE)}


def form(namespace, size):
    return [("FORM_TYPE", "hidden", namespace),
            ("max-file-size", "text-single", str(size))]


@case("disco#info names the service, its features and the enabled purposes")
def _(bench):
    identities, features, _ = disco(bench.romeo)
    equal(identities, [{"category": "store", "type": "file",
                        "name": "HTTP File Upload"}], "the identities")
    equal(features, ALWAYS | {f"{PURPOSE}#{name}" for name in (
        "message", "profile", "ephemeral")}, "the features")


@case("max-file-size is a plain decimal, in the form of :0 first")
def _(bench):
    equal(disco(bench.romeo)[2], [form(UPLOAD, 100 * 2 ** 20 + 16),
                                  form(LEGACY, 100 * 2 ** 20 + 16)],
          "the forms")


@case("disco#info differs where the rules differ", phase="rules")
def _(bench):
    small, premium, plebs, nobody, boundless = (
        bench.gate.user(name) for name in
        ("small", "premium", "plebs", "nobody", "boundless"))
    equal(purposes(small), {"message", "profile"}, "purposes of small")
    equal(disco(small)[2], [form(UPLOAD, 20000), form(LEGACY, 20000)],
          "forms for small")
    equal(purposes(premium), {"message", "profile", "ephemeral", "permanent"},
          "purposes of premium")
    equal(disco(premium)[2][0], form(UPLOAD, 5 * 2 ** 30), "form for premium")
    equal(purposes(plebs), set(), "purposes of the denied")
    equal(purposes(nobody), set(), "purposes of somebody without a rule")
    equal(disco(boundless)[2], [], "forms for whom nothing limits")


@case("disco#items is empty, and there is nothing at any node")
def _(bench):
    items = bench.romeo.iq(f"<query xmlns='{DISCO_ITEMS}'/>", to=JID)
    equal((items.get("type"), len(items), len(items[0])), ("result", 1, 0),
          "the items")
    for namespace in (DISCO_INFO, DISCO_ITEMS):
        refused = bench.refused(
            bench.romeo, f"<query xmlns='{namespace}' node='x'/>")
        equal(refused.what, "cancel/item-not-found", "the answer for a node")


@case("the server lists the service among its own items")
def _(bench):
    answer = bench.romeo.iq(f"<query xmlns='{DISCO_ITEMS}'/>", to=DOMAIN)
    items = [item.get("jid") for item in answer.iter(
        f"{{{DISCO_ITEMS}}}item")]
    true(JID in items, f"the items are {items}")


@case("a ping is answered, and the version told")
def _(bench):
    pong = bench.romeo.iq(PING, to=JID)
    equal((pong.get("type"), pong.get("from"), len(pong)),
          ("result", JID, 0), "the pong")
    version = bench.romeo.iq(f"<query xmlns='{VERSION}'/>", to=JID)
    equal(version.findtext(f"{{{VERSION}}}query/{{{VERSION}}}name"),
          "putslot", "the name")
    true(version.findtext(f"{{{VERSION}}}query/{{{VERSION}}}version"),
         "no version")


@case("any other get or set is answered service-unavailable")
def _(bench):
    for type, to, payload in (
            ("get", JID, "<vCard xmlns='vcard-temp'/>"),
            ("set", JID, "<query xmlns='jabber:iq:register'/>"),
            ("set", JID, QUERY), ("set", JID, PING),
            ("set", JID, slot_request()),
            ("get", JID, slot_request(ns="urn:xmpp:http:upload:1")),
            ("get", JID, f"<slot xmlns='{UPLOAD}'/>"),
            ("get", JID, "<request xmlns=''/>"),
            ("get", f"juliet@{JID}", slot_request()),
            ("get", f"{JID}/resource", slot_request())):
        answer = bench.romeo.iq(payload, type, to)
        equal((answer.get("type"), answer.get("from")), ("error", to),
              f"type and sender of the answer to {payload}")
        true(answer.find(f".//{{{STANZAS}}}service-unavailable") is not None,
             f"{payload} is answered {ET.tostring(answer, 'unicode')}")


@case("a malformed get or set is answered bad-request")
def _(bench):
    # By whoever finds it first. Prosody forgets to answer what has no element
    # when it comes from a component, and answers a client itself.
    gate, two = bench.gate.user("mallory"), PING + QUERY
    for who, payload, type in (
            (bench.romeo, "", "get"), (bench.romeo, "", "set"),
            (bench.romeo, "text", "get"), (gate, two, "get"),
            (gate, two, "set"), (gate, PING, "fetch")):
        answer = who.iq(payload, type, JID)
        equal(answer.get("type"), "error", "type")
        true(answer.find(f".//{{{STANZAS}}}bad-request") is not None,
             f"{type} {payload!r}: {ET.tostring(answer, 'unicode')}")


@case("a get without an id is answered bad-request")
def _(bench):
    user = bench.gate.user("mallory")
    bench.gate.until_ping(JID)
    bench.gate.send(f"<iq type='get' from='{user.sender}' to='{JID}'>{PING}"
                    "</iq>")
    [answer] = bench.gate.until_ping(JID)
    true(answer.find(f".//{{{STANZAS}}}bad-request") is not None,
         ET.tostring(answer, "unicode"))


@case("results, errors, messages and presence are ignored")
def _(bench):
    user = bench.gate.user("mallory")
    bench.gate.until_ping(JID)
    for type in ("result", "error"):
        bench.gate.send(user.make_iq("", type, JID))
        bench.gate.send(user.make_iq(slot_request(), type, JID))
    for stanza in ("<message {}><body>hello</body></message>",
                   "<message type='chat' {}><body>hello</body></message>",
                   "<message type='groupchat' {}><body>hello</body></message>",
                   "<message type='error' {}/>", "<message {}/>",
                   "<presence {}/>", "<presence type='subscribe' {}/>",
                   "<presence type='probe' {}/>",
                   "<presence type='unavailable' {}/>",
                   "<presence type='error' {}/>"):
        bench.gate.send(stanza.format(f"from='{user.sender}' to='{JID}'"))
    came = bench.gate.until_ping(JID)
    equal([ET.tostring(stanza, "unicode") for stanza in came], [], "answers")


@case("a stanza of thousands of elements is answered")
def _(bench):
    user = bench.gate.user("mallory")
    for inside in ("<x/>" * 5000, "<x>" * 200 + "</x>" * 200,
                   "<message xmlns='urn:xmpp:http:upload:purpose:0'/>" * 900):
        answer = user.iq(f"<request xmlns='{UPLOAD}'>{inside}</request>",
                         to=JID)
        equal(answer.get("type"), "error", "type of the answer")


# What a request may be made of, by someone who has read too much source.
NAMES = ("request", "query", "ping", "slot", "filename", "size", "message",
         "content-type", "ephemeral", "profile", "x", "a" * 300)
SPACES = (UPLOAD, LEGACY, SIACS, PURPOSE, DISCO_INFO, DISCO_ITEMS, VERSION,
          "urn:xmpp:ping", "", "jabber:client", "urn:other", "%s%n%s")
KEYS = ("filename", "size", "content-type", "node", "expire-before",
        "xml:lang", "type", "id", "to")
VALUES = ("", "5", "-5", "9" * 30, "x" * 3000, "..", "a/b", "%n%s%x", "\u202e",
          "2099-01-01T00:00:00Z", "image/png", "\U0001f600" * 99, "\t\n",
          "&<>'",
          "' OR 1=1; --", "\u0085\u2028", "\ufffd", "é" * 256)


def odd_element(dice, depth=0):
    attributes = "".join(
        f" {key}={quoteattr(dice.choice(VALUES))}"
        for key in dice.sample(KEYS, dice.randrange(4)))
    name, inside = dice.choice(NAMES), ""
    if depth < 4:
        inside = "".join(odd_element(dice, depth + 1)
                         for _ in range(dice.randrange(4)))
    if dice.random() < 0.3:
        inside += quoteattr(dice.choice(VALUES))[1:-1].replace("<", "&lt;")
    return (f"<{name} xmlns={quoteattr(dice.choice(SPACES))}{attributes}>"
            f"{inside}</{name}>")


@case("five hundred odd requests are all answered, and do no harm")
def _(bench):
    dice, user = random.Random(363), bench.gate.user("mallory")
    answers = user.answers([
        user.make_iq(odd_element(dice), dice.choice(("get", "set")), JID)
        for _ in range(500)])
    equal({answer.get("type") for answer in answers}, {"error", "result"},
          "the types of the answers")
    _, features, _ = disco(bench.romeo)
    true(UPLOAD in features, "the service is not what it was")


@case("requests of every odd part are answered in the form of the request")
def _(bench):
    dice, user = random.Random(366), bench.gate.user("mallory")
    iqs = []
    for _ in range(200):
        fields = {key: dice.choice(VALUES) for key in dice.sample(
            ("size", "name", "type"), dice.randrange(4))}
        iqs.append(user.make_iq(slot_request(
            inside=odd_element(dice), ns=dice.choice((UPLOAD, LEGACY, SIACS)),
            **fields), to=JID))
    for answer in user.answers(iqs):
        equal(answer.get("type"), "error", "mallory is granted something")
        true(answer.find(f".//{{{STANZAS}}}text") is not None, "no text")
        true(answer.find("{*}request") is not None, "no request in the error")


@case("what is granted to odd requests has sound URLs, and can be used",
      phase="trouble")
def _(bench):
    dice, user = random.Random(82), bench.gate.user("mallory")
    granted = 0
    for answer in user.answers([user.make_iq(slot_request(
            5, dice.choice(VALUES), dice.choice((None, *VALUES)),
            odd_element(dice)), to=JID) for _ in range(150)]):
        if answer.get("type") == "result":
            put, get = slot_urls(answer)
            true(URL.fullmatch(put) and URL.fullmatch(get), put)
            equal(bench.put(put, b"fives").status, 201, f"PUT {put}")
            equal(bench.get(get).body, b"fives", "the body")
            granted += 1
    true(granted > 5, f"only {granted} of them were granted")
