"""The launcher against a stand-in `docker` that plays each fault, and against none at all."""

from __future__ import annotations

import os
import shlex
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, StandInDocker
from vlm_server.launch import __main__ as program
from vlm_server.launch.command import Wanted
from vlm_server.launch.faults import LaunchFailed
from vlm_server.launch.profile import load
from vlm_server.launch.starting import Patience, start

SCRIPT = ROOT / "scripts" / "run_qwen3-vl-8b.sh"
DAEMON = "Error response from daemon: "


def _start(port: int, tmp_path: Path, *, profile: str = "qwen3-vl-8b", most_s: float = 20.0) -> list[str]:
    said: list[str] = []
    start(
        load(profile),
        Wanted(tmp_path / "cache", port=port),
        Patience(most_s, look_s=0.02, speak_s=0.0),
        said.append,
    )
    return said


def _fault(port: int, tmp_path: Path, profile: str = "qwen3-vl-8b") -> LaunchFailed:
    with pytest.raises(LaunchFailed) as caught:
        _start(port, tmp_path, profile=profile)
    return caught.value


def test_it_starts_waits_and_says_so(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """The image is there, the container comes up, the server answers under the right name."""
    said = _start(free_port, tmp_path)
    assert not [line for line in said if "note:" in line and "calls its model" in line]
    assert len(docker.called("run")) == 1
    assert not docker.called("pull")
    assert (tmp_path / "cache").is_dir()


def test_progress_is_told_while_it_loads(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """The last line of the server's own log, with the seconds."""
    docker.plays(silent=True)
    said: list[str] = []
    with pytest.raises(LaunchFailed) as caught:
        start(
            load("qwen3-vl-8b"),
            Wanted(tmp_path, port=free_port),
            Patience(0.3, look_s=0.02, speak_s=0.05),
            said.append,
        )
    assert caught.value.advice.fault == "took-too-long"
    assert f"docker logs --follow timetravel-vlm-{free_port}" in caught.value.advice.todo
    assert any("Loading weights, 3 of 4" in line for line in said)


def test_a_missing_image_is_fetched_first(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """And the person is told that it takes a while."""
    docker.plays(image=False)
    said = _start(free_port, tmp_path)
    assert docker.called("pull") == [["pull", "vllm/vllm-openai:v0.32.0"]]
    assert any("fetching vllm/vllm-openai:v0.32.0" in line for line in said)


def test_another_name_of_the_model_is_told(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """The server runs, but the via-server would ask for a model it does not have."""
    docker.plays(models=["other"])
    assert any("calls its model other" in line for line in _start(free_port, tmp_path))


def test_ollama_gets_its_model_once_it_runs(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """Fetched, then copied to a name that VSS takes."""
    docker.plays(models=["Qwen3-VL-8B-Instruct:latest"])
    said = _start(free_port, tmp_path, profile="ollama")
    commands = [call[2:] for call in docker.called("exec")]
    assert commands == [
        ["ollama", "pull", "qwen3-vl:8b-instruct"],
        ["ollama", "cp", "qwen3-vl:8b-instruct", "Qwen3-VL-8B-Instruct"],
    ]
    assert not any("calls its model" in line for line in said)


def test_a_command_that_fails_inside_is_told(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """With its own words."""
    docker.plays(exec="Error: pull model manifest: file does not exist")
    failed = _fault(free_port, tmp_path, profile="ollama")
    assert failed.advice.fault == "after-start"
    assert "pull model manifest" in failed.detail


@pytest.mark.parametrize(
    ("script", "fault", "todo"),
    [
        pytest.param(
            {"daemon": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"},
            "no-daemon", "systemctl start docker", id="daemon-down",
        ),
        pytest.param(
            {"daemon": "permission denied while trying to connect to the Docker daemon socket"},
            "no-permission", "usermod", id="not-in-the-group",
        ),
        pytest.param(
            {"run": f'docker: {DAEMON}could not select device driver "" with capabilities: [[gpu]].'},
            "no-nvidia-runtime", "nvidia-container-toolkit", id="no-toolkit",
        ),
        pytest.param(
            {"run": f"docker: {DAEMON}failed to create task: nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown"},
            "no-gpu", "nvidia-smi", id="no-driver",
        ),
        pytest.param(
            {"run": f"docker: {DAEMON}driver failed programming external connectivity: Bind for 0.0.0.0:1 failed: port is already allocated"},
            "port-taken", "--port N", id="port-taken-by-a-container",
        ),
        pytest.param(
            {"image": False, "pull": f"{DAEMON}Get https://registry: dial tcp: lookup registry: no such host"},
            "no-registry", "docker save", id="registry-out-of-reach",
        ),
        pytest.param(
            {"image": False, "pull": f"{DAEMON}manifest for vllm/vllm-openai:v0.32.0 not found: manifest unknown"},
            "no-such-image", "profile", id="no-such-tag",
        ),
        pytest.param(
            {"image": False, "pull": f"{DAEMON}unauthorized: authentication required"},
            "image-refused", "docker login", id="registry-wants-an-account",
        ),
        pytest.param(
            {"image": False, "pull": "no matching manifest for linux/arm64/v8 in the manifest list entries"},
            "wrong-processor", "gb10", id="image-of-another-processor",
        ),
        pytest.param(
            {"image": False, "pull": "failed to register layer: write /usr/lib: no space left on device"},
            "disk-full", "docker system df", id="disk-full",
        ),
        pytest.param({"run": "docker: something new"}, "docker-refused", "words", id="unheard-of"),
        pytest.param(
            {"dies": "INFO start\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB\nRuntimeError: Engine core initialization failed."},
            "out-of-gpu-memory", "qwen3-vl-8b-fp8", id="gpu-memory",
        ),
        pytest.param(
            {"dies": "ValueError: Free memory on device (3.1/23.6 GiB) on startup is less than desired GPU memory utilization (0.9, 21.3 GiB)."},
            "out-of-gpu-memory", "gpu-memory-utilization=0.8", id="gpu-shared",
        ),
        pytest.param({"dies": "INFO start", "exit_code": 137, "oom": True}, "out-of-memory", "free -h", id="killed"),
        pytest.param(
            {"dies": "huggingface_hub.errors.GatedRepoError: 401 Client Error."},
            "token-refused", "HF_TOKEN", id="gated",
        ),
        pytest.param(
            {"dies": "OSError: someone/model is not a local folder and is not a valid model identifier"},
            "no-such-model", "profile", id="no-such-model",
        ),
        pytest.param(
            {"dies": "RuntimeError: No CUDA GPUs are available"}, "gpu-does-not-fit", "nvidia-smi", id="no-cuda"
        ),
        pytest.param(
            {"dies": "vllm: error: unrecognized arguments: --video-pruning-rate"}, "unknown-flag", "pinned", id="flag"
        ),
        pytest.param(
            {"dies": "requests.exceptions.ConnectionError: Max retries exceeded"}, "no-hub", "hf download", id="hub"
        ),
        pytest.param({"dies": "RuntimeError: Bus error"}, "shared-memory", "shm_size", id="shm"),
        pytest.param({"dies": "Traceback\nKeyError: 'x'"}, "unknown", "docker logs timetravel-vlm-", id="unheard"),
        pytest.param({"silent": True, "restarts": 2}, "unknown", "docker logs", id="starts-over-and-over"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_what_to_do(
    docker: StandInDocker, free_port: int, tmp_path: Path, script: dict[str, object], fault: str, todo: str
) -> None:
    """By its cause, with the line that told, and no placeholder left open."""
    docker.plays(**script)
    failed = _fault(free_port, tmp_path)
    assert failed.advice.fault == fault
    assert todo in failed.advice.todo
    assert "{" not in failed.advice.sentence + failed.advice.todo
    assert failed.detail


def test_a_server_that_died_is_stopped_and_its_log_stays(
    docker: StandInDocker, free_port: int, tmp_path: Path
) -> None:
    """It does not start over and over behind the person's back."""
    docker.plays(dies="CUDA out of memory")
    _fault(free_port, tmp_path)
    assert docker.called("stop")[0][-1] == f"timetravel-vlm-{free_port}"
    assert not docker.called("rm")


def test_what_a_failed_start_left_makes_way(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """Launching again needs no cleaning by hand."""
    docker.plays(state="exited")
    _start(free_port, tmp_path)
    assert docker.called("rm") == [["rm", "--force", f"timetravel-vlm-{free_port}"]]


def test_a_running_one_is_left_alone(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """And named."""
    docker.plays(state="running")
    failed = _fault(free_port, tmp_path)
    assert failed.advice.fault == "runs-already"
    assert f"docker rm --force timetravel-vlm-{free_port}" in failed.advice.todo
    assert not docker.called("run")


def test_a_port_taken_by_another_program_is_told_first(docker: StandInDocker, tmp_path: Path) -> None:
    """Before an image of many gigabytes is fetched."""
    docker.plays(image=False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        failed = _fault(port, tmp_path)
    assert failed.advice.sentence == f"Another program listens on port {port}."
    assert not docker.called("pull")


def test_an_address_that_is_not_here(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """192.0.2.0/24 belongs to nobody."""
    with pytest.raises(LaunchFailed) as caught:
        start(load("ollama"), Wanted(tmp_path, port=free_port, bind="192.0.2.1"), Patience(1.0), print)
    assert caught.value.advice.fault == "no-such-address"
    assert not docker.called("run")


@pytest.mark.parametrize("left", ["nothing", "empty", "half"])
def test_a_model_folder_without_weights_is_told(
    docker: StandInDocker, free_port: int, tmp_path: Path, left: str
) -> None:
    """With the command that downloads them."""
    folder = tmp_path / "models"
    if left != "nothing":
        folder.mkdir()
    if left == "half":
        (folder / "Qwen3VL-8B-Instruct-Q4_K_M.gguf").touch()
    with pytest.raises(LaunchFailed) as caught:
        start(load("llama-cpp"), Wanted(tmp_path, folder, free_port), Patience(1.0), print)
    assert caught.value.advice.fault == "no-model-folder"
    assert f"hf download Qwen/Qwen3-VL-8B-Instruct-GGUF --local-dir {folder}" in caught.value.advice.todo
    assert ("mmproj" in caught.value.detail) == (left != "nothing")
    assert not docker.calls()


def test_gated_weights_want_a_token_first(docker: StandInDocker, free_port: int, tmp_path: Path) -> None:
    """Asked before anything is fetched; one that is there is passed on by name."""
    gated = load("qwen3-vl-2b").model_copy(update={"needs_token": True})
    with pytest.raises(LaunchFailed) as caught:
        start(gated, Wanted(tmp_path, port=free_port), Patience(1.0), print)
    assert caught.value.advice.fault == "token-missing"
    assert not docker.calls()
    docker.plays(models=[gated.served_name])
    wanted = Wanted(tmp_path, port=free_port, pass_on=("HF_TOKEN",))
    start(gated, wanted, Patience(20.0, look_s=0.02), lambda _: None)
    assert "HF_TOKEN" in docker.called("run")[0]


def test_the_program_ends_with_the_lines_for_env(
    docker: StandInDocker, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both addresses: this machine's and the container's."""
    assert docker.folder.is_dir()
    assert program.main(["--port", str(free_port)]) == 0
    printed = capsys.readouterr()
    assert f"VIA_VLM_ENDPOINT=http://127.0.0.1:{free_port}/v1" in printed.out
    assert f"VIA_SERVER_VLM_ENDPOINT=http://host.docker.internal:{free_port}/v1" in printed.out
    assert "serves on port" in printed.err
    assert "set VLLM_API_KEY" in printed.err


def test_a_key_is_passed_on_and_not_shown(
    docker: StandInDocker, free_port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key set there is nothing to warn of, and its value is on no screen and in no command."""
    monkeypatch.setenv("VLLM_API_KEY", "made-up-key")
    assert program.main(["--port", str(free_port)]) == 0
    printed = capsys.readouterr()
    assert "set VLLM_API_KEY" not in printed.err
    assert "VLLM_API_KEY" in docker.called("run")[0]
    assert "made-up-key" not in printed.out + printed.err + str(docker.calls())


def test_the_program_fails_with_words_and_no_traceback(
    docker: StandInDocker, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cause, the line that told, what to do; exit code 1."""
    docker.plays(dies="torch.OutOfMemoryError: CUDA out of memory")
    assert program.main(["--port", str(free_port)]) == 1
    said = capsys.readouterr().err
    assert "The GPU has too little free memory." in said
    assert "What to do: See what takes it: nvidia-smi." in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--profile", "nope"], "qwen3-vl-8b"),
        (["--with", "nope", "--dry-run"], "no switch 'nope'"),
        (["--with", "replicas=x", "--dry-run"], "takes a number"),
    ],
)
def test_wrong_usage_is_one_line(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2."""
    assert program.main(given) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_profiles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """All in a line each, the chosen one with its switches."""
    assert program.main(["--list", "--profile", "ollama"]) == 0
    printed = capsys.readouterr().out
    assert "qwen3-vl-8b-fp8" in printed
    assert "--with" not in printed
    assert program.main(["--list"]) == 0
    assert "--with tensor-parallel=N" in capsys.readouterr().out


def test_what_needs_no_container_gives_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """A remote API: nothing to start."""
    assert program.main(["--profile", "remote-api"]) == 0
    printed = capsys.readouterr().out
    assert "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME=gpt-4o" in printed
    assert "docker" not in printed


def _script(*words: str, path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        [SCRIPT, *words], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


def _path_without_docker(tmp_path: Path) -> str:
    """The few programs the script itself needs, and nothing else."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "dirname", "env"):
        (tools / tool).symlink_to(Path("/usr/bin") / tool)
    return str(tools)


def test_the_script_prints_a_command_that_can_be_pasted(tmp_path: Path) -> None:
    """Without docker on the machine: the text, and the file it would start, are the same words."""
    path = _path_without_docker(tmp_path)
    done = _script("--dry-run", "--gpus", "device=0,1", "--port", "9000", path=path)
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout.replace("\\\n", " "))
    assert words[:2] == ["docker", "run"]
    assert words[words.index("--gpus") + 1] == '"device=0,1"'
    assert "0.0.0.0:9000:38011" in words


def test_the_pasted_command_runs_as_it_stands(docker: StandInDocker, free_port: int) -> None:
    """A shell hands docker the very words the launcher would."""
    docker.plays(silent=True)
    path = os.environ["PATH"]
    done = _script("--dry-run", "--port", str(free_port), path=path)
    subprocess.run(["bash", "-c", done.stdout], check=True, timeout=60)
    (ran,) = docker.called("run")
    assert ["docker", *ran] == shlex.split(done.stdout.replace("\\\n", " "))


def test_without_docker_the_script_says_so(tmp_path: Path) -> None:
    """Exit code 1 and where to get it."""
    done = _script(path=_path_without_docker(tmp_path))
    assert done.returncode == 1
    assert "There is no `docker` command here." in done.stderr
    assert "--dry-run" in done.stderr


def test_without_its_packages_the_script_says_so(tmp_path: Path) -> None:
    """A copy of the scripts in a folder that was never set up."""
    scripts = tmp_path / "copy" / "scripts"
    scripts.mkdir(parents=True)
    for name in ("vlm.sh", "run_qwen3-vl-8b.sh"):
        text = (ROOT / "scripts" / name).read_text()
        (scripts / name).write_text(text)
        (scripts / name).chmod((scripts / name).stat().st_mode | stat.S_IXUSR)
    done = subprocess.run(
        [scripts / "run_qwen3-vl-8b.sh", "--dry-run"],
        env={"PATH": _path_without_docker(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "scripts/setup.sh" in done.stderr
