"""The compose override over a file of VSS's shape, merged by the real Docker Compose."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import Project

ROOT = Path(__file__).parents[2]
ASSETS = "/tmp/assets"  # noqa: S108 -- the engine's own folder, inside its container
ENGINE = "/opt/nvidia/via/via-engine"
DATABASES = {"graph-db", "arango-db", "minio", "milvus-standalone", "elasticsearch"}


def _rewrite(project: Project, change: Any) -> None:
    path = project.upstream / "compose.yaml"
    page = yaml.safe_load(path.read_text())
    change(page["services"])
    path.write_text(yaml.safe_dump(page))


def _as_list(services: dict[str, Any]) -> None:
    services["via-server"]["depends_on"] = sorted(services["via-server"]["depends_on"])


def _fewer_services(services: dict[str, Any]) -> None:
    _as_list(services)
    services["via-server"]["depends_on"] = ["graph-db"]
    for name in ("arango-db", "minio", "elasticsearch"):
        del services[name]


@pytest.fixture(params=[None, _as_list, _fewer_services], ids=["map", "list", "fewer-services"])
def any_project(project: Project, request: pytest.FixtureRequest) -> Project:
    """The stand-in in each shape that checkouts have had."""
    if request.param is not None:
        _rewrite(project, request.param)
    return project


def test_only_the_via_server_starts(any_project: Project) -> None:
    """It waits for nothing, and a bare `up` starts no database either."""
    merged = any_project.config()
    assert set(merged["services"]) == {"via-server"}
    assert "depends_on" not in merged["services"]["via-server"]
    assert merged["name"] == "timetravel"


def test_databases_are_there_for_those_who_ask(project: Project) -> None:
    """By a profile of ours; profiles of NVIDIA's keep to themselves."""
    services = project.config("--profile", "vss-databases")["services"]
    assert set(services) == DATABASES | {"via-server"}
    assert services["minio"]["image"] == "registry.example/minio:1"


def test_the_overrides_are_mounted_singly_and_read_only(project: Project) -> None:
    """Two modules and one package, nothing else of ours inside the engine."""
    overrides = str(ROOT / "vss_overrides")
    binds = [v for v in project.via_server(OVERRIDES_DIR=overrides)["volumes"] if v["type"] == "bind"]
    inside = {v["target"].removeprefix(f"{ENGINE}/"): v for v in binds if v["target"].startswith(ENGINE)}
    assert set(inside) == {
        "models/openai_compat/openai_compat_model.py",
        "vlm_pipeline/__init__.py",
        "chunk_caption",
    }
    for below, volume in inside.items():
        assert volume["source"] == f"{overrides}/{below}"
        assert volume["read_only"] is True
        assert not volume["bind"].get("create_host_path")


def test_what_is_mounted_is_in_the_tree() -> None:
    """Every file of ours that the compose file names, as the kind of thing it says, and where seams.toml has it."""
    named = re.findall(r"vss_overrides\}/([\w./]+)\"", (ROOT / "compose.override.yaml").read_text())
    for below in named:
        path = ROOT / "vss_overrides" / below
        assert path.is_file() if path.suffix else path.is_dir(), path
    seams = tomllib.loads((ROOT / "vss_overrides" / "seams.toml").read_text("utf-8"))
    assert {seam["mount"].rstrip("/") for seam in seams["seam"] if "mount" in seam} == set(named)


def test_overrides_are_found_from_the_folder_of_the_project(project: Project) -> None:
    """With no setting at all, although Compose counts relative paths from NVIDIA's folder."""
    sources = [v["source"] for v in project.via_server()["volumes"] if v["target"].startswith(ENGINE)]
    assert len(sources) == 3
    assert all(source.startswith(f"{project.folder}/vss_overrides/") for source in sources)


def test_a_service_manager_without_a_pwd_says_both_folders(project: Project) -> None:
    """A systemd unit has none; older Compose does not find it out by itself."""
    service = project.via_server(PWD="", OVERRIDES_DIR="/srv/overrides", VIA_MEDIA_DIR="/srv/media")
    sources = {volume.get("source") for volume in service["volumes"]}
    assert {"/srv/overrides/chunk_caption", "/srv/media"} <= sources
    assert not [source for source in sources if source and source.startswith("/vss_overrides")]


def test_a_compose_file_in_a_folder_above_does_not_get_in_the_way(project: Project) -> None:
    """With the file of settings said, in every version."""
    (project.folder.parent / "compose.yaml").write_text(
        "services: {other: {image: registry.example/other:1}}\n"
    )
    project.set(BACKEND_PORT="8100", FRONTEND_PORT="9100")
    assert set(project.config("--env-file", ".env")["services"]) == {"via-server"}


def test_the_media_folder_has_the_same_path_on_both_sides(project: Project) -> None:
    """Read-only; the project's own by default."""
    for given, path in ((None, f"{project.folder}/var/media"), ("/srv/cctv", "/srv/cctv")):
        volumes = project.via_server(**({"VIA_MEDIA_DIR": given} if given else {}))["volumes"]
        (media,) = [v for v in volumes if v["target"] == path]
        assert (media["source"], media["read_only"]) == (path, True)


def test_uploads_are_bounded_and_outlive_the_container(project: Project) -> None:
    """In a volume, or where NVIDIA's own setting says."""
    service = project.via_server()
    assert service["environment"]["MAX_ASSET_STORAGE_SIZE_GB"] == "20"
    (assets,) = [v for v in service["volumes"] if v["target"] == ASSETS]
    assert (assets["type"], assets["source"]) == ("volume", "via-assets")
    service = project.via_server(ASSET_STORAGE_DIR="/srv/assets", VIA_SERVER_ASSETS_GB="5")
    assert service["environment"]["MAX_ASSET_STORAGE_SIZE_GB"] == "5"
    (assets,) = [v for v in service["volumes"] if v["target"] == ASSETS]
    assert (assets["type"], assets["source"]) == ("bind", "/srv/assets")


def test_upstreams_volumes_stay(project: Project) -> None:
    """Caches of weights and models are NVIDIA's business."""
    targets = {v["target"] for v in project.via_server()["volumes"]}
    assert {"/root/.via/ngc_model_cache", ASSETS.replace("assets", "huggingface")} <= targets


def test_the_environment_is_the_captions(project: Project) -> None:
    """What captions do not need is off, also where NVIDIA's own .env says otherwise."""
    environment = project.via_server()["environment"]
    expected = {
        "VLM_MODEL_TO_USE": "openai-compat",
        "VIA_VLM_ENDPOINT": "http://host.docker.internal:38011/v1",
        "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "Qwen3-VL-8B-Instruct",
        "NUM_VLM_PROCS": "1",
        "DISABLE_CA_RAG": "true",
        "DISABLE_GUARDRAILS": "true",
        "DISABLE_CV_PIPELINE": "true",
        "DISABLE_FRONTEND": "true",
        "ENABLE_AUDIO": "false",
        "BACKEND_PORT": "8100",
        "NVIDIA_VISIBLE_DEVICES": "all",
    }
    assert {name: environment[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        pytest.param({}, "http://host.docker.internal:38011/v1", id="the-launchers-port-here"),
        pytest.param({"VIA_VLM_ENDPOINT": "https://vlm/v1"}, "https://vlm/v1", id="the-services-own"),
        pytest.param(
            {"VIA_VLM_ENDPOINT": "http://127.0.0.1:9/v1", "VIA_SERVER_VLM_ENDPOINT": "http://gw:9/v1"},
            "http://gw:9/v1",
            id="as-the-container-sees-it",
        ),
    ],
)
def test_the_endpoint_is_passed(project: Project, given: dict[str, str], endpoint: str) -> None:
    """From the project's .env."""
    project.set(**given)
    assert project.via_server()["environment"]["VIA_VLM_ENDPOINT"] == endpoint


def test_the_projects_env_wins_over_nvidias(project: Project) -> None:
    """Compose reads both; ours is asked first."""
    with (project.upstream / ".env").open("a") as lines:
        lines.write("export VIA_VLM_ENDPOINT=https://upstream/v1/chat/completions\n")
    project.set(
        VIA_VLM_ENDPOINT="https://ours/v1", VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME="ours", BACKEND_PORT="8200"
    )
    service = project.via_server()
    assert service["environment"]["VIA_VLM_ENDPOINT"] == "https://ours/v1"
    assert service["environment"]["VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME"] == "ours"
    assert service["ports"][0]["published"] == "8200"


def test_vss_own_model_switch_is_ours_to_give(project: Project) -> None:
    """Cosmos-Reason inside the engine, by one line; a value of NVIDIA's .env does not slip in."""
    assert project.via_server()["environment"]["VLM_MODEL_TO_USE"] == "openai-compat"
    project.set(VIA_SERVER_MODEL="cosmos-reason1")
    assert project.via_server()["environment"]["VLM_MODEL_TO_USE"] == "cosmos-reason1"


def test_every_knob_of_the_override_reaches_the_container(project: Project) -> None:
    """Each name the override reads is passed where it is set, and absent where it is not."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "vss_overrides").rglob("*.py"))
    names = set(re.findall(r"\bCHUNK_CAPTION_[A-Z_]*[A-Z]\b", text))
    assert "CHUNK_CAPTION_PACKING" in names
    unset = project.via_server()["environment"]
    assert names <= set(unset)
    assert all(unset[name] is None for name in names)
    project.set(**dict.fromkeys(names, "7"))
    assert {name: project.via_server()["environment"][name] for name in names} == dict.fromkeys(names, "7")


def test_secrets_of_the_service_stay_out(project: Project) -> None:
    """Only what is named goes into the container."""
    project.set(EXT_WEBHOOK_SECRET="whsec_made_up", VIA_VLM_API_KEY="key")
    merged = project.config()
    assert "whsec_made_up" not in str(merged)
    assert merged["services"]["via-server"]["environment"]["VIA_VLM_API_KEY"] == "key"


def test_only_this_machine_can_reach_it(project: Project) -> None:
    """The engine asks nobody for a password; the page of NVIDIA's that is off has no port."""
    (port,) = project.via_server()["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8100", 8100)
    (port,) = project.via_server(VIA_SERVER_BIND="0.0.0.0")["ports"]
    assert port["host_ip"] == "0.0.0.0"


def test_the_container_keeps_house(project: Project) -> None:
    """Logs rotate, a crash restarts it, this machine has a name inside."""
    service = project.via_server()
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "50m", "max-file": "5"}}
    assert service["restart"] == "unless-stopped"
    assert [re.split("[:=]", host, maxsplit=1) for host in service["extra_hosts"]] == [
        ["host.docker.internal", "host-gateway"]
    ]
    assert service["shm_size"] == str(16 * 1024**3)


@contextmanager
def _engine(status: int) -> Iterator[int]:
    """Something that answers /health/ready with a status; its port."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _healthy(test: list[str], port: int) -> bool:
    assert test[:2] == ["CMD", "python3"]
    environment = {"BACKEND_PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    done = subprocess.run([sys.executable, "-IS", *test[2:]], env=environment, check=False, timeout=30)
    return done.returncode == 0


def test_the_health_check_tells_ready_from_not(project: Project) -> None:
    """The very command of the merged file, run against a server that is ready, one that is not, and none."""
    check = project.via_server()["healthcheck"]
    assert check["start_period"] == "15m0s"
    with _engine(200) as port:
        assert _healthy(check["test"], port)
    with _engine(503) as port:
        assert not _healthy(check["test"], port)
    assert not _healthy(check["test"], port)


def test_explicit_files_do_the_same(project: Project) -> None:
    """`-f` twice, with the folder and the .env said."""
    flags = ("--project-directory", ".", "--env-file", ".env", "-f", str(project.upstream / "compose.yaml"))
    project.set(BACKEND_PORT="8100", FRONTEND_PORT="9100")
    merged = project.config(*flags, "-f", "compose.override.yaml")
    assert merged == project.config()


def test_upstreams_ports_are_named_when_missing(project: Project) -> None:
    """A checkout without its .env, and none in ours: Compose names what to set."""
    (project.upstream / ".env").unlink()
    done = project.run("config")
    assert done.returncode != 0
    assert "BACKEND_PORT" in done.stderr or "FRONTEND_PORT" in done.stderr
    project.set(BACKEND_PORT="8100", FRONTEND_PORT="9100")
    assert project.via_server()["ports"][0]["published"] == "8100"


def test_every_name_is_documented() -> None:
    """What the override can be told is in docs/deployment.md, and nothing there is unknown to it."""
    override = (ROOT / "compose.override.yaml").read_text("utf-8")
    page = (ROOT / "docs" / "deployment.md").read_text("utf-8")
    names = set(re.findall(r"\$\{([A-Z_]+)", override)) - {"PWD"}
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert names <= told
    assert {name for name in told if name.startswith("VIA_SERVER_")} <= names


def test_yamllint_finds_nothing() -> None:
    """Where yamllint is installed."""
    program = ROOT / ".venv" / "bin" / "yamllint"
    if not program.exists():
        pytest.skip("yamllint is not installed")
    rules = "{extends: default, rules: {line-length: {max: 200}}}"
    files = [ROOT / "compose.override.yaml", *(ROOT / "vlm_server" / "profiles").glob("*.yaml")]
    done = subprocess.run([program, "-s", "-d", rules, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
