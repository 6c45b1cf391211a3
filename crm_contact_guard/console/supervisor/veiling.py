"""Messages on the page of an alert whose names are hidden (``supervision.watching.pseudonyms``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crm_contact_guard.console.conversation.evidence import Piece
from crm_contact_guard.console.conversation.line import Line
from crm_contact_guard.console.conversation.shown_files import NO_FILES
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.record.models import Direction
from crm_contact_guard.supervision.watching.pseudonyms import Veil, veiled_customer, veiled_employee


def veiled(window: Window, veil: Veil) -> Window:
    """Return the window without names, files and details, which may contain names."""
    return replace(window, lines=[_line(line, veil) for line in window.lines])


def _line(line: Line, veil: Veil) -> Line:
    message = line.message
    message.customer = veiled_customer(message.customer)
    if message.employee is not None:
        message.employee = veiled_employee(message.employee)
    writer = message.employee.name if message.employee is not None else veil.employee
    return replace(
        line,
        pieces=_pieces(line.pieces, veil),
        subject=veil.text(line.subject),
        quoted=veil.text(line.quoted),
        reasons=[replace(reason, text=veil.text(str(reason.text))) for reason in line.reasons],
        noticed=[veil.text(str(reason)) for reason in line.noticed],
        from_name=veil.customer if message.direction == Direction.INBOUND else writer,
        files=NO_FILES,
        details=None,
        wait=None,
    )


def _pieces(pieces: Sequence[Piece], veil: Veil) -> list[Piece]:
    """Hide the names in the whole text, as a name may lie in two pieces."""
    whole, shown, start = veil.text("".join(piece.text for piece in pieces)), [], 0
    for piece in pieces:
        shown.append(replace(piece, text=whole[start : start + len(piece.text)]))
        start += len(piece.text)
    return shown
