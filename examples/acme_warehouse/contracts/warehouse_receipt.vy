# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Warehouse Receipt
@custom:contract-name warehouse_receipt
@license GNU Affero General Public License v3.0 only
@notice A receipt stands for metal in a vault. The warehouse takes its storage fee out of
        the metal, so that a receipt stands for less from day to day; its holder may have
        the metal delivered, less a delivery fee. An auditor counts the metal: what turns
        out to be missing is missing behind every receipt alike.
@dev The metal itself lies in a vault, not on a chain: `issue` is the warehouse's word that
     it has come in, `delivered` its word that it has gone out. All amounts have 18 decimals
     (1e18 = one unit of the metal as the market quotes it). What the metal behind a receipt
     loses is rounded up, what a holder gets is rounded down.
"""


from ethereum.ercs import IERC20
implements: IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from snekmate.utils import math


exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.transfer,
    erc20.transferFrom,
)


# @dev One unit of metal behind a receipt, the scale of the index.
_RAY: constant(uint256) = 10 ** 27


# @dev 100 %, the scale of rates and shares.
_WAD: constant(uint256) = 10 ** 18


# @dev 100 % in basis points.
_BPS: constant(uint256) = 10_000


# @dev Seconds of the year that the storage fee refers to.
_YEAR: constant(uint256) = 31_536_000


# @dev Takes metal in, and issues receipts for it.
warehouse: public(immutable(address))


# @dev Counts the metal.
auditor: public(immutable(address))


# @dev The storage fee (1e18 = 100 % a year).
storage_rate: public(immutable(uint256))


# @dev What a delivery costs, of the metal delivered (10,000 = 100 %).
delivery_fee_bps: public(immutable(uint256))


# @dev The metal behind a receipt (1e27 = one unit), as of `accrued_until`.
index: public(uint256)


# @dev Until when storage has been paid, Unix time.
accrued_until: public(uint256)


# @dev Metal that has been delivered to a holder.
delivered: public(HashMap[address, uint256])


event Issued:
    holder: indexed(address)
    metal: uint256
    receipts: uint256


event Accrued:
    index: uint256


event FoundMissing:
    share: uint256
    index: uint256


event Delivered:
    holder: indexed(address)
    receipts: uint256
    metal: uint256
    fee: uint256


@deploy
def __init__(
    name_: String[25],
    symbol_: String[5],
    warehouse_: address,
    auditor_: address,
    storage_rate_: uint256,
    delivery_fee_bps_: uint256,
    charged_from: uint256,
):
    """
    @notice Opens a warehouse without any metal.
    @param name_ The name of the receipts, up to 25 characters.
    @param symbol_ Their symbol, up to 5 characters.
    @param warehouse_ The 20-byte address that issues receipts.
    @param auditor_ The 20-byte address that counts the metal.
    @param storage_rate_ The storage fee (1e18 = 100 % a year), at most 100 %.
    @param delivery_fee_bps_ The delivery fee (10,000 = 100 %), at most 100 %.
    @param charged_from Unix time from which on storage is paid for.
    """
    assert storage_rate_ <= _WAD, "warehouse_receipt: storage fee is above 100 %"
    assert delivery_fee_bps_ <= _BPS, "warehouse_receipt: delivery fee is above 100 %"
    ownable.__init__()
    erc20.__init__(name_, symbol_, 18, name_, "1")
    warehouse = warehouse_
    auditor = auditor_
    storage_rate = storage_rate_
    delivery_fee_bps = delivery_fee_bps_
    self.index = _RAY
    self.accrued_until = charged_from


@external
def issue(holder: address, metal: uint256) -> uint256:
    """
    @notice Issues receipts for metal that has come in; warehouse only.
    @param holder The 20-byte address that receives them.
    @param metal The metal (1e18 = one unit).
    @return uint256 The receipts, rounded down.
    """
    assert msg.sender == warehouse, "warehouse_receipt: not the warehouse"
    self._accrue()
    assert self.index > 0, "warehouse_receipt: no metal behind the receipts"
    receipts: uint256 = math._mul_div(metal, _RAY, self.index, False)
    erc20._mint(holder, receipts)
    log Issued(holder=holder, metal=metal, receipts=receipts)
    return receipts


@external
def accrue():
    """
    @notice Takes the storage fee since the last time out of the metal; anybody may.
    """
    self._accrue()


@external
def report_missing(share: uint256):
    """
    @notice Writes the metal down by what a count did not find; auditor only.
    @param share The part of the metal that is missing (1e18 = all of it).
    """
    assert msg.sender == auditor, "warehouse_receipt: not the auditor"
    assert share <= _WAD, "warehouse_receipt: more is missing than there was"
    self._accrue()
    self.index -= math._mul_div(self.index, share, _WAD, True)
    log FoundMissing(share=share, index=self.index)


@external
def redeem(receipts: uint256) -> uint256:
    """
    @notice Delivers the metal behind the caller's receipts, as much as is there.
    @param receipts The receipts that are given up.
    @return uint256 The metal delivered, less the delivery fee.
    """
    assert receipts <= erc20.balanceOf[msg.sender], "warehouse_receipt: exceeds receipts held"
    self._accrue()
    metal: uint256 = math._mul_div(receipts, self.index, _RAY, False)
    fee: uint256 = math._mul_div(metal, delivery_fee_bps, _BPS, True)
    erc20._burn(msg.sender, receipts)
    self.delivered[msg.sender] += metal - fee
    log Delivered(holder=msg.sender, receipts=receipts, metal=metal - fee, fee=fee)
    return metal - fee


@external
@view
def metal_of(holder: address) -> uint256:
    """
    @notice Returns the metal behind somebody's receipts, as of `accrued_until`.
    @param holder The 20-byte address of the holder.
    @return uint256 The metal (1e18 = one unit), rounded down.
    """
    return math._mul_div(erc20.balanceOf[holder], self.index, _RAY, False)


@internal
def _accrue():
    """
    @notice Lowers the index by the storage fee of the time that has passed, simple interest
            within that time; to nothing at most.
    """
    if block.timestamp <= self.accrued_until:
        return
    elapsed: uint256 = block.timestamp - self.accrued_until
    fee: uint256 = math._mul_div(self.index, storage_rate * elapsed, _WAD * _YEAR, True)
    self.index -= min(fee, self.index)
    self.accrued_until = block.timestamp
    log Accrued(index=self.index)
