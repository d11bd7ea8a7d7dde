"""Pages of the window (staff) and of the kiosk (a machine that logged in once)."""
