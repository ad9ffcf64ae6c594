"""What a browser does with uploads, and a web client in it with putslot.

film.webm was made by: ffmpeg -f lavfi -i testsrc=size=32x24:rate=5:duration=8
-c:v libvpx -b:v 8k -g 5 -fflags +bitexact -flags:v +bitexact film.webm"""

import io
import time
import wave

from .browser import Browser, BrowserError, OtherOrigin
from .cases import equal, true
from .http_cases import Bench
from .site import TOP
from .static_cases import StaticBench

PICTURE = (TOP / "tests/demo/picture.png").read_bytes()
FILM = (TOP / "tests/scenarios/film.webm").read_bytes()

# Whatever of it runs asks the other origin for something, or changes a title.
EVIL = """document.title = "ran"; fetch("{0}/ran");
new Image().src = "{0}/ran"; navigator.sendBeacon("{0}/ran");"""
HTML = """<!doctype html><title>upload</title><script>%s</script>
<img src="x:" onerror='%s'><style>@import "{0}/style";</style>
<img src="{0}/picture"><iframe src="{0}/frame"></iframe>
<meta http-equiv="refresh" content="0;url={0}/refresh">
<form action="{0}/form" id="f"></form><script>f.submit()</script>
<body onload='%s'>upload""" % (EVIL, EVIL, EVIL)
SVG = """<svg xmlns="http://www.w3.org/2000/svg" onload='%s'>
<script>%s</script><image href="{0}/picture"/>
<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"
onload='%s'/></foreignObject></svg>""" % (EVIL, EVIL, EVIL)
XML = """<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?>
<a xmlns:h="http://www.w3.org/1999/xhtml"><h:script>%s</h:script>
<x:stylesheet id="s" version="1.0"
xmlns:x="http://www.w3.org/1999/XSL/Transform">
<x:template match="/"><h:script>%s</h:script></x:template></x:stylesheet>
</a>""" % (EVIL, EVIL)
XHTML = """<html xmlns="http://www.w3.org/1999/xhtml"><head>
<title>upload</title><script>%s</script></head><body onload='%s'/>
</html>""" % (EVIL, EVIL)
PDF = """%%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript
/JS(app.launchURL("{0}/ran"); this.submitForm("{0}/ran");)>>>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]
/AA<</O<</S/URI/URI({0}/ran)>>>>>>endobj
trailer<</Root 1 0 R>>
%%%%EOF""".replace("%%", "%")
MHTML = """MIME-Version: 1.0
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html

""" + HTML + "\n--b--\n"

# (what, type of the slot, is it shown in the window)
UPLOADS = (
    ("HTML", HTML, "text/html", False),
    ("HTML in UTF-7's name", HTML, "text/html; charset=utf-7", False),
    ("XHTML", XHTML, "application/xhtml+xml", False),
    ("SVG", SVG, "image/svg+xml", False),
    ("SVG in capitals", SVG, "IMAGE/SVG+XML", False),
    ("XML", XML, "text/xml", False),
    ("XML of another name", XML, "application/rss+xml", False),
    ("XSLT", XML, "text/xsl", False),
    ("PDF", PDF, "application/pdf", False),
    ("JavaScript", EVIL, "text/javascript", False),
    ("JSON", HTML, "application/json", False),
    ("MHTML", MHTML, "multipart/related; boundary=b", False),
    ("a message", MHTML, "message/rfc822", False),
    ("a stream of parts", MHTML, "multipart/x-mixed-replace; boundary=b",
     False),
    ("HTML of no type", HTML, "", False),
    ("HTML of an unknown type", HTML, "a/b", False),
    ("HTML said to be text", HTML, "text/plain", True),
    ("HTML said to be a picture", HTML, "image/png", True),
    ("SVG said to be a picture", SVG, "image/jpeg", True),
    ("SVG of an older name", SVG, "image/svg", False),
    ("HTML said to be a film", HTML, "video/webm", True),
    ("HTML said to be sound", HTML, "audio/mpeg", True),
    ("PDF said to be text", PDF, "text/plain", True),
)

# Where the web server knows a type by the name's ending alone.
ENDINGS = {
    "application/xhtml+xml": "xhtml", "image/svg+xml": "svg",
    "image/svg": "svg", "text/xml": "xml", "application/rss+xml": "rss",
    "text/xsl": "xsl", "application/pdf": "pdf", "text/javascript": "js",
    "application/json": "json", "multipart/related": "mht",
    "message/rfc822": "eml", "text/plain": "txt", "image/png": "png",
    "image/jpeg": "jpg", "video/webm": "webm", "audio/mpeg": "mp3",
    "audio/wav": "wav"}


def stored(bench, body, type):
    """The GET URL. Unless it has to tell the type, the name says HTML."""
    ending = "html"
    if isinstance(bench, StaticBench):
        ending = ENDINGS.get(type.partition(";")[0].lower(), ending)
    if isinstance(body, str):
        body = body.encode()
    return bench.stored(body, f"upload.{ending}", type=type)


def sound():
    """Eight seconds of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(b"\x80" * 64000)
    return file.getvalue()


# ---- nothing runs ----

def harmless(bench, browser, other, get, inline):
    before = len(list(browser.downloads.iterdir()))
    browser.open(other.url + "/framed")
    other.asked.clear()
    try:
        browser.open(get)
    except BrowserError as error:
        true("ERR_ABORTED" in str(error), str(error))  # became a download
    # Long enough for a script, which would have run on the way here.
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline and not other.asked:
        time.sleep(0.05)
    equal(other.asked, [], "what it asked of another origin")
    true(browser.title() != "ran", "its script has run")
    if inline:
        equal(browser.url(), get, "what is shown")
        return
    equal(browser.url(), other.url + "/framed", "what is shown")
    deadline = time.monotonic() + 10
    while len(list(browser.downloads.iterdir())) == before:
        true(time.monotonic() < deadline, "it was not downloaded either")
        time.sleep(0.05)


def the_test_can_fail(browser, other):
    """Without putslot's headers, the same upload does run."""
    browser.open(other.url + "/page")
    other.asked.clear()
    browser.run("document.write(a); document.close();",
                HTML.replace("{0}", other.url))
    deadline = time.monotonic() + 10
    while not {"/ran", "/picture"} <= set(other.asked):
        true(time.monotonic() < deadline, f"it asked for {other.asked}")
        time.sleep(0.05)


FRAMES = {
    "iframe": """const e = document.createElement("iframe"); e.src = a;""",
    "object": """const e = document.createElement("object"); e.data = a;""",
    "embed": """const e = document.createElement("embed"); e.src = a;"""}
LOADED = """e.style.cssText = "width: 90px; height: 90px";
const end = new Promise(resolve => {
    e.onload = e.onerror = resolve; setTimeout(resolve, 700); });
document.body.append(e); await end;"""


def framing(scenario, bench, browser, other):
    def frame(url):
        browser.open(other.url + "/page")
        browser.run(FRAMES["iframe"] + LOADED, url)
        return browser.in_frame("return document.URL;")

    with scenario.case("the test can frame what may be framed"):
        equal(frame(other.url + "/framed"), other.url + "/framed", "the frame")
    shown = ((PICTURE, "image/png"), (FILM, "video/webm"),
             (b"text", "text/plain"), (sound(), "audio/wav"))
    for body, type in shown:
        with scenario.case(f"a frame of another origin shows no {type}"):
            get = stored(bench, body, type)
            equal(frame(get), "chrome-error://chromewebdata/", "the frame")
    for how in ("object", "embed"):
        with scenario.case(f"an <{how}> of another origin runs no HTML"):
            for type in ("text/html", "text/plain", "image/svg+xml"):
                get = stored(bench, HTML.replace("{0}", other.url), type)
                browser.open(other.url + "/page")
                other.asked.clear()
                browser.run(FRAMES[how] + LOADED, get)
                equal(other.asked, [], f"what {type} asked")
    with scenario.case("an uploaded text is no script and no style"):
        get = stored(bench, f'fetch("{other.url}/ran")', "text/plain")
        browser.open(other.url + "/page")
        other.asked.clear()
        browser.run("""const e = document.createElement("script");
            e.src = a;""" + LOADED, get)
        equal(other.asked, [], "what it asked")


# ---- a web client of another origin ----

FETCH = """const r = await fetch(a, b);
return {status: r.status, text: await r.text(),
        range: r.headers.get("Content-Range"), etag: r.headers.get("ETag"),
        length: r.headers.get("Content-Length"),
        disposition: r.headers.get("Content-Disposition")};"""
XHR = """return await new Promise((resolve, reject) => {
    const x = new XMLHttpRequest(); const seen = [];
    x.open("PUT", a); x.setRequestHeader("Content-Type", b);
    x.upload.onprogress = e => seen.push(e.loaded);
    x.onload = () => resolve({status: x.status, text: x.responseText, seen});
    x.onerror = () => reject("no answer"); x.send(c); });"""


def refused_range(bench, fetch, url):
    """Where nginx says it by itself, it adds no header to a 416, by which
    another origin could read it."""
    if isinstance(bench, StaticBench):
        return []
    return [(fetch(url, Range="bytes=99-"), 416)]


def cross_origin(scenario, bench, browser, other):
    browser.open(other.url + "/page")

    def fetch(url, method="GET", body=None, **headers):
        return browser.run(FETCH, url, {
            "method": method, "headers": {
                name.replace("_", "-"): value
                for name, value in headers.items()},
            **({} if body is None else {"body": body})})

    def put(url, body="fives", **headers):
        return fetch(url, "PUT", body, **headers)

    with scenario.case("a page of another origin uploads by fetch"):
        url, get = bench.slot(5, "a.txt", type="text/plain")
        equal(put(url, Content_Type="text/plain")["status"], 201, "status")
        found = fetch(get)
        equal((found["status"], found["text"]), (200, "fives"), "the file")
        equal(found["length"], "5", "length")
        true(found["etag"] and found["disposition"], f"it reads {found}")
    with scenario.case("it uploads by XMLHttpRequest, and sees how it goes"):
        url, get = bench.slot(5)
        found = browser.run(XHR, url, "application/octet-stream", "fives")
        equal((found["status"], found["text"]), (201, ""), "the answer")
        true(found["seen"], "it saw no progress")
        found = browser.run(XHR, url, "application/octet-stream", "fives")
        equal(found["status"], 409, "status of the second")
        true("already" in found["text"], found["text"])
    with scenario.case("it reads status and sentence of every refusal"):
        url, get = bench.slot(5, type="image/png")
        token, secret = url.split("/")[-3:-1]
        there = bench.stored(b"there")
        late, _ = bench.slot(5, put_window=0)
        for found, status in (
                (put(url.replace(secret, "a" * 26)), 404), (put(late), 404),
                (put(get), 405), (put(url, "four"), 400),
                (put(url, "sixsix"), 413),
                (put(url, Content_Type="text/html"), 415),
                (fetch(get), 404), (fetch(url), 405),
                *refused_range(bench, fetch, there)):
            equal(found["status"], status, f"status of {found['text']!r}")
            true(found["text"].endswith(".\n"), f"it reads {found['text']!r}")
        equal(put(url, Content_Type="image/png")["status"], 201, "in the end")
    with scenario.case("its preflights let nothing but uploads through"):
        url, get = bench.slot(5)
        for send in (lambda: fetch(get, "DELETE"),
                     lambda: put(url, Content_Encoding="gzip")):
            try:
                true(False, f"the browser sent it: {send()}")
            except BrowserError as error:
                true("Failed to fetch" in str(error), str(error))
        equal(put(url)["status"], 201, "status")
    with scenario.case("it reads a part, and where it is from"):
        found = fetch(bench.stored(b"there"), Range="bytes=1-2")
        equal((found["status"], found["text"], found["range"]),
              (206, "he", "bytes 1-2/5"), "the answer")


# ---- pictures, sound, films ----

MEDIA = """const e = document.createElement(b); e.src = a; e.muted = true;
const event = name => new Promise((resolve, reject) => {
    e.addEventListener(name, resolve, {once: true});
    e.onerror = () => reject(e.error ? e.error.message : "cannot be shown");
});
const loaded = event("loadedmetadata");
document.body.append(e); await loaded;
"""
SEEK = """const sought = event("seeked"); e.currentTime = 5; await sought;
const moving = event("timeupdate"); await e.play(); await moving;
return [e.duration, e.currentTime];"""
IMAGE = """const e = new Image(); e.src = a; if (b) e.crossOrigin = b;
await e.decode(); return e.naturalWidth;"""

# Of a media document, which the browser makes itself.
PLAYER = """const e = document.querySelector("video");
const event = name => new Promise((resolve, reject) => {
    e.addEventListener(name, resolve, {once: true});
    e.onerror = () => reject("cannot be played");
    if (e.error) reject(e.error.message); });
if (e.readyState < 1) await event("loadedmetadata");
e.muted = true;
"""


def plays(found, what):
    length, at = found
    true(7.5 < length < 8.5, f"{what} lasts {length} s")
    true(5 <= at < 8, f"{what} plays at {at} s")


def media(scenario, bench, browser, other):
    picture = bench.stored(PICTURE, "a.png", type="image/png")
    film = bench.stored(FILM, "a.webm", type="video/webm")
    noise = bench.stored(sound(), "a.wav", type="audio/wav")
    for headers in ({}, {"Cross-Origin-Embedder-Policy": "require-corp"}):
        how = "strict page" if headers else "page"
        other.headers = headers
        browser.open(other.url + "/page")
        with scenario.case(f"a {how} of another origin shows a picture"):
            for origin in ("", "anonymous"):
                true(browser.run(IMAGE, picture, origin) > 0, "no width")
        with scenario.case(f"a {how} of another origin plays a film and sound,"
                           " and seeks"):
            plays(browser.run(MEDIA + SEEK, film, "video"), "the film")
            plays(browser.run(MEDIA + SEEK, noise, "audio"), "the sound")
    other.headers = {}
    with scenario.case("a picture is shown in the window"):
        browser.open(picture)
        equal(browser.run("return [document.contentType, "
                          "document.images[0].naturalWidth > 0];"),
              ["image/png", True], "the document")
    for name, url in (("a film", film), ("sound", noise)):
        with scenario.case(f"{name} is played in the window, and sought in"):
            browser.open(url)
            plays(browser.run(PLAYER + SEEK), name)
    with scenario.case("a text is shown in the window"):
        browser.open(bench.stored("gr\u00fcn <b>".encode(), "a.txt",
                                  type="text/plain; charset=utf-8"))
        equal(browser.run("return document.body.innerText;"),
              "gr\u00fcn <b>", "the text")


def probe(scenario, bench):
    with scenario.case("iOS's probe for the first two bytes is answered 206"):
        get = bench.stored(FILM, "a.webm", type="video/webm")
        found = bench.get(get, Range="bytes=0-1")
        equal((found.status, found.header("Content-Range"),
               found.header("Content-Length"), found.body),
              (206, f"bytes 0-1/{len(FILM)}", "2", FILM[:2]), "the answer")
        true(found.header("Accept-Ranges") == "bytes"
             or isinstance(bench, StaticBench), "no Accept-Ranges")
        equal(found.header("Content-Type"), "video/webm", "type")


def run_browser_cases(scenario, server_class, bench_class=Bench):
    bench = bench_class(scenario.site, server_class)
    bench.start()
    probe(scenario, bench)
    other = OtherOrigin(scenario.site)
    with Browser(scenario.site) as browser:
        with scenario.case("the test can see that something runs"):
            the_test_can_fail(browser, other)
        for what, text, type, inline in UPLOADS:
            with scenario.case(f"{what} as {type or 'nothing'} runs nothing"):
                get = stored(bench, text.replace("{0}", other.url), type)
                harmless(bench, browser, other, get, inline)
        framing(scenario, bench, browser, other)
        cross_origin(scenario, bench, browser, other)
        media(scenario, bench, browser, other)
