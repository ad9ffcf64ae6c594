"""XMPP cases about the slot request itself: see xmpp_cases."""

import re
from urllib.parse import quote

from .cases import equal, true
from .commands import curl
from .putslot import JID
from .stanzas import (LEGACY, SIACS, UPLOAD, URL, child_request,
                      slot_request, slot_urls)
from .xmpp_cases import case, same_children

NAMESPACES = (UPLOAD, LEGACY, SIACS)
SHAPES = (slot_request, child_request)
DEFAULT_MAX = 100 * 2 ** 20 + 16

# (asked for, kept); None: as it was asked for.
NAMES = (
    ("très cool.jpg", None), ("Отчёт.pdf", None), ("写真.png", None),
    ("صورة.jpeg", None), ("รูปภาพ.webp", None), ("👩‍🚀😀.gif", None),
    ("a+b c+.txt", None), (" two  blanks ", None), ("100%.txt", None),
    ("%41%2f%00.txt", None), ("a#b?c&d=e;f:g@h.txt", None),
    ("<a href=\"x\">'.html", None), ("no ending", None), (".hidden", None),
    ("back`$(id)|tick", None), ("e\u0301.txt", None), ("[]{}^~!*.txt", None),
    ("a/b\\c.txt", "a_b_c.txt"), ("../../etc/passwd", ".._.._etc_passwd"),
    ("/", "_"), (".", "_"), ("..", "__"), ("...", "___"),
    ("cod\u202eexe.txt", "cod_exe.txt"), ("a\u0085b\u007fc.txt", "a_b_c.txt"),
    ("x" * 251 + ".jpg", None),
    ("x" * 252 + ".jpg", "x" * 251 + ".jpg"),
    ("x" * 5000 + ".tar", "x" * 251 + ".tar"),
    ("é" * 128 + ".jpg", "é" * 125 + ".jpg"),
    ("😀" * 1250, "😀" * 63),
)


@case("a slot request is answered in its own namespace, in either shape")
def _(bench):
    for namespace in NAMESPACES:
        for make in SHAPES:
            answer = bench.romeo.iq(make(
                5, "a b.jpg", "image/jpeg", ns=namespace), to=JID)
            equal(answer.get("type"), "result", "type")
            put, get = slot_urls(answer, namespace)
            same_children(answer, (
                f"<slot xmlns='{UPLOAD}'><put url='{put}'/>"
                f"<get url='{get}'/></slot>") if namespace == UPLOAD else (
                f"<slot xmlns='{namespace}'><put>{put}</put>"
                f"<get>{get}</get></slot>"))
            equal(bench.row(get, "file_name", "size", "content_type", "owner"),
                  ("a b.jpg", 5, "image/jpeg", "romeo@example.org"), "the row")
            equal(bench.put(put, b"12345", "image/jpeg").status, 201, "PUT")
            equal(bench.get(get).body, b"12345", "the body")


@case("PUT and GET URL are long, random, and the one does not give the other")
def _(bench):
    seen = set()
    for _ in range(10):
        put, get = bench.slot(bench.romeo)
        token, secret, name = put[len(bench.web.url):].split("/")
        equal(get, f"{bench.web.url}{token}/{name}", "GET URL")
        for part in (token, secret):
            true(re.fullmatch("[a-z2-7]{26}", part), f"{part} is no token")
            true(part not in seen, f"{part} came twice")
            seen.add(part)


@case("PUT and GET URL may have different hosts", phase="hosts")
def _(bench):
    put, get = bench.slot(bench.romeo, name="a b.txt")
    true(put.startswith(bench.web.url), put)
    true(get.startswith(f"https://localhost:{bench.web.port}/upload/"), get)
    equal(bench.put(put, b"fives").status, 201, "PUT")
    equal(bench.get(get).body, b"fives", "the body")


@case("names in every script and with every odd character are kept; "
      "no raw UTF-8, no '+' for a blank, nothing encoded twice")
def _(bench):
    for asked, kept in NAMES:
        kept = asked if kept is None else kept
        put, get = bench.slot(bench.romeo, 5, asked)
        equal(bench.row(get, "file_name"), (kept,), f"row of {asked!r}")
        for url in (put, get):
            true(URL.fullmatch(url), f"{url} is not as RFC 3986 wants it")
            equal(url.split("/")[-1], quote(kept, safe="-._~"), "name")
        equal(bench.put(put, b"fives").status, 201, f"PUT of {asked!r}")
        response = bench.get(get)
        equal((response.status, response.body), (200, b"fives"),
              f"GET of {asked!r}")
        equal(bench.put(put, b"fives").status, 409, "a second PUT")


@case("names of dots alone make URLs that no client normalises away")
def _(bench):
    body = bench.site.write("five", "fives")
    for name in (".", "..", "..."):
        put, get = bench.slot(bench.romeo, 5, name)
        equal(curl(bench.site, bench.tls, "-w", "%{http_code}", "-T", body,
                   put)[-3:], "201", "PUT by curl")
        equal(curl(bench.site, bench.tls, get), "fives", "GET by curl")


@case("control characters of a name reach no URL and no row")
def _(bench):
    for name in ("a\tb.txt", "a\nb.txt", "a\r\nSet-Cookie: x=y.txt"):
        for make in SHAPES:
            put, get = slot_urls(bench.romeo.iq(
                make(5, name, ns=UPLOAD), to=JID))
            true(URL.fullmatch(put) and URL.fullmatch(get), put)
            kept, = bench.row(get, "file_name")
            true(not re.search("[\x00-\x1f]", kept), f"kept as {kept!r}")
            equal(bench.put(put, b"fives").status, 201, "PUT")
            equal(bench.get(get).header("Set-Cookie"), None, "Set-Cookie")


@case("a request without a name, or with an empty one, is refused")
def _(bench):
    for make in SHAPES:
        for name in (None, ""):
            refused = bench.refused(bench.romeo, make(5, name))
            equal(refused.what, "modify/bad-request", "the answer")
            true("filename" in refused.text, refused.text)


@case("sizes are positive decimals: '1e3', '0x10', signs, blanks and numbers "
      "beyond 64 bits are refused, never wrapped")
def _(bench):
    before = bench.putslot.sql("SELECT count(*) FROM slot")
    for size in (0, "-1", "+1", "1e3", "0x10", " 5", "5 ", "5.0", "", "five",
                 "٥", "1,000", 2 ** 63 - 1, 2 ** 63, 2 ** 64, 2 ** 64 + 5,
                 10 ** 30, "9" * 400, None):
        for make in SHAPES:
            refused = bench.refused(bench.romeo, make(size))
            equal(refused.what, "modify/bad-request", f"answer to {size!r}")
            true("size" in refused.text, refused.text)
    equal(bench.putslot.sql("SELECT count(*) FROM slot"), before, "slots")


@case("the largest size is granted, one more is file-too-large")
def _(bench):
    _, get = bench.slot(bench.romeo, DEFAULT_MAX)
    equal(bench.row(get, "size"), (DEFAULT_MAX,), "size in the row")
    bench.slot(bench.romeo, 1)
    for size in (DEFAULT_MAX + 1, 2 ** 31, 2 ** 32 + 5, 2 ** 63 - 2):
        refused = bench.refused(bench.romeo, slot_request(size))
        equal(refused.what, "modify/not-acceptable", f"answer to {size}")


@case("file-too-large is an error of listing 11's very form, "
      "with <max-file-size>", phase="rules")
def _(bench):
    for user, inside, limit in (
            ("small", "", 20000), ("bytes", "", 1000), ("rate", "", 1000),
            ("small", "<profile xmlns='urn:xmpp:http:upload:purpose:0'/>",
             300)):
        answer = bench.ask(bench.gate.user(user), size=limit + 1,
                           name="très cool.jpg", type="image/jpeg",
                           inside=inside)
        equal(answer.get("type"), "error", "type of the stanza")
        same_children(answer, f"""<request xmlns='{UPLOAD}'
            filename='très cool.jpg' size='{limit + 1}'
            content-type='image/jpeg'/>
            <error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
            <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>File too large.
 The maximum file size is {limit} bytes.</text>
            <file-too-large xmlns='{UPLOAD}'>
            <max-file-size>{limit}</max-file-size>
            </file-too-large></error>""".replace("\n The", " The"))


@case("an older namespace gets its errors in its own form", phase="rules")
def _(bench):
    for namespace in (LEGACY, SIACS):
        answer = bench.gate.user("small").iq(
            child_request(20001, "x.jpg", ns=namespace),
            to=JID)
        same_children(answer, f"""<request xmlns='{namespace}'>
            <filename>x.jpg</filename><size>20001</size></request>
            <error type='modify'>
            <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
            <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>File too large.
 The maximum file size is 20000 bytes.</text>
            <file-too-large xmlns='{namespace}'>
            <max-file-size>20000</max-file-size>
            </file-too-large></error>""".replace("\n The", " The"))
        refused = bench.refused(bench.gate.user("plebs"),
                                child_request(ns=namespace))
        equal(refused.what, "cancel/not-allowed", "answer to the denied")


@case("a size beyond 4 GiB is kept, and no PUT of its lowest bits is taken",
      phase="rules")
def _(bench):
    put, get = bench.slot(bench.gate.user("premium"), 2 ** 32 + 5)
    equal(bench.row(get, "size"), (2 ** 32 + 5,), "size in the row")
    true(bench.put(put, b"fives").status in (400, 413),
         "a body of five bytes was taken")


@case("a content type is kept, with its parameters")
def _(bench):
    for asked, kept in (("image/jpeg", "image/jpeg"), ("", None), (None, None),
                        ("text/plain; charset=utf-8",
                         "text/plain; charset=utf-8")):
        for make in SHAPES:
            _, get = slot_urls(bench.romeo.iq(make(
                5, type=asked, ns=UPLOAD), to=JID))
            equal(bench.row(get, "content_type"), (kept,), f"type {asked!r}")


@case("CR LF and whatever else is no media type is refused")
def _(bench):
    for type in ("image", "image/", "/", "a b/c", "text/plain\r\nX-Evil: 1",
                 "text/plain\nX-Evil: 1", "text/html\u2028", "x" * 300 + "/x"):
        for make in SHAPES:
            refused = bench.refused(bench.romeo, make(5, type=type, ns=UPLOAD))
            equal(refused.what, "modify/bad-request", f"answer to {type!r}")
    # In an attribute the server makes blanks of these, which may stand there.
    folded = "text/plain;\r\n charset=x"
    refused = bench.refused(bench.romeo, child_request(5, type=folded))
    equal(refused.what, "modify/bad-request", "answer to a folded type")
