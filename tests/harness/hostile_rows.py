"""File names and types that no slot request leaves in the database, but a
person's sqlite3 may: each is served without harm. See hostile."""

import re

from .cases import equal, true
from .hostile import Answer, answers_in, exchange

NAMES = (
    ".", "..", "/", "../../../etc/passwd", "a/b", "a\\b", "C:\\a.exe",
    "a\r\nSet-Cookie: a=b", "a\nSet-Cookie: a=b", "a\rSet-Cookie: a=b",
    "a\r\n\r\n<script>alert(1)</script>", "a\tb", "a\x01b", "a\x7fb",
    "a\x1b[31mb", 'a"b', 'a"; filename="b.html', "a\\", 'a\\"', "a;b=c",
    "a; filename*=UTF-8''b.html", "a%22b", "%0d%0aSet-Cookie: a=b", "a%n%s",
    "a\u202egpj.exe", "a\u200bb", "a\u2028b", "a\u0085b", "\ufeffa", "\ufffd",
    "<script>alert(1)</script>.html", "'; DROP TABLE slot; --", "a?b#c&d=e",
    "=?UTF-8?B?YQ==?=", "a" * 255, "\u00e9" * 127, "\U0001f600" * 63,
    "CON", " a ", "a.", ".htaccess")

TYPES = (
    "text/html\r\nSet-Cookie: a=b", "text/html\nSet-Cookie: a=b", "text",
    "text/", "/html", "text/html/x", "text /html", "te xt/html", "text/html;",
    "text/html; charset", 'text/html; charset="', "text/plain\x01",
    "text/plain\x7f", "image/png, text/html", "image/png;text/html",
    "\u00e9/\u00e9", "a" * 250 + "/b", "%s%n/%n", "*/*", "image/*",
    "IMAGE/SVG+XML", "image/svg+xml;a=b", "text/html;charset=utf-7",
    "multipart/x-mixed-replace; boundary=a")

# A quoted string without escapes that some would not undo, and RFC 8187.
DISPOSITION = re.compile(
    rb"""(inline|attachment); filename="[^"\\%\x00-\x1f\x7f-\xff]+\""""
    rb"""(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?""")

HEADERS = {
    b"access-control-allow-origin", b"access-control-expose-headers",
    b"content-security-policy", b"x-content-type-options", b"referrer-policy",
    b"cross-origin-resource-policy", b"etag", b"last-modified",
    b"cache-control", b"content-type", b"content-length", b"accept-ranges",
    b"content-disposition"}
SERVERS = {b"date", b"server", b"connection", b"transfer-encoding", b"upgrade"}


def served(target, column, value):
    """The answer to a GET of the stored file with that in its row."""
    target.bench.putslot.sql(
        f"UPDATE slot SET {column} = ? WHERE token = ?", value,
        target.words["G"])
    [answer] = answers_in(exchange(target.bench, target.fill(
        b"GET /upload/{G}/x HTTP/1.1\r\nHost: {HOST}\r\n"
        b"Connection: close\r\n\r\n")))
    return answer


def check(answer: Answer):
    equal((answer.status, answer.body), (200, b"there"), "the answer")
    equal(set(answer.headers) - SERVERS, HEADERS, "headers")
    disposition = answer.headers[b"content-disposition"]
    true(DISPOSITION.fullmatch(disposition), f"it says {disposition!r}")
    true(len(disposition) <= 1100, "the disposition is too long")


def run_hostile_rows(scenario, target):
    for name in NAMES:
        with scenario.case(f"a row's name {name[:40]!r}"):
            check(served(target, "file_name", name))
    target.bench.putslot.sql("UPDATE slot SET file_name = 'x'")
    for type in TYPES:
        with scenario.case(f"a row's type {type[:40]!r}"):
            answer = served(target, "content_type", type)
            check(answer)
            true(answer.headers[b"content-type"].lower() in (  # as Apache does
                type.encode().lower(), b"application/octet-stream"),
                "another type")
            true(answer.headers[b"content-disposition"].startswith(
                b"attachment") or type.startswith("image/"), "it is shown")
    target.bench.putslot.sql("UPDATE slot SET content_type = 'text/plain'")
    target.fresh()
    return len(NAMES) + len(TYPES)
