"""Requests: ordinary ones, and bytes that no good client would send."""

import http.client
import re
import socket
from urllib.parse import urlsplit

SECONDS = 60


class Response:
    """status, headers (case does not matter; None when absent) and body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        return self.headers.get(name)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


def request(certificates, method, url, body=None, headers=None):
    """One request on a connection of its own, by http.client.

    Nothing is added but Host and, with a body, Content-Length.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=SECONDS,
        context=certificates.client_context())
    try:
        connection.putrequest(method, re.sub("^[^:]*://[^/]*", "", url),
                              skip_accept_encoding=True)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Length", len(body))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Response(response.status, response.headers, response.read())
    finally:
        connection.close()


class RawConnection:
    """A TLS connection for hand-made requests. Use it in a with statement."""

    def __init__(self, certificates, url):
        parts = urlsplit(url)
        self.host = parts.netloc
        plain = socket.create_connection((parts.hostname, parts.port),
                                         timeout=SECONDS)
        self.socket = certificates.client_context().wrap_socket(
            plain, server_hostname=parts.hostname)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def head(self, method, url, headers=None, version="1.1"):
        """Sends a request's line and headers; the body is the caller's."""
        target = re.sub("^[^:]*://[^/]*", "", url)
        lines = [f"{method} {target} HTTP/{version}", f"Host: {self.host}"]
        lines += [f"{name}: {value}"
                  for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines + ["", ""]).encode())

    def response(self, method="PUT"):
        """Reads an answer; a 100 Continue before it is passed over."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return Response(response.status, response.headers, response.read())

    def read(self, size=65536):
        return self.socket.recv(size)

    def abort(self):
        """Ends the connection at once, as a phone that lost its network."""
        self.socket.close()
