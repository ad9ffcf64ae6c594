"""GET: who sends the bytes."""

from .load import Load
from .measure import Watch
from .rows import Row, ratio
from .servers import (NGINX, Endpoint, Sites, behind, filled, floor_behind,
                      start_nginx)
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


def stored(endpoint, count, size):
    """Uploads files; the paths of their downloads, without the secrets."""
    paths = endpoint.new_paths(count, size)
    Load(endpoint.site, endpoint.port, paths, 8, size).run()
    parts = (path.split("/") for path in paths)
    return ["/".join(part[:-2] + part[-1:]) for part in parts]


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
    "X-Accel-Redirect: /fixed/file.bin", "ETag: \"abcdefghijklmnopqrstuvwxyz\"",
    "Cache-Control: public, max-age=604800, immutable",
    "Content-Security-Policy: default-src 'none'; sandbox",
    "X-Content-Type-Options: nosniff", "Accept-Ranges: bytes",
    "Access-Control-Allow-Origin: *"))


def make_files(site, count, size):
    """Names of so many files in a new directory of the site, as putslot's are
    spread: (directory, paths)."""
    directory = site.make_directory("files")
    names = [f"{i % 32:02}/{i}.bin" for i in range(count)]
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
    (files / "file.bin").write_bytes(b"f" * size)
    way = NGINX._replace(start=lambda site, locations: start_nginx(
        site, locations + filled(FIXED, files=files)))
    return floor_behind(site, way, "-a", HEADERS,
                        name="a program that hands over a fixed file"), [
        "/upload/file.bin"]


# ---- rows ----

class Gets:
    """The same load on several endpoints: [(endpoint, paths)]."""

    def __init__(self, bench, what, sources, connections, headers=()):
        paths = {endpoint.name: paths for endpoint, paths in sources}
        seconds = SECONDS / 2 if bench.quick else SECONDS
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
        streaming = sites.make(behind, NGINX, "putslot, streaming")
        streaming = streaming, stored(streaming, FILES, SMALL)
        found = Gets(bench, "10 KiB, 64 at a time",
                     [plain, program, streaming], 64)
        yield found.ratio(program, plain)
        yield found.ratio(streaming, program)
        yield found.ratio(streaming, plain)


def large(bench):
    with Sites(bench.fresh) as sites:
        size = bench.count(256) * MIB
        plain = sites.make(static, 4, size)
        streaming = sites.make(behind, NGINX, "putslot, streaming")
        streaming = streaming, stored(streaming, 4, size)
        sources = [plain, streaming]
        for what, connections, headers in (
                ("large files, 4 at a time", 4, ()),
                ("ranges of 1 MiB, 16 at a time", 16,
                 [f"Range: bytes={10 * MIB}-{11 * MIB - 1}"]),
                ("ranges of 10 KiB, 64 at a time", 64,
                 [f"Range: bytes={10 * MIB}-{10 * MIB + SMALL - 1}"])):
            found = Gets(bench, what, sources, connections, headers)
            yield found.ratio(streaming, plain)


def rows(bench):
    yield from small(bench)
    yield from large(bench)
