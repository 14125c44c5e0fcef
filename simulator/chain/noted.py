"""What an EVM was asked, to be asked again with nothing around it: what the EVM alone takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request of pyrevm's EVM: the method, and what it was given."""

    method: str
    args: tuple[Any, ...]
    named: dict[str, Any]


class Noted:
    """An EVM of pyrevm that notes what it is asked."""

    def __init__(self, evm: Any) -> None:
        self._evm, self.asked = evm, list[Asked]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._evm, name)
        if not callable(found):
            return found

        def ask(*args: object, **named: object) -> object:
            self.asked.append(Asked(name, args, named))
            return found(*args, **named)

        self.__dict__[name] = ask  # found at once from now on
        return ask

    def seconds_alone(self, evm: Any, clock: Callable[[], float]) -> float:
        """Return the seconds that a fresh EVM takes for the same, one after the other."""
        bound = [(one.method, getattr(evm, one.method), one.args, one.named) for one in self.asked]
        checkpoints: list[Any] = []
        began = clock()
        for name, method, args, named in bound:
            if name == "snapshot":
                checkpoints.append(method())
            elif name == "revert":
                method(checkpoints.pop())
            else:
                method(*args, **named)
        return clock() - began
