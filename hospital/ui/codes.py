"""Bar codes and QR codes as inline SVG, drawn by the server: no script, no image request.

Code 128 (ISO/IEC 15417), code set B for text and C for runs of digits, is what the hospital's
hand scanners read. Quiet zones are inside the picture. Both are black on white in every theme,
because scanners need that.
"""

from __future__ import annotations

from itertools import pairwise

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

START_B, START_C, TO_B, TO_C, STOP = 104, 105, 100, 99, 106
QUIET_MODULES = 10
_MODULUS = 103
# Bar and space widths of the symbol values 0-105 (the standard's table), six digits a value; the
# stop pattern at the end has a seventh.
_WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132"
    "122231113222123122123221223211221132221231213212223112312131311222321122321221312212"
    "322112322211212123212321232121111323131123131321112313132113132311211313231113231311"
    "112133112331132131113123113321133121313121211331231131213113213311213131311123311321"
    "331121312113312311332111314111221411431111111224111422121124121421141122141221112214"
    "112412122114122411142112142211241211221114413111241112134111111242121142121241114212"
    "124112124211411212421112421211212141214121412121111143111341131141114113114311411113"
    "4113111131411141313111414111312114122112142112322331112"
)
_WIDTHS_A_VALUE = 6


def symbol_values(text: str) -> list[int]:
    """Return the Code 128 values of printable ASCII text, with start, checksum and stop.

    Raises ValueError for empty text or characters outside code set B.
    """
    if not text or any(not " " <= character <= "~" for character in text):
        raise ValueError("Code 128 takes printable ASCII text")
    values: list[int] = []
    position, in_digits = 0, None
    while position < len(text):
        run = _digits_from(text, position)
        wants_digits = run >= (2 if run == len(text) else 4) or bool(in_digits and run >= 2)
        if wants_digits != in_digits:
            values.append(_switch(first=in_digits is None, digits=wants_digits))
            in_digits = wants_digits
        if wants_digits:
            values.append(int(text[position : position + 2]))
            position += 2
        else:
            values.append(ord(text[position]) - 32)
            position += 1
    weighted = sum(max(index, 1) * value for index, value in enumerate(values))
    return [*values, weighted % _MODULUS, STOP]


def bars(text: str) -> list[tuple[int, int]]:
    """Return the bars of the code as (start, width) in modules, quiet zone left of the first."""
    found: list[tuple[int, int]] = []
    position = QUIET_MODULES
    for value in symbol_values(text):
        for index, width in enumerate(widths(value)):
            if index % 2 == 0:
                found.append((position, width))
            position += width
    return found


def barcode_svg(text: str) -> SafeString:
    """Return the bar code as an SVG figure with its text, spaced in fours, underneath."""
    drawn = bars(text)
    last_start, last_width = drawn[-1]
    path = "".join(f"M{start} 0h{width}v40h-{width}z" for start, width in drawn)
    spaced = " ".join(text[index : index + 4] for index in range(0, len(text), 4))
    return format_html(
        '<figure class="x-code x-barcode"><svg viewBox="0 0 {} 40" role="img" aria-label="条形码"'
        ' preserveAspectRatio="none" shape-rendering="crispEdges"><path d="{}"/></svg>'
        "<figcaption>{}</figcaption></figure>",
        last_start + last_width + QUIET_MODULES,
        path,
        spaced,
    )


def qr_svg(text: str, *, label: str) -> SafeString:
    """Return a QR code (error correction M) as an SVG figure."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    rows: list[list[bool]] = code.get_matrix()
    path = "".join(
        f"M{start} {y}h{end - start}v1h-{end - start}z"
        for y, row in enumerate(rows)
        for start, end in _runs(row)
    )
    return format_html(
        '<figure class="x-code x-qr"><svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}"'
        ' shape-rendering="crispEdges"><path d="{2}"/></svg></figure>',
        len(rows),
        label,
        path,
    )


def widths(value: int) -> list[int]:
    """Return the bar and space widths of a symbol value, in modules."""
    start = value * _WIDTHS_A_VALUE
    end = None if value == STOP else start + _WIDTHS_A_VALUE
    return [int(digit) for digit in _WIDTHS[start:end]]


def _digits_from(text: str, position: int) -> int:
    end = position
    while end < len(text) and text[end].isdigit():
        end += 1
    return end - position


def _switch(*, first: bool, digits: bool) -> int:
    if first:
        return START_C if digits else START_B
    return TO_C if digits else TO_B


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Return the dark stretches of a row as (start, end)."""
    edges = [
        index + 1
        for index, (left, right) in enumerate(pairwise([False, *row, False]))
        if left != right
    ]
    starts = [edge - 1 for edge in edges]
    return list(zip(starts[::2], starts[1::2], strict=True))
