"""The catalog finds every adapter beside it; a new network is a new file in adapters/, nothing else."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator

from hitchpost.networks import adapters
from hitchpost.networks.base import Adapter

CONTRACT_ORDER = ("facebook", "instagram", "x", "linkedin", "pinterest")


class Catalog:
    """The networks that this installation knows, in the contract's order, further ones after it by name."""

    def __init__(self, found: Iterable[Adapter]) -> None:
        rank = {name: place for place, name in enumerate(CONTRACT_ORDER)}
        self._adapters = {one.provider: one for one in sorted(found, key=lambda a: (rank.get(a.provider, len(rank)), a.provider))}

    def __iter__(self) -> Iterator[Adapter]:
        return iter(self._adapters.values())

    def __contains__(self, provider: object) -> bool:
        return provider in self._adapters

    def __getitem__(self, provider: str) -> Adapter:
        return self._adapters[provider]

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(self._adapters)


def discover() -> Catalog:
    """Every Adapter subclass in `hitchpost.networks.adapters`, one a module."""
    found = []
    for module in pkgutil.iter_modules(adapters.__path__):
        loaded = importlib.import_module(f"{adapters.__name__}.{module.name}")
        found += [
            thing()
            for _, thing in inspect.getmembers(loaded, inspect.isclass)
            if issubclass(thing, Adapter) and not inspect.isabstract(thing) and thing.__module__ == loaded.__name__
        ]
    return Catalog(found)
