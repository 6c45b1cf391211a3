"""Builds the table that folds look-alike characters, from Unicode's own data.

Digits of any script win over look-alike letters; otherwise look-alike folding (UTS #39) would turn ``〇`` into ``O`` and
mathematical zeros into ``o``.
"""

from __future__ import annotations

import unicodedata

#: Characters without a visible meaning: zero-width characters, bidirectional controls, soft hyphen, variation
#: selectors, the keycap frame and the tag block.
INVISIBLE = (
    [
        0x00AD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180B,
        0x180C,
        0x180D,
        0x180E,
        0x20E3,
        0x3164,
        0xFEFF,
        0xFFA0,
    ]
    + list(range(0x200B, 0x2010))
    + list(range(0x202A, 0x202F))
    + list(range(0x2060, 0x2070))
    + list(range(0xFE00, 0xFE10))
    + list(range(0xE0000, 0xE0080))
    # Latin combining marks, which are used to disguise letters and digits. The combining marks of Thai, Arabic and
    # other scripts are needed and therefore kept.
    + list(range(0x0300, 0x0370))
    + list(range(0x1AB0, 0x1B00))
    + list(range(0x1DC0, 0x1E00))
    + list(range(0x20D0, 0x20E3))
)

#: Cyrillic, Greek and Armenian letters and Latin small capitals that look like a Latin letter (the part of the UTS #39
#: confusables that occurs in practice).
LOOK_ALIKES = {
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ғ": "f", "һ": "h", "і": "i", "ї": "i", "ј": "j",
    "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t", "υ": "u",
    "ѵ": "v", "ԝ": "w", "х": "x", "у": "y", "α": "a", "β": "b", "ϲ": "c", "ε": "e", "η": "n", "ι": "i", "κ": "k",
    "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "χ": "x", "γ": "y", "ω": "w", "օ": "o", "ո": "n", "ս": "u", "հ": "h",
    "ց": "g", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ı": "i", "ʟ": "l", "ɪ": "i", "ɴ": "n", "ᴇ": "e", "ʀ": "r", "ꜱ": "s",
    "ᴛ": "t", "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ᴊ": "j", "ᴋ": "k", "ᴍ": "m",
    "ᴏ": "o", "ᴘ": "p", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y", "ᴢ": "z", "ℓ": "l", "℮": "e", "ƽ": "s",
}  # fmt: skip

#: Separators between the parts of a number or address, each with the form that patterns expect.
PUNCTUATION = {
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "－": "-", "﹣": "-", "˗": "-", "⁃": "-",
    "➖": "-", "﹘": "-", "─": "-", "━": "-", "∙": "·", "•": "·", "･": "・", "’": "'", "‘": "'", "ʼ": "'", "＇": "'",
    "“": '"', "”": '"', "＂": '"', "。": "。", "｡": "。", "､": "、", "｢": "「", "｣": "」", "․": ".", "．": ".",
    "⁄": "/", "∕": "/", "／": "/", "：": ":", "∶": ":", "ː": ":", "＿": "_", "‿": "_", "＠": "@", "﹫": "@", "＋": "+",
    "➕": "+", "＃": "#", "〜": "~", "～": "~", "∼": "~", "　": " ", "\u00a0": " ", "\u2007": " ", "\u2009": " ",
    "\u202f": " ", "\u2002": " ", "\u2003": " ", "\u2005": " ", "\u200a": " ",
}  # fmt: skip

_HALF_WIDTH_KANA = range(0xFF66, 0xFF9E)
#: Blocks of styled or enclosed copies of other characters (whose NFKC form is one character).
_STYLED = (
    list(range(0x2070, 0x209D))
    + list(range(0x2100, 0x2150))
    + list(range(0x2460, 0x2500))
    + list(range(0x3200, 0x3248))
    + list(range(0xFF01, 0xFF5F))
    + list(range(0x1D400, 0x1D800))
    + list(range(0x1F100, 0x1F18B))
)
#: The digit zero in every script with decimal digits (general category Nd). The digits one to nine follow each zero.
DECIMAL_ZEROS = (
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730,
    0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
)  # fmt: skip
_FREQUENT = (range(0x80), range(0x0E00, 0x0E80), range(0x1E00, 0x1F00), range(0x3000, 0xA000), range(0xAC00, 0xD7A4),
             range(0x1F300, 0x1FA00))  # fmt: skip
#: Runs of enclosed digits that begin at one, as (code point, count).
_COUNTED = ((0x2460, 9), (0x2474, 9), (0x2488, 9), (0x24F5, 9), (0x2776, 9), (0x2780, 9), (0x278A, 9), (0x1F102, 9))
#: Enclosed Latin alphabets without a compatibility mapping (negative circled and squared, flags).
_ENCLOSED_A = (0x1F150, 0x1F170, 0x1F1E6)


def build() -> dict[int, str | int | None]:
    """Return a table that maps code points to folded characters, or to ``None`` if they are dropped.

    ASCII letters become lower case.
    """
    # A character missing from the table costs str.translate a KeyError, so the frequent blocks map to themselves.
    table: dict[int, str | int | None] = {}
    for block in _FREQUENT:
        table.update(zip(block, block, strict=True))
    for code in range(0x41, 0x5B):
        table[code] = chr(code + 32)
    for code in range(0x80, 0x2000):
        low = chr(code).lower()
        if len(low) == 1 and low != chr(code):
            table[code] = low
    for code in _STYLED:
        plain = unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1:
            table[code] = plain.lower()
        elif len(plain) == 3 and plain[0] == "(" and plain[2] == ")" and plain[1].isalpha():
            table[code] = plain[1].lower()
    for source, target in PUNCTUATION.items():
        table[ord(source)] = target
    for code in _HALF_WIDTH_KANA:
        table[code] = unicodedata.normalize("NFKC", chr(code))
    for source, target in LOOK_ALIKES.items():
        table[ord(source)] = target
        upper = source.upper()
        if len(upper) == 1 and upper != source:
            table[ord(upper)] = target
    for first in _ENCLOSED_A:
        for offset in range(26):
            table[first + offset] = chr(0x61 + offset)
    for zero in DECIMAL_ZEROS:
        for offset in range(10):
            table[zero + offset] = chr(0x30 + offset)
    for first, count in _COUNTED:
        for offset in range(count):
            table[first + offset] = str(offset + 1)
    for code in (0x24EA, 0x24FF, 0x1F100, 0x1F101, 0x1F10B, 0x1F10C, 0x2070, 0x2080):
        table[code] = "0"
    table[0x3007] = "〇"
    for code in INVISIBLE:
        table[code] = None
    for code in [*range(0x09), *range(0x0B, 0x0D), *range(0x0E, 0x20), *range(0x7F, 0xA0)]:
        table[code] = " "
    for code in range(0xD800, 0xE000):
        table[code] = "�"
    return table
