"""Untrusted input of the pay page."""

from django import forms

from hospital.kernel.errors import Invalid
from hospital.ui.typed import typed_fen

_NO_SUM = "请输入实收的元数。"


class _Shown(forms.Form):
    amount_fen = forms.IntegerField(min_value=0, max_value=10**12)


def shown_fen(data: object) -> int:
    """The amount in fen that the payer saw and confirmed. Raises Invalid."""
    form = _Shown(data)  # type: ignore[arg-type]
    if not form.is_valid():
        raise Invalid({"amount_fen": ["金额无效，请刷新页面。"]})
    return int(form.cleaned_data["amount_fen"])


def tendered_fen(text: str) -> int:
    """The notes a payer laid down, typed in yuan. Raises Invalid."""
    fen = typed_fen(text)
    if fen is None:
        raise Invalid.of("tendered", _NO_SUM)
    return fen
