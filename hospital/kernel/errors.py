"""A rule said no. Refusals carry a stable code and a Chinese sentence for people, no HTTP code.

Subclass beside the action that raises it. Anything that is not a Refusal is a bug.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar


class Refusal(Exception):
    """A rule refused. `message` may be shown to the person; `details` help the page.

    That a member of staff was refused is audited where `is_audited` says so (X13).
    """

    code: ClassVar[str] = "REFUSED"
    default_message: ClassVar[str] = "当前操作无法完成。"
    is_audited: ClassVar[bool] = False

    def __init__(self, message: str = "", **details: object) -> None:
        self.message = message or self.default_message
        self.details = details
        super().__init__(self.message)


class NotAllowed(Refusal):
    """The person may not do this."""

    code = "NOT_ALLOWED"
    default_message = "您没有权限进行此操作。"
    is_audited = True


class NotFound(Refusal):
    """There is no such thing, or it is not this person's: the two are told apart by nobody."""

    code = "NOT_FOUND"
    default_message = "没有找到您要的内容。"


class Stale(Refusal):
    """Somebody else changed it first: look again, then decide."""

    code = "STALE"
    default_message = "内容刚刚被更新，请刷新后重试。"


class Invalid(Refusal):
    """Input does not fit. `errors` maps field names to sentences; "" is the form as a whole."""

    code = "INVALID"
    default_message = "填写的内容有误，请检查标出的项目。"

    def __init__(self, errors: Mapping[str, Sequence[str]], message: str = "") -> None:
        self.errors = {field: list(sentences) for field, sentences in errors.items()}
        super().__init__(message)

    @classmethod
    def of(cls, field: str, sentence: str) -> "Invalid":
        """One field is wrong; a page without a place beside it shows the sentence as well."""
        return cls({field: [sentence]}, sentence)


def words_of_codes() -> dict[str, str]:
    """What each code says when nobody says more, for pages that only know the code."""
    return {kind.code: kind.default_message.rstrip("。") for kind in _below(Refusal)}


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
