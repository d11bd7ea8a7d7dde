"""Addresses of the catalogue: the prices finance decides about."""

from django.urls import path

from hospital.catalogue.views import staff as views

staff = [
    path("prices/", views.prices, name="catalogue-prices"),
    path("prices/decide/", views.decide, name="catalogue-decide"),
]
