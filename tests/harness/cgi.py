"""putslot.fcgi as a CGI program, without a web server around it: for tests
that want one process for each request, to trace it or to see it die."""

import os
import re
import subprocess
from urllib.parse import urlsplit

from .site import SANITIZER

SECONDS = 60


class Answer:
    """status (None: no whole head came), headers by lower-case name, body,
    log, and the exit status of the process (-9: it was killed)."""

    def __init__(self, output, log, exit_status):
        self.log = log
        self.exit_status = exit_status
        head, separator, self.body = output.partition(b"\r\n\r\n")
        self.headers = {
            name.lower(): value for name, _, value in
            (line.partition(": ")
             for line in head.decode(errors="replace").split("\r\n"))}
        status = re.match(r"\d+", self.headers.get("status", "200"))
        self.status = int(status[0]) if separator and status else None

    def __repr__(self):
        return (f"<{self.status} {self.body[:80]!r}, exit "
                f"{self.exit_status}, log {self.log[-500:]!r}>")


def cgi(putslot, method, url, body=b"", around=None, env=None):
    """One request by one process; around(argv) may put words before it."""
    parts = urlsplit(url)
    argv = [str(putslot.site.bin / "putslot.fcgi")]
    environment = dict(
        os.environ, GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD=method,
        REQUEST_URI=parts.path, SERVER_PROTOCOL="HTTP/1.1",
        PUTSLOT_CONFIG=str(putslot.path), **(env or {}))
    if method == "PUT":
        environment["CONTENT_LENGTH"] = str(len(body))
    done = subprocess.run(
        putslot.site.as_user(putslot.site.web_user,
                             around(argv) if around else argv),
        input=body, capture_output=True, env=environment, timeout=SECONDS,
        cwd=putslot.site.directory)
    log = done.stderr.decode(errors="replace")
    if SANITIZER.search(log):
        raise ChildProcessError(log)
    return Answer(done.stdout, log, done.returncode)
