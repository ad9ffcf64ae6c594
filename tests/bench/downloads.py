"""GET: who sends the bytes."""

from typing import NamedTuple

from .load import Load
from .measure import Watch
from .rows import Row, ratio
from .servers import (APACHE, BODIES, LIGHTTPD, NGINX, PUBLIC, Endpoint, Sites,
                      Way, behind, filled, floor_behind)
from .uploads import MIB, SMALL

FILES = 500  # small ones, all in the page cache
PIECE = 1 << 16  # a file that is written at once is read faster
SECONDS = 2


def get(endpoint, connections, paths, seconds, headers=()):
    """A sample: those paths, over and over."""
    load = Load(endpoint.site, endpoint.port, paths, connections,
                seconds=seconds, headers=headers)
    with Watch(endpoint.daemons) as watch:
        sample = load.run()
    cpu = sum(watch.cpu.values())
    sample.update(cpu=watch.cpu, peak=watch.peak,
                  cpu_per_1000=cpu / sample["requests"] * 1000)
    return sample


def stored(endpoint, count, size, public=False):
    """Uploads files; (endpoint, the paths of their downloads)."""
    paths = endpoint.new_paths(count, size)
    Load(endpoint.site, endpoint.port, paths, 8, size).run()
    form = "/files/{0:.2}/{0}/{1}" if public else "/upload/{0}/{1}"
    parts = (path.split("/") for path in paths)
    return endpoint, [form.format(part[2], part[-1]) for part in parts]


# ---- servers ----

# Of the static configurations in contrib/, for a file that a browser may show.
PUBLIC_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; img-src 'self'; "
     "media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Content-Disposition", "inline"),
    ("Cache-Control", "max-age=604800, immutable"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Accept-Ranges, Content-Disposition, "
     "Content-Length, Content-Range, ETag"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "cross-origin"))


class Server(NamedTuple):
    """plain: its configuration for files of its own, in @files@; headers: what
    goes to @headers@ there to have those that putslot's files have, unnamed: to
    @unnamed@, to take the name from an address that ends in one; way: to a
    program; send_file: as putslot.conf has it; handing: the way when it sends
    what a program names, public: when it serves files by itself; internal:
    more of it for the floor's fixed file, where its header leads to."""

    name: str
    plain: str
    headers: str
    unnamed: str
    way: Way
    send_file: str
    handing: Way
    public: Way
    internal: str = ""
    fixed: str = "X-Sendfile: @files@/file.jpg"


def server(name, plain, headers, unnamed, way, send_file, **more):
    """With the files that contrib/ has for it."""
    directory = name.lower()
    return Server(
        name, plain, headers, unnamed, way, send_file,
        way.but(f"{directory}/putslot-send-file.conf",
                web={"send_file": send_file}),
        way.but(f"{directory}/putslot-static.conf", store={"public": PUBLIC},
                web={"public_url": "http://127.0.0.1:1/files/"}), **more)


ON_NGINX = server("nginx", """
location /upload/ {
	alias @files@/;
	@headers@
}
@unnamed@
""", "".join(f'add_header {name} "{value}" always;\n'
             for name, value in PUBLIC_HEADERS), r"""
location ~ "^/upload/([0-9]{2}/[0-9]+\.jpg)/[^/]*$" {
	alias @files@/$1;
	@headers@
}
""", NGINX, "x-accel-redirect", internal="""
location /fixed/ {
	internal;
	alias @files@/;
}
""", fixed="X-Accel-Redirect: /fixed/file.jpg")

ON_LIGHTTPD = server("lighttpd", """
server.modules += ( "mod_alias" )
alias.url = ( "/upload/" => "@files@/" )
mimetype.assign = ( ".jpg" => "image/jpeg" )
@headers@
@unnamed@
""", f"""
server.modules += ( "mod_setenv" )
setenv.set-response-header = ({", ".join(
    f'"{name}" => "{value}"' for name, value in PUBLIC_HEADERS)})
""", r"""
server.modules += ( "mod_rewrite" )
url.rewrite-once = (
	"^(/upload/[0-9]{2}/[0-9]+\.jpg)/[^/?]*(?:\?.*)?$" => "$1"
)
""", LIGHTTPD, "x-sendfile")

ON_APACHE = server("Apache", """
@unnamed@
Alias "/upload/" "@files@/"
<Directory "@files@">
	Require all granted
	@headers@
</Directory>
""", "".join(f'Header always set {name} "{value}"\n'
             for name, value in PUBLIC_HEADERS), r"""
RewriteEngine On
RewriteRule "^/upload/([0-9]{2}/[0-9]+\.jpg)/[^/]*$" "@files@/$1" [END]
""", APACHE, "x-sendfile")


# ---- floors ----

# What putslot answers, but for what changes from file to file.
HEADERS = "\r\n".join((
    "ETag: \"abcdefghijklmnopqrstuvwxyz\"",
    "Cache-Control: public, max-age=604800, immutable",
    "Content-Security-Policy: default-src 'none'; sandbox",
    "X-Content-Type-Options: nosniff", "Accept-Ranges: bytes",
    "Access-Control-Allow-Origin: *"))


def make_files(site, count, size):
    """So many files in a new directory of the site, spread as putslot's are,
    with names as long: (directory, paths)."""
    directory = site.make_directory("files")
    names = [f"{i % 32:02}/{i:022}.jpg" for i in range(count)]
    for name in names:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        with open(path, "wb", PIECE) as file:
            for _ in range(0, size, PIECE):
                file.write(b"f" * min(size, PIECE))
    return directory, ["/upload/" + name for name in names]


HEADED = " with these headers"
NAMED = HEADED + " and a name in the address"


def static(site, server, count, size, extra=""):
    """(endpoint, paths) of plain files of a server; HEADED: with the headers
    that putslot's have, NAMED: and with addresses that end in a name, as XMPP
    clients need them, which is taken away without a look at its type."""
    files, paths = make_files(site, count, size)
    daemon, port, _ = server.way.start(site, filled(
        server.plain, unnamed=server.unnamed if extra == NAMED else "",
        headers=server.headers if extra else "", files=files))
    if extra == NAMED:
        paths = [path + "/photo.jpg" for path in paths]
    return Endpoint(f"{server.name}'s static files{extra}", site, port,
                    [daemon]), paths


def fixed(site, server, size):
    """(endpoint, paths) of a program that hands over always the same file."""
    files = site.make_directory("files")
    (files / "file.jpg").write_bytes(b"f" * size)
    header = filled(server.fixed, files=files)
    way = server.way if server.internal else server.handing
    return floor_behind(site, way, "-a", f"{header}\r\n{HEADERS}",
                        name="a program that hands over a fixed file",
                        more=filled(server.internal, files=files),
                        places={BODIES: files}), ["/upload/x.jpg"]


# ---- putslot ----

def make_all(sites, server):
    """Endpoints that send the bytes by themselves, hand over to the server, and
    leave it all to that."""
    for name, way in (("putslot, own streaming", server.way),
                      ("putslot, handing over", server.handing),
                      ("putslot, static files", server.public)):
        endpoint = sites.make(behind, way, name)
        endpoint.public = way is server.public
        yield endpoint


# ---- rows ----

class Span(NamedTuple):
    """Of each of so many rounds: nginx's processes share a round's connections
    as chance has it, and where one gets most of them, all wait for it."""

    seconds: float = SECONDS
    rounds: int | None = None


class Gets:
    """The same load on several endpoints: [(endpoint, paths)]."""

    def __init__(self, bench, what, sources, connections, headers=(),
                 span=Span()):
        paths = {endpoint.name: paths for endpoint, paths in sources}
        seconds = SECONDS / 4 if bench.quick else span.seconds
        self.what = what
        self.samples = bench.compare(
            f"downloads: {what}", [endpoint for endpoint, _ in sources],
            lambda e: get(e, connections, paths[e.name], seconds, headers),
            span.rounds)

    def ratio(self, subject, floor, target=None):
        subject, floor = subject[0].name, floor[0].name
        return Row("downloads", f"{self.what}: {subject} to {floor}",
                   ratio(self.samples[subject], self.samples[floor]),
                   target=target and (">=", target))


def small(bench, server, where):
    with Sites(bench.fresh) as sites:
        plain = sites.make(static, server, FILES, SMALL)
        floors = [sites.make(static, server, FILES, SMALL, extra)
                  for extra in (HEADED, NAMED)]
        program = sites.make(fixed, server, SMALL)
        own, handed, public = (
            stored(endpoint, FILES, SMALL, endpoint.public)
            for endpoint in make_all(sites, server))
        found = Gets(bench, f"{where}10 KiB, 64 at a time",
                     [plain, *floors, program, own, handed, public], 64,
                     span=Span(1, 13))
        yield found.ratio(program, plain)
        yield found.ratio(handed, program, 0.85)
        yield found.ratio(own, program)
        yield found.ratio(public, plain, 0.95)
        for floor in floors:
            yield found.ratio(floor, plain)
            yield found.ratio(public, floor)


LOADS = (
    ("large files, 4 at a time", 4, 0.95, (), Span()),
    ("ranges of 1 MiB, 16 at a time", 16, 0.95,
     [f"Range: bytes={10 * MIB}-{11 * MIB - 1}"], Span(1, 13)),
    # Where the bytes are few, asking a program is what takes the time.
    ("ranges of 10 KiB, 64 at a time", 64, None,
     [f"Range: bytes={10 * MIB}-{10 * MIB + SMALL - 1}"], Span()))


def large(bench, server, where, loads):
    with Sites(bench.fresh) as sites:
        size = (64 if bench.quick else 256) * MIB
        plain = sites.make(static, server, 4, size)
        program = sites.make(fixed, server, size)
        own, handed, public = (stored(endpoint, 4, size, endpoint.public)
                               for endpoint in make_all(sites, server))
        sources = [plain, program, own, handed, public]
        for what, connections, target, *more in loads:
            found = Gets(bench, where + what, sources, connections, *more)
            yield found.ratio(program, plain)
            yield found.ratio(handed, plain, target)
            yield found.ratio(handed, program)
            yield found.ratio(public, plain, 0.95)
            yield found.ratio(own, plain)


def rows(bench):
    yield from small(bench, ON_NGINX, "")
    yield from large(bench, ON_NGINX, "", LOADS)
    for server in ON_LIGHTTPD, ON_APACHE:
        yield from small(bench, server, f"{server.name}, ")
        if not bench.quick:
            yield from large(bench, server, f"{server.name}, ", LOADS[:2])
