#!/usr/bin/python3
"""Goal of this test: whatever the XMPP server does wrong, the component says
what it was, comes back by itself, and neither spins nor grows meanwhile.

Each kind of mischief has a component and a listener of its own, and all run at
once: most of the time is spent waiting. PUTSLOT_XMPP_LONG=1 adds what takes
longer than a minute: a server that vanishes without a word.
"""

import concurrent.futures
import os
import re
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import JID, SECRET, Putslot, equal, run_scenario, true  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402
from harness.raw_component import NAMESPACE, STREAMS, RawServer  # noqa: E402
from harness.site import AS_ROOT  # noqa: E402
from harness.stanzas import PING  # noqa: E402

LONG = os.environ.get("PUTSLOT_XMPP_LONG") == "1"

HEADER = (f"<stream:stream xmlns='{NAMESPACE}' id='1' from='{JID}'"
          f" xmlns:stream='{STREAMS}'>")
END = "</stream:stream>"

LOGIN = 30  # seconds that a server gets to finish the handshake
BACK = 20  # seconds to be back, once there is somebody to come back to
GROWTH = 512  # KiB, of buffers that come with the first connections


def stream_error(condition):
    return (f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:"
            f"xmpp-streams'/></stream:error>{END}")


class Link:
    """A component, and its server's end."""

    def __init__(self, site, putslot, name):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.listening.settimeout(60)
        port = self.listening.getsockname()[1]
        text = re.sub(r"(?m)^port = \d+$", f"port = {port}",
                      putslot.path.read_text())
        name = name.replace(" ", "-")
        config = site.write(f"{name}.conf", text)
        self.daemon = site.start(
            name, [site.bin / "putslot-component", "-v", "-c", config],
            lambda: True, user=site.component_user, exit_status=0)
        self.daemon.wait_log("walls: ")  # all is open but the connection
        self.connections = 0

    def accept(self):
        connection, _ = self.listening.accept()
        connection.settimeout(60)
        self.connections += 1
        return connection

    def login(self):
        server = RawServer(self.listening, SECRET)
        true(server.right, "the handshake is wrong")
        self.connections += 1
        return server

    def treat(self, *said, read=True):
        """To the next connection says all that, and closes it."""
        with self.accept() as connection:
            if read:
                connection.recv(65536)
            for words in said:
                connection.sendall(words if isinstance(words, bytes)
                                   else words.encode())

    def after_login(self, *said):
        with self.login() as server:
            for words in said:
                server.socket.sendall(
                    words if isinstance(words, bytes) else words.encode())
            server.socket.shutdown(socket.SHUT_WR)
            while server.socket.recv(65536):
                pass


def is_answered(server, id):
    server.send(f"<iq type='get' id='{id}' from='a@b' to='{JID}'>{PING}</iq>")
    while server.stanza().get("id") != id:
        pass


# ---- mischief ----


def closes_at_once(link):
    until = time.monotonic() + 6
    while time.monotonic() < until:
        link.treat(read=False)


def resets(link):
    """RST instead of FIN."""
    with link.accept() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))


def logs_in_and_closes(link):
    until = time.monotonic() + 6
    while time.monotonic() < until:
        link.login().__exit__()


def says_nothing(link):
    began = time.monotonic()
    with link.accept() as connection:
        while connection.recv(65536):
            pass
    true(time.monotonic() - began >= LOGIN - 1, "its patience was short")


def says_half(link):
    with link.accept() as connection:
        connection.sendall(HEADER.encode())
        while connection.recv(65536):
            pass


def takes_no_answers(link):
    """Asks and asks, and reads nothing; then all it is owed."""
    with link.login() as server:
        pings = "".join(f"<iq type='get' id='p{i}' from='a@b' to='{JID}'>"
                        f"{PING}</iq>" for i in range(200))
        server.socket.settimeout(2)
        blocks = 0
        try:
            while blocks < 2000:
                server.send(pings)
                blocks += 1
        except TimeoutError:
            pass
        true(blocks < 2000, "the component never stopped reading")
        before = link.daemon.usage()
        time.sleep(3)
        after = link.daemon.usage()
        true(after.cpu - before.cpu < 0.3, f"{before}, 3 s later {after}")
        true(SANITIZED or after.memory < 16 * 1024,
             f"it holds {after.memory} KiB")


def is_slow(link):
    """A byte at a time: the opening, an answer, a request."""
    with link.accept() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(65536)
        request = f"<iq type='get' id='slow' from='a@b' to='{JID}'>{PING}</iq>"
        for byte in (HEADER + "<handshake/>" + request).encode():
            connection.sendall(bytes([byte]))
            time.sleep(0.002)
        came = b""
        while b"id='slow'" not in came:
            came += connection.recv(65536)


def vanishes(link):
    """Gone from the kernel without a packet: the other end cannot know."""
    server = link.login()
    is_answered(server, "before")
    server.socket.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR
    server.socket.close()


LOST = "the connection to 127.0.0.1 is lost|closed the stream|no connection"

# what happens: (who does it, what the log has to say)
MISCHIEF = {
    "closes at once, again and again": (closes_at_once, "no connection to"),
    "resets the connection": (resets, "no connection to"),
    "logs in and closes, again and again": (logs_in_and_closes, LOST),
    "is no XMPP server": (lambda link: link.treat(
        "HTTP/1.1 400 Bad Request\r\n\r\n<html><p>no</html>"), LOST),
    "speaks noise": (lambda link: link.treat(bytes(range(256)) * 64), LOST),
    "ends the stream before it begins": (lambda link: link.treat(END), LOST),
    "opens the stream and goes": (lambda link: link.treat(HEADER), LOST),
    "has another root": (lambda link: link.treat("<?xml version='1.0'?><a>"),
                         LOST),
    "does not know the component": (lambda link: link.treat(
        HEADER, stream_error("host-unknown")), "closed the stream"),
    "speaks noise after the login": (
        lambda link: link.after_login(b"\xff\xfe<<<&&&\0"), LOST),
    "breaks off in a stanza": (
        lambda link: link.after_login("<iq type='get' id='1' from='a@b"), LOST),
    "closes tags that were not open": (
        lambda link: link.after_login("</iq></iq></iq>"), LOST),
    "nests without end": (lambda link: link.after_login("<a>" * 100000), LOST),
    "shuts down in good order": (lambda link: link.after_login(END), LOST),
    "says system-shutdown": (lambda link: link.after_login(
        stream_error("system-shutdown")), "closed the stream"),
    "says conflict": (lambda link: link.after_login(stream_error("conflict")),
                      "says that .* is already connected: is another"),
    "takes no answers": (takes_no_answers, LOST),
    "speaks a byte at a time": (is_slow, "connected to"),
    "says nothing at all": (says_nothing, "does not finish the handshake"),
    # libstrophe's own patience, which is shorter here
    "stops in the handshake": (says_half, "did not reply to handshake"),
}
if LONG and AS_ROOT:
    MISCHIEF["vanishes"] = (vanishes, LOST)


def comes_back(link):
    """And does its work as if nothing had been; what it then has."""
    link.listening.settimeout(180 if LONG else 60)
    until = time.monotonic() + BACK
    while True:
        try:
            with link.login() as server:
                is_answered(server, "back")
                return link.daemon.usage()
        except ConnectionError:
            # It has tried while nobody listened, and given up.
            if time.monotonic() > until:
                raise


def suffer(link, mischief):
    """The usage before and after."""
    before = link.daemon.usage()
    mischief(link)
    return before, link.daemon.usage()


def check_usage(link, before, after, seconds):
    spent = after.cpu - before.cpu
    true(spent < 0.5 + seconds / 20, f"{spent:.2f} s of CPU in {seconds:.0f}")
    equal(after.threads, 1, "threads")
    if after.descriptors is not None:
        # the connection is there, or not any more, or not yet
        true(after.descriptors <= before.descriptors + 1,
             f"{before.descriptors} descriptors, then {after.descriptors}")


def everything(scenario, putslot):
    links = {name: Link(scenario.site, putslot, name) for name in MISCHIEF}
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(links)) as pool:
        suffering = {name: pool.submit(suffer, link, MISCHIEF[name][0])
                     for name, link in links.items()}
        for name, link in links.items():
            with scenario.case(f"the server {name}: the component says so and "
                               "is back"):
                before, after = suffering[name].result()
                link.daemon.wait_log(MISCHIEF[name][1])
                comes_back(link)
                check_usage(link, before, after, time.monotonic() - began)
    with scenario.case("growing waits leave a server that refuses in peace"):
        for name in ("closes at once, again and again",
                     "logs in and closes, again and again"):
            true(3 <= links[name].connections <= 6,
                 f"{links[name].connections} connections: {name}")
    for link in links.values():
        scenario.site.stop(link.daemon)
        link.listening.close()


def wrong_secret(scenario, putslot):
    with scenario.case("a refused secret is said, and not tried again soon"):
        link = Link(scenario.site, putslot, "wrong secret")
        before = link.daemon.usage()
        link.treat(HEADER, stream_error("not-authorized"))
        link.daemon.wait_log("refuses the secret of")
        wait = float(link.daemon.wait_log(
            r"next attempt to connect is in ([0-9.]+) s")[1])
        true(45 <= wait <= 75, f"it waits {wait} s")
        time.sleep(1)
        check_usage(link, before, link.daemon.usage(), 1)
        true(SECRET not in link.daemon.log_text(), "the secret is in the log")
        scenario.site.stop(link.daemon)


def half_open(scenario, putslot):
    """The kernel is told to find out; PUTSLOT_XMPP_LONG=1 waits for it."""
    with scenario.case("an idle connection is probed, so that a dead server "
                       "is noticed"):
        link = Link(scenario.site, putslot, "idle")
        with link.login() as server:
            is_answered(server, "1")
            time.sleep(0.5)  # until nothing waits to be acknowledged
            port = link.listening.getsockname()[1]
            timers = [line.split()[5] for line in
                      Path("/proc/net/tcp").read_text().splitlines()
                      if re.search(rf":{port:04X} 01 ", line)]
            true(timers and timers[0].startswith("02:"),  # keep-alive
                 f"timers {timers}")
            before = link.daemon.usage()
            time.sleep(2)
            equal(link.daemon.usage().cpu, before.cpu, "CPU of an idle link")
        scenario.site.stop(link.daemon)


def many_connections(scenario, putslot):
    """One component through one bad server after another."""
    with scenario.case("bad connections leave nothing behind in the process"):
        link = Link(scenario.site, putslot, "many")
        link.after_login("<a><b")
        first = comes_back(link)
        for said in ("", HEADER, HEADER + stream_error("conflict")):
            link.treat(said)
        last = comes_back(link)
        equal(last.threads, first.threads, "threads")
        equal(last.descriptors, first.descriptors, "descriptors")
        true(SANITIZED or last.memory - first.memory <= GROWTH,
             f"{first.memory} KiB, then {last.memory}")
        scenario.site.stop(link.daemon)


def body(scenario):
    putslot = Putslot(scenario.site)
    putslot.write_config()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # It waits long between connections: meanwhile, the others.
        waiting = pool.submit(many_connections, scenario, putslot)
        everything(scenario, putslot)
        wrong_secret(scenario, putslot)
        half_open(scenario, putslot)
        waiting.result()


run_scenario(body)
