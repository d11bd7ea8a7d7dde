from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0003_fill_allocations'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='payment',
            name='bill',
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('received_fen__gt', 0), ('status__in', ['fully_refunded', 'partially_refunded', 'succeeded', 'succeeded_unapplied']), ('succeeded_at__isnull', False), models.Q(('transaction_id', ''), _negated=True)), models.Q(models.Q(('status__in', ['fully_refunded', 'partially_refunded', 'succeeded', 'succeeded_unapplied']), _negated=True), ('received_fen__isnull', True), ('succeeded_at__isnull', True), ('transaction_id', '')), _connector='OR'), name='payment_received_has_proof'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'succeeded'), _negated=True), ('received_fen', models.F('amount_fen')), _connector='OR'), name='payment_applied_is_the_order'),
        ),
    ]
