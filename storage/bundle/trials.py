"""Trials as lines of JSON and back, each as the ledger has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.bundle.members import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optuna.trial import FrozenTrial

INTERRUPTED_NOTE = "its process ended without closing it"


def trial_lines(trials: Iterable[FrozenTrial]) -> list[dict[str, Any]]:
    """Returns the trials in the order of their numbers, as mappings for JSON.

    A running trial has no process any more where the study's lock is free. It is written as a resumed search
    would leave it: failed as interrupted, and its configuration waiting again under the next free number.
    """
    lines = [trial_to_json(trial) for trial in sorted(trials, key=lambda trial: trial.number)]
    abandoned = [line for line in lines if line["state"] == "RUNNING"]
    for line in abandoned:
        configuration = line["params"] or line["system_attrs"].get("fixed_params")
        if configuration:
            lines.append(_waiting_again(line["number"], configuration, len(lines)))
        line |= {
            "state": "FAIL",
            "complete": line["start"],
            "user_attrs": ordered(line["user_attrs"] | {"interrupted": True, "reason": INTERRUPTED_NOTE}),
        }
    return lines


def _waiting_again(retry_of: int, configuration: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        "number": number,
        "state": "WAITING",
        "values": None,
        "start": None,
        "complete": None,
        "params": {},
        "distributions": {},
        "user_attrs": {"retry_of": retry_of},
        "system_attrs": {"fixed_params": configuration},
        "intermediate_values": [],
    }


def trial_to_json(trial: FrozenTrial) -> dict[str, Any]:
    """Returns a trial as a mapping for JSON, its times in UTC to the microsecond."""
    from optuna.distributions import distribution_to_json

    return {
        "number": trial.number,
        "state": trial.state.name,
        "values": None if trial.values is None else [_plain(value) for value in trial.values],
        "start": _to_utc(trial.datetime_start),
        "complete": _to_utc(trial.datetime_complete),
        "params": ordered({name: _plain(value) for name, value in trial.params.items()}),
        "distributions": ordered({n: distribution_to_json(d) for n, d in trial.distributions.items()}),
        "user_attrs": ordered(trial.user_attrs),
        "system_attrs": ordered(trial.system_attrs),
        "intermediate_values": [[s, _plain(v)] for s, v in sorted(trial.intermediate_values.items())],
    }


def trial_from_json(line: Mapping[str, Any]) -> FrozenTrial:
    """Makes a trial for `Study.add_trials` from what `trial_to_json` returned.

    Raises:
        KeyError: If a field is missing; TypeError and ValueError, if one is malformed.
    """
    from optuna.distributions import json_to_distribution
    from optuna.trial import FrozenTrial, TrialState

    return FrozenTrial(
        number=line["number"],
        trial_id=-1,
        state=TrialState[line["state"]],
        value=None,
        values=line["values"],
        datetime_start=_to_local(line["start"]),
        datetime_complete=_to_local(line["complete"]),
        params=dict(line["params"]),
        distributions={name: json_to_distribution(text) for name, text in line["distributions"].items()},
        user_attrs=dict(line["user_attrs"]),
        system_attrs=dict(line["system_attrs"]),
        intermediate_values=dict(line["intermediate_values"]),
    )


def _plain(value: Any) -> Any:
    # SQLite keeps no sign of a zero, so a bundle has none, or it would change on its way.
    return value + 0.0 if isinstance(value, float) else value


def _to_utc(moment: datetime | None) -> str | None:
    # Optuna's moments are naive and local; another machine may be in another time zone.
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _to_local(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    local = moment.astimezone().replace(tzinfo=None)
    # In the hour that clocks repeat in autumn, only the fold tells which of the two it was.
    return local if local.astimezone(UTC) == moment else local.replace(fold=1)
