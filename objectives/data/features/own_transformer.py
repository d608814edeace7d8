"""A user's scikit-learn transformer, fitted anew inside each training fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.data.features.own import OwnFeatures, OwnFeaturesError

if TYPE_CHECKING:
    import pandas as pd

    from objectives.base import FloatArray

_MOST_ROWS = 20_000


@dataclass(frozen=True)
class OwnTransformer:
    """The transformer and what it is fed.

    Attributes:
        own: The file with `transformer` in it.
        inputs: The raw columns that it is given.
        names: Its feature names in order, the same in each fold.
    """

    own: OwnFeatures
    inputs: tuple[str, ...]
    names: tuple[str, ...]

    def fit(self, rows: pd.DataFrame, target: FloatArray) -> tuple[FloatArray, Any]:
        """Fits a fresh copy on rows of a training fold; returns them transformed, and the fitted copy.

        Raises:
            ValueError: If it gives other columns than it did when the study was opened.
        """
        from sklearn.base import clone

        fitted = clone(self.own.transformer)
        if hasattr(fitted, "fit_transform"):
            encoded = as_matrix(fitted.fit_transform(rows, target))
        else:
            encoded = as_matrix(fitted.fit(rows, target).transform(rows))
        return self._checked(encoded), fitted

    def apply(self, fitted: Any, rows: pd.DataFrame) -> FloatArray:
        """Transforms other rows, shape (n, features)."""
        return self._checked(as_matrix(fitted.transform(rows)))

    def _checked(self, encoded: FloatArray) -> FloatArray:
        if encoded.shape[1] != len(self.names):
            raise ValueError(
                f"{self.own.name}: got {encoded.shape[1]} columns from transformer in a fold; allowed: "
                f"{len(self.names)}, as on all rows; do: let it give the same columns whatever rows it is fitted on"
            )
        return encoded


def open_transformer(own: OwnFeatures, rows: pd.DataFrame, target: FloatArray) -> OwnTransformer | None:
    """Tries the transformer on some training rows: half to fit, half to transform.

    Raises:
        OwnFeaturesError: If it fails, or could not be carried to a served model.
    """
    if own.transformer is None:
        return None
    if not (hasattr(own.transformer, "fit") and hasattr(own.transformer, "transform")):
        raise _fault(
            own, f"a transformer of type {type(own.transformer).__name__}", "give it fit and transform"
        )
    half = min(len(rows), _MOST_ROWS) // 2
    try:
        from sklearn.base import clone

        fitted = clone(own.transformer).fit(rows.iloc[:half], target[:half])
        encoded = as_matrix(fitted.transform(rows.iloc[half : 2 * half]))
        names = _names(fitted, encoded.shape[1])
    except Exception as error:
        text = (str(error).splitlines() or [""])[0]
        raise _fault(own, f"{type(error).__name__}: {text} from transformer", "mend it") from error
    if encoded.shape != (half, len(names)) or not names:
        raise _fault(own, f"shape {encoded.shape} for {half} rows from transformer", "return a row for each")
    _check_carried(own, fitted)
    return OwnTransformer(own, tuple(map(str, rows.columns)), names)


def as_matrix(made: Any) -> FloatArray:
    """What a transformer returned as floats: an array, a table or a sparse matrix."""
    dense = made.toarray() if hasattr(made, "toarray") else made
    matrix = np.asarray(dense, np.float64)
    return matrix.reshape(len(matrix), -1)


def dump(fitted: Any) -> bytes:
    """The fitted transformer without pickle."""
    import skops.io

    content: bytes = skops.io.dumps(fitted)
    return content


def load(content: bytes) -> Any:
    """What `dump` wrote; the user's file must have been executed before."""
    import skops.io

    # The file comes with the user's own source, which runs anyway.
    return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))


def _names(fitted: Any, width: int) -> tuple[str, ...]:
    try:
        names = tuple(f"transformer.{name}" for name in fitted.get_feature_names_out())
    except (AttributeError, ValueError, TypeError):
        names = ()
    return names if len(names) == width else tuple(f"transformer.{i}" for i in range(width))


def _check_carried(own: OwnFeatures, fitted: Any) -> None:
    try:
        load(dump(fitted))
    except Exception as error:
        text = (str(error).splitlines() or [type(error).__name__])[0]
        raise _fault(
            own, f"a transformer that cannot be saved ({text})", "use named functions, no lambdas"
        ) from error


def _fault(own: OwnFeatures, got: str, do: str) -> OwnFeaturesError:
    return OwnFeaturesError(
        f"features: got {got}; allowed: a scikit-learn transformer of raw columns to numbers; do: {do} in {own.name}"
    )
