"""QR codes as PNG files, written without an imaging library: one bit a pixel."""

from __future__ import annotations

import struct
import zlib

import qrcode
from qrcode.constants import ERROR_CORRECT_M

PIXELS_A_MODULE = 8
QUIET_MODULES = 4


def qr_png(text: str, pixels_a_module: int = PIXELS_A_MODULE) -> bytes:
    """A black and white PNG of the code, with the quiet border readers need."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    side = len(rows) * pixels_a_module
    picture = b"".join(_row(row, pixels_a_module) * pixels_a_module for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(picture, 9))
        + _chunk(b"IEND", b"")
    )


def _row(modules: list[bool], pixels: int) -> bytes:
    """One line of pixels: a filter byte, then a bit each, white is 1."""
    bits = "".join(("0" if dark else "1") * pixels for dark in modules)
    bits += "0" * (-len(bits) % 8)
    return b"\x00" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
