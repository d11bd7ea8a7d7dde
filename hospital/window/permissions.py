"""Who may open the window's page; what may be done there is asked for act by act."""

from hospital.kernel.permissions import Permission

USE_WINDOW = Permission(
    code="window.use",
    label="打开挂号窗口",
    roles=("registration_clerk", "outpatient_office"),
)
