"""Sends what no good client would, and checks what holds for every answer.

The tables are hostile_inputs and hostile_framing. Besides the status, of each
answer is checked that it is well-formed, that it tells no secret and no path,
that it comes from whom it should (see hostile_inputs), and with the headers
that all of putslot's have; and after each input that nothing has changed on
the disk or in the database, except by a PUT that was to be stored.
"""

import re
import ssl
from dataclasses import dataclass

from .cases import equal, true
from .http_cases import Bench, no_leftovers
from .hostile_inputs import INPUTS, Own
from . import hostile_framing  # noqa: F401  it fills INPUTS

# How long an answer may take; and how long to wait for one that must not come.
SECONDS = 20
SILENCE = 1

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9]) ?([ -~]*)")
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*"
                    rb"([\t -~\x80-\xff]*?)[ \t]*")

POLICY = b"content-security-policy"
EVERY_ANSWER = {
    b"access-control-allow-origin": b"*", b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"cross-origin"}


class Malformed(Exception):
    pass


@dataclass
class Answer:
    status: int
    headers: dict  # by lower-case name; a repeated one is malformed
    body: bytes

    def is_ours(self):
        return b"access-control-allow-origin" in self.headers

    def told(self):
        """As it is written in the tables."""
        return self.status if self.is_ours() else Own(self.status)


# ---- reading, strictly ----

def head_of(data):
    """(status, headers, what is behind them)."""
    head, end, rest = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    status = STATUS_LINE.fullmatch(lines[0])
    if not status or not end:
        raise Malformed(f"no head: {data[:200]!r}")
    headers = {}
    for line in lines[1:]:
        match = HEADER.fullmatch(line)
        name = match and match[1].lower()
        if not match or name in headers and name != POLICY:
            raise Malformed(f"a header that is none, or again: {line!r}")
        # Of several policies all hold.
        before = headers[name] + b", " if name in headers else b""
        headers[name] = before + match[2]
    return int(status[1]), headers, rest


def dechunked(data):
    """(body, what is behind it)."""
    body = b""
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end or not re.fullmatch(rb"[0-9a-fA-F]+", size):
            raise Malformed(f"no chunk: {size[:50]!r}")
        size = int(size, 16)
        body += data[:size]
        if data[size:size + 2] != b"\r\n":
            raise Malformed("a chunk has no end")
        data = data[size + 2:]
        if size == 0:
            return body, data


def answers_in(data):
    """The answers that follow each other on a connection."""
    found = []
    while data:
        status, headers, data = head_of(data)
        if status < 200 or status in (204, 304):
            body = b""
        elif headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            body, data = dechunked(data)
        elif b"content-length" in headers:
            length = int(headers[b"content-length"])
            if len(data) < length:
                raise Malformed(f"{len(data)} of {length} bytes")
            body, data = data[:length], data[length:]
        else:
            body, data = data, b""
        found.append(Answer(status, headers, body))
    return found


def exchange(bench, raw, seconds=SECONDS):
    """All that comes back until the connection ends, or is silent."""
    data = b""
    with bench.raw() as connection:
        connection.socket.settimeout(seconds)
        try:
            connection.send(raw)
        except OSError:
            pass  # it was refused before its end: the answer may be there
        try:
            while chunk := connection.read():
                data += chunk
        except TimeoutError:
            true(not data, f"no end after {data[:200]!r}")
        except (ConnectionError, ssl.SSLError):
            pass  # what was left unread is answered with a reset
    return data


# ---- one input ----

class Target:
    """A slot that awaits its upload and a stored file, among which and behind
    which nothing may change."""

    def __init__(self, bench):
        self.bench = bench
        token, secret = bench.putslot.grant(5, type="text/plain")
        put = f"{bench.web.url}{token}/{secret}/file.bin"
        equal(bench.put(put, b"there").status, 201, "status of the PUT")
        self.words = {"G": token, "H": secret}
        self.fresh()

    def fresh(self):
        self.words["T"], self.words["S"] = self.bench.putslot.grant(
            5, type="text/plain")
        self.before = self.state()

    def state(self):
        """What is in the database and on the disk."""
        putslot = self.bench.putslot
        return (putslot.sql("SELECT * FROM slot ORDER BY id"),
                putslot.sql("SELECT * FROM doomed"), sorted(putslot.files()))

    def fill(self, raw):
        """The bytes with their placeholders replaced."""
        words = dict(self.words, HOST=self.bench.web.url.split("/")[2])
        for name in "GTSH":
            word = words[name]
            words[f"{name}:upper"] = word.upper()
            words[f"{name}:short"] = word[:-1]
            words[f"{name}:escaped"] = f"%{ord(word[0]):02x}{word[1:]}"
        for name, word in words.items():
            raw = raw.replace(b"{%s}" % name.encode(), word.encode())
        return raw

    def put_url(self):
        return f"{self.bench.web.url}{self.words['T']}/{self.words['S']}/x"

    def get_url(self):
        return f"{self.bench.web.url}{self.words['T']}/x"

    def still_works(self):
        """What was refused is taken when it comes as it should."""
        self.bench.unchanged(self.put_url(), self.get_url(), b"fives")
        self.fresh()

    def unchanged(self, was_stored):
        if was_stored:
            equal(self.bench.get(self.get_url()).body, b"fives", "the body")
            self.fresh()
        else:
            equal(self.state(), self.before, "what is stored")

    def check(self, answer):
        """What holds for each."""
        for word in (*self.words.values(), str(self.bench.site.directory)):
            true(word.encode() not in answer.body,
                 f"the answer tells {word}: {answer.body!r}")
        if answer.is_ours():
            for name, value in EVERY_ANSWER.items():
                equal(answer.headers.get(name), value, name.decode())
            true(POLICY in answer.headers, "no policy")
        if answer.body == b"there":
            true(answer.status in (200, 206), f"the file came as {answer}")


def matches(found, expected):
    if isinstance(expected, set):
        return any(matches(found, one) for one in expected)
    if not isinstance(expected, (list, tuple)):
        expected = [expected]
    return len(found) == len(expected) and all(
        one in (wanted if isinstance(wanted, set) else {wanted})
        for one, wanted in zip(found, expected))


def check_input(target, bad):
    expected = bad.expected(target.bench.web)
    data = exchange(target.bench, target.fill(bad.raw),
                    SILENCE if expected == [] else SECONDS)
    if isinstance(expected, bytes):
        true(data.startswith(expected), f"answered {data[:200]!r}")
        return
    found = answers_in(data)
    for answer in found:
        target.check(answer)
    # Whether a 100 comes before it depends on how fast the body does.
    told = [answer.told() for answer in found if answer.status != 100]
    target.unchanged(201 in told)
    true(matches(told, expected), f"answered {told}, expected {expected}")


# ---- all of them ----

def run_table(scenario, bench, inputs, target_class=Target):
    """The Target, to be used further."""
    target = target_class(bench)
    for bad in inputs:
        with scenario.case(bad.name):
            try:
                check_input(target, bad)
            except Exception:
                target = target_class(bench)
                raise
    return target


def run_hostile_inputs(scenario, server_class, bench_class=Bench):
    """The bench."""
    from .hostile_rows import run_hostile_rows
    bench = bench_class(scenario.site, server_class)
    bench.start()
    target = run_table(scenario, bench, INPUTS)
    rows = run_hostile_rows(scenario, target)
    with scenario.case("the slot that was aimed at takes its upload"):
        target.still_works()
    with scenario.case("every file on the disk belongs to a slot, whole"):
        no_leftovers(bench.putslot)
    print(f"# {bench.server}: {len(INPUTS)} bad requests, {rows} bad rows",
          flush=True)
    return bench
