"""The harness of the scenarios: real servers, real clients, one directory.

A scenario is a script tests/scenarios/NN-name.py:

    #!/usr/bin/python3
    \"\"\"Goal of this test: …\"\"\"
    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from harness import *

    def body(scenario):
        site = scenario.site
        tls = Certificates(site)
        putslot = Putslot(site)
        web = Lighttpd(site, tls, putslot)
        putslot.set("web", put_url=web.url)
        prosody = Prosody(site, tls, putslot)
        prosody.start()
        web.start()
        putslot.start_fcgi()
        putslot.start_component()
        with XmppClient(prosody) as juliet, scenario.case("a file comes back"):
            put, get = juliet.slot(JID, size=5)
            equal(request(tls, "PUT", put, b"hello").status, 201)
            equal(request(tls, "GET", get).body, b"hello")

    run_scenario(body)

What there is, each described where it stands:

site            Site: directory, ports, daemons (start, stop, kill_daemon, run)
                Daemon: pid, alive, signal, log_text, wait_log; wait_for
cases           run_scenario, scenario.case(NAME), equal, true
tls             Certificates: ca, chain, key; client_context
putslot         Putslot: set, start_fcgi, start_component, cleanup, grant, sql,
                files, database, bodies; JID, DOMAIN
web_servers     Nginx, NginxHandOver, NginxCgi, Lighttpd, ApacheProxyFcgi,
                ApacheFcgid, ApacheCgi: url, start; with SendFile at the end of
                their names, sending the bytes of files themselves
xmpp_servers    Prosody, Ejabberd: start, gate; PASSWORD; accounts romeo and
                juliet; another domain, anonymous guests, a second component
xmpp_client     XmppClient: iq, answer, answers, send, slot, stream
raw_component   RawComponent: user, itself, answers, send, until_ping
stanzas         slot_request, child_request, purpose, slot_urls, Refused
http_client     request, RawConnection
commands        curl, go_sendxmpp
browser         Browser: open, title, url, run, in_frame; OtherOrigin;
                browser_cases: run_browser_cases
fastcgi         request, record and the like; exchange, output
alone           Alone: the programs without servers; kill_bench, with their
                ends; kill_operations: what they are killed in
day             Day: all programs for a long time of everything
power_cut       what must hold when the power comes back; disk_model: what is
                left then
hostile         run_hostile_inputs: the tables of bad input on one server;
                hostile_public: those for public files
shipped         shipped: a file of contrib/ with its defaults replaced
"""

from .cases import equal, run_scenario, true
from .commands import curl, go_sendxmpp
from .http_client import RawConnection, Response, request
from .putslot import DOMAIN, JID, SECRET, Putslot
from .shipped import shipped
from .site import BUILD, TOP, Site, accepts, wait_for
from .tls import Certificates
from .web_servers import (ApacheCgi, ApacheFcgid, ApacheProxyFcgi, Lighttpd,
                          Nginx, NginxCgi, NginxHandOver)
from .xmpp_servers import PASSWORD, Ejabberd, Prosody

__all__ = [
    "ApacheCgi", "ApacheFcgid", "ApacheProxyFcgi", "BUILD", "Certificates",
    "DOMAIN", "Ejabberd", "JID", "Lighttpd", "Nginx", "NginxCgi",
    "NginxHandOver", "PASSWORD", "Prosody", "Putslot", "RawConnection",
    "Response", "SECRET", "Site", "TOP", "XmppClient", "accepts", "curl",
    "equal", "go_sendxmpp", "request", "run_scenario", "shipped", "true",
    "wait_for"]


def __getattr__(name):
    """XmppClient when first asked for: slixmpp takes a second to load."""
    if name == "XmppClient":
        from .xmpp_client import XmppClient
        return XmppClient
    raise AttributeError(name)
