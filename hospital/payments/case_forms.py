"""Untrusted input of the desk's money pages. Forms parse; actions decide."""

from django import forms

from hospital.kernel.errors import Invalid
from hospital.payments.states import TransferWay

MOST_NOTE = 200


class NoteForm(forms.Form):
    """A sentence that says why."""

    note = forms.CharField(
        label="理由",
        max_length=MOST_NOTE,
        error_messages={"required": "请写明理由。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


BANKS = (
    ("", "请选择开户银行"),
    ("ICBC_DEBIT", "工商银行"),
    ("ABC_DEBIT", "农业银行"),
    ("BOC_DEBIT", "中国银行"),
    ("CCB_DEBIT", "建设银行"),
    ("PSBC_DEBIT", "邮储银行"),
    ("COMM_DEBIT", "交通银行"),
    ("CMB_DEBIT", "招商银行"),
)


class TransferForm(forms.Form):
    """Money that goes another way: by the hospital's bank, or by WeChat to a card of the payer."""

    way = forms.ChoiceField(
        label="怎么退",
        choices=TransferWay.choices,
        initial=TransferWay.BANK,
        widget=forms.RadioSelect,
    )
    payee = forms.CharField(
        label="收款人姓名",
        max_length=40,
        error_messages={"required": "请填写收款人姓名。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    payee_account = forms.CharField(
        label="收款银行卡号",
        max_length=40,
        error_messages={"required": "请填写收款银行卡号。"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    proof = forms.CharField(
        label="银行回单号",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    proof_file = forms.CharField(
        label="回单存放位置",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    bank_type = forms.ChoiceField(label="开户银行", choices=BANKS, required=False)
    reason = forms.CharField(
        label="说明",
        max_length=MOST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def without_card(self) -> "TransferForm":
        """Only the bank: WeChat sends nothing but an abnormal refund to a card."""
        del self.fields["bank_type"], self.fields["way"]
        return self

    def clean(self) -> dict[str, object]:
        facts: dict[str, object] = self.cleaned_data
        is_card = facts.get("way") == TransferWay.CARD
        if is_card and not facts.get("bank_type"):
            self.add_error("bank_type", "请选择开户银行。")
        if not is_card and not facts.get("proof"):
            self.add_error("proof", "请填写银行回单号：先转账，再登记。")
        return facts


class RefundForm(forms.Form):
    """Why lines of a bill are to be given back; which ones, the action checks."""

    reason = forms.CharField(
        label="退款原因",
        max_length=80,
        error_messages={"required": "请写明退款原因。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    shown_fen = forms.IntegerField(
        min_value=0, max_value=10**12, error_messages={"required": "金额无效，请核对后再提交。"}
    )
    key = forms.CharField(max_length=80)


def note_of(data: object) -> str:
    """The typed reason. Raises Invalid without one."""
    form = NoteForm(data)  # type: ignore[arg-type]
    if not form.is_valid():
        raise Invalid(
            {"note": [str(error) for error in form.errors["note"]]}, "请写明理由后再提交。"
        )
    return str(form.cleaned_data["note"])
