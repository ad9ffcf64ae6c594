"""XMPP cases about who may upload at all: see xmpp_cases."""

from .cases import equal
from .putslot import JID
from .stanzas import LEGACY, UPLOAD, child_request, slot_request
from .xmpp_cases import DENIED, GUESTS_DENIED, case, same_children
from .xmpp_servers import GUESTS, OTHER_DOMAIN, STRANGER


def is_denied(refused):
    equal(refused.what, "auth/forbidden", "the answer")


@case("by default not anyone gets a slot, only the parent domain's accounts")
def _(bench):
    bench.slot(bench.romeo)
    with bench.client("juliet") as juliet:
        bench.slot(juliet)
    with bench.client(STRANGER, OTHER_DOMAIN) as stranger:
        is_denied(bench.refused(stranger, slot_request()))
        equal(bench.refused(stranger, child_request(ns=LEGACY)).what,
              "cancel/not-allowed", "the answer in the older form")
    is_denied(bench.refused(bench.gate.user("juliet"), slot_request()))
    is_denied(bench.refused(bench.gate.itself(), slot_request()))


@case("by default no anonymous user gets a slot")
def _(bench):
    with bench.client("", GUESTS) as guest:
        is_denied(bench.refused(guest, slot_request()))


@case("the denied get the administrator's text, in listing 13's very form",
      phase="rules")
def _(bench):
    with bench.client("plebs") as client:
        for plebs in (client, bench.gate.user("plebs")):
            answer = bench.ask(plebs, name="très cool.jpg", size=23456,
                               type="image/jpeg")
            equal((answer.get("type"), answer.get("from")), ("error", JID))
            same_children(answer, f"""<request xmlns='{UPLOAD}'
                filename='très cool.jpg' size='23456'
                content-type='image/jpeg'/>
                <error type='auth'>
                <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
                <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{DENIED}
                </text></error>""")


@case("an anonymous domain can be denied, with a text", phase="rules")
def _(bench):
    with bench.client("", GUESTS) as guest:
        refused = bench.refused(guest, slot_request())
        is_denied(refused)
        equal(refused.text, GUESTS_DENIED, "the text")


@case("a rule admits a gateway by its bare domain, and nobody else of it",
      phase="rules")
def _(bench):
    _, get = bench.slot(bench.gate.itself())
    equal(bench.row(get, "owner"), ("gate.example.org",), "the owner")
    is_denied(bench.refused(bench.gate.user("nobody"), slot_request()))


@case("the first rule that matches counts, whatever the resource",
      phase="rules")
def _(bench):
    for resource in ("", "/a", "/b/@gate.example.org", "/plebs@example.org"):
        small = bench.gate.user("small", resource)
        bench.slot(small, 20000)
        equal(bench.refused(small, slot_request(20001)).what,
              "modify/not-acceptable", f"answer to {small.sender}")
    bench.slot(bench.romeo)  # by the last one
