"""The REST contract of VSS 2.4 as pydantic models: the engine's field names, limits and defaults.

A field whose default lies outside its own limits stands for "not sent"; explicit nulls are refused, as the engine does.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

_INT64_MAX = 4_000_000_000
_MOST_IDS = 50
_NAME = r"^[A-Za-z0-9_.\- ]*$"
_WORDS = r"^[A-Za-z0-9_.\-\"' ,]*$"
_LETTERS = r"^[A-Za-z]*$"
_USER = r"^[a-zA-Z0-9-._]*$"
_TIMESTAMP = r"^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{3})?Z$"
_CAMERA = r"^(?:camera_(\d+)|video_(\d+)|default)?$"
_CV_PROMPT = r"^((([a-zA-Z0-9 ]+)(\s\.\s([a-zA-Z0-9 ]+))*)(;([0-9]*\.?[0-9]+))?)?$"

Text5000 = Annotated[str, Field(max_length=5000)]
Seconds = Annotated[int, Field(ge=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=0, le=_INT64_MAX)]
Timestamp = Annotated[str, Field(min_length=24, max_length=24, pattern=_TIMESTAMP)]
Side = Annotated[int, Field(ge=0, le=4096)]
Id = UUID | list[UUID]


class Wire(BaseModel):
    """Root of the wire models: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class MediaType(Enum):
    """What kind of file it is."""

    VIDEO = "video"
    IMAGE = "image"


class Purpose(Enum):
    """What a file is for."""

    VISION = "vision"


class AddFileForm(Wire):
    """The plain fields of `POST /files`; `filename` is a path on the server."""

    purpose: Purpose
    media_type: MediaType
    filename: str = Field(default="", max_length=256)
    camera_id: str = Field(default="default", max_length=256, pattern=_CAMERA)


class FileInfo(Wire):
    """A stored file."""

    id: UUID
    bytes: int = Field(ge=0, le=100_000_000_000)
    filename: str = Field(max_length=256, pattern=_NAME)
    purpose: Purpose
    camera_id: str | None = None


class AddFileInfoResponse(FileInfo):
    """A file as it was just stored, or as a list shows it."""

    media_type: MediaType


class ListFilesResponse(Wire):
    """All stored files."""

    data: list[AddFileInfoResponse]
    object: Literal["list"] = "list"


class DeleteFileResponse(Wire):
    """A file that is gone."""

    id: UUID
    object: Literal["file"] = "file"
    deleted: bool = True


class ModelInfo(Wire):
    """The model behind this server."""

    id: str = Field(max_length=2560, pattern=_NAME)
    created: Whole
    object: Literal["model"] = "model"
    owned_by: str = Field(max_length=10_000, pattern=_WORDS)
    api_type: str = Field(max_length=32, pattern=_LETTERS)


class ListModelsResponse(Wire):
    """The one model behind this server."""

    object: Literal["list"] = "list"
    data: list[ModelInfo]


class ResponseType(Enum):
    """Shape of an answer; the engine accepts it and ignores it."""

    JSON_OBJECT = "json_object"
    TEXT = "text"


class ResponseFormat(Wire):
    """Accepted and ignored: what the model must answer is set in the override."""

    type: ResponseType


class StreamOptions(Wire):
    """Options of an event stream."""

    include_usage: bool = False


class MediaInfoOffset(Wire):
    """A stretch of a file, in whole seconds."""

    type: Literal["offset"]
    start_offset: Whole = -1
    end_offset: Whole = -1


class MediaInfoTimeStamp(Wire):
    """A stretch of a live stream, as RFC 3339 instants."""

    type: Literal["timestamp"]
    start_timestamp: Timestamp = ""
    end_timestamp: Timestamp = ""


class AlertTool(Wire):
    """An alert that the engine would raise on an event; accepted and ignored here."""

    name: str = Field(max_length=256)
    events: list[Annotated[str, Field(max_length=1024)]] = Field(max_length=100)
    callbackUrl: str = Field(default="", min_length=1, max_length=2083)  # noqa: N815 -- the engine's name
    callbackJsonTemplate: str = Field(default="", max_length=1024)  # noqa: N815 -- the engine's name
    callbackToken: str = Field(default="", max_length=10_000, pattern=_NAME)  # noqa: N815 -- the engine's name


class ChatCompletionTool(Wire):
    """A tool; alerts are the only kind."""

    type: Literal["alert"]
    alert: AlertTool


class VlmQuery(Wire):
    """The body of `POST /generate_vlm_captions`."""

    id: Id
    system_prompt: Text5000 = ""
    prompt: Text5000 = ""
    model: str = Field(max_length=256, pattern=_NAME)
    api_type: str = Field(default="", max_length=32, pattern=_LETTERS)
    response_format: ResponseFormat = ResponseFormat(type=ResponseType.TEXT)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int = Field(default=0, ge=1, le=1024)
    temperature: Share = -1.0
    top_p: Share = -1.0
    top_k: float = Field(default=0.0, ge=1, le=1000)
    seed: int = Field(default=0, ge=1, le=2**32 - 1)
    chunk_duration: Seconds = 0
    chunk_overlap_duration: Seconds = 0
    media_info: MediaInfoOffset | MediaInfoTimeStamp = MediaInfoOffset(type="offset")
    user: str = Field(default="", max_length=256, pattern=_USER)
    tools: list[ChatCompletionTool] = Field(default=[], max_length=100)
    enable_cv_metadata: bool = False
    cv_pipeline_prompt: str = Field(default="", max_length=1024, pattern=_CV_PROMPT)
    num_frames_per_chunk: int = Field(default=0, ge=0, le=256)
    vlm_input_width: Side = 0
    vlm_input_height: Side = 0
    enable_reasoning: bool = False

    @field_validator("id")
    @classmethod
    def _few_ids(cls, given: Id) -> Id:
        if isinstance(given, list) and not 1 <= len(given) <= _MOST_IDS:
            raise ValueError(f"List of ids must have 1 to {_MOST_IDS} entries")
        return given

    @property
    def ids(self) -> list[UUID]:
        """The ids as a list, whichever way they were sent."""
        return self.id if isinstance(self.id, list) else [self.id]


class SummarizationQuery(VlmQuery):
    """The body of `POST /summarize`, as far as it must be read to refuse it the way the engine does."""

    model_config = ConfigDict(extra="ignore")


class CompletionUsage(Wire):
    """How long a request took, and over how many chunks."""

    query_processing_time: int = Field(ge=0, le=1_000_000)
    total_chunks_processed: int = Field(ge=0, le=1_000_000)


class VlmCaptionResponse(Wire):
    """The answer for one chunk; times are seconds from the start of the file, as text."""

    start_time: str = Field(max_length=50)
    end_time: str = Field(max_length=50)
    content: str = Field(max_length=100_000)
    reasoning_description: str = Field(default="", max_length=100_000)


class VlmCaptionsCompletionResponse(Wire):
    """The answer of `POST /generate_vlm_captions`; `id` is the request's."""

    id: UUID
    created: Whole
    model: str
    media_info: MediaInfoOffset
    usage: CompletionUsage | None = None
    chunk_responses: list[VlmCaptionResponse] = Field(default=[], max_length=10_000)


class RecommendedConfig(Wire):
    """The body of `POST /recommended_config`; all in seconds."""

    video_length: int = Field(default=0, ge=1, le=864_000_000)
    target_response_time: int = Field(default=0, ge=1, le=86_400)
    usecase_event_duration: int = Field(default=0, ge=1, le=86_400)


class RecommendedConfigResponse(Wire):
    """A recommended chunk length; this server has no table to recommend from."""

    chunk_size: int = 0
    text: str = "NA"


def sampling_of(query: VlmQuery) -> dict[str, Any]:
    """The sampling fields that the client sent, under the names in which the engine passes them to a model."""
    names = {
        "max_tokens": "max_new_tokens",
        "top_p": "top_p",
        "top_k": "top_k",
        "temperature": "temperature",
        "seed": "seed",
    }
    sent = {passed: getattr(query, name) for name, passed in names.items() if name in query.model_fields_set}
    return sent | ({"enable_reasoning": True} if query.enable_reasoning else {})
