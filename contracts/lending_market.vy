# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Isolated Lending Market
@custom:contract-name lending_market
@license GNU Affero General Public License v3.0 only
@notice One pair: borrowers lock `collateral` and borrow `debt`. Suppliers hold
        ERC-4626 shares of the debt token; interest accrues to them by the second,
        reserves to the treasury as shares of its own, so that cash plus borrows
        is always the sum of all claims. Debt whose collateral is gone is written
        off at once: first against the treasury's shares, then against everybody's.
@dev Ratios and rates have 18 decimals (1e18 = 100 %, rates a year of 31,536,000
     seconds), indices 27 (1e27 = one for one), amounts the token's own. Cash and
     collateral are counted inside, so a donation changes nothing. Amounts owed
     round up, amounts paid down. Both tokens and both feeds are trusted not to
     lie; the guard keeps them from coming back in.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from ethereum.ercs import IERC4626
implements: IERC4626


from snekmate.tokens.interfaces import IERC20Permit
implements: IERC20Permit


from snekmate.utils.interfaces import IERC5267
implements: IERC5267


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from snekmate.utils import math


from .modules import asset_token
from .modules import kinked_rate
from .modules import share_math


from .modules import share_token
initializes: share_token[erc20 := erc20]


from .modules import debt_index
initializes: debt_index


from .modules import loan_health
initializes: loan_health


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
    share_token.transfer,
    share_token.transferFrom,
    loan_health.collateral_feed,
    loan_health.debt_feed,
    loan_health.feed_max_age,
)


# @dev Everything a view needs to know, with interest up to now.
struct State:
    index: uint256
    borrows: uint256
    assets: uint256
    supply: uint256
    interest: uint256
    treasury_shares: uint256


# @dev 100 %.
_WAD: constant(uint256) = 10 ** 18


# @dev Collateral that pays for less than one part in this of a debt is dust.
_DUST_PARTS: constant(uint256) = 1_000


# @dev The greatest bonus a liquidator may be offered, 50 %.
_MAX_BONUS: constant(uint256) = 5 * 10 ** 17


# @dev The token that is lent, and that ERC-4626 calls the asset.
asset: public(immutable(address))


# @dev The token that borrowers lock.
collateral_token: public(immutable(address))


# @dev Holds the reserves, as shares.
treasury: public(immutable(address))


# @dev The borrow rate: at zero utilisation, gained up to the kink and beyond it.
base_rate: public(immutable(uint256))
slope1: public(immutable(uint256))
slope2: public(immutable(uint256))
kink: public(immutable(uint256))


# @dev The part of all interest that goes to the treasury.
reserve_factor: public(immutable(uint256))


# @dev Debt value to collateral value: the most at a borrow, and the most without
# liquidation.
max_ltv: public(immutable(uint256))
liquidation_threshold: public(immutable(uint256))


# @dev What a liquidator gets on top of the value repaid.
liquidation_bonus: public(immutable(uint256))


# @dev Debt tokens here, as counted inside.
cash: public(uint256)


# @dev All collateral, as counted inside.
total_collateral: public(uint256)


# @dev Collateral by borrower, as counted inside; see `_present_collateral`.
collateral_of: public(HashMap[address, uint256])


# @dev Debt written off so far, covered by the treasury or not.
total_bad_debt: public(uint256)


# @dev When interest was last added, Unix seconds.
last_accrual: public(uint256)


# @dev Whether new deposits and new borrowing are stopped.
paused: public(bool)


event Accrued:
    interest: uint256
    borrow_index: uint256
    treasury_shares: uint256


event CollateralSupplied:
    payer: indexed(address)
    borrower: indexed(address)
    amount: uint256


event CollateralWithdrawn:
    borrower: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Borrowed:
    borrower: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Repaid:
    payer: indexed(address)
    borrower: indexed(address)
    amount: uint256


event Liquidated:
    liquidator: indexed(address)
    borrower: indexed(address)
    repaid: uint256
    seized: uint256


event CashLost:
    amount: uint256


event BadDebt:
    borrower: indexed(address)
    amount: uint256
    covered_by_treasury: uint256


event Paused: pass


event Unpaused: pass


@deploy
def __init__(
    collateral_: address,
    debt_: address,
    collateral_feed_: address,
    debt_feed_: address,
    feed_max_age_: uint256,
    treasury_: address,
    base_rate_: uint256,
    slope1_: uint256,
    slope2_: uint256,
    kink_: uint256,
    reserve_factor_: uint256,
    max_ltv_: uint256,
    liquidation_threshold_: uint256,
    liquidation_bonus_: uint256,
):
    """
    @notice Deploys an empty market; the deployer owns it.
    @param collateral_ The 20-byte address of the token to lock.
    @param debt_ The 20-byte address of the token to lend.
    @param collateral_feed_ The 20-byte address of the collateral's price feed.
    @param debt_feed_ The 20-byte address of the debt's price feed, same currency.
    @param feed_max_age_ The greatest age of a price, in seconds.
    @param treasury_ The 20-byte address that receives the reserves.
    @param base_rate_ The rate at zero utilisation (1e18 = 100 % a year).
    @param slope1_ What it gains up to the kink.
    @param slope2_ What it gains beyond the kink.
    @param kink_ The utilisation at the kink (1e18 = 100 %), above zero.
    @param reserve_factor_ The treasury's part of interest, at most 1e18.
    @param max_ltv_ The most debt per collateral at a borrow, below the threshold.
    @param liquidation_threshold_ The most debt per collateral without liquidation.
    @param liquidation_bonus_ The liquidator's premium, at most 50 %.
    """
    assert collateral_ != debt_, "lending_market: collateral is the debt token"
    assert treasury_ != empty(address), "lending_market: treasury is the zero address"
    assert treasury_ != self, "lending_market: treasury is the market"
    kinked_rate._check(kink_)
    assert reserve_factor_ <= _WAD, "lending_market: reserve factor above 100 %"
    assert max_ltv_ < liquidation_threshold_, "lending_market: max ltv not below threshold"
    assert liquidation_bonus_ <= _MAX_BONUS, "lending_market: bonus above 50 %"
    # Otherwise a liquidation at the threshold would itself leave bad debt.
    assert liquidation_threshold_ * (_WAD + liquidation_bonus_) <= _WAD * _WAD, "lending_market: bonus exceeds margin"

    ownable.__init__()
    decimals: uint8 = staticcall IERC20Detailed(debt_).decimals()
    erc20.__init__("Lending Market Share", "LEND", decimals, "Lending Market Share", "1")
    debt_index.__init__()
    loan_health.__init__(collateral_, debt_, collateral_feed_, debt_feed_, feed_max_age_)
    asset = debt_
    collateral_token = collateral_
    treasury = treasury_
    base_rate = base_rate_
    slope1 = slope1_
    slope2 = slope2_
    kink = kink_
    reserve_factor = reserve_factor_
    max_ltv = max_ltv_
    liquidation_threshold = liquidation_threshold_
    liquidation_bonus = liquidation_bonus_
    self.last_accrual = block.timestamp


# --- Borrowers ---------------------------------------------------------------


@external
def accrue():
    """
    @notice Adds the interest since the last accrual; anyone, any time.
    """
    self._accrue()


@external
def supply_collateral(amount: uint256, borrower: address):
    """
    @notice Locks collateral for `borrower`; what arrives is credited. Refused once the
            token's issuer has burnt collateral: everybody's part is less since then.
    @param amount The amount that leaves the caller.
    @param borrower The 20-byte address that may borrow against it.
    """
    assert borrower != empty(address), "lending_market: borrower is the zero address"
    # Nobody could take it out again.
    assert borrower != self, "lending_market: borrower is the market"
    # New collateral would make up for what is missing.
    there: uint256 = staticcall IERC20(collateral_token).balanceOf(self)
    assert there >= self.total_collateral, "lending_market: collateral is missing"
    received: uint256 = asset_token._pull(collateral_token, msg.sender, amount)
    self.collateral_of[borrower] += received
    self.total_collateral += received
    log CollateralSupplied(payer=msg.sender, borrower=borrower, amount=received)


@external
def withdraw_collateral(amount: uint256, receiver: address):
    """
    @notice Releases the caller's collateral down to what its debt needs at `max_ltv`.
    @dev Without debt no price is read: a dead feed cannot hold collateral back.
    @param amount The amount to release.
    @param receiver The 20-byte address that gets it.
    """
    self._accrue()
    assert amount <= self._present_collateral(msg.sender), "lending_market: exceeds collateral"
    self._release(msg.sender, amount)
    if debt_index._scaled[msg.sender] != 0:
        self._check_within_max_ltv(msg.sender)
    asset_token._push(collateral_token, receiver, amount)
    log CollateralWithdrawn(borrower=msg.sender, receiver=receiver, amount=amount)


@external
def borrow(amount: uint256, receiver: address):
    """
    @notice Lends `amount` against the caller's collateral.
    @param amount The amount that leaves the market.
    @param receiver The 20-byte address that gets it.
    """
    assert not self.paused, "lending_market: paused"
    self._accrue()
    assert amount <= self.cash, "lending_market: exceeds cash"
    debt_index._increase(msg.sender, amount)
    self.cash -= amount
    self._check_within_max_ltv(msg.sender)
    asset_token._push(asset, receiver, amount)
    log Borrowed(borrower=msg.sender, receiver=receiver, amount=amount)


@external
def repay(amount: uint256, borrower: address) -> uint256:
    """
    @notice Repays debt of `borrower`; what arrives is credited, nothing beyond
            the debt is taken.
    @param amount The most that may leave the caller (the greatest uint256 = all).
    @param borrower The 20-byte address whose debt it is.
    @return uint256 The amount by which the debt was repaid.
    """
    self._accrue()
    due: uint256 = debt_index._debt_at(borrower, debt_index._index)
    assert due != 0, "lending_market: no debt"
    repaid: uint256 = asset_token._pull(asset, msg.sender, min(amount, asset_token._gross(asset, due)))
    debt_index._reduce(borrower, repaid)
    self.cash += repaid
    log Repaid(payer=msg.sender, borrower=borrower, amount=repaid)
    return repaid


@external
def liquidate(borrower: address, repay_amount: uint256) -> (uint256, uint256):
    """
    @notice Repays debt of an unhealthy borrower for collateral plus a bonus. Where
            the collateral does not pay for that, all of it goes for less, and the
            debt that is left is written off. So does collateral that would be left
            for a thousandth of that debt or less.
    @param borrower The 20-byte address of the borrower.
    @param repay_amount The most to repay (the greatest uint256 = all).
    @return uint256 The debt repaid.
    @return uint256 The collateral seized.
    """
    self._accrue()
    due: uint256 = debt_index._debt_at(borrower, debt_index._index)
    held: uint256 = self._present_collateral(borrower)
    assert loan_health._exceeds(due, held, liquidation_threshold), "lending_market: borrower is healthy"
    repaid: uint256 = 0
    seized: uint256 = 0
    repaid, seized = loan_health._seizure(min(repay_amount, due), held, liquidation_bonus)
    # Collateral worth nobody's while must not keep a lost debt in the books.
    rest: uint256 = due - repaid
    if loan_health._seizure(rest, held - seized, liquidation_bonus)[0] * _DUST_PARTS < rest:
        seized = held

    self._take_exactly(repaid)
    debt_index._reduce(borrower, repaid)
    self.cash += repaid
    self._release(borrower, seized)
    log Liquidated(liquidator=msg.sender, borrower=borrower, repaid=repaid, seized=seized)
    if seized == held:
        self._write_off(borrower)
    asset_token._push(collateral_token, msg.sender, seized)
    return repaid, seized


# --- Suppliers (ERC-4626) ----------------------------------------------------


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Supplies `assets`; what arrives is credited.
    @param assets The amount that leaves the caller.
    @param receiver The 20-byte address that gets the shares.
    @return uint256 The shares, rounded down.
    """
    self._accrue()
    assert assets <= self._max_deposit(), "lending_market: exceeds deposit limit"
    self._adopt_orphans()
    total_assets: uint256 = self._total_assets()
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    shares: uint256 = share_math._to_shares(received, total_assets, erc20.totalSupply, False)
    share_math._check_fair(received, shares, total_assets, erc20.totalSupply)
    self._enter(receiver, assets, received, shares)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """
    @notice Supplies what `shares` cost.
    @param shares The shares to receive.
    @param receiver The 20-byte address that gets them.
    @return uint256 The assets that left the caller, rounded up, fee included.
    """
    self._accrue()
    assert shares <= self._max_deposit(), "lending_market: exceeds deposit limit"
    self._adopt_orphans()
    cost: uint256 = share_math._to_assets(shares, self._total_assets(), erc20.totalSupply, True)
    paid: uint256 = self._take_exactly(cost)
    self._enter(receiver, paid, cost, shares)
    return paid


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Pays out `assets`; a fee of the token comes out of what arrives.
    @param assets The amount that leaves the market.
    @param receiver The 20-byte address that gets it.
    @param owner The 20-byte address whose shares are burnt.
    @return uint256 The shares burnt, rounded up.
    """
    self._accrue()
    state: State = self._state()
    assert assets <= self._max_withdraw(owner, state), "lending_market: exceeds withdrawable"
    shares: uint256 = share_math._to_shares(assets, state.assets, state.supply, True)
    self._leave(receiver, owner, assets, shares)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Burns `shares` and pays what they are worth.
    @param shares The shares to burn.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt.
    @return uint256 The assets, rounded down.
    """
    self._accrue()
    state: State = self._state()
    assert shares <= self._max_redeem(owner, state), "lending_market: exceeds withdrawable"
    assets: uint256 = share_math._to_assets(shares, state.assets, state.supply, False)
    self._leave(receiver, owner, assets, shares)
    return assets


@external
@view
def totalAssets() -> uint256:
    """
    @notice Returns cash plus borrows, with interest up to now.
    @return uint256 The assets that all shares together own.
    """
    return self._state().assets


@external
@view
def convertToShares(assetAmount: uint256) -> uint256:
    """
    @notice Returns the shares that an amount is worth, before transfer fees.
    @param assetAmount The assets.
    @return uint256 The shares, rounded down.
    """
    return self._shares_for(assetAmount, False)


@external
@view
def convertToAssets(shareAmount: uint256) -> uint256:
    """
    @notice Returns the assets that shares are worth, before transfer fees.
    @param shareAmount The shares.
    @return uint256 The assets, rounded down.
    """
    return self._assets_for(shareAmount, False)


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    """
    @notice Returns the shares that a deposit now would give, net of transfer fees.
    @param assets The amount that would leave the caller.
    @return uint256 The shares, rounded down.
    """
    return self._shares_for(asset_token._net(asset, assets), False)


@external
@view
def previewMint(shares: uint256) -> uint256:
    """
    @notice Returns what minting `shares` now would cost, transfer fees included.
    @param shares The shares.
    @return uint256 The assets, rounded up.
    """
    return asset_token._gross(asset, self._assets_for(shares, True))


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    """
    @notice Returns the shares that a withdrawal now would burn.
    @param assets The amount that would leave the market.
    @return uint256 The shares, rounded up.
    """
    return self._shares_for(assets, True)


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    """
    @notice Returns the assets that redeeming `shares` now would pay.
    @param shares The shares.
    @return uint256 The assets, rounded down.
    """
    return self._assets_for(shares, False)


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice Returns the limit of a deposit: none, or zero while deposits are stopped.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The greatest uint256 (no limit) or zero; zero for the market itself.
    """
    return 0 if receiver == self else self._max_deposit()


@external
@view
def maxMint(receiver: address) -> uint256:
    """
    @notice Returns the limit of a mint: none, or zero while deposits are stopped.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The greatest uint256 (no limit) or zero; zero for the market itself.
    """
    return 0 if receiver == self else self._max_deposit()


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice Returns what `owner` can withdraw now: its assets, as far as cash reaches.
    @param owner The 20-byte address of the holder.
    @return uint256 The assets.
    """
    return self._max_withdraw(owner, self._state())


@external
@view
def maxRedeem(owner: address) -> uint256:
    """
    @notice Returns what `owner` can redeem now: its shares, as far as cash reaches.
    @param owner The 20-byte address of the holder.
    @return uint256 The shares.
    """
    return self._max_redeem(owner, self._state())


# --- Owner -------------------------------------------------------------------


@external
def pause():
    """
    @notice Stops new deposits and new borrowing; owner only. Nothing else stops.
    """
    ownable._check_owner()
    assert not self.paused, "lending_market: already paused"
    self.paused = True
    log Paused()


@external
def unpause():
    """
    @notice Lets deposits and borrowing go on; owner only.
    """
    ownable._check_owner()
    assert self.paused, "lending_market: not paused"
    self.paused = False
    log Unpaused()


# --- Views -------------------------------------------------------------------


@external
@view
def total_borrows() -> uint256:
    """
    @notice Returns all debt, with interest up to now.
    @return uint256 The amount of the debt token.
    """
    return self._state().borrows


@external
@view
def utilisation() -> uint256:
    """
    @notice Returns the borrowed share of all assets, with interest up to now.
    @return uint256 The share (1e18 = 100 %), rounded down; zero when empty.
    """
    state: State = self._state()
    return self._utilisation(state.borrows, state.assets)


@external
@view
def borrow_rate() -> uint256:
    """
    @notice Returns the rate in force: that of the state at the last accrual.
    @return uint256 The rate (1e18 = 100 % a year).
    """
    return self._rate_in_force()


@external
@view
def borrow_index() -> uint256:
    """
    @notice Returns what one unit borrowed at the start has grown to by now.
    @return uint256 The index (1e27 = one).
    """
    return self._state().index


@external
@view
def supply_index() -> uint256:
    """
    @notice Returns the assets per share, with interest up to now.
    @return uint256 The index (1e27 = one for one), rounded down.
    """
    state: State = self._state()
    return share_math._price(state.assets, state.supply)


@external
@view
def debt_of(borrower: address) -> uint256:
    """
    @notice Returns what `borrower` owes, with interest up to now.
    @param borrower The 20-byte address of the borrower.
    @return uint256 The amount of the debt token, rounded up.
    """
    return debt_index._debt_at(borrower, self._state().index)


@external
@view
def ltv(borrower: address) -> uint256:
    """
    @notice Returns debt value to collateral value at the feeds' prices.
    @param borrower The 20-byte address of the borrower.
    @return uint256 The ratio (1e18 = 100 %), rounded up; zero without debt, the
            greatest uint256 for debt without collateral.
    """
    return loan_health._ltv(debt_index._debt_at(borrower, self._state().index), self._present_collateral(borrower))


@external
@view
def is_liquidatable(borrower: address) -> bool:
    """
    @notice Returns whether `liquidate` would accept `borrower` now.
    @param borrower The 20-byte address of the borrower.
    @return bool Whether its debt exceeds the liquidation threshold.
    """
    due: uint256 = debt_index._debt_at(borrower, self._state().index)
    return loan_health._exceeds(due, self._present_collateral(borrower), liquidation_threshold)


# --- Accrual -----------------------------------------------------------------


@internal
def _accrue():
    """
    @notice Moves index and treasury shares up to now.
    @dev Cash that the token's issuer has burnt is written off, which lowers the
         supply index; the rate until now is still that of the state before.
    """
    state: State = self._state()
    lost: uint256 = self.cash - self._present_cash()
    if lost != 0:
        self.cash -= lost
        log CashLost(amount=lost)
    if block.timestamp == self.last_accrual:
        return
    self.last_accrual = block.timestamp
    debt_index._index = state.index
    if state.treasury_shares != 0:
        erc20._mint(treasury, state.treasury_shares)
    log Accrued(interest=state.interest, borrow_index=state.index, treasury_shares=state.treasury_shares)


@internal
@view
def _state() -> State:
    """
    @notice Returns the market with interest up to now.
    @dev The rate is that of the stored state, which nothing has changed since the
         last accrual. The treasury's shares are worth its part of the interest at
         the price after it.
    @return State Index (1e27 = one), amounts in the debt token, shares.
    """
    state: State = State(
        index=debt_index._index,
        borrows=self._borrows(),
        assets=0,
        supply=erc20.totalSupply,
        interest=0,
        treasury_shares=0,
    )
    elapsed: uint256 = block.timestamp - self.last_accrual
    if elapsed != 0 and state.borrows != 0:
        state.index = debt_index._grown_index(self._rate_in_force(), elapsed)
        grown: uint256 = debt_index._total_at(state.index)
        state.interest = grown - state.borrows
        state.borrows = grown
    state.assets = self._present_cash() + state.borrows
    reserve: uint256 = math._mul_div(state.interest, reserve_factor, _WAD, False)
    # Without shares there is nobody to dilute; see `_adopt_orphans`.
    if reserve != 0 and state.supply != 0:
        state.treasury_shares = share_math._to_shares(reserve, state.assets - reserve, state.supply, False)
        state.supply += state.treasury_shares
    return state


@internal
@view
def _present_cash() -> uint256:
    """
    @notice Returns the cash that is there: what is counted, or the balance where
            that is less. More than is counted changes nothing.
    @return uint256 The amount of the debt token.
    """
    return min(self.cash, staticcall IERC20(asset).balanceOf(self))


@internal
@view
def _borrows() -> uint256:
    """
    @notice Returns all debt as of the last accrual.
    @return uint256 The amount, rounded down.
    """
    return debt_index._total_at(debt_index._index)


@internal
@view
def _total_assets() -> uint256:
    """
    @notice Returns cash plus borrows as of the last accrual.
    @return uint256 The assets that all shares together own.
    """
    return self.cash + self._borrows()


@internal
@pure
def _utilisation(borrows: uint256, assets: uint256) -> uint256:
    """
    @notice Returns the borrowed share of all assets.
    @param borrows The amount borrowed.
    @param assets Cash plus borrows.
    @return uint256 The share (1e18 = 100 %), rounded down; zero when empty.
    """
    return math._mul_div(borrows, _WAD, assets, False) if borrows != 0 else 0


@internal
@view
def _rate_in_force() -> uint256:
    """
    @notice Returns the rate that the state at the last accrual set.
    @return uint256 The rate (1e18 = 100 % a year).
    """
    utilisation: uint256 = self._utilisation(self._borrows(), self._total_assets())
    return kinked_rate._rate(utilisation, base_rate, slope1, slope2, kink)


# --- Debt --------------------------------------------------------------------


@internal
@view
def _present_collateral(borrower: address) -> uint256:
    """
    @notice Returns the borrower's part of the collateral that is there: all that is
            counted, or less where the token's issuer has burnt some.
    @param borrower The 20-byte address of the borrower.
    @return uint256 The amount of the collateral token, rounded down.
    """
    counted: uint256 = self.collateral_of[borrower]
    there: uint256 = staticcall IERC20(collateral_token).balanceOf(self)
    if there >= self.total_collateral:
        return counted
    return math._mul_div(counted, there, self.total_collateral, False)


@internal
def _release(borrower: address, amount: uint256):
    """
    @notice Takes collateral that is about to be sent out of the books.
    @param borrower The 20-byte address of the borrower.
    @param amount The amount, at most what is there for the borrower.
    """
    counted: uint256 = amount
    there: uint256 = staticcall IERC20(collateral_token).balanceOf(self)
    if amount == self._present_collateral(borrower):
        counted = self.collateral_of[borrower]
    elif there < self.total_collateral:
        counted = math._mul_div(amount, self.total_collateral, there, True)
    self.collateral_of[borrower] -= counted
    self.total_collateral -= counted


@internal
def _write_off(borrower: address):
    """
    @notice Takes the debt of a borrower without collateral out of the books:
            against the treasury's shares at the price before, the rest against
            the supply index.
    @param borrower The 20-byte address of the borrower.
    """
    total_assets: uint256 = self._total_assets()
    supply: uint256 = erc20.totalSupply
    amount: uint256 = debt_index._remove(borrower)
    if amount == 0:
        return
    held: uint256 = erc20.balanceOf[treasury]
    covered: uint256 = min(amount, share_math._to_assets(held, total_assets, supply, False))
    burnt: uint256 = held
    if covered == amount:
        burnt = min(held, share_math._to_shares(covered, total_assets, supply, True))
    if burnt != 0:
        erc20._burn(treasury, burnt)
    self.total_bad_debt += amount
    log BadDebt(borrower=borrower, amount=amount, covered_by_treasury=covered)


@internal
@view
def _check_within_max_ltv(borrower: address):
    """
    @notice Refuses a debt above what the collateral allows at `max_ltv`.
    @param borrower The 20-byte address of the borrower.
    """
    due: uint256 = debt_index._debt_at(borrower, debt_index._index)
    held: uint256 = self._present_collateral(borrower)
    assert not loan_health._exceeds(due, held, max_ltv), "lending_market: exceeds max ltv"


# --- Shares ------------------------------------------------------------------


@internal
@view
def _shares_for(assets: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth now.
    @param assets The assets.
    @param round_up Whether to round up instead of down.
    @return uint256 The shares.
    """
    state: State = self._state()
    return share_math._to_shares(assets, state.assets, state.supply, round_up)


@internal
@view
def _assets_for(shares: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the assets that `shares` are worth now.
    @param shares The shares.
    @param round_up Whether to round up instead of down.
    @return uint256 The assets.
    """
    state: State = self._state()
    return share_math._to_assets(shares, state.assets, state.supply, round_up)


@internal
@view
def _max_deposit() -> uint256:
    """
    @notice Returns the limit of a deposit.
    @dev Shares without any assets behind them cannot be priced.
    @return uint256 The greatest uint256 (no limit), or zero where deposits are
            paused, the token is stopped, or everything was lost.
    """
    if self.paused or asset_token._is_stopped(asset, self):
        return 0
    if erc20.totalSupply != 0 and self._present_cash() + self._borrows() == 0:
        return 0
    return max_value(uint256)


@internal
@view
def _max_withdraw(owner: address, state: State) -> uint256:
    """
    @notice Returns what `owner` can withdraw at `state`.
    @param owner The 20-byte address of the holder.
    @param state The market now.
    @return uint256 The assets.
    """
    if asset_token._is_stopped(asset, self):
        return 0
    assets: uint256 = share_math._to_assets(erc20.balanceOf[owner], state.assets, state.supply, False)
    return min(assets, self._present_cash())


@internal
@view
def _max_redeem(owner: address, state: State) -> uint256:
    """
    @notice Returns what `owner` can redeem at `state`.
    @param owner The 20-byte address of the holder.
    @param state The market now.
    @return uint256 The shares.
    """
    if asset_token._is_stopped(asset, self):
        return 0
    shares: uint256 = erc20.balanceOf[owner]
    ready: uint256 = self._present_cash()
    if share_math._to_assets(shares, state.assets, state.supply, False) <= ready:
        return shares
    return share_math._to_shares(ready, state.assets, state.supply, False)


@internal
def _take_exactly(amount: uint256) -> uint256:
    """
    @notice Takes from the caller so much that `amount` arrives.
    @param amount The amount that must arrive.
    @return uint256 The amount that left the caller, fee included.
    """
    paid: uint256 = asset_token._gross(asset, amount)
    assert asset_token._pull(asset, msg.sender, paid) >= amount, "lending_market: too little arrived"
    return paid


@internal
def _adopt_orphans():
    """
    @notice Gives the treasury shares for assets that no share owns any more, such
            as rounding remainders, so that a first deposit is one for one.
    """
    leftover: uint256 = self._total_assets()
    if erc20.totalSupply == 0 and leftover != 0:
        erc20._mint(treasury, leftover)


@internal
def _enter(receiver: address, paid: uint256, received: uint256, shares: uint256):
    """
    @notice Books a deposit.
    @param receiver The 20-byte address that gets the shares.
    @param paid The amount that left the caller.
    @param received The amount to add to cash.
    @param shares The shares to mint.
    """
    share_token._check_receiver(receiver)
    self.cash += received
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=paid, shares=shares)


@internal
def _leave(receiver: address, owner: address, assets: uint256, shares: uint256):
    """
    @notice Burns shares and pays.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt.
    @param assets The assets to pay.
    @param shares The shares to burn.
    """
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    erc20._burn(owner, shares)
    self.cash -= assets
    asset_token._push(asset, receiver, assets)
    log IERC4626.Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)
