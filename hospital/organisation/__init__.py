"""Where care happens and who works there (floor 3).

Owns campuses, the tree of departments, locations (building … room, window), practitioners and
their roles in departments by period (H1.1). Knows nothing of schedules, fees or log-ins.
"""
