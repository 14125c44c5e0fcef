"""The vault's world as a plain loop: one path after the other, one branch after the other.

The oracle of the model's kernel, which goes through many paths at once. `path` and `world` are
records; `act` and `seen` are rows of the record that the replay reads.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from pool_leg_oracle import PoolLeg
from vault_oracle_rules import (
    BAD_DEBT,
    EXPLOIT,
    IMPERMANENT,
    INTEREST,
    N_VAULT_SOURCES,
    POOL_FEES,
    accrue,
    advance,
    borrow,
    borrows,
    close,
    deposit,
    liquidate,
    notify,
    repay,
    report,
    share_price,
    supply,
    supply_index,
    total_assets,
    unlock,
    utilisation,
    withdraw,
)

from simulator.instruments.gold_vault.gas import HOLDER_GAS
from simulator.instruments.gold_vault.moves import (
    ALLOCATION_BAND,
    MINIMUM_LOAN_USD,
    MINIMUM_OUNCES,
    ROOM_OUNCES,
    ROOM_UNITS,
    ROOM_USDC,
    ROUNDING_ROOM,
)
from simulator.instruments.gold_vault.state import (
    EMISSIONS,
    GAS,
    GOLD_PRICE,
    ILLIQUIDITY,
    N_ACTIONS,
    N_COHORTS,
    N_OBSERVED,
    N_SOURCES,
    PREMIUM,
    SHORTFALL,
    SPREAD,
    Action,
    Observed,
)
from simulator.mechanics.lending import utilisation_at
from simulator.units import BPS, DEAD_BAND


def new_world(terms, token, gas, holder_ounces):
    lending, borrowers, emissions = terms.lending, terms.borrowers, terms.emissions
    per_gas = gas.price_gwei * 1e-9 * gas.ether_usd
    curve = (lending.base_rate, lending.slope1, lending.slope2, lending.kink)
    return SimpleNamespace(
        **terms.model_dump(),
        holder_ounces=holder_ounces,
        bearable=utilisation_at(borrowers.reservation_rate, *curve),
        inertia=borrowers.inertia,
        claim_every_days=emissions.claim_every_days,
        period_days=emissions.period_days,
        slippage=emissions.slippage_bps / BPS,
        haircut=terms.illiquidity_haircut_bps / BPS,
        sale_spread=token.sale_spread_bps / BPS,
        unit=0.0 if token.decimals == 18 else 10.0**-token.decimals,
        **{f"gas_{act}_usd": used * per_gas for act, used in HOLDER_GAS.items()},
    )


def zeros(names):
    return SimpleNamespace(**dict.fromkeys(names.split(), 0.0))


def new_path(terms):
    path = zeros(
        "crowd_shares holder_shares reward_per_share_paid rewards_unclaimed rewards_earned "
        "sold_tokens gas_tokens income_tokens mark_tokens bad_debt_pending events unpaid "
        "bad_debt_usd liquidated_usd"
    )
    state = zeros("cash total_scaled_debt shares treasury_shares accrued_day")
    path.market = SimpleNamespace(**vars(state), **terms.lending.model_dump(), borrow_index=1.0)
    path.vault = zeros(
        "idle shares fee_shares lending_debt lending_shares lending_reported_day pool_debt "
        "pool_reported_day locked locked_day unlock_end_day"
    )
    path.vault.performance_fee_bps = terms.performance_fee_bps
    path.vault.management_fee_bps = terms.management_fee_bps
    path.vault.unlock_days = terms.profit_unlock_days
    path.staking = zeros("rate_per_day period_end_day updated_day staked reward_per_share carried")
    return path


def run(terms, token, gas, drivers, holder_ounces, k, pool=None):
    """Return path `k`: a record with events, unpaid, mark, exit, attribution, acts and seen.

    `pool` are its pool's terms, what its measured provider puts in, and gas by act in dollars.
    """
    world = new_world(terms, token, gas, holder_ounces)
    path = new_path(terms)
    path.pool = None if pool is None else PoolLeg(*pool, world.sale_spread)
    prices = drivers.prices
    n_steps = prices.metal_usd.shape[0] - 1
    path.mark, path.exit = np.empty((2, n_steps + 1))
    path.acts = np.zeros((n_steps + 1, N_ACTIONS))
    path.seen = np.zeros((n_steps + 1, N_OBSERVED))
    path.attribution = np.zeros((2, N_SOURCES))
    scaled_debt, collateral = np.zeros((2, N_COHORTS))
    buffer, released = np.zeros((2, N_VAULT_SOURCES))
    yesterday = np.zeros(4)
    targets = ("LENDING_TARGET", "POOL_TARGET", "EXPLOIT_LENDING_TARGET", "EXPLOIT_POOL_TARGET")
    for step in range(n_steps + 1):
        columns = (prices.metal_usd, prices.token_usd, prices.backing, np.exp(prices.premium))
        today = np.array([column[step, k] for column in columns])
        if step > 0:
            attribute_prices(path.attribution, path.mark_tokens, today, yesterday)
        path.traded = (
            (drivers.volume_usdc[step, k], drivers.imbalance[step, k]) if pool else (0.0, 0.0)
        )
        path.price = today[1]
        act = path.acts[step]
        for target in targets:
            act[Action[target]] = np.nan
        path.exit[step] = one_day(
            path,
            world,
            scaled_debt,
            collateral,
            buffer,
            released,
            terms.borrowers.ltv_ladder,
            float(step),
            float(drivers.exploit_step[k]),
            float(n_steps),
            drivers.demand_ounces[step, k],
            drivers.flow[step, k],
            drivers.reward_usd[step, k],
            drivers.reward_tokens[step],
            today,
            path.attribution,
            act,
        )
        path.mark[step] = path.mark_tokens
        observe(path, scaled_debt, collateral, today[0], path.exit[step], path.seen[step])
        yesterday = today
    return path


def floor_to(amount, unit):
    return np.floor(amount / unit) * unit if unit > 0.0 else amount


def with_room(amount, unit):
    room = ROUNDING_ROOM * amount + ROOM_OUNCES + ROOM_UNITS * unit
    return max(0.0, floor_to(amount - room, unit))


def usdc_down(amount):
    return np.floor(amount * 1000000.0) / 1000000.0


def usdc_up(amount):
    return np.ceil(amount * 1000000.0) / 1000000.0


def releasable(collateral_usdc, world, gold_usd):
    room = ROOM_USDC + ROUNDING_ROOM * collateral_usdc + ROOM_UNITS * world.unit * gold_usd
    return max(0.0, usdc_down(collateral_usdc - room))


def lending_value(path):
    return path.vault.lending_shares * supply_index(path.market)


def lending_liquid(path):
    claim = min(path.vault.lending_debt, lending_value(path))
    return max(0.0, min(claim, path.market.cash))


def liquid(path):
    return path.vault.idle + lending_liquid(path) + pool_liquid(path)


def pool_liquid(path):
    if path.pool is None:
        return 0.0
    return path.pool.payable(path.price, path.vault.pool_debt)


def pull(path, ounces):
    from_idle = min(path.vault.idle, ounces)
    from_lending = min(ounces - from_idle, lending_liquid(path))
    from_pool = min(ounces - from_idle - from_lending, pool_liquid(path))
    path.vault.idle -= from_idle
    move_lending(path, -from_lending)
    path.vault.pool_debt -= from_pool
    if from_pool > 0.0:
        path.pool.take(from_pool)
    return (from_idle, from_lending, from_pool)


def move_lending(path, ounces):
    if ounces > 0.0:
        path.vault.lending_shares += supply(path.market, ounces)
    elif ounces < 0.0:
        path.vault.lending_shares -= withdraw(path.market, -ounces)
    path.vault.lending_debt += ounces


def liquidations(path, world, scaled_debt, collateral, buffer, released, day, gold_usd, act):
    lost = 0.0
    for cohort in range(N_COHORTS):
        owed_usd = scaled_debt[cohort] * path.market.borrow_index * gold_usd
        limit = collateral[cohort] * path.market.liquidation_threshold
        if owed_usd <= limit * (1.0 + DEAD_BAND) or owed_usd <= 0.0:
            continue
        before = supply_index(path.market)
        repaid, bad_debt = liquidate(path.market, scaled_debt, collateral, cohort, gold_usd)
        path.bad_debt_usd += bad_debt * gold_usd
        path.liquidated_usd += repaid * gold_usd
        if bad_debt > 0.0:
            fall = before - supply_index(path.market)
            lost += path.vault.lending_shares * max(fall, 0.0)
        act[Action.RELEASE_USDC + cohort] = releasable(collateral[cohort], world, gold_usd)
        collateral[cohort] -= act[Action.RELEASE_USDC + cohort]
        path.events += 1
        act[Action.LIQUIDATE + cohort] = 1.0
    if lost > MINIMUM_OUNCES:
        path.bad_debt_pending += lost
        report_lending(path, buffer, released, day)
        act[Action.REPORT_LOSS] = 1.0


def wanted_debt(path, world, demand_ounces):
    market = path.market
    bearable = world.bearable
    supplied = market.cash + borrows(market)
    return min(demand_ounces, bearable * supplied) / N_COHORTS


def repayments(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act):
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        if owed <= 0.0 or owed - wanted <= world.inertia * owed:
            continue
        if wanted * gold_usd < MINIMUM_LOAN_USD:
            close(path.market, scaled_debt, cohort)
            act[Action.REPAY + cohort] = np.inf
            act[Action.RELEASE_USDC + cohort] = releasable(collateral[cohort], world, gold_usd)
            collateral[cohort] -= act[Action.RELEASE_USDC + cohort]
            continue
        amount = floor_to(owed - wanted, world.unit)
        repay(path.market, scaled_debt, cohort, amount)
        act[Action.REPAY + cohort] = amount
        left = scaled_debt[cohort] * path.market.borrow_index
        needed = usdc_up(left * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM))
        if collateral[cohort] > needed:
            act[Action.RELEASE_USDC + cohort] = collateral[cohort] - needed
            collateral[cohort] = needed


def borrowing(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act):
    for cohort in range(N_COHORTS):
        owed = scaled_debt[cohort] * path.market.borrow_index
        gap = wanted - owed
        if act[Action.LIQUIDATE + cohort] > 0.0 or gap <= world.inertia * owed:
            continue
        amount = floor_to(min(gap, with_room(path.market.cash, world.unit)), world.unit)
        if amount * gold_usd < MINIMUM_LOAN_USD:
            continue
        needed = (owed + amount) * gold_usd / ltv_ladder[cohort] * (1.0 + ROUNDING_ROOM)
        if needed > collateral[cohort]:
            posted = usdc_up(needed - collateral[cohort])
            collateral[cohort] += posted
            act[Action.POST_USDC + cohort] = posted
        borrow(path.market, scaled_debt, cohort, amount)
        act[Action.BORROW + cohort] = amount


def report_lending(path, buffer, released, day):
    result = np.zeros(N_VAULT_SOURCES)
    value = lending_value(path)
    result[BAD_DEBT] = -path.bad_debt_pending
    result[INTEREST] = value - path.vault.lending_debt + path.bad_debt_pending
    since = day - path.vault.lending_reported_day
    report(path.vault, buffer, released, path.vault.lending_debt, since, result)
    path.vault.lending_debt = value
    path.vault.lending_reported_day = day
    path.bad_debt_pending = 0.0


def report_pool(path, buffer, released, day):
    result = np.zeros(N_VAULT_SOURCES)
    worth = path.pool.worth(path.price)
    result[POOL_FEES] = path.pool.open_fees
    result[IMPERMANENT] = worth - path.vault.pool_debt - path.pool.open_fees
    since = day - path.vault.pool_reported_day
    report(path.vault, buffer, released, path.vault.pool_debt, since, result)
    path.vault.pool_debt = worth
    path.vault.pool_reported_day = day
    path.pool.open_fees = 0.0


def book_pool_loss(path, buffer, released):
    """Book what the pool is worth less than its debt, without fees and without a report."""
    if path.pool is None or path.pool.worth(path.price) >= path.vault.pool_debt:
        return
    result = np.zeros(N_VAULT_SOURCES)
    lost = path.vault.pool_debt - path.pool.worth(path.price)
    result[POOL_FEES] = path.pool.open_fees
    result[IMPERMANENT] = -lost - path.pool.open_fees
    report(path.vault, buffer, released, 0.0, 0.0, result)
    path.vault.pool_debt -= lost
    path.pool.open_fees = 0.0


def pool_day(path, buffer, released, day, act):
    """Let the arbitrageur trade; a keeper reports what that has cost before anybody leaves."""
    if path.pool is None:
        return
    if day == 0.0:
        path.pool.start(path.price)
        return
    path.pool.arbitrage(path.price)
    if path.pool.worth(path.price) < path.vault.pool_debt:
        report_pool(path, buffer, released, day)
        act[Action.REPORT_POOL_LOSS] = 1.0


def pool_noise(path, day):
    if path.pool is not None and day > 0.0:
        path.pool.noise(path.price, *path.traded)


def exploit(path, world, buffer, released, act):
    wanted = world.exploit_severity * total_assets(path.vault)
    gathered = min(wanted, with_room(liquid(path), world.unit))
    stolen = with_room(gathered, world.unit)
    if stolen <= MINIMUM_OUNCES:
        return
    _, from_lending, from_pool = pull(path, gathered)
    act[Action.EXPLOIT_STOLEN] = stolen
    if from_lending > 0.0:
        act[Action.EXPLOIT_LENDING_TARGET] = path.vault.lending_debt
    if from_pool > 0.0:
        act[Action.EXPLOIT_POOL_TARGET] = path.vault.pool_debt
    path.vault.idle += gathered
    result = np.zeros(N_VAULT_SOURCES)
    result[EXPLOIT] = -stolen
    report(path.vault, buffer, released, 0.0, 0.0, result)
    path.vault.idle -= stolen
    book_pool_loss(path, buffer, released)
    path.events += 1


def crowd_leaves(path, world, buffer, released, share, act):
    price = share_price(path.vault)
    if price <= 0.0:
        return
    asked = min(share * path.crowd_shares, with_room(path.crowd_shares, world.unit))
    payable = with_room(liquid(path), world.unit) / price
    if asked > payable:
        path.events += 1
    shares = floor_to(min(asked, payable), world.unit)
    if shares * price < MINIMUM_OUNCES:
        return
    pull(path, shares * price)
    path.vault.shares -= shares
    path.crowd_shares -= shares
    path.staking.staked -= shares
    act[Action.CROWD_REDEEM_SHARES] = shares
    book_pool_loss(path, buffer, released)


def crowd_joins(path, world, share, act):
    ounces = floor_to(share * path.crowd_shares * share_price(path.vault), world.unit)
    if ounces < MINIMUM_OUNCES:
        return
    minted = deposit(path.vault, ounces)
    shares = with_room(minted, world.unit)
    path.crowd_shares += shares
    path.staking.staked += shares
    act[Action.CROWD_DEPOSIT] = ounces
    act[Action.CROWD_STAKE_SHARES] = shares


def allocate(path, world, buffer, released, act):
    assets = total_assets(path.vault)
    band = max(ALLOCATION_BAND * assets, MINIMUM_OUNCES)
    lending_share = 1.0 - world.idle_share - world.pool_share
    lending_gap = lending_share * assets - path.vault.lending_debt
    pool_gap = world.pool_share * assets - path.vault.pool_debt
    act[Action.POOL_FIRST] = 1.0 if lending_gap > 0.0 else 0.0
    most, payable = 0.0, pool_liquid(path)
    if path.pool is not None and path.pool.is_at(path.price) and path.price > 1e-4:
        most = world.pool_pace * path.pool.x
    if lending_gap < -band:
        _move_lending(path, world, -min(-lending_gap, lending_liquid(path)), act)
    if pool_gap < -band:
        _move_pool(path, world, -min(-pool_gap, most, payable), act)
    if lending_gap > band:
        _move_lending(path, world, min(lending_gap, path.vault.idle), act)
    if pool_gap > band:
        _move_pool(path, world, min(pool_gap, path.vault.idle, most), act)
    book_pool_loss(path, buffer, released)


def _move_lending(path, world, ounces, act):
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    act[Action.LENDING_TARGET] = path.vault.lending_debt + moved
    path.vault.idle -= moved
    move_lending(path, moved)


def _move_pool(path, world, ounces, act):
    moved = np.sign(ounces) * with_room(abs(ounces), world.unit)
    if abs(moved) <= MINIMUM_OUNCES:
        return
    act[Action.POOL_TARGET] = path.vault.pool_debt + moved
    path.vault.idle -= moved
    path.vault.pool_debt += moved
    if moved > 0.0:
        path.pool.add(moved)
    else:
        path.pool.take(-moved)


def manage(path, world, buffer, released, day, act):
    if day % world.report_every_days != 0.0:
        return
    if day > 0.0:
        report_lending(path, buffer, released, day)
        if path.pool is not None:
            report_pool(path, buffer, released, day)
        act[Action.REPORT] = 1.0
    allocate(path, world, buffer, released, act)


def earn_rewards(path):
    gain = path.staking.reward_per_share - path.reward_per_share_paid
    path.reward_per_share_paid = path.staking.reward_per_share
    path.rewards_unclaimed += path.holder_shares * gain
    path.rewards_earned += path.holder_shares * gain


def sell_rewards(path, world, reward_usd, token_usd):
    usd = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    path.sold_tokens += usd / token_usd if token_usd > 0.0 else 0.0
    path.rewards_unclaimed = 0.0


def attribute(attribution, source, tokens, backing, token_usd):
    attribution[0, source] += tokens * backing
    attribution[1, source] += tokens * token_usd


def attribute_prices(attribution, tokens, prices, yesterday):
    by_gold = (prices[0] - yesterday[0]) * yesterday[2] * yesterday[3]
    by_backing = prices[0] * (prices[2] - yesterday[2]) * yesterday[3]
    attribution[1, GOLD_PRICE] += tokens * by_gold
    attribution[1, SHORTFALL] += tokens * by_backing
    attribution[1, PREMIUM] += tokens * (prices[1] - yesterday[1] - by_gold - by_backing)
    attribution[0, SHORTFALL] += tokens * (prices[2] - yesterday[2])


def value_holder(path, world, released, prices, reward_usd, gas_usd, attribution):
    backing, token_usd = (prices[2], prices[1])
    for source in range(N_VAULT_SOURCES):
        flow = path.holder_shares * released[source]
        attribute(attribution, source, flow, backing, token_usd)
    pending = path.rewards_unclaimed * reward_usd * (1.0 - world.slippage)
    pending = pending / token_usd if token_usd > 0.0 else 0.0
    income = path.sold_tokens + pending
    attribute(attribution, EMISSIONS, income - path.income_tokens, backing, token_usd)
    path.income_tokens = income
    gas = gas_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    path.gas_tokens += gas
    in_vault = path.holder_shares * share_price(path.vault)
    path.mark_tokens = in_vault + income - path.gas_tokens
    short = max(0.0, in_vault - liquid(path))
    leave = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    return path.mark_tokens - short * world.haircut - leave


def holder_leaves(path, world, buffer, prices, attribution, act):
    backing, token_usd = (prices[2], prices[1])
    price = share_price(path.vault)
    payable = liquid(path)
    shares = path.holder_shares
    if shares * price > payable:
        shares = floor_to(with_room(payable, world.unit) / price, world.unit)
        shares = shares if shares * price >= MINIMUM_OUNCES else 0.0
        path.events += 1
    pull(path, shares * price)
    path.vault.shares -= shares
    rest, lost = path.holder_shares - shares, np.zeros(N_VAULT_SOURCES)
    book_pool_loss(path, buffer, lost)
    for source in range(N_VAULT_SOURCES):
        attribute(attribution, source, rest * lost[source], backing, token_usd)
    fallen = rest * (price - share_price(path.vault))
    path.unpaid = rest * share_price(path.vault)
    act[Action.HOLDER_REDEEM_SHARES] = shares
    discount = path.unpaid * world.haircut
    attribute(attribution, ILLIQUIDITY, -discount, backing, token_usd)
    gas = world.gas_leave_usd / token_usd if token_usd > 0.0 else 0.0
    attribute(attribution, GAS, -gas, backing, token_usd)
    tokens = path.mark_tokens - fallen - discount - gas
    attribution[1, SPREAD] -= tokens * token_usd * world.sale_spread
    path.staking.staked -= path.holder_shares
    return tokens


def begin(path, world):
    path.crowd_shares = deposit(path.vault, world.crowd_ounces)
    path.holder_shares = deposit(path.vault, world.holder_ounces)
    path.staking.staked = path.crowd_shares + path.holder_shares


def observe(path, scaled_debt, collateral, gold_usd, exit_tokens, seen):
    seen[Observed.SHARE_PRICE] = share_price(path.vault)
    seen[Observed.UTILISATION] = utilisation(path.market)
    seen[Observed.BORROW_INDEX] = path.market.borrow_index
    seen[Observed.SUPPLY_INDEX] = supply_index(path.market)
    seen[Observed.REWARDS_EARNED] = path.rewards_earned
    seen[Observed.EXIT_OUNCES] = exit_tokens
    seen[Observed.TOTAL_ASSETS] = total_assets(path.vault)
    seen[Observed.MARKET_CASH] = path.market.cash
    seen[Observed.MARKET_ASSETS] = path.market.cash + borrows(path.market)
    seen[Observed.POOL_WORTH] = 0.0 if path.pool is None else path.pool.worth(path.price)
    for cohort in range(N_COHORTS):
        owed_usd = scaled_debt[cohort] * path.market.borrow_index * gold_usd
        ltv = owed_usd / collateral[cohort] if collateral[cohort] > 0.0 else 0.0
        seen[Observed.LTV + cohort] = ltv


def one_day(
    path,
    world,
    scaled_debt,
    collateral,
    buffer,
    released,
    ltv_ladder,
    day,
    exploit_day,
    last_day,
    demand_ounces,
    flow,
    reward_usd,
    notified,
    prices,
    attribution,
    act,
):
    gold_usd = prices[0]
    for source in range(N_VAULT_SOURCES):
        released[source] = 0.0
    if day == 0.0:
        begin(path, world)
    accrue(path.market, day)
    unlock(path.vault, buffer, released, day)
    advance(path.staking, day)
    earn_rewards(path)
    pool_day(path, buffer, released, day, act)
    liquidations(path, world, scaled_debt, collateral, buffer, released, day, gold_usd, act)
    if day == exploit_day:
        exploit(path, world, buffer, released, act)
    wanted = wanted_debt(path, world, demand_ounces)
    repayments(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act)
    if day > exploit_day:
        crowd_leaves(path, world, buffer, released, world.run_share, act)
    elif day > 0.0 and flow < 0.0:
        crowd_leaves(path, world, buffer, released, -flow, act)
    if day == last_day:
        sell_rewards(path, world, reward_usd, prices[1])
        value_holder(path, world, released, prices, reward_usd, 0.0, attribution)
        tokens = holder_leaves(path, world, buffer, prices, attribution, act)
        pool_noise(path, day)
        return tokens
    if 0.0 < day < exploit_day and flow > 0.0:
        crowd_joins(path, world, flow, act)
    manage(path, world, buffer, released, day, act)
    wanted = wanted_debt(path, world, demand_ounces)
    borrowing(path, world, scaled_debt, collateral, ltv_ladder, wanted, gold_usd, act)
    gas_usd = world.gas_enter_usd if day == 0.0 else 0.0
    if notified > 0.0 and day < exploit_day:
        notify(path.staking, notified, day, world.period_days)
        act[Action.NOTIFY] = notified
    if day > 0.0 and day % world.claim_every_days == 0.0:
        sell_rewards(path, world, reward_usd, prices[1])
        act[Action.CLAIM] = 1.0
        gas_usd += world.gas_claim_usd
    pool_noise(path, day)
    return value_holder(path, world, released, prices, reward_usd, gas_usd, attribution)
