"""Web servers on plain HTTP, each in a site of its own.

An endpoint is something that takes requests: a name, the site it is in, its
port, the daemons that work for it, and new_paths(count, size), addresses for so
many uploads of that size.
"""

import contextlib
import shutil
from pathlib import Path

from harness import BUILD, Putslot, Site, accepts, shipped
from harness.putslot import made
from harness.site import AS_ROOT
from harness.web_servers import SOCKET

HERE = Path(__file__).resolve().parent

LARGEST = "4g"
LIFETIME = 7 * 24 * 3600  # seconds: nothing expires while it is measured
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def make_shards(site, name):
    """A directory with the 1024 that putslot spreads bodies over."""
    directory = site.make_directory(name, 0o770, site.web_user, site.group)
    for a in ALPHABET:
        for b in ALPHABET:
            site.make_directory(f"{name}/{a}{b}", 0o770, site.web_user,
                                site.group)
    return directory


def filled(name, **words):
    """The text of a file of this directory, with @word@ replaced."""
    text = (HERE / name).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def start_nginx(site, locations, http=""):
    """(daemon, port) of an nginx with these locations."""
    port = site.port()
    directory = site.make_directory("nginx")
    shutil.copy("/etc/nginx/fastcgi_params", directory)
    temporary = site.make_directory("nginx/tmp", 0o770, site.web_user,
                                    site.group)
    config = site.write("nginx/nginx.conf", filled(
        "nginx.conf", user=f"user {site.web_user};" if AS_ROOT else "",
        directory=directory, temporary=temporary,
        root=site.make_directory("root"), port=port, locations=locations,
        http=http))
    daemon = site.start("nginx", ["nginx", "-c", config, "-e", "stderr"],
                        lambda: accepts(("127.0.0.1", port)))
    return daemon, port


class Endpoint:
    def __init__(self, name, site, port, daemons, new_paths=None):
        self.name = name
        self.site = site
        self.port = port
        self.daemons = daemons
        self.new_paths = new_paths


@contextlib.contextmanager
def site_of(name, parent=None):
    """A site that is gone after the block, whatever happens."""
    site = Site(f"bench-{name}", parent)
    try:
        yield site
    finally:
        site.kill()
        site.delete()


# ---- putslot ----

class Behind:
    """putslot behind an nginx whose location is a shipped file.

    replaced: what is other than in that file; sections: of putslot.conf.
    """

    def __init__(self, site, name, file="nginx/putslot.conf", replaced=None,
                 sections=None):
        self.site = site
        self.putslot = Putslot(site, "http://127.0.0.1:1/upload/")
        self.putslot.set("web", allow_http="yes")
        for section, keys in (sections or {}).items():
            self.putslot.set(section, **keys)
        locations = shipped(file, {
            SOCKET: self.putslot.socket,
            "client_max_body_size 101m": f"client_max_body_size {LARGEST}",
            **(replaced or {})})
        fcgi = self.putslot.start_fcgi()
        nginx, port = start_nginx(site, locations)
        self.endpoint = Endpoint(name, site, port, [nginx, fcgi],
                                 self.new_paths)

    def new_paths(self, count, size):
        slots = self.putslot.grants(count, size, put_window=LIFETIME,
                                    upload_timeout=LIFETIME,
                                    retention=3 * LIFETIME)
        return [f"/upload/{token}/{secret}/x" for token, secret in slots]


# ---- floors ----

def new_names(prefix, shards=False):
    """new_paths for servers that store under whatever name they are given."""
    def new_paths(count, _):
        tokens = (made() for _ in range(count))
        return [f"{prefix}{token[:2]}/{token}" if shards else prefix + token
                for token in tokens]
    return new_paths


def start_floor(site, *options, threads=64):
    """(daemon, socket) of the program that only writes what it gets."""
    directory = make_shards(site, "floor")
    socket = directory / "sock"  # where that user may make one
    shutil.copy(BUILD / "tests/bench/floor", site.bin)
    daemon = site.start(
        "floor", [site.bin / "floor", *options, socket, directory, threads],
        lambda: socket.exists() and accepts(socket), user=site.web_user)
    return daemon, socket


DAV = """
location /dav/ {
	alias @files@/;
	dav_methods PUT;
	client_max_body_size @largest@;
	@more@
}
"""

FLOOR = """
location /floor/ {
	client_max_body_size @largest@;
	client_body_buffer_size 128k;
	include fastcgi_params;
	fastcgi_pass unix:@socket@;
}
"""


def replace(text, **words):
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


class NginxFloors:
    """nginx's own WebDAV, as nginx ships it and with the buffer of ours, and
    a FastCGI program that only writes."""

    def __init__(self, site):
        files = make_shards(site, "dav")
        program, socket = start_floor(site)
        locations = (
            replace(DAV, files=files, largest=LARGEST, more="")
            + replace(DAV, files=files, largest=LARGEST,
                      more="client_body_buffer_size 128k;").replace(
                          "/dav/", "/dav128/")
            + replace(FLOOR, largest=LARGEST, socket=socket))
        nginx, port = start_nginx(site, locations)
        self.files = files
        self.dav = Endpoint("nginx's WebDAV", site, port, [nginx],
                            new_names("/dav/", shards=True))
        self.dav128 = Endpoint("nginx's WebDAV, buffer of 128k", site, port,
                               [nginx], new_names("/dav128/", shards=True))
        self.program = Endpoint("a program that only writes", site, port,
                                [nginx, program], new_names("/floor/"))
