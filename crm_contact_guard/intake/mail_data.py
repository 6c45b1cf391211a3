"""Read the data of an email from an SMTP connection.

aiosmtpd reads line by line. It refuses lines of more than 1,001 bytes, which many mail programs write, and an email
with short lines takes thirty times its size in memory.
"""

from __future__ import annotations

from asyncio import StreamReader
from typing import Any

from aiosmtpd.smtp import Envelope, syntax

_END = b"\r\n.\r\n"
#: Number of bytes read at once.
_CHUNK = 65_536


class WholeData:
    """Mixin that replaces aiosmtpd's DATA command (RFC 5321 §4.1.1.4, §4.5.2). Lines may have any length."""

    data_size_limit: int | None
    envelope: Envelope | None
    _reader: StreamReader

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        server: Any = self
        if await server.check_helo_needed() or await server.check_auth_needed("DATA"):
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await server.push("503 Error: need RCPT command")
            return
        if arg:
            await server.push("501 Syntax: DATA")
            return
        await server.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        if content is None:
            await server.push("552 Error: Too much mail data")
            server._set_post_data_state()
            return
        self.envelope.content = self.envelope.original_content = content
        status = await server._call_handler_hook("DATA")
        server._set_post_data_state()
        await server.push(status)

    async def _content(self) -> bytes | None:
        """Return the email, or None if it is larger than the limit. In that case, the rest of it is read and dropped.

        Raises ConnectionResetError if the connection ends before the email does.
        """
        # Start as if a line had just ended, so that a lone dot on the first line also ends the email.
        received = bytearray(b"\r\n")
        most = (self.data_size_limit or 0) + len(_END)
        too_large = False
        while True:
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                raise ConnectionResetError("the connection ended within a mail")
            begin = max(0, len(received) - len(_END) + 1)
            received += chunk
            end = received.find(_END, begin)
            if end >= 0:
                # Put back the next commands, which the client sent without waiting for the reply.
                self._reader._buffer[:0] = received[end + len(_END) :]  # type: ignore[attr-defined]
                break
            if self.data_size_limit and len(received) > most:
                too_large = True
                del received[: -len(_END)]
        if too_large or (self.data_size_limit and end > self.data_size_limit):
            return None
        del received[end + 2 :]
        if received.find(b"\r\n.") >= 0:
            received = received.replace(b"\r\n.", b"\r\n")
        return bytes(memoryview(received)[2:])
