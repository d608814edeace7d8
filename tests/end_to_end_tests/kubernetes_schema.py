"""Checks Kubernetes resources, as YAML has them, against the official client's classes (made from its OpenAPI)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (float, int),
    "object": (),  # anything, such as a number or a name for a port
    "datetime": (str,),
}
KINDS = {
    "v1/Service": "V1Service",
    "v1/PersistentVolumeClaim": "V1PersistentVolumeClaim",
    "apps/v1/Deployment": "V1Deployment",
    "batch/v1/Job": "V1Job",
}


def resource_faults(resource: Mapping[str, Any]) -> list[str]:
    """One line for each field that Kubernetes does not know, misses, or wants in another type."""
    kind = f"{resource['apiVersion']}/{resource['kind']}"
    if kind != "kubernetes.dask.org/v1/DaskCluster":
        return [*_faults(KINDS[kind], resource, kind)]
    # Its definition: pods and the service as in Kubernetes, the rest by name.
    spec, worker, scheduler = (
        resource["spec"],
        *(resource["spec"][part] for part in ("worker", "scheduler")),
    )
    assert (set(spec), set(worker), set(scheduler)) == (
        {"scheduler", "worker"},
        {"replicas", "spec"},
        {"spec", "service"},
    )
    return [
        *_faults("V1ObjectMeta", resource["metadata"], f"{kind}.metadata"),
        *_faults("int", worker["replicas"], f"{kind}.worker.replicas"),
        *_faults("V1PodSpec", worker["spec"], f"{kind}.worker.spec"),
        *_faults("V1PodSpec", scheduler["spec"], f"{kind}.scheduler.spec"),
        *_faults("V1ServiceSpec", scheduler["service"], f"{kind}.scheduler.service"),
    ]


def _faults(wanted: str, value: Any, where: str) -> Iterator[str]:
    if wanted in PLAIN:
        # In Python, a bool is an int.
        if type(value) not in PLAIN[wanted] and wanted != "object":
            yield f"{where}: got {value!r}; allowed: {wanted}"
    elif items := re.fullmatch(r"list\[(.*)\]", wanted):
        yield from _list_faults(items[1], value, where)
    elif entries := re.fullmatch(r"dict\[str, (.*)\]", wanted):
        yield from _dict_faults(entries[1], value, where)
    else:
        yield from _object_faults(wanted, value, where)


def _list_faults(wanted: str, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        yield f"{where}: got {value!r}; allowed: a list"
        return
    for i, item in enumerate(value):
        yield from _faults(wanted, item, f"{where}[{i}]")


def _dict_faults(wanted: str, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where}: got {value!r}; allowed: a mapping"
        return
    for name, item in value.items():
        yield from _faults(wanted, item, f"{where}.{name}")


def _object_faults(wanted: str, value: Any, where: str) -> Iterator[str]:
    from kubernetes import client

    if not isinstance(value, Mapping):
        yield f"{where}: got {value!r}; allowed: {wanted}"
        return
    model = getattr(client, wanted)
    own = {yaml_name: name for name, yaml_name in model.attribute_map.items()}
    for name, item in value.items():
        if name not in own:
            yield f"{where}.{name}: got an unknown field; allowed: {', '.join(own)}"
        else:
            yield from _faults(model.openapi_types[own[name]], item, f"{where}.{name}")
    try:
        model(**{own[name]: item for name, item in value.items() if name in own})
    except ValueError as error:  # a field that must be there
        yield f"{where}: {error}"
