"""Where the door opens, and to whom: nothing off this machine without a login and TLS."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from search.config import ServeConfig
from search.faults import InputFaults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN_VARIABLE, USER_VARIABLE = "SEARCH_TOKEN", "SEARCH_USER"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Door:
    """An open, listening socket and its rules.

    Attributes:
        listener: The socket.
        address: As a browser takes it, without a path.
        hosts: Names that a browser may call it by.
        secret: Token, or name and password with a colon between; None: everybody on this machine may come in.
        is_token: Which of the two.
        certificate: Chain and key of TLS, if any.
    """

    listener: socket.socket
    address: str
    hosts: tuple[str, ...]
    secret: str | None
    is_token: bool
    certificate: tuple[Path, Path] | None


def open_door(config: ServeConfig) -> Door:
    """Listens where asked, if that is safe.

    Raises:
        InputFaults: If it is not, the port is taken or a file cannot be used; nothing listens then.
    """
    config = _with_environment(config)
    faults = [*_login_faults(config), *_tls_faults(config)]
    if faults:
        raise InputFaults(faults)
    listener = _listen(config.host, config.port)
    certificate = (config.tls_cert, config.tls_key) if config.tls_cert and config.tls_key else None
    port = listener.getsockname()[1]
    host = f"[{config.host}]" if ":" in config.host else config.host
    return Door(
        listener,
        f"{'https' if certificate else 'http'}://{host}:{port}",
        (*LOOPBACK_NAMES, config.host, *(_certified_names(config.tls_cert) if config.tls_cert else ())),
        config.token or config.user,
        is_token=config.token is not None,
        certificate=certificate,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than `localhost` may lead anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _with_environment(config: ServeConfig) -> ServeConfig:
    # A secret among the arguments is seen by everybody who can list processes.
    if config.token is not None or config.user is not None:
        return config
    found = {"token": os.environ.get(TOKEN_VARIABLE), "user": os.environ.get(USER_VARIABLE)}
    given = {name: value for name, value in found.items() if value}
    try:
        return ServeConfig.model_validate({**config.model_dump(), **given})
    except ValidationError as error:
        names = {"token": TOKEN_VARIABLE, "user": USER_VARIABLE}
        raise InputFaults(
            f"{names[str(one['loc'][0])]}: got a value that is too short or of another form; allowed: 16 characters "
            "for a token, NAME:PASSWORD with 12 for a user; do: set a longer one"
            for one in error.errors()
        ) from None


def _login_faults(config: ServeConfig) -> Iterator[str]:
    has_login = config.token is not None or config.user is not None
    if config.token is not None and config.user is not None:
        yield "--token: got --user as well; allowed: one of them; do: leave one out"
    if config.writable and not has_login:
        yield "--writable: got no --token; allowed: only with --token or --user; do: give one"
    if not is_loopback(config.host):
        where = f"--host: got {config.host}, which other machines can reach"
        if not has_login:
            yield f"{where}, and no login; allowed: only with --token or --user; do: give one, or leave --host out"
        if config.tls_cert is None or config.tls_key is None:
            yield f"{where}, and no TLS; allowed: with --tls-cert and --tls-key; do: give both, or leave --host out"


def _tls_faults(config: ServeConfig) -> Iterator[str]:
    if config.tls_cert is None and config.tls_key is None:
        return
    if config.tls_cert is None or config.tls_key is None:
        if is_loopback(config.host):
            yield "--tls-cert: got one of --tls-cert and --tls-key; allowed: both or none; do: give the other too"
        return
    missing = [
        f"{flag}: got {path}, no such file; allowed: a PEM file; do: correct the path"
        for flag, path in (("--tls-cert", config.tls_cert), ("--tls-key", config.tls_key))
        if not path.is_file()
    ]
    if missing:
        yield from missing
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            config.tls_cert, config.tls_key, ""
        )
    except (ssl.SSLError, OSError) as error:
        yield (
            f"--tls-cert: got {config.tls_cert} and {config.tls_key}, which do not go together ({error}); "
            "allowed: a certificate and its key, PEM, without a passphrase; do: correct one"
        )


def _certified_names(path: Path) -> list[str]:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InputFaults(
            [
                f"--host: got {host}, which is no address ({error}); allowed: one of this machine's; do: correct it"
            ]
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        # Only lets a port be used again that a process has just given up; another's live one stays refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise InputFaults(
            [
                (
                    f"--port: got {host}:{port}, not to be had ({error.strerror}); allowed: a free port; "
                    "do: choose another, or 0 for any"
                )
            ]
        ) from None
    listener.setblocking(False)
    return listener
