"""Addresses of scheduling."""

from django.urls import path

from hospital.scheduling.views import patient as pages
from hospital.scheduling.views.staff import (
    batch,
    calendar,
    holidays,
    leaves,
    needs,
    prices,
    proposals,
    releases,
    roster_steps,
    rosters,
    session,
    shares,
    stop_requests,
)

patient = [
    path("departments/", pages.departments, name="scheduling-departments"),
    path("departments/<slug:code>/", pages.sessions, name="scheduling-sessions"),
    path("doctors/<slug:code>/", pages.doctor, name="scheduling-doctor"),
    path("sessions/<int:schedule_id>/times/", pages.bands, name="scheduling-bands"),
]

staff = [
    path("numbers/", calendar.calendar, name="scheduling-numbers"),
    path("numbers/batch/", batch.batch, name="scheduling-batch"),
    path("numbers/releases/", releases.releases, name="scheduling-releases"),
    path("numbers/prices/", prices.prices, name="scheduling-prices"),
    path("numbers/shares/", shares.shares, name="scheduling-shares"),
    path("numbers/<int:schedule_id>/", session.session, name="scheduling-session"),
    path("numbers/<int:schedule_id>/bands/", session.change_bands, name="scheduling-session-bands"),
    path("numbers/<int:schedule_id>/shares/", session.share, name="scheduling-session-shares"),
    path("numbers/<int:schedule_id>/numbers/", session.withhold, name="scheduling-session-numbers"),
    path("numbers/<int:schedule_id>/room/", session.move_room, name="scheduling-session-room"),
    path("holidays/", holidays.year, name="scheduling-holidays"),
    path("holidays/change/", holidays.change, name="scheduling-holidays-change"),
    path("holidays/fill/", holidays.fill, name="scheduling-holidays-fill"),
    path("numbers/<int:schedule_id>/ask-stop/", stop_requests.ask, name="scheduling-ask-stop"),
    path(
        "stop-requests/<int:request_id>/refuse/",
        stop_requests.refuse,
        name="scheduling-stop-refuse",
    ),
    path(
        "stop-requests/<int:request_id>/withdraw/",
        stop_requests.withdraw,
        name="scheduling-stop-withdraw",
    ),
    path("leaves/", leaves.leaves, name="scheduling-leaves"),
    path("leaves/new/", leaves.new, name="scheduling-leave-new"),
    path("leaves/<int:leave_id>/", leaves.leave, name="scheduling-leave"),
    path("leaves/<int:leave_id>/approve/", leaves.approve, name="scheduling-leave-approve"),
    path("leaves/<int:leave_id>/refuse/", leaves.refuse, name="scheduling-leave-refuse"),
    path("leaves/<int:leave_id>/withdraw/", leaves.withdraw, name="scheduling-leave-withdraw"),
    path("rosters/", rosters.overview, name="scheduling-rosters"),
    path("rosters/<slug:code>/<str:monday>/", rosters.week, name="scheduling-roster"),
    path(
        "rosters/<slug:code>/<str:monday>/open/", rosters.open_week, name="scheduling-roster-open"
    ),
    path("roster/<int:roster_id>/cell/", roster_steps.cell, name="scheduling-roster-cell"),
    path("roster/<int:roster_id>/step/", roster_steps.step, name="scheduling-roster-step"),
    path("roster/<int:roster_id>/fill/", roster_steps.bulk, name="scheduling-roster-bulk"),
    path("roster/<int:roster_id>/changes/", rosters.changes, name="scheduling-roster-changes"),
    path("roster/<int:roster_id>/advance/", rosters.advance, name="scheduling-roster-advance"),
    path("roster/<int:roster_id>/decide/", rosters.decide, name="scheduling-roster-decide"),
    path("proposals/<slug:code>/", proposals.department, name="scheduling-proposals"),
    path("proposals/<slug:code>/needs/", needs.needs, name="scheduling-needs"),
    path("proposals/<slug:code>/needs/save/", needs.save, name="scheduling-needs-save"),
    path("proposals/<slug:code>/needs/remove/", needs.remove, name="scheduling-needs-remove"),
    path("proposals/<slug:code>/needs/fill/", needs.from_templates, name="scheduling-needs-fill"),
    path("proposal/<int:proposal_id>/", proposals.proposal, name="scheduling-proposal"),
    path("proposal/<int:proposal_id>/take/", proposals.take, name="scheduling-proposal-take"),
    path("proposal/<int:proposal_id>/drop/", proposals.drop, name="scheduling-proposal-drop"),
]
