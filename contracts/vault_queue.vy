# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Queue of a Vault's Withdrawals
@custom:contract-name vault_queue
@license GNU Affero General Public License v3.0 only
@notice Holders of a vault that pays nobody else hand in their shares here. Requests of
        one period form a batch; once it has cooled down, anybody has it redeemed, as far
        as the vault's liquidity reaches, at the price of then.
@dev A contract of its own, because the vault's bytecode has no room for it. Shares come
     only by `request_redeem`: the vault refuses all others. Amounts are those of the
     vault's asset, less the token's fee where it takes one.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626


from .modules import asset_token


from .modules import withdrawal_queue
initializes: withdrawal_queue


exports: (
    withdrawal_queue.batches,
    withdrawal_queue.set_aside,
)


interface IQueuedVault:
    def queue() -> address: view


# @dev The longest cooldown and period of a batch, a year.
_YEAR: constant(uint256) = 31_536_000


# @dev The vault; the zero address until it is bound.
vault: public(address)


# @dev The vault's asset.
asset: public(address)


# @dev The wait after a batch ends, and the period of a batch, in seconds.
cooldown_seconds: public(immutable(uint256))
batch_seconds: public(immutable(uint256))


# @dev Binds the vault.
_DEPLOYER: immutable(address)


event VaultBound:
    vault: indexed(address)


@deploy
def __init__(cooldown_seconds_: uint256, batch_seconds_: uint256):
    """
    @notice Deploys a queue for a vault that is yet to come: the vault's address is bound
            once it stands, since the vault has to know the queue's from its start.
    @param cooldown_seconds_ The wait after a batch ends, at most a year.
    @param batch_seconds_ The period of a batch, above zero and at most a year.
    """
    assert batch_seconds_ != 0, "vault_queue: batch period is zero"
    # No batch would ever be over: withdrawals would be stopped for good.
    assert cooldown_seconds_ <= _YEAR, "vault_queue: cooldown above a year"
    assert batch_seconds_ <= _YEAR, "vault_queue: batch period above a year"
    cooldown_seconds = cooldown_seconds_
    batch_seconds = batch_seconds_
    _DEPLOYER = msg.sender


@external
def bind(vault: address):
    """
    @notice Binds the vault for good; deployer only.
    @param vault The 20-byte address of an ERC-4626 vault whose queue is this contract.
    """
    assert msg.sender == _DEPLOYER, "vault_queue: caller is not the deployer"
    assert self.vault == empty(address), "vault_queue: already bound"
    assert staticcall IQueuedVault(vault).queue() == self, "vault_queue: vault has another queue"
    self.vault = vault
    self.asset = staticcall IERC4626(vault).asset()
    log VaultBound(vault=vault)


@external
def request_redeem(shares: uint256) -> uint256:
    """
    @notice Takes the caller's shares, which must be approved, into the batch of the
            present period. They stay shares, and share gains and losses, until the batch
            is settled.
    @param shares The shares to redeem.
    @return uint256 The number of the batch: Unix time // `batch_seconds`.
    """
    batch: uint256 = block.timestamp // batch_seconds
    withdrawal_queue._request(batch, msg.sender, shares)
    assert extcall IERC20(self.vault).transferFrom(msg.sender, self, shares), "vault_queue: transfer failed"
    return batch


@external
def settle_batch(batch: uint256):
    """
    @notice Fills the oldest open batch as far as the vault's liquidity reaches; anyone.
    @dev The price is that of now: a loss since the request is shared.
    @param batch The number of the batch, over for `cooldown_seconds` at least.
    """
    withdrawal_queue._check_is_next(batch)
    ripe_at: uint256 = (batch + 1) * batch_seconds + cooldown_seconds
    assert block.timestamp >= ripe_at, "vault_queue: batch is cooling down"
    shares: uint256 = min(
        withdrawal_queue._open_shares(batch), staticcall IERC4626(self.vault).maxRedeem(self)
    )
    before: uint256 = staticcall IERC20(self.asset).balanceOf(self)
    if shares != 0:
        extcall IERC4626(self.vault).redeem(shares, self, self)
    withdrawal_queue._fill(batch, shares, staticcall IERC20(self.asset).balanceOf(self) - before, before)


@external
def claim_batch(batch: uint256) -> uint256:
    """
    @notice Pays the caller its part of what a batch was filled with, less what it
            has claimed before. Where the asset's issuer has burnt some of what lies
            here, every claim of a batch that was filled before gets the same part.
    @param batch The number of the batch.
    @return uint256 The assets.
    """
    there: uint256 = staticcall IERC20(self.asset).balanceOf(self)
    assets: uint256 = withdrawal_queue._claim(batch, msg.sender, there)
    asset_token._push(self.asset, msg.sender, assets)
    return assets


@external
@view
def pending_shares(batch: uint256, owner: address) -> uint256:
    """
    @notice Returns the owner's shares in a batch that are not filled yet.
    @param batch The number of the batch.
    @param owner The 20-byte address that requested.
    @return uint256 The shares, rounded up.
    """
    return withdrawal_queue._pending(batch, owner)


@external
@view
def claimable_assets(batch: uint256, owner: address) -> uint256:
    """
    @notice Returns what `claim_batch` would pay `owner` now.
    @param batch The number of the batch.
    @param owner The 20-byte address that requested.
    @return uint256 The assets, rounded down.
    """
    claim: uint256 = withdrawal_queue._claimable(batch, owner)
    if claim == 0:
        return 0
    return withdrawal_queue._worth(claim, staticcall IERC20(self.asset).balanceOf(self))
