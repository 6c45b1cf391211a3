"""Access to a mailbox on an IMAP server (RFC 9051), using imap-tools.

Reading doesn't change flags (``BODY.PEEK``). The caller marks or moves an email after its own commit. Needs the extra
``imap``.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from django.utils.module_loading import import_string
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from crm_contact_guard.exceptions import ChannelError, ConfigurationError

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Number of bytes of the header that are read if an email is too large.
_HEAD = 20_000


@dataclass(frozen=True, kw_only=True)
class ImapOptions:
    """``OPTIONS["IMAP"]`` with lowercase names.

    * ``tls``: True (implicit TLS), "starttls", or False for localhost only.
    * ``ca_file``: certificates of a private authority.
    * ``access_token``: dotted path of a function that returns an OAuth 2 token, which is used instead of a password
      (Microsoft 365, Gmail).
    * ``move_to``: folder for recorded emails. Without it, they are marked as seen.
    * ``set_aside``: folder for emails that can't be recorded.
    * ``timeout``: in seconds.
    """

    host: str
    user: str
    port: int = 0
    password: str = field(default="", repr=False)
    access_token: str = ""
    tls: bool | str = True
    ca_file: str = ""
    folder: str = "INBOX"
    move_to: str = ""
    set_aside: str = "Contact Guard"
    timeout: float = 30.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Create the options. Raises ConfigurationError, which names a missing or unknown option."""
        try:
            options = cls(**{name.lower(): value for name, value in values.items()})
        except TypeError as error:
            raise ConfigurationError(str(error).replace(f"{cls.__name__}.__init__() ", "")) from error
        if not (options.password or options.access_token):
            raise ConfigurationError("PASSWORD or ACCESS_TOKEN is missing")
        if options.tls not in (True, False, "starttls"):
            raise ConfigurationError(f'TLS = {options.tls!r} is not True, "starttls" or False')
        return options

    @property
    def is_open_to_listeners(self) -> bool:
        """Whether the password and emails would be sent unencrypted over a network."""
        return not self.tls and self.host not in _LOOPBACK


class Mailbox:
    """An open mailbox, used as a context manager.

    Errors are raised as temporary ChannelErrors, or as permanent ones if the server refuses a command about one email.
    """

    def __init__(self, options: ImapOptions) -> None:
        self.options = options

    def __enter__(self) -> Self:
        with _channel_errors("can't open the mailbox"):
            self._box = self._connect()
            try:
                self._log_in()
                # Most servers list all capabilities only after the login, when imaplib does not read them again.
                answer = self._box.client.capability()[1]
                self._box.client.capabilities = tuple(answer[-1].decode("ascii", "replace").upper().split())
                self.validity = self._box.folder.status(self.options.folder, ["UIDVALIDITY"])["UIDVALIDITY"]
                for folder in filter(None, (self.options.move_to, self.options.set_aside)):
                    if not self._box.folder.exists(folder):
                        self._box.folder.create(folder)
                self._box.folder.set(self.options.folder)
            except BaseException:
                self._leave()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def waiting(self, most: int) -> list[str]:
        """Return the UIDs of the emails to record, oldest first.

        With ``move_to``, these are all emails in the folder, so it doesn't matter whether a person has opened one.
        Otherwise, they are the unseen emails.
        """
        with _channel_errors("can't list the mails"):
            return self._box.uids("UNDELETED" if self.options.move_to else "UNSEEN UNDELETED")[:most]

    def size(self, uid: str) -> int:
        """Return the size of the email in bytes; 0 if the server doesn't report it."""
        parts = (b"".join(item) if isinstance(item, tuple) else item for item in self._fetch(uid, "RFC822.SIZE"))
        size = next((match for part in parts if part is not None and (match := _SIZE.search(part))), None)
        return int(size[1]) if size is not None else 0

    def mail(self, uid: str) -> bytes | None:
        """Return the bytes of the email; None if it has been removed since."""
        return self._part(uid, "BODY.PEEK[]")

    def head(self, uid: str) -> bytes:
        """Return the beginning of the email's header."""
        return self._part(uid, f"BODY.PEEK[HEADER]<0.{_HEAD}>") or b""

    def done(self, uid: str) -> None:
        """Mark or move a recorded email."""
        with _channel_errors("can't mark a recorded mail"):
            if self.options.move_to:
                self._move(uid, self.options.move_to)
            else:
                self._command("STORE", uid, "+FLAGS", f"({MailMessageFlags.SEEN})")

    def put_aside(self, uid: str) -> None:
        """Move an email that can't be recorded to ``set_aside``."""
        with _channel_errors("can't set a mail aside"):
            self._move(uid, self.options.set_aside)

    def _move(self, uid: str, folder: str) -> None:
        if "MOVE" in self._box.client.capabilities:
            self._box.move(uid, folder)
            return
        self._box.copy(uid, folder)
        self._command("STORE", uid, "+FLAGS", f"({MailMessageFlags.DELETED})")
        if "UIDPLUS" in self._box.client.capabilities:
            # UID EXPUNGE, since a plain EXPUNGE would also remove emails that a person has marked as deleted.
            self._command("EXPUNGE", uid)

    def _command(self, *command: str) -> None:
        answer, words = self._box.client.uid(*command)
        if answer != "OK":
            raise ChannelError(f"{command[0]}: {words!r}"[:500], permanent=True)

    def _connect(self) -> BaseMailBox:
        options = self.options
        if not options.tls:
            return MailBoxUnencrypted(options.host, options.port or 143, timeout=options.timeout)
        # Without a context, imaplib accepts any certificate.
        context = ssl.create_default_context(cafile=options.ca_file or None)
        if options.tls == "starttls":
            return MailBoxStartTls(options.host, options.port or 143, timeout=options.timeout, ssl_context=context)
        return MailBox(options.host, options.port or 993, timeout=options.timeout, ssl_context=context)

    def _log_in(self) -> None:
        options = self.options
        if options.access_token:
            self._box.xoauth2(options.user, import_string(options.access_token)(), initial_folder=None)
        elif (options.user + options.password).isascii():
            self._box.login(options.user, options.password, initial_folder=None)
        else:
            self._box.login_utf8(options.user, options.password, initial_folder=None)

    def _part(self, uid: str, part: str) -> bytes | None:
        answer = self._fetch(uid, part)
        literal = next((bytes(item[1]) for item in answer if isinstance(item, tuple)), None)
        # A part without any content may come as an empty string instead of a literal.
        return b"" if literal is None and any(item and b"BODY[" in item for item in answer) else literal

    def _fetch(self, uid: str, part: str) -> list[Any]:
        with _channel_errors("can't read a mail"):
            answer, words = self._box.client.uid("FETCH", uid, f"({part})")
        if answer != "OK":
            raise ChannelError(f"the server does not hand out a mail: {words!r}"[:500], permanent=True)
        return list(words or [])

    def _leave(self) -> None:
        try:
            self._box.logout()
        except (ImapToolsError, imaplib.IMAP4.error, OSError):
            # The socket is still open if the logout failed.
            with suppress(imaplib.IMAP4.error, OSError):
                self._box.client.shutdown()


@contextmanager
def _channel_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
        raise ChannelError(f"{what}: {type(error).__name__}: {error}", permanent=False) from error
