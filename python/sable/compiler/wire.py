"""Frames between the client and the compile server: a JSON header and a payload of bytes on a socket.

Used by both sides. The server program loads this file by its path, so it imports the standard library only.
"""

from __future__ import annotations

import json
import struct
import time
from typing import Any, Protocol

_MAGIC = b"SBL1"
#: Closes a frame. A process that dies while it writes leaves a frame without it, which `receive` refuses.
_END = b"1LBS"
_PREFIX = struct.Struct("!4sIQ")

#: Bytes asked of the socket at a time: the default capacity of a Linux socket buffer is of this order.
_CHUNK = 1 << 18


class ProtocolError(Exception):
    """What came is not a frame: the other side died in the middle of it, or is no Sable process."""


class Socket(Protocol):
    """What this module needs of a socket."""

    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...
    def settimeout(self, seconds: float | None, /) -> None: ...


def pack(header: dict[str, Any], payload: bytes) -> list[bytes]:
    """The parts of a frame, in order; not joined, so that a large payload is not copied."""
    text = json.dumps(header).encode()
    return [_PREFIX.pack(_MAGIC, len(text), len(payload)) + text, payload, _END]


def send(sock: Socket, header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one frame.

    Raises:
      OSError: the other side is gone, or the timeout of the socket has passed.
    """
    for part in pack(header, payload):
        if part:
            sock.sendall(part)


def receive(sock: Socket, deadline: float | None = None) -> tuple[dict[str, Any], bytes]:
    """Read one frame.

    Args:
      sock: a connected stream socket.
      deadline: value of `time.monotonic()` (seconds) after which to give up; None waits for ever.

    Returns:
      The header and the payload.

    Raises:
      EOFError: the other side closed the connection before the frame began.
      ProtocolError: the frame is torn, or not one of ours.
      TimeoutError: the deadline has passed.
    """
    first = read_exactly(sock, 1, deadline)
    try:
        rest = read_exactly(sock, _PREFIX.size - 1, deadline)
        magic, header_size, payload_size = _PREFIX.unpack(first + rest)
        if magic != _MAGIC:
            raise ProtocolError(f"expected a frame that begins with {_MAGIC!r}, got {magic!r}")
        header = json.loads(read_exactly(sock, header_size, deadline))
        payload = read_exactly(sock, payload_size, deadline)
        end = read_exactly(sock, len(_END), deadline)
    except EOFError as error:
        raise ProtocolError("the connection closed in the middle of a frame") from error
    if end != _END:
        raise ProtocolError("a frame lacks its end: the process that wrote it died while writing")
    return header, payload


def read_exactly(sock: Socket, size: int, deadline: float | None = None) -> bytes:
    """Read `size` bytes; raises EOFError if the connection closes before, TimeoutError after `deadline`."""
    parts: list[bytes] = []
    while size:
        sock.settimeout(_remaining(deadline))
        part = sock.recv(min(size, _CHUNK))
        if not part:
            raise EOFError("the connection is closed")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:  # a timeout of 0 would mean "do not block"
        raise TimeoutError
    return seconds
