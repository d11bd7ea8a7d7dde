"""Pictures of codes as SVG: QR (what a clerk's scanner or another phone reads) and Code 128."""

from __future__ import annotations

from itertools import groupby

import qrcode

QUIET = 4
QUIET_BARS = 10
# Code 128, ISO/IEC 15417: widths of bar, space, bar, space, bar, space for each of
# the values 0 to 105, six digits a value.
_WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231"
    "113222123122123221223211221132221231213212223112312131311222321122321221312212322112322211"
    "212123212321232121111323131123131321112313132113132311211313231113231311112133112331132131"
    "113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111"
    "314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211"
    "241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214"
    "211232"
)
_START_PAIRS = 105
_STOP = "2331112"
_CHECK = 103


def qr(text: str) -> str:
    """A QR code of medium correction as one SVG path, with its quiet zone."""
    code = qrcode.QRCode(border=QUIET, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(_runs(row, y) for y, row in enumerate(rows))
    return _svg(len(rows), len(rows), path, 'shape-rendering="crispEdges"')


def bars(digits: str) -> str:
    """Code 128 (set C) of an even number of digits; ValueError for anything else."""
    if not digits or len(digits) % 2 or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("an even number of digits")
    at, path = QUIET_BARS, ""
    for width, is_bar in widths(digits):
        if is_bar:
            path += f"M{at} 0h{width}v40h-{width}z"
        at += width
    return _svg(at + QUIET_BARS, 40, path, 'preserveAspectRatio="none"')


def widths(digits: str) -> list[tuple[int, bool]]:
    """Modules of every bar (True) and space (False) of the code, from left to right."""
    pairs = [int(digits[place : place + 2]) for place in range(0, len(digits), 2)]
    check = (_START_PAIRS + sum(place * pair for place, pair in enumerate(pairs, 1))) % _CHECK
    values = (_START_PAIRS, *pairs, check)
    text = "".join(_WIDTHS[6 * value : 6 * value + 6] for value in values) + _STOP
    return [(int(width), place % 2 == 0) for place, width in enumerate(text)]


def _runs(row: list[bool], y: int) -> str:
    path, x = "", 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            path += f"M{x} {y}h{length}v1h-{length}z"
        x += length
    return path


def _svg(width: int, height: int, path: str, extra: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" {extra} aria-hidden="true" focusable="false">'
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path d="{path}"/></svg>'
    )
