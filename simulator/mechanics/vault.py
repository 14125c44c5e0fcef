"""The vault's rules on the values of one path: the twin of `contracts/gold_vault.vy`.

The locked profit is kept by source: what a report adds or takes stays labelled until it
reaches the share price, so the change of the share price is the exact sum of what its sources
released. Amounts are ounces, times days. Functions take values and return values, as in
`mechanics.lending`.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.jit import inlined

INTEREST, POOL_FEES, VAULT_FEES, BAD_DEBT, EXPLOIT, IMPERMANENT = range(6)
"""Numbers of the sources of the share price's change, in the order of `BySource`."""


class Vault(NamedTuple):
    """State of one vault; everything starts at 0.

    `locked` is the profit that has not reached the share price yet, as of today; it ends on
    `unlock_end_day`.
    """

    idle: float
    shares: float
    lending_debt: float
    pool_debt: float
    locked: float
    unlock_end_day: float


class BySource(NamedTuple):
    """Ounces, or ounces per share, by source of the share price's change."""

    interest: float
    pool_fees: float
    vault_fees: float
    bad_debt: float
    exploit: float
    impermanent: float


class Report(NamedTuple):
    """A strategy's result since its last report; fees as shares, 1 = 100 %, for the time.

    `change` is the strategy's change of value; `charged` what the management fee is taken of
    (the debt before the report), `management` the fee's share for the days since then.
    """

    change: float
    performance: float
    charged: float
    management: float


@inlined
def total_assets(vault: Vault) -> float:
    """Return idle ounces and what the strategies owed at their last reports."""
    return vault.idle + vault.lending_debt + vault.pool_debt


@inlined
def share_price(vault: Vault) -> float:
    """Return free assets per share, one while there are no shares."""
    price = (total_assets(vault) - vault.locked) / vault.shares
    return price if vault.shares > 0.0 else 1.0


@inlined
def shares_per_ounce(vault: Vault) -> float:
    """Return shares per free asset, one while there are no shares."""
    shares = vault.shares / (total_assets(vault) - vault.locked)
    return shares if vault.shares > 0.0 else 1.0


@inlined
def scale(amounts: BySource, factor: float) -> BySource:
    """Return the amounts times `factor`."""
    return BySource(
        amounts.interest * factor,
        amounts.pool_fees * factor,
        amounts.vault_fees * factor,
        amounts.bad_debt * factor,
        amounts.exploit * factor,
        amounts.impermanent * factor,
    )


@inlined
def add(left: BySource, right: BySource) -> BySource:
    """Return the sums of two amounts by source."""
    return BySource(
        left.interest + right.interest,
        left.pool_fees + right.pool_fees,
        left.vault_fees + right.vault_fees,
        left.bad_debt + right.bad_debt,
        left.exploit + right.exploit,
        left.impermanent + right.impermanent,
    )


@inlined
def kept_share(vault: Vault, since_day: float, day: float) -> float:
    """Return the share of the profit locked on `since_day` that is still locked on `day`."""
    span = vault.unlock_end_day - since_day
    left = 1.0 - (day - since_day) / span
    left = left if left > 0.0 else 0.0
    left = left if span > 0.0 else 0.0
    return left if vault.locked > 0.0 and day > since_day else 1.0


@inlined
def unlock(
    vault: Vault, buffer: BySource, since_day: float, day: float
) -> tuple[Vault, BySource, BySource]:
    """Release the locked profit up to `day`, linearly to its end.

    Parameters
    ----------
    buffer : BySource, ounces
        The locked profit by source; it sums to `vault.locked`.

    Returns
    -------
    vault, buffer
    released : BySource, ounces per share
        What reached the share price.
    """
    kept = kept_share(vault, since_day, day)
    released = scale(buffer, (1.0 - kept) / vault.shares if kept < 1.0 else 0.0)
    return (
        with_locked(vault, vault.locked * kept, vault.unlock_end_day),
        scale(buffer, kept),
        released,
    )


@inlined
def with_locked(vault: Vault, locked: float, unlock_end_day: float) -> Vault:
    """Return the vault with another locked profit and end."""
    return Vault(
        vault.idle,
        vault.shares,
        vault.lending_debt,
        vault.pool_debt,
        locked,
        unlock_end_day,
    )


@inlined
def charge(terms: Report) -> tuple[float, float]:
    """Return a report's fee, and the change of value that it leaves.

    fee = max(change, 0) * performance + charged * management

    The one place where fees are worked out: `report` books a single report, and the model may
    book several at once.
    """
    gain = terms.change if terms.change > 0.0 else 0.0
    fee = gain * terms.performance + terms.charged * terms.management
    net = terms.change - fee
    return fee, net


@inlined
def days_left(vault: Vault, day: float) -> float:
    """Return how long the profit that is locked on `day` goes on unlocking."""
    left = vault.unlock_end_day - day
    return left if left > 0.0 else 0.0


@inlined
def waiting(ounce_days: float, net: float, unlock_days: float) -> float:
    """Return the ounces times days of a locked profit to which a gain of `net` is added.

    Over the ounces they are the days that all of it then takes to unlock.
    """
    return ounce_days + net * unlock_days


@inlined
def report(
    vault: Vault, buffer: BySource, result: BySource, terms: Report, day: float, unlock_days: float
) -> tuple[Vault, BySource, BySource]:
    """Book a strategy's result since its last report; the caller then updates its debt.

    Fees are paid in shares worth the fee after the report. `unlock` must have been called for
    the day.

    Parameters
    ----------
    result : BySource, ounces
        The strategy's gains and losses; they sum to `terms.change`.

    Returns
    -------
    vault, buffer, released
        As in `unlock`; the vault's new shares are the fees'.
    """
    fee, net = charge(terms)
    locked = vault.locked + net
    keeps = locked > 0.0 and unlock_days > 0.0
    waits = waiting(vault.locked * days_left(vault, day), net, unlock_days)
    end = day + waits / locked if keeps and net > 0.0 else vault.unlock_end_day
    locked = locked if keeps else 0.0
    assets = total_assets(vault) + terms.change
    minted = fee * vault.shares / (assets - locked - fee)
    minted = minted if fee > 0.0 else 0.0
    buffer = add(buffer, result)
    buffer = add(buffer, BySource(0.0, 0.0, -fee, 0.0, 0.0, 0.0))
    released = scale(buffer, 0.0 if keeps else 1.0 / vault.shares)
    buffer = scale(buffer, 1.0 if keeps else 0.0)
    after = Vault(
        vault.idle,
        vault.shares + minted,
        vault.lending_debt,
        vault.pool_debt,
        locked,
        end,
    )
    return after, buffer, released
