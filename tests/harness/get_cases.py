"""HTTP cases about GET, HEAD, OPTIONS and the end of a file: see http_cases."""

import email
import re
import time
from email.utils import formatdate, parsedate_to_datetime

from .cases import equal, true
from .http_cases import case, is_refusal, token_of

BODY = bytes(range(256)) * 40


@case("a GET says length, type, validators and what a browser may do")
def _(bench):
    get = bench.stored(BODY, "picture.png", type="image/png",
                       headers={"Content-Type": "image/png"})
    response = bench.get(get)
    equal(response.status, 200, "status")
    equal(response.header("Content-Length"), str(len(BODY)), "length")
    equal(response.header("Content-Type"), "image/png", "type")
    equal(response.header("Accept-Ranges"), "bytes", "Accept-Ranges")
    equal(response.header("X-Content-Type-Options"), "nosniff", "nosniff")
    true(response.header("Content-Security-Policy").startswith(
        "default-src 'none'"), "the policy lets something in")
    equal(response.header("Access-Control-Allow-Origin"), "*", "CORS header")
    etag = response.header("ETag")
    true(etag[0] == etag[-1] == '"', f"the ETag is not strong: {etag}")
    parsedate_to_datetime(response.header("Last-Modified"))
    true(response.header("Content-Disposition").startswith("inline"),
         "a picture is not shown")


@case("a HEAD says what the GET says, without the body")
def _(bench):
    get = bench.stored(BODY, "page.html", type="text/html")
    full, head = bench.get(get), bench.head(get)
    equal((head.status, head.body), (200, b""), "the answer")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified",
                 "Accept-Ranges", "Content-Disposition",
                 "Content-Security-Policy"):
        equal(head.header(name), full.header(name), name)
    true(head.header("Content-Disposition").startswith("attachment"),
         "a page of somebody's is shown as ours")


@case("nothing is compressed, whatever the client accepts")
def _(bench):
    get = bench.stored(b"text " * 4000, "long.txt", type="text/plain")
    response = bench.get(get, Accept_Encoding="gzip, deflate, br")
    equal(response.header("Content-Encoding"), None, "Content-Encoding")
    equal(response.header("Content-Length"), "20000", "length")
    equal(response.header("ETag"), bench.get(get).header("ETag"), "ETag")


@case("a query gives the program no options")
def _(bench):
    # RFC 3875 section 4.4: without a '=' it may come as a command line.
    get = bench.stored(b"the file")
    for query in ("-V", "-n", "-c+/dev/null", "-s+/x", "search"):
        response = bench.get(f"{get}?{query}")
        equal((response.status, response.body[:80]), (200, b"the file"),
              f"the answer with ?{query}")


@case("before the PUT, GET and HEAD are answered 404")
def _(bench):
    _, get = bench.slot(5)
    is_refusal(bench.get(get), 404)
    head = bench.head(get)
    equal((head.status, head.body), (404, b""), "the answer to HEAD")


@case("an unknown token, or none, is answered 404")
def _(bench):
    for path in ("a" * 26 + "/x", "x", "", "a" * 26 + "/", "a/b/c/d"):
        is_refusal(bench.get(bench.web.url + path), 404)


@case("OPTIONS tells a browser what it may send")
def _(bench):
    put, get = bench.slot(5)
    for url, allow in ((put, "PUT, OPTIONS"), (get, "GET, HEAD, OPTIONS")):
        response = bench.request("OPTIONS", url, {
            "Origin": "https://chat.example.org",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type"})
        equal((response.status, response.body), (204, b""), "the answer")
        equal(response.header("Access-Control-Allow-Origin"), "*", "origin")
        equal(response.header("Allow"), allow, "Allow")
        true("PUT" in response.header("Access-Control-Allow-Methods"),
             "PUT is not among the methods")
        true("content-type" in response.header(
            "Access-Control-Allow-Headers").lower(),
            "Content-Type is not among the headers")


@case("every form of a single range is served")
def _(bench):
    get = bench.stored(BODY)
    end = len(BODY) - 1
    for asked, first, last in (
            ("0-", 0, end), ("0-0", 0, 0), ("0-1", 0, 1), ("5-9", 5, 9),
            ("100-", 100, end), ("-1", end, end), ("-100", end - 99, end),
            (f"-{len(BODY) * 2}", 0, end), (f"5-{len(BODY) * 2}", 5, end)):
        response = bench.get(get, Range=f"bytes={asked}")
        equal((response.status, response.header("Content-Range")),
              (206, f"bytes {first}-{last}/{len(BODY)}"), asked)
        equal(response.body, BODY[first:last + 1], f"the bytes of {asked}")
        equal(response.header("Content-Length"), str(last - first + 1))


@case("several ranges come as parts")
def _(bench):
    response = bench.get(bench.stored(BODY), Range="bytes=0-1,100-199,-3")
    equal(response.status, 206, "status")
    type = response.header("Content-Type")
    true(type.startswith("multipart/byteranges"), f"the type is {type}")
    equal(response.header("Content-Length"), str(len(response.body)))
    message = email.message_from_bytes(
        b"Content-Type: " + type.encode() + b"\r\n\r\n" + response.body)
    equal([part.get_payload(decode=True) for part in message.get_payload()],
          [BODY[:2], BODY[100:200], BODY[-3:]], "the parts")


@case("a range outside the file is answered 416 with its size")
def _(bench):
    response = bench.get(bench.stored(BODY), Range=f"bytes={len(BODY)}-")
    equal((response.status, response.header("Content-Range")),
          (416, f"bytes */{len(BODY)}"), "the answer")


@case("conditions are honoured")
def _(bench):
    get = bench.stored(BODY)
    first = bench.get(get)
    etag, date = first.header("ETag"), first.header("Last-Modified")
    old = formatdate(0, usegmt=True)
    for headers, status in (
            ({"If_None_Match": etag}, 304),
            ({"If_None_Match": f'"other", W/{etag}'}, 304),
            ({"If_None_Match": "*"}, 304),
            ({"If_None_Match": '"other"'}, 200),
            ({"If_Modified_Since": date}, 304),
            ({"If_Modified_Since": old}, 200),
            ({"If_Match": etag}, 200),
            ({"If_Match": '"other"'}, 412),
            ({"If_Unmodified_Since": date}, 200),
            ({"If_Unmodified_Since": old}, 412),
            ({"Range": "bytes=0-1", "If_Range": etag}, 206),
            ({"Range": "bytes=0-1", "If_Range": '"other"'}, 200),
            ({"Range": "bytes=0-1", "If_Range": old}, 200)):
        response = bench.get(get, **headers)
        equal(response.status, status, f"status with {headers}")
        if status == 304:
            equal(response.body, b"", "the body of a 304")
            equal(response.header("ETag"), etag, "the ETag of a 304")


@case("a file is there until the second at which it expires")
def _(bench):
    get = bench.stored(b"short-lived", retention=3)
    [[expires_at]] = bench.putslot.sql(
        "SELECT expires_at FROM slot WHERE token = ?", token_of(get))
    cache = bench.get(get).header("Cache-Control")
    age = int(re.match(r"max-age=(\d+),", cache)[1])
    true(0 < age <= 3, f"a cache may keep it for {age} s")
    while True:
        asked = time.time()
        response = bench.get(get)
        if response.status != 200:
            break
        true(asked < expires_at, "it was served after its time")
        time.sleep(0.05)
    is_refusal(response, 404)
    true(time.time() >= expires_at, "it was gone before its time")


@case("what an administrator types into sqlite3 counts at once")
def _(bench):
    gone, ended, longer = (bench.stored(b"fives") for _ in range(3))
    bench.putslot.sql("DELETE FROM slot WHERE token = ?", token_of(gone))
    bench.putslot.sql("UPDATE slot SET expires_at = 0 WHERE token = ?",
                      token_of(ended))
    bench.putslot.sql("UPDATE slot SET expires_at = NULL WHERE token = ?",
                      token_of(longer))
    is_refusal(bench.get(gone), 404)
    is_refusal(bench.get(ended), 404)
    equal(bench.get(longer).status, 200, "status")
    put, _ = bench.slot(5)
    bench.putslot.sql("DELETE FROM slot WHERE secret = ?", put.split("/")[-2])
    is_refusal(bench.put(put, b"fives"), 404)
