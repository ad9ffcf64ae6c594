"""Answers to GET when the web server sends the bytes of files, against those
that putslot.fcgi streams through the same server: they must be the same, byte
for byte, but for DIFFERENCES."""

import re

from .cases import equal, true
from .http_cases import run_http_cases, token_of

# Headers that say nothing of the file, and why they may differ.
DIFFERENCES = {
    "date": "the time of the answer",
    "server": "a web server need not repeat it",
}

TEXT = b"".join(b"line %d\n" % i for i in range(40000))

FILES = (  # name, type, body
    ("picture.png", "image/png", bytes(range(256)) * 40),
    ("page.html", "text/html", b"<script>alert(1)</script>" * 400),
    ("\u00e9\"; x=\"y.txt", "text/plain; charset=utf-8", TEXT),
    ("none", "", b"0123456789"),
    ("drawing.svg", "image/svg+xml", b"<svg/>"),
    ("film.mp4", "video/mp4", bytes(1 << 20)),
)

# RFC 9110 section 14.2 leaves it to the server whether to ignore it, as putslot
# does, or to refuse it, as lighttpd does when it has the whole answer in time.
BACKWARDS = "5-2"

PLAIN = ("0-", "0-0", "0-1", "5-9", "3-", "-1", "-7", "-99999999", "5-99999999",
         "0-999999999999999999")
OTHER = ("99999999-", "-0", "0-1,4-5", "0-1,99999999-", BACKWARDS, "", "x", "0-,0-",
         "0-1 ", " 0-1", "0-9223372036854775808", ",0-1", "0-1,", "1", "--1")
CONDITIONS = (
    ("If-None-Match", "{etag}"), ("If-None-Match", "W/{etag}"),
    ("If-None-Match", '"x"'), ("If-None-Match", "*"), ("If-None-Match", ""),
    ("If-Match", "{etag}"), ("If-Match", "W/{etag}"), ("If-Match", '"x"'),
    ("If-Match", ""),
    ("If-Modified-Since", "{date}"),
    ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("If-Modified-Since", "nonsense"),
    ("If-Unmodified-Since", "{date}"),
    ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("If-Range", "{etag}"), ("If-Range", "{date}"), ("If-Range", '"x"'),
    ("If-Range", ""))


def requests(etag, date):
    """Yields (method, headers)."""
    yield "GET", {}
    yield "HEAD", {}
    yield "GET", {"Accept-Encoding": "gzip, deflate, br"}
    yield "GET", {"Origin": "https://chat.example.org"}
    for value in PLAIN + OTHER:
        yield "GET", {"Range": f"bytes={value}"}
    yield "GET", {"Range": "Bytes=0-1"}
    yield "GET", {"Range": "lines=0-1"}
    yield "HEAD", {"Range": "bytes=0-1"}
    for name, value in CONDITIONS:
        condition = {name: value.format(etag=etag, date=date)}
        yield "GET", condition
        yield "GET", {**condition, "Range": "bytes=2-3"}
        yield "HEAD", condition


def answer(bench, method, url, headers):
    """Status, headers as a sorted list, body; without what may differ."""
    response = bench.request(method, url, headers)
    fields = sorted((name.lower(), value)
                    for name, value in response.headers.items()
                    if name.lower() not in DIFFERENCES)
    body = response.body
    boundary = re.search("boundary=([a-z2-7]+)",
                         response.header("Content-Type") or "")
    if boundary:  # made anew for each answer
        body = body.replace(boundary[1].encode(), b"BOUNDARY")
        fields = [(name, value.replace(boundary[1], "BOUNDARY"))
                  for name, value in fields]
    return response.status, fields, body


def difference(handed, own):
    """What is in one and not in the other; of bodies their lengths."""
    one, other = ({f"status {status}", *fields, f"{len(body)} bytes"}
                  for status, fields, body in (handed, own))
    return one - other, other - one


def all_answers(bench, urls):
    first = bench.get(urls[0])
    return {
        (url, method, tuple(headers.items())):
            answer(bench, method, url, headers)
        for url in urls
        for method, headers in requests(
            bench.get(url).header("ETag"), first.header("Last-Modified"))}


def handed_off(bench):
    """putslot answers a range 206 that it sends itself, and 200 otherwise."""
    get = bench.stored(b"0123456789")
    [daemon] = [d for d in bench.site.daemons if d.name == "putslot.fcgi"]
    for headers, own in (({}, 200), ({"If_Match": "*"}, 206)):
        before = len(daemon.log_text())
        response = bench.get(get, Range="bytes=2-3", **headers)
        equal((response.status, response.body), (206, b"23"), "the answer")
        equal(re.findall(r"GET, slot \d+: (\d+)", daemon.log_text()[before:]),
              [str(own)], f"the status that putslot sent with {headers}")


def closed_to_clients(bench):
    """nginx's own 404, also for a file that is there."""
    token = token_of(bench.stored(b"0123456789"))
    origin = bench.web.url.removesuffix("/upload/")
    for path in (f"{token[:2]}/{token}", f"{token[:2]}/../{token[:2]}/{token}",
                 f"{token[:2]}", "", "../putslot.db", "..%2fputslot.db"):
        equal(bench.get(f"{origin}/_putslot/{path}").status, 404,
              f"status of {path}")


def run_hand_off_cases(scenario, server_class):
    """Every HTTP case, then the comparison."""
    bench = run_http_cases(scenario, server_class)
    if bench.web.needs_fcgi:
        with scenario.case("it is the web server that cuts the range"):
            handed_off(bench)
    if bench.web.name == "nginx":
        with scenario.case("the location of the files is closed to clients"):
            closed_to_clients(bench)
    urls = [bench.stored(body, name, type=type, retention=30 * 86400,
                         headers={"Content-Type": type} if type else {})
            for name, type, body in FILES]
    unknown = bench.web.url + "a" * 26 + "/x"
    handed = all_answers(bench, urls + [unknown])
    bench.putslot.set("web", send_file="no")
    bench.restart()
    own = all_answers(bench, urls + [unknown])
    for url, (name, _, _) in zip(urls + [unknown], FILES + (("no", "", ""),)):
        with scenario.case(f"the answers about {name} are the same"):
            asked = [key for key in own if key[0] == url and not (
                bench.web.name == "lighttpd" and BACKWARDS in str(key[2]))]
            true(len(asked) > 80, f"only {len(asked)} requests")
            equal([(key[1:], *difference(handed[key], own[key]))
                   for key in asked if handed[key] != own[key]], [],
                  "what is not the same")
    return bench
