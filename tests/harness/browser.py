"""Debian's Chromium without a window, driven through WebDriver (W3C), and a
web site of another origin that notes what is asked of it."""

import http.server
import json
import threading
import urllib.error
import urllib.request

from .site import accepts

SECONDS = 30

# --no-sandbox: the tests may run as root. The rest keeps it from talking to
# anyone but us.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-dev-shm-usage", "--mute-audio",
    "--ignore-certificate-errors",
    "--autoplay-policy=no-user-gesture-required")


class BrowserError(Exception):
    pass


class Browser:
    """Use it in a with statement, when its site's daemons are running."""

    def __init__(self, site):
        self.port = site.port()
        home = site.make_directory("browser", 0o700)
        profile = site.make_directory("browser/profile", 0o700)
        self.downloads = site.make_directory("browser/downloads", 0o700)
        site.start(
            "chromedriver", ["chromedriver", f"--port={self.port}"],
            lambda: accepts(("127.0.0.1", self.port)),
            env={"HOME": str(home), "TMPDIR": str(home),
                 "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)})
        self.session = ""
        self.session = "/session/" + self._call("POST", "/session", {
            "capabilities": {"alwaysMatch": {
                "browserName": "chrome", "acceptInsecureCerts": True,
                "timeouts": {"script": SECONDS * 1000,
                             "pageLoad": SECONDS * 1000},
                "goog:chromeOptions": {
                    "binary": "/usr/bin/chromium",
                    "args": [*FLAGS, f"--user-data-dir={profile}"],
                    "prefs": {"download.default_directory":
                              str(self.downloads)}}}}})["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._call("DELETE", "")

    def _call(self, method, path, content=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.session}{path}",
            None if content is None else json.dumps(content).encode(),
            {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS * 2) as got:
                return json.load(got)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def title(self):
        return self._call("GET", "/title")

    def url(self):
        return self._call("GET", "/url")

    def run(self, script, *arguments):
        """What an async function with that body returns in the page; in it,
        the arguments are called a, b, c …"""
        names = ", ".join("abcdefgh"[:len(arguments)])
        found = self._call("POST", "/execute/async", {
            "script": f"""
                const done = arguments[arguments.length - 1];
                (async ({names}) => {{ {script} }})(...arguments).then(
                    value => done({{value}}),
                    error => done({{error: String(error)}}));""",
            "args": list(arguments)})
        if "error" in found:
            raise BrowserError(found["error"])
        return found.get("value")

    def in_frame(self, script):
        """The same within the only frame of the page."""
        self._call("POST", "/frame", {"id": 0})
        try:
            return self.run(script)
        finally:
            self._call("POST", "/frame", {"id": None})


class OtherOrigin:
    """Serves on a port of its own: /page and /framed, the headers of which may
    be set, and takes note of the paths of all other requests."""

    def __init__(self, site):
        self.asked = []
        self.headers = {}
        other = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path not in ("/page", "/framed", "/favicon.ico"):
                    other.asked.append(self.path)
                self.send_response(200)
                for name, value in {
                        "Content-Type": "text/html",
                        "Access-Control-Allow-Origin": "*",
                        **other.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>other</title>")

            do_POST = do_GET

            def log_message(self, *_):
                pass

        port = site.port()
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
