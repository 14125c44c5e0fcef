"""What the pool's model is told, what it says was done, and what is observed of it."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.units import BPS, FloatArray, StepArray

SOURCES = (
    Source("pool_fees", "organic", "Pool fees"),
    Source("impermanent_loss", "market", "Impermanent loss"),
    Source("gold_price", "market", "Gold price"),
    Source("token_premium", "market", "Token premium over gold"),
    Source("custodian_shortfall", "loss", "Custodian shortfall", ends_income=True),
    Source("sale_spread", "cost", "Spread when selling the token"),
    Source("gas", "cost", "Transaction costs"),
)
FEES, LOSS, GOLD_PRICE, PREMIUM, SHORTFALL, SPREAD, GAS = range(len(SOURCES))
N_SOURCES = len(SOURCES)

ARBITRAGEUR_SOURCES = (
    Source("arbitrage", "organic", "Arbitrage"),
    Source("gas", "cost", "Transaction costs"),
)


class Act(IntEnum):
    """Columns of the record of what is paid in on a step; ounces and USDC, zero for no trade."""

    ARBITRAGE_GOLD = 0
    ARBITRAGE_USDC = 1
    NOISE_USDC = 2
    NOISE_GOLD = 3


class Observed(IntEnum):
    """Columns of what both engines observe at the end of a step; ounces and USDC.

    KEPT_GOLD, KEPT_USDC : reserves right after the arbitrage
    GOLD, USDC, SHARES : reserves and shares
    OWN_GOLD, OWN_USDC : the arbitrageur's, less what he began with
    """

    KEPT_GOLD = 0
    KEPT_USDC = 1
    GOLD = 2
    USDC = 3
    SHARES = 4
    OWN_GOLD = 5
    OWN_USDC = 6


N_ACTS, N_OBSERVED = len(Act), len(Observed)


class Numbers(NamedTuple):
    """The terms as numbers.

    reserve_ounces : gold of the other providers at the start
    holder_usdc : of the measured provider, half of it for gold
    keep : one less the fee of a trade
    sale_spread : share of the token's price that selling it costs
    capital_usd : what the arbitrageur begins with
    gas_enter_usd, gas_leave_usd, gas_arbitrage_usd : cost of transactions
    """

    reserve_ounces: float
    holder_usdc: float
    keep: float
    sale_spread: float
    capital_usd: float
    gas_enter_usd: float
    gas_leave_usd: float
    gas_arbitrage_usd: float


class DriverArrays(NamedTuple):
    """What happens from outside; (n_steps + 1, n_paths), float64, n_paths a multiple of LANES.

    metal_usdc, token_usdc : USDC per ounce, USDC per token
    backing : ounces behind a token
    premium : log gap between the token and what backs it
    volume_usdc : what noise traders trade on a day
    imbalance : their purchases less their sales over that, -1 to 1
    leaving : shares with which other providers leave, or (0, 0)
    visit_gold, visit_shares, visit_fees : as in `base.PoolVisits`, or (0, 0) without a visitor
    gas_times : (n_steps + 1,), what gas costs on each step over the scenario's own price
    """

    metal_usdc: FloatArray
    token_usdc: FloatArray
    backing: FloatArray
    premium: FloatArray
    volume_usdc: FloatArray
    imbalance: FloatArray
    leaving: FloatArray
    visit_gold: FloatArray
    visit_shares: FloatArray
    visit_fees: FloatArray
    gas_times: FloatArray


class Results(NamedTuple):
    """What the kernel writes; (n_steps + 1, n_paths), float64, USDC unless said otherwise.

    What is not asked for has no steps, and is left alone.

    mark, leave : the provider's deposit at mark and at exit
    value : of the whole pool
    fees, loss : what fees and impermanent loss brought the whole pool up to a step
    profit : the arbitrageur's up to a step, before gas
    traded : how often the arbitrageur has traded up to a step
    attribution : (N_SOURCES, n_paths)
        The provider's gains by source, the exit at the horizon included.
    gains : (N_SOURCES, n_steps + 1, n_paths), or (N_SOURCES, 0, 0)
        Those up to each step, the exit at the horizon left out.
    events : (n_paths,), int64
        Days on which the custodian's gold was found to be missing.
    acts : (n_steps + 1, n_paths, N_ACTS), or (0, 0, N_ACTS), columns of `Act`
    observed : (n_steps + 1, n_paths, N_OBSERVED), or (0, 0, N_OBSERVED), columns of `Observed`
    """

    mark: FloatArray
    leave: FloatArray
    value: FloatArray
    fees: FloatArray
    loss: FloatArray
    profit: FloatArray
    traded: FloatArray
    attribution: FloatArray
    gains: FloatArray
    events: StepArray
    acts: FloatArray
    observed: FloatArray


def new_numbers(
    terms: GoldPoolTerms, gas: Gas, holder_usdc: float, sale_spread_bps: float
) -> Numbers:
    """Return the terms in the form the kernel reads."""
    return Numbers(
        reserve_ounces=terms.reserve_ounces,
        holder_usdc=float(holder_usdc),
        keep=1.0 - terms.fee_ppm / 1e6,
        sale_spread=sale_spread_bps / BPS,
        capital_usd=terms.arbitrage.capital_usd,
        gas_enter_usd=gas.usd("enter"),
        gas_leave_usd=gas.usd("leave"),
        gas_arbitrage_usd=gas.usd("arbitrage"),
    )
