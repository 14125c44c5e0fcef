"""The loans' contracts on the stage: dollars, feeds, the market and a desk, and who has what."""

from __future__ import annotations

from typing import NamedTuple

from simulator.chain import Call, Contract
from simulator.instruments.stage import UNLIMITED, Stage
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.units import FEED_DECIMALS, SECONDS_PER_DAY, USDC_DECIMALS, to_wei

FEED_MAX_AGE = 2 * SECONDS_PER_DAY

FLASH_USDC = 10**9
"""Dollars that each borrower has for the second in which he repays, releases and sells."""
PLENTY_USDC = 10**12
OTHERS_COVER = 25.0
"""Tokens that other borrowers lock, over what all supplied dollars would need: more than one over
the share of the first price (`book.LOWEST_SHARE`) below which they stand still."""
DESK_TOKENS = 1_000_000


class LoanContracts(NamedTuple):
    """What there is on the stage; `feed` is what the market reads, `price` what the desk does."""

    token: Contract
    usdc: Contract
    usdc_feed: Contract
    feed: Contract
    price: Contract
    market: Contract
    desk: Contract


def deploy_contracts(stage: Stage, terms: TokenLoanTerms) -> LoanContracts:
    """Create all of them but the token and its metal's feed, which stand already."""
    keeper, usdc = stage.roles.keeper, stage.deploy("usdc")
    token = stage.contract("token", terms.token)
    usdc_feed = stage.deploy("price_feed", FEED_DECIMALS, "USDC / USD", keeper, name="usdc_feed")
    price = stage.deploy("price_feed", FEED_DECIMALS, "token / USD", keeper, name="token_feed")
    if terms.price == "exchange":
        title = "token / USD on one exchange"
        feed = stage.deploy("price_feed", FEED_DECIMALS, title, keeper, name="exchange_feed")
    else:
        feed = stage.contract("metal_feed", terms.token)
    pool = terms.pool
    ratios = (
        *pool.curve,
        pool.reserve_factor,
        pool.max_ltv,
        pool.liquidation_threshold,
        pool.liquidation_penalty,
    )
    parts = (token, usdc, feed, usdc_feed, FEED_MAX_AGE, stage.roles.treasury)
    market = stage.deploy("lending_market", *parts, *(to_wei(ratio, 18) for ratio in ratios))
    desk = stage.deploy("desk", usdc, keeper, FEED_MAX_AGE, usdc_feed)
    listing = (token, price, terms.swap_spread_bps)
    stage.send(desk.call("list_token", *listing, sender=stage.roles.owner))
    return LoanContracts(token, usdc, usdc_feed, feed, price, market, desk)


def gifts(stage: Stage, found: LoanContracts, dollars: dict[str, int]) -> list[Call]:
    """Return what hands out dollars, in USDC's unit by account, and stocks the desk."""
    owner = stage.roles.owner
    mint = found.usdc.call("configureMinter", owner, UNLIMITED, sender=owner)
    plenty = to_wei(float(PLENTY_USDC), USDC_DECIMALS)
    dollars = {**dollars, found.desk.address: plenty, stage.roles.keeper: plenty}
    return [
        mint,
        *(found.usdc.call("mint", who, usd, sender=owner) for who, usd in dollars.items()),
    ]


def allowances(stage: Stage, found: LoanContracts) -> list[Call]:
    """Return every allowance but those of supplier and borrowers, who approve as they enter."""
    roles = stage.roles
    wanted = [
        (found.usdc, found.market, roles.crowd),
        (found.usdc, found.market, roles.keeper),
        (found.token, found.desk, roles.keeper),
        (found.usdc, found.market, roles.others),
        (found.token, found.market, roles.others),
    ]
    return [token.call("approve", whom, UNLIMITED, sender=who) for token, whom, who in wanted]
