"""A real Dovecot (2.4) of the tests' own: unprivileged, in a folder that goes away, on free ports of this machine."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from imap_tools import MailBoxUnencrypted

from tests.ports import free_port

USER = "reply@kaede.example"
PASSWORD = "pass wörd"
PROGRAM = shutil.which("dovecot") or "/usr/sbin/dovecot"
PATIENCE = 60
#: Dovecot won't serve mail as root.
OWNER = "nobody" if os.getuid() == 0 else ""

CONFIG = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
protocols = imap
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = {uid}
first_valid_gid = {gid}
ssl = yes
ssl_server_cert_file = {folder}/certificate.pem
ssl_server_key_file = {folder}/key.pem
auth_allow_cleartext = yes
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/mail/%{{user}}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    """``port`` speaks in clear and STARTTLS, ``tls_port`` TLS from the first byte, by a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.certificate = folder / "certificate.pem"
        _make_certificate(folder)
        found = folder.stat()
        if OWNER:
            import grp
            import pwd

            entry = pwd.getpwnam(OWNER)
            user, group, uid, gid = OWNER, grp.getgrgid(entry.pw_gid).gr_name, entry.pw_uid, entry.pw_gid
        else:
            import getpass
            import grp

            user, group, uid, gid = getpass.getuser(), grp.getgrgid(found.st_gid).gr_name, found.st_uid, found.st_gid
        names = {"user": user, "group": group, "uid": uid, "gid": gid, "password": PASSWORD}
        ports = {"port": self.port, "tls_port": self.tls_port}
        (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder, **names, **ports))
        for name in ("run", "state", "mail"):
            (folder / name).mkdir()
        if OWNER:
            for path in (folder, *folder.iterdir()):
                os.chown(path, uid, gid)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "-F", "-c", str(self.folder / "dovecot.conf")],
            user=OWNER or None,
            group=self.folder.group() if OWNER else None,
            extra_groups=[] if OWNER else None,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log()
            try:
                with socket.create_connection(("127.0.0.1", self.tls_port), timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"Dovecot does not answer: {self.log()}")

    def kill(self) -> None:
        """As when the machine loses its power."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def box(self) -> MailBoxUnencrypted:
        """As a person's mail program sees the mailbox."""
        box = MailBoxUnencrypted("127.0.0.1", self.port, timeout=PATIENCE)
        box.login_utf8(USER, PASSWORD)
        return box

    def put(self, *mails: bytes) -> None:
        with self.box() as box:
            for raw in mails:
                box.append(raw, "INBOX")

    def listing(self, folder: str) -> list[tuple[bytes, tuple[str, ...]]]:
        """Text and flags of the mails in a folder."""
        with self.box() as box:
            if not box.folder.exists(folder):
                return []
            box.folder.set(folder)
            return [(mail.obj.as_bytes(), mail.flags) for mail in box.fetch(mark_seen=False)]


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.kaede.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
