"""A peer: a script on PHP that takes uploads to signed addresses, as those of
mod_http_upload_external do, and no more than that (signed.php)."""

import hashlib
import hmac
import secrets
import shutil
from pathlib import Path

from harness import accepts
from harness.putslot import made
from harness.site import AS_ROOT

from .servers import HERE, NGINX, SOCKET, Endpoint, make_shards

NAME = "a script on PHP"
PROCESSES = 4
SECRET = secrets.token_hex(16)

# Each process keeps to a connection as long as nginx keeps it, and nobody else
# gets a turn: with few of them, each request has a connection of its own.
KEPT = "fastcgi_keep_conn on;"
NOT_KEPT = "fastcgi_keep_conn off;"


def php_fpm():
    """The program; None: it is not there."""
    return next(Path("/usr/sbin").glob("php-fpm*"), None)


def start_fpm(site, socket, processes):
    user = f"user = {site.web_user}\ngroup = {site.group}" if AS_ROOT else ""
    config = site.write("fpm.conf", f"""
[global]
daemonize = no
error_log = /dev/stderr
[www]
{user}
listen = {socket}
listen.backlog = 4096
listen.mode = 0666
pm = static
pm.max_children = {processes}
""")
    return site.start(
        "php-fpm", [php_fpm(), "-F", "-n", "-d", "zend_extension=opcache.so",
                    "-d", "opcache.enable=1", "-y", config],
        lambda: socket.exists() and accepts(socket))


def signed(count, size):
    """Addresses for so many uploads of that size."""
    for _ in range(count):
        path = made()
        signature = hmac.new(SECRET.encode(), f"{path} {size}".encode(),
                             hashlib.sha256).hexdigest()
        yield f"/upload/{path}?v={signature}"


def script(site, processes=PROCESSES, kept=NOT_KEPT):
    """The endpoint, behind the nginx that is before putslot."""
    files = make_shards(site, "script")
    shutil.copy(HERE / "signed.php", files)
    socket = site.path("fpm.sock")
    fpm = start_fpm(site, socket, processes)
    way = NGINX._replace(replaced={
        **NGINX.replaced, KEPT: kept,
        "include fastcgi_params;": f"""include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME {files}/signed.php;
        fastcgi_param STORE {files};
        fastcgi_param SECRET {SECRET};"""})
    nginx, port, temporary = way.start_before(site, {SOCKET: socket})
    return Endpoint(NAME, site, port, [nginx, fpm],
                    lambda count, size: list(signed(count, size)),
                    [temporary, files])
