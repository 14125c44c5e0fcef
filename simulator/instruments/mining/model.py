"""The models of what a mine stands behind: its token, the token staked, its ordinary share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.mining import paths, staking
from simulator.instruments.mining.drivers import MiningStoDrivers, draw_drivers
from simulator.instruments.mining.equity import (
    MineEquityDrivers,
    draw_equity_drivers,
    simulate_equity,
)
from simulator.instruments.mining.outages import KINDS
from simulator.instruments.mining.paths import MiningStoRecord
from simulator.instruments.mining.staking import StakingDrivers, StakingRecord
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.instruments.mining.terms import DEFAULT, MineEquityTerms, MiningStoTerms
from simulator.instruments.model import Ask, Ground, Played, Setting


class StoModel:
    """A mine's token, and a measured subscriber of `ask.size` dollars."""

    def draw(
        self, label: str, terms: MiningStoTerms, setting: Setting, ground: Ground
    ) -> MiningStoDrivers:
        """Return the mine, the others' demand, the default and the market's mood."""
        del ground
        copper, growth = setting.prices["copper"], setting.growth["copper"]
        return draw_drivers(
            terms,
            label,
            copper,
            growth,
            setting.seed,
            setting.first_path,
            stopped={kind: setting.struck(label, kind) for kind in KINDS},
            failed=setting.struck(label, DEFAULT),
        )

    def play(
        self,
        label: str,
        terms: MiningStoTerms,
        drivers: MiningStoDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[MiningStoDrivers, MiningStoRecord]:
        """Return the subscriber's paths."""
        del ground
        held, record = paths.simulate(
            terms,
            setting.gas["mining_sto"],
            drivers,
            ask.size,
            record=ask.record,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        return Played({label: held}, drivers, record)


class EquityModel:
    """The same mine's ordinary share, by the dollar."""

    def draw(
        self, label: str, terms: MineEquityTerms, setting: Setting, ground: Ground
    ) -> MineEquityDrivers:
        """Return the STO's mine, the company's failure and the stock market's mood."""
        del label
        mine = ground.drivers(terms.mine, MiningStoDrivers).mine
        return draw_equity_drivers(terms, mine, setting.seed, setting.first_path)

    def play(
        self,
        label: str,
        terms: MineEquityTerms,
        drivers: MineEquityDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[MineEquityDrivers, None]:
        """Return the shareholder's paths."""
        held = simulate_equity(
            terms,
            ground.terms(terms.mine, MiningStoTerms),
            drivers,
            label,
            open_days=setting.exchange_open,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        return Played({label: held}, drivers)


@dataclass(frozen=True)
class StakedRecord:
    """What the replay of a staked token plays: the token's record, and the staking's."""

    sto: MiningStoRecord
    staking: StakingRecord

    def lane(self, k: int) -> StakedRecord:
        """Return path `k` of the block alone."""
        return StakedRecord(self.sto.lane(k), self.staking.lane(k))


class StakingModel:
    """A token staked for a share of revenue, by a measured subscriber of `ask.size` dollars."""

    def draw(
        self, label: str, terms: RevenueStakingTerms, setting: Setting, ground: Ground
    ) -> MiningStoDrivers:
        """Return the token's own drivers: nothing else befalls who stakes it."""
        del label, setting
        return ground.drivers(terms.sto, MiningStoDrivers)

    def play(
        self,
        label: str,
        terms: RevenueStakingTerms,
        drivers: MiningStoDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[MiningStoDrivers, StakedRecord]:
        """Return the staker's paths: a subscriber's, and what staking brings and costs."""
        sto = ground.terms(terms.sto, MiningStoTerms)
        days = frozenset({terms.sto} if label in ask.days else ())
        token = ground.played(terms.sto, replace(ask, days=days))
        record = token.record
        if not isinstance(record, MiningStoRecord):
            raise TypeError(f"{terms.sto} is no mining STO")
        held = replace(token.paths[terms.sto], name=label)
        outside = staking_drivers(sto, drivers, record, ask.size)
        staked, earned = staking.simulate(terms, setting.gas["revenue_staking"], held, outside)
        return Played({label: staked}, drivers, StakedRecord(record, earned))


def staking_drivers(
    terms: MiningStoTerms, drivers: MiningStoDrivers, record: MiningStoRecord, usd: float
) -> StakingDrivers:
    """Return what a mining STO's paths are to those who stake its tokens."""
    sold = np.minimum(drivers.others_usd + usd, terms.sale.hard_cap_usd)
    sold = np.where(sold >= terms.sale.soft_cap_usd, sold, 0.0)
    issued = sold + np.cumsum(record.deposit_usd, axis=0)
    settles = np.array(drivers.mine.settles)[:, None]
    return StakingDrivers(
        profit_usd=np.where(settles <= drivers.default_step, drivers.mine.profit, 0.0),
        issued_usd=np.where(sold > 0.0, issued, 0.0),
        sold_share=sold / terms.sale.hard_cap_usd,
        ends=drivers.mine.ends,
        stake_step=terms.sale.days + terms.compliance.lockup_days,
    )


STO, EQUITY, STAKING = StoModel(), EquityModel(), StakingModel()
