"""What a hostile page, visitor or file can do at the front door: nothing. Each request is a real one.

./dev pytest tests/end_to_end_tests/test_front_door_attacks.py
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.storages import InMemoryStorage

from benchmarks.synthetic_study import make_study
from search.config import BODY_BYTES
from search.web.app import DASHBOARD_PATHS
from storage.ledger import open_ledger
from storage.record.run_pages import GRAPHQL, PREFIX, READING_POSTS
from tests.browser import open_page
from tests.end_to_end_tests.front_door import open_front_door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.end_to_end_tests.front_door import FrontDoor
    from tests.end_to_end_tests.project import Project

CHANGING = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get")
EVIL = b"<!doctype html><script>document.title = 'owned'; fetch('/live')</script>"
SECRET = "nobody shall read this"  # noqa: S105 - a test's own
TOKEN = "a-token-of-a-test-of-32-letters-"  # noqa: S105 - a test's own


@pytest.fixture(scope="module")
def attacked(new_project: Callable[[str], Project]) -> Project:
    """A project with a study, a run and an HTML file in each place that a page serves files from."""
    project = new_project("attacked")
    mlruns = project.home / "mlruns"
    (project.home / "secret.txt").write_text(SECRET, encoding="utf-8")
    study = make_study(open_ledger(f"sqlite:///{mlruns / 'optuna.db'}"), "attacked", 20)
    evil = project.home / "evil.html"
    evil.write_bytes(EVIL)
    store = FileSystemArtifactStore(str(mlruns / "dashboard_artifacts"))
    (mlruns / "dashboard_artifacts").mkdir()
    upload_artifact(artifact_store=store, file_path=str(evil), study_or_trial=study, mimetype="text/html")
    (mlruns / "submissions").mkdir()
    (mlruns / "submissions" / "evil.html").write_bytes(EVIL)
    _run_with(evil, mlruns)
    return project


@pytest.fixture(scope="module")
def door(attacked: Project) -> Iterator[FrontDoor]:
    """Its front door; when all attacks are over, the project is what it was before, byte for byte."""
    before = _state(attacked.home)
    with open_front_door(attacked) as door:
        yield door
    assert _state(attacked.home) == before


def _run_with(file: Path, mlruns: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{mlruns / 'mlflow.db'}")
    experiment = client.create_experiment("attacked", artifact_location=(mlruns / "1").as_uri())
    run = client.create_run(experiment)
    client.log_metric(run.info.run_id, "cv_rmse_mean", 1.0)
    client.log_artifact(run.info.run_id, str(file))
    client.set_terminated(run.info.run_id)


def _state(home: Path) -> dict[str, str]:
    """All files by checksum, a database by what it says rather than by its bytes."""
    found = {}
    for path in sorted(home.rglob("*")):
        if path.suffix == ".db" and not path.is_symlink():
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
                found[path.name] = "\n".join(connection.iterdump())
        elif path.is_file() and not path.name.endswith(("-wal", "-shm")):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _dashboard_paths() -> set[str]:
    from optuna_dashboard import wsgi

    return {_filled(route.rule.replace("<:re:(/.*)?>", "/x")) for route in wsgi(InMemoryStorage()).routes}


def _mlflow_paths() -> set[str]:
    from mlflow.server import app

    return {PREFIX + _filled(rule.rule) for rule in app.url_map.iter_rules()}


def _filled(rule: str) -> str:
    return re.sub(r"<[^<>]*(<[^<>]*>)?[^<>]*>", "1", rule)


def test_no_method_changes_anything_on_any_route(door: FrontDoor) -> None:
    """Each changing method on each route that the apps themselves name is refused, but for listed readings."""
    paths = _dashboard_paths() | _mlflow_paths() | {"/", "/live", "/submissions/evil.html", "/nowhere"}
    readings = {f"{PREFIX}/{api}/{path}" for path in READING_POSTS for api in ("api", "ajax-api")}
    assert len(paths) > 300

    let_in = {
        (method, path)
        for path in paths
        for method in CHANGING
        if not (method == "POST" and path in readings)
        and door.ask(method, path, body=b"{}").status not in {400, 403, 405}
    }

    assert let_in == set()


def test_the_list_of_readings_names_routes_that_there_are(door: FrontDoor) -> None:
    """No entry outlives the route it was written for, and all are answered."""
    routes = {path.removeprefix(f"{PREFIX}/ajax-api/") for path in _mlflow_paths()}
    headers = {"Content-Type": "application/json"}
    refused = [
        path
        for path in READING_POSTS
        if door.ask("POST", f"{PREFIX}/ajax-api/{path}", body=b"{}", headers=headers).status in {403, 405}
    ]

    assert routes >= READING_POSTS
    assert refused == []


def test_all_paths_of_the_dashboard_are_behind_the_door() -> None:
    """A path that a new version adds is noticed here, and not by whoever finds a page broken."""
    ours = [re.compile(re.sub(r"\{rest:path\}", ".*", path)) for path in DASHBOARD_PATHS]
    # Assistants need a provider of language models, which is never given.
    paths = {path for path in _dashboard_paths() if path != "/" and not path.startswith("/api/llm")}

    assert [path for path in paths if not any(one.fullmatch(path) for one in ours)] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ('query { mlflowGetExperiment(input: {experimentId: "1"}) { experiment { name } } }', 200),
        ('mutation { testMutation(inputString: "x") { output } }', 405),
        ('query A { __typename } mutation B { testMutation(inputString: "x") { output } }', 405),
        ("subscription { x }", 405),
        ("{" * 5_000, 405),
        ("not a query", 405),
    ],
)  # fmt: skip
def test_graphql_takes_queries_only(door: FrontDoor, query: str, status: int) -> None:
    """A mutation is refused before MLflow sees it, also one that is hidden beside a query."""
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"query": query}).encode()

    assert door.ask("POST", GRAPHQL, body=body, headers=headers).status == status
    assert door.ask("GET", f"{GRAPHQL}?query={{__typename}}").status == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
@pytest.mark.parametrize("path", ["/live", "/api/studies", f"{PREFIX}/", f"{PREFIX}/get-artifact?path=x"])
def test_other_sites_get_nothing(door: FrontDoor, headers: dict[str, str], path: str) -> None:
    """A name that was bound to this address meanwhile, or a page of another origin, is refused before any page."""
    answer = door.ask("GET", path, headers=headers)

    assert answer.status in {400, 403}
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_link_from_elsewhere_still_opens_the_page(door: FrontDoor) -> None:
    """Somebody who clicks on the address in a message is let in; a form that posts from there is not."""
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    assert door.ask("GET", "/", headers=link).status == 200
    assert (
        door.ask("POST", f"{PREFIX}/ajax-api/2.0/mlflow/runs/search", body=b"{}", headers=link).status == 403
    )


@pytest.mark.parametrize(
    "path",
    [
        *("/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"),
        *("/submissions/..%2f..%2fsecret.txt", "/submissions/%252e%252e%252fsecret.txt", "//secret.txt"),
        *("/static/..%2f..%2fsecret.txt", "/static/..%5c..%5csecret.txt", "/submissions/secret.txt%00.csv"),
        *("/artifacts/1/..%2f..%2fsecret.txt", f"{PREFIX}/static-files/..%2f..%2fsecret.txt"),
        *(f"{PREFIX}/get-artifact?run_id=RUN&path={p}" for p in ("../../../secret.txt", "%2e%2e/%2e%2e/secret.txt")),
        *(f"{PREFIX}/get-artifact?run_id=RUN&path={p}" for p in ("%252e%252e%252fsecret.txt", "/etc/passwd")),
        f"{PREFIX}/ajax-api/2.0/mlflow/artifacts/list?run_id=RUN&path=../../..",
    ],
)  # fmt: skip
def test_no_path_leads_out(door: FrontDoor, path: str) -> None:
    """However a way up is written, no file outside the served folders is given, nor a list of them."""
    answer = door.ask("GET", path.replace("RUN", _run_id(door)))

    assert 400 <= answer.status < 500
    assert SECRET.encode() not in answer.body
    assert b"root:" not in answer.body


def _run_id(door: FrontDoor) -> str:
    return str(door.project.mlflow_runs()[0].info.run_id)


def _evil_files(door: FrontDoor) -> list[str]:
    study = door.project.study("attacked")
    attributes = study._storage.get_study_system_attrs(study._study_id)
    (key,) = [key for key in attributes if key.startswith("artifacts:")]
    return [
        f"/artifacts/{study._study_id}/{key.removeprefix('artifacts:')}",
        f"{PREFIX}/get-artifact?run_id={_run_id(door)}&path=evil.html",
        "/submissions/evil.html",
    ]


def test_a_stored_page_is_never_run(door: FrontDoor, chromium: Browser) -> None:
    """An HTML file among the artifacts is something to save, in whatever way a browser is brought to open it."""
    for path in _evil_files(door):
        answer = door.ask("GET", path)
        assert answer.body == EVIL
        assert answer.headers["content-disposition"].startswith("attachment")
        assert not re.search("html|svg|xml|script", answer.headers["content-type"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        with open_page(chromium) as page:
            with page.expect_download() as saved:
                page.evaluate("address => { location.href = address; }", door.address + path)
            assert saved.value.path().read_bytes() == EVIL


def test_all_answers_are_guarded(door: FrontDoor) -> None:
    """Pages, answers of the two apps, files and refusals alike: no frame, no guess, no foreign script, no name."""
    refused = door.ask("DELETE", "/api/studies/1")
    paths = (
        "/",
        "/live",
        "/assets/live.js",
        "/nowhere",
        "/dashboard",
        "/api/studies",
        f"{PREFIX}/",
        f"{PREFIX}/version",
    )
    for answer in [refused, *(door.ask("GET", path) for path in paths)]:
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert (
            "'unsafe-inline'"
            not in answer.headers["content-security-policy"].split("script-src")[-1].split(";")[0]
        )
        assert "server" not in answer.headers
    assert refused.body.count(b"\n") == 1


def test_oversized_requests_are_refused(door: FrontDoor) -> None:
    """By what they say of themselves before a byte of them is read, and by what they are; and endless headers."""
    path = f"{PREFIX}/ajax-api/2.0/mlflow/runs/search"
    chunks = b"%x\r\n" % (BODY_BYTES + 1) + b" " * (BODY_BYTES + 1) + b"\r\n0\r\n\r\n"

    assert door.ask("POST", path, headers={"Content-Length": "99999999999"}).status == 413
    assert door.ask("POST", path, headers={"Content-Length": "-5"}).status == 400
    assert _sent_raw(door, path, chunks, {"Transfer-Encoding": "chunked"}) == 413
    assert door.ask("GET", "/", headers={"X-Long": "x" * 100_000}).status in {400, 431}
    assert door.ask("GET", "/" + "x" * 100_000).status in {400, 431}


def _sent_raw(door: FrontDoor, path: str, body: bytes, headers: dict[str, str]) -> int:
    with closing(door._connection()) as connection:
        connection.putrequest("POST", path, skip_host=True)
        for name, value in {"Host": f"127.0.0.1:{door.port}", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status


def test_off_this_machine_it_needs_a_login_and_tls(attacked: Project, tmp_path: Path) -> None:
    """All lacking things are named at once; with them nobody is let in without the token, or without TLS."""
    bare = attacked.run("serve", "--host", "0.0.0.0", "--port", "0", code=2)  # noqa: S104 - what is refused
    chain, key = _certificate(tmp_path)
    flags = ("--host", "0.0.0.0", "--tls-cert", str(chain), "--tls-key", str(key), "--token", TOKEN)  # noqa: S104

    with open_front_door(attacked, *flags) as door:
        assert door.address.startswith("https://")
        assert door.ask("GET", "/").status == 401
        assert door.ask("GET", f"{PREFIX}/version").status == 401
        assert door.ask("GET", "/", headers={"Authorization": f"Bearer {TOKEN[:-1]}"}).status == 401
        assert door.ask("GET", "/", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200
        assert (
            door.ask("GET", "/", headers={"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}).status
            == 400
        )

    assert len(bare.stderr.splitlines()) == 2
    assert "--token" in bare.stderr
    assert "--tls-cert" in bare.stderr


def test_writable_needs_the_token_and_our_own_page(attacked: Project) -> None:
    """With it a study can be made; without it, or from another site, nothing can."""
    login = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    body = json.dumps({"study_name": "made", "directions": ["minimize"]}).encode()
    with open_front_door(attacked, "--writable", "--token", TOKEN) as door:
        foreign = {**login, "Origin": "http://evil.example"}
        assert door.ask("POST", "/api/studies", body=body).status == 401
        assert door.ask("POST", "/api/studies", body=body, headers=foreign).status == 403
        assert door.ask("POST", "/api/studies", body=body, headers=login).status == 201

        study = attacked.study("made")
        assert door.ask("DELETE", f"/api/studies/{study._study_id}", headers=login).status == 204
    assert optuna.get_all_study_names(study._storage) == ["attacked"]


def _certificate(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "search")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, secret
