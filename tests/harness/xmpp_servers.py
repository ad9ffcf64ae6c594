"""Prosody and ejabberd with the files of contrib/, on 127.0.0.1 with TLS.

Each has a port for clients, serves the accounts of DOMAIN, and takes the
component JID of putslot.py. start() returns its Daemon.

Around that is what an upload service meets in the wild: another domain with
the account tybalt, a domain of anonymous users, and a second component.
"""

import http.client
import json
from sysconfig import get_config_var

from .putslot import DOMAIN, JID, SECRET
from .shipped import shipped
from .site import AS_ROOT, accepts, wait_for

PASSWORD = "a password of the tests"
OTHER_DOMAIN = "example.net"
STRANGER = "tybalt"  # the account of OTHER_DOMAIN
GUESTS = "guest.example.org"  # whoever comes, without a name
GATE = "gate.example.org"  # a component

# The literal defaults in contrib/ that an administrator would adapt.
COMPONENT_PORT = "5347"
COMPONENT_SECRET = "change me"


class XmppServer:
    """accounts: the names before the @ that can log in with PASSWORD."""

    def __init__(self, site, certificates, putslot,
                 accounts=("romeo", "juliet")):
        self.site = site
        self.tls = certificates
        self.putslot = putslot
        self.accounts = accounts
        self.port = site.port()
        self.component = ("127.0.0.1", putslot.component_port)
        self.gate = self.component  # where GATE connects, with SECRET
        self.directory = site.make_directory(
            self.name, 0o770, self.user, site.group)

    def shipped(self, name, **more):
        return shipped(name, {COMPONENT_SECRET: SECRET,
                              "upload.example.org": JID, **more})

    def ready(self):
        return accepts(("127.0.0.1", self.port)) and accepts(self.component)


class Prosody(XmppServer):
    name = "prosody"
    user = None  # whoever runs the tests: run_as_root below

    def start(self):
        for name in self.accounts:
            self.register(name, DOMAIN)
        self.register(STRANGER, OTHER_DOMAIN)
        config = self.site.write("prosody.cfg.lua", f"""
run_as_root = {"true" if AS_ROOT else "false"}
daemonize = false
pidfile = "{self.directory}/pid"
data_path = "{self.directory}"
log = {{ debug = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.port} }}
component_ports = {{ {self.putslot.component_port} }}
modules_enabled = {{ "disco", "roster", "saslauth", "tls", "posix", "ping" }}
modules_disabled = {{ "s2s" }}
c2s_stanza_size_limit = 64 * 1024
authentication = "internal_plain"
ssl = {{ key = "{self.tls.key}"; certificate = "{self.tls.chain}" }}
https_ports = {{ }}
http_ports = {{ }}
VirtualHost "{OTHER_DOMAIN}"
VirtualHost "{GUESTS}"
    authentication = "anonymous"
Component "flood.example.org"
    component_secret = "{SECRET}"
Component "{GATE}"
    component_secret = "{SECRET}"
VirtualHost "{DOMAIN}"
{self.shipped("prosody/putslot.cfg.lua")}
""")
        return self.site.start(
            self.name, ["prosody", "--config", config, "-F"], self.ready)

    def register(self, name, domain):
        accounts = self.directory / domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        (accounts / f"{name}.dat").write_text(
            f'return {{ ["password"] = "{PASSWORD}" }};\n')


class Ejabberd(XmppServer):
    """Without Erlang's distribution: no node name and no epmd, so that any
    number of them run beside each other and beside the machine's own."""

    name = "ejabberd"
    user = "ejabberd" if AS_ROOT else None

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.gate = ("127.0.0.1", self.site.port())
        self.api = self.site.port()

    def start(self):
        daemon = self.start_daemon()
        for name in self.accounts:
            wait_for(lambda: self.register(name, DOMAIN), f"account of {name}")
        wait_for(lambda: self.register(STRANGER, OTHER_DOMAIN), "a stranger")
        return daemon

    def start_daemon(self):
        config = self.site.write("ejabberd.yml", self.config())
        # The account of the package may read its own files in /etc.
        command = [
            "erl", "-noinput", "+K", "true", "-mnesia", "dir",
            f'"{self.directory}"', "-ejabberd", "log_rotate_count", "0",
            "-s", "ejabberd"]
        return self.site.start(
            self.name, command, self.ready, user=self.user, env={
                "HOME": str(self.directory),
                "EJABBERD_CONFIG_PATH": str(config),
                "EJABBERD_LOG_PATH": f"{self.directory}/ejabberd.log",
                "ERL_CRASH_DUMP_SECONDS": "0",
                "ERL_LIBS": "/usr/lib/" + get_config_var("MULTIARCH")})

    def config(self):
        """Our own part, with the shipped entry put into the list that is
        there: YAML has no way to say a key twice."""
        part = self.shipped("ejabberd/putslot.yml", **{
            COMPONENT_PORT: self.putslot.component_port})
        listen = part.split("\nlisten:\n")[1]
        return f"""
hosts: [ {DOMAIN}, {OTHER_DOMAIN}, {GUESTS} ]
host_config:
  {GUESTS}:
    auth_method: anonymous
    anonymous_protocol: sasl_anon
loglevel: info
certfiles: [ "{self.tls.both}" ]
ca_file: "{self.tls.ca}"
auth_password_format: plain
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: true
    access: all
  - port: {self.api}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
  - port: {self.gate[1]}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      "{GATE}":
        password: "{SECRET}"
{listen}
api_permissions:
  tests:
    who: all
    what: "register"
modules:
  mod_disco: {{}}
  mod_roster: {{}}
  mod_ping: {{}}
"""

    def register(self, name, domain):
        """Whether the account exists now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api,
                                                timeout=10)
        try:
            connection.request("POST", "/api/register", json.dumps(
                {"user": name, "host": domain, "password": PASSWORD}))
            status = connection.getresponse().status
        except OSError:
            return False
        finally:
            connection.close()
        return status in (200, 409)  # 409: from before a restart
