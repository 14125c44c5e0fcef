# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Books of a Vault over its Strategies
@custom:contract-name strategy_book
@license GNU Affero General Public License v3.0 only
@notice Who holds the vault's assets: what is idle, what each strategy was given
        and has reported since, and what it is worth now. Moves assets between
        them and books losses.
@dev Nothing here is a balance: neither donated assets nor donated shares of a
     strategy count. Strategies are ERC-4626 contracts over the same asset; one
     that does not answer cannot be valued, which stops deposits and withdrawals
     until the admin writes it off. Amounts are in the asset's smallest unit.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626


from snekmate.utils import math


from . import asset_token
from . import try_view


from . import profit_lock
uses: profit_lock


# @dev Every deposit and withdrawal asks every strategy, so there are few.
_MAX_STRATEGIES: constant(uint256) = 8


# @dev The asset, which the importing contract exposes.
_ASSET: immutable(address)


# @dev Assets here, as counted inside.
idle: public(uint256)


# @dev What all strategies were given and have reported since.
total_debt: public(uint256)


# @dev The strategies, in the order in which withdrawals ask them.
strategies: public(DynArray[address, _MAX_STRATEGIES])


# @dev What one strategy was given and has reported since.
debt_of: public(HashMap[address, uint256])


# @dev When a strategy last reported, Unix seconds; new debt moves it on, so that debt
# times the time since is what the debt has been over that time.
last_report: public(HashMap[address, uint256])


# @dev Shares of a strategy that its debt bought; donated ones are not among them.
_strategy_shares: HashMap[address, uint256]


event StrategyAdded:
    strategy: indexed(address)


event StrategyRevoked:
    strategy: indexed(address)


event DebtUpdated:
    strategy: indexed(address)
    old_debt: uint256
    new_debt: uint256


event StrategyReported:
    strategy: indexed(address)
    gain: uint256
    loss: uint256
    current_debt: uint256
    fees: uint256


@deploy
def __init__(asset_: address):
    """
    @notice Starts without assets and without strategies.
    @param asset_ The 20-byte address of the asset.
    """
    assert asset_ != empty(address), "strategy_book: asset is the zero address"
    _ASSET = asset_


@internal
@view
def _total() -> uint256:
    """
    @notice Returns idle assets plus all debt.
    @return uint256 The assets.
    """
    return self.idle + self.total_debt


@internal
@view
def _try_value_of(strategy: address) -> (bool, uint256):
    """
    @notice Returns whether a strategy can be valued, and what its debt is worth.
    @param strategy The 20-byte address of the strategy.
    @return bool Whether it answered.
    @return uint256 The assets behind the shares that the debt bought.
    """
    return try_view._uint256(
        strategy, abi_encode(self._strategy_shares[strategy], method_id=method_id("convertToAssets(uint256)"))
    )


@internal
@view
def _value_of(strategy: address) -> uint256:
    """
    @notice Returns what a strategy's debt is worth now.
    @param strategy The 20-byte address of the strategy.
    @return uint256 The assets.
    """
    known: bool = False
    value: uint256 = 0
    known, value = self._try_value_of(strategy)
    self._check_valued(known)
    return value


@internal
@pure
def _check_valued(known: bool):
    """
    @notice Refuses to go on where a strategy does not answer.
    @param known Whether all did.
    """
    assert known, "strategy_book: strategy cannot be valued"


@internal
@view
def _try_unbooked_loss() -> uint256:
    """
    @notice Returns what is missing here and at strategies worth less than their
            debt: what the next deposit or withdrawal will book.
    @return uint256 The loss; the greatest uint256 where a strategy does not answer.
    """
    loss: uint256 = self._missing()
    for strategy: address in self.strategies:
        debt: uint256 = self.debt_of[strategy]
        if debt == 0:
            continue
        known: bool = False
        value: uint256 = 0
        known, value = self._try_value_of(strategy)
        if not known:
            return max_value(uint256)
        loss += debt - min(debt, value)
    return loss


@internal
@view
def _unbooked_loss() -> uint256:
    """
    @notice Returns what `_try_unbooked_loss` does, and reverts where that is unknown.
    @return uint256 The loss.
    """
    loss: uint256 = self._try_unbooked_loss()
    self._check_valued(loss != max_value(uint256))
    return loss


@internal
@view
def _missing() -> uint256:
    """
    @notice Returns what of the idle assets is not there: an issuer can burn a frozen
            balance. More than is counted changes nothing.
    @return uint256 The assets.
    """
    return self.idle - min(self.idle, staticcall IERC20(_ASSET).balanceOf(self))


@internal
@view
def _ready(assets: uint256) -> uint256:
    """
    @notice Returns what could leave the books now: idle assets and what strategies
            would return, before the fee of that transfer.
    @dev Strategies are only asked until `assets` are found.
    @param assets The assets that are needed.
    @return uint256 The assets that are there; not all of them where enough are.
    """
    ready: uint256 = self.idle - self._missing()
    for strategy: address in self.strategies:
        if ready >= assets:
            break
        ready += self._callable(strategy)
    return ready


@internal
@view
def _exit_fees(amount: uint256, is_net: bool) -> uint256:
    """
    @notice Returns the token's fees on what is called back for a leaver, who bears them
            as in Yearn V3.
    @param amount What leaves the books, or what of it leaves the vault; beyond the
           liquidity no fee is known.
    @param is_net Whether it is what leaves the vault, so that the fees come on top.
    @return uint256 The fees.
    """
    fees: uint256 = 0
    rest: uint256 = amount - min(amount, self.idle - self._missing())
    for strategy: address in self.strategies:
        if rest == 0:
            break
        called: uint256 = self._whole_shares(strategy, asset_token._gross(_ASSET, rest) if is_net else rest)
        arrives: uint256 = asset_token._net(_ASSET, called)
        fees += called - arrives
        rest -= min(rest, arrives if is_net else called)
    return fees


@internal
@view
def _whole_shares(strategy: address, wanted: uint256) -> uint256:
    """
    @notice Returns all that the shares are worth which `wanted` burns. Where one share
            is worth much, the rest of the last one would be lost to the strategy's
            other holders.
    @param strategy The 20-byte address of the strategy.
    @param wanted The assets, as far as its liquidity reaches.
    @return uint256 The assets to call back, at most its liquidity.
    """
    liquid: uint256 = self._callable(strategy)
    if liquid == 0:
        return 0
    shares: uint256 = self._strategy_shares[strategy]
    value: uint256 = self._value_of(strategy)
    return min(liquid, self._by_whole_shares(min(wanted, liquid), shares, value, True))


@internal
@pure
def _by_whole_shares(amount: uint256, shares: uint256, worth: uint256, round_up: bool) -> uint256:
    """
    @notice Returns what whole shares of a strategy are worth.
    @param amount The assets that they are to be worth.
    @param shares The shares that the debt bought, above zero.
    @param worth What those are worth, above zero.
    @param round_up Whether they are worth the amount at least, instead of at most.
    @return uint256 The assets.
    """
    return math._mul_div(math._mul_div(amount, shares, worth, round_up), worth, shares, False)


@internal
@view
def _callable(strategy: address) -> uint256:
    """
    @notice Returns what can be called back from a strategy now.
    @param strategy The 20-byte address of the strategy.
    @return uint256 The assets: at most its debt, its worth and its liquidity, this by
            whole shares where one costs two units or more.
    """
    debt: uint256 = self.debt_of[strategy]
    # Frozen assets do not come back, whatever the strategy promises.
    if debt == 0 or asset_token._is_stopped(_ASSET, strategy):
        return 0
    known: bool = False
    value: uint256 = 0
    known, value = self._try_value_of(strategy)
    liquid: uint256 = 0
    known, liquid = try_view._uint256(strategy, abi_encode(self, method_id=method_id("maxWithdraw(address)")))
    shares: uint256 = self._strategy_shares[strategy]
    most: uint256 = min(debt, min(value, liquid))
    # Where liquidity ends within a dear share, all of it would be burnt for a part.
    if value // 2 < shares:
        return most
    return self._by_whole_shares(most, shares, value, False)


@internal
def _add(strategy: address):
    """
    @notice Appends a strategy to the queue, without debt.
    @param strategy The 20-byte address of an ERC-4626 contract over the same asset.
    """
    assert strategy not in self.strategies, "strategy_book: strategy is there already"
    assert strategy != self, "strategy_book: strategy is the vault"
    assert staticcall IERC4626(strategy).asset() == _ASSET, "strategy_book: strategy has another asset"
    assert len(self.strategies) < _MAX_STRATEGIES, "strategy_book: too many strategies"
    self.strategies.append(strategy)
    self.last_report[strategy] = block.timestamp
    log StrategyAdded(strategy=strategy)


@internal
@view
def _check_is_strategy(strategy: address):
    """
    @notice Refuses an address that is not in the queue.
    @param strategy The 20-byte address.
    """
    assert strategy in self.strategies, "strategy_book: not a strategy"


@internal
def _remove(strategy: address):
    """
    @notice Takes a strategy out of the queue; the others keep their order. Shares
            of it that are left here are given up.
    @param strategy The 20-byte address of the strategy.
    """
    kept: DynArray[address, _MAX_STRATEGIES] = []
    for other: address in self.strategies:
        if other != strategy:
            kept.append(other)
    self.strategies = kept
    self._strategy_shares[strategy] = 0
    log StrategyRevoked(strategy=strategy)


@internal
def _move_towards(strategy: address, target_debt: uint256) -> uint256:
    """
    @notice Moves assets so that the strategy's debt gets as near to the target as
            idle assets, its limits and its liquidity allow.
    @param strategy The 20-byte address of the strategy.
    @param target_debt The debt to reach.
    @return uint256 The new debt.
    """
    debt: uint256 = self.debt_of[strategy]
    if target_debt > debt:
        room: uint256 = staticcall IERC4626(strategy).maxDeposit(self)
        self._place(strategy, min(target_debt - debt, min(self.idle - self._missing(), room)))
    else:
        self._call_back(strategy, min(debt - target_debt, self._callable(strategy)), False)
    log DebtUpdated(strategy=strategy, old_debt=debt, new_debt=self.debt_of[strategy])
    return self.debt_of[strategy]


@internal
def _book_losses():
    """
    @notice Books what is missing here, under this contract's own address, and the
            loss of every strategy that is worth less than its debt.
    """
    missing: uint256 = self._missing()
    if missing != 0:
        self.idle -= missing
        profit_lock._book(0, missing, 0)
        log StrategyReported(strategy=self, gain=0, loss=missing, current_debt=self.idle, fees=0)
    for strategy: address in self.strategies:
        if self.debt_of[strategy] != 0:
            self._book_loss(strategy, self._value_of(strategy))


@internal
def _book_loss(strategy: address, worth: uint256):
    """
    @notice Lowers a strategy's debt to what it is worth, if that is less.
    @param strategy The 20-byte address of the strategy.
    @param worth What its debt is worth.
    """
    debt: uint256 = self.debt_of[strategy]
    if worth < debt:
        self._book(strategy, 0, debt - worth, 0, 0)


@internal
def _book_report(strategy: address, worth: uint256, fees: uint256, unlock_seconds: uint256):
    """
    @notice Sets a strategy's debt to what it is worth and dates its report.
    @param strategy The 20-byte address of the strategy.
    @param worth What its debt is worth.
    @param fees The fees that the profit pays.
    @param unlock_seconds How long a profit takes to unlock, in seconds.
    """
    debt: uint256 = self.debt_of[strategy]
    common: uint256 = min(debt, worth)
    self._book(strategy, worth - common, debt - common, fees, unlock_seconds)
    self.last_report[strategy] = block.timestamp


@internal
def _book(strategy: address, gain: uint256, loss: uint256, fees: uint256, unlock_seconds: uint256):
    """
    @notice Books a gain or a loss of a strategy, and locks or unlocks profit.
    @param strategy The 20-byte address of the strategy.
    @param gain What its debt gained.
    @param loss What its debt lost.
    @param fees The fees, which count like a loss.
    @param unlock_seconds How long a profit takes to unlock, in seconds.
    """
    debt: uint256 = self.debt_of[strategy] + gain - loss
    self.debt_of[strategy] = debt
    self.total_debt = self.total_debt + gain - loss
    profit_lock._book(gain, loss + fees, unlock_seconds)
    log StrategyReported(strategy=strategy, gain=gain, loss=loss, current_debt=debt, fees=fees)


@internal
def _place(strategy: address, amount: uint256):
    """
    @notice Gives idle assets to a strategy; what it takes becomes its debt.
    @param strategy The 20-byte address of the strategy.
    @param amount The assets, at most those idle.
    """
    if amount == 0:
        return
    # The management fee's time is that of the debt there was; new debt starts now.
    debt: uint256 = self.debt_of[strategy]
    elapsed: uint256 = block.timestamp - self.last_report[strategy]
    self.last_report[strategy] = block.timestamp - elapsed * debt // (debt + amount)
    assets_before: uint256 = staticcall IERC20(_ASSET).balanceOf(self)
    shares_before: uint256 = staticcall IERC20(strategy).balanceOf(self)
    self._approve(strategy, amount)
    extcall IERC4626(strategy).deposit(amount, self)
    self._approve(strategy, 0)
    taken: uint256 = assets_before - staticcall IERC20(_ASSET).balanceOf(self)
    self._strategy_shares[strategy] += staticcall IERC20(strategy).balanceOf(self) - shares_before
    self.idle -= taken
    self.debt_of[strategy] += taken
    self.total_debt += taken
    self._book_loss(strategy, self._value_of(strategy))


@internal
def _approve(strategy: address, amount: uint256):
    """
    @notice Lets a strategy take assets.
    @param strategy The 20-byte address of the strategy.
    @param amount The most that it may take.
    """
    assert extcall IERC20(_ASSET).approve(strategy, amount, default_return_value=True), "strategy_book: approval failed"


@internal
def _call_back(strategy: address, amount: uint256, is_for_leaver: bool):
    """
    @notice Withdraws from a strategy. What does not arrive, such as a transfer fee, is
            taken off what a leaver is paid; without one it is a loss, unless unreported
            gains cover it.
    @param strategy The 20-byte address of the strategy.
    @param amount The assets, at most its debt.
    @param is_for_leaver Whether it pays a leaver.
    """
    if amount == 0:
        return
    assets_before: uint256 = staticcall IERC20(_ASSET).balanceOf(self)
    shares_before: uint256 = staticcall IERC20(strategy).balanceOf(self)
    extcall IERC4626(strategy).withdraw(amount, self, self)
    received: uint256 = staticcall IERC20(_ASSET).balanceOf(self) - assets_before
    self._strategy_shares[strategy] -= shares_before - staticcall IERC20(strategy).balanceOf(self)
    repaid: uint256 = min(received, self.debt_of[strategy])
    if is_for_leaver:
        # What is short of the fee that he was quoted would be the others' loss.
        self._check_paid(received, asset_token._net(_ASSET, amount))
        repaid = amount
    self.idle += received
    self.debt_of[strategy] -= repaid
    self.total_debt -= repaid
    self._book_loss(strategy, self._value_of(strategy))


@internal
def _pay_out(worth: uint256, paid: uint256):
    """
    @notice Takes `worth` out of the books, of which `paid` leaves: calls so much back
            from the strategies, in their order, that it is idle.
    @param worth What leaves the books, at most the liquidity.
    @param paid What the fees leave of it.
    """
    rest: uint256 = worth - min(worth, self.idle)
    for strategy: address in self.strategies:
        if rest == 0:
            break
        called: uint256 = self._whole_shares(strategy, rest)
        self._call_back(strategy, called, True)
        rest -= min(rest, called)
    self._check_paid(self.idle, paid)
    self.idle -= paid


@internal
@pure
def _check_paid(received: uint256, due: uint256):
    """
    @notice Refuses to pay a leaver with what is the others'.
    @param received What the strategies returned.
    @param due What they had to return.
    """
    assert received >= due, "strategy_book: strategies paid too little"
