"""Certificates: the node's own authority, and that of the world's names, which the Hermes image trusts."""

import hashlib
import os
from pathlib import Path

from .layout import INTERNET, LAN_HOST, NODE_ADDRESS, NODE_NAME, WORLD_NAMES, cache_dir
from .shell import lock, run

DAYS = "3650"
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
# What Python 3.13 and others who verify strictly ask for, and what openssl does not add by itself
AUTHORITY = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
ISSUED = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
API_NAMES = (
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
    "DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:10.43.0.1"
)


def authority(directory, name, subject):
    """A self-signed authority; its key is readable for its owner alone."""
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    if certificate.exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    unfinished = certificate.with_suffix(".new")
    made = ["-keyout", key, "-out", unfinished, "-subj", subject, "-days", DAYS]
    run(["openssl", "req", "-x509", *EC, *AUTHORITY, *made])
    key.chmod(0o600)
    unfinished.replace(certificate)


def issue(directory, name, subject, names="", ca=None):
    """A certificate for servers and clients, signed by `ca` (the directory's own when not given)."""
    certificate = directory / f"{name}.crt"
    if certificate.exists():
        return certificate
    ca = ca or directory / "ca"
    request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
    unfinished = directory / f"{name}.new"
    extensions.write_text(
        f"{ISSUED}keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n"
        + (f"subjectAltName={names}\n" if names else "")
    )
    run(["openssl", "req", *EC, "-keyout", directory / f"{name}.key", "-out", request, "-subj", subject])
    run(
        [
            "openssl",
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            f"{ca}.crt",
            "-CAkey",
            f"{ca}.key",
            "-days",
            DAYS,
            "-set_serial",
            f"0x{os.urandom(8).hex()}",
            "-out",
            unfinished,
            "-extfile",
            extensions,
        ]
    )
    for leftover in (request, extensions):
        leftover.unlink()
    unfinished.replace(certificate)
    return certificate


def world_authority():
    """One per cache, since the Hermes image holds it. Returns the path without its ending."""
    directory = cache_dir() / "pki"
    if not (directory / "world-ca.crt").exists():
        with lock(cache_dir() / "lock" / "pki", "another node's certificates"):
            authority(directory, "world-ca", "/CN=hermesctl test world")
    return directory / "world-ca"


def world_certificate():
    """The name of the stand-ins' certificate: another authority (the cache may be deleted) means another one."""
    authority = Path(f"{world_authority()}.crt").read_bytes()
    return f"world-{hashlib.sha256(authority).hexdigest()[:8]}"


def create(pki, api_address):
    authority(pki, "ca", "/CN=hermesctl test node")
    names = f"{API_NAMES},IP:{NODE_ADDRESS},IP:{api_address}"
    issue(pki, f"apiserver-{api_address}", "/CN=kube-apiserver", names)
    issue(pki, "admin", "/O=system:masters/CN=admin")
    issue(pki, "node", f"/O=system:nodes/CN=system:node:{NODE_NAME}")
    issue(pki, "kubelet", f"/CN={NODE_NAME}", f"IP:{NODE_ADDRESS},DNS:{NODE_NAME}")
    issue(pki, "kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client")
    world = ",".join(f"DNS:{n}" for n in WORLD_NAMES) + f",IP:{INTERNET},IP:{LAN_HOST}"
    issue(pki, world_certificate(), "/CN=the world", world, ca=world_authority())
    if not (pki / "sa.pub").exists():
        run(["openssl", "genrsa", "-out", pki / "sa.key", "2048"])
        run(["openssl", "rsa", "-in", pki / "sa.key", "-pubout", "-out", pki / "sa.pub"])
