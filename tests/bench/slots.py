"""Slots by XMPP: putslot and a component that answers all with the same slot,
both in one server, and the server's own upload service in another one: its
work goes on when the slot is out, and would be counted for the next."""

import json
import subprocess
from typing import NamedTuple

from harness import BUILD, Putslot
from harness.putslot import DOMAIN, JID, SECRET
from harness.site import AS_ROOT
from harness.xmpp_servers import Ejabberd, Prosody

from .measure import Watch
from .rows import Figure, Row, ratio
from .servers import site_of

OWN = "own.example.org"
PROGRAMS = BUILD / "tests/bench"
MILLISECONDS = 2000  # of one measurement
ROUNDS = 9
QUICK_MILLISECONDS = 800


class Null(NamedTuple):
    """A null component. records: whether it is given a database; more: what
    follows that on its command line."""

    jid: str
    program: str = "null_component"
    records: bool = True
    more: tuple = ()


NULL = "null component"
NULLS = {
    NULL: Null("null.example.org", records=False),
    "null component that records a row": Null("recording.example.org"),
    "null component that records putslot's row":
        Null("full.example.org", more=("own",)),
    "null component on libstrophe that records putslot's row":
        Null("strophe.example.org", "null_strophe"),
}
LEAST = list(NULLS)[-1]  # of what is as putslot must be


class BareProsody(Prosody):
    """For anonymous clients without TLS; with the upload service of its own."""

    own = "Prosody's mod_http_file_share"
    own_component = ""
    nulls = "".join(f'''
Component "{null.jid}"
    component_secret = "{SECRET}"''' for null in NULLS.values())

    def start(self):
        config = self.site.write("prosody.cfg.lua", f"""
run_as_root = {"true" if AS_ROOT else "false"}
daemonize = false
pidfile = "{self.directory}/pid"
data_path = "{self.directory}"
log = {{ warn = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.port} }}
component_ports = {{ {self.putslot.component_port} }}
modules_enabled = {{ "disco", "saslauth", "posix" }}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
https_ports = {{ }}
http_ports = {{ {self.site.port()} }}
http_interfaces = {{ "127.0.0.1" }}
VirtualHost "{DOMAIN}"
    authentication = "anonymous"
{self.shipped("prosody/putslot.cfg.lua")}
{self.nulls}
{self.own_component}
""")
        return self.site.start(
            self.name, ["prosody", "--config", config, "-F"], self.ready)


class OwnProsody(BareProsody):
    """With limits that allow as many slots as are asked for."""

    own_component = f"""
Component "{OWN}" "http_file_share"
    storage = "memory"
    storage_archive_item_limit = 100000000
    http_file_share_daily_quota = 1e15
"""


class BareEjabberd(Ejabberd):
    own = "ejabberd's mod_http_upload"
    own_module = ""
    nulls = "".join(f'''
      "{null.jid}":
        password: "{SECRET}"''' for null in NULLS.values())

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, accounts=(), **more)

    def start(self):
        return self.start_daemon()

    def config(self):
        return f"""
hosts: [ {DOMAIN} ]
auth_method: anonymous
anonymous_protocol: sasl_anon
loglevel: warning
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: all
  - port: {self.component[1]}
    ip: "127.0.0.1"
    module: ejabberd_service
    global_routes: false  # else each component gets stanzas of the other
    hosts:
      "upload.example.org":
        password: "{SECRET}"{self.nulls}
modules:
  mod_disco: {{}}
{self.own_module}
"""


class OwnEjabberd(BareEjabberd):
    own_module = f"""
  mod_http_upload:
    hosts: [ {OWN} ]
    access: all
    docroot: /nowhere
    put_url: "https://own.example.org/upload"
"""


def measure(server, port, jid, shape, milliseconds, daemon=None):
    """A sample of so many clients with so many requests under way: the shape.
    daemon: the component that answers; None: the server does."""
    with Watch([d for d in (server, daemon) if d]) as watch:
        output = subprocess.run(
            [PROGRAMS / "xmpp_load", str(port), DOMAIN, jid, *map(str, shape),
             str(milliseconds)],
            check=True, stdout=subprocess.PIPE, text=True).stdout
    figures = json.loads(output)
    if set(figures["status"]) != {"200"}:
        raise RuntimeError(f"{jid}: answers {figures['status']}")
    thousands = figures["requests"] / 1000
    own = watch.cpu[daemon.name] if daemon else 0
    return {**figures, "cpu_per_1000": own / thousands,
            "server_cpu_per_1000": watch.cpu[server.name] / thousands,
            "load_cpu_per_1000": figures["own_cpu_seconds"] / thousands}


class Service:
    """One that is asked for slots. daemon: the component, or None."""

    def __init__(self, name, jid, server, port, daemon=None):
        self.name = name
        self.take = lambda shape, milliseconds: measure(
            server, port, jid, shape, milliseconds, daemon)


def start_null(site, port, null):
    database = [site.path(f"{null.jid}.db")] if null.records else []
    daemon = site.start(
        null.jid, [PROGRAMS / null.program, port, null.jid, SECRET, *database,
                   *null.more], lambda: True)
    daemon.wait_log("<handshake/>")
    return daemon


def start_components(site, kind):
    """putslot and the null components, in one server."""
    putslot = Putslot(site, "https://upload.example.org/upload/")
    putslot.set("rule all", match="*", slots_per_window="unlimited",
                bytes_per_window="unlimited", files_per_user="unlimited",
                bytes_per_user="unlimited")
    xmpp = kind(site, None, putslot)
    server = xmpp.start()
    services = [Service("putslot", JID, server, xmpp.port,
                        putslot.start_component(options=()))]
    for name, null in NULLS.items():
        services.append(Service(
            name, null.jid, server, xmpp.port,
            start_null(site, putslot.component_port, null)))
    return services


def start_own(site, kind):
    xmpp = kind(site, None, Putslot(site))
    return Service(kind.own, OWN, xmpp.start(), xmpp.port)


def within(samples, key, of):
    """The ratio of two figures of the same samples."""
    return Figure.of(sample[key] / sample[of] for sample in samples)


def compare(bench, name, kind, own, shapes):
    """Rows of one server. shapes: (clients, requests under way, the least
    ratio to the null component, and to the server's own service)."""
    milliseconds = QUICK_MILLISECONDS if bench.quick else MILLISECONDS
    with site_of(name.lower()) as site, site_of("own") as second:
        services = [*start_components(site, kind), start_own(second, own)]
        for clients, window, to_null, to_own in shapes:
            shape = clients, window
            what = f"{name}, {clients} x {window}"
            samples = bench.compare(
                f"slots through {what}", services,
                lambda s: s.take(shape, milliseconds), ROUNDS)
            yield from shape_rows(name, what, samples, kind.own,
                                  (to_null, to_own))


def shape_rows(name, what, samples, own, least):
    """least: the ratio to the null component, and to the server's own
    service."""
    mine, null, theirs = samples["putslot"], samples[NULL], samples[own]
    to_null, to_own = least

    def row(text, figure, target=None):
        return Row("slots", f"{what}: {text}", figure, target=target)

    yield row("putslot to null component", ratio(mine, null), (">=", to_null))
    for floor in NULLS:
        if floor != NULL:
            yield row(f"{floor} to null component",
                      ratio(samples[floor], null))
    yield row(f"putslot to {LEAST}", ratio(mine, samples[LEAST]))
    yield row(f"putslot to {own}", ratio(mine, theirs), (">=", to_own))
    yield row(f"null component to {own}", ratio(null, theirs))
    yield row(f"CPU of the component to {name}'s",
              within(mine, "cpu_per_1000", "server_cpu_per_1000"), ("<", 0.2))
    for floor in NULLS:
        yield row(f"CPU of the {floor} to {name}'s", within(
            samples[floor], "cpu_per_1000", "server_cpu_per_1000"))
    yield row(f"CPU of the load generator to {name}'s ({NULL})",
              within(null, "load_cpu_per_1000", "server_cpu_per_1000"))


def rows(bench):
    yield from compare(bench, "Prosody", BareProsody, OwnProsody,
                       ((1, 1, 0.85, 1), (8, 16, 0.85, 2)))
    yield from compare(bench, "ejabberd", BareEjabberd, OwnEjabberd,
                       ((1, 1, 0.85, 1), (8, 16, 0.6, 2)))
