"""Drives the warehouse's contract along one path, and reads back what the model says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acme_warehouse.model import WarehouseDrivers
from acme_warehouse.terms import WarehouseTerms
from simulator.chain import Call, Receipt
from simulator.instruments import custody as desk
from simulator.instruments.casting import Cast, Part
from simulator.instruments.stage import Observable, Phase, PlainPlayer, Stage
from simulator.units import from_wei, midnight_timestamp, to_wei

CONTRACT, DECIMALS, INDEX_DECIMALS = "warehouse_receipt", 18, 27
STOCK = desk.INVENTORY_TOKENS * 10**DECIMALS
"""Receipts of the custodian, which the desk sells to portfolios."""

WarehousePart = Part[WarehouseTerms, WarehouseDrivers, None]


class WarehousePlayer(PlainPlayer):
    """The warehouse, its auditor, the keeper who has fees taken daily, and one depositor."""

    def __init__(self, part: WarehousePart) -> None:
        """Take one path; the depositor has `part.size` dollars of receipts."""
        paths = part.paths[part.label]
        self._part, self._last, self._price = part, part.n_steps, part.drivers.price_usd[:, 0]
        self._per_receipt = paths.details["metal_per_receipt"][:, part.lane]
        self._exit_usd = float(paths.exit["usd"][-1, part.lane])
        self._receipts = part.size / float(self._price[0])
        # A day's fee and count each round the index; issue, metal and delivery round once more.
        index_unit, last_usd = 10.0**-INDEX_DECIMALS, float(self._price[-1])
        unit = 10.0**-DECIMALS + self._receipts * index_unit
        self.observables: tuple[Observable, ...] = (
            Observable("metal_per_receipt", 2, index_unit),
            Observable("receipts", 1, unit, self._receipts),
            Observable("metal_held", 2, unit, self._receipts),
            Observable("exit_usd", 3, unit * last_usd, self._receipts * last_usd),
        )

    def deploy(self, stage: Stage) -> None:
        """Open the warehouse, which charges from the first day on, and fill the desk's stock."""
        terms, self._roles = self._part.terms, stage.roles
        self._contract = stage.deploy(
            CONTRACT,
            f"{terms.metal.capitalize()} receipt",
            "aWR",
            self._roles.warehouse,
            self._roles.auditor,
            to_wei(terms.storage_fee, DECIMALS),
            terms.delivery_fee_bps,
            midnight_timestamp(self._part.start),
        )
        issue = ("issue", self._roles.custodian, STOCK)
        stage.send(self._contract.call(*issue, sender=self._roles.warehouse))

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the day's fee; the count, the deposit and the redemption on their days."""
        call, roles = self._contract.call, self._roles
        receipts, depositor = to_wei(self._receipts, DECIMALS), roles.depositor
        found = [(Phase.ACCRUAL, call("accrue", sender=roles.keeper))]
        if step == self._part.drivers.missing_step[0]:
            share = to_wei(self._part.terms.missing_share, DECIMALS)
            found.append((Phase.EXPLOITS, call("report_missing", share, sender=roles.auditor)))
        if step == 0:
            issue = call("issue", depositor, receipts, sender=roles.warehouse)
            found.append((Phase.DEPOSITS, issue))
        if step == self._last:
            found.append((Phase.WITHDRAWALS, call("redeem", receipts, sender=depositor)))
        return found

    def views(self, step: int) -> list[Call]:
        """Return the reads: index, all receipts, the depositor's metal, and what he was given."""
        del step
        call, depositor = self._contract.call, self._roles.depositor
        own = (call("metal_of", depositor), call("delivered", depositor))
        return [call("index"), call("totalSupply"), *own]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain; metal that was delivered is sold at the day's price."""
        index, supply, metal, delivered = (int.from_bytes(answer, "big") for answer in answers)
        return {
            "metal_per_receipt": from_wei(index, INDEX_DECIMALS),
            "receipts": from_wei(supply - STOCK, DECIMALS),
            "metal_held": from_wei(metal, DECIMALS),
            "exit_usd": from_wei(delivered, DECIMALS) * float(self._price[step]),
        }

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables; on the last step all is redeemed."""
        left, per_receipt = step == self._last, float(self._per_receipt[step])
        receipts = 0.0 if left else self._receipts
        return {
            "metal_per_receipt": per_receipt,
            "receipts": receipts,
            "metal_held": receipts * per_receipt,
            "exit_usd": self._exit_usd if left else 0.0,
        }

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the depositor's gas, who redeems; it is told and not booked."""
        del step
        own = [r.gas_used for r in receipts if r.call.sender == self._roles.depositor]
        return {"leave": sum(own)} if own else {}


class WarehouseStage:
    """Casts the player; portfolios trade receipts at the desk, at the delivery fee's spread."""

    def cast(self, part: WarehousePart) -> Cast:
        """Return who plays the warehouse along one path."""
        label, per_unit = part.label, part.size / float(part.drivers.price_usd[0, 0])
        receipt_usd = part.paths[label].mark["usd"][:, part.lane] / per_unit
        quote = desk.Quote(receipt_usd, part.terms.delivery_fee_bps)
        custody = desk.Custody(label, DECIMALS, quote, (label, CONTRACT))
        custody.quote_decimals = desk.QUOTE_DECIMALS
        accounts = tuple(
            desk.desk_account(investor, label, holder, DECIMALS, quote, per_unit)
            for investor, holder in part.holders.items()
        )
        return Cast(WarehousePlayer(part), accounts, custody if accounts else None)


STAGE = WarehouseStage()
