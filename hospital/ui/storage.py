"""Static files with hashed names, module imports included.

Our scripts are ES modules that import one another by relative path; without rewriting those
paths a browser would mix an old module from its cache with new ones after an upgrade.
"""

from __future__ import annotations

from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's hashed and compressed storage that also rewrites `import … from`."""

    support_js_module_import_aggregation = True
