"""A small IMAP server on a real socket (the part of RFC 3501 for polling) that can drop the connection at any command.

``tests/services`` tests the same with Dovecot.
"""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any, Self

USER = "reply@kaede.example"
PASSWORD = "pass wörd"
TOKEN = "ya29.token"


@dataclass
class Mail:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """``folders`` contain the mails. ``dies_at``: close the connection at this command, once."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.folders: dict[str, list[Mail]] = {"INBOX": []}
        self.commands: list[str] = []
        self.dies_at = ""
        #: UIDs whose content it does not hand out: it "refuses", or "dies".
        self.broken: dict[int, str] = {}
        #: Whether it supports MOVE (RFC 6851).
        self.moves = True
        self._tls = tls
        self._uid = 0

    def put(self, raw: bytes) -> int:
        self._uid += 1
        self.folders["INBOX"].append(Mail(self._uid, raw))
        return self._uid

    def flags(self, uid: int) -> set[str]:
        return next(mail.flags for mail in self.folders["INBOX"] if mail.uid == uid)

    def __enter__(self) -> Self:
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                if outer._tls is not None:
                    self.request = outer._tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self) -> None:
                try:
                    _Talk(outer, self.rfile, self.wfile).serve()
                except OSError:
                    return  # the client closed the connection

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Ignore failed handshakes, which tests cause on purpose."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


class _Talk:
    def __init__(self, server: ImapServer, reader: Any, writer: Any) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.folder = "INBOX"
        self.known = False

    def serve(self) -> None:
        self.say("* OK ready")
        while line := self.reader.readline():
            tag, _, rest = line.decode("utf-8").rstrip("\r\n").partition(" ")
            self.server.commands.append(rest)
            if self.server.dies_at and rest.startswith(self.server.dies_at):
                self.server.dies_at = ""
                return
            words = rest.split(" ")
            name = "_".join(words[:2]).lower() if words[0] == "UID" else words[0].lower()
            self.say(f"{tag} {getattr(self, name)(rest)}")
            if name == "logout":
                return

    def say(self, text: str | bytes) -> None:
        self.writer.write((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        self.writer.flush()

    def capability(self, _: str) -> str:
        known = "UIDPLUS MOVE" if self.server.moves else "UIDPLUS"
        # Like most servers, it lists its extensions after the login.
        self.say(f"* CAPABILITY IMAP4rev1 {known if self.known else ''} AUTH=PLAIN AUTH=XOAUTH2")
        return "OK done"

    def authenticate(self, rest: str) -> str:
        import base64

        self.say("+ ")
        said = base64.b64decode(self.reader.readline()).decode()
        good = f"user={USER}\1auth=Bearer {TOKEN}\1\1" if "XOAUTH2" in rest else f"\0{USER}\0{PASSWORD}"
        self.known = said == good
        return "OK in" if self.known else "NO [AUTHENTICATIONFAILED] Authentication failed."

    def login(self, _: str) -> str:
        return "NO [AUTHENTICATIONFAILED] Authentication failed."

    def logout(self, _: str) -> str:
        self.say("* BYE")
        return "OK done"

    def list(self, rest: str) -> str:
        name = re.findall(r'"([^"]*)"', rest)[-1]
        if name in self.server.folders:
            self.say(f'* LIST () "/" "{name}"')
        return "OK done"

    def create(self, rest: str) -> str:
        self.server.folders[_name(rest)] = []
        return "OK done"

    def status(self, rest: str) -> str:
        self.say(f'* STATUS "{_name(rest)}" (UIDVALIDITY 7)')
        return "OK done"

    def select(self, rest: str) -> str:
        self.folder = _name(rest)
        self.say(f"* {len(self.server.folders[self.folder])} EXISTS")
        return "OK [READ-WRITE] done"

    def uid_search(self, rest: str) -> str:
        mails = [mail for mail in self.server.folders[self.folder] if "\\Deleted" not in mail.flags]
        wanted = [mail for mail in mails if "UNSEEN" not in rest or "\\Seen" not in mail.flags]
        self.say("* SEARCH " + " ".join(str(mail.uid) for mail in wanted))
        return "OK done"

    def uid_fetch(self, rest: str) -> str:
        uid, part = re.findall(r"FETCH (\d+) \((.*)\)", rest)[0]
        for number, mail in enumerate(self.server.folders[self.folder], 1):
            if mail.uid != int(uid):
                continue
            broken = self.server.broken.get(mail.uid) if part != "RFC822.SIZE" else None
            if broken == "refuses":
                return "NO [SERVERBUG] Internal error"
            if broken == "dies":
                raise ConnectionResetError
            if part == "RFC822.SIZE":
                self.say(f"* {number} FETCH (UID {uid} RFC822.SIZE {len(mail.raw)})")
                continue
            content = mail.raw if part == "BODY.PEEK[]" else mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.writer.write(f"* {number} FETCH (UID {uid} BODY[] {{{len(content)}}}\r\n".encode() + content)
            self.say(")")
        return "OK done"

    def uid_store(self, rest: str) -> str:
        uid, flags = re.findall(r"STORE (\d+) \+FLAGS \((.*)\)", rest)[0]
        for mail in self.server.folders[self.folder]:
            if mail.uid == int(uid):
                mail.flags |= set(flags.split())
        return "OK done"

    def uid_move(self, rest: str) -> str:
        uid = int(re.findall(r"MOVE (\d+)", rest)[0])
        mails = self.server.folders[self.folder]
        moved = [mail for mail in mails if mail.uid == uid]
        self.server.folders[_name(rest)] += moved
        mails[:] = [mail for mail in mails if mail.uid != uid]
        return "OK done"

    def uid_copy(self, rest: str) -> str:
        uid = int(re.findall(r"COPY (\d+)", rest)[0])
        copied = [Mail(mail.uid, mail.raw) for mail in self.server.folders[self.folder] if mail.uid == uid]
        self.server.folders[_name(rest)] += copied
        return "OK done"

    def uid_expunge(self, rest: str) -> str:
        uid = int(re.findall(r"EXPUNGE (\d+)", rest)[0])
        mails = self.server.folders[self.folder]
        mails[:] = [mail for mail in mails if mail.uid != uid or "\\Deleted" not in mail.flags]
        return "OK done"


def _name(rest: str) -> str:
    quoted = re.findall(r'"([^"]*)"', rest)
    return quoted[0] if quoted else rest.split(" ")[1]
