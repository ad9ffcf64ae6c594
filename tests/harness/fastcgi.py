"""A client of FastCGI 1.0 that sends whatever it is given."""

import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = (
    1, 2, 3, 4, 5, 6, 7, 8, 9)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
MOST = 65535  # bytes that a record holds

SECONDS = 20


def record(kind, content=b"", id=1, padding=0, version=1):
    return struct.pack(">BBHHBx", version, kind, id, len(content),
                       padding) + content + b"\0" * padding


def stream(kind, content, id=1):
    """Records of that content, and the one that ends it."""
    return b"".join(
        record(kind, content[at:at + MOST], id)
        for at in range(0, len(content), MOST)) + record(kind, b"", id)


def begin(role=RESPONDER, keep=False, id=1):
    return record(BEGIN, struct.pack(">HB5x", role, keep), id)


def pair(name, value):
    def length(n):
        return struct.pack(">B", n) if n < 128 else struct.pack(
            ">I", n | 1 << 31)
    return length(len(name)) + length(len(value)) + name + value


def params(pairs, id=1):
    """Of (name, value), as str or bytes, in that order."""
    return stream(PARAMS, b"".join(
        pair(*(w if isinstance(w, bytes) else w.encode() for w in nv))
        for nv in pairs), id)


def request(pairs, body=b"", id=1, **more):
    return (begin(id=id, **more) + params(pairs, id)
            + stream(STDIN, body, id))


def exchange(path, data, seconds=SECONDS):
    """Sends the bytes; all that comes back until the end, or silence."""
    came = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(str(path))
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                came += chunk
        except (TimeoutError, ConnectionError):
            pass
    return came


def output(data):
    """What STDOUT holds in those records."""
    out = b""
    while len(data) >= 8:
        kind, length, padding = data[1], *struct.unpack(">HB", data[4:7])
        if kind == STDOUT:
            out += data[8:8 + length]
        data = data[8 + length + padding:]
    return out
