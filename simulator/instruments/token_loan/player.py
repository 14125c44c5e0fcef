"""Drives market, desk, supplier and borrowers along one path of the model's record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.base import TokenTerms
from simulator.instruments.casting import Cast, Part, cannot_be_handed_on
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.instruments.token_loan.drivers import TokenLoanDrivers
from simulator.instruments.token_loan.opening import DOLLARS_BORROWED, TOKENS_BOUGHT
from simulator.instruments.token_loan.paths import TokenLoanRecord
from simulator.instruments.token_loan.stage import (
    DESK_TOKENS,
    FLASH_USDC,
    OTHERS_COVER,
    PLENTY_USDC,
    allowances,
    deploy_contracts,
    gifts,
)
from simulator.instruments.token_loan.state import Observed, Outcome
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.units import (
    BPS,
    DEAD_BAND,
    FEED_DECIMALS,
    RAY,
    USDC_DECIMALS,
    WAD,
    FloatArray,
    from_wei,
    to_wei,
)

UNIT = 10.0**-USDC_DECIMALS
SMALLEST_BOOK_USDC = 1.0
"""Ratios of a market with less in it than this are not expected to agree."""

MARKET_VIEWS = ("cash", "borrow_index", "supply_index", "utilisation", "total_bad_debt")
N_VIEWS = len(MARKET_VIEWS) + 4
"""Reads before those of single loans."""
VIEWS_A_LOAN = 5
OF_MARKET = {
    "cash": Observed.CASH,
    "supply_index": Observed.SUPPLY_INDEX,
    "utilisation": Observed.UTILISATION,
    "bad_debt": Observed.BAD_DEBT,
    "treasury": Observed.TREASURY,
    "liquidators": Observed.LIQUIDATORS,
    "supplier_exit": Observed.EXIT,
}


class TokenLoanPlayer:
    """The suppliers, each borrower, the others, the keepers, and where dollars are deployed."""

    def __init__(
        self,
        terms: TokenLoanTerms,
        token: TokenTerms,
        drivers: TokenLoanDrivers,
        record: TokenLoanRecord,
        holder_usd: float,
        usdc: FloatArray | None = None,
    ) -> None:
        """Take drivers and record of one path, prices in USDC.

        `usdc`, of shape (n_steps + 1,), turns them into the dollars of the feeds; None where it
        is a dollar throughout.
        """
        self._terms, self._decimals = terms, token.decimals
        self._loans, self._names = list(terms.loans.values()), list(terms.loans)
        self._holder = to_wei(holder_usd, USDC_DECIMALS)
        self._feed, self._token = drivers.feed_usdc[:, 0], drivers.prices.token_usd[:, 0]
        self._outcomes, self._opened = record.outcomes[..., 0], record.opened[..., 0]
        self._came_to: list[list[float]] = self._outcomes.tolist()
        """Outcomes as plain numbers, for what is looked at on every step."""
        self._others, self._index = record.others[:, 0], record.index[:, 0]
        self._seen, self._leave = record.observed[:, 0], record.leave[..., 0]
        self._spent, self._unpaid = record.spent[:, 0], float(record.unpaid[0])
        self._last_step = len(self._feed) - 1
        self._usd = np.ones(self._last_step + 1) if usdc is None else usdc
        self.observables = self._observables()

    def _observables(self) -> tuple[Observable, ...]:
        books = self._seen[:, Observed.CASH] / (1.0 - self._seen[:, Observed.UTILISATION])
        book, least = float(books.max()), max(float(books.min()), SMALLEST_BOOK_USDC)
        # four acts of each borrower, the others' one, the supplier's, the day's interest
        n = 4 * len(self._loans) + 3
        dollars = ("cash", "bad_debt", "treasury", "liquidators", "supplier_exit")
        steepest = self._terms.pool.slope2 / (1.0 - self._terms.pool.kink)
        # an index gathers the errors of utilisation along the steep end of the rate
        gathered = max(1.0, steepest) * book / least
        found = [Observable(name, n, UNIT, book) for name in dollars]
        ratios = ("supply_index", "utilisation", "borrow_index")
        found += [Observable(name, n, UNIT / least, gathered) for name in ratios]
        unit = 10.0**-self._decimals
        for i, name in enumerate(self._names):
            rounds = self._rounds(i) + 1
            tokens, owed = map(float, self._outcomes[i, [Outcome.TOKENS, Outcome.SCALED]])
            size = owed + self._loans[i].capital_usd
            found.append(Observable(f"{name}.locked", rounds, unit, tokens))
            found.append(Observable(f"{name}.debt", n, UNIT / least * owed + UNIT, size * gathered))
            found.append(Observable(f"{name}.wallet", n + 2 * rounds, UNIT, size * gathered))
            found.append(Observable(f"{name}.tokens", rounds, unit, tokens))
        return tuple(found)

    def _rounds(self, i: int) -> int:
        """Return how often borrower `i` has borrowed on the first day."""
        return int((self._opened[i, DOLLARS_BORROWED] > 0.0).sum())

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create the contracts; hand out dollars and tokens for the whole run."""
        self._stage, roles = stage, stage.roles
        self._who = roles.several("borrower", len(self._loans))
        self._on = deploy_contracts(stage, self._terms)
        dollars = {
            roles.crowd: to_wei(self._terms.pool.supplied_usd, USDC_DECIMALS),
            roles.depositor: self._holder,
            roles.others: to_wei(float(PLENTY_USDC), USDC_DECIMALS),
            roles.venue: to_wei(float(PLENTY_USDC), USDC_DECIMALS),
        }
        for who, loan in zip(self._who, self._loans, strict=True):
            dollars[who] = to_wei(loan.capital_usd + FLASH_USDC, USDC_DECIMALS)
        custodian, one = roles.custodian, 10**self._decimals
        # the keeper's own token: what he seizes is rounded, what he sells is not
        stock = (
            (self._on.desk, DESK_TOKENS * one + self._bought()),
            (roles.others, self._cover()),
            (roles.keeper, one),
        )
        stage.send(
            *gifts(stage, self._on, dollars),
            *allowances(stage, self._on),
            *(self._on.token.call("transfer", *gift, sender=custodian) for gift in stock),
        )

    def _cover(self) -> int:
        """Return the tokens that other borrowers lock."""
        pool = self._terms.pool
        needed = (pool.supplied_usd + from_wei(self._holder, USDC_DECIMALS)) / pool.max_ltv
        return to_wei(OTHERS_COVER * needed / float(self._feed[0]), self._decimals)

    def _bought(self) -> int:
        """Return the tokens that all loans buy."""
        return to_wei(float(self._opened[:, TOKENS_BOUGHT].sum()), self._decimals)

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        market, keeper = self._on.market, self._stage.roles.keeper
        found = [(Phase.PRICES, call) for call in self._prices(step)]
        found.append((Phase.ACCRUAL, market.call("accrue", sender=keeper)))
        found += [(Phase.LIQUIDATIONS, call) for call in self._liquidations(step)]
        if step == 0:
            found += [(Phase.DEPOSITS, call) for call in self._entering()]
            found += [(Phase.BORROWS, call) for call in self._loops()]
        if step == self._last_step:
            found += [(Phase.REPAYMENTS, call) for call in self._repayments()]
            found += [(Phase.WITHDRAWALS, call) for call in self._sales()]
        return found + self._others_move(step)

    def _prices(self, step: int) -> list[Call]:
        """Return the rounds of the desk's feed, of USDC's, and of the exchange's."""
        usd, keeper = float(self._usd[step]), self._stage.roles.keeper
        answers = [(self._on.price, float(self._token[step]) * usd), (self._on.usdc_feed, usd)]
        if self._terms.price == "exchange":
            answers.append((self._on.feed, float(self._feed[step]) * usd))
        return [
            feed.call("update_answer", to_wei(answer, FEED_DECIMALS), sender=keeper)
            for feed, answer in answers
        ]

    def _entering(self) -> list[Call]:
        """Return what the suppliers do, and what each borrower does before his first loan."""
        roles, on = self._stage.roles, self._on
        own, crowd = roles.depositor, roles.crowd
        calls = [
            on.market.call(
                "deposit", to_wei(self._terms.pool.supplied_usd, USDC_DECIMALS), crowd, sender=crowd
            ),
            on.usdc.call("approve", on.market, self._holder, sender=own),
            on.market.call("deposit", self._holder, own, sender=own),
            on.market.call("supply_collateral", self._cover(), roles.others, sender=roles.others),
        ]
        for i, who in enumerate(self._who):
            calls += [
                on.usdc.call("approve", on.desk, UNLIMITED, sender=who),
                on.token.call("approve", on.market, UNLIMITED, sender=who),
                *self._purchase(i, 0),
            ]
        return calls

    def _tokens(self, i: int, turn: int) -> int:
        return to_wei(float(self._opened[i, TOKENS_BOUGHT, turn]), self._decimals)

    def _purchase(self, i: int, turn: int) -> list[Call]:
        """Return a purchase at the desk, and the deposit of what was bought."""
        who, tokens = self._who[i], self._tokens(i, turn)
        return [
            self._on.desk.call("buy", self._on.token, tokens, UNLIMITED, sender=who),
            self._on.market.call("supply_collateral", tokens, who, sender=who),
        ]

    def _loops(self) -> list[Call]:
        """Return each borrower's loans, and what he does with the dollars."""
        calls: list[Call] = []
        for i, who in enumerate(self._who):
            for turn in range(1, self._rounds(i) + 1):
                lent = to_wei(float(self._opened[i, DOLLARS_BORROWED, turn]), USDC_DECIMALS)
                calls.append(self._on.market.call("borrow", lent, who, sender=who))
                if self._loans[i].loop:
                    calls += self._purchase(i, turn)
                else:
                    venue = self._stage.roles.venue
                    calls.append(self._on.usdc.call("transfer", venue, lent, sender=who))
        return calls

    def _others_move(self, step: int) -> list[tuple[Phase, Call]]:
        who, units = self._stage.roles.others, to_wei(abs(float(self._others[step])), USDC_DECIMALS)
        if units == 0:
            return []
        if self._others[step] > 0.0:
            return [(Phase.BORROWS, self._on.market.call("borrow", units, who, sender=who))]
        return [(Phase.REPAYMENTS, self._on.market.call("repay", units, who, sender=who))]

    def _liquidations(self, step: int) -> list[Call]:
        """Return seizures; the liquidator sells at once, and the borrower takes out the rest."""
        calls: list[Call] = []
        keeper, on = self._stage.roles.keeper, self._on
        for i, who in enumerate(self._who):
            if step == 0 or self._came_to[i][Outcome.STEP] != step:
                continue
            calls.append(on.market.call("liquidate", who, UNLIMITED, sender=keeper))
            seized = to_wei(self._seized(i, step), self._decimals)
            calls.append(on.desk.call("sell", on.token, seized, 0, sender=keeper))
            rest = self._returned(i)
            if rest > 0:
                calls.append(on.market.call("withdraw_collateral", rest, who, sender=who))
        return calls

    def _seized(self, i: int, step: int) -> float:
        """Return the tokens that a liquidator sells on a step."""
        bid = float(self._token[step]) * (1.0 - self._terms.swap_spread_bps / BPS)
        gains: FloatArray = self._outcomes[i, [Outcome.PROFIT, Outcome.REPAID]]
        return float(gains.sum()) / bid

    def _returned(self, i: int) -> int:
        return to_wei(float(self._outcomes[i, Outcome.RETURNED]), self._decimals)

    def _repayments(self) -> list[Call]:
        """Return the deployed dollars' way back, and what repays the loans that are repaid."""
        calls: list[Call] = []
        for i, who in enumerate(self._who):
            back = to_wei(float(self._outcomes[i, Outcome.DEPLOYED]), USDC_DECIMALS)
            if back > 0:
                venue = self._stage.roles.venue
                calls.append(self._on.usdc.call("transfer", who, back, sender=venue))
            if self._outcomes[i, Outcome.PAID_BACK]:
                approve = self._on.usdc.call("approve", self._on.market, UNLIMITED, sender=who)
                calls += [approve, self._on.market.call("repay", UNLIMITED, who, sender=who)]
        return calls

    def _sales(self) -> list[Call]:
        """Return the release and sale of all tokens, and the supplier's way out."""
        calls: list[Call] = []
        on = self._on
        for i, who in enumerate(self._who):
            sold = self._returned(i)
            if self._outcomes[i, Outcome.PAID_BACK]:
                locked = sum(self._tokens(i, turn) for turn in range(self._opened.shape[2]))
                calls.append(on.market.call("withdraw_collateral", locked, who, sender=who))
                sold += locked
            if sold > 0 and self._token[-1] > 0.0:
                calls.append(on.token.call("approve", on.desk, sold, sender=who))
                calls.append(on.desk.call("sell", on.token, sold, 0, sender=who))
        own = self._stage.roles.depositor
        paid = to_wei(self._paid(), USDC_DECIMALS)
        act = ("withdraw", paid) if self._unpaid > 0.0 else ("redeem", self._holder)
        return [*calls, on.market.call(*act, own, own, sender=own)]

    def _paid(self) -> float:
        """Return what the supplier is paid at the end, USDC."""
        worth = from_wei(self._holder, USDC_DECIMALS) * self._seen[-1, Observed.SUPPLY_INDEX]
        return float(worth) - self._unpaid

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads; those of the loans come last."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        on, roles = self._on, self._stage.roles
        calls = [on.market.call(name) for name in MARKET_VIEWS]
        calls += [
            on.market.call("balanceOf", roles.treasury),
            on.market.call("maxWithdraw", roles.depositor),
            on.usdc.call("balanceOf", roles.depositor),
            on.usdc.call("balanceOf", roles.keeper),
        ]
        for who in self._who:
            calls += [
                on.market.call("collateral_of", who),
                on.market.call("debt_of", who),
                on.usdc.call("balanceOf", who),
                on.token.call("balanceOf", who),
                on.market.call("is_liquidatable", who),
            ]
        return calls

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; seized tokens count at the price of their day."""
        words = [int.from_bytes(answer, "big") for answer in answers]
        paid = step == self._last_step
        found = {
            "cash": from_wei(words[0], USDC_DECIMALS),
            "borrow_index": words[1] / RAY,
            "supply_index": words[2] / RAY,
            "utilisation": words[3] / WAD,
            "bad_debt": from_wei(words[4], USDC_DECIMALS),
            "treasury": from_wei(words[5], USDC_DECIMALS),
            "supplier_exit": from_wei(words[7] if paid else words[6], USDC_DECIMALS),
            "liquidators": from_wei(words[8] - PLENTY_USDC * 10**USDC_DECIMALS, USDC_DECIMALS),
        }
        for i, name in enumerate(self._names):
            own = words[N_VIEWS + i * VIEWS_A_LOAN :]
            found[f"{name}.locked"] = from_wei(own[0], self._decimals)
            found[f"{name}.debt"] = from_wei(own[1], USDC_DECIMALS)
            found[f"{name}.wallet"] = from_wei(own[2] - FLASH_USDC * 10**6, USDC_DECIMALS)
            found[f"{name}.tokens"] = from_wei(own[3], self._decimals)
        return found

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables; the record of the last step is before the supplier."""
        seen: list[float] = self._seen[step].tolist()
        found = {name: seen[column] for name, column in OF_MARKET.items()}
        found["borrow_index"] = float(self._index[step])
        if step == self._last_step:
            found |= self._without_supplier(found)
        for i, name in enumerate(self._names):
            found |= {f"{name}.{what}": x for what, x in self._expected_of(i, step).items()}
        return found

    def _without_supplier(self, found: Mapping[str, float]) -> dict[str, float]:
        """Return what the supplier's way out changes."""
        paid = self._paid()
        assets = found["cash"] / (1.0 - found["utilisation"])
        owed = assets - found["cash"]
        return {
            "cash": found["cash"] - paid,
            "utilisation": owed / (assets - paid),
            "supplier_exit": paid,
        }

    def _expected_of(self, i: int, step: int) -> dict[str, float]:
        """Return a loan's observables: as it was opened, liquidated, or repaid."""
        own = self._came_to[i]
        closed = 0.0 < own[Outcome.STEP] <= step
        last = step == self._last_step
        gone = closed or (last and own[Outcome.PAID_BACK] > 0.0)
        sold = last and self._token[-1] > 0.0
        dust = own[Outcome.DUST] if closed else 0.0
        wallet = self._leave[1 + i, -1] + self._spent[i] if last else own[Outcome.LEFT]
        return {
            "locked": dust if gone else own[Outcome.TOKENS],
            "debt": 0.0 if gone else float(own[Outcome.SCALED] * self._index[step]),
            "wallet": float(wallet),
            "tokens": own[Outcome.RETURNED] if closed and not sold else 0.0,
        }

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what a seizure rounds: the debt to a unit of USDC, tokens to one of theirs."""
        found = {"liquidators": 0.0}
        for i, name in enumerate(self._names):
            closed = int(self._came_to[i][Outcome.STEP])
            if 0 < closed <= step:
                found[f"{name}.locked"] = 4.0 * UNIT / float(self._feed[closed])
                found["liquidators"] += 10.0**-self._decimals * float(self._token[closed])
        return found

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare who may be liquidated, outside the dead-band."""
        threshold, inside = self._terms.pool.liquidation_threshold, 0
        for i, name in enumerate(self._names):
            at = N_VIEWS + (i + 1) * VIEWS_A_LOAN - 1
            answer = bool(int.from_bytes(answers[at], "big"))
            debt = self._expected_of(i, step)["debt"]
            ltv = debt / (self._came_to[i][Outcome.TOKENS] * float(self._feed[step]))
            if abs(ltv / threshold - 1.0) <= DEAD_BAND:
                inside += 1
            elif answer != (ltv > threshold):
                raise ReconciliationFailed(
                    f"step {step}: loan {name} at loan to value {ltv:.9f} (threshold {threshold}) "
                    f"is {'' if answer else 'not '}liquidatable on chain"
                )
        return len(self._names), inside

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the gas of supplier and borrowers by act, the mean where there are several."""
        used: dict[str, int] = {}
        times: dict[str, int] = {}
        for act, receipt, counts in self._acts(step, receipts):
            used[act] = used.get(act, 0) + receipt.gas_used
            times[act] = times.get(act, 0) + counts
        return {act: round(total / max(1, times[act])) for act, total in used.items()}

    def _acts(self, step: int, receipts: Sequence[Receipt]) -> Iterator[tuple[str, Receipt, int]]:
        """Yield the act that each receipt belongs to, and 1 where it is the act's main call."""
        leaving = {
            who
            for i, who in enumerate(self._who)
            if step == self._last_step and self._outcomes[i, Outcome.PAID_BACK]
        }
        lent = set[str]()
        for receipt in receipts:
            sender, what = receipt.call.sender, receipt.call.told
            if sender == self._stage.roles.depositor:
                supplies = step == 0
                yield "supply" if supplies else "redeem", receipt, int("approve" not in what)
            if sender not in self._who or "transfer" in what:
                continue
            if step == 0:
                lent |= {sender} if what.endswith(".borrow") else set()
                act = "borrow" if what.endswith(".borrow") else "buy" if sender in lent else "enter"
                yield act, receipt, int("supply_collateral" in what or act == "borrow")
            elif sender in leaving:
                yield "leave", receipt, int("sell" in what)
            else:
                yield (
                    "release" if "withdraw" in what else "sell",
                    receipt,
                    int("approve" not in what),
                )


class LoanStage:
    """Casts the loans' player; a loan is nobody's to hand on, nor is a supplier's deposit."""

    def cast(self, part: Part[TokenLoanTerms, TokenLoanDrivers, TokenLoanRecord]) -> Cast:
        """Return who plays market and loans along one path."""
        token = part.ground.terms(part.terms.token, TokenTerms)
        played = (part.drivers, part.record, part.size, part.usdc)
        return Cast(TokenLoanPlayer(part.terms, token, *played), notes=cannot_be_handed_on(part))


STAGE = LoanStage()
