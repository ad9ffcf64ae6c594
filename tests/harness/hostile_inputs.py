"""Bad and odd requests, and what they must be answered: see hostile.

{T} and {S} stand for token and secret of a slot that awaits five bytes, {G}
and {H} for those of a stored upload, {HOST} for the server's own name. What
is expected is

    404             the status of putslot's own answer
    Own(400)        that of the web server's, which did not ask putslot
    [404, Own(400)] those of several answers, in this order, on one connection
    []              that the connection is closed, or silent, without one
    b"there"        what the answer begins with where it has no head
    {404, 413}      one or the other, by who is faster

and, by keyword, what another server answers: nginx, lighttpd and apache for
all of that make, or the name of one set-up (see web_servers), which wins.
"""

from dataclasses import dataclass, field

KIB = 1024
GOOD_PUT = "/upload/{T}/{S}/file.bin"
GOOD_GET = "/upload/{G}/file.bin"


@dataclass(frozen=True)
class Own:
    status: int


@dataclass
class Bad:
    name: str
    raw: bytes  # what is sent, with its placeholders
    usual: object
    others: dict = field(default_factory=dict)

    def expected(self, server):
        """For a web server, which answers as those of its base classes."""
        for name in *(c.__name__ for c in type(server).__mro__), server.name:
            if name in self.others:
                return self.others[name]
        return self.usual


INPUTS = []


def raw(name, text, usual, **others):
    """Any bytes. Text is sent as UTF-8."""
    if isinstance(text, str):
        text = text.encode()
    INPUTS.append(Bad(name, text, usual, others))


def ask(name, line, headers, body, usual, **others):
    """A request with Host and Connection: close, else as it is given."""
    if isinstance(line, str):
        line = line.encode()
    lines = [line, b"Host: {HOST}", b"Connection: close"] + [
        h if isinstance(h, bytes) else h.encode() for h in headers]
    raw(name, b"\r\n".join(lines + [b"", body]), usual, **others)


def get(name, target, usual, *headers, **others):
    if isinstance(target, str):
        target = target.encode()
    ask(name, b"GET " + target + b" HTTP/1.1", headers, b"", usual, **others)


def put(name, target, usual, *headers, body=b"fives", length=True, **others):
    if length:
        headers = (f"Content-Length: {len(body)}", *headers)
    ask(name, f"PUT {target} HTTP/1.1", headers, body, usual, **others)


# ---- paths ----

get("dot segments before the token", "/upload/../upload/{G}/x", 404)
get("a dot segment in the prefix", "/upload/./{G}/x", 404)
get("escaped dot segments", "/upload/%2e%2e/upload/{G}/x", 404)
get("an escaped dot segment", "/upload/%2E/{G}/x", 404)
get("half-escaped dot segments", "/upload/.%2e/upload/{G}/x", 404)
get("dot segments out of the prefix", "/upload/{G}/../../etc/passwd", Own(404))
get("dot segments above the root", "/../../../../etc/passwd", Own(400),
    lighttpd=Own(404))
get("dot segments behind the token", "/upload/{G}/..", 404)
get("a dot as the name", "/upload/{G}/.", 404)
get("dot segments that lead back", "/upload/x/../{G}/x", 404)
get("dot segments and escaped slashes", "/upload/{G}/..%2f..%2fetc%2fpasswd",
    Own(404))
get("an escaped slash for the last slash", "/upload/{G}%2Fx", 404,
    apache=Own(404))
get("an escaped slash for the first slash", "/upload%2F{G}/x", 404,
    apache=Own(404))
get("an escaped slash in the name", "/upload/{G}/a%2Fb", 200, apache=Own(404))
get("two slashes in the prefix", "/upload//{G}/x", 200)
get("two slashes before the name", "/upload/{G}//x", 404)
get("a thousand slashes", "/upload/" + "/" * 1000 + "{G}/x", 200)
get("a thousand dot segments", "/upload/" + "./" * 1000 + "{G}/x", 404)
get("a thousand segments", "/upload/" + "a/" * 1000 + "{G}/x", 200)
get("segments between token and name", "/upload/{G}/x/y", 404)
get("an escaped NUL as the name", "/upload/{G}/%00", Own(400),
    apache=Own(404))
get("an escaped NUL in the name", "/upload/{G}/a%00.txt", Own(400),
    apache=Own(404))
get("an escaped NUL in the token", "/upload/%00{G}/x", Own(400),
    apache=Own(404))
get("an escaped CR LF in the name", "/upload/{G}/%0d%0aSet-Cookie:%20a=b", 200,
    lighttpd=Own(400))
get("an escape that is none", "/upload/{G}/%zz", Own(400), lighttpd=404)
get("half an escape", "/upload/{G}/%4", Own(400), lighttpd=404)
get("a lone percent sign", "/upload/{G}/%", Own(400), lighttpd=404)
get("an escape with a sign", "/upload/{G}/%+1", Own(400), lighttpd=404)
get("a double escape", "/upload/{G}/%252e%252e%252f", 200)
get("a double escape in the prefix", "/upload/%252e%252e/{G}/x", 200)
get("a double escape of the token", "/upload/%2561{G}/x", 404)
get("an overlong UTF-8 dot", "/upload/%c0%ae%c0%ae/{G}/x", 200,
    lighttpd=Own(400))
get("escaped bytes that are not UTF-8", "/upload/{G}/%ff%fe", 200,
    lighttpd=Own(400))
get("raw UTF-8 in the name", "/upload/{G}/\u65e5\u672c.txt", 200)
get("raw bytes that are not UTF-8", b"/upload/{G}/\xff\xfe", 200,
    lighttpd=Own(400))
get("a raw control character", b"/upload/{G}/a\x01b", Own(400))
get("a raw DEL", b"/upload/{G}/a\x7fb", Own(400))
get("a raw tab", b"/upload/{G}/a\tb", Own(400))
get("a raw NUL", b"/upload/{G}/a\x00b", Own(400))
get("a raw CR", b"/upload/{G}/a\rb", Own(400))
get("a space in the name", "/upload/{G}/a b", Own(400), lighttpd=200)
get("backslashes for slashes", "/upload\\{G}\\x", Own(404))
get("backslashes and dots", "/upload/..\\..\\{G}/x", 404)
get("a fragment behind the name", "/upload/{G}/x#fragment", 200,
    apache=Own(400))
get("a fragment for the name", "/upload/{G}/#x", 404, apache=Own(400))
get("a query for the path", "/upload/?/{G}/x", 404)
get("a query behind the token", "/upload/{G}?/x", 404)
get("a query of slashes and dots", GOOD_GET + "?/../../../etc/passwd", 200)
get("a query of escapes that are none", GOOD_GET + "?%zz%00%", 200,
    lighttpd=Own(400))
get("path parameters at the token", "/upload/{G};a=b/x", 404)
get("a name of 4 KiB", "/upload/{G}/" + "a" * 4 * KIB, 200, apache=Own(403))
get("a name of 64 KiB", "/upload/{G}/" + "a" * 64 * KIB, Own(414),
    lighttpd=Own(431))
get("a name of a megabyte", "/upload/{G}/" + "a" * 1000 * KIB, Own(414),
    lighttpd=Own(431))
get("a query of 16 KiB", GOOD_GET + "?" + "a" * 16 * KIB, Own(414),
    lighttpd=Own(431))
get("a name of 1000 escapes", "/upload/{G}/" + "%41" * 1000, 200)
get("absolute form", "https://{HOST}/upload/{G}/x", 200)
get("absolute form of another host", "http://evil.example/upload/{G}/x", 200,
    lighttpd=Own(400))
get("absolute form of another scheme", "ftp://{HOST}/upload/{G}/x", 200,
    lighttpd=Own(400), apache=Own(400))
get("absolute form of one slash", "https:/upload/{G}/x", Own(400), apache=404)
get("absolute form without a path", "https://{HOST}", Own(403),
    lighttpd=Own(400), apache=Own(404))
get("absolute form of dots", "https://{HOST}/upload/../upload/{G}/x", 404)
get("a scheme within the path", "/upload/http://a/{G}/x", 200)
get("a network path", "//upload/{G}/x", 200)
get("a network path to another host", "//evil.example/upload/{G}/x", Own(404))
get("authority form", "{HOST}", Own(400))
get("an asterisk", "*", Own(400))
get("a path without its slash", "upload/{G}/x", Own(400))
get("no target", "", Own(400))

# ---- tokens and secrets ----

get("the prefix alone", "/upload/", 404)
get("the prefix without its slash", "/upload", Own(301),
    lighttpd=Own(404), apache=Own(404), ApacheFcgid=404, ApacheCgi=Own(301))
get("a token alone", "/upload/{G}", 404)
get("a token and no name", "/upload/{G}/", 404)
get("a token in capitals", "/upload/{G:upper}/x", 404)
get("a token with an escaped letter", "/upload/{G:escaped}/x", 404)
get("a token too short", "/upload/{G:short}/x", 404)
get("a token too long", "/upload/{G}a/x", 404)
get("a token with a dot behind", "/upload/{G}./x", 404)
get("a token with an escaped blank", "/upload/{G}%20/x", 404)
get("a token of no slot", "/upload/" + "a" * 26 + "/x", 404)
get("a token of letters that tokens lack", "/upload/" + "1" * 26 + "/x", 404)
get("a token of SQL", "/upload/'%20OR%201=1;%20--%20aaaaaaaa/x", 404)
get("a token of wildcards", "/upload/" + "%25" * 26 + "/x", 404)
get("the secret for the token", "/upload/{H}/x", 404)
get("a slot that awaits its upload", "/upload/{T}/x", 404)
get("GET of a PUT URL", GOOD_PUT, 405)
get("GET of a used PUT URL", "/upload/{G}/{H}/x", 405)
put("PUT of a GET URL", "/upload/{T}/file.bin", 405)
put("PUT of a GET URL of a stored file", GOOD_GET, 405)
put("PUT with token and secret swapped", "/upload/{S}/{T}/x", 404)
put("PUT with the token for the secret", "/upload/{T}/{T}/x", 404)
put("PUT with the secret of another slot", "/upload/{T}/{H}/x", 404)
put("PUT with a wrong secret", "/upload/{T}/" + "a" * 26 + "/x", 404)
put("PUT with the secret in capitals", "/upload/{T}/{S:upper}/x", 404)
put("PUT with an escaped letter in the secret", "/upload/{T}/{S:escaped}/x",
    404)
put("PUT with a secret too short", "/upload/{T}/{S:short}/x", 404)
put("PUT with a secret too long", "/upload/{T}/{S}a/x", 404)
put("PUT without a name", "/upload/{T}/{S}/", 404)
put("PUT without a name and its slash", "/upload/{T}/{S}", 405)
put("PUT with dot segments", "/upload/x/../{T}/{S}/x", 404)
put("PUT with the secret in a query", "/upload/{T}/x?{S}", 405)
put("PUT of a stored slot", "/upload/{G}/{H}/x", 409)
put("PUT of a stored slot by a wrong secret",
    "/upload/{G}/" + "a" * 26 + "/x", 404)
put("PUT of the prefix", "/upload/", 404)

# ---- methods ----

for method, usual, others in (
        ("TRACE", Own(405), {"lighttpd": 405}),
        ("CONNECT", Own(405), {"lighttpd": 405, "apache": Own(400)}),
        *((name, 405, {}) for name in (
            "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "REPORT",
            "DELETE", "PATCH", "POST")),
        # nginx knows no small letters, lighttpd the methods that it knows.
        *((name, Own(400), {"lighttpd": Own(501), "apache": 405})
          for name in ("get", "put", "Get")),
        *((name, 405, {"lighttpd": Own(501)})
          for name in ("FOO", "GETX", "GE", "A" * 4096)),
        ("G\x01T", Own(400), {"lighttpd": Own(501)})):
    ask(f"the method {method[:10]!r}", f"{method} {GOOD_GET} HTTP/1.1",
        ["Content-Length: 0"], b"", usual, **others)
ask("the method put on a PUT URL", f"put {GOOD_PUT} HTTP/1.1",
    ["Content-Length: 5"], b"fives", Own(400), lighttpd=Own(501), apache=405)
ask("no method", f" {GOOD_GET} HTTP/1.1", [], b"", Own(400),
    lighttpd=Own(501))
ask("OPTIONS of everything", "OPTIONS * HTTP/1.1", [], b"", Own(400),
    lighttpd=Own(200), apache=Own(200))
ask("OPTIONS with a body", f"OPTIONS {GOOD_PUT} HTTP/1.1",
    ["Content-Length: 5"], b"fives", 204)
ask("GET with a body", f"GET {GOOD_GET} HTTP/1.1", ["Content-Length: 5"],
    b"fives", 200, lighttpd=Own(400))
ask("GET with a chunked body", f"GET {GOOD_GET} HTTP/1.1",
    ["Transfer-Encoding: chunked"], b"5\r\nfives\r\n0\r\n\r\n", 200,
    lighttpd=Own(400))
ask("GET of a PUT URL with the body", f"GET {GOOD_PUT} HTTP/1.1",
    ["Content-Length: 5"], b"fives", 405, lighttpd=Own(400))
ask("POST of a PUT URL with the body", f"POST {GOOD_PUT} HTTP/1.1",
    ["Content-Length: 5"], b"fives", 405)
get("GET that overrides its method", GOOD_PUT, 405,
    "X-HTTP-Method-Override: PUT", "X-Method-Override: PUT")
get("GET that overrides its URL", "/upload/x", 404,
    "X-Original-URL: /upload/{G}/x", "X-Rewrite-URL: /upload/{G}/x")

# ---- versions and lines ----

raw("HTTP/0.9", "GET " + GOOD_GET + "\r\n", b"there", lighttpd=[])
raw("HTTP/0.9 with a PUT", "PUT " + GOOD_PUT + "\r\nfives", b"<html>",
    lighttpd=[], apache=b"HTTP/1.1 400")
raw("HTTP/1.0 without Host", "GET " + GOOD_GET + " HTTP/1.0\r\n\r\n", 200)
raw("HTTP/1.0 and chunked", "PUT " + GOOD_PUT + " HTTP/1.0\r\nHost: {HOST}\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nfives\r\n0\r\n\r\n", Own(400),
    apache=201)
raw("HTTP/1.0 without a length", "PUT " + GOOD_PUT + " HTTP/1.0\r\n\r\nfives",
    411, lighttpd=400, ApacheFcgid=400)
raw("HTTP/1.1 without Host", "GET " + GOOD_GET + " HTTP/1.1\r\n"
    "Connection: close\r\n\r\n", Own(400))
NO = Own(505)
for version, usual, others in (
        ("HTTP/1.2", 200, {"lighttpd": NO}),
        ("HTTP/1.99", 200, {"lighttpd": NO, "apache": Own(400)}),
        ("HTTP/2.0", NO, {"apache": 200}), ("HTTP/3.7", NO, {"apache": 200}),
        ("HTTP/0.9", Own(400), {"lighttpd": NO}),
        ("HTTP/-1.1", Own(400), {"lighttpd": NO}),
        ("HTTP/1", Own(400), {"lighttpd": NO}),
        ("HTTP/99999999999.1", NO, {"apache": Own(400)}),
        ("http/1.1", Own(400), {}), ("HTTP/1.1x", Own(400), {}),
        ("ICAP/1.0", Own(400), {})):
    ask(f"the version {version}", f"GET {GOOD_GET} {version}", [], b"", usual,
        **others)
raw("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Own(400),
    lighttpd=Own(505))
raw("TLS within TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    Own(400))
raw("nothing but line ends", "\r\n" * 50, [],
    lighttpd=Own(400), apache=Own(400))
raw("line ends before the request", "\r\n\r\nGET " + GOOD_GET +
    " HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n", 200,
    lighttpd=Own(400))
raw("lines that end in LF", "GET " + GOOD_GET +
    " HTTP/1.1\nHost: {HOST}\nConnection: close\n\n", 200,
    lighttpd=Own(400), apache=Own(400))
raw("tabs for blanks", "GET\t" + GOOD_GET +
    "\tHTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n", Own(400))
raw("two blanks", "GET  " + GOOD_GET + "  HTTP/1.1\r\nHost: {HOST}\r\n"
    "Connection: close\r\n\r\n", 200, lighttpd=Own(400), apache=Own(400))
get("two Hosts", GOOD_GET, Own(400), "Host: evil.example")
raw("a Host of a path", "GET " + GOOD_GET + " HTTP/1.1\r\n"
    "Host: a/../b\r\nConnection: close\r\n\r\n", Own(400))
raw("a Host that is none", "GET " + GOOD_GET + " HTTP/1.1\r\n"
    "Host: <script>\r\nConnection: close\r\n\r\n", 200,
    lighttpd=Own(400), apache=Own(400))
raw("another Host", "GET " + GOOD_GET + " HTTP/1.1\r\n"
    "Host: evil.example\r\nConnection: close\r\n\r\n", 200)

# ---- headers ----

get("a header without a colon", GOOD_GET, 200, "nonsense",
    lighttpd=Own(400), apache=Own(400))
get("a header without a name", GOOD_GET, Own(400), ": value")
get("a blank before the colon", GOOD_GET, Own(400), "X-A : b")
get("a folded header", GOOD_GET, Own(400), "X-A: b\r\n c",
    lighttpd=200, apache=200)
get("a NUL in a header", GOOD_GET, Own(400), b"X-A: b\0c")
get("a control character in a header", GOOD_GET, 200, b"X-A: b\1c",
    lighttpd=Own(400), apache=Own(400))
get("a CR in a header", GOOD_GET, Own(400), b"X-A: b\rc")
get("bytes above ASCII in a header", GOOD_GET, 200, b"X-A: \xff\xfe")
get("bytes above ASCII in a header's name", GOOD_GET, 200, b"X-\xff: a",
    lighttpd=Own(400), apache=Own(400))
get("a header of 7 KiB", GOOD_GET, 200, "X-A: " + "a" * 7 * KIB)
get("a header of 64 KiB", GOOD_GET, Own(400), "X-A: " + "a" * 64 * KIB,
    lighttpd=Own(431))
get("a megabyte of a header", GOOD_GET, Own(400), "X-A: " + "a" * 1000 * KIB,
    lighttpd=Own(431))
get("ninety headers", GOOD_GET, 200, *(f"X-{i}: {i}" for i in range(90)))
get("two hundred headers", GOOD_GET, 200, *(f"X-{i}: {i}" for i in range(200)),
    apache=Own(400))
get("ten thousand headers", GOOD_GET, Own(400),
    *(f"X-{i}: {i}" for i in range(10000)), lighttpd=Own(431))
get("the same header a hundred times", GOOD_GET, 200, *["Accept: a/b"] * 90)
get("headers that look like variables", GOOD_GET, 200, "REQUEST-METHOD: PUT",
    "Proxy: http://evil.example", "Script-Filename: /etc/passwd",
    "Putslot-Config: /etc/passwd")
get("headers with underscores", GOOD_GET, 200, "request_uri: /x",
    "content_length: 5", "If_None_Match: *", lighttpd=304)
get("an Origin that is none", GOOD_GET, 200, "Origin: <script>")
get("the Origin null", GOOD_GET, 200, "Origin: null")
get("two Origins", GOOD_GET, 200, "Origin: https://a.example",
    "Origin: https://b.example")
get("a Cookie, a password and a Referer", GOOD_GET, 200, "Cookie: a=b",
    "Authorization: Basic YTpi", "Referer: https://a.example/")
ask("a preflight of nonsense", f"OPTIONS {GOOD_PUT} HTTP/1.1",
    ["Origin: ,,,", "Access-Control-Request-Method: <>",
     "Access-Control-Request-Headers: " + "a," * 1000], b"", 204)
get("an Upgrade", GOOD_GET, 200, "Upgrade: websocket, h2c",
    "HTTP2-Settings: AAMAAABk")

# ---- ranges and conditions ----

# Apache judges anew what putslot answers 200, ignoring the range, where it cannot
# see that a program has done it; lighttpd, where it is to cut ranges.
for name, value, usual, others in (
        ("thousands of ranges", "bytes=" + ",".join(["0-0"] * 1500), 200, {}),
        ("thousands of commas", "bytes=" + "," * 5000 + "0-0", 206, {}),
        ("overlapping ranges", "bytes=0-,0-,0-,0-", 200,
         {"ApacheCgi": 206}),
        ("a range of nothing", "bytes=", 200, {}),
        ("a range of a dash", "bytes=-", 200, {}),
        ("a range of dashes", "bytes=--5", 200, {}),
        ("a range backwards", "bytes=3-1", 200,
         {"LighttpdSendFile": Own(416)}),
        ("a range of letters", "bytes=a-b", 200, {}),
        ("a range of signs", "bytes=+1-+2", 200, {}),
        ("a range of hexadecimals", "bytes=0x0-0x1", 200, {}),
        ("a range of no bytes at the end", "bytes=-0", 416, {}),
        ("a range beyond 64 bits", "bytes=" + "9" * 40 + "-", 416, {}),
        ("a range up to beyond 64 bits", "bytes=0-" + "9" * 40, 206, {}),
        ("the last bytes beyond 64 bits", "bytes=-" + "9" * 40, 206, {}),
        ("a range of 2^63", "bytes=9223372036854775808-", 416, {}),
        ("a range of another unit", "lines=0-1", 200, {}),
        ("a range without a unit", "0-1", 200, {}),
        ("a range with two units", "bytes=0-0,bytes=1-1", 200, {}),
        ("a range with a blank for the sign", "bytes 0-1", 200, {}),
        ("a range with a tail", "bytes=0-1x", 200, {})):
    get(name, GOOD_GET, usual, "Range: " + value, **others)
get("two Range headers", GOOD_GET, 206, "Range: bytes=0-0",
    "Range: bytes=1-1", apache=200, lighttpd=200)
for name, usual, *headers in (
        ("an If-None-Match without its quote", 200, 'If-None-Match: "abc'),
        ("an If-None-Match of 7 KiB", 200,
         "If-None-Match: " + '"a",' * 1750),
        ("an If-None-Match of commas", 200, "If-None-Match: ,,,,"),
        ("an If-Match of nonsense", 412, "If-Match: nonsense"),
        ("an If-Modified-Since of nonsense", 200,
         "If-Modified-Since: yesterday"),
        ("an If-Modified-Since before all time", 200,
         "If-Modified-Since: Thu, 01 Jan 0000 00:00:00 GMT"),
        ("an If-Modified-Since of no such day", 200,
         "If-Modified-Since: Fri, 99 Feb 2099 99:99:99 GMT"),
        ("an If-Unmodified-Since of nonsense", 200,
         "If-Unmodified-Since: " + "9" * 100),
        ("an If-Range of nonsense", 200, "Range: bytes=0-0",
         "If-Range: nonsense"),
        ("an If-Range of a weak tag", 200, "Range: bytes=0-0",
         'If-Range: W/"abc"')):
    get(name, GOOD_GET, usual, *headers)
