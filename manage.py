#!/usr/bin/env python
"""Django's command line; starts the embedded PostgreSQL when no DATABASE_URL is set."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    from hospital.config import embedded

    embedded.ensure_database_url()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
