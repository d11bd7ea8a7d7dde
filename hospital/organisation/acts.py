"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "organisation",
    {
        "save_campus": "保存院区",
        "save_department": "保存科室",
        "save_location": "保存地点",
        "save_practitioner": "保存医护人员",
        "save_role": "保存医生任职",
        "save_photo": "更换医生照片",
        "assign_practitioner": "调整医护人员所在科室",
    },
)
