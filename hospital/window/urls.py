"""Addresses of the window and of the kiosk."""

from django.urls import path

from hospital.window.views import booking, desk, emergency, shift
from hospital.window.views import kiosk as machine

staff = [
    path("window/", desk.desk, name="window-desk"),
    path("window/shift/", shift.shift, name="window-shift"),
    path("window/emergency/<slug:number>/slip/", emergency.slip, name="window-emergency-slip"),
    path(
        "window/emergency/<slug:number>/print/",
        emergency.print_slip,
        name="window-emergency-print",
    ),
    path("window/person/<str:number>/", desk.person, name="window-person"),
    path("window/person/<str:number>/book/", desk.book, name="window-book"),
    path("window/booking/<slug:number>/", booking.booking, name="window-booking"),
    path("window/booking/<slug:number>/pay/", booking.pay, name="window-pay"),
    path("window/booking/<slug:number>/code/", booking.show_code, name="window-code"),
    path("window/booking/<slug:number>/code/stop/", booking.stop, name="window-code-stop"),
    path("window/booking/<slug:number>/ask/", booking.ask, name="window-ask"),
    path("window/booking/<slug:number>/state/", booking.state, name="window-state"),
    path("window/booking/<slug:number>/collect/", booking.hand_over, name="window-collect"),
    path("window/booking/<slug:number>/reprint/", booking.reprint, name="window-reprint"),
    path("window/booking/<slug:number>/slip/", booking.slip, name="window-slip"),
    path("window/booking/<slug:number>/cancel/", booking.cancel, name="window-cancel"),
    path("window/booking/<slug:number>/cash-back/", booking.cash_back, name="window-cash-back"),
]
kiosk = [
    path("", machine.start, name="window-kiosk-start"),
    path("visit/<slug:token>/", machine.visit, name="window-kiosk-visit"),
    path("visit/<slug:token>/end/", machine.end, name="window-kiosk-end"),
    path("visit/<slug:token>/departments/", machine.departments, name="window-kiosk-departments"),
    path(
        "visit/<slug:token>/departments/<str:code>/", machine.numbers, name="window-kiosk-numbers"
    ),
    path("visit/<slug:token>/book/", machine.book, name="window-kiosk-book"),
    path("visit/<slug:token>/booking/<slug:number>/", machine.booking, name="window-kiosk-booking"),
    path("visit/<slug:token>/booking/<slug:number>/pay/", machine.pay, name="window-kiosk-pay"),
    path(
        "visit/<slug:token>/booking/<slug:number>/state/", machine.state, name="window-kiosk-state"
    ),
    path(
        "visit/<slug:token>/booking/<slug:number>/collect/",
        machine.collect,
        name="window-kiosk-collect",
    ),
    path(
        "visit/<slug:token>/booking/<slug:number>/check-in/",
        machine.check_in,
        name="window-kiosk-check-in",
    ),
    path("visit/<slug:token>/booking/<slug:number>/drop/", machine.drop, name="window-kiosk-drop"),
    path("visit/<slug:token>/booking/<slug:number>/slip/", machine.slip, name="window-kiosk-slip"),
]
