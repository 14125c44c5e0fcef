"""The gold vault: deposit a gold token, earn interest, pool fees and emissions.

Where things are, in the order in which a new fee or term would touch them

    terms.py       what a scenario says, with bounds (no wider than the contract's own)
    drivers.py     what comes from outside: demand, flows, rewards, the intruder (kernel: draws.py)
    state.py       the terms as numbers, the sources of return, acts and observables by column
    kernel.py      the days of WIDTH paths side by side: lanes.py are the rows, cohorts.py and
                   borrowers.py the loans, stages.py and managers.py the vault's day, moves.py
                   redemptions, holder.py the measured holder's value and his way out
    paths.py       from terms and drivers to his paths; daily.py for portfolios that hold parts
    model.py       `draw` and `play`, as the protocol asks
    player.py      the same path on a chain, on contracts.py; stagecraft.py casts it, custody.py
                   trades its shares
    page.py        what the report says

The contract is `contracts/gold_vault.vy`; `simulator/mechanics/vault.py` is the twin of its
reports, fees and unlocking, `mechanics/lending.py` that of its market. A loop of plain Python in
`tests/instruments/gold_vault/vault_oracle.py` does the same and is compared with the kernel.
"""

from simulator.instruments.card import Instrument
from simulator.instruments.gold_vault.gas import HOLDER_GAS
from simulator.instruments.gold_vault.terms import GoldVaultTerms

_ROOM = "simulator.instruments.gold_vault"
GOLD_VAULT = Instrument(
    kind="gold_vault",
    about="a vault (ERC-4626) that lends gold tokens and pays emissions on top",
    terms=GoldVaultTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.stagecraft:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (GOLD_VAULT,)
