"""Addresses of monitoring."""

from django.urls import path

from hospital.monitoring.views import staff as pages

staff = [
    path("monitoring/", pages.board, name="monitoring-board"),
    path("monitoring/alerts/", pages.history, name="monitoring-history"),
    path("monitoring/alerts/<int:alert_id>/", pages.alert, name="monitoring-alert"),
    path(
        "monitoring/alerts/<int:alert_id>/acknowledge/",
        pages.acknowledge,
        name="monitoring-acknowledge",
    ),
    path("monitoring/jobs/", pages.jobs, name="monitoring-jobs"),
    path("monitoring/jobs/run-again/", pages.run_again, name="monitoring-run-again"),
    path("monitoring/backups/", pages.backups, name="monitoring-backups"),
]
