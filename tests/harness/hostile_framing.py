"""Bad and odd framing of a body, types and codings: see hostile_inputs."""

from .hostile_inputs import GOOD_GET, GOOD_PUT, KIB, Own, ask, put, raw

CHUNKED = "Transfer-Encoding: chunked"
FIVE = b"5\r\nfives\r\n0\r\n\r\n"
INNER = (b"GET /upload/{G}/smuggled HTTP/1.1\r\nHost: {HOST}\r\n"
         b"Connection: close\r\n\r\n")
DEEPER = b"DELETE / HTTP/1.1\r\nHost: a.b\r\n\r\n"


def length(name, value, usual, body=b"fives", **others):
    put(name, GOOD_PUT, usual, f"Content-Length: {value}", body=body,
        length=False, **others)


def coded(name, body, usual, *headers, **others):
    put(name, GOOD_PUT, usual, *(headers or (CHUNKED,)), body=body,
        length=False, **others)


# ---- lengths ----

for text in ("+5", "-5", "-1", "0x5", "5x", "5.0", "5e0", "5 5", "5;", "5,5",
             "5, 6", "", "five", "\u0665", "00000000000000000005x"):
    length(f"the length {text!r}", text, Own(400),
           **({"lighttpd": 400} if text == "" else {}))
length("a length with zeros before", "0000000000000000000000005", 201)
length("a length with a tab behind", "5\t", Own(400), lighttpd=201, apache=201)
# Apache gives an answer only when the body has come, or its time is over.
length("a length of 2^31", 2 ** 31, Own(413),
       ApacheProxyFcgi={413, Own(408)}, ApacheFcgid=[])
length("a length of 2^63", 2 ** 63, Own(400))
length("a length of 2^64 and 5", 2 ** 64 + 5, Own(400))
length("a length of forty digits", "9" * 40, Own(400))
length("a length of nothing", 0, 400, body=b"")
length("a length of one less", 4, 400, body=b"five")
length("a length of one more", 6, 413, body=b"sixsix")
length("one length twice", "5\r\nContent-Length: 5", Own(400))
length("two lengths", "5\r\nContent-Length: 4", Own(400))
length("a length and one in lower case", "5\r\ncontent-length: 6", Own(400))
put("no length at all", GOOD_PUT, 411, body=b"", length=False,
    lighttpd=400, ApacheFcgid=400)

# ---- chunks ----
#
# Where a chunk's size is none, mod_fcgid takes the bytes as they are for the
# body; putslot cannot tell, and refuses them for their number.

coded("chunks of one byte", b"".join(b"1\r\n%c\r\n" % c for c in b"fives")
      + b"0\r\n\r\n", 201)
coded("a chunk with an extension", b"5;a=b;c\r\nfives\r\n0\r\n\r\n", 201)
coded("a chunk with an extension of 7 KiB",
      b"5;" + b"a" * 7 * KIB + b"\r\nfives\r\n0\r\n\r\n", 201,
      lighttpd=Own(400))
coded("trailers", b"5\r\nfives\r\n0\r\nContent-Length: 9\r\n"
      b"Content-Type: text/html\r\nX-A: b\r\n\r\n", 201)
coded("a chunk's size with zeros before",
      b"0000000000000005\r\nfives\r\n0\r\n\r\n", 201)
coded("a chunk's size with a sign", b"+5\r\nfives\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=400)
coded("a negative chunk", b"-5\r\nfives\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=400)
coded("a chunk's size with 0x", b"0x05\r\nfives\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=413)
coded("a chunk's size beyond 64 bits", b"f" * 17 + b"\r\nfives", Own(400),
      apache=Own(413), ApacheFcgid=413)
coded("a chunk's size of 2^63", b"8000000000000000\r\nfives", Own(400),
      apache=Own(413), ApacheFcgid=413)
coded("a chunk's size that is no number", b"five\r\nfives\r\n0\r\n\r\n",
      Own(400), ApacheFcgid=413)
coded("a chunk without a size", b"\r\nfives\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=400)
coded("a blank before a chunk's size", b" 5\r\nfives\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=400)
coded("a chunk longer than its size", b"5\r\nsixsix\r\n0\r\n\r\n", Own(400),
      ApacheFcgid=413)
coded("chunk lines that end in LF", b"5\nfives\n0\n\n", 201,
      lighttpd=Own(400), apache=Own(400), ApacheFcgid=400)
coded("chunks one byte too many", b"6\r\nsixsix\r\n0\r\n\r\n", 413)
coded("chunks one byte too few", b"4\r\nfour\r\n0\r\n\r\n", 400)
coded("chunks of nothing", b"0\r\n\r\n", 400)

# ---- codings ----

# Apache takes off the last coding when it is chunked, and asks for no other;
# the body is then the client's own affair.
for value, others in (
        ("chunked, chunked", {"apache": 201}),
        ("gzip, chunked", {"apache": 201}),
        *((value, {"apache": Own(400)}) for value in (
            "chunked, identity", "chunked, gzip", "identity", "xchunked",
            "chunkedx", "chunked;a=b", '"chunked"', "gzip")),
        ("\vchunked", {"apache": Own(400), "lighttpd": Own(400)}),
        ("", {"apache": Own(400), "lighttpd": 400})):
    coded(f"the transfer coding {value!r}", FIVE, Own(501),
          "Transfer-Encoding: " + value, **others)
coded("the transfer coding in capitals", FIVE, 201,
      "TRANSFER-ENCODING: CHUNKED")
coded("two transfer codings", FIVE, Own(400), CHUNKED, CHUNKED,
      lighttpd=201, apache=201)
coded("two transfer codings, one unknown", FIVE, Own(400), CHUNKED,
      "Transfer-Encoding: x", lighttpd=Own(501))
coded("a blank before the colon of chunked", FIVE, Own(400),
      "Transfer-Encoding : chunked")
coded("a tab before chunked", FIVE, Own(501), "Transfer-Encoding:\tchunked",
      lighttpd=201, apache=201)
coded("a folded chunked", FIVE, Own(400), "Transfer-Encoding:\r\n chunked",
      lighttpd=Own(501), apache=201)
coded("an underscore for chunked", FIVE, 411, "Transfer_Encoding: chunked",
      lighttpd=400, ApacheFcgid=400)

# ---- smuggling: the inner request must not be answered as the client's, or
# only where the outer one has ended for everyone ----

coded("a length before chunked", FIVE, Own(400), "Content-Length: 15", CHUNKED,
      apache=201)
coded("a length behind chunked", FIVE, Own(400), CHUNKED, "Content-Length: 15",
      apache=201)
coded("a length of nothing, and chunked", FIVE, Own(400), "Content-Length: 0",
      CHUNKED, apache=201)
coded("a request behind the chunks that the length counts in",
      b"0\r\n\r\n" + INNER, Own(400), "Content-Length: 100", CHUNKED,
      apache=400)
coded("a request in chunks that the length leaves out",
      b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER), Own(400),
      "Content-Length: 4", CHUNKED, ApacheFcgid=413)
coded("a request behind an unknown coding", FIVE + INNER, Own(501),
      "Transfer-Encoding: xchunked", apache=Own(400))
coded("a request behind a length with an underscore", b"fives" + INNER, 411,
      "Content_Length: 5", lighttpd=400, ApacheFcgid=400)
coded("a length of nothing behind a bare LF", INNER, 400,
      "X: y\nContent-Length: 0", lighttpd=Own(400), apache=Own(400))
ask("a request behind a GET", f"GET {GOOD_GET} HTTP/1.1", [], INNER, 200)
raw("a request in the body of a refused PUT",
    b"PUT /upload/{T}/aaaaaaaaaaaaaaaaaaaaaaaaaa/x HTTP/1.1\r\n"
    b"Host: {HOST}\r\nContent-Length: %d\r\n\r\n" % len(DEEPER) + DEEPER +
    INNER, [404, 200])
raw("two PUTs of one slot behind each other",
    (b"PUT " + GOOD_PUT.encode() + b" HTTP/1.1\r\nHost: {HOST}\r\n"
     b"Content-Length: 5\r\n\r\nfives") * 2 + INNER, [201, 409, 200])
raw("records of FastCGI as a body",
    b"PUT " + GOOD_PUT.encode() + b" HTTP/1.1\r\nHost: {HOST}\r\n"
    b"Connection: close\r\nContent-Length: 2400\r\n\r\n" + (
        b"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\0\0\0") * 100, 413)

# ---- expectations, types, parts ----

for value, others in (
        ("100-continue", {}), ("", {}), ("200-ok", {"apache": Own(417)}),
        ("100-continue, x", {"apache": Own(417)}),
        ("x" * 1000, {"apache": Own(417)})):
    put(f"Expect: {value[:20]}", GOOD_PUT, 201, "Expect: " + value, **others)
put("Expect: 100-continue of a refused PUT", "/upload/{T}/x",
    405, "Expect: 100-continue")
for header, usual in (
        ("Content-Type: text/html", 415), ("Content-Type: text", 415),
        ("Content-Type: /", 415), ("Content-Type: " + "a" * 7000 + "/b", 415),
        ("Content-Type: text/plain, text/html", 415),
        ("Content-Type:", 201), ("Content-Type: TEXT/plain ; a=b", 201),
        ("Content-Encoding: gzip", 415), ("Content-Encoding: GZIP, br", 415),
        ("Content-Encoding: identity", 201), ("Content-Encoding:", 201),
        ("Content-Encoding: aws-chunked", 415),
        ("Content-Range: bytes 0-4/5", 400), ("Content-Range: nonsense", 400),
        ("Content-Range: bytes */5", 400), ("If-Match: *", 412),
        ('If-Match: "abc', 412), ("If-None-Match: *", 201),
        ("If-None-Match: nonsense", 201),
        ("If-Unmodified-Since: nonsense", 201), ("Range: bytes=0-1", 201),
        ("Content-MD5: nonsense", 201), ("Digest: nonsense", 201)):
    put(f"PUT with {header[:48]!r}", GOOD_PUT, usual, header)
put("PUT with two types", GOOD_PUT, 201, "Content-Type: text/plain",
    "Content-Type: text/html", lighttpd=Own(400), apache=415)
