"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "interop",
    {
        "open_partner": "登记外部平台",
        "change_partner": "修改外部平台的额度和权限",
        "switch_partner": "停用或启用外部平台",
        "make_secret": "发放平台密钥",
        "end_secret": "作废平台密钥",
        "book": "外部平台预约",
        "cancel": "外部平台退号",
    },
)
