"""Email addresses in header fields (RFC 5322 §3.4), parsed in linear time.

The standard library's parser recurses into each nested comment, and how strict it is differs between Python versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"?+|<([^<>]*+)>?+|([(),;:])|((?:[^"<>(),;:\\])++)|(\\.|[\\>])', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_BARE = re.compile(r"[^\s@<>]{1,256}@[^\s@<>]{1,255}")


def addresses(value: str, most: int = 100) -> Iterator[tuple[str, str]]:
    """Yield the name and address of each mailbox in a field's value, at most ``most``. Members of groups are included.

    Encoded words are not decoded. Decode the names afterwards, since their content must not be parsed as syntax (RFC
    2047 §5). Never raises.
    """
    mailbox = _Mailbox()
    depth = given = 0
    for token in _TOKEN.finditer(value):
        quoted, angle, mark, text, other = token.groups()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth:
            mailbox.comment.append(text or quoted or "")
        elif mark == ":":
            # The words before the colon were the name of a group.
            mailbox = _Mailbox()
        elif mark:
            if mailbox.is_given:
                yield mailbox.read()
                given += 1
                if given >= most:
                    return
            mailbox = _Mailbox()
        elif angle is not None:
            mailbox.angle = mailbox.angle or angle.strip()
        elif quoted is not None:
            mailbox.quoted.append((len(mailbox.words), quoted))
            mailbox.words.append(_QUOTED_PAIR.sub(r"\1", quoted))
        else:
            mailbox.words.append(text or (other or "")[1:])
    if mailbox.is_given:
        yield mailbox.read()


def first_address(value: str) -> tuple[str, str]:
    """Return the name and address of the first mailbox; ("", "") if there is none. Never raises."""
    return next((found for found in addresses(value) if found[1]), ("", ""))


class _Mailbox:
    """The parts of one mailbox that have been read so far."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.quoted: list[tuple[int, str]] = []
        self.comment: list[str] = []
        self.angle = ""

    @property
    def is_given(self) -> bool:
        return bool(self.angle or any(word.strip() for word in self.words))

    def read(self) -> tuple[str, str]:
        said = " ".join("".join(self.words).split())
        note = " ".join("".join(self.comment).split())
        if self.angle:
            # A source route (RFC 5322 §4.4) ends with a colon.
            return said or note, "".join(self.angle.rpartition(":")[2].split())
        bare = self._bare()
        return note, bare

    def _bare(self) -> str:
        """Return an address that isn't in angle brackets. Its local part may be quoted."""
        if self.quoted:
            place, local = self.quoted[-1]
            rest = "".join(self.words[place + 1 :]).strip()
            if rest.startswith("@"):
                return f'"{local}"{rest.split()[0]}'
        found = _BARE.search("".join(self.words))
        return found[0] if found is not None else ""
