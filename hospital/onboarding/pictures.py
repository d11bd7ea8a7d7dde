"""A portrait out of whatever picture somebody uploads: square, small, without metadata.

The picture is decoded and drawn anew, so nothing of the file survives but what one can see.
"""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from hospital.kernel.errors import Invalid

MOST_BYTES: Final = 5_000_000
MOST_PIXELS: Final = 40_000_000
SIDE: Final = 400
_SMALLEST_SIDE: Final = 120
_MOST_KEPT_BYTES: Final = 40_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITIES: Final = (88, 80, 70, 60, 50, 40, 30, 20, 10)
# What a damaged or hostile file makes the decoder raise.
_DAMAGE: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
)


def portrait(content: bytes) -> bytes:
    """The picture as a JPEG of at most 40 KB and 400 × 400 px. Raises Invalid under "photo"."""
    if not content:
        raise _refused("请选择一张照片。")
    if len(content) > MOST_BYTES:
        raise _refused(f"照片太大：最多 {MOST_BYTES // 1_000_000} MB。")
    return _packed(_square(_decoded(content)))


def _decoded(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                # The header tells the size before a single pixel takes memory.
                if picture.width * picture.height > MOST_PIXELS:
                    raise _refused("照片的像素太多，请缩小后再上传。")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return upright.convert("RGBA")
    except _DAMAGE as damage:
        raise _refused("照片无法读取，请换一张 JPEG、PNG 或 WebP 照片。") from damage


def _square(picture: Image.Image) -> Image.Image:
    """Cut to the middle, heads rather than feet, on white where it was transparent."""
    if min(picture.size) < _SMALLEST_SIDE:
        raise _refused(f"照片太小：长和宽都至少要 {_SMALLEST_SIDE} 像素。")
    side = min(SIDE, *picture.size)
    cut = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.3))
    plain = Image.new("RGB", cut.size, "white")
    plain.paste(cut, mask=cut.getchannel("A"))
    return plain


def _packed(picture: Image.Image) -> bytes:
    packed = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        packed = out.getvalue()
        if len(packed) <= _MOST_KEPT_BYTES:
            return packed
    raise _refused("照片的细节太多，压缩后仍然太大，请换一张。")


def _refused(sentence: str) -> Invalid:
    return Invalid({"photo": [sentence]})
