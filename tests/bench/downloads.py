"""GET: who sends the bytes."""

from .load import Load
from .measure import Watch
from .rows import Row, ratio
from .servers import (NGINX, PUBLIC, Endpoint, Sites, behind, filled,
                      floor_behind, start_nginx)
from .uploads import MIB, SMALL

FILES = 500  # small ones, all in the page cache
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


# ---- floors ----

STATIC = """
location /upload/ {
	alias @files@/;
}
"""

FIXED = """
location /fixed/ {
	internal;
	alias @files@/;
}
"""

# What putslot answers, but for what changes from file to file.
HEADERS = "\r\n".join((
    "X-Accel-Redirect: /fixed/file.jpg", "ETag: \"abcdefghijklmnopqrstuvwxyz\"",
    "Cache-Control: public, max-age=604800, immutable",
    "Content-Security-Policy: default-src 'none'; sandbox",
    "X-Content-Type-Options: nosniff", "Accept-Ranges: bytes",
    "Access-Control-Allow-Origin: *"))


def make_files(site, count, size):
    """Names of so many files in a new directory of the site, as putslot's are
    spread: (directory, paths)."""
    directory = site.make_directory("files")
    names = [f"{i % 32:02}/{i}.jpg" for i in range(count)]
    for name in names:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"f" * size)
    return directory, ["/upload/" + name for name in names]


def static(site, count, size):
    """(endpoint, paths) of plain files of nginx."""
    files, paths = make_files(site, count, size)
    nginx, port, _ = start_nginx(site, filled(STATIC, files=files))
    return Endpoint("nginx's static files", site, port, [nginx]), paths


def fixed(site, size):
    """(endpoint, paths) of a program that hands over always the same file."""
    files = site.make_directory("files")
    (files / "file.jpg").write_bytes(b"f" * size)
    return floor_behind(site, NGINX, "-a", HEADERS,
                        name="a program that hands over a fixed file",
                        more=filled(FIXED, files=files)), ["/upload/x.jpg"]


# ---- putslot ----

SEND_FILE = NGINX.but("nginx/putslot-send-file.conf",
                      web={"send_file": "x-accel-redirect"})
STATIC_TOO = NGINX.but("nginx/putslot-static.conf", store={"public": PUBLIC},
                       web={"public_url": "http://127.0.0.1:1/files/"})


def make_all(sites):
    """Endpoints that send the bytes by themselves, hand over to nginx, and
    leave it all to nginx."""
    for name, way in (("putslot, own streaming", NGINX),
                      ("putslot, handing over", SEND_FILE),
                      ("putslot, static files", STATIC_TOO)):
        endpoint = sites.make(behind, way, name)
        endpoint.public = way is STATIC_TOO
        yield endpoint


# ---- rows ----

class Gets:
    """The same load on several endpoints: [(endpoint, paths)]."""

    def __init__(self, bench, what, sources, connections, headers=()):
        paths = {endpoint.name: paths for endpoint, paths in sources}
        seconds = SECONDS / 4 if bench.quick else SECONDS
        self.what = what
        self.samples = bench.compare(
            f"downloads: {what}", [endpoint for endpoint, _ in sources],
            lambda e: get(e, connections, paths[e.name], seconds, headers))

    def ratio(self, subject, floor, target=None):
        subject, floor = subject[0].name, floor[0].name
        return Row("downloads", f"{self.what}: {subject} to {floor}",
                   ratio(self.samples[subject], self.samples[floor]),
                   target=target and (">=", target))


def small(bench):
    with Sites(bench.fresh) as sites:
        plain = sites.make(static, FILES, SMALL)
        program = sites.make(fixed, SMALL)
        own, handed, public = (
            stored(endpoint, FILES, SMALL, endpoint.public)
            for endpoint in make_all(sites))
        found = Gets(bench, "10 KiB, 64 at a time",
                     [plain, program, own, handed, public], 64)
        yield found.ratio(program, plain)
        yield found.ratio(handed, program, 0.85)
        yield found.ratio(own, program)
        yield found.ratio(public, plain, 0.95)


def large(bench):
    with Sites(bench.fresh) as sites:
        size = (64 if bench.quick else 256) * MIB
        plain = sites.make(static, 4, size)
        own, handed, public = (stored(endpoint, 4, size, endpoint.public)
                               for endpoint in make_all(sites))
        sources = [plain, own, handed, public]
        # Where the bytes are few, asking a program is what takes the time.
        for what, connections, target, headers in (
                ("large files, 4 at a time", 4, 0.95, ()),
                ("ranges of 1 MiB, 16 at a time", 16, 0.95,
                 [f"Range: bytes={10 * MIB}-{11 * MIB - 1}"]),
                ("ranges of 10 KiB, 64 at a time", 64, None,
                 [f"Range: bytes={10 * MIB}-{10 * MIB + SMALL - 1}"])):
            found = Gets(bench, what, sources, connections, headers)
            yield found.ratio(handed, plain, target)
            yield found.ratio(public, plain, 0.95)
            yield found.ratio(own, plain)


def rows(bench):
    yield from small(bench)
    yield from large(bench)
