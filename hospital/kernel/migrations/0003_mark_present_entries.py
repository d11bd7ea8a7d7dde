"""Take over the audit trail of the first version: check its seals, mark its rows, seal anew.

The first version chained rows without a key. What it wrote is checked by its own formula; then each
row gets a mark, which attests how it stood at the moment of the upgrade, and the old seals give way
to keyed ones, which the job writes within a minute.
"""

import hashlib
import json

from django.db import migrations

_TABLES = ("kernel_auditentry", "kernel_auditseal")


def take_over(apps, schema_editor):
    entries = apps.get_model("kernel", "AuditEntry").objects.order_by("pk")
    if not entries.exists():
        return
    from hospital.kernel.audit import marks

    seals = apps.get_model("kernel", "AuditSeal").objects
    check(entries, list(seals.order_by("through_id")))
    with schema_editor.connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for entry in entries.iterator():
            entry.person_id = person_of(entry)
            entry.mac = marks.mark(entry)
            cursor.execute(
                "UPDATE kernel_auditentry SET person_id = %s, mac = %s WHERE id = %s",
                [entry.person_id, entry.mac, entry.pk],
            )
        cursor.execute("DELETE FROM kernel_auditseal")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def check(entries, seals):
    """The first version's formula, once more. Stops the upgrade where it does not come out."""
    digest, after = "", 0
    for seal in seals:
        for entry in entries.filter(pk__gt=after, pk__lte=seal.through_id).iterator():
            row = [
                digest,
                entry.pk,
                entry.act,
                entry.subject_type,
                entry.subject_id,
                entry.by,
                entry.at.isoformat(),
                entry.before,
                entry.after,
                entry.reason,
                entry.request_id,
            ]
            digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        if digest != seal.digest:
            raise ValueError(f"audit trail: seal {seal.pk} (through {seal.through_id}) is broken")
        after = seal.through_id


def person_of(entry):
    if entry.subject_type == "patients.patient":
        return entry.subject_id
    found = entry.after.get("patient_id")
    return found if isinstance(found, int) else None


class Migration(migrations.Migration):
    dependencies = [("kernel", "0002_mark_the_audit_trail")]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop, elidable=True)]
