"""Web servers with the files of contrib/, on 127.0.0.1 with TLS.

Each has a port and a url (where putslot's addresses begin), and start(), which
returns its Daemon. Around the shipped file stands the least that the server
needs, and what Debian's own configuration brings that could get in the way.
"""

import shutil
from pathlib import Path

from .shipped import shipped
from .site import AS_ROOT, accepts

HOST = "upload.example.org"

# The literal defaults in contrib/ that an administrator would adapt.
SOCKET = "/run/putslot/fcgi.sock"
CONFIG = "/etc/putslot/putslot.conf"
PROGRAM = "/usr/local/sbin/putslot.fcgi"
BODIES = "/var/lib/putslot/bodies"
INCOMING = "/var/lib/putslot/incoming"
PUBLIC = "/var/lib/putslot/public"
FCGIWRAP = "/run/fcgiwrap.socket"


class WebServer:
    """needs_fcgi: whether putslot.fcgi runs by itself behind it; connections:
    how many nginx and lighttpd take at a time, before start; replaced: what
    else is other than in the shipped file; send_file: as putslot.conf has to
    say it."""

    needs_fcgi = True
    connections = 512
    send_file = "no"

    def __init__(self, site, certificates, putslot):
        self.site = site
        self.tls = certificates
        self.replaced = {}
        self.putslot = putslot
        self.port = site.port()
        self.url = f"https://127.0.0.1:{self.port}/upload/"
        self.directory = site.make_directory(self.name)
        self.temporary = site.make_directory(
            f"{self.name}/tmp", 0o770, site.web_user, site.group)
        self.root = site.make_directory(f"{self.name}/root")

    def start(self):
        """Its Daemon."""
        command = self.prepare()
        return self.site.start(
            self.name, command, lambda: accepts(("127.0.0.1", self.port)),
            env={"TMPDIR": str(self.temporary)})

    def prepare(self):
        """Writes the configuration; the command line of the server."""
        raise NotImplementedError


class Nginx(WebServer):
    name = "nginx"

    def snippet(self):
        return shipped("nginx/putslot.conf", self.replaced)

    def upstream(self):
        return shipped("nginx/putslot-upstream.conf",
                       {SOCKET: self.putslot.socket})

    def prepare(self):
        snippet = self.site.write("nginx/putslot.conf", self.snippet())
        shutil.copy("/etc/nginx/fastcgi_params", self.directory)
        user = f"user {self.site.web_user};" if AS_ROOT else ""
        config = self.site.write("nginx/nginx.conf", f"""
{user}
daemon off;
worker_processes 2;
pid {self.directory}/pid;
error_log stderr;
worker_rlimit_nofile {self.connections * 2};
events {{ worker_connections {self.connections}; }}
http {{
    access_log {self.site.path("log", "nginx-access")};
    client_body_temp_path {self.temporary}/body;
    fastcgi_temp_path {self.temporary}/fastcgi;
    proxy_temp_path {self.temporary}/proxy;
    scgi_temp_path {self.temporary}/scgi;
    uwsgi_temp_path {self.temporary}/uwsgi;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    {self.upstream()}
    server {{
        listen 127.0.0.1:{self.port} ssl http2;
        server_name {HOST};
        ssl_certificate {self.tls.chain};
        ssl_certificate_key {self.tls.key};
        root {self.root};
        include {snippet};
    }}
}}
""")
        return ["nginx", "-c", config, "-e", "stderr"]


class NginxSendFile(Nginx):
    """nginx sends the bytes of files."""

    send_file = "x-accel-redirect"

    def snippet(self):
        return super().snippet() + shipped("nginx/putslot-send-file.conf", {
            BODIES: self.putslot.bodies})


class NginxHandOver(Nginx):
    """nginx that writes each upload to a file and hands that over."""

    def __init__(self, *more):
        super().__init__(*more)
        self.incoming = self.putslot.store / "incoming"
        self.putslot.set("web", incoming=self.incoming)

    def snippet(self):
        return shipped("nginx/putslot-hand-over.conf", {
            INCOMING: self.incoming, **self.replaced})


class NginxCgi(Nginx):
    """nginx and fcgiwrap: putslot.fcgi as a CGI program."""

    needs_fcgi = False

    def snippet(self):
        return shipped("nginx/putslot-fcgiwrap.conf", {
            FCGIWRAP: self.wrapper, CONFIG: self.putslot.path,
            PROGRAM: self.site.bin / "putslot.fcgi"})

    def start(self):
        self.wrapper = self.putslot.run_directory / "fcgiwrap.sock"
        self.site.start(
            "fcgiwrap", ["fcgiwrap", "-c", "4", "-f", "-s",
                         f"unix:{self.wrapper}"],
            lambda: self.wrapper.exists() and accepts(self.wrapper),
            user=self.site.web_user)
        return super().start()


class Lighttpd(WebServer):
    name = "lighttpd"

    def snippet(self):
        return shipped("lighttpd/putslot.conf", {
            SOCKET: self.putslot.socket, **self.replaced})

    def prepare(self):
        snippet = self.site.write("lighttpd/putslot.conf", self.snippet())
        user = (f'server.username = "{self.site.web_user}"\n'
                f'server.groupname = "{self.site.group}"\n') if AS_ROOT else ""
        # The parse options and denials are Debian's.
        config = self.site.write("lighttpd/lighttpd.conf", f"""
server.modules = ( "mod_access", "mod_openssl", "mod_accesslog" )
server.document-root = "{self.root}"
server.upload-dirs = ( "{self.temporary}" )
server.bind = "127.0.0.1"
server.port = {self.port}
server.max-connections = {self.connections}
server.max-fds = {self.connections * 2}
{user}
accesslog.filename = "{self.temporary}/access"
server.http-parseopts = (
    "header-strict" => "enable", "host-strict" => "enable",
    "host-normalize" => "enable", "url-normalize-unreserved" => "enable",
    "url-normalize-required" => "enable", "url-ctrls-reject" => "enable",
    "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable"
)
url.access-deny = ( "~", ".inc" )
static-file.exclude-extensions = ( ".php", ".pl", ".fcgi" )
ssl.engine = "enable"
ssl.pemfile = "{self.tls.both}"
include "{snippet}"
""")
        return ["lighttpd", "-D", "-f", config]


class LighttpdSendFile(Lighttpd):
    """lighttpd sends the bytes of files."""

    send_file = "x-sendfile"

    def snippet(self):
        return super().snippet() + shipped("lighttpd/putslot-send-file.conf", {
            SOCKET: self.putslot.socket, BODIES: self.putslot.bodies})


class LighttpdCgi(Lighttpd):
    """lighttpd that starts putslot for every upload that has a length."""

    def snippet(self):
        return super().snippet() + shipped("lighttpd/putslot-cgi.conf", {
            PROGRAM: self.site.bin / "putslot.fcgi",
            CONFIG: self.putslot.path, '"^[0-9]{8}"': '"^[0-9]"'})


class Apache(WebServer):
    """The common part: Debian's modules, its reqtimeout and its .ht rule."""

    name = "apache"
    modules = ()

    def snippet(self):
        """What the virtual host includes."""
        raise NotImplementedError

    def globals(self):
        """What Debian sets for the whole server, with paths of the site."""
        return ""

    def prepare(self):
        snippet = self.site.write("apache/putslot.conf", self.snippet())
        names = ("mpm_event", "authz_core", "authn_core", "alias", "env",
                 "mime", "setenvif", "ssl", "socache_shmcb", "reqtimeout",
                 "deflate", "filter", "dir", "negotiation", *self.modules)
        modules = "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
            for name in names)
        user = (f"User {self.site.web_user}\nGroup {self.site.group}"
                if AS_ROOT else "")
        config = self.site.write("apache/apache2.conf", f"""
ServerRoot {self.directory}
DefaultRuntimeDir {self.temporary}
PidFile {self.directory}/pid
ServerName {HOST}
Listen 127.0.0.1:{self.port}
{modules}
{user}
{self.globals()}
ErrorLog /dev/stderr
TraceEnable Off
LogLevel warn
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 50
TypesConfig /etc/mime.types
AddEncoding x-gzip .gz .tgz
AddLanguage fr .fr
AddOutputFilterByType DEFLATE text/html text/plain text/css
RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {self.root}>
    AllowOverride FileInfo AuthConfig Options
    Require all granted
</Directory>
<FilesMatch "^\\.ht">
    Require all denied
</FilesMatch>
<VirtualHost *:{self.port}>
    DocumentRoot {self.root}
    SSLEngine on
    SSLCertificateFile {self.tls.chain}
    SSLCertificateKeyFile {self.tls.key}
    Include {snippet}
</VirtualHost>
""")
        return ["apache2", "-D", "FOREGROUND", "-f", config]


class ApacheProxyFcgi(Apache):
    modules = ("proxy", "proxy_fcgi")

    def snippet(self):
        return shipped("apache/putslot-proxy-fcgi.conf",
                       {SOCKET: self.putslot.socket})


class ApacheFcgid(Apache):
    needs_fcgi = False
    modules = ("fcgid",)

    def globals(self):
        return (f"FcgidIPCDir {self.temporary}\n"
                f"FcgidProcessTableFile {self.temporary}/table\n")

    def snippet(self):
        return shipped("apache/putslot-fcgid.conf", {
            CONFIG: self.putslot.path, PROGRAM: self.site.bin / "putslot.fcgi"})


class ApacheSendFile:
    """Apache sends the bytes of files: comes before another class."""

    send_file = "x-sendfile"

    def snippet(self):
        return super().snippet() + shipped("apache/putslot-send-file.conf", {
            BODIES: self.putslot.bodies})


class ApacheProxyFcgiSendFile(ApacheSendFile, ApacheProxyFcgi):
    modules = (*ApacheProxyFcgi.modules, "xsendfile")


class ApacheFcgidSendFile(ApacheSendFile, ApacheFcgid):
    modules = (*ApacheFcgid.modules, "xsendfile")


class NginxStatic(Nginx):
    """nginx serves all but ephemeral files."""

    def snippet(self):
        return super().snippet() + shipped("nginx/putslot-static.conf", {
            PUBLIC: self.putslot.public})


class LighttpdStatic(Lighttpd):
    def snippet(self):
        return super().snippet() + shipped("lighttpd/putslot-static.conf", {
            PUBLIC: self.putslot.public, SOCKET: self.putslot.socket})


class ApacheStatic(ApacheProxyFcgi):
    modules = (*ApacheProxyFcgi.modules, "headers", "rewrite")

    def snippet(self):
        return super().snippet() + shipped("apache/putslot-static.conf", {
            PUBLIC: self.putslot.public})


class ApacheCgi(Apache):
    """Shared hosting: a directory with an .htaccess, and nothing else."""

    needs_fcgi = False
    modules = ("cgid", "rewrite")

    def globals(self):
        return f"ScriptSock {self.temporary}/cgisock\n"

    def snippet(self):
        upload = self.root / "upload"
        upload.mkdir()
        shutil.copy(self.site.bin / "putslot.fcgi", upload / "putslot.cgi")
        Path(upload, ".htaccess").write_text(shipped(
            "apache/htaccess", {CONFIG: self.putslot.path}))
        return ""
