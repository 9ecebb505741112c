"""The kinds of layers by name, of which a network loads those that it has."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from netcalc.layers.base import Layer


class Registry(Mapping[str, type[Layer]]):
    """Classes of layers by kind, each imported when it is first asked for, so that start-up stays short."""

    def __init__(self, places: dict[str, str]) -> None:
        """`places` gives each kind the module in this room and the class in it: "convolution.Conv"."""
        self.places = places
        self._loaded: dict[str, type[Layer]] = {}

    def __getitem__(self, kind: str) -> type[Layer]:
        if kind not in self._loaded:
            module, name = self.places[kind].split(".")
            self._loaded[kind] = getattr(import_module(f"netcalc.layers.{module}"), name)
        return self._loaded[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, kind: object) -> bool:
        return kind in self.places
