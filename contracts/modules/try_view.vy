# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title View that may fail
@custom:contract-name try_view
@license GNU Affero General Public License v3.0 only
@notice Reads one word from a contract that may revert, lack the function, or
        not exist at all.
"""


@internal
@view
def _uint256(target: address, data: Bytes[68]) -> (bool, uint256):
    """
    @notice Returns whether the view answered with a word, and the word.
    @param target The 20-byte address to ask.
    @param data The encoded call, up to two arguments.
    @return bool Whether there was an answer.
    @return uint256 The answer, zero without one.
    """
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(target, data, max_outsize=32, is_static_call=True, revert_on_failure=False)
    if success and len(answer) == 32:
        return True, convert(answer, uint256)
    return False, 0
