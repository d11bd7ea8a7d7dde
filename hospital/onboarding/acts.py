"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "onboarding",
    {
        "export_workbook": "导出基础数据",
        "import_workbook": "导入基础数据",
    },
)
