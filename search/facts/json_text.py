"""Facts as JSON for scripts."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(facts: dict[str, Any]) -> str:
    """Writes facts as JSON, which knows neither infinity nor what is no number: both become null."""
    return json.dumps(_known(facts), indent=2, ensure_ascii=False, allow_nan=False)


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
