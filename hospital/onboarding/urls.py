"""Addresses of the master-data pages."""

from django.urls import path

from hospital.onboarding.views import photos, records, workbook

_ROW = "master/<slug:slug>/row/<str:address>"

staff = [
    path("master/", records.start, name="onboarding-start"),
    path("master/workbook/", workbook.start, name="onboarding-workbook"),
    path("master/workbook/export/", workbook.export, name="onboarding-export"),
    path("master/workbook/empty/", workbook.empty, name="onboarding-empty"),
    path("master/workbook/upload/", workbook.upload, name="onboarding-upload"),
    path("master/workbook/<int:upload_id>/", workbook.preview, name="onboarding-preview"),
    path(
        "master/workbook/<int:upload_id>/carry-out/",
        workbook.carry_out,
        name="onboarding-carry-out",
    ),
    path("master/workbook/<int:upload_id>/drop/", workbook.drop, name="onboarding-drop"),
    path(
        "master/practitioners/row/<str:address>/photo/", photos.save, name="onboarding-photo-save"
    ),
    path(
        "master/practitioners/row/<str:address>/photo/remove/",
        photos.remove,
        name="onboarding-photo-remove",
    ),
    path("master/<slug:slug>/", records.rows, name="onboarding-rows"),
    path("master/<slug:slug>/new/", records.new, name="onboarding-new"),
    path("master/<slug:slug>/options/", records.options, name="onboarding-options"),
    path(f"{_ROW}/", records.edit, name="onboarding-row"),
    path(f"{_ROW}/save/", records.save, name="onboarding-save"),
    path(f"{_ROW}/off/", records.off, name="onboarding-off"),
    path(f"{_ROW}/on/", records.on, name="onboarding-on"),
    path(f"{_ROW}/history/", records.history, name="onboarding-history"),
]

public = [
    path("photo/<slug:digest>/", photos.photo, name="onboarding-photo"),
]
