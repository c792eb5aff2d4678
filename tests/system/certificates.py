"""An authority for certificates, and certificates by it, for tests of TLS."""

import subprocess


class Authority:
    """Its own certificate is in self.certificate (PEM)."""

    def __init__(self, folder, name="Example Authority"):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self.certificate, self.key = folder / "authority.pem", folder / "authority.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-days", "30", "-keyout", self.key, "-out", self.certificate, "-addext", "keyUsage=critical,keyCertSign")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"

    def issue(self, *names, days=30):
        """A certificate for these host names or addresses: (certificate, key)."""
        kinds = ("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names)
        stem = self.folder / f"{names[0].replace(':', '-')}-{days}"
        certificate, key, request = stem.with_suffix(".pem"), stem.with_suffix(".key"), stem.with_suffix(".csr")
        extensions = stem.with_suffix(".ext")
        extensions.write_text("subjectAltName=" + ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names)) + "\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}",
                     "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                     "-days", str(days), "-extfile", extensions, "-out", certificate)
        return certificate, key
