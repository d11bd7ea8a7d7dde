"""What a JSON body must look like: the subset of JSON Schema our description uses, checked here.

The same dictionary stands in the OpenAPI description and judges the body, so the two cannot part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Shape = Mapping[str, Any]
_TYPES: Final[dict[str, tuple[type, str]]] = {
    "object": (dict, "对象"),
    "array": (list, "数组"),
    "string": (str, "文本"),
}


def faults(shape: Shape, value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every place where a value is not of a shape: FHIRPath and a Chinese sentence."""
    if "const" in shape and value != shape["const"]:
        yield path, f"应为 {shape['const']}。"
        return
    wanted = shape.get("type")
    if wanted is not None:
        kind, word = _TYPES[wanted]
        if not isinstance(value, kind):
            yield path, f"应为{word}。"
            return
    if isinstance(value, str):
        yield from _text_faults(shape, value, path)
    elif isinstance(value, list):
        yield from _list_faults(shape, value, path)
    elif isinstance(value, dict):
        yield from _object_faults(shape, value, path)


def _text_faults(shape: Shape, value: str, path: str) -> Iterator[tuple[str, str]]:
    if "enum" in shape and value not in shape["enum"]:
        yield path, f"应为 {'、'.join(shape['enum'])} 之一。"
    elif not shape.get("minLength", 0) <= len(value) <= shape.get("maxLength", 10_000):
        yield path, f"长度应为 {shape.get('minLength', 0)} 到 {shape['maxLength']}。"
    elif "pattern" in shape and not re.search(shape["pattern"], value, re.ASCII):
        yield path, "格式不正确。"


def _list_faults(shape: Shape, value: list[object], path: str) -> Iterator[tuple[str, str]]:
    least, most = shape.get("minItems", 0), shape.get("maxItems", 100)
    if not least <= len(value) <= most:
        yield path, f"应有 {least} 到 {most} 项。" if least != most else f"应恰有 {least} 项。"
        return
    for place, item in enumerate(value):
        yield from faults(shape.get("items", {}), item, f"{path}[{place}]")


def _object_faults(shape: Shape, value: dict[str, object], path: str) -> Iterator[tuple[str, str]]:
    known = shape.get("properties", {})
    for name in shape.get("required", ()):
        if name not in value:
            yield f"{path}.{name}", "缺少必填项。"
    for name, item in value.items():
        if known.get(name) is False:
            yield f"{path}.{name}", "不支持这一项。"
        elif name in known:
            yield from faults(known[name], item, f"{path}.{name}")
        elif shape.get("additionalProperties") is False:
            yield f"{path}.{name}", "不支持这一项。"
