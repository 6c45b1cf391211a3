"""Decodes bytes whose charset label may be wrong or missing.

Messages and files are often labelled incorrectly: Shift_JIS with Windows characters, ISO-2022-JP without a label, UTF-8
labelled as US-ASCII. A wrong label must not hide text. Never raises. Takes linear time.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

#: For each charset, the codecs that decode a superset of it, as in the WHATWG Encoding Standard. The first one that
#: fits is used.
_CODECS = {
    "iso-2022-jp": ("iso2022_jp_ext",),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "euc-jp": ("euc_jp", "euc_jis_2004"),
    "gb2312": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "euc-kr": ("cp949",),
    "iso-8859-1": ("cp1252", "iso-8859-1"),
    "us-ascii": (),
}
_ALIASES = {
    "iso-2022-jp": "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms csiso2022jp xiso2022jp cp50220 cp50221 cp50222 jis",
    "shift_jis": "shiftjis xsjis sjis xshiftjis mskanji csshiftjis windows31j xmswin cswindows31j cp932 ms932 xmacjapanese",
    "euc-jp": "eucjp xeucjp xeuc cseucpkdfmtjapanese eucjpms eucjpwin cp51932 ujis",
    "gb2312": "gb2312 gbk xgbk xgb csgb2312 gb231280 euccn eucgb2312cn cp936 ms936 windows936",
    "big5": "big5 xbig5 cnbig5 csbig5 big5eten cp950",
    "euc-kr": "euckr ksc5601 ksc56011987 ksc56011989 cseuckr korean windows949 xwindows949 ms949 uhc cp949",
    "iso-8859-1": "iso88591 latin1 l1 cp819 xcp1252 windows1252",
    "us-ascii": "usascii ascii us ansix3.41968 ansix341968 iso646us unknown8bit xunknown unknown default none",
}
_CHARSETS = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
#: Python codecs that aren't charsets for messages. Two of them take quadratic time.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_ESCAPE = re.compile(rb"\x1b(\([BJHI]|\$[@AB]|\$\([@ABDOQ]|&@\x1b\$B)")
_IS_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\$\([DOQ]|\(I)")
_RUN = re.compile(r"[^\x00-\x7f]{2,}")


def decode(content: bytes, charset: str = "") -> str:
    """Decode bytes to text.

    If the label doesn't fit, try to find a charset that does. Replacement characters are the last resort.
    """
    if content.isascii() and _IS_ISO_2022_JP.search(content):
        return _iso_2022_jp(content)
    names = _codecs_of(charset)
    for name in (*names, "utf-8"):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    guessed = _japanese(content)
    if guessed is not None:
        return guessed
    # Most unlabelled text that isn't UTF-8 is Western European.
    return content.decode(names[0] if names else "cp1252", "replace")


@lru_cache(maxsize=256)
def _codecs_of(charset: str) -> tuple[str, ...]:
    label = re.sub(r"[\s\"'_\-]", "", charset.lower().partition("*")[0])[:60]
    if label in _CHARSETS:
        return _CODECS[_CHARSETS[label]]
    try:
        codec = codecs.lookup(charset.strip(" \"'")).name
        "".encode(codec)
    except (LookupError, ValueError):
        return ()
    return () if codec.replace("-", "_") in _NO_CHARSETS else (codec,)


def _iso_2022_jp(content: bytes) -> str:
    """Decode ISO-2022-JP, including the Windows characters that Python's codecs refuse.

    These are the NEC and IBM rows and half-width kana.
    """
    for name in ("iso2022_jp", "iso2022_jp_ext"):
        try:
            return content.decode(name)
        except ValueError:
            continue
    pieces = _ESCAPE.split(content)
    texts = [pieces[0].decode("ascii", "replace")]
    for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in (b"$@", b"$B", b"$(@", b"$(B", b"&@\x1b$B"):
            texts.append(_two_byte(piece))
        elif escape == b"(I":
            texts.append(bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in piece).decode("cp932"))
        elif escape[:1] == b"$":
            codec = "iso2022_jp_2004" if escape[-1:] in b"OQ" else "iso2022_jp_2"
            texts.append((b"\x1b" + escape + piece + b"\x1b(B").decode(codec, "replace"))
        else:
            texts.append(piece.decode("ascii", "replace"))
    return "".join(texts)


def _two_byte(piece: bytes) -> str:
    """Decode JIS X 0208 as Windows does, by moving each pair of bytes to its place in code page 932."""
    moved = bytearray()
    at = 0
    while at < len(piece):
        row, cell = piece[at], piece[at + 1] if at + 1 < len(piece) else 0
        if 0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E:
            moved.append((row + 1) // 2 + (0x70 if row < 0x5F else 0xB0))
            moved.append(cell + (0x7E if not row % 2 else 0x20 if cell >= 0x60 else 0x1F))
            at += 2
        else:
            moved.append(row)
            at += 1
    return moved.decode("cp932", "replace")


def _japanese(content: bytes) -> str | None:
    """Decode as EUC-JP or Shift_JIS if one of them gives plausible Japanese, with runs of common characters."""
    best, most = None, 0.0
    for name in ("euc_jp", "cp932"):
        try:
            text = content.decode(name)
        except ValueError:
            continue
        wide = [character for character in text if not character.isascii()]
        common = sum(map(_is_common, wide))
        in_runs = sum(len(run) for run in _RUN.findall(text))
        if common >= max(2, 0.7 * len(wide)) and 2 * in_runs >= len(wide) and common / len(wide) > most:
            best, most = text, common / len(wide)
    return best


@lru_cache(maxsize=8192)
def _is_common(character: str) -> bool:
    """Whether the character belongs to level 1 of JIS X 0208: kana, full-width signs and common kanji."""
    code = character.encode("cp932", "replace")
    return len(code) == 2 and 0x81 <= code[0] <= 0x98
