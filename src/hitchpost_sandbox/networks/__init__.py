"""The twins, one file each. A module here that ends in `TWIN = Twin(...)` is a network; nobody keeps a list."""

import importlib
import pkgutil

from hitchpost_sandbox.twin import Twin


def found() -> tuple[Twin, ...]:
    """Every twin in this package, in the order of their files' names. A module without TWIN is not a network."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.TWIN for module in modules if hasattr(module, "TWIN"))


def named(module: str) -> Twin:
    """The twin in a module elsewhere (a sixth network on trial). Raises ImportError, or AttributeError when it has no TWIN."""
    twin = importlib.import_module(module).TWIN
    if not isinstance(twin, Twin):
        raise AttributeError(f"{module}.TWIN is not a Twin")
    return twin
