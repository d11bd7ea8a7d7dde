"""The numbers of this area a hospital may change (configuration rows, law 14)."""

from typing import Final

from hospital.kernel.settings_rows import Setting

KIOSK_IDLE_SECONDS: Final = Setting(
    key="window.kiosk_idle_seconds",
    label="自助机无人操作多少秒后回到首页",
    default=60,
    unit="秒",
    minimum=15,
    maximum=300,
    rule="H3",
    is_policy=True,
)
