# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Who may get Shares in a Pool
@custom:contract-name share_token
@license GNU Affero General Public License v3.0 only
@notice ERC-20 transfers of shares that refuse the pool's own address: what lies there
        is nobody's, and no one could take it out again.
"""


from snekmate.tokens import erc20
uses: erc20


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's shares.
    @param to The 20-byte receiver address, not this contract's.
    @param amount The shares.
    @return bool Always true.
    """
    self._check_receiver(to)
    erc20._transfer(msg.sender, to, amount)
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
    self._check_receiver(to)
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)
    return True


@internal
@view
def _check_receiver(receiver: address):
    """
    @notice Refuses this contract as the holder of its own shares.
    @param receiver The 20-byte address that is to get shares.
    """
    assert receiver != self, "share_token: receiver is the token itself"
