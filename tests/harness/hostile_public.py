"""Bad and odd requests for public files, where the web server serves them by
itself: see hostile_inputs for what is expected. Whether such a path is refused
by the server or by putslot is less to the point than that nothing is served
but an upload, and as nothing that runs: see PublicTarget.

{P}, {X} and {D} stand for SHARD/TOKEN of a stored upload that is public, of one
whose time is over, and of one that was taken down; {E} for an ephemeral one's,
and {W} for that of a slot that awaits its upload.
"""

import re

from .cases import equal, true
from .hostile import POLICY, Target, run_table
from .hostile_inputs import Bad, Own
from .site import wait_for
from .static_cases import CSP_INLINE, CSP_SAVED, TAKEN_DOWN

PUBLIC = []

REFUSED = {404, Own(400), Own(404)}
HARMLESS = REFUSED | {200}
NO_METHOD = {405, Own(400), Own(405), Own(501)}

END = b" HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"


def ask(name, line, usual, headers=b""):
    PUBLIC.append(Bad(name, line.encode() + END + headers + b"\r\n", usual))


def get(name, target, usual):
    ask(name, "GET " + target, usual)


# ---- what is no file ----

for what, path in (
        ("the place of all files", ""), ("a shard", "{shard}"),
        ("a shard and a slash", "{shard}/"), ("a file without a name", "{P}"),
        ("a file as a directory", "{P}/x/y"),
        ("a token without its shard", "{G}"),
        ("a file that is not there", "aa/{absent}/x.png"),
        ("a slot that awaits its upload", "{W}/x"),
        ("a token in capitals", "{P:upper}/x"),
        ("a token that is too short", "{P:short}/x"),
        ("a token that is too long", "{P}2/x"),
        ("dot segments before the name", "{P}/../x"),
        ("dot segments for the name", "{P}/.."),
        ("dot segments for the shard", "../{G}/x/.."),
        ("a star", "*"), ("a tilde", "~/x"), ("a question", "?/{P}/x/"),
        ("the database", "../store/putslot.db"),
        ("what a shard cannot hold", "{shard}/secret/x.png"),
        ("a dot file", ".htaccess"), ("a dot file of a shard",
                                      "{shard}/.htaccess/x.png"),
        ("a dot for the shard", "./{G}/."), ("bodies in flight",
                                             "incoming/{G}/x/"),
        ("a secret beside the shards", "secret"),
        ("a secret with a name", "secret/x.png"),
        ("what lighttpd uses inside", "=image-png/{shard}/"),
        ("what lighttpd uses inside, out of it", "=/../secret"),
        ("what lighttpd uses inside, a secret", "=image-png/secret"),
        ("what lighttpd uses inside, by escapes", "%3dimage-png/secret")):
    get(what, "/files/" + path, REFUSED)
# putslot reads a URL from its end.
get("a file and a slash", "/files/{P}/", HARMLESS)
for what, path in (
        ("a file and two slashes", "{P}//x"),
        ("a shard that is another", "{other}/x"),
        ("a file behind the database", "putslot.db/{P}/x")):
    get(what, "/files/" + path, 200)

# ---- traversal ----

get("dot segments out of it", "/files/../secret", REFUSED)
for what, dots in (
        ("plain", "../"), ("escaped", "%2e%2e/"), ("escaped slashes", "..%2f"),
        ("all escaped", "%2e%2e%2f"), ("half escaped", ".%2e/"),
        ("twice escaped", "%252e%252e%252f"), ("backslashes", "..\\"),
        ("escaped backslashes", "..%5c"), ("overlong", "%c0%ae%c0%ae%c0%af"),
        ("with a NUL", "..%00/"), ("with a semicolon", "..;/"),
        ("four dots", "..../"), ("with tabs", "..%09/")):
    for where, base in (("in the place", "/files/"),
                        ("in a shard", "/files/{shard}/"),
                        ("behind a file", "/files/{P}/"),
                        ("behind a name", "/files/{P}/x.png/")):
        get(f"dot segments, {what}, {where}",
            base + dots * 5 + "etc/passwd", REFUSED)
        get(f"dot segments, {what}, {where}, to the secret",
            base + dots + "secret", HARMLESS)


# ---- methods ----

for method in ("PUT", "POST", "DELETE", "PATCH", "PROPFIND", "MKCOL", "MOVE",
               "COPY", "LOCK", "PURGE", "TRACE", "CONNECT", "get", "X"):
    for what, path, usual in (
            ("a file", "{P}/x.png", NO_METHOD),
            ("a slot", "{W}/x.png", NO_METHOD),
            ("the place of all files", "", NO_METHOD | {404})):
        ask(f"{method} of {what}", f"{method} /files/{path}", usual,
            b"Content-Length: 0\r\nDestination: /files/aa/x\r\n")


# ---- files that are not public, or are no longer ----

get("an ephemeral file", "/files/{E}/x", 200)
for key, what in (("X", "an upload whose time is over"),
                  ("D", "an upload that was taken down")):
    for name in "x", "x.png", "x.html", "%78", "x?y", "..%2fx":
        get(f"{what}, as {name}", f"/files/{{{key}}}/{name}", REFUSED)
    get(f"{what}, in two slashes", f"/files//{{{key}}}/x.png", REFUSED)
    get(f"{what}, beside a dot", f"/files/./{{{key}}}/x.png", REFUSED)


# ---- names ----

ENDINGS = ("html htm xhtml xht shtml svg svgz xml xsl js mjs css json pdf php "
           "phtml cgi pl swf wasm htc hta mht mhtml eml rss atom vtt ics vcf "
           "appcache webmanifest manifest").split()
NAMES = (*(f"x.{ending}" for ending in ENDINGS), "x.HTML", "x.Svg", "x.png.html",
         "x.html.png", "x.png.", "x.png%20", "x.png~", "x.html%20.png",
         "x.html%0a.png", "x.png%0a", "x.html%0d%0a.txt", "x.html?x.png",
         "x.html?.png", "x.html%3f.png", "x.html%23.png", "x.html;.png",
         "x.png;.html", "x.html%2fx.png", "x.png%2fx.html", "x.html%00.png",
         "x.html%5c.png", "png", ".png", ".html", "x..png", "x.png.html.png",
         "x.%70ng", "x.ht%6dl", "x.html%c0%ae.png", "x.html,x.png")
for name in NAMES:
    get(f"the name {name}", "/files/{P}/" + name,
        HARMLESS if "%" in name else 200)


# ---- what holds for all ----

TYPES = re.compile(rb"image/(?!svg)[a-z0-9.+-]+|(audio|video)/[a-z0-9.+-]+|"
                   rb"text/plain(; ?charset=utf-8)?|"
                   rb"application/octet-stream", re.I)  # that is saved


class PublicTarget(Target):
    def __init__(self, bench):
        (bench.putslot.public / "secret").write_text("nobody's")
        super().__init__(bench)
        words = self.words
        words["E"] = self.stored(purpose="ephemeral")
        words["X"], words["D"] = self.stored(), self.stored()
        bench.putslot.sql(
            "UPDATE slot SET expires_at = issued_at WHERE token = ?",
            words["X"][3:])
        bench.putslot.sql("DELETE FROM slot WHERE token = ?", words["D"][3:])
        for gone in words["X"], words["D"]:
            wait_for(lambda: bench.get(f"{bench.files}{gone}/x").status == 404,
                     "404", TAKEN_DOWN)
        self.fresh()

    def stored(self, **more):
        get = self.bench.stored(b"there", "x", **more)
        token = get.split("/")[-2]
        return f"{token[:2]}/{token}"

    def fill(self, raw):
        shard, token = self.words["G"][:2], self.words["G"]
        other = "zz" if shard != "zz" else "yy"
        for word, text in {
                "shard": shard, "other": f"{other}/{token}",
                "absent": "a" * 26, "P": f"{shard}/{token}",
                "P:upper": f"{shard}/{token}".upper(),
                "P:short": f"{shard}/{token[:-1]}",
                "W": f"{self.words['T'][:2]}/{self.words['T']}"}.items():
            raw = raw.replace(b"{%s}" % word.encode(), text.encode())
        return super().fill(raw)

    def check(self, answer):
        """What is served is what was uploaded, and runs nowhere."""
        super().check(answer)
        for word in b"nobody", b"root:", b"SQLite", b"Index of":
            true(word not in answer.body, f"it tells {answer.body!r}")
        true(answer.status // 100 != 3, "it leads elsewhere")
        if answer.status == 200:
            self.check_served(answer.headers, answer.body)

    @staticmethod
    def check_served(headers, body):
        equal(body, b"there", "the body")
        equal(headers[b"x-content-type-options"], b"nosniff", "nosniff")
        # lighttpd adds its own to that of putslot, which is the stricter.
        policy, _, more = headers[POLICY].decode().partition(", ")
        true(more in ("", policy, CSP_SAVED), f"policy {more!r}")
        if policy == CSP_INLINE:
            true(TYPES.fullmatch(headers[b"content-type"]),
                 f"{headers[b'content-type']} is shown")
        else:
            equal(policy, CSP_SAVED, "policy")
            true(headers[b"content-disposition"].startswith(b"attachment"),
                 "it is shown")


def run_hostile_public(scenario, bench):
    run_table(scenario, bench, PUBLIC, PublicTarget)
    (bench.putslot.public / "secret").unlink()
    print(f"# {bench.server}: {len(PUBLIC)} bad requests for public files",
          flush=True)
