"""How far the load generator is from being the bottleneck."""

import shutil

from harness import BUILD, accepts

from .rows import Row, ratio
from .servers import Endpoint, Sites, new_names, webdav
from .uploads import SMALL, upload, warm


def sink(site):
    """The endpoint that throws everything away."""
    port = site.port()
    shutil.copy(BUILD / "tests/bench/null_sink", site.bin)
    daemon = site.start("null_sink", [site.bin / "null_sink", port],
                        lambda: accepts(("127.0.0.1", port)))
    return Endpoint("a sink", site, port, [daemon],
                    new_names("/{shard}/{token}"))


def rows(bench):
    with Sites(bench.fresh) as sites:
        nothing = sites.make(sink)
        dav = sites.make(webdav)
        warm(dav)
        for connections in 1, 16, 64:
            what = f"10 KiB, {connections} at a time"
            samples = bench.compare(
                f"generator: {what}", [dav, nothing],
                lambda e: upload(e, connections, bench.count(20000), SMALL),
                rounds=3)
            yield Row("generator", f"{what}: a sink to nginx's WebDAV",
                      ratio(samples[nothing.name], samples[dav.name]))
