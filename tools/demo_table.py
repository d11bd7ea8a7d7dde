"""The table a demo prints when it is ready: addresses, and one log-in per role."""

from pathlib import Path

from tools.demo_place import Place


def text(place: Place, workbook: Path) -> str:
    """Addresses and log-ins, framed."""
    rows = [
        ("患者手机 patient phone", f"{place.sandbox_url}/"),
        ("工作站 staff desk", f"{place.url}/staff/"),
        ("健康检查 health", f"{place.url}/readyz"),
    ]
    return "\n".join(f"{name}  {value}" for name, value in rows)
