"""What `ape console` knows by name: contracts that `ape run deploy` or a devnet has written down.

`ASSAY_DEPLOYMENT` names another file than `runs/deploy/contracts.json`, such as
`runs/devnet/contracts.json`, whose `gold_vault/usdc` is `gold_vault_usdc` here.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ape import Contract, networks

_FILE = "runs/deploy/contracts.json"


def ape_init_extras() -> dict[str, Any]:
    """Return the contracts that stand on the connected node, by name."""
    file = Path(os.environ.get("ASSAY_DEPLOYMENT", _FILE))
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    there = {
        _name(key): Contract(entry["address"], abi=entry["abi"])
        for key, entry in found.items()
        if networks.provider.get_code(entry["address"])
    }
    print(f"{file}: {', '.join(there) or 'none of its contracts stands on this node'}")
    return there


def _name(key: str) -> str:
    return re.sub(r"\W", "_", key.removeprefix("deploy/"))
