"""Give bookings from before the names were kept those their department, doctor and 号别 have now."""

from django.db import migrations

_FILL = """
    UPDATE registration_appointment booked SET
        department_name = department.name,
        doctor_name = coalesce(doctor.name, ''),
        title = coalesce(doctor.title, ''),
        service_name = service.name
    FROM scheduling_schedule schedule
        JOIN organisation_department department ON department.id = schedule.department_id
        JOIN catalogue_servicetype service ON service.id = schedule.service_type_id
        LEFT JOIN organisation_practitioner doctor ON doctor.id = schedule.practitioner_id
    WHERE schedule.id = booked.schedule_id AND booked.department_name = ''
"""


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0002_keep_names"),
        ("organisation", "0001_initial"),
        ("catalogue", "0001_initial"),
        ("scheduling", "0001_initial"),
    ]
    operations = [migrations.RunSQL(_FILL, migrations.RunSQL.noop)]
