# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Visitor of a Trial
@custom:contract-name trial_visitor
@license GNU Affero General Public License v3.0 only
@notice FOR THE STAGE ONLY: a contract that calls whatever it is told to, and once more from
        within when the asset tells it of a transfer. It comes back into a contract that has
        not finished yet.
"""


# @dev What is called from within: once, then it is forgotten.
target: address
message: Bytes[1024]


@external
def prepare(target: address, message: Bytes[1024]):
    """
    @notice Keeps a call for the next time that the asset tells of a transfer.
    @param target The 20-byte address of the contract.
    @param message The call's data.
    """
    self.target = target
    self.message = message


@external
def visit(target: address, message: Bytes[1024]):
    """
    @notice Calls a contract, which must succeed.
    @param target The 20-byte address of the contract.
    @param message The call's data.
    """
    raw_call(target, message)


@external
def told():
    """
    @notice Makes the call that was kept, the first time; what it refuses is no matter.
    """
    target: address = self.target
    if target == empty(address):
        return
    self.target = empty(address)
    success: bool = raw_call(target, self.message, revert_on_failure=False)
