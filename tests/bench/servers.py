"""Web servers on plain HTTP, each in a site of its own, and what they take.

A way is how requests reach a program: a web server with a file of contrib/.
Behind it is putslot, or the program that only writes what it gets: the
difference between the two is putslot's own. An endpoint is something that
takes requests.
"""

import contextlib
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness import BUILD, Putslot, Site, accepts, shipped, web_servers
from harness.putslot import made
from harness.site import AS_ROOT

HERE = Path(__file__).resolve().parent

LIFETIME = 7 * 24 * 3600  # seconds: nothing expires while it is measured
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
GIB = 1 << 30

# Of the floor: what is best for it, of 1, 2, 4, 16 and 64, on two cores; with a
# disk to wait for, more of them wait at the same time. Of a putslot to which
# bodies are streamed: one for each that is under way.
FLOOR_THREADS = 4
SYNCING_THREADS = 16
STREAMS = 64


@contextlib.contextmanager
def site_of(name, parent=None):
    """A site that is gone after the block, whatever happens."""
    site = Site(f"bench-{name}", parent)
    try:
        yield site
    finally:
        site.kill()
        site.delete()


class Sites:
    """Endpoints of one comparison, each in a site; gone after the block."""

    def __init__(self, parent):
        self._stack = contextlib.ExitStack()
        self._parent = parent
        self._made = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def make(self, function, *arguments, **more):
        """function(site, …), where site is a new one."""
        self._made += 1
        site = self._stack.enter_context(
            site_of(str(self._made), self._parent))
        return function(site, *arguments, **more)


# putslot's, and that of the floor which records.
DATABASE = re.compile(r"(putslot|records)\.db")


@dataclass
class Endpoint:
    """daemons: who works for it; new_paths(count, size): addresses for so many
    uploads of that size; directories: where files are written, the bodies'
    last."""

    name: str
    site: Site
    port: int
    daemons: list
    new_paths: object = None
    directories: list = field(default_factory=list)

    def forget_bodies(self):
        """Removes the bodies: large ones are not kept for others to write."""
        for path in Path(self.directories[-1]).rglob("*"):
            if path.is_file() and not DATABASE.match(path.name):
                path.unlink()


# ---- the servers ----

def filled(text, **words):
    """The text with each @word@ replaced."""
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def start_server(site, name, user, argv, locations, http=""):
    """(daemon, port, directory of temporary files). argv: a function of the
    configuration's path."""
    port = site.port()
    directory = site.make_directory(name)
    temporary = site.make_directory(f"{name}/tmp", 0o770, site.web_user,
                                    site.group)
    shutil.copy("/etc/nginx/fastcgi_params", directory)
    config = site.write(f"{name}/{name}.conf", filled(
        (HERE / f"{name}.conf").read_text(), user=user if AS_ROOT else "",
        directory=directory, temporary=temporary, port=port,
        root=site.make_directory("root"), locations=locations, http=http))
    daemon = site.start(name, argv(config),
                        lambda: accepts(("127.0.0.1", port)),
                        env={"TMPDIR": str(temporary)})
    return daemon, port, temporary


def start_nginx(site, locations, http=""):
    return start_server(
        site, "nginx", f"user {site.web_user};",
        lambda config: ["nginx", "-c", config, "-e", "stderr"],
        locations, http)


def start_lighttpd(site, locations, http=""):
    return start_server(
        site, "lighttpd", f'server.username = "{site.web_user}"\n'
        f'server.groupname = "{site.group}"',
        lambda config: ["lighttpd", "-D", "-f", config], locations, http)


def start_apache(site, locations, http=""):
    return start_server(
        site, "apache", f"User {site.web_user}\nGroup {site.group}",
        lambda config: ["apache2", "-D", "FOREGROUND", "-f", config],
        locations, http)


# ---- ways to a program ----

class Way(NamedTuple):
    """start: of the server; files: in contrib/, one after the other; replaced:
    what is other than in them, beside places; http: more such files, for
    nginx's http { }; sections: of putslot.conf, where a text may have the
    name of a place."""

    start: object
    files: tuple
    replaced: dict
    http: tuple = ()
    sections: dict = {}

    def but(self, *files, **sections):
        """The same with more files, and more in putslot.conf."""
        merged = {name: {**self.sections.get(name, {}), **keys}
                  for name, keys in sections.items()}
        return self._replace(files=self.files + files,
                             sections={**self.sections, **merged})

    def start_before(self, site, places, more=""):
        """Starts the server before the program whose places these are; more:
        in its configuration, too. As start_server."""
        text = "".join(shipped(file, {}) for file in self.files)
        for old, new in self.replaced.items():
            if old not in text:
                raise LookupError(f"{self.files} do not contain {old!r}")
            text = text.replace(old, new)
        http = "".join(shipped(file, {}) for file in self.http)
        return self.start(site, at(places, text) + more, at(places, http))


SOCKET = web_servers.SOCKET
BODIES = web_servers.BODIES
INCOMING = web_servers.INCOMING
PUBLIC = web_servers.PUBLIC

# Where a path of the real machine begins; not in a remark.
ELSEWHERE = re.compile(r"^[^#\n]*/(etc|run|usr/local/sbin|var/lib)/putslot",
                       re.M)


def at(places, text):
    """The text with each place as it is in a shipped file replaced."""
    for old, new in places.items():
        text = text.replace(old, str(new))
    left = ELSEWHERE.search(text)
    if left:
        raise LookupError(f"{left[0]} is no place that is known here")
    return text


NGINX_LIMIT = {"client_max_body_size 101m": "client_max_body_size 4g"}
NGINX = Way(start_nginx, ("nginx/putslot.conf",), NGINX_LIMIT,
            ("nginx/putslot-upstream.conf",))
NGINX_STREAMED = NGINX._replace(
    replaced={**NGINX_LIMIT, "fastcgi_request_buffering on;":
              "fastcgi_request_buffering off;"})
NGINX_HANDED = Way(start_nginx, ("nginx/putslot-hand-over.conf",), NGINX_LIMIT,
                   NGINX.http, {"web": {"incoming": INCOMING}})
LIGHTTPD = Way(start_lighttpd, ("lighttpd/putslot.conf",), {
    "max-request-size = 103424": f"max-request-size = {4 * GIB >> 10}"})
LIGHTTPD_CGI = LIGHTTPD.but("lighttpd/putslot-cgi.conf")
APACHE = Way(start_apache, ("apache/putslot-proxy-fcgi.conf",), {},
             sections={"web": {"threads": STREAMS}})


def behind(site, way, name="putslot", prepare=lambda putslot: None):
    """The endpoint that is putslot behind a way. prepare: what to do with it
    before its programs start."""
    putslot = Putslot(site, "http://127.0.0.1:1/upload/")
    putslot.set("web", allow_http="yes")
    prepare(putslot)
    places = {SOCKET: putslot.socket, BODIES: putslot.bodies,
              INCOMING: putslot.store / "incoming",
              PUBLIC: putslot.store / "public",
              web_servers.PROGRAM: site.bin / "putslot.fcgi",
              web_servers.CONFIG: putslot.path}
    for section, keys in way.sections.items():
        putslot.set(section, **{key: at(places, str(value))
                                for key, value in keys.items()})
    fcgi = putslot.start_fcgi(verbose=False)
    server, port, temporary = way.start_before(site, places)

    def new_paths(count, size):
        slots = putslot.grants(count, size, put_window=LIFETIME,
                               upload_timeout=LIFETIME, retention=3 * LIFETIME)
        return [f"/upload/{token}/{secret}/x.jpg" for token, secret in slots]

    endpoint = Endpoint(name, site, port, [server, fcgi], new_paths,
                        [temporary, putslot.store])
    endpoint.putslot = putslot
    return endpoint


# ---- floors ----

def make_shards(site, name):
    """A directory with the 1024 that putslot spreads bodies over."""
    directory = site.make_directory(name, 0o770, site.web_user, site.group)
    for a in ALPHABET:
        for b in ALPHABET:
            site.make_directory(f"{name}/{a}{b}", 0o770, site.web_user,
                                site.group)
    return directory


def new_names(form):
    """new_paths for servers that store under any name, which @ stands for; a
    second one for its shard comes first."""
    def new_paths(count, _):
        tokens = (made() for _ in range(count))
        return [form.format(shard=token[:2], token=token) for token in tokens]
    return new_paths


def start_floor(site, socket, directory, options, threads):
    shutil.copy(BUILD / "tests/bench/floor", site.bin)
    return site.start(
        "floor", [site.bin / "floor", *options, socket, directory, threads],
        lambda: socket.exists() and accepts(socket), user=site.web_user)


def floor_behind(site, way, *options, name="a program that only writes",
                 more="", places={}, threads=FLOOR_THREADS):
    """The endpoint that is the floor program, with these options, behind the
    same way; more: of the server's configuration; places: of its own in it."""
    directory = make_shards(site, "floor")
    socket = directory / "sock"  # where that user may make one
    program = start_floor(site, socket, directory, options, threads)
    server, port, temporary = way.start_before(
        site, {SOCKET: socket, **places}, more)
    return Endpoint(name, site, port, [server, program],
                    new_names("/upload/{token}"), [temporary, directory])


def floor_with_slots(site, way, *options, name, threads=FLOOR_THREADS):
    """The same in a database of putslot's: addresses are those of slots, which
    it looks up and marks as stored."""
    putslot = Putslot(site)
    putslot.grant(1)  # so that there is a database
    endpoint = floor_behind(site, way, "-o", putslot.database, *options,
                            name=name, threads=threads)

    def new_paths(count, size):
        slots = putslot.grants(count, size, put_window=LIFETIME,
                               upload_timeout=LIFETIME, retention=3 * LIFETIME)
        return [f"/upload/{token}" for token, _ in slots]

    endpoint.new_paths = new_paths
    return endpoint


DAV = """
location /dav/ {
	alias @files@/;
	dav_methods PUT;
	client_max_body_size 4g;
	client_body_temp_path @files@/tmp;
	@more@
}
"""


def webdav(site, name="nginx's WebDAV", more=""):
    """The endpoint that is nginx's own WebDAV. Its temporary files are renamed
    into place, so they are where the files are."""
    files = make_shards(site, "dav")
    nginx, port, _ = start_nginx(site, filled(DAV, files=files, more=more))
    return Endpoint(name, site, port, [nginx],
                    new_names("/dav/{shard}/{token}"), [files])
