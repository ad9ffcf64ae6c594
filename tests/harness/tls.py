"""A certificate authority that lives as long as its site."""

import ssl
import subprocess

NAMES = ("DNS:localhost,DNS:example.org,DNS:upload.example.org,"
         "DNS:*.example.org,DNS:example.net,IP:127.0.0.1")


class Certificates:
    """ca: the authority; chain and key: the servers'; both: in one file."""

    def __init__(self, site):
        directory = site.make_directory("tls")
        self.ca = directory / "ca.pem"
        self.chain = directory / "server.pem"
        self.key = directory / "server.key"
        self.both = directory / "both.pem"
        ca_key = directory / "ca.key"
        request = directory / "server.csr"
        extensions = site.write("tls/server.ext", f"subjectAltName={NAMES}\n")

        def openssl(*words):
            subprocess.run(["openssl", *map(str, words)], check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                   "-nodes")
        openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", self.ca,
                "-days", 2, "-subj", "/CN=putslot test authority")
        openssl("req", *new_key, "-keyout", self.key, "-out", request,
                "-subj", "/CN=localhost")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey",
                ca_key, "-CAcreateserial", "-days", 2, "-extfile", extensions,
                "-out", self.chain)
        self.both.write_text(self.key.read_text() + self.chain.read_text())
        for key in (self.key, self.both):
            key.chmod(0o644)  # of no worth; XMPP servers run as another user

    def client_context(self):
        return ssl.create_default_context(cafile=self.ca)
