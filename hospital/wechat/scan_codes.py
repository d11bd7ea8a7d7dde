"""Words of the cashier-scan product, common to v2 and v3: the order, and what error codes mean.

Only codes that certainly mean "nothing was charged" count as a no. ORDERPAID, OUT_TRADE_NO_USED and
INVALID_REQUEST do not: after a lost answer they speak of the very payment we ask about.
"""

from dataclasses import dataclass, field

from hospital.wechat.outcomes import ScanRefused

CODE_LENGTH = 18

# Spelling differs between products and years, so codes are compared without underscores.
PAYING = frozenset({"USERPAYING", "SYSTEMERROR", "BANKERROR"})
DEFINITE = frozenset(
    {
        "AUTHCODEEXPIRE",
        "AUTHCODEEXPIRED",
        "AUTHCODEERROR",
        "AUTHCODEINVALID",
        "NOTENOUGH",
        "NOTSUPORTCARD",
        "NOTSUPPORTCARD",
        "ORDERCLOSED",
        "ORDERREVERSED",
        "BUYERMISMATCH",
        "TRADEERROR",
        # Refused before anything was tried: an account or a field of ours is wrong.
        "APPIDMCHIDNOTMATCH",
        "APPIDNOTEXIST",
        "LACKPARAMS",
        "MCHIDNOTEXIST",
        "MCHNOTEXISTS",
        "NOAUTH",
        "PARAMERROR",
        "SIGNERROR",
        "XMLFORMATERROR",
    }
)

NOT_CONNECTED = ScanRefused(
    code="NOT_CONNECTED", message="暂时连不上微信支付，没有收款，请稍后再试。"
)


@dataclass(frozen=True, kw_only=True)
class ScanOrder:
    """A charge against the code on a patient's phone. The code is single use and never logged.

    `client_ip` and `device_id` name the cashier's machine.
    """

    out_trade_no: str
    auth_code: str = field(repr=False)
    total_fen: int
    description: str
    client_ip: str
    device_id: str


def word(code: str) -> str:
    """One spelling per error code."""
    return code.replace("_", "").upper()


def is_definite(code: str) -> bool:
    """Whether this code says for certain that nothing was charged."""
    return word(code) in DEFINITE


def is_pay_code(text: str) -> bool:
    """Whether this can be WeChat's payment code: 18 digits that start with 10 to 15."""
    return (
        len(text) == CODE_LENGTH and text.isascii() and text.isdigit() and "10" <= text[:2] <= "15"
    )
