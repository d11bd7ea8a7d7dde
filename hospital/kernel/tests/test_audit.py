"""The audit trail: who, where and whom it says, how it is sealed, and what verifying finds."""

import datetime as dt
import json
import threading
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from hospital.kernel import audit, jobs, whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.audit import marks, sealing
from hospital.kernel.audit.verifying import Fault
from hospital.kernel.logs import JsonFormatter
from hospital.kernel.models import AuditEntry, AuditSeal, AuditVerification

AT = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
SOON = AT + dt.timedelta(minutes=1)
LATER = AT + dt.timedelta(minutes=2)
CLERK = Actor("staff", 3)
KEY_1, KEY_2 = "a1:" + "B" * 43 + "=", "a2:" + "C" * 43 + "="
pytestmark = pytest.mark.django_db


def write(count: int, *, at: dt.datetime = AT) -> list[int]:
    return [
        audit.record(
            act="kernel.try",
            subject=None,
            by=CLERK,
            at=at,
            before={"n": number},
            after={"n": number + 1, "list": [1.5, 2.0], "时": "间"},
            reason=f"reason {number}",
            person_id=100 + number,
        ).pk
        for number in range(count)
    ]


def behind_the_back(sql: str, values: Sequence[Any] | None = None) -> None:
    """As a superuser of the database would: with all triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values or [])
        assert cursor.rowcount != 0, "the attack touched nothing"
        cursor.execute("SET LOCAL session_replication_role = origin")


def wrong(at: dt.datetime = LATER, anchors: audit.Anchors | None = None) -> list[str]:
    return [str(finding) for finding in audit.verify(at=at, anchors=anchors).findings]


@pytest.fixture
def sealed_trail() -> list[int]:
    """Nine rows under three seals."""
    ids = []
    for _ in range(3):
        ids += write(3)
        audit.seal_entries(at=SOON)
    assert wrong() == []
    return ids


def test_entries_written_at_once_are_marked_and_sealed_like_others() -> None:
    first = AuditEntry.objects.get(pk=write(1)[0])
    deeds = [(first, {"n": number}, {"n": number + 1}) for number in range(3)]

    audit.record_many(act="kernel.try", deeds=deeds, by=CLERK, at=AT, reason="many")
    audit.record_many(act="kernel.try", deeds=[], by=CLERK, at=AT)

    audit.seal_entries(at=SOON)
    rows = AuditEntry.objects.filter(reason="many").order_by("pk")
    assert [(row.before, row.after) for row in rows] == [({"n": n}, {"n": n + 1}) for n in range(3)]
    assert {(row.by, row.subject_id) for row in rows} == {("staff:3", first.pk)}
    assert wrong() == []


def test_an_entry_says_from_where_in_which_role_and_about_whom() -> None:
    class Bill:
        pk, patient_id = 5, 17
        _meta = AuditEntry._meta

    with whereabouts.bound(address="10.0.0.7", device="Windows · Edge 126"):
        whereabouts.take_roles(["cashier", "finance"])
        entry = audit.record(act="kernel.try", subject=Bill(), by=CLERK, at=AT)  # type: ignore[arg-type]
    entry.refresh_from_db()
    assert (entry.address, entry.device, entry.role) == (
        "10.0.0.7",
        "Windows · Edge 126",
        "cashier,finance",
    )
    assert (entry.person_id, entry.result) == (17, "done")
    outside = audit.record(act="kernel.try", subject=None, by=SYSTEM, at=AT, person_id=4)
    assert (outside.address, outside.role, outside.person_id) == ("", "", 4)


def test_an_address_or_device_too_long_for_its_column_is_cut() -> None:
    with whereabouts.bound(address="fe80::1%" + "x" * 99, device="d" * 99):
        entry = audit.record(act="kernel.try", subject=None, by=CLERK, at=AT)
    entry.refresh_from_db()
    assert (len(entry.address), len(entry.device)) == (45, 80)
    assert wrong() == []


def test_a_job_is_named_as_the_device() -> None:
    seen: list[str] = []

    def body(*, request_id: str = "") -> None:
        seen.append(whereabouts.here().device)

    jobs._tolerant(body, "kernel.jobs.try_it")(request_id="r" * 16)
    assert seen == ["kernel.jobs.try_it"]
    assert whereabouts.here().device == ""


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Windows · Edge 126",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
            " MicroMessenger/8.0.49(0x18003137) NetType/WIFI",
            "iPhone · 微信 8.0.49",
        ),
        ("Mozilla/5.0 (Macintosh) Version/17.4 Safari/605.1.15", "macOS · Safari 17"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 500 + "\n", "x" * 40),
        ("", ""),
    ],
)
def test_a_device_is_told_in_a_few_words(agent: str, words: str) -> None:
    assert whereabouts.device_of(agent) == words


def test_the_mark_covers_every_column() -> None:
    columns = {field.attname for field in AuditEntry._meta.fields}
    assert columns == {*marks.MARKED, "mac"}


CHANGES: dict[str, object] = {
    "act": "kernel.other",
    "subject_type": "patients.patient",
    "subject_id": 9,
    "person_id": 999,
    "by": "staff:4",
    "role": "finance",
    "address": "10.9.9.9",
    "device": "another",
    "at": AT + dt.timedelta(seconds=1),
    "before": json.dumps({"n": 77}),
    "after": json.dumps({}),
    "reason": "another",
    "result": "refused",
    "request_id": "f" * 16,
    "mac": "a0:" + "0" * 64,
}


def test_every_column_is_tried() -> None:
    assert set(CHANGES) == {field.attname for field in AuditEntry._meta.fields} - {"id"}


@pytest.mark.parametrize("column", sorted(CHANGES))
def test_a_changed_column_is_found(sealed_trail: list[int], column: str) -> None:
    victim = sealed_trail[4]
    behind_the_back(
        f'UPDATE kernel_auditentry SET "{column}" = %s WHERE id = %s', [CHANGES[column], victim]
    )
    assert wrong() == [f"entry {victim}: changed"]


def test_a_change_before_the_seal_is_found_too() -> None:
    (first, second) = write(2)
    behind_the_back("UPDATE kernel_auditentry SET reason = 'x' WHERE id = %s", [second])
    assert wrong() == [f"entry {second}: changed"]
    audit.seal_entries(at=SOON)  # sealing what was forged does not whitewash it
    assert wrong() == [f"entry {second}: changed"]
    assert first < second


@pytest.mark.parametrize("place", [0, 4, 8])  # first, in the middle, the newest sealed one
def test_a_removed_row_is_found(sealed_trail: list[int], place: int) -> None:
    victim = sealed_trail[place]
    behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [victim])
    assert wrong() == [f"entry {victim}: missing"]


def test_an_emptied_table_is_found(sealed_trail: list[int]) -> None:
    """Its trigger switched off, the seals still tell what there was."""
    behind_the_back("TRUNCATE kernel_auditentry")
    assert wrong() == [f"entries {first}-{first + 2}: missing" for first in sealed_trail[::3]]


def test_a_forged_row_is_found(sealed_trail: list[int]) -> None:
    """Made after a real one, with its mark, at the end and where a number was free."""
    forge = """
        INSERT INTO kernel_auditentry (id, act, subject_type, subject_id, person_id, "by", role,
            address, device, at, before, after, reason, result, request_id, mac)
        SELECT %s, act, subject_type, subject_id, person_id, "by", role, address, device, at,
            before, after, reason, result, request_id, mac FROM kernel_auditentry WHERE id = %s
    """
    end, free = sealed_trail[-1] + 1, sealed_trail[0] - 1
    behind_the_back(forge, [end, sealed_trail[2]])
    assert wrong() == [f"entry {end}: changed"]
    behind_the_back(forge, [free, sealed_trail[2]])
    assert wrong() == [f"entry {free}: changed", f"entry {end}: changed"]
    days_later = AT + dt.timedelta(days=3)
    assert f"entry {free}: inserted" in wrong(days_later)


def test_swapped_rows_are_found(sealed_trail: list[int]) -> None:
    one, other = sealed_trail[1], sealed_trail[7]
    behind_the_back("UPDATE kernel_auditentry SET id = -id WHERE id IN (%s, %s)", [one, other])
    behind_the_back("UPDATE kernel_auditentry SET id = %s WHERE id = %s", [other, -one])
    behind_the_back("UPDATE kernel_auditentry SET id = %s WHERE id = %s", [one, -other])
    assert wrong() == [f"entry {one}: changed", f"entry {other}: changed"]


@pytest.mark.parametrize(
    "change",
    [
        "entries = 2",
        "digest = repeat('0', 64)",
        "sealed_at = sealed_at + interval '1 second'",
        "late = '[1]'",
        "holes = '[[1, 2]]'",
        "key_id = 'a9'",
    ],
)
def test_a_changed_seal_is_found(sealed_trail: list[int], change: str) -> None:
    second = AuditSeal.objects.order_by("pk")[1]
    behind_the_back(f"UPDATE kernel_auditseal SET {change} WHERE id = %s", [second.pk])
    assert wrong()


def test_a_shifted_or_removed_seal_is_found(sealed_trail: list[int]) -> None:
    first, second, third = AuditSeal.objects.order_by("pk")
    behind_the_back(
        "UPDATE kernel_auditseal SET through_id = through_id + 1 WHERE id = %s", [second.pk]
    )
    assert wrong() == [f"seal {second.pk}: seal_changed", f"seal {third.pk}: seal_changed"]
    behind_the_back("DELETE FROM kernel_auditseal WHERE id = %s", [second.pk])
    assert wrong() == [f"seal {third.pk}: seal_changed"]
    assert first.pk < second.pk


def test_rows_removed_with_a_chain_made_anew_are_found(sealed_trail: list[int]) -> None:
    """Whoever knows the formula but not the key cannot make the chain fit again."""
    second = AuditSeal.objects.order_by("pk")[1]
    with override_settings(AUDIT_KEYS=KEY_1):
        second.entries, second.key_id = 2, "a0"
        with pytest.raises(marks.UnknownKey):
            marks.seal_digest(second, previous="", rows="")
    behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [sealed_trail[4]])
    behind_the_back(
        "UPDATE kernel_auditseal SET entries = 2, holes = %s WHERE id = %s",
        [json.dumps([[sealed_trail[4], sealed_trail[4]]]), second.pk],
    )
    assert wrong() == [f"seal {second.pk}: seal_changed"]


def test_a_tail_cut_off_with_its_seals_is_found(sealed_trail: list[int], tmp_path: Path) -> None:
    last = AuditSeal.objects.order_by("pk").last()
    assert last is not None
    audit.keep(audit.verify(at=SOON), at=SOON)
    behind_the_back("DELETE FROM kernel_auditentry WHERE id > %s", [sealed_trail[5]])
    behind_the_back("DELETE FROM kernel_auditseal WHERE id = %s", [last.pk])
    cut = [f"through {sealed_trail[8]}: cut"]
    assert wrong() == cut
    # The verification gone as well, only the log lines tell.
    behind_the_back("DELETE FROM kernel_auditverification")
    assert wrong() == []
    assert wrong(anchors=audit.Anchors({last.digest: last.through_id})) == cut
    lines = tmp_path / "audit.log"
    lines.write_text(
        json.dumps({"message": "request", "ms": 3})
        + "\n"
        + json.dumps({"message": "audit sealed", "through": last.through_id, "digest": last.digest})
        + "\n",
        "utf-8",
    )
    with pytest.raises(CommandError, match=rf"through {last.through_id}: cut"):
        call_command("verify_audit", anchors=lines, stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_a_row_removed_before_its_seal_is_missed_by_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Within the first minute nothing in the database tells of it; nor after the next seal."""
    caplog.set_level("INFO", "hospital.kernel.audit")
    kept, gone, also = write(3)
    with transaction.atomic():
        behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [gone])
    audit.seal_entries(at=SOON)
    with transaction.atomic():
        behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [also])
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)  # never there, so the log does not name it
    assert wrong() == [f"entry {also}: missing"]
    lines = tmp_path / "audit.log"
    said = [JsonFormatter().format(record) for record in caplog.records]
    lines.write_text("\n".join(said), "utf-8")
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", anchors=lines, stdout=StringIO())
    assert str(refusal.value).splitlines()[1:] == [
        f"entry {also}: missing",
        f"entry {gone}: missing",
    ]
    assert kept < gone < also


def test_rows_that_wait_too_long_for_a_seal_are_told() -> None:
    first, _ = write(2)
    assert wrong(AT + dt.timedelta(minutes=15)) == []
    assert wrong(AT + dt.timedelta(minutes=16)) == [f"from entry {first}: not_sealed"]
    assert audit.verify(at=SOON).unsealed == 2


@pytest.mark.django_db(transaction=True)
def test_what_a_long_transaction_wrote_is_sealed_late() -> None:
    """Its number was taken long ago; when it can be seen, the next seal covers it."""
    taken, go_on, slow = threading.Event(), threading.Event(), list[int]()

    def work() -> None:
        try:
            with transaction.atomic():
                slow.extend(write(1))
                taken.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    write(1)
    worker = threading.Thread(target=work)
    worker.start()
    assert taken.wait(10)
    write(1)
    assert audit.seal_entries(at=SOON) == 2  # waits for nobody
    assert wrong() == []
    go_on.set()
    worker.join()
    found = audit.verify(at=LATER)
    assert (found.faults, found.unsealed) == (0, 1)
    assert audit.seal_entries(at=LATER) == 1
    assert AuditSeal.objects.latest("pk").late == slow
    assert wrong(AT + dt.timedelta(days=9)) == []
    with transaction.atomic():
        behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", slow)
    assert wrong() == [f"entry {slow[0]}: missing"]


@pytest.mark.django_db(transaction=True)
def test_numbers_of_failed_transactions_are_no_fault() -> None:
    write(1)
    with transaction.atomic():
        write(3)
        transaction.set_rollback(True)
    write(1)
    assert audit.seal_entries(at=SOON) == 2
    ((first, last),) = AuditSeal.objects.get().holes[-1:]
    assert last - first == 2
    assert wrong(AT + dt.timedelta(days=9)) == []


def test_keys_rotate_and_old_rows_still_verify() -> None:
    with override_settings(AUDIT_KEYS=KEY_1):
        write(2)
        audit.seal_entries(at=SOON)
    with override_settings(AUDIT_KEYS=f"{KEY_2},{KEY_1}"):
        newer = write(2)
        audit.seal_entries(at=SOON)
        assert wrong() == []
    with override_settings(AUDIT_KEYS=KEY_2):  # the old key must be kept
        assert "unknown_key" in wrong()[0]
    assert AuditEntry.objects.get(pk=newer[0]).mac.startswith("a2:")


def test_every_fault_has_a_word_for_people() -> None:
    assert all(fault.label != fault.value for fault in Fault)


def test_the_command_says_that_all_is_well_or_fails(sealed_trail: list[int]) -> None:
    out = StringIO()
    write(1, at=dt.datetime.now(dt.UTC))
    call_command("verify_audit", stdout=out)
    assert out.getvalue().startswith("10 entries, 3 seals, 1 not sealed yet; sealed through")
    assert out.getvalue().endswith("the audit trail is sound\n")
    behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [sealed_trail[4]])
    with pytest.raises(CommandError, match=rf"entry {sealed_trail[4]}: missing"):
        call_command("verify_audit", stdout=StringIO())
    latest = audit.latest_verification()
    assert latest is not None
    assert (latest.is_sound, latest.findings) == (False, [["missing", f"entry {sealed_trail[4]}"]])


def test_a_forged_verification_is_not_believed(sealed_trail: list[int]) -> None:
    behind_the_back("DELETE FROM kernel_auditentry WHERE id = %s", [sealed_trail[4]])
    jobs.verify_audit()
    behind_the_back("UPDATE kernel_auditverification SET is_sound = true, findings = '[]'")
    latest = audit.latest_verification()
    assert latest is not None
    assert AuditVerification.objects.get().is_sound is True
    assert latest.is_sound is False


def test_verifying_asks_for_rows_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_AT_ONCE", 3)
    write(10)
    audit.seal_entries(at=SOON)
    with CaptureQueriesContext(connection) as asked:
        assert audit.verify(at=SOON).entries == 10
    portions = [one["sql"] for one in asked if "LIMIT 3" in one["sql"]]
    assert len(portions) == 5  # 3, 3, 3, 1 and none


def test_seen_by_tells_looks_of_staff_only() -> None:
    with whereabouts.bound():
        whereabouts.take_roles(["doctor"])
        audit.record(act="kernel.try", subject=None, by=CLERK, at=AT, person_id=7, reason="复诊")
    audit.record(act="kernel.try", subject=None, by=Actor("patient", 1), at=AT, person_id=7)
    audit.record(act="kernel.try", subject=None, by=CLERK, at=AT, person_id=8)
    audit.record(act="kernel.try", subject=None, by=CLERK, at=AT, person_id=7, result="refused")
    (look,) = audit.seen_by(person_id=7, since=AT - dt.timedelta(days=1))
    assert (look.account_id, look.roles, look.purpose) == (3, ("doctor",), "复诊")
    assert audit.seen_by(person_id=7, since=SOON) == []


@pytest.mark.parametrize("table", ["auditentry", "auditseal", "auditverification"])
@pytest.mark.parametrize(
    "statement", ["UPDATE kernel_{} SET id = id", "DELETE FROM kernel_{}", "TRUNCATE kernel_{}"]
)
def test_the_tables_themselves_refuse_to_change(
    sealed_trail: list[int], table: str, statement: str
) -> None:
    """For the application's own database user too, as long as it leaves the triggers alone."""
    audit.keep(audit.verify(at=SOON), at=SOON)
    with (
        pytest.raises(DatabaseError, match=f"kernel_{table}"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert (AuditEntry.objects.count(), AuditSeal.objects.count()) == (9, 3)
    assert AuditVerification.objects.count() == 1


@pytest.mark.parametrize(
    "first",
    [
        "ALTER TABLE kernel_auditentry DISABLE TRIGGER ALL",
        "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger",
    ],
)
def test_who_switches_the_triggers_off_is_found(sealed_trail: list[int], first: str) -> None:
    """The owner of the tables can; what is then done to the rows shows."""
    with connection.cursor() as cursor:
        cursor.execute(first)
        cursor.execute("UPDATE kernel_auditentry SET reason = 'x' WHERE id = %s", sealed_trail[:1])
        cursor.execute("DELETE FROM kernel_auditentry WHERE id = %s", sealed_trail[4:5])
    assert wrong() == [f"entry {sealed_trail[0]}: changed", f"entry {sealed_trail[4]}: missing"]
