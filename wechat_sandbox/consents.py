"""What people agreed to get as subscription messages; one consent is one message."""

from __future__ import annotations

from wechat_sandbox import templates
from wechat_sandbox.account_records import Consent
from wechat_sandbox.sandbox import Sandbox


def all_of(sandbox: Sandbox, openid: str) -> list[Consent]:
    """Everything this person ever answered."""
    return sandbox.store.all(
        Consent, "SELECT * FROM consents WHERE openid = ? ORDER BY template_id", openid
    )


def everything(sandbox: Sandbox) -> list[Consent]:
    """Everybody's consents."""
    return sandbox.store.all(Consent, "SELECT * FROM consents ORDER BY openid, template_id")


def find(sandbox: Sandbox, openid: str, template_id: str) -> Consent | None:
    """The consent of one person to one template, which may be used up."""
    return sandbox.store.one(
        Consent,
        "SELECT * FROM consents WHERE openid = ? AND template_id = ?",
        openid,
        template_id,
    )


def give(sandbox: Sandbox, openid: str, template_id: str, *, permanent: bool = False) -> None:
    """One message more, or any number."""
    template = templates.find(sandbox, template_id)
    lasting = permanent or (template is not None and template.permanent)
    sandbox.store.run(
        "INSERT INTO consents (openid, template_id, sends_left, permanent, changed_at)"
        " VALUES (?, ?, 1, ?, ?) ON CONFLICT (openid, template_id) DO UPDATE SET"
        " sends_left = sends_left + 1, permanent = max(permanent, excluded.permanent),"
        " changed_at = excluded.changed_at",
        openid,
        template_id,
        int(lasting),
        sandbox.clock.now(),
    )


def take_back(sandbox: Sandbox, openid: str, template_id: str) -> None:
    """Nothing more of this template."""
    sandbox.store.run(
        "DELETE FROM consents WHERE openid = ? AND template_id = ?", openid, template_id
    )


def use(sandbox: Sandbox, openid: str, template_id: str) -> bool:
    """Take one consent for a message; False when there is none."""
    return bool(
        sandbox.store.run(
            "UPDATE consents SET sends_left = sends_left - (NOT permanent)"
            " WHERE openid = ? AND template_id = ? AND (permanent OR sends_left > 0)",
            openid,
            template_id,
        )
    )
