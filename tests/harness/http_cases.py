"""The HTTP cases that every web server has to pass, with its own file.

put_cases and get_cases hold them; here are what they work with, and where a
server cannot do as the others, with the reason.
"""

from urllib.parse import quote

from .cases import equal, true
from .http_client import RawConnection, request
from .putslot import Putslot
from .tls import Certificates

CASES = []

# (server, what): (its answer, why it is not the usual one)
DEVIATIONS = {
    ("Lighttpd", "neither length nor chunked"): (
        400, "lighttpd says CONTENT_LENGTH=0, so this is a wrong length"),
    ("LighttpdCgi", "neither length nor chunked"): (400, "the same"),
    ("ApacheFcgid", "neither length nor chunked"): (
        400, "mod_fcgid says CONTENT_LENGTH=0, so this is a wrong length"),
}


def case(name):
    """Enters a function of one argument, the bench, among the cases."""
    def enter(function):
        CASES.append((name, function))
        return function
    return enter


class Bench:
    """A web server with putslot behind it, and short ways to use them."""

    def __init__(self, site, server_class):
        self.site = site
        self.tls = Certificates(site)
        self.putslot = Putslot(site)
        self.web = server_class(site, self.tls, self.putslot)
        self.server = server_class.__name__
        self.putslot.set("web", put_url=self.web.url,
                         send_file=self.web.send_file, send_file_from="0")

    def start(self):
        # Makes the database, as the component does in an installation: the
        # web side comes second, and must be able to write to it.
        self.slot(1)
        if self.web.needs_fcgi:
            self.putslot.start_fcgi()
        self.web.start()

    def restart(self):
        """What had been started, by now with another configuration."""
        for daemon in reversed(list(self.site.daemons)):
            self.site.stop(daemon)
        self.start()

    def expected(self, what, usual):
        server = self.server.removesuffix("SendFile")
        return DEVIATIONS.get((server, what), (usual, ""))[0]

    # ---- slots ----

    def slot(self, size, name="file.bin", **more):
        """A fresh slot's (PUT URL, GET URL)."""
        token, secret = self.putslot.grant(size, name, **more)
        path = quote(name, safe="")
        return (f"{self.web.url}{token}/{secret}/{path}",
                f"{self.web.url}{token}/{path}")

    def stored(self, body, name="file.bin", headers=None, **more):
        """A fresh upload's GET URL."""
        put, get = self.slot(len(body), name, **more)
        equal(self.put(put, body, headers).status, 201, "status of the PUT")
        return get

    def unchanged(self, put, get, body):
        """Nothing was stored, and the slot takes its body after all."""
        equal(self.get(get).status, 404, "status of a GET before the PUT")
        equal(self.put(put, body).status, 201, "status of the next PUT")
        equal(self.get(get).body, body, "the body")

    # ---- requests ----

    def put(self, url, body, headers=None):
        return request(self.tls, "PUT", url, body, headers)

    def get(self, url, **headers):
        """Header names are given with '_' for '-'."""
        return self.request("GET", url, headers)

    def head(self, url, **headers):
        return self.request("HEAD", url, headers)

    def request(self, method, url, headers=None, body=None):
        return request(self.tls, method, url, body, {
            name.replace("_", "-"): value
            for name, value in (headers or {}).items()})

    def raw(self):
        return RawConnection(self.tls, self.web.url)


def token_of(url):
    """Of a GET URL."""
    return url.split("/")[-2]


def is_refusal(response, status):
    """Checks the form that every error of putslot's own has."""
    equal(response.status, status, "status")
    equal(response.header("Access-Control-Allow-Origin"), "*", "CORS header")
    true((response.header("Content-Type") or "").startswith("text/plain"),
         f"the error's type is {response.header('Content-Type')}")
    true(response.body.strip().endswith(b"."),
         f"the error is no sentence: {response.body!r}")


def run_http_cases(scenario, server_class):
    """All of them; the bench, for what one server alone has to show."""
    from . import get_cases, put_cases  # noqa: F401  they fill CASES
    bench = Bench(scenario.site, server_class)
    bench.start()
    for name, function in CASES:
        with scenario.case(name):
            function(bench)
    with scenario.case("every file on the disk belongs to a slot, whole"):
        no_leftovers(bench.putslot)
    return bench


def no_leftovers(putslot):
    stored = dict(putslot.sql(
        "SELECT token, size FROM slot WHERE stored_at IS NOT NULL"))
    doomed = {token for token, in putslot.sql("SELECT token FROM doomed")}
    for name, path in putslot.files().items():
        if name not in doomed:
            equal(path.stat().st_size, stored.get(name), f"size of {path}")
