"""``bundle.xlsx``: messages and events as sheets, written in constant memory (ECMA-376 part 1, SpreadsheetML).

All cells are texts. A text that a spreadsheet would run as a formula is also marked as quoted, so that it stays a text
when somebody edits the cell. The limits are those of Excel: 1,048,576 rows in a sheet, then another sheet follows, and
32,767 UTF-16 units in a cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Final
from xml.sax.saxutils import escape

from crm_contact_guard.exports.formats.base import UNKNOWN, Cuts, Made, Rows
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.tables import cells, columns, defused

NAME: Final = "bundle.xlsx"
#: Rows in a sheet, without its header.
MOST_ROWS: Final = 1_048_575
MOST_UNITS: Final = 32_767
_SHEETS: Final[dict[RowKind, str]] = {"message": "Messages", "event": "Events"}
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
#: Characters that XML 1.0 doesn't allow.
_FORBIDDEN: Final = dict.fromkeys(
    [*(code for code in range(32) if code not in (9, 10, 13)), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], UNKNOWN
)
_FORBIDDEN_ANY: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Text that Excel would read as an escaped character.
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
#: Cell styles: 0 plain, 1 quoted (a text whatever it begins with), 2 bold.
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf quotePrefix="1"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>'
)


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield the workbook."""
    with TemporaryFile() as file:
        write(file, {kind: rows.of(kind) for kind in _SHEETS}, cuts)
        file.seek(0)
        yield Made(NAME, iter(lambda: file.read(1 << 16), b""), packed=True)


def write(
    file: IO[bytes], tables: dict[RowKind, Iterator[dict[str, object]]], cuts: Cuts, most: int = MOST_ROWS
) -> None:
    """Write a workbook with the rows of each kind, at most ``most`` in a sheet."""
    names: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for kind, rows in tables.items():
            lines = (_row(cells(kind, row), cuts) for row in rows)
            first: Iterable[str] = ()
            number = 1
            while True:
                names.append(_SHEETS[kind] if number == 1 else f"{_SHEETS[kind]} {number}")
                _sheet(book, len(names), columns(kind), chain(first, islice(lines, most - (number > 1))))
                following = next(lines, None)
                if following is None:
                    break
                first, number = (following,), number + 1
        for name, text in _others(names):
            book.writestr(_info(name), text)


def _sheet(book: zipfile.ZipFile, number: int, header: Sequence[str], lines: Iterable[str]) -> None:
    with book.open(_info(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as sheet:
        head = "".join(f'<c t="inlineStr" s="2"><is><t>{name}</t></is></c>' for name in header)
        view = (
            '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView>'
        )
        sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{view}</sheetViews><sheetData><row>{head}</row>'.encode())
        rows = iter(lines)
        while block := "".join(islice(rows, 500)):
            sheet.write(block.encode())
        sheet.write(b"</sheetData></worksheet>")


def _row(values: Sequence[str], cuts: Cuts) -> str:
    return f"<row>{''.join([_cell(value, cuts) for value in values])}</row>"


def _cell(value: str, cuts: Cuts) -> str:
    if not value:
        return "<c/>"
    text = cuts.shorten(value, MOST_UNITS)
    if _FORBIDDEN_ANY.search(text):
        text = cuts.replace(text, _FORBIDDEN)
    quoted = ' s="1"' if defused(text) != text else ""
    text = escape(_ESCAPED.sub("_x005F_", text)).replace("\r", "_x000D_")
    return f'<c t="inlineStr"{quoted}><is><t xml:space="preserve">{text}</t></is></c>'


def _others(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the parts of the package that describe the sheets."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(f'<sheet name="{names[at - 1]}" sheetId="{at}" r:id="rId{at}"/>' for at in numbers)
    yield "xl/workbook.xml", (f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>')
    linked = "".join(
        f'<Relationship Id="rId{at}" Type="{_REL}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{linked}'
            f'<Relationship Id="rId0" Type="{_REL}/styles" Target="styles.xml"/></Relationships>'
        ),
    )
    yield "xl/styles.xml", _STYLES
    yield (
        "_rels/.rels",
        (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    )
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for at in numbers
    )
    yield (
        "[Content_Types].xml",
        (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{parts}</Types>'
        ),
    )


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = 1  # type: ignore[attr-defined]  # public only from 3.13
    return info
