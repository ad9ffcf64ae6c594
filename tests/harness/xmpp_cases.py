"""The XMPP cases that every XMPP server has to pass, with its own file.

discovery_cases, slot_cases, purpose_cases, rule_cases, quota_cases and
trouble_cases hold them; here are what they work with, and the configurations
under which they run.
"""

import copy
import time
import xml.etree.ElementTree as ET
from datetime import datetime, timezone

from .cases import equal
from .http_client import request
from .putslot import JID, SECRET, Putslot
from .raw_component import RawComponent
from .site import wait_for
from .stanzas import slot_request
from .tls import Certificates
from .xmpp_client import XmppClient
from .xmpp_servers import GATE, GUESTS

DENIED = "Only premium members are allowed to upload files"
GUESTS_DENIED = "Guests look on"


def rule(user, **keys):
    return f"rule {user}", {"match": f"{user}@{GATE}", **keys}


# What is added to the configuration in each phase; the cases of a phase run
# together, and only the component is started anew between two of them.
PHASES = {
    "defaults": {},
    "rules": dict([
        ("rule plebs", {"match": f"plebs@{GATE} plebs@example.org",
                        "deny": DENIED}),
        ("rule guests", {"match": f"@{GUESTS}", "deny": GUESTS_DENIED}),
        rule("small", max_file_size="20000 B"),
        ("rule small profile", {"max_file_size": "300 B"}),
        ("rule small ephemeral", {"enabled": "no"}),
        rule("premium", max_file_size="5 GiB"),
        ("rule premium permanent", {"enabled": "yes"}),
        rule("boundless", max_file_size="unlimited",
             bytes_per_user="unlimited"),
        rule("files", files_per_user="2"),
        rule("bytes", bytes_per_user="1000 B"),
        rule("slots", slots_per_window="2", window="3s"),
        rule("rate", bytes_per_window="1000 B", window="3s"),
        rule("evict", files_per_user="2", when_full="make room"),
        rule("evictbytes", bytes_per_user="1000 B", when_full="make room"),
        rule("refuse", files_per_user="2", when_full="refuse"),
        rule("one", files_per_user="1"),
        rule("hourly", slots_per_window="1"),
        ("rule rushing", {"match": "mercutio@example.org",
                          "slots_per_window": "5"}),
        ("rule gateway", {"match": GATE}),
        ("rule others", {"match": "@example.org"}),
    ]),
    "short": dict([
        ("timers", {"put_window": "2s", "upload_timeout": "1s"}),
        rule("unused", files_per_user="1"),
        rule("window", slots_per_window="1"),
        rule("brief", retention="3s"),
    ]),
    "hosts": {"web": {"get_url": "https://localhost:{port}/upload/"}},
    "full": dict([("store", {"max_total": "100 kB"}),
                  ("rule everyone", {"match": "*"})]),
    "disk": dict([("store", {"min_free": "1000000 TiB"}),
                  ("rule everyone", {"match": "*"})]),
    "trouble": dict([("store", {"busy_timeout": "1s"}),
                     ("rule everyone", {"match": "*"})]),
}

CASES = []


def case(name, phase="defaults"):
    """Enters a function of one argument, the bench, among the cases."""
    def enter(function):
        CASES.append((phase, name, function))
        return function
    return enter


class XmppBench:
    """An XMPP server, a web server and putslot between them, with romeo as a
    client and a gate through which there are any number of other users."""

    def __init__(self, site, server_class, web_class):
        self.site = site
        self.tls = Certificates(site)
        self.putslot = Putslot(site)
        self.web = web_class(site, self.tls, self.putslot)
        self.putslot.set("web", put_url=self.web.url)
        self.plain = copy.deepcopy(self.putslot.config)
        self.server = server_class(site, self.tls, self.putslot,
                                   ("romeo", "juliet", "mercutio", "plebs"))
        self.component = None
        self.romeo = self.gate = None

    def start(self):
        self.xmpp = self.server.start()
        self.connect()
        # First the component, which makes the database.
        self.configure("defaults")
        self.putslot.start_fcgi()
        self.web.start()

    def connect(self):
        self.gate = RawComponent(self.server.gate, GATE, SECRET)
        self.romeo = self.client("romeo")

    def client(self, name, *more):
        return XmppClient(self.server, name, *more)

    def configure(self, phase):
        """Starts the component (anew) with the configuration of a phase."""
        self.putslot.config = copy.deepcopy(self.plain)
        for section, keys in PHASES[phase].items():
            self.putslot.config.setdefault(section, {}).update(
                (key, value.format(port=self.web.port))
                for key, value in keys.items())
        if self.component:
            self.site.stop(self.component)
        self.component = self.putslot.start_component()

    def close(self):
        self.romeo.close()
        self.gate.socket.close()

    # ---- slots ----

    def slot(self, who, size=5, name="file.bin", type=None, inside=""):
        return who.slot(JID, size, name, type, inside)

    def ask(self, who, **request_fields):
        """The answer to a slot request, see slot_request."""
        return who.iq(slot_request(**request_fields), to=JID)

    def refused(self, who, payload):
        return who.refused(payload, JID)

    def row(self, url, *columns):
        """Those columns of the slot with that GET URL, as a tuple."""
        [row] = self.putslot.sql(
            f"SELECT {', '.join(columns)} FROM slot WHERE token = ?",
            url.split("/")[-2])
        return row

    # ---- requests ----

    def put(self, url, body, type=None):
        return request(self.tls, "PUT", url, body,
                       {"Content-Type": type} if type else None)

    def get(self, url):
        return request(self.tls, "GET", url)

    def stored(self, who, body=b"fives", **more):
        """A fresh upload's GET URL."""
        put, get = self.slot(who, len(body), **more)
        equal(self.put(put, body).status, 201, "status of the PUT")
        return get


def shape(element):
    """All that is in an element, in a form that can be compared and shown."""
    return (element.tag, dict(element.attrib), (element.text or "").strip(),
            [shape(child) for child in element])


def same_children(iq, expected):
    """Whether an answer contains exactly these elements, in this order."""
    stream = iq.tag[1:].split("}")[0]
    equal([shape(child) for child in iq],
          [shape(child) for child in ET.fromstring(
              f"<iq xmlns='{stream}'>{expected}</iq>")], "the answer")


def stamp_of(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def seconds_of(stamp):
    """Of a stamp as XEP-0363 section 6 wants it: a DateTime in UTC."""
    return int(datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=timezone.utc).timestamp())


def wait_until(seconds):
    """Until all programs agree that it is that time. They read a clock that
    lags by a tick of the kernel."""
    wait_for(lambda: time.time() >= seconds + 0.02, f"time {seconds}",
             deadline=seconds + 1 - time.time())


def run_xmpp_cases(scenario, server_class, web_class):
    from . import (discovery_cases, purpose_cases, quota_cases,  # noqa: F401
                   rule_cases, slot_cases, trouble_cases)  # they fill CASES
    bench = XmppBench(scenario.site, server_class, web_class)
    bench.start()
    for phase in PHASES:
        if phase != "defaults":
            bench.configure(phase)
        for of_phase, name, function in CASES:
            if of_phase == phase:
                with scenario.case(name):
                    function(bench)
    bench.close()
