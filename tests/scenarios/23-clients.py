#!/usr/bin/python3
"""Goal of this test: the whole way of a picture. Real clients find the service,
upload over TLS, and tell a friend; the friend downloads it byte for byte; when
its time is over it is gone, from the web at once, from the disk by
putslot-cleanup."""

import hashlib
import re
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from slixmpp.exceptions import IqError  # noqa: E402

from harness import (DOMAIN, TOP, Certificates, Lighttpd, Nginx,  # noqa: E402
                     Prosody, Putslot, XmppClient, curl, equal, go_sendxmpp,
                     request, run_scenario, true)
from harness.stanzas import UPLOAD  # noqa: E402
from harness.xmpp_cases import wait_until  # noqa: E402

PICTURE = TOP / "tests/demo/picture.png"
JULIET = "juliet@example.org"


class Way:
    """From romeo's picture to juliet's, through one web server."""

    def __init__(self, site, tls, putslot, prosody):
        self.site = site
        self.tls = tls
        self.putslot = putslot
        self.prosody = prosody

    def by_go_sendxmpp(self, _romeo):
        go_sendxmpp(self.site, self.prosody, "--http-upload", PICTURE, JULIET)

    def by_slixmpp(self, romeo):
        plugin = romeo.stream["xep_0363"]
        plugin.upload_service = romeo.wait(self.find_service(romeo.stream))
        url = romeo.wait(plugin.upload_file(str(PICTURE)))
        romeo.send(f"<message to='{JULIET}' type='chat'><body>{escape(url)}"
                   "</body></message>")

    @staticmethod
    async def find_service(stream):
        """As the plugin does by itself, but in the version that Debian 12 has
        with the Python that Debian 12 has."""
        disco = stream["xep_0030"]
        items = await disco.get_items(jid=DOMAIN)
        for jid, _, _ in items["disco_items"]["items"]:
            try:
                info = (await disco.get_info(jid=jid))["disco_info"]
            except IqError:
                continue  # an item that does not answer is none for us
            if UPLOAD in info["features"] and any(
                    identity[:2] == ("store", "file")
                    for identity in info["identities"]):
                return jid
        raise LookupError("the service is not found")

    def walk(self, upload, url):
        """Uploads and downloads; the GET URL, as juliet was told it."""
        with XmppClient(self.prosody, "juliet") as juliet, XmppClient(
                self.prosody, "romeo", plugins=("xep_0363",)) as romeo:
            told = juliet.loop.create_future()
            juliet.stream.add_event_handler(
                "message", lambda message: told.done() or told.set_result(
                    message["body"]))
            juliet.send("<presence/>")
            upload(romeo)
            get = juliet.wait(told)
        true(get.startswith(url) and get.endswith("/picture.png"),
             f"juliet was told {get!r}")
        self.site.path("got").unlink(missing_ok=True)
        curl(self.site, self.tls, "--fail", "-o", self.site.path("got"), get)
        equal(self.site.path("got").read_bytes(), PICTURE.read_bytes(),
              "the picture")
        return get

    def row(self, get):
        [row] = self.putslot.sql(
            "SELECT owner, file_name, content_type, size, sha256, expires_at"
            " FROM slot WHERE token = ?", get.split("/")[-2])
        return row


def body(scenario):
    site = scenario.site
    tls = Certificates(site)
    putslot = Putslot(site)
    webs = [Lighttpd(site, tls, putslot), Nginx(site, tls, putslot)]
    prosody = Prosody(site, tls, putslot)
    prosody.start()
    putslot.set("web", put_url=webs[0].url)
    component = putslot.start_component()
    putslot.start_fcgi()
    way = Way(site, tls, putslot, prosody)
    clients = {"go-sendxmpp": way.by_go_sendxmpp, "slixmpp": way.by_slixmpp}
    picture = PICTURE.read_bytes()

    for web in webs:
        putslot.set("web", put_url=web.url)
        site.stop(component)
        component = putslot.start_component()
        web.start()
        for name, upload in clients.items():
            with scenario.case(f"{name} uploads a picture through {web.name}, "
                               "its friend gets it byte for byte"):
                get = way.walk(upload, web.url)
                equal(way.row(get)[:5], (
                    "romeo@example.org", "picture.png", "image/png",
                    len(picture), hashlib.sha256(picture).digest()), "the row")
                response = request(tls, "GET", get)
                equal(response.header("Content-Type"), "image/png", "type")
                true(re.match("inline", response.header(
                    "Content-Disposition")), "a picture is not shown")

    with scenario.case("when its time is over it is gone: from the web at "
                       "once, from the disk by putslot-cleanup"):
        putslot.set("timers", put_window="5s", upload_timeout="2s")
        putslot.set("purpose message", retention="8s")
        site.stop(component)
        component = putslot.start_component()
        before = set(putslot.files())
        gets = [way.walk(upload, web.url) for upload in clients.values()]
        tokens = {get.split("/")[-2] for get in gets}
        equal(set(putslot.files()) - before, tokens, "files on the disk")
        for get in gets:
            expires_at = way.row(get)[-1]
            wait_until(expires_at - 1)
            response, now = request(tls, "GET", get), time.time()
            true(response.status == 200 or now >= expires_at, "gone too early")
            wait_until(expires_at)
            equal(request(tls, "GET", get).status, 404, "status at the second")
            equal(request(tls, "HEAD", get).status, 404, "status of HEAD")
        true(tokens <= set(putslot.files()), "the disk was not awaited")
        said = putslot.cleanup("-v")
        true("removed 2 files" in said and "expired 2" in said, said)
        equal(set(putslot.files()), before, "files on the disk")
        equal(putslot.sql("SELECT count(*) FROM slot WHERE token IN (?, ?)",
                          *tokens), [(0,)], "rows")
        equal(putslot.sql("SELECT count(*) FROM doomed"), [(0,)], "doomed")
        for get in gets:
            equal(request(tls, "GET", get).status, 404, "status afterwards")

    with scenario.case("what was to stay has stayed"):
        equal(len(before), 4, "number of files")
        true("removed 0 files" in putslot.cleanup(), "more was removed")
        putslot.cleanup("--fsck", "--grace", "0s")


run_scenario(body)
