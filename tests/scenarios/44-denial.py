#!/usr/bin/python3
"""Goal of this test: one who asks for slots without end gets his own limits
and nobody else's patience; and nothing that a stranger may make long costs
more than its length.

The figures are printed. What is asserted is generous: the machine may have
other work."""

import os
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import (JID, SECRET, Lighttpd, Prosody,  # noqa: E402
                     equal, run_scenario, true)
from harness import fastcgi  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402
from harness.raw_component import RawComponent  # noqa: E402
from harness.stanzas import (UPLOAD, slot_request, slot_urls)  # noqa: E402
from harness.xmpp_cases import XmppBench  # noqa: E402
from harness.xmpp_servers import GATE  # noqa: E402

FLOOD = 4000  # requests
WINDOW = 50  # of them unanswered at a time
LIMIT = 20  # slots of the flooding user
RULES = 10000

# Sanitizers look at all of a string in each memrchr, and copy in each realloc:
# what is long is then a tenth as long.
if SANITIZED:
    RULES //= 10

# How much longer it may take for twice as much; 4 would be quadratic. What takes
# no more than a moment has no ratio worth the name, and a sanitizer's own work
# has one of its own: there only what grows out of all measure is a failure.
LINEAR = 3.3
MOMENT = 5 if SANITIZED else 0.2  # seconds


def seconds(call, *arguments, clock=time.monotonic):
    began = clock()
    call(*arguments)
    return clock() - began


def best(call, *arguments, of=5, **more):
    """The shortest of some, which other work disturbs least."""
    return min(seconds(call, *arguments, **more) for _ in range(of))


def cpu(daemon):
    """Seconds that it has computed."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2]
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


def ended_cpu():
    """Seconds that the programs have computed which this one has run."""
    return sum(os.times()[2:4])


def milliseconds(times):
    times = sorted(times)
    return (f"{statistics.median(times) * 1000:.1f} ms, "
            f"the slowest {times[-1] * 1000:.1f} ms")


# ---- a flood ----

class Flood(threading.Thread):
    """One user through a component of his own, WINDOW requests ahead."""

    def __init__(self, bench):
        super().__init__()
        self.gate = RawComponent(bench.server.gate, "flood.example.org",
                                 SECRET)
        self.user = self.gate.user("mallory")
        self.granted = self.refused = 0

    def run(self):
        asked = []
        for i in range(FLOOD + WINDOW):
            if i < FLOOD:
                asked.append(self.user.make_iq(slot_request(), to=JID))
                self.gate.send(asked[-1])
            if i >= WINDOW:
                answer = self.gate.answer_to(asked[i - WINDOW])
                if answer.get("type") == "result":
                    self.granted += 1
                else:
                    self.refused += 1


def asks(user):
    slot_urls(user.iq(slot_request(), to=JID))


def flood(scenario, bench):
    with scenario.case("who floods gets his limit, others slots in time"):
        user = bench.gate.user("honest")
        alone = [seconds(asks, user) for _ in range(100)]
        mallory = Flood(bench)
        began = time.monotonic()
        mallory.start()
        beside = []
        while mallory.is_alive():
            beside.append(seconds(asks, user))
        mallory.join()
        took = time.monotonic() - began
        print(f"# a slot alone: {milliseconds(alone)}; beside {FLOOD} "
              f"requests in {took:.1f} s ({FLOOD / took:.0f} a second): "
              f"{milliseconds(beside)}, {len(beside)} of them")
        equal((mallory.granted, mallory.refused), (LIMIT, FLOOD - LIMIT),
              "what the flood got")
        true(len(beside) > 10, "the flood was too short to measure")
        true(max(beside) < 2, f"one waited for {max(beside):.1f} s")
        equal(bench.putslot.sql(
            "SELECT count(*) FROM slot WHERE owner LIKE 'mallory%'"),
            [(LIMIT,)], "slots of the flood")


# ---- long things ----

def doubled(scenario, name, call, make, size, clock=time.monotonic):
    """call(make(n)) for a size and twice that."""
    with scenario.case(f"{name}: twice as long takes twice the time"):
        once, twice = make(size), make(size * 2)
        call(once)
        first = best(call, once, clock=clock)
        second = best(call, twice, clock=clock)
        print(f"# {name}: {first * 1000:.1f} ms, of twice the size "
              f"{second * 1000:.1f} ms")
        true(second < max(first * LINEAR, MOMENT), "it is worse than linear")


def http(scenario, bench):
    get = "/" + bench.stored(bench.gate.user("honest")).split("/", 3)[3]

    def ask(pairs):
        answer = fastcgi.exchange(bench.putslot.socket,
                                  fastcgi.request(pairs))
        true(b"Status: " in answer, f"no answer: {answer!r}")

    def of(uri=get, **headers):
        return [("REQUEST_METHOD", "GET"), ("REQUEST_URI", uri),
                ("SERVER_PROTOCOL", "HTTP/1.1"), *headers.items()]

    million = 10 ** 5 if SANITIZED else 10 ** 6
    for name, make in (
            ("ranges", lambda n: of(HTTP_RANGE="bytes=" + "9-," * n)),
            ("commas in a range", lambda n: of(HTTP_RANGE="bytes=" + "," * n)),
            ("digits of a range", lambda n: of(
                HTTP_RANGE="bytes=" + "9" * n + "-")),
            ("tags", lambda n: of(HTTP_IF_NONE_MATCH='"a",' * n)),
            ("a tag without an end", lambda n: of(
                HTTP_IF_NONE_MATCH='"' + "a" * n)),
            ("a date", lambda n: of(HTTP_IF_MODIFIED_SINCE="a" * n)),
            ("slashes", lambda n: of("/" * n + get)),
            ("dot segments", lambda n: of("/." * n + get)),
            ("escapes", lambda n: of(get + "%41" * n)),
            ("a scheme", lambda n: of("a" * n + "://" + "a" * n + get)),
            ("a query", lambda n: of(get + "?" + "/" * n)),
            ("parameters", lambda n: [("HTTP_A", "")] * (n // 10) + of())):
        doubled(scenario, name, ask, make, million)


def stanzas(scenario, bench):
    user = bench.gate.user("honest")

    def ask(payload):
        user.iq(payload, to=JID)

    def computing():
        return cpu(bench.component)

    def request(inside="", name="a"):
        return (f"<request xmlns='{UPLOAD}' filename='{name}' size='5'>"
                f"{inside}</request>")

    kib100 = 100000
    for name, make in (
            ("a file name", lambda n: request(name="a" * n)),
            ("a file name of two bytes each", lambda n: request(
                name="\u00e9" * (n // 2))),
            ("a file name that is all wrong", lambda n: request(
                name="\u202e/" * (n // 4))),
            ("text in a request", lambda n: request("a" * n)),
            ("elements within each other", lambda n: request(
                "<a>" * (n // 7) + "</a>" * (n // 7)))):
        # What Prosody makes of it is not for us to judge.
        doubled(scenario, name, ask, make, kib100, computing)
    # libstrophe's list of children has no end to add to: docs/security.md
    # says what to do about it, with these figures.
    with scenario.case("10,000 children are answered, and then others"):
        for count in (2500, 5000, 10000):
            took = seconds(ask, request("<a/>" * count), clock=computing)
            print(f"# a stanza of {count * 4 // 1000} kB with {count} "
                  f"children: {took:.2f} s computing")
        asks(user)


def size_limit(scenario, bench):
    with scenario.case("the XMPP server's size limit keeps such stanzas away"):
        before = cpu(bench.component)
        client = bench.client("juliet")
        gone = client.loop.create_future()
        client.stream.add_event_handler(
            "disconnected", lambda _: gone.done() or gone.set_result(True))
        client.send(client.make_iq(
            f"<request xmlns='{UPLOAD}'>{'<a/>' * 40000}</request>", to=JID))
        client.wait(gone)
        client.stream.abort()
        asks(bench.gate.user("honest"))
        true(cpu(bench.component) - before < 0.5, "it came through")


# ---- many rules ----

def rules(scenario, bench):
    def configure(count):
        config = {k: v for k, v in bench.plain.items()}
        for i in range(count):
            config[f"rule r{i}"] = {"match": f"user{i}@{GATE}",
                                    "files_per_user": "1000000"}
        config["rule last"] = {"match": "*", "slots_per_window": "unlimited"}
        bench.putslot.config = config
        bench.putslot.write_config()

    def check():
        bench.site.run([bench.site.bin / "putslot-component", "-n", "-c",
                        bench.putslot.path], user=bench.site.component_user)

    with scenario.case(f"{RULES} rules are read in a moment"):
        configure(RULES // 2)
        first = best(check, of=3, clock=ended_cpu)
        configure(RULES)
        second = best(check, of=3, clock=ended_cpu)
        print(f"# {RULES // 2} rules are read in {first:.2f} s, {RULES} in "
              f"{second:.2f} s")
        true(second < max(first * LINEAR, MOMENT), "it is worse than linear")
    with scenario.case(f"{RULES} rules cost a request next to nothing"):
        bench.site.stop(bench.component)
        bench.component = bench.putslot.start_component()
        user = bench.gate.user("last")
        times = [seconds(asks, user) for _ in range(50)]
        print(f"# a slot by the last of {RULES} rules: {milliseconds(times)}")
        true(statistics.median(times) < 0.1, "it takes too long")


def body(scenario):
    bench = XmppBench(scenario.site, Prosody, Lighttpd)
    bench.start()
    bench.putslot.config["rule mallory"] = {
        "match": "mallory@flood.example.org", "slots_per_window": LIMIT}
    bench.putslot.config["rule everyone"] = {
        "match": "*", "slots_per_window": "unlimited",
        "files_per_user": "unlimited", "bytes_per_window": "unlimited"}
    bench.site.stop(bench.component)
    bench.component = bench.putslot.start_component()
    flood(scenario, bench)
    http(scenario, bench)
    stanzas(scenario, bench)
    size_limit(scenario, bench)
    rules(scenario, bench)
    bench.close()


run_scenario(body)
