"""HTTP cases where the web server itself serves all but ephemeral files."""

import re
import time

from .cases import equal, true
from .http_cases import (CASES, Bench, is_refusal, no_leftovers,
                         token_of)
from .site import wait_for

BODY = bytes(range(256)) * 40

TAKEN_DOWN = 10  # seconds at most; it takes about one, and caches two more

CSP_INLINE = ("default-src 'none'; img-src 'self'; media-src 'self'; "
              "style-src 'unsafe-inline'; frame-ancestors 'none'")
CSP_SAVED = "default-src 'none'; frame-ancestors 'none'; sandbox"

# Which of all HTTP cases hold word for word.
SAME = (
    "nothing is compressed, whatever the client accepts",
    "a query gives the program no options",
    "before the PUT, GET and HEAD are answered 404",
    "OPTIONS tells a browser what it may send",
    "every form of a single range is served",
    "several ranges come as parts",
    "a range outside the file is answered 416 with its size",
    "conditions are honoured",
)

# (server, name of a case): why it does not hold there.
OTHERWISE = {
    ("LighttpdStatic", "conditions are honoured"):
        "lighttpd knows no If-Match and no If-Unmodified-Since",
    ("LighttpdStatic", "several ranges come as parts"):
        "lighttpd sends no Content-Type with the parts",
    ("LighttpdStatic", "a range outside the file is answered 416 with its size"):
        "lighttpd does not say the size",
    ("LighttpdStatic", "other sites' scripts may read the server's refusals"):
        "lighttpd drops all headers of an answer that becomes an error",
    ("ApacheStatic", "conditions are honoured"):
        "Apache's tag of a file that is younger than a second is a weak one",
    ("ApacheStatic", "a range outside the file is answered 416 with its size"):
        "Apache does not say the size",
}

TYPES = (  # name, type, whether a browser shows it
    ("a.jpg", "image/jpeg", True),
    ("A.JPEG", "image/jpeg", True),
    ("a b.png", "image/png", True),
    ("clip.mp4", "video/mp4", True),
    ("note.ogg", "audio/ogg", True),
    ("words.txt", "text/plain; charset=utf-8", True),
    ("a.svg", None, False),
    ("a.html", None, False),
    ("a.html.gz", None, False),
    ("a.php", None, False),
    ("a.shtml", None, False),
    ("a.cgi", None, False),
    ("a.inc", None, False),
    ("a~", None, False),
    (".htaccess", None, False),
    ("none", "application/octet-stream", False),
)


class StaticBench(Bench):
    """The GET URL tells where a file is."""

    def __init__(self, site, server_class):
        super().__init__(site, server_class)
        self.files = self.web.url.replace("/upload/", "/files/")
        self.putslot.set("store", public=self.putslot.public)
        self.putslot.set("web", public_url=self.files)

    def slot(self, size, name="file.bin", **more):
        put, get = super().slot(size, name, **more)
        if more.get("purpose") == "ephemeral":
            return put, get
        token, _, path = get.removeprefix(self.web.url).partition("/")
        return put, f"{self.files}{token[:2]}/{token}/{path}"

    def log(self):
        [daemon] = [d for d in self.site.daemons if d.name == "putslot.fcgi"]
        return daemon.log_text()

    def requests_of_program(self, method="GET"):
        return len(re.findall(f"{method}, slot", self.log()))


def served_by_itself(bench):
    before = bench.requests_of_program()
    get = bench.stored(BODY, "picture.png", type="image/png")
    response = bench.get(get)
    equal((response.status, response.body), (200, BODY), "the answer")
    equal(bench.requests_of_program(), before, "requests at putslot")
    for name, value in (
            ("Content-Length", str(len(BODY))),
            ("Accept-Ranges", "bytes"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers",
             "Accept-Ranges, Content-Disposition, Content-Length, "
             "Content-Range, ETag"),
            ("Cache-Control", "max-age=604800, immutable")):
        equal(response.header(name), value, name)
    head = bench.head(get)
    equal((head.status, head.body), (200, b""), "the answer to HEAD")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified",
                 "Content-Security-Policy", "Content-Disposition"):
        equal(head.header(name), response.header(name), name)


def types(bench):
    for name, type, shown in TYPES:
        response = bench.get(bench.stored(b"<script>", name))
        equal((response.status, response.body), (200, b"<script>"), name)
        if type:
            equal(response.header("Content-Type"), type, name)
        equal(response.header("Content-Encoding"), None, name)
        # Without the header a browser shows it as well.
        true(response.header("Content-Disposition") in (
            (None, "inline") if shown else ("attachment",)), name)
        equal(response.header("Content-Security-Policy"),
              CSP_INLINE if shown else CSP_SAVED, name)


def other_names(bench):
    """What is shown depends on the name that is asked for, not on what others
    asked for before."""
    get = bench.stored(b"GIF89a", "a.gif")
    for name, type, policy in 2 * (("a.gif", "image/gif", CSP_INLINE),
                                   ("b.png", "image/png", CSP_INLINE),
                                   ("c", "application/octet-stream",
                                    CSP_SAVED)):
        response = bench.get(get.rpartition("/")[0] + "/" + name)
        equal((response.header("Content-Type"),
               response.header("Content-Security-Policy")), (type, policy),
              name)


def conditions(bench):
    """With the server's own validators."""
    get = bench.stored(BODY, "a.png")
    time.sleep(2)  # until a file's time says enough, for Apache
    first = bench.get(get)
    etag, date = first.header("ETag"), first.header("Last-Modified")
    true(etag[0] == etag[-1] == '"', f"the ETag is not strong: {etag}")
    for headers, status in (
            ({"If_None_Match": etag}, 304),
            ({"If_None_Match": '"other"'}, 200),
            ({"If_Modified_Since": date}, 304),
            ({"Range": "bytes=0-1", "If_Range": etag}, 206),
            ({"Range": "bytes=0-1", "If_Range": '"other"'}, 200),
            ({"Range": f"bytes={len(BODY)}-"}, 416)):
        equal(bench.get(get, **headers).status, status, f"with {headers}")


def readable_refusals(bench):
    """Two origins are none to a browser, and that header comes easily twice."""
    get = bench.stored(BODY, "a.png")
    for headers, status in (({"Range": f"bytes={len(BODY)}-"}, 416),
                            ({"If_Match": '"other"'}, 412)):
        response = bench.get(get, **headers)
        equal(response.status, status, f"with {headers}")
        equal(response.headers.get_all("Access-Control-Allow-Origin"), ["*"],
              f"origins with {headers}")


def other_methods(bench):
    get = bench.stored(BODY)
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        response = bench.request(method, get, body=b"other")
        is_refusal(response, 405)
        equal(response.header("Allow"), "GET, HEAD, OPTIONS", "Allow")
    equal(bench.get(get).body, BODY, "the body")


def hostile_paths(bench):
    """Nothing is served but by SHARD/TOKEN/name; what is refused has no word of
    the server's own, and is no redirect."""
    get = bench.stored(b"theirs")
    token = token_of(get)
    shard, other = token[:2], "zz" if token[:2] != "zz" else "yy"
    secret = bench.putslot.public / "secret"
    secret.write_text("nobody's")
    (bench.putslot.public / shard / "x.png").symlink_to(secret)
    for path in ("", shard, f"{shard}/", f"{shard}/{token}/a/b",
                 f"{other}/{token}/a", f"{token}/a", f"{shard}/../secret",
                 "secret", "secret/a", f"{shard}/x.png", f"{shard}/x.png/a",
                 f"{shard}/..%2fsecret", "..%2f..%2fputslot.db/a",
                 "../store/putslot.db", f"{shard.upper()}/{token.upper()}/a",
                 f"{shard}/{token}x/a", f"{shard}/{token[:-1]}/a",
                 f"incoming/{token}/a", f"=/{shard}/{token}",
                 f"=png/{shard}/{token}", "=/secret", "%3D/secret"):
        response = bench.get(bench.files + path)
        # putslot reads a GET URL from its end, whatever stands before
        theirs = path.endswith(f"{token}/a")
        equal((response.status in (400, 403, 404), response.body == b"theirs"),
              (not theirs, theirs), f"{path!r}: {response}")
        true(b"nobody" not in response.body, path)


def misses(bench):
    """What the server does not find is putslot's to answer, also when it comes
    in that moment."""
    put, get = bench.slot(5, "a.jpg")
    before = bench.requests_of_program()
    is_refusal(bench.get(get), 404)
    equal(bench.requests_of_program(), before + 1, "requests at putslot")
    equal(bench.get(get).header("Cache-Control"), "no-store", "of a miss")
    equal(bench.put(put, b"fives").status, 201, "status of the PUT")
    equal(wait_for(lambda: bench.get(get).status, "answer"), 200, "status")


def own_files(bench):
    """Another configuration had put it there."""
    token = token_of(get := bench.stored(b"kept", "a.txt"))
    public = bench.putslot.public / token[:2] / token
    own = bench.putslot.bodies / token[:2] / token
    own.parent.mkdir(mode=0o2770, exist_ok=True)
    bench.site.give(own.parent, bench.site.web_user, 0o2770)
    public.rename(own)
    time.sleep(3)  # lighttpd remembers what it saw for two seconds
    response = bench.get(get)
    equal((response.status, response.body), (200, b"kept"), "the answer")


def ephemeral(bench):
    """Through putslot, and never by the way of the others."""
    get = bench.stored(b"soon gone", "a.png", purpose="ephemeral",
                       retention=3)
    token = token_of(get)
    true(get.startswith(bench.web.url), get)
    true(not (bench.putslot.public / token[:2] / token).exists(),
         "it lies where the web server serves it")
    [[expires_at]] = bench.putslot.sql(
        "SELECT expires_at FROM slot WHERE token = ?", token)
    ways = get, f"{bench.files}{token[:2]}/{token}/a.png"
    equal(bench.get(get).status, 200, "status")
    while True:
        asked = time.time()
        responses = [bench.get(way) for way in ways]
        if any(response.status != 200 for response in responses):
            break
        true(asked < expires_at, "it was served after its time")
        time.sleep(0.05)
    for way in ways:
        is_refusal(bench.get(way), 404)


TAKE_DOWNS = (
    "DELETE FROM slot WHERE token = ?",
    "UPDATE slot SET expires_at = issued_at WHERE token = ?")


def take_down(bench):
    for statement in TAKE_DOWNS:
        get, other = (bench.stored(b"regretted") for _ in range(2))
        token = token_of(get)
        equal(bench.get(get).status, 200, "status")
        bench.putslot.sql(statement, token)
        took = time.monotonic()
        wait_for(lambda: bench.get(get).status == 404,
                 f"404 after {statement!r}", TAKEN_DOWN)
        print(f"{statement}: closed after {time.monotonic() - took:.1f} s")
        is_refusal(bench.get(get), 404)
        equal(bench.get(other).status, 200, "status of another file")
        true(bench.putslot.files()[token].is_relative_to(
            bench.putslot.bodies), "it was not kept until cleanup")
    # whoever made a mistake takes it back
    bench.putslot.sql("UPDATE slot SET expires_at = NULL WHERE token = ?",
                      token)
    equal(wait_for(lambda: (r := bench.get(get)).status == 200 and r,
                   "the file again").body, b"regretted", "the body")


def switched(bench):
    """Neither to switch it off nor on loses a file."""
    with_it = bench.stored(b"public", "a.txt")
    bench.putslot.config["web"].pop("public_url")
    bench.restart()
    put, get = Bench.slot(bench, 3, "b.txt")
    equal(bench.put(put, b"own").status, 201, "status of the PUT")
    token = token_of(get)
    true(not (bench.putslot.public / token[:2] / token).exists(),
         "it became public")
    through = bench.web.url + "/".join(with_it.split("/")[-2:])
    for url, body in ((with_it, b"public"), (through, b"public"),
                      (get, b"own")):
        equal(bench.get(url).body, body, url)
    bench.putslot.set("web", public_url=bench.files)
    bench.restart()
    for url, body in ((with_it, b"public"), (get, b"own")):
        equal(bench.get(url).body, body, url)


def cleaned(bench):
    """Cleanup and the check know both places."""
    gone, ended = (bench.stored(b"over", "a.txt") for _ in range(2))
    bench.putslot.cleanup("--fsck", "--grace", "0s", status=3)  # a secret
    (bench.putslot.public / "secret").unlink()
    for path in bench.putslot.public.rglob("*"):
        if path.is_symlink():
            path.unlink()
    bench.putslot.cleanup("--fsck", "--grace", "0s")
    bench.putslot.sql("DELETE FROM slot WHERE token = ?", token_of(gone))
    bench.putslot.sql("UPDATE slot SET expires_at = issued_at "
                      "WHERE token = ?", token_of(ended))
    bench.putslot.cleanup()
    for get in gone, ended:
        is_refusal(wait_for(
            lambda: (r := bench.get(get)).status == 404 and r, "404"), 404)
    equal(bench.putslot.sql("SELECT count(*) FROM doomed"), [(0,)], "doomed")
    bench.putslot.cleanup("--fsck", "--grace", "0s")


OWN_CASES = (
    ("the web server serves a file by itself, with putslot's headers",
     served_by_itself),
    ("the name's ending tells the type, and what is shown", types),
    ("another name of the same file has its own type", other_names),
    ("the server's validators work", conditions),
    ("other sites' scripts may read the server's refusals",
     readable_refusals),
    ("all other methods are putslot's", other_methods),
    ("hostile paths reach nothing", hostile_paths),
    ("what is not there is putslot's to answer", misses),
    ("a file in putslot's own tree is found by the public URL", own_files),
    ("an ephemeral file is there until its second, and nowhere else",
     ephemeral),
    ("what an administrator types into sqlite3 closes the URL", take_down),
    ("cleanup and the check see public files", cleaned),
    ("switching it off and on loses nothing", switched),
)


def run_static_cases(scenario, server_class):
    from . import get_cases  # noqa: F401  it fills CASES
    bench = StaticBench(scenario.site, server_class)
    bench.start()
    same = [case for case in CASES if case[0] in SAME]
    equal(len(same), len(SAME), "cases of that name")
    for name, function in (*same, *OWN_CASES):
        if (bench.server, name) not in OTHERWISE:
            with scenario.case(name):
                function(bench)
    with scenario.case("every file on the disk belongs to a slot, whole"):
        no_leftovers(bench.putslot)
    return bench
