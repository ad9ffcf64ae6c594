"""HTTP cases about PUT: see http_cases."""

import threading
import time

from .cases import equal, true
from .commands import curl
from .http_cases import case, is_refusal, no_leftovers, token_of

KIB = 1024
MIB = 1024 * KIB

# More than any web server keeps in memory, and more than a socket holds.
LARGE = bytes(range(256)) * (32 * MIB // 256)

NAMES = (
    "plain.txt", "two words.txt", "résumé.pdf", "имя файла.jpg", "日本語.png",
    "مرحبا.ogg", "🐈‍⬛.gif", "100%.txt", "%41.txt", "q?uery.txt", "h#ash.txt",
    "plus+.txt", "semi;colon&co.txt", 'quo"te\\.txt', "tilde~", "notes.inc",
    ".htaccess", "archive.tar.gz", "page.html.fr", "script.php", "run.cgi",
    "run.fcgi", "a" * 251 + ".txt", "ж" * 125 + ".txt")


@case("a body comes back byte for byte")
def _(bench):
    body = bytes(range(256)) * 1000
    put, get = bench.slot(len(body), "picture.png", type="image/png")
    response = bench.put(put, body, {"Content-Type": "image/png"})
    equal(response.status, 201, "status of the PUT")
    equal(response.header("Access-Control-Allow-Origin"), "*", "CORS header")
    equal(bench.get(get).body, body, "the body")


@case("a body of one byte comes back")
def _(bench):
    equal(bench.get(bench.stored(b"x")).body, b"x", "the body")


@case("a body of 32 MiB comes back byte for byte")
def _(bench):
    response = bench.get(bench.stored(LARGE))
    equal(response.header("Content-Length"), str(len(LARGE)))
    true(response.body == LARGE, "the bodies differ")


@case("names in every script and with every odd character are served")
def _(bench):
    for name in NAMES:
        get = bench.stored(name.encode(), name)
        response = bench.get(get)
        equal((response.status, response.body), (200, name.encode()), name)
        for header in ("Content-Encoding", "Content-Language"):
            equal(response.header(header), None, f"{header} of {name}")


@case("the name in the URL may be any other")
def _(bench):
    put, get = bench.slot(2, "as-granted.txt")
    other = put.rsplit("/", 1)[0] + "/%F0%9F%90%88.html"
    equal(bench.put(other, b"ab").status, 201, "status of the PUT")
    equal(bench.get(get.rsplit("/", 1)[0] + "/x").body, b"ab", "the body")


@case("a shorter, longer or empty body is refused and leaves the slot usable")
def _(bench):
    put, get = bench.slot(5)
    is_refusal(bench.put(put, b"four"), 400)
    is_refusal(bench.put(put, b"sixsix"), 413)
    true(bench.put(put, b"").status in (400, 411), "an empty body was taken")
    bench.unchanged(put, get, b"fives")


@case("a PUT with neither length nor chunks is refused")
def _(bench):
    put, get = bench.slot(5)
    with bench.raw() as connection:
        connection.head("PUT", put, {"Connection": "close"})
        is_refusal(connection.response(), bench.expected(
            "neither length nor chunked", 411))
    bench.unchanged(put, get, b"fives")


@case("a length that is no number, or stands there twice, is refused")
def _(bench):
    put, get = bench.slot(5)
    for lengths in ("+5", "5x", "-5", "0x5", "99999999999999999999",
                    "5\r\nContent-Length: 6"):
        with bench.raw() as connection:
            connection.head("PUT", put, {"Content-Length": lengths,
                                         "Connection": "close"})
            connection.send(b"fives")
            true(connection.response().status in (400, 413),
                 f"length {lengths!r} was taken")
    bench.unchanged(put, get, b"fives")


@case("a type other than the slot's is refused")
def _(bench):
    put, get = bench.slot(5, type="image/png")
    is_refusal(bench.put(put, b"fives", {"Content-Type": "text/html"}), 415)
    bench.unchanged(put, get, b"fives")


@case("a type with parameters, in capitals, or none at all is taken")
def _(bench):
    for headers in ({"Content-Type": "text/plain; charset=utf-8"},
                    {"Content-Type": "TEXT/Plain"}, {}):
        get = bench.stored(b"text", type="text/plain", headers=headers)
        equal(bench.get(get).header("Content-Type"), "text/plain", "type")
    bench.stored(b"text", headers={"Content-Type": "text/plain"})


@case("an encoded or partial body is refused")
def _(bench):
    put, get = bench.slot(5)
    is_refusal(bench.put(put, b"fives", {"Content-Encoding": "gzip"}), 415)
    is_refusal(bench.put(put, b"fives",
                         {"Content-Range": "bytes 0-4/9"}), 400)
    bench.unchanged(put, get, b"fives")


@case("an unknown token, a wrong secret or a slot whose time is over is 404")
def _(bench):
    put, get = bench.slot(5)
    token, secret = put.split("/")[-3:-1]
    is_refusal(bench.put(put.replace(token, "a" * 26), b"fives"), 404)
    is_refusal(bench.put(put.replace(secret, "a" * 26), b"fives"), 404)
    late, _ = bench.slot(5, put_window=0)
    is_refusal(bench.put(late, b"fives"), 404)
    bench.unchanged(put, get, b"fives")


@case("a second PUT is refused and changes nothing")
def _(bench):
    put, get = bench.slot(5)
    equal(bench.put(put, b"fives").status, 201, "status of the first")
    is_refusal(bench.put(put, b"other"), 409)
    equal(bench.get(get).body, b"fives", "the body")


@case("a PUT on a GET URL and a GET on a PUT URL are refused with Allow")
def _(bench):
    put, get = bench.slot(5)
    refused = bench.put(get, b"fives")
    is_refusal(refused, 405)
    equal(refused.header("Allow"), "GET, HEAD, OPTIONS", "Allow")
    refused = bench.get(put)
    is_refusal(refused, 405)
    equal(refused.header("Allow"), "PUT, OPTIONS", "Allow")


@case("other methods are refused with Allow")
def _(bench):
    get = bench.stored(b"fives")
    for method in ("DELETE", "POST", "PATCH"):
        refused = bench.request(method, get, body=b"")
        is_refusal(refused, 405)
        equal(refused.header("Allow"), "GET, HEAD, OPTIONS", "Allow")
    equal(bench.get(get).body, b"fives", "the body")


@case("an aborted PUT leaves nothing, and the slot takes the next one")
def _(bench):
    body = LARGE[:2 * MIB]
    put, get = bench.slot(len(body))
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": len(body)})
        connection.send(body[:MIB])
        connection.abort()
    equal(bench.get(get).status, 404, "status of a GET after the abort")
    bench.unchanged(put, get, body)
    no_leftovers(bench.putslot)


@case("nothing of a running upload is served, nor lies under its name")
def _(bench):
    body = LARGE[:MIB]
    put, get = bench.slot(len(body))
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": len(body),
                                     "Connection": "close"})
        connection.send(body[:-1])
        equal(bench.get(get).status, 404, "status of a GET meanwhile")
        true(token_of(get) not in bench.putslot.files(), "it has its name")
        connection.send(body[-1:])
        equal(connection.response().status, 201, "status")
    equal(bench.get(get).body, body, "the body")


@case("of two racing PUTs one is stored, the other one told 409")
def _(bench):
    for _ in range(3):
        put, get = bench.slot(MIB)
        bodies = (b"a" * MIB, b"b" * MIB)
        with bench.raw() as one, bench.raw() as two:
            for connection, body in zip((one, two), bodies):
                connection.head("PUT", put, {"Content-Length": MIB,
                                             "Connection": "close"})
                connection.send(body[:-1])
            for connection, body in zip((one, two), bodies):
                connection.send(body[-1:])
            found = [one.response().status, two.response().status]
        equal(sorted(found), [201, 409], "statuses")
        equal(bench.get(get).body[:1], b"ab"[found.index(201):][:1],
              "the stored one")


@case("a chunked body is taken, and refused when it is not of the slot's size")
def _(bench):
    put, get = bench.slot(300 * KIB)

    def send(size, last=b"0\r\n\r\n"):
        with bench.raw() as connection:
            connection.head("PUT", put, {"Transfer-Encoding": "chunked",
                                         "Connection": "close"})
            for start in range(0, size, 100 * KIB):
                part = LARGE[start:min(size, start + 100 * KIB)]
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
            connection.send(last)
            return connection.response() if last else None

    is_refusal(send(300 * KIB - 1), 400)
    is_refusal(send(300 * KIB + 1), 413)
    send(200 * KIB, last=b"")  # aborted
    equal(bench.get(get).status, 404, "status of a GET before the PUT")
    equal(send(300 * KIB).status, 201, "status of the PUT")
    equal(bench.get(get).body, LARGE[:300 * KIB], "the body")


@case("a client that waits for 100 Continue gets it, and its 201")
def _(bench):
    put, get = bench.slot(5)
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": 5,
                                     "Expect": "100-continue",
                                     "Connection": "close"})
        equal(connection.read()[:12], b"HTTP/1.1 100", "first answer")
        connection.send(b"fives")
        equal(connection.response().status, 201, "status")
    equal(bench.get(get).body, b"fives", "the body")


@case("an HTTP/1.0 PUT is taken")
def _(bench):
    put, get = bench.slot(5)
    with bench.raw() as connection:
        connection.head("PUT", put, {"Content-Length": 5}, version="1.0")
        connection.send(b"fives")
        equal(connection.response().status, 201, "status")
    equal(bench.get(get).body, b"fives", "the body")


@case("a refusal reaches a client that sends its whole body first")
def _(bench):
    put, _ = bench.slot(len(LARGE), put_window=0)
    is_refusal(bench.put(put, LARGE), 404)


@case("one slow upload does not hold up the others")
def _(bench):
    put, get = bench.slot(MIB)
    with bench.raw() as slow:
        slow.head("PUT", put, {"Content-Length": MIB, "Connection": "close"})
        slow.send(b"a" * (MIB // 2))
        started = time.monotonic()
        bench.stored(b"quick")
        true(time.monotonic() - started < 3, "it waited")
        slow.send(b"a" * (MIB // 2))
        equal(slow.response().status, 201, "status of the slow one")


@case("eight uploads at once are all stored")
def _(bench):
    slots = [bench.slot(MIB) for _ in range(8)]
    found = []

    def upload(i):
        found.append(bench.put(slots[i][0], bytes([i]) * MIB).status)

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(found, [201] * 8, "statuses")
    for i, (_, get) in enumerate(slots):
        true(bench.get(get).body == bytes([i]) * MIB, "bodies got mixed up")


@case("curl uploads and downloads, by the newest HTTP that the server speaks")
def _(bench):
    body = LARGE[:3 * MIB]  # large enough for curl to wait for 100 Continue
    file = bench.site.path("curl-upload")
    file.write_bytes(body)
    put, get = bench.slot(len(body))

    def told(url, *words):
        return curl(bench.site, bench.tls, "--output", "/dev/null",
                    "--write-out", "%{http_code}", *words, url)

    equal(told(put.replace(".bin", ".txt"), "--upload-file", file), "201")
    equal(told(put, "--upload-file", file), "409", "a repeated PUT")
    copy = bench.site.path("curl-download")
    curl(bench.site, bench.tls, "--fail", "--output", copy, get)
    true(copy.read_bytes() == body, "the bodies differ")
    copy.write_bytes(body[:MIB])
    curl(bench.site, bench.tls, "--fail", "--continue-at", "-", "--output",
         copy, get)
    true(copy.read_bytes() == body, "the resumed download differs")
