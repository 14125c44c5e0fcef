"""The public development accounts: what Anvil derives from its well-known test mnemonic.

Only the addresses are here, those of the default path in order. No key is needed: Anvil sends for
anybody whom it is told to, the in-process EVM asks for none.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from simulator.errors import ChainUnavailable

ZERO_ADDRESS = "0x" + "0" * 40


@cache
def _table() -> tuple[str, ...]:
    text = (files("simulator.chain") / "accounts.txt").read_text(encoding="ascii")
    return tuple(text.split())


def development_account(index: int) -> str:
    """Return the address number `index` of the development mnemonic, lower case.

    Raises
    ------
    ChainUnavailable
        There is no such number here.
    """
    if index >= len(_table()):
        raise ChainUnavailable(
            f"the stage has {len(_table())} accounts; this scenario needs more: name fewer "
            "instruments or portfolios"
        )
    return _table()[index]


DEVELOPMENT_ACCOUNTS = tuple(development_account(index) for index in range(32))
"""The first 32: a node that Assay starts holds these unlocked and rich."""
