"""Second factor, log-ins, networks a role is used from, passwords that are used up."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import hospital.kernel.sealed


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0004_widen_access'),
    ]

    operations = [
        migrations.CreateModel(
            name='NetworkRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=40)),
                ('networks', models.CharField(blank=True, max_length=500)),
                ('set_by', models.CharField(max_length=40)),
                ('set_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='PasswordUsed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', hospital.kernel.sealed.SealedCharField()),
                ('confirmed_at', models.DateTimeField()),
                ('last_counter', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='StaffSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.GenericIPAddressField()),
                ('device', models.CharField(blank=True, max_length=80)),
                ('began_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_by', models.CharField(blank=True, max_length=40)),
                ('how', models.CharField(blank=True, choices=[('logged_out', '本人退出'), ('again', '在同一浏览器重新登录'), ('own', '本人在别处结束'), ('forced', '安全管理员结束'), ('password', '密码已更换'), ('factor', '动态口令已重置'), ('roles', '管理员岗位变动'), ('switched_off', '账号停用'), ('expired', '长时间未用')], max_length=12)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='loginattempt',
            name='identity_attempt_outcome',
        ),
        migrations.AlterField(
            model_name='loginattempt',
            name='outcome',
            field=models.CharField(choices=[('failed', '失败'), ('half', '密码正确，未完成第二步'), ('succeeded', '成功'), ('throttled', '超过次数'), ('unlocked', '人工解锁')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='loginattempt',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['failed', 'half', 'succeeded', 'throttled', 'unlocked'])), name='identity_attempt_outcome'),
        ),
        migrations.AddIndex(
            model_name='networkrule',
            index=models.Index(fields=['role', '-id'], name='identity_network_rule_role'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='networkrule',
            trigger=pgtrigger.compiler.Trigger(name='identity_network_rule_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1349818d91ae0130e677a4be32d62a772d109a37', operation='UPDATE OR DELETE', pgid='pgtrigger_identity_network_rule_kept_337c1', table='identity_networkrule', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='passwordused',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='recoverycode',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recovery_codes', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='secondfactor',
            name='account',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_factor', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='staffsession',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='passwordused',
            index=models.Index(fields=['account', '-id'], name='identity_password_used'),
        ),
        migrations.AddConstraint(
            model_name='recoverycode',
            constraint=models.UniqueConstraint(fields=('account', 'digest'), name='identity_recovery_code_once'),
        ),
        migrations.AddIndex(
            model_name='staffsession',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['account'], name='identity_session_open'),
        ),
        migrations.AddIndex(
            model_name='staffsession',
            index=models.Index(fields=['account', '-began_at'], name='identity_session_history'),
        ),
        migrations.AddConstraint(
            model_name='staffsession',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by', ''), ('how', '')), models.Q(('ended_at__isnull', False), ('how__in', ['logged_out', 'again', 'own', 'forced', 'password', 'factor', 'roles', 'switched_off', 'expired']), models.Q(('ended_by', ''), _negated=True)), _connector='OR'), name='identity_session_end'),
        ),
    ]
