"""Static files with hashed names, module imports included.

Our scripts are ES modules that import one another by relative path; without rewriting those
paths a browser would mix an old module from its cache with new ones after an upgrade. Django's
own switch for this reads every script, also the comments of third-party ones, so we name ours.
"""

from __future__ import annotations

from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

_IMPORT_NAMES = (
    r"""(?P<matched>import\s+(?P<names>\{[^}]*\})\s+from\s+["'](?P<url>\./[^"']+)["'];)""",
    """import %(names)s from "%(url)s";""",
)
_IMPORT_ALL = (
    r"""(?P<matched>import\s+["'](?P<url>\./[^"']+)["'];)""",
    """import "%(url)s";""",
)


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's hashed and compressed storage that also rewrites the kit's own imports."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("ui/js/*.js", (_IMPORT_NAMES, _IMPORT_ALL)),
    )
