#!/usr/bin/python3
"""Goal of this test: whatever is stopped, killed or started anew, slots that
were granted stay good, streams end in good order, and all find together again.
"""

import re
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import (JID, SECRET, Certificates, Lighttpd,  # noqa: E402
                     Prosody, Putslot, XmppClient, equal, request,
                     run_scenario, true, wait_for)
from harness.raw_component import RawServer  # noqa: E402
from harness.stanzas import PING  # noqa: E402

ENDS_AT_ONCE = 3  # seconds


def stop_in_time(site, daemon, seconds):
    """Ends a daemon by SIGTERM, with status 0 and within that time."""
    began = time.monotonic()
    site.stop(daemon)
    took = time.monotonic() - began
    true(took < seconds, f"{daemon.name} took {took:.1f} s to end")


# ---- what no XMPP server does at will ----

def without_server(site, putslot):
    component = putslot.start_component(wait=False)

    def waits():
        return [float(wait) for wait in re.findall(
            r"next attempt to connect is in ([0-9.]+) s",
            component.log_text())]
    first, second = wait_for(lambda: waits()[1:2] and waits()[:2],
                             "second attempt")
    true(first < second <= 2 * 2 * first, f"waits {first}, {second} s")
    stop_in_time(site, component, ENDS_AT_ONCE)


def closed_in_order(site, component, listening):
    with RawServer(listening, SECRET) as server:
        equal(server.jid, JID, "the component's name")
        # SQLite's side files must be the group's from the first.
        status = Path(f"/proc/{component.pid}/status").read_text()
        equal(re.search(r"Umask:\s*(\d+)", status)[1], "0007", "umask")
        true(server.right, "the handshake is wrong")
        server.send(f"<iq type='get' id='p' from='a@b' to='{JID}'>{PING}</iq>")
        equal(server.stanza().get("id"), "p", "id of the pong")
        component.signal(signal.SIGTERM)
        server.end()
        equal(component.process.wait(ENDS_AT_ONCE), 0, "exit status")
    site.stop(component)


def tag_in_pieces(site, component, listening):
    with RawServer(listening, SECRET) as server:
        start = f"<iq type='get' id='p' from='a@b' to='{JID}' x='"
        server.send(start + "x" * 6000)
        # Long enough for the first piece to be read by itself.
        time.sleep(0.2)
        server.send(f"x'>{PING}</iq>")
        equal(server.stanza().get("id"), "p", "id of the pong")
    site.stop(component)


def silent_server(site, component, listening):
    with RawServer(listening, SECRET):
        component.wait_log("connected to")
        stop_in_time(site, component, 10)


def broken_connection(site, component, listening):
    with RawServer(listening, SECRET):
        component.wait_log("connected to")
    component.wait_log("connection to 127.0.0.1 is lost")
    with RawServer(listening, SECRET) as server:
        true(server.right, "the second handshake is wrong")
        component.wait_log("(?s)connected to.*connected to")
        component.signal(signal.SIGINT)
        server.end()
        equal(component.process.wait(ENDS_AT_ONCE), 0, "exit status")
    site.stop(component)


STREAMS = {
    "SIGTERM: what was asked is answered, the stream closed, exit status 0":
        closed_in_order,
    "a long tag that comes in pieces is answered": tag_in_pieces,
    "SIGTERM ends it although the server says nothing": silent_server,
    "SIGINT and a broken connection, too": broken_connection,
}


def streams(scenario, putslot):
    site = scenario.site
    with scenario.case("without a server it tries again after growing waits, "
                       "and SIGTERM ends it at once"):
        without_server(site, putslot)
    address = ("127.0.0.1", putslot.component_port)
    with socket.create_server(address) as listening:
        listening.settimeout(30)
        for name, check in STREAMS.items():
            with scenario.case(name):
                check(site, putslot.start_component(wait=False), listening)


def body(scenario):
    site = scenario.site
    tls = Certificates(site)
    putslot = Putslot(site)
    web = Lighttpd(site, tls, putslot)
    putslot.set("web", put_url=web.url)
    prosody = Prosody(site, tls, putslot)
    streams(scenario, putslot)

    def slots(count):
        with XmppClient(prosody, "romeo") as romeo:
            return [romeo.slot(JID, 5) for _ in range(count)]

    def is_good(put, get):
        equal(request(tls, "PUT", put, b"fives").status, 201, "PUT")
        equal(request(tls, "GET", get).body, b"fives", "the body")

    servers = [prosody.start()]
    component = putslot.start_component()
    servers += [web.start(), putslot.start_fcgi()]

    with scenario.case("kill -9 of the component: it starts again, and its "
                       "slots are good"):
        before = slots(2)
        site.kill_daemon(component)
        is_good(*before[0])
        component = putslot.start_component()
        is_good(*before[1])
        is_good(*slots(1)[0])

    with scenario.case("kill -9 of putslot.fcgi: no slot, no file is lost"):
        awaited, stored = slots(2)
        is_good(*stored)
        site.kill_daemon(servers.pop())
        equal(request(tls, "GET", stored[1]).status // 100, 5, "status")
        servers.append(putslot.start_fcgi())
        # lighttpd leaves a program that was away alone for a second.
        wait_for(lambda: request(tls, "GET", stored[1]).status == 200,
                 "answer of the new putslot.fcgi")
        equal(request(tls, "GET", stored[1]).body, b"fives", "the body")
        is_good(*awaited)

    with scenario.case("slots from before a restart of every program are good: "
                       "no secret dies with a process"):
        before = slots(2)
        # Pulled out of life, and then in good order.
        for stop, slot in ((site.kill_daemon, before[0]),
                           (site.stop, before[1])):
            for daemon in [component, *servers]:
                stop(daemon)
            servers = [prosody.start()]
            component = putslot.start_component()
            servers += [putslot.start_fcgi(), web.start()]
            is_good(*slot)
        is_good(*slots(1)[0])

    with scenario.case("nothing of all this was damage"):
        putslot.cleanup("--fsck", "--grace", "0s")


run_scenario(body)
