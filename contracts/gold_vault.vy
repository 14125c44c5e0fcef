# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Vault that lends out Gold
@custom:contract-name gold_vault
@license GNU Affero General Public License v3.0 only
@notice ERC-4626 shares of idle gold and of gold placed in strategies. Gains count
        once the keeper reports them, and then unlock over time; a loss counts at
        once, for everybody, before anybody enters or leaves. Who leaves pays the
        token's fee on what is called back for him. A vault with a queue pays nobody
        but the queue, which fills its batches (see `vault_queue`).
@dev Assets are counted inside: total assets = idle + debt of the strategies, free
     assets = total assets less locked profit, and the share price is free assets
     per share. Donations of assets or of a strategy's shares change nothing. Fees
     are in basis points (10_000 = 100 %), prices have 27 decimals (1e27 = one for
     one), amounts and shares the asset's. What is paid rounds down, what is asked
     rounds up. Strategies are ERC-4626 contracts that the curator trusts; the
     guard keeps them from coming back in.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from ethereum.ercs import IERC4626
implements: IERC4626


from snekmate.tokens.interfaces import IERC20Permit
implements: IERC20Permit


from snekmate.auth import access_control
initializes: access_control


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from .modules import asset_token
from .modules import share_math


from .modules import profit_lock
initializes: profit_lock


from .modules import share_token
initializes: share_token[erc20 := erc20]


from .modules import strategy_book
initializes: strategy_book[profit_lock := profit_lock]


exports: (
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
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
    strategy_book.idle,
    strategy_book.total_debt,
    strategy_book.strategies,
    strategy_book.debt_of,
    strategy_book.last_report,
)


# @dev Adds and removes strategies and moves assets between them.
CURATOR: public(constant(bytes32)) = keccak256("CURATOR")


# @dev Reports gains and losses.
KEEPER: public(constant(bytes32)) = keccak256("KEEPER")


# @dev Stops deposits, and shuts the vault down.
GUARDIAN: public(constant(bytes32)) = keccak256("GUARDIAN")


# @dev 100 % of a fee.
_BPS: constant(uint256) = 10_000


# @dev Seconds of the year that the management fee refers to.
_YEAR: constant(uint256) = 31_536_000


# @dev The greatest fee on gains, 50 %.
_MAX_PERFORMANCE_FEE_BPS: constant(uint256) = 5_000


# @dev The greatest fee on assets, 10 % a year.
_MAX_MANAGEMENT_FEE_BPS: constant(uint256) = 1_000


# @dev The longest unlocking period, 10 years.
_MAX_UNLOCK_SECONDS: constant(uint256) = 10 * _YEAR


# @dev The gold token.
asset: public(immutable(address))


# @dev Fees, in basis points of gains and of assets a year.
performance_fee_bps: public(immutable(uint256))
management_fee_bps: public(immutable(uint256))


# @dev How long a profit takes to unlock, in seconds.
profit_unlock_seconds: public(immutable(uint256))


# @dev The only one that may withdraw; the zero address where everybody may.
queue: public(immutable(address))


# @dev A share that costs more units than this is dust: see `_adopt_rest`.
_DUST_PRICE: immutable(uint256)


# @dev Gets the fees, as shares.
fee_recipient: public(address)


# @dev The most total assets that deposits may bring about.
deposit_cap: public(uint256)


# @dev Whether deposits are stopped for now.
paused: public(bool)


# @dev Whether the vault only winds down.
is_shutdown: public(bool)


event DepositCapSet:
    deposit_cap: uint256


event FeeRecipientSet:
    fee_recipient: indexed(address)


event Paused: pass


event Unpaused: pass


event Shutdown: pass


@deploy
def __init__(
    name_: String[25],
    symbol_: String[5],
    asset_: address,
    admin_: address,
    fee_recipient_: address,
    performance_fee_bps_: uint256,
    management_fee_bps_: uint256,
    profit_unlock_seconds_: uint256,
    deposit_cap_: uint256,
    queue_: address,
):
    """
    @notice Deploys an empty vault without strategies; `admin_` gets every role.
    @param name_ The name of the shares, up to 25 characters.
    @param symbol_ The symbol of the shares, up to 5 characters.
    @param asset_ The 20-byte address of the gold token.
    @param admin_ The 20-byte address that holds and grants every role.
    @param fee_recipient_ The 20-byte address that gets the fees.
    @param performance_fee_bps_ The fee on gains (10_000 = 100 %), at most 50 %.
    @param management_fee_bps_ The fee on assets a year, at most 10 %.
    @param profit_unlock_seconds_ How long a profit takes to unlock, at most 10 years.
    @param deposit_cap_ The most total assets (the greatest uint256 = no limit).
    @param queue_ The 20-byte address of the queue (the zero address = withdrawals are
           instant).
    """
    assert admin_ != empty(address), "gold_vault: admin is the zero address"
    assert performance_fee_bps_ <= _MAX_PERFORMANCE_FEE_BPS, "gold_vault: performance fee above 50 %"
    assert management_fee_bps_ <= _MAX_MANAGEMENT_FEE_BPS, "gold_vault: management fee above 10 %"
    assert profit_unlock_seconds_ <= _MAX_UNLOCK_SECONDS, "gold_vault: unlock period above 10 years"

    access_control.__init__()
    access_control._revoke_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    access_control._grant_role(access_control.DEFAULT_ADMIN_ROLE, admin_)
    access_control._grant_role(CURATOR, admin_)
    access_control._grant_role(KEEPER, admin_)
    access_control._grant_role(GUARDIAN, admin_)

    # The token module needs an owner at creation; none of its rights is exported.
    ownable.__init__()
    decimals: uint8 = staticcall IERC20Detailed(asset_).decimals()
    erc20.__init__(name_, symbol_, decimals, name_, "1")
    strategy_book.__init__(asset_)
    asset = asset_
    performance_fee_bps = performance_fee_bps_
    management_fee_bps = management_fee_bps_
    profit_unlock_seconds = profit_unlock_seconds_
    queue = queue_
    _DUST_PRICE = 10 ** convert(decimals // 2, uint256)
    self._set_fee_recipient(fee_recipient_)
    self._set_deposit_cap(deposit_cap_)


# --- Shares ------------------------------------------------------------------


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's shares.
    @param to The 20-byte receiver address, not this contract's.
    @param amount The shares.
    @return bool Always true.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves shares that the caller has an allowance for.
    @param owner The 20-byte address that holds them.
    @param to The 20-byte receiver address, not this contract's.
    @param amount The shares.
    @return bool Always true.
    """
    erc20._spend_allowance(owner, msg.sender, amount)
    self._move(owner, to, amount)
    return True


# --- Depositors (ERC-4626) ---------------------------------------------------


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Takes `assets`; what arrives is credited.
    @param assets The amount that leaves the caller.
    @param receiver The 20-byte address that gets the shares.
    @return uint256 The shares, rounded down.
    """
    strategy_book._book_losses()
    self._check_entry(assets, self._entry_limits(0)[0])
    self._adopt_orphans()
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    shares: uint256 = self._shares_for(received, 0, False)
    share_math._check_fair(received, shares, self._free_after(0), erc20.totalSupply)
    self._enter(receiver, assets, received, shares)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """
    @notice Takes what `shares` cost.
    @param shares The shares to receive.
    @param receiver The 20-byte address that gets them.
    @return uint256 The assets that left the caller, rounded up, fee included.
    """
    strategy_book._book_losses()
    self._check_entry(shares, self._entry_limits(0)[1])
    self._adopt_orphans()
    cost: uint256 = self._assets_for(shares, 0, True)
    paid: uint256 = asset_token._gross(asset, cost)
    received: uint256 = asset_token._pull(asset, msg.sender, paid)
    assert received >= cost, "gold_vault: too little arrived"
    self._enter(receiver, paid, received, shares)
    return paid


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Pays out `assets`; a fee of the token comes out of what arrives, and the
            fee of what is called back for it costs shares.
    @param assets The amount that leaves the vault.
    @param receiver The 20-byte address that gets it.
    @param owner The 20-byte address whose shares are burnt.
    @return uint256 The shares burnt, rounded up.
    """
    self._begin_exit(owner)
    self._check_exit(assets, self._withdraw_limit(owner, 0))
    worth: uint256 = assets + strategy_book._exit_fees(assets, True)
    shares: uint256 = self._shares_for(worth, 0, True)
    self._leave(receiver, owner, assets, shares, worth)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Burns `shares` and pays what they are worth, less the token's fee on what
            has to be called back for it.
    @param shares The shares to burn.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt.
    @return uint256 The assets, rounded down.
    """
    self._begin_exit(owner)
    self._check_exit(shares, self._redeem_limit(owner, 0))
    worth: uint256 = self._assets_for(shares, 0, False)
    assets: uint256 = self._net_of_exit(worth)
    # A wei that calls back a dear share of a strategy would cost the others its fee. Of
    # the queue it is taken, once a batch: refused, it would hold all batches after it.
    assert assets != 0 or worth == 0 or owner == queue, "gold_vault: exit below its fee"
    self._leave(receiver, owner, assets, shares, worth)
    return assets


@external
@view
def totalAssets() -> uint256:
    """
    @notice Returns idle assets plus the strategies' debt less unreported losses;
            locked profit is part of it, unreported gains are not.
    @return uint256 The assets.
    """
    return strategy_book._total() - strategy_book._unbooked_loss()


@external
@view
def convertToShares(assetAmount: uint256) -> uint256:
    """
    @notice Returns the shares that an amount is worth, before transfer fees.
    @param assetAmount The assets.
    @return uint256 The shares, rounded down.
    """
    return self._shares_now(assetAmount, False)


@external
@view
def convertToAssets(shareAmount: uint256) -> uint256:
    """
    @notice Returns the assets that shares are worth, before transfer fees.
    @param shareAmount The shares.
    @return uint256 The assets, rounded down.
    """
    return self._assets_now(shareAmount, False)


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    """
    @notice Returns the shares that a deposit now would give, net of transfer fees.
    @param assets The amount that would leave the caller.
    @return uint256 The shares, rounded down.
    """
    return self._shares_now(asset_token._net(asset, assets), False)


@external
@view
def previewMint(shares: uint256) -> uint256:
    """
    @notice Returns what minting `shares` now would cost, transfer fees included.
    @param shares The shares.
    @return uint256 The assets, rounded up.
    """
    return asset_token._gross(asset, self._assets_now(shares, True))


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    """
    @notice Returns the shares that a withdrawal now would burn, the fee of what would
            be called back for it included.
    @param assets The amount that would leave the vault.
    @return uint256 The shares, rounded up.
    """
    return self._shares_now(assets + strategy_book._exit_fees(assets, True), True)


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    """
    @notice Returns the assets that redeeming `shares` now would pay, net of the fee on
            what would be called back for it.
    @param shares The shares.
    @return uint256 The assets, rounded down.
    """
    return self._net_of_exit(self._assets_now(shares, False))


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice Returns what the cap leaves room for; zero while deposits are stopped, and for
            an address that may not hold shares.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The assets (the greatest uint256 = no limit).
    """
    return self._entry_limits_of(receiver)[0]


@external
@view
def maxMint(receiver: address) -> uint256:
    """
    @notice Returns the shares that `maxDeposit` would buy.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The shares (the greatest uint256 = no limit).
    """
    return self._entry_limits_of(receiver)[1]


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice Returns what `owner` can withdraw now: its assets, as far as idle assets
            and the strategies' liquidity reach; zero where only the queue can.
    @param owner The 20-byte address of the holder.
    @return uint256 The assets.
    """
    return self._withdraw_limit(owner, strategy_book._try_unbooked_loss())


@external
@view
def maxRedeem(owner: address) -> uint256:
    """
    @notice Returns what `owner` can redeem now: its shares, as far as idle assets
            and the strategies' liquidity reach; zero where only the queue can.
    @param owner The 20-byte address of the holder.
    @return uint256 The shares.
    """
    return self._redeem_limit(owner, strategy_book._try_unbooked_loss())


# --- Curator and keeper ------------------------------------------------------


@external
def add_strategy(strategy: address):
    """
    @notice Appends a strategy to the queue, without debt; curator only.
    @param strategy The 20-byte address of an ERC-4626 contract over the same asset.
    """
    access_control._check_role(CURATOR, msg.sender)
    self._check_runs(True)
    strategy_book._add(strategy)


@external
def revoke_strategy(strategy: address):
    """
    @notice Removes a strategy without debt and without unreported gains; curator only.
    @param strategy The 20-byte address of the strategy.
    """
    access_control._check_role(CURATOR, msg.sender)
    strategy_book._check_is_strategy(strategy)
    assert strategy_book.debt_of[strategy] == 0, "gold_vault: strategy has debt"
    # What it has earned since its last report would be given up with its shares.
    assert strategy_book._value_of(strategy) == 0, "gold_vault: unreported gains"
    strategy_book._remove(strategy)


@external
def force_revoke_strategy(strategy: address):
    """
    @notice Removes a strategy that no longer answers and books all its debt as a
            loss; admin only. Without it such a strategy would hold the rest.
    @param strategy The 20-byte address of the strategy.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    strategy_book._check_is_strategy(strategy)
    strategy_book._book_loss(strategy, 0)
    strategy_book._remove(strategy)


@external
def update_debt(strategy: address, target_debt: uint256) -> uint256:
    """
    @notice Moves assets so that the strategy's debt gets as near to the target as
            idle assets, its limits and its liquidity allow; curator only. After a
            shutdown debt can only fall.
    @param strategy The 20-byte address of the strategy.
    @param target_debt The debt to reach.
    @return uint256 The new debt.
    """
    access_control._check_role(CURATOR, msg.sender)
    strategy_book._check_is_strategy(strategy)
    strategy_book._book_loss(strategy, strategy_book._value_of(strategy))
    self._check_runs(target_debt > strategy_book.debt_of[strategy])
    return strategy_book._move_towards(strategy, target_debt)


@external
def process_report(strategy: address) -> (uint256, uint256):
    """
    @notice Takes a strategy's worth into the books; keeper only. The performance
            fee is on the gain, the management fee on the debt before and the time
            since the last report. Both are paid in shares that are worth them.
    @param strategy The 20-byte address of the strategy.
    @return uint256 The gain.
    @return uint256 The loss.
    """
    access_control._check_role(KEEPER, msg.sender)
    strategy_book._check_is_strategy(strategy)
    old_debt: uint256 = strategy_book.debt_of[strategy]
    new_debt: uint256 = strategy_book._value_of(strategy)
    gain: uint256 = new_debt - min(new_debt, old_debt)
    loss: uint256 = old_debt - min(new_debt, old_debt)
    fees: uint256 = self._fees(strategy, gain, loss, old_debt)

    strategy_book._book_report(strategy, new_debt, fees, profit_unlock_seconds)
    if fees != 0:
        paying: uint256 = self._free_after(0) - fees
        erc20._mint(self.fee_recipient, share_math._to_shares(fees, paying, erc20.totalSupply, False))
    return gain, loss


# --- Guardian and admin ------------------------------------------------------


@external
def pause():
    """
    @notice Stops deposits; guardian only.
    """
    access_control._check_role(GUARDIAN, msg.sender)
    assert not self.paused, "gold_vault: already paused"
    self.paused = True
    log Paused()


@external
def unpause():
    """
    @notice Lets deposits go on; guardian only.
    """
    access_control._check_role(GUARDIAN, msg.sender)
    assert self.paused, "gold_vault: not paused"
    self.paused = False
    log Unpaused()


@external
def shutdown():
    """
    @notice Ends deposits and new debt for good; guardian only. Withdrawals stay open.
    """
    access_control._check_role(GUARDIAN, msg.sender)
    self._check_runs(True)
    self.is_shutdown = True
    log Shutdown()


@external
def set_deposit_cap(deposit_cap: uint256):
    """
    @notice Sets the most total assets that deposits may bring about; admin only.
    @param deposit_cap The assets (the greatest uint256 = no limit).
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    self._set_deposit_cap(deposit_cap)


@external
def set_fee_recipient(fee_recipient: address):
    """
    @notice Sets who gets the fees from now on; admin only.
    @param fee_recipient The 20-byte address.
    """
    access_control._check_role(access_control.DEFAULT_ADMIN_ROLE, msg.sender)
    self._set_fee_recipient(fee_recipient)


# --- Views -------------------------------------------------------------------


@external
@view
def strategy_count() -> uint256:
    """
    @notice Returns the number of strategies.
    @return uint256 The number.
    """
    return len(strategy_book.strategies)


@external
@view
def locked_profit() -> uint256:
    """
    @notice Returns the profit that is not unlocked yet.
    @return uint256 The assets, rounded up, unreported losses taken off.
    """
    locked: uint256 = profit_lock._locked()
    return locked - min(locked, strategy_book._unbooked_loss())


@external
@view
def free_assets() -> uint256:
    """
    @notice Returns what the shares own now: total assets less locked profit.
    @return uint256 The assets, unreported losses taken off.
    """
    return self._free_after(strategy_book._unbooked_loss())


@external
@view
def share_price() -> uint256:
    """
    @notice Returns the free assets per share.
    @return uint256 The price (1e27 = one for one), rounded down.
    """
    return share_math._price(self._free_after(strategy_book._unbooked_loss()), erc20.totalSupply)


# --- Worth -------------------------------------------------------------------


@internal
@view
def _free_after(loss: uint256) -> uint256:
    """
    @notice Returns what the shares own once `loss` is booked: it uses up locked
            profit first.
    @param loss The loss that is not booked yet.
    @return uint256 The assets.
    """
    return strategy_book._total() - max(profit_lock._locked(), loss)


@internal
@view
def _shares_for(assets: uint256, loss: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth now.
    @param assets The assets.
    @param loss The loss that is not booked yet.
    @param round_up Whether to round up instead of down.
    @return uint256 The shares.
    """
    return share_math._to_shares(assets, self._free_after(loss), erc20.totalSupply, round_up)


@internal
@view
def _assets_for(shares: uint256, loss: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the assets that `shares` are worth now.
    @param shares The shares.
    @param loss The loss that is not booked yet.
    @param round_up Whether to round up instead of down.
    @return uint256 The assets.
    """
    return share_math._to_assets(shares, self._free_after(loss), erc20.totalSupply, round_up)


@internal
@view
def _shares_now(assets: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth once losses are booked.
    @param assets The assets.
    @param round_up Whether to round up instead of down.
    @return uint256 The shares.
    """
    return self._shares_for(assets, strategy_book._unbooked_loss(), round_up)


@internal
@view
def _assets_now(shares: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the assets that `shares` are worth once losses are booked.
    @param shares The shares.
    @param round_up Whether to round up instead of down.
    @return uint256 The assets.
    """
    return self._assets_for(shares, strategy_book._unbooked_loss(), round_up)


@internal
@view
def _net_of_exit(worth: uint256) -> uint256:
    """
    @notice Returns what a leaver is paid of what his shares are worth.
    @param worth The assets that leave the books.
    @return uint256 The assets that leave the vault.
    """
    return worth - min(worth, strategy_book._exit_fees(worth, False))


@internal
@view
def _fees(strategy: address, gain: uint256, loss: uint256, old_debt: uint256) -> uint256:
    """
    @notice Returns the fees of a report.
    @param strategy The 20-byte address of the strategy.
    @param gain The gain of the report.
    @param loss The loss of the report.
    @param old_debt The strategy's debt before it.
    @return uint256 The assets that the fee shares shall be worth; zero where no
            share or no asset is there to pay them.
    """
    elapsed: uint256 = block.timestamp - strategy_book.last_report[strategy]
    fees: uint256 = gain * performance_fee_bps // _BPS + old_debt * management_fee_bps * elapsed // (_BPS * _YEAR)
    if erc20.totalSupply == 0 or self._free_after(0) == 0:
        return 0
    if strategy_book._total() + gain <= loss + fees:
        return 0
    return fees


# --- Limits ------------------------------------------------------------------


@internal
@view
def _entry_limits(loss: uint256) -> (uint256, uint256):
    """
    @notice Returns the most that a deposit, and the most shares that a mint, may be for.
    @dev Nothing while shares exist that own nothing: they have no price; nor where the
         room under the cap is less than the least deposit.
    @param loss The loss that is not booked yet (the greatest uint256 = unknown).
    @return uint256 The assets, transfer fee included (the greatest uint256 = no limit).
    @return uint256 The shares that they buy (the same).
    """
    if loss == max_value(uint256) or self.paused or self.is_shutdown or asset_token._is_stopped(asset, self):
        return 0, 0
    supply: uint256 = erc20.totalSupply
    free: uint256 = self._free_after(loss)
    if supply != 0 and free == 0:
        return 0, 0
    cap: uint256 = self.deposit_cap
    if cap == max_value(uint256):
        return cap, cap
    room: uint256 = cap - min(cap, strategy_book._total() - loss)
    arrives: uint256 = asset_token._net(asset, room)
    shares: uint256 = share_math._to_shares(arrives, free, supply, False)
    if share_math._is_fair(arrives, shares, free, supply):
        return room, shares
    return 0, 0


@internal
@view
def _entry_limits_of(receiver: address) -> (uint256, uint256):
    """
    @notice Returns the limits of an entry now, zero for one that may not hold shares.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The assets.
    @return uint256 The shares.
    """
    if receiver in [self, queue]:
        return 0, 0
    return self._entry_limits(strategy_book._try_unbooked_loss())


@internal
@view
def _is_exit_closed(owner: address, loss: uint256) -> bool:
    """
    @notice Returns whether `owner` cannot withdraw now.
    @param owner The 20-byte address of the holder.
    @param loss The loss that is not booked yet (the greatest uint256 = unknown).
    @return bool Whether losses are unknown, it must go through the queue, or the token
            is stopped.
    """
    return loss == max_value(uint256) or not self._may_leave(owner) or asset_token._is_stopped(asset, self)


@internal
@view
def _may_leave(owner: address) -> bool:
    """
    @notice Returns whether `owner` may withdraw by itself.
    @param owner The 20-byte address of the holder.
    @return bool Whether there is no queue, or `owner` is the queue.
    """
    return queue == empty(address) or owner == queue


@internal
@view
def _withdraw_limit(owner: address, loss: uint256) -> uint256:
    """
    @notice Returns the most that `owner` can withdraw.
    @param owner The 20-byte address of the holder.
    @param loss The loss that is not booked yet (the greatest uint256 = unknown).
    @return uint256 The assets, net of the fee on what is called back.
    """
    if self._is_exit_closed(owner, loss):
        return 0
    worth: uint256 = self._assets_for(erc20.balanceOf[owner], loss, False)
    return self._net_of_exit(min(worth, strategy_book._ready(worth)))


@internal
@view
def _redeem_limit(owner: address, loss: uint256) -> uint256:
    """
    @notice Returns the most shares that `owner` can redeem.
    @param owner The 20-byte address of the holder.
    @param loss The loss that is not booked yet (the greatest uint256 = unknown).
    @return uint256 The shares.
    """
    if self._is_exit_closed(owner, loss):
        return 0
    shares: uint256 = erc20.balanceOf[owner]
    worth: uint256 = self._assets_for(shares, loss, False)
    ready: uint256 = strategy_book._ready(worth)
    return shares if worth <= ready else self._shares_for(ready, loss, False)


@internal
@pure
def _check_entry(wanted: uint256, limit: uint256):
    """
    @notice Refuses a deposit that is too large.
    @param wanted The assets or shares.
    @param limit The most that they may be.
    """
    assert wanted <= limit, "gold_vault: exceeds deposit limit"


@internal
@pure
def _check_exit(wanted: uint256, limit: uint256):
    """
    @notice Refuses a withdrawal that is too large.
    @param wanted The assets or shares.
    @param limit The most that they may be.
    """
    assert wanted <= limit, "gold_vault: exceeds withdrawable"


# --- Movements ---------------------------------------------------------------


@internal
def _adopt_orphans():
    """
    @notice Gives the fee recipient shares for assets that no share owns any more,
            such as profit that unlocks after the last holder has left, so that the
            next deposit is one for one.
    """
    leftover: uint256 = strategy_book._total()
    if erc20.totalSupply == 0 and leftover != 0:
        profit_lock._book(0, leftover, profit_unlock_seconds)
        erc20._mint(self.fee_recipient, leftover)


@internal
def _enter(receiver: address, paid: uint256, received: uint256, shares: uint256):
    """
    @notice Books a deposit.
    @param receiver The 20-byte address that gets the shares.
    @param paid The amount that left the caller.
    @param received The amount that arrived.
    @param shares The shares to mint.
    """
    strategy_book.idle += received
    erc20._mint(receiver, shares)
    self._check_holder(receiver)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=paid, shares=shares)


@internal
def _begin_exit(owner: address):
    """
    @notice Refuses an exit past the queue, and books losses.
    @param owner The 20-byte address whose shares are to be burnt.
    """
    assert self._may_leave(owner), "gold_vault: withdraw through the queue"
    strategy_book._book_losses()


@internal
def _leave(receiver: address, owner: address, assets: uint256, shares: uint256, worth: uint256):
    """
    @notice Burns shares and pays.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt.
    @param assets The assets to pay.
    @param shares The shares to burn.
    @param worth What leaves the books: the assets and the fees of calling them back.
    """
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    # What is left is the rest of the shares' at the price of before.
    rest: uint256 = strategy_book._total() - worth
    shares_of_rest: uint256 = self._shares_for(rest, 0, False)
    erc20._burn(owner, shares)
    strategy_book._pay_out(worth, assets)
    self._adopt_rest(rest, shares_of_rest)
    asset_token._push(asset, receiver, assets)
    log IERC4626.Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)


@internal
def _adopt_rest(rest: uint256, shares_of_rest: uint256):
    """
    @notice Gives the fee recipient the locked profit that a leaver gives up where next
            to nobody is left to get it, at the price of before. A share that is left
            would else come to cost so much that the next deposit loses by rounding.
    @param rest What is left in the books.
    @param shares_of_rest What it was worth in shares before the exit.
    """
    supply: uint256 = erc20.totalSupply
    # By worth as well: shares that are dear themselves are not next to nobody's.
    if min(rest, shares_of_rest) > (supply + 1) * _DUST_PRICE:
        profit_lock._book(0, rest, profit_unlock_seconds)
        erc20._mint(self.fee_recipient, shares_of_rest - supply)


@internal
def _move(owner: address, to: address, amount: uint256):
    """
    @notice Moves shares.
    @param owner The 20-byte address that holds them.
    @param to The 20-byte address that gets them.
    @param amount The shares.
    """
    erc20._transfer(owner, to, amount)
    self._check_holder(to)


@internal
@view
def _check_holder(holder: address):
    """
    @notice Refuses shares to those who could not give them back.
    @param holder The 20-byte address that gets shares: not this contract's, and the
           queue's only where the queue itself takes them.
    """
    share_token._check_receiver(holder)
    assert holder != queue or msg.sender == queue, "gold_vault: request through the queue"


# --- Settings ----------------------------------------------------------------


@internal
@view
def _check_runs(is_needed: bool):
    """
    @notice Refuses what a vault that only winds down does no more.
    @param is_needed Whether it is such a thing.
    """
    assert not (is_needed and self.is_shutdown), "gold_vault: shut down"


@internal
def _set_deposit_cap(deposit_cap: uint256):
    """
    @notice Sets the deposit cap.
    @dev A finite cap is kept below 2**128, so that quotes cannot overflow.
    @param deposit_cap The assets (the greatest uint256 = no limit).
    """
    assert (
        deposit_cap == max_value(uint256) or deposit_cap <= convert(max_value(uint128), uint256)
    ), "gold_vault: cap above 2**128"
    self.deposit_cap = deposit_cap
    log DepositCapSet(deposit_cap=deposit_cap)


@internal
def _set_fee_recipient(fee_recipient: address):
    """
    @notice Sets the fee recipient.
    @param fee_recipient The 20-byte address.
    """
    assert fee_recipient != empty(address), "gold_vault: fee recipient is the zero address"
    self._check_holder(fee_recipient)
    self.fee_recipient = fee_recipient
    log FeeRecipientSet(fee_recipient=fee_recipient)
