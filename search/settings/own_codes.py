"""Texts of files of the user's own, as a study began with them: these may have been edited since, or be gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

METRIC_CODE = "metric_code"
"""Attribute of a study with a metric of the user's own: the text of its file."""
OBJECTIVE_CODES = "objective_codes"
"""Attribute of a study with objectives of the user's own: the texts of their files, by what names them."""


@dataclass(frozen=True)
class OwnCodes:
    """Texts of files of the user's own, as a study began with them; None or absent: to be read.

    Attributes:
        metric: Of the metric.
        objectives: Of the objectives, by what names them.
    """

    metric: str | None = None
    objectives: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> OwnCodes:
        """Those in a study's attributes."""
        return cls(attributes.get(METRIC_CODE), attributes.get(OBJECTIVE_CODES) or {})
