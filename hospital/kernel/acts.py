"""What audited acts are called in Chinese. Each area declares its own in its file `acts.py`.

An act is "area.verb_noun"; the audit search and "who looked at my record" show its label.
"""

from collections.abc import Mapping

_labels: dict[str, str] = {}


def declare(area: str, labels: Mapping[str, str]) -> None:
    """Name the acts of an area: {"save_staff": "保存员工账号"}."""
    for act, label in labels.items():
        known = _labels.setdefault(f"{area}.{act}", label)
        if known != label:
            raise ValueError(f"act {area}.{act} is declared twice")


def label(act: str) -> str:
    """The act in Chinese; its code where a former version named it."""
    return _labels.get(act, act)


def all_acts() -> dict[str, str]:
    """Every declared act and its label, by code."""
    return {act: _labels[act] for act in sorted(_labels)}


declare("kernel", {"set_configuration": "修改参数", "run_failed_again": "重新执行失败任务"})
