"""Knows what went wrong from what docker or the server wrote, and what to do about it. Pure: text in, advice out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Advice:
    """A fault by name, in one sentence, and what the person should do."""

    fault: str
    sentence: str
    todo: str


class LaunchFailed(Exception):
    """The server does not run; `advice` says why and what to do, `detail` is the line that told."""

    def __init__(self, advice: Advice, detail: str = "") -> None:
        super().__init__(advice.sentence)
        self.advice = advice
        self.detail = detail


NO_DOCKER: Final = Advice(
    "no-docker",
    "There is no `docker` command here.",
    "Install Docker Engine (docs.docker.com/engine/install), or run --dry-run and start the command on the machine that has it.",
)
NO_WEIGHTS: Final = Advice(
    "no-model-folder",
    "The model folder is missing or holds no weights.",
    "Give --model-dir the folder that holds the weights, or leave it out to have them downloaded. To download by hand: hf download {model} --local-dir {folder}",
)
PORT_TAKEN: Final = Advice(
    "port-taken",
    "Another program listens on port {port}.",
    "Give another with --port N, or find the program with: ss -ltnp 'sport = :{port}'",
)
NO_SUCH_ADDRESS: Final = Advice(
    "no-such-address",
    "This machine has no such address to listen on.",
    "Give --bind an address that `ip address` shows, or leave it out to listen on all.",
)
RUNS_ALREADY: Final = Advice(
    "runs-already",
    "Container {name} already runs on port {port}.",
    "Use it as it is, or remove it first: docker rm --force {name}",
)
TOKEN_MISSING: Final = Advice(
    "token-missing",
    "These weights are handed out only for a Hugging Face token, and none is set.",
    "Accept the model's licence on its page, then: export HF_TOKEN=..., and start again.",
)
TOOK_TOO_LONG: Final = Advice(
    "took-too-long",
    "The server did not answer in time; its container still runs.",
    "A first start downloads the weights: wait on with `docker logs --follow {name}`, or give a longer --wait.",
)
AFTER_START: Final = Advice(
    "after-start",
    "The server runs, but a command inside its container failed.",
    "Its own words are above or below; the container still runs: docker logs {name}",
)
UNKNOWN: Final = Advice(
    "unknown",
    "The server stopped before it answered.",
    "Read why: docker logs {name}",
)

_DOCKER: Final = (
    (
        r"cannot connect to the docker daemon|is the docker daemon running|error during connect",
        Advice("no-daemon", "Docker is installed but does not run.", "Start it: sudo systemctl start docker"),
    ),
    (
        r"permission denied.*docker",
        Advice(
            "no-permission",
            "This user may not use docker.",
            "Add the user and log in again: sudo usermod --append --groups docker $USER",
        ),
    ),
    (
        r"could not select device driver.*gpu|unknown or invalid runtime name: nvidia|nvidia-container-runtime.*not found",
        Advice(
            "no-nvidia-runtime",
            "Docker cannot hand GPUs to containers.",
            "Install nvidia-container-toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
        ),
    ),
    (
        r"nvidia-container-cli: |nvml error|failed to initialize nvml|no nvidia gpu|unknown device|cdi device injection failed",
        Advice(
            "no-gpu",
            "There is no NVIDIA GPU here that containers can use.",
            "See what `nvidia-smi` says; check --gpus. Without a GPU, use --profile llama-cpp or --profile ollama.",
        ),
    ),
    (
        r"port is already allocated|address already in use",
        PORT_TAKEN,
    ),
    (
        r"no space left on device",
        Advice(
            "disk-full",
            "The disk is full.",
            "See what takes it: docker system df; the image and the weights need tens of GB.",
        ),
    ),
    (
        r"no matching manifest|exec format error|does not match the detected host platform",
        Advice(
            "wrong-processor",
            "The image is not made for this processor.",
            "Use a profile for it (DGX Spark: --profile qwen3-vl-8b-nvfp4-gb10).",
        ),
    ),
    (
        r"unauthorized|authentication required|pull access denied|denied: ",
        Advice(
            "image-refused",
            "The registry does not hand out the image.",
            "Check the image's name in the profile; where it wants an account, docker login to its registry first.",
        ),
    ),
    (
        r"manifest unknown|manifest for .* not found|repository does not exist|: not found",
        Advice(
            "no-such-image",
            "There is no image of that name and tag.",
            "Check the image in the profile's file.",
        ),
    ),
    (
        r"no such host|timeout|temporary failure in name resolution|network is unreachable|connection refused|tls handshake|i/o timeout",
        Advice(
            "no-registry",
            "The image is not here and the registry cannot be reached.",
            "Check the network and its proxy, or carry the image over: docker save IMAGE | ssh HOST docker load",
        ),
    ),
)
_LOG: Final = (
    (
        (
            r"(cuda|hip) out of memory|outofmemoryerror|no available memory for the cache blocks|less than desired gpu memory utilization"
            r"|larger than the available kv cache memory|cudaerrormemoryallocation|failed to allocate cuda"
        ),
        Advice(
            "out-of-gpu-memory",
            "The GPU has too little free memory.",
            "See what takes it: nvidia-smi. Then a smaller profile (qwen3-vl-8b-fp8, qwen3-vl-4b, qwen3-vl-2b), "
            "--with max-model-len=4096, or --with gpu-memory-utilization=0.8 when something else uses the GPU too.",
        ),
    ),
    (
        r"gatedrepoerror|access to model .* is restricted|cannot access gated repo|401 client error|invalid user token",
        Advice(
            "token-refused",
            "The weights are handed out only for a valid Hugging Face token.",
            "Accept the model's licence on its page, then: export HF_TOKEN=..., and start again.",
        ),
    ),
    (
        r"repositorynotfounderror|404 client error|is not a valid model identifier|is not a local folder",
        Advice("no-such-model", "There is no model of that name.", "Check `model` in the profile's file."),
    ),
    (
        r"no such file or directory: '?/models|does not appear to have a file named config\.json|failed to open gguf|failed to load model",
        NO_WEIGHTS,
    ),
    (
        (
            r"no cuda gpus are available|failed to infer device type|no cuda-capable device|cuda driver version is insufficient|unsupported display driver"
            r"|no kernel image is available"
        ),
        Advice(
            "gpu-does-not-fit",
            "The GPU or its driver does not fit the image.",
            "See the driver with nvidia-smi: recent vLLM images want one for CUDA 12.9 or newer. Update it, or pin an older tag in the profile.",
        ),
    ),
    (
        r"bus error|unable to allocate shared memory|no space left on device.*shm",
        Advice(
            "shared-memory",
            "The container has too little shared memory.",
            "Raise shm_size in the profile's file.",
        ),
    ),
    (
        r"unrecognized arguments|error: argument|unknown argument|invalid argument:",
        Advice(
            "unknown-flag",
            "The server does not know a flag of the profile.",
            "The image's version and the profile's flags do not fit: put back the pinned tag, or change the flag named in the log.",
        ),
    ),
    (
        r"no space left on device",
        Advice(
            "disk-full",
            "The disk is full.",
            "The weights need tens of GB; HF_HOME names another place for them.",
        ),
    ),
    (
        r"temporary failure in name resolution|connectionerror|maxretryerror|couldn't connect to|offline mode",
        Advice(
            "no-hub",
            "The weights are not here and cannot be downloaded.",
            "Check the network and its proxy, or download elsewhere (hf download MODEL --local-dir DIR) and give --model-dir DIR.",
        ),
    ),
)
_KILLED: Final = 137
_OUT_OF_RAM: Final = Advice(
    "out-of-memory",
    "The system ran out of memory and killed the server.",
    "See what takes it: free -h. Use a smaller profile, or close other programs.",
)


def from_docker(said: str) -> LaunchFailed:
    """The fault behind what docker wrote on standard error."""
    return _told(_DOCKER, said) or LaunchFailed(
        Advice("docker-refused", "Docker refused the command.", "Its own words are below."), _last_line(said)
    )


def from_log(log: str, exit_code: int, *, out_of_memory: bool) -> LaunchFailed:
    """The fault behind a server that stopped: from its log, its exit code and docker's word on memory."""
    told = _told(_LOG, log)
    if told is not None:
        return told
    if out_of_memory or exit_code == _KILLED:
        return LaunchFailed(_OUT_OF_RAM, f"exit code {exit_code}")
    return LaunchFailed(UNKNOWN, _last_line(log))


def _told(table: tuple[tuple[str, Advice], ...], text: str) -> LaunchFailed | None:
    for pattern, advice in table:
        for line in text.splitlines():
            if re.search(pattern, line, re.IGNORECASE):
                return LaunchFailed(advice, line.strip()[:300])
    return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
