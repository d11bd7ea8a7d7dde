"""The product's own settings, with one address more: an empty page to measure against."""

from hospital.config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
