# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Question to an ERC-3643 Compliance
@custom:contract-name compliance_check
@license GNU Affero General Public License v3.0 only
@notice Stops what the rules of a security token forbid, in the rules' own words where
        the compliance has them: the standard's answer is a bare yes or no.
"""


from ..interfaces import ICompliance


@internal
@view
def _check(compliance: address, sender: address, receiver: address, amount: uint256):
    """
    @notice Reverts unless a compliance allows a transfer, or a mint from the zero address.
    @param compliance The 20-byte address of the compliance.
    @param sender The 20-byte address of the sender.
    @param receiver The 20-byte address of the receiver.
    @param amount Token wei.
    """
    if staticcall ICompliance(compliance).canTransfer(sender, receiver, amount):
        return
    success: bool = False
    answer: Bytes[160] = b""
    success, answer = raw_call(
        compliance,
        abi_encode(sender, receiver, amount, method_id=method_id("refusal_of(address,address,uint256)")),
        max_outsize=160,
        is_static_call=True,
        revert_on_failure=False,
    )
    if success and len(answer) != 0:
        raise abi_decode(answer, String[64])
    raise "compliance_check: the rules forbid it"
