"""Stands in for the engine's file of re-exports: passes its names on from the engine's own module, then puts the fixes on.

Every process of the engine imports this package, so the fixes hold in all of them. A name that the engine's module no longer has
is logged here, and reported by Python when someone asks for it, as it would be by the engine's own file.
"""

import importlib
import logging

_log = logging.getLogger("chunk_caption")

__all__ = ["VlmChunkResponse", "VlmModelType", "VlmPipeline", "VlmRequestParams"]

_engine = importlib.import_module(f"{__name__}.vlm_pipeline")


def __getattr__(name):  # noqa: ANN001, ANN202 -- as in the engine, whose types are its own
    """A name of the engine's module; versions re-export more or less of it."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(_engine, name)


_missing = [name for name in __all__ if not hasattr(_engine, name)]
if _missing:
    _log.warning(
        "the engine's vlm_pipeline has no %s; these overrides know another version", ", ".join(_missing)
    )

try:
    from chunk_caption import engine_fixes
except ImportError as fault:
    _log.warning("the fixes are off and the engine behaves as it comes: %s", fault)
else:
    engine_fixes.install(engine_fixes.imported(engine_fixes.MODULES, importlib.import_module))
