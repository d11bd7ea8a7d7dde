"""Payments of the first issue were each for one bill: the same facts, in their new places."""

from django.db import migrations

FILL = """
    INSERT INTO payments_allocation (payment_id, bill_id, amount_fen, is_live)
        SELECT id, bill_id, amount_fen, true FROM payments_payment ORDER BY id;
    UPDATE payments_payment SET received_fen = amount_fen WHERE succeeded_at IS NOT NULL;
    UPDATE payments_refund SET bill_id = payment.bill_id
        FROM payments_payment payment WHERE payment.id = payments_refund.payment_id;
    UPDATE payments_paymentcase SET kind = 'refund_closed'
        FROM payments_refund refund
        WHERE refund.id = payments_paymentcase.refund_id AND refund.status = 'closed'
        AND kind = 'refund_abnormal' AND closed_at IS NULL;
    UPDATE payments_paymentcase SET kind = 'unknown_refund'
        WHERE kind = 'unknown_order' AND payment_id IS NULL AND closed_at IS NULL
        AND detail !~ '^transaction ';
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_allocate_payments")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
