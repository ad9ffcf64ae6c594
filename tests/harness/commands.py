"""Other people's clients, as their users would call them."""

from .putslot import DOMAIN
from .xmpp_servers import PASSWORD


def curl(site, certificates, *words, status=0):
    """curl with the site's authority; its output."""
    return site.run(["curl", "--silent", "--show-error", "--max-time", "60",
                     "--cacert", certificates.ca, *words], status=status)


def go_sendxmpp(site, server, *words, name="romeo", status=0):
    """go-sendxmpp, logged in as that account; its output."""
    return site.run(
        ["go-sendxmpp", "-u", f"{name}@{DOMAIN}", "-p", PASSWORD,
         "-j", f"127.0.0.1:{server.port}", *words],
        env={"SSL_CERT_FILE": str(server.tls.ca),
             "HOME": str(site.directory)}, status=status)
