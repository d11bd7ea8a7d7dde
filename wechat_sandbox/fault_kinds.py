"""Every kind of fault there is: its name, the moment it strikes at, and what it does there.

The product that owns a moment carries the fault out; `faults` only keeps which ones are waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Point(StrEnum):
    """The moments at which the program looks for faults."""

    REQUEST = "request"  # an API call came in, nothing has happened yet
    ANSWER = "answer"  # it was carried out (2xx), the answer has not left
    SIGNATURE = "signature"  # the answer is about to be signed
    NOTICE = "notice"  # a notification is about to be queued
    ATTEMPT = "attempt"  # a notification is about to be sent
    SCAN = "scan"  # a good payment code is about to be charged
    REVERSE = "reverse"  # a scanned order is about to be reversed
    REFUND = "refund"  # a valid refund is about to be accepted
    REFUND_END = "refund_end"  # an accepted refund is about to be carried out
    BILL = "bill"  # a bill of a past day was asked for
    BILL_ROWS = "bill_rows"  # a trade bill is about to be written
    BILL_FILE = "bill_file"  # a bill's file is about to be handed out
    TOKEN = "token"  # noqa: S105 - an API token was found valid
    MESSAGE = "message"  # a valid message is about to reach a phone
    ISSUE = "issue"  # a new API token is about to be handed out
    TOKEN_ASKED = "token_asked"  # noqa: S105 - somebody asks for an API token
    ACCOUNT_CALL = "account_call"  # a call to api.weixin.qq.com was read, nothing has happened yet
    CODE = "code"  # a log-in or phone number code is about to be exchanged
    RESULT = "result"  # an accepted message is about to be put on the phone
    INBOUND = "inbound"  # a message or event for the merchant's server is about to be queued
    CALLBACK = "callback"  # it is about to be sent
    SMS = "sms"  # a valid text message is about to be accepted


@dataclass(frozen=True)
class Kind:
    """`counts_copies`: `times` says how many copies one notice gets, not how often to strike.

    `lasts`: strikes until the reset when nobody says how often.
    """

    name: str
    point: Point
    says: str
    seconds: float = 0.0
    counts_copies: bool = False
    lasts: bool = False


PAY: tuple[Kind, ...] = (
    Kind("http_500", Point.REQUEST, "answer 500 SYSTEM_ERROR, do nothing"),
    Kind("http_429", Point.REQUEST, "answer 429 FREQUENCY_LIMITED, do nothing"),
    Kind("http_502", Point.REQUEST, "answer 502 with a page of HTML, do nothing"),
    Kind("http_503", Point.REQUEST, "answer 503 with a page of HTML, do nothing"),
    Kind(
        "connection_reset",
        Point.REQUEST,
        "carry out, reset the connection in mid-answer; value `before`: reset at once, do nothing",
    ),
    Kind("slow", Point.REQUEST, "carry out and answer late", seconds=4.9),
    Kind(
        "timeout_after_success",
        Point.ANSWER,
        "carry out, keep silent for `seconds`, then drop the connection",
        seconds=30.0,
    ),
    Kind("response_bad_signature", Point.SIGNATURE, "answer with a signature of other bytes"),
    Kind("response_stale", Point.SIGNATURE, "sign `seconds` ago", seconds=3600.0),
    Kind("response_unsigned", Point.SIGNATURE, "answer without a signature"),
    Kind("response_wrong_serial", Point.SIGNATURE, "name a platform key nobody has"),
    Kind("response_swapped_key", Point.SIGNATURE, "sign with the other platform key"),
    Kind("response_changed_amount", Point.SIGNATURE, "change the amount after signing"),
    Kind("notify_lost", Point.NOTICE, "never send this notice"),
    Kind("notify_delay", Point.NOTICE, "send it only after `seconds`", seconds=5.0),
    Kind("notify_dup", Point.NOTICE, "send `times` copies in turn", counts_copies=True),
    Kind("notify_concurrent", Point.NOTICE, "send `times` copies at once", counts_copies=True),
    Kind("notify_bad_signature", Point.ATTEMPT, "sign this attempt over other bytes"),
    Kind("notify_bad_signtest", Point.ATTEMPT, "sign this attempt as WeChat's probe"),
    Kind("notify_bad_stale", Point.ATTEMPT, "sign this attempt `seconds` ago", seconds=3600.0),
    Kind("notify_bad_serial", Point.ATTEMPT, "name a platform key nobody has"),
    Kind("notify_truncated", Point.ATTEMPT, "send half of the JSON, signed as such"),
    Kind("notify_wrong_amount", Point.NOTICE, "tell `value` fen, or one yuan more than true"),
    Kind("notify_wrong_key", Point.NOTICE, "seal it with another APIv3 key"),
    Kind("notify_other_merchant", Point.NOTICE, "tell another merchant's mchid"),
    Kind(
        "notify_unknown_order",
        Point.NOTICE,
        "send one more notice, of a paid order the merchant never placed; value `absent`: which"
        " WeChat does not know either",
    ),
    Kind(
        "refund_before_payment",
        Point.NOTICE,
        "hold the payment notice until a refund of it has been told, `seconds` at most",
        seconds=86_400.0,
    ),
    Kind("userpaying", Point.SCAN, "USERPAYING until the payer decides"),
    Kind(
        "userpaying_then_success",
        Point.SCAN,
        "USERPAYING, paid after `seconds`",
        seconds=25.0,
    ),
    Kind(
        "userpaying_late_success",
        Point.SCAN,
        "USERPAYING, paid after `seconds` or at the moment of the reversal, which gives it back",
        seconds=35.0,
    ),
    Kind("scan_code_expired", Point.SCAN, "AUTHCODEEXPIRE, nothing is charged"),
    Kind("scan_not_enough", Point.SCAN, "NOTENOUGH, nothing is charged"),
    Kind("scan_error_then_paid", Point.SCAN, "SYSTEMERROR, paid after `seconds`", seconds=5.0),
    Kind("reverse_again", Point.REVERSE, "SYSTEMERROR with recall=Y, nothing is done"),
    Kind("refund_not_enough", Point.REFUND, "403 NOT_ENOUGH, no refund is made"),
    Kind("refund_not_found", Point.REFUND, "404 RESOURCE_NOT_EXISTS, no refund is made"),
    Kind("refund_abnormal", Point.REFUND_END, "end ABNORMAL: the payer's card is gone"),
    Kind("refund_closed", Point.REFUND_END, "end CLOSED: failed for good"),
    Kind("refund_stuck", Point.REFUND_END, "stay PROCESSING until told otherwise"),
)
BILLS: tuple[Kind, ...] = (
    Kind("bill_not_ready", Point.BILL, "400 STATEMENT_CREATING"),
    Kind("bill_none", Point.BILL, "400 NO_STATEMENT_EXIST"),
    Kind("bill_missing_row", Point.BILL_ROWS, "leave out the row of `value`, or the first"),
    Kind(
        "bill_extra_row", Point.BILL_ROWS, "add a payment of 88 yuan nobody knows, numbered `value`"
    ),
    Kind(
        "bill_changed_amount", Point.BILL_ROWS, "add one yuan to the row of `value`, or the first"
    ),
    Kind("bill_duplicate_row", Point.BILL_ROWS, "write the row of `value`, or the first, twice"),
    Kind("bill_refund_processing", Point.BILL_ROWS, "show the refund of `value` as PROCESSING"),
    Kind("bill_comma_in_name", Point.BILL_ROWS, "commas in the product name of `value`"),
    Kind("bill_bad_hash", Point.BILL, "the hash of another file"),
    Kind("bill_token_expired", Point.BILL_FILE, "400 INVALID_REQUEST, the link is over"),
    Kind("bill_bad_gzip", Point.BILL_FILE, "a broken compressed file"),
)
ACCOUNT: tuple[Kind, ...] = (
    Kind("token_invalid", Point.TOKEN, "revoke the token and answer 40001"),
    Kind("user_blocked", Point.MESSAGE, "answer 43019, the phone gets nothing"),
    # the account's side: tokens, messages, codes, callbacks, SMS
    Kind("token_invalid_forever", Point.TOKEN, "answer 40001 to every token", lasts=True),
    Kind("token_expired", Point.TOKEN, "let the token end now and answer 42001"),
    Kind("token_early_expiry", Point.ISSUE, "promise 7200 s, keep `seconds`", seconds=60.0),
    Kind("slow_token", Point.TOKEN_ASKED, "hand the token out late", seconds=4.9),
    Kind("busy", Point.ACCOUNT_CALL, "answer -1, do nothing"),
    Kind("quota_45009", Point.ACCOUNT_CALL, "answer 45009, do nothing"),
    Kind("errcode", Point.ACCOUNT_CALL, "answer the errcode in `value`, do nothing"),
    Kind("not_following", Point.MESSAGE, "answer 43004, the phone gets nothing"),
    Kind("no_consent", Point.MESSAGE, "answer 43101, the phone gets nothing"),
    Kind("bad_field", Point.MESSAGE, "answer 47003, the phone gets nothing"),
    Kind("code_expired", Point.CODE, "answer 40029, the code is lost"),
    Kind("result_user_block", Point.RESULT, "accept, then report failed:user block"),
    Kind("result_system_failed", Point.RESULT, "accept, then report failed: system failed"),
    Kind("callback_dup", Point.INBOUND, "send `times` copies, same MsgId", counts_copies=True),
    Kind("callback_unknown_type", Point.INBOUND, "MsgType or Event nobody has heard of"),
    Kind("callback_bad_signature", Point.CALLBACK, "sign this attempt with another token"),
    Kind("callback_wrong_appid", Point.CALLBACK, "send another account's message"),
    Kind("callback_entity_bomb", Point.CALLBACK, "send XML that unfolds to gigabytes"),
    Kind("callback_truncated", Point.CALLBACK, "cut the message, sign what is left of it"),
    Kind("callback_huge", Point.CALLBACK, "send a body of `value` bytes, 10 MB when not said"),
    Kind("callback_stale", Point.CALLBACK, "stamp it `seconds` ago", seconds=3600.0),
    Kind("sms_500", Point.SMS, "answer 500, send nothing"),
    Kind("sms_refused", Point.SMS, "answer 422 number_refused, send nothing"),
)
KINDS = {kind.name: kind for kind in (*PAY, *BILLS, *ACCOUNT)}
COPIES_WHEN_NOT_SAID = {"notify_dup": 2, "notify_concurrent": 20, "callback_dup": 3}
