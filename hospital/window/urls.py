"""Addresses of the window."""

from django.urls import path

from hospital.window.views import booking, desk, shift

staff = [
    path("window/", desk.desk, name="window-desk"),
    path("window/shift/", shift.shift, name="window-shift"),
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
