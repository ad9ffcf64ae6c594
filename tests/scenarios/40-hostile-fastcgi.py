#!/usr/bin/python3
"""Goal of this test: what no web server lets through, sent straight to the
socket of putslot.fcgi, is answered or dropped, and does no harm."""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import Nginx, equal, run_scenario, true  # noqa: E402
from harness import fastcgi  # noqa: E402
from harness.hostile import Target, head_of, Answer  # noqa: E402
from harness.http_cases import Bench, no_leftovers  # noqa: E402
from harness.putslot import SANITIZED  # noqa: E402

SECONDS, SILENCE = 20, 1

# Sanitizers look at all of a string in each memrchr.
SLASHES = 10**5 if SANITIZED else 10**6

GET = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/upload/{G}/x",
       "SERVER_PROTOCOL": "HTTP/1.1"}
PUT = {"REQUEST_METHOD": "PUT", "REQUEST_URI": "/upload/{T}/{S}/x",
       "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_LENGTH": "5"}


def of(base, without=(), **more):
    """Those parameters without some and with others."""
    return [nv for nv in {**base, **more}.items() if nv[0] not in without]


# (name, parameters, body, status)
REQUESTS = (
    ("no parameters at all", [], b"", 404),
    ("no method", of(GET, ["REQUEST_METHOD"]), b"", 405),
    ("no URI", of(GET, ["REQUEST_URI"]), b"", 404),
    ("neither of both", of({}, SERVER_PROTOCOL="HTTP/1.1"), b"", 404),
    ("an empty method", of(GET, REQUEST_METHOD=""), b"", 405),
    ("an empty URI", of(GET, REQUEST_URI=""), b"", 404),
    ("a path without the URI", of(GET, ["REQUEST_URI"],
                                  SCRIPT_NAME="/upload/{G}/x",
                                  PATH_INFO="/upload/{G}/x"), b"", 404),
    ("names of parameters in lower case",
     [(n.lower(), v) for n, v in GET.items()], b"", 404),
    ("a method in lower case", of(GET, REQUEST_METHOD="get"), b"", 405),
    ("a method in mixed case", of(PUT, REQUEST_METHOD="Put"), b"fives", 405),
    ("a method with a blank behind", of(GET, REQUEST_METHOD="GET "), b"", 405),
    ("a method with a blank before", of(GET, REQUEST_METHOD=" GET"), b"", 405),
    ("a method with a NUL behind", of(GET, REQUEST_METHOD="GET\0PUT"), b"",
     200),
    ("a method of 64 KiB", of(GET, REQUEST_METHOD="G" * 65536), b"", 405),
    ("the internal word for other methods", of(GET, REQUEST_METHOD="other"),
     b"", 405),
    ("TRACE", of(GET, REQUEST_METHOD="TRACE"), b"", 405),
    ("CONNECT", of(GET, REQUEST_METHOD="CONNECT"), b"", 405),
    ("two methods", [("REQUEST_METHOD", "GET"), *of(PUT)], b"fives", 405),
    ("two URIs", [("REQUEST_URI", "/upload/x"), *of(GET)], b"", 404),
    ("two URIs, the first one right",
     [*of(GET), ("REQUEST_URI", "/upload/x")], b"", 200),
    ("two lengths", [*of(PUT), ("CONTENT_LENGTH", "99")], b"fives", 201),
    ("two types", [*of(PUT, CONTENT_TYPE="text/plain"),
                   ("CONTENT_TYPE", "text/html")], b"fives", 201),
    ("a NUL in the URI", of(GET, REQUEST_URI="/upload/{G}/a\0b"), b"", 200),
    ("a NUL in the token", of(GET, REQUEST_URI="/upload/{G:short}\0/x"), b"",
     404),
    ("a CR LF in the URI",
     of(GET, REQUEST_URI="/upload/{G}/a\r\nSet-Cookie: a=b"), b"", 404),
    ("a URI without its slash", of(GET, REQUEST_URI="upload/{G}/x"), b"", 404),
    ("a URI of an asterisk", of(GET, REQUEST_URI="*"), b"", 404),
    ("a URI of a scheme", of(GET, REQUEST_URI="https://"), b"", 404),
    ("a URI of a scheme and a host",
     of(GET, REQUEST_URI="https://a.example"), b"", 404),
    ("a URI of a colon", of(GET, REQUEST_URI="://"), b"", 404),
    ("a URI of a query", of(GET, REQUEST_URI="?/upload/{G}/x"), b"", 404),
    ("a URI of a megabyte", of(GET, REQUEST_URI="/upload/{G}/" + "a" * 2**20),
     b"", 200),
    ("a URI of very many slashes",
     of(GET, REQUEST_URI="/" * SLASHES + "{G}/x"), b"", 200),
    ("a URI of a million percent signs",
     of(GET, REQUEST_URI="/" + "%" * 10**6 + "/{G}/x"), b"", 404),
    ("OPTIONS of an asterisk",
     of(GET, REQUEST_METHOD="OPTIONS", REQUEST_URI="*"), b"", 204),
    ("a thousand parameters",
     [*((f"HTTP_X_{i}", "a") for i in range(1000)), *of(GET)], b"", 200),
    ("a parameter without a name", [("", "a"), *of(GET)], b"", 200),
    ("a parameter with '=' in its name",
     [("REQUEST_METHOD=PUT", "x"), *of(GET)], b"", 405),
    ("a parameter of a megabyte", of(GET, HTTP_RANGE="," * 2**20), b"", 200),
    ("a range of a million parts",
     of(GET, HTTP_RANGE="bytes=" + "0-0," * 10**6), b"", 200),
    ("a hundred thousand tags",
     of(GET, HTTP_IF_NONE_MATCH='"a",' * 10**5), b"", 200),
    ("a tag of a megabyte that does not end",
     of(GET, HTTP_IF_NONE_MATCH='"' + "a" * 2**20), b"", 200),
    ("a condition that is not UTF-8", [("HTTP_IF_MATCH", b"\xff\xfe"),
                                       *of(GET)], b"", 412),
    ("a type of a megabyte", of(PUT, CONTENT_TYPE="a" * 2**20 + "/b"),
     b"fives", 415),
    ("a type with a CR LF",
     of(PUT, CONTENT_TYPE="text/html\r\nSet-Cookie: a=b"), b"fives", 415),
    ("a length with a sign", of(PUT, CONTENT_LENGTH="+5"), b"fives", 400),
    ("a negative length", of(PUT, CONTENT_LENGTH="-5"), b"fives", 400),
    ("a length with a blank", of(PUT, CONTENT_LENGTH=" 5"), b"fives", 400),
    ("a length in hexadecimal", of(PUT, CONTENT_LENGTH="0x5"), b"fives", 400),
    ("a length of 2^63", of(PUT, CONTENT_LENGTH=str(2**63)), b"fives", 400),
    ("a length of 2^64 and 5", of(PUT, CONTENT_LENGTH=str(2**64 + 5)),
     b"fives", 400),
    ("a length of a megabyte of digits", of(PUT, CONTENT_LENGTH="5" * 2**20),
     b"fives", 400),
    ("two lengths in one", of(PUT, CONTENT_LENGTH="5, 5"), b"fives", 400),
    ("a length with a NUL behind", of(PUT, CONTENT_LENGTH="5\x00999"),
     b"fives", 201),
    ("a length and less of a body", of(PUT), b"five", 400),
    ("a length and more of a body", of(PUT), b"fives, and more", 413),
    ("a length and no body", of(PUT), b"", 400),
    ("a length and a megabyte of a body", of(PUT), b"fives" * 2**18, 413),
    ("no length, and a body", of(PUT, ["CONTENT_LENGTH"]), b"fives", 411),
    ("no length, and HTTP/2", of(PUT, ["CONTENT_LENGTH"],
                                 SERVER_PROTOCOL="HTTP/2.0"), b"fives", 201),
    ("no length, and chunked", of(PUT, ["CONTENT_LENGTH"],
                                  HTTP_TRANSFER_ENCODING="chunked"),
     b"fives", 201),
    ("no length, and more of a chunked body", of(
        PUT, ["CONTENT_LENGTH"], HTTP_TRANSFER_ENCODING="chunked"),
     b"fives, and more", 413),
    ("no protocol", of(PUT, ["SERVER_PROTOCOL"]), b"fives", 201),
    ("a protocol of nonsense", of(PUT, SERVER_PROTOCOL="\xff"), b"fives", 201),
    ("a header for another method", of(
        GET, HTTP_X_HTTP_METHOD_OVERRIDE="PUT"), b"", 200),
    ("a GET with a megabyte of a body", of(GET, CONTENT_LENGTH=str(2**20)),
     b"a" * 2**20, 200),
    ("variables of the program", of(
        GET, PUTSLOT_CONFIG="/etc/passwd", HTTP_PROXY="a", LD_PRELOAD="b"),
     b"", 200),
)

UNKNOWN = fastcgi.record(0, b"what is this", id=0)
END = fastcgi.stream(fastcgi.STDIN, b"")


def padded(pairs):
    words = b"".join(fastcgi.pair(*nv) for nv in pairs)
    return (fastcgi.record(fastcgi.PARAMS, words, padding=255)
            + fastcgi.record(fastcgi.PARAMS, padding=255)
            + fastcgi.record(fastcgi.STDIN, padding=255))


# (name, what makes the bytes of a GET's and a PUT's parameters, status or
# None: there is no answer)
RECORDS = (
    ("nothing", lambda get, put: b"", None),
    ("half a header", lambda get, put: b"\1\1\0", None),
    ("parameters without a beginning", lambda get, put: fastcgi.params(get),
     None),
    ("a beginning and no more", lambda get, put: fastcgi.begin(), None),
    ("an abort for the parameters", lambda get, put: fastcgi.begin()
     + fastcgi.record(fastcgi.ABORT), 404),
    # libfcgi gives the connection up
    ("a record of an unknown kind first", lambda get, put: UNKNOWN
     + fastcgi.request(get), None),
    ("a question for values first", lambda get, put: fastcgi.record(
        fastcgi.GET_VALUES, fastcgi.pair(b"FCGI_MAX_CONNS", b""), id=0)
     + fastcgi.request(get), 200),
    ("padding everywhere", lambda get, put: fastcgi.begin() + padded(get),
     200),
    ("a second request beside the first", lambda get, put: fastcgi.begin()
     + fastcgi.begin(id=2) + fastcgi.params(get) + END, 200),
    ("the role of an authorizer", lambda get, put: fastcgi.request(
        get, role=fastcgi.AUTHORIZER), 200),
    ("an abort in a body", lambda get, put: fastcgi.begin()
     + fastcgi.params(put) + fastcgi.record(fastcgi.STDIN, b"fi")
     + fastcgi.record(fastcgi.ABORT), 400),
    ("a body that does not go on", lambda get, put: fastcgi.begin()
     + fastcgi.params(put) + fastcgi.record(fastcgi.STDIN, b"fi"), 408),
)


def encoded(pairs, fill):
    return [tuple(fill(w if isinstance(w, bytes) else w.encode())
                  for w in nv) for nv in pairs]


def answer_of(data):
    """Of the bytes that came back; None when there is no answer in them."""
    text = fastcgi.output(data)
    if not text:
        return None
    match = re.match(rb"Status: (\d+ [ -~]*)\r\n", text)
    status, headers, body = head_of(b"HTTP/1.1 " + match[1] + b"\r\n"
                                    + text[match.end():])
    return Answer(status, headers, body)


def check(target, answer, expected):
    if answer is not None:
        true(answer.is_ours(), "the headers are not putslot's")
        target.check(answer)
    found = answer.status if answer else None
    target.unchanged(found == 201)
    equal(found, expected, "status")


def body(scenario):
    bench = Bench(scenario.site, Nginx)
    bench.slot(1)  # makes the database, as the component would
    bench.web.start()
    bench.putslot.set("web", read_timeout="1s")
    # libfcgi itself loses 48 bytes when parameters are broken off.
    os.environ["LSAN_OPTIONS"] = "suppressions=" + str(
        bench.site.write("lsan", "leak:libfcgi\n"))
    bench.putslot.start_fcgi()
    target = Target(bench)
    socket = bench.putslot.socket
    for name, pairs, stdin, status in REQUESTS:
        with scenario.case(name):
            check(target, answer_of(fastcgi.exchange(socket, fastcgi.request(
                encoded(pairs, target.fill), stdin))), status)
    for name, make, status in RECORDS:
        with scenario.case(name):
            check(target, answer_of(fastcgi.exchange(socket, make(
                encoded(of(GET), target.fill), encoded(of(PUT), target.fill)),
                SECONDS if status else SILENCE)), status)
    with scenario.case("a body of records is no request on a kept connection"):
        inner = fastcgi.request(encoded(of(GET), target.fill))
        found = fastcgi.exchange(socket, fastcgi.request(encoded(
            of(PUT, CONTENT_LENGTH=str(len(inner) * 200)), target.fill),
            inner * 200, keep=True))
        equal(found.count(b"Status: "), 1, "answers")
        target.unchanged(False)
    with scenario.case("the slot that was aimed at takes its upload"):
        target.still_works()
        no_leftovers(bench.putslot)
    print(f"# putslot.fcgi: {len(REQUESTS) + len(RECORDS) + 1} bad inputs")


run_scenario(body)
