"""A profile: everything one launch of a VLM server needs, read from one YAML file and checked. It starts nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FOLDER: Final = Path(__file__).parent.parent / "profiles"
DEFAULT: Final = "qwen3-vl-8b"
CONTAINERS: Final = ("vllm", "llama.cpp", "ollama")
"""The engines that are a container of ours; the others run elsewhere and only need settings."""

Sentence = Annotated[str, Field(min_length=1)]
FlagValue = Literal[True] | int | float | str | dict[str, Any]
Flags = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], FlagValue]


class BadProfile(Exception):
    """The profile does not exist or is wrong; the message names the file and every mistake in it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Gpu(_Strict):
    """What the launch needs of the GPU: memory in GB (10^9 bytes) of one card, and how that number came about."""

    memory_gb: Annotated[float, Field(gt=0)]
    reckoned: Sentence


class Switch(_Strict):
    """A documented change of the launch, off unless asked for by name; `value` names the flag that NAME=N sets."""

    about: Sentence
    flags: Flags = Field(default_factory=dict)
    drops: tuple[str, ...] = ()
    value: str | None = None

    @model_validator(mode="after")
    def _value_is_a_flag(self) -> Self:
        if self.value is not None and self.value not in self.flags:
            raise ValueError(f"value: {self.value!r} is none of the switch's flags")
        return self


class Profile(_Strict):
    """One launch.

    Attributes:
        title: what it is, in one line.
        engine: who answers; `remote` is somebody's API, `via-server` NVIDIA's engine with a model inside it.
        model: where the weights come from: a Hugging Face id, an Ollama name, a remote model's name; for
            llama.cpp the repository and the quantisation.
        model_file: for llama.cpp, the weights below a model folder of one's own.
        projector_file: for llama.cpp, the vision projector beside them.
        served_name: the name in `/v1/models`; VSS takes no slash.
        image: container image with a pinned tag.
        image_checked: what is known of that tag.
        platforms: processor architectures the launch is meant for.
        gpu: what it needs of the GPU; None runs without one.
        shm_size: shared memory of the container, as docker takes it.
        port: where the container listens, inside and outside.
        health: path that answers 200 when the server is ready.
        needs_token: weights that are handed out only for a Hugging Face token.
        measured_on: the hardware it was measured on, or "not measured".
        packing: how the override sends frames to it.
        flags: command-line flags of the server; true is a flag without a value, a mapping becomes JSON.
        container_environment: variables of the container.
        after_start: commands to run in the container once it answers.
        switches: changes by name.
        settings: lines for `.env` that point the via-server at it.
        notes: what one should know.
    """

    title: Sentence
    engine: Literal["vllm", "llama.cpp", "ollama", "remote", "via-server"]
    model: Sentence
    model_file: str | None = None
    projector_file: str | None = None
    served_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,256}$")]
    image: str | None = Field(None, pattern=r"^[a-z0-9./_-]+:[A-Za-z0-9_.-]+$")
    image_checked: Sentence | None = None
    platforms: tuple[Literal["amd64", "arm64"], ...] = ()
    gpu: Gpu | None = None
    shm_size: str | None = Field(None, pattern=r"^[1-9][0-9]*[mg]$")
    port: Annotated[int, Field(ge=1, le=65535)] = 38011
    health: str = Field("/health", pattern=r"^/")
    needs_token: bool = False
    measured_on: Sentence
    packing: Literal["video_jpeg", "mp4", "images", "engine"]
    flags: Flags = Field(default_factory=dict)
    container_environment: dict[str, str] = Field(default_factory=dict)
    after_start: tuple[tuple[str, ...], ...] = ()
    switches: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], Switch] = Field(default_factory=dict)
    settings: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], str] = Field(default_factory=dict)
    notes: tuple[Sentence, ...] = ()

    @property
    def is_container(self) -> bool:
        """Whether there is a container to start."""
        return self.engine in CONTAINERS

    @model_validator(mode="after")
    def _container_is_whole(self) -> Self:
        needed = {"image": self.image, "image_checked": self.image_checked, "shm_size": self.shm_size}
        missing = [name for name, value in needed.items() if value is None]
        if self.is_container and (missing or not self.platforms):
            raise ValueError(f"a container needs {', '.join(missing or ['platforms'])}")
        if (self.image or "").endswith((":latest", ":nightly")):
            raise ValueError("the image's tag must be pinned")
        if not self.is_container and (self.image or self.flags or self.switches):
            raise ValueError(f"{self.engine} starts no container: image, flags and switches have no meaning")
        return self

    @model_validator(mode="after")
    def _llama_files(self) -> Self:
        if (self.engine == "llama.cpp") != bool(self.model_file and self.projector_file):
            raise ValueError("model_file and projector_file belong to llama.cpp, and it needs both")
        return self


def names(folder: Path = FOLDER) -> list[str]:
    """The profiles there are, the default first."""
    return sorted((path.stem for path in folder.glob("*.yaml")), key=lambda name: (name != DEFAULT, name))


def load(name: str, folder: Path = FOLDER) -> Profile:
    """Read a profile by its name. Raises BadProfile."""
    path = folder / f"{name}.yaml"
    if name not in names(folder):
        raise BadProfile(f"no profile {name!r}; there are {', '.join(names(folder)) or 'none'}")
    try:
        page = yaml.safe_load(path.read_text("utf-8"))
        return Profile.model_validate(_tuples(page), strict=True)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise BadProfile(f"{path.name} cannot be read: {exc}") from exc
    except ValidationError as exc:
        mistakes = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'profile'}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_url=False, include_input=False)
        )
        raise BadProfile(f"{path.name}: {mistakes}") from exc


def _tuples(page: Any) -> Any:
    """YAML knows lists only; frozen models hold tuples."""
    if isinstance(page, list):
        return tuple(_tuples(item) for item in page)
    if isinstance(page, dict):
        return {key: value if key == "flags" else _tuples(value) for key, value in page.items()}
    return page
