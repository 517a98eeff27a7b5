"""The shapes of OpenAI's chat completions that this server reads and writes; no decision is made here.

Unknown fields are ignored, as vLLM does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Wire(BaseModel):
    """Root of the request shapes: immutable, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Url(Wire):
    """Where a picture or a video is; this server accepts `data:` addresses only."""

    url: str


class TextPart(Wire):
    """A piece of prompt text."""

    type: Literal["text"]
    text: str


class ImagePart(Wire):
    """One picture."""

    type: Literal["image_url"]
    image_url: Url


class VideoPart(Wire):
    """One video: a container, or vLLM's comma-separated list of JPEG frames."""

    type: Literal["video_url"]
    video_url: Url


Part = Annotated[TextPart | ImagePart | VideoPart, Field(discriminator="type")]


class Message(Wire):
    """One turn of the conversation."""

    role: str
    content: str | list[Part] | None = None

    def parts(self) -> list[Part]:
        """Return the content in parts; a plain string is one text part."""
        if isinstance(self.content, str):
            return [TextPart(type="text", text=self.content)]
        return list(self.content or [])


class JsonSchema(Wire):
    """The schema inside `response_format`; `schema` is kept as it came."""

    name: str = "out"
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class ResponseFormat(Wire):
    """How the answer must be written."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class VideoIo(Wire):
    """vLLM's per-request description of a frame list's timeline."""

    fps: float | None = Field(default=None, gt=0)
    frames_indices: list[int] | None = None


class MediaIo(Wire):
    """vLLM's `media_io_kwargs`."""

    video: VideoIo = VideoIo()


class StreamOptions(Wire):
    """Options of a streamed answer."""

    include_usage: bool = False


class ChatRequest(Wire):
    """The body of `POST /v1/chat/completions`; sampling fields are accepted and have no effect."""

    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    n: int = Field(default=1, ge=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    response_format: ResponseFormat | None = None
    media_io_kwargs: MediaIo = MediaIo()

    def policy(self) -> str:
        """Return the text of the system messages: what kind of video is to be judged, and by which rules."""
        turns = [message for message in self.messages if message.role in {"system", "developer"}]
        return "\n".join(part.text for turn in turns for part in turn.parts() if isinstance(part, TextPart))

    def shown(self) -> list[Part]:
        """Return the parts of the last message that shows a picture or video; of all messages when none does.

        Earlier pictures are worked examples, not the scene that is asked about.
        """
        turns = [message.parts() for message in self.messages]
        showing = [parts for parts in turns if any(not isinstance(part, TextPart) for part in parts)]
        return showing[-1] if showing else [part for parts in turns for part in parts]


class TokenDetails(BaseModel):
    """How many of the prompt's tokens came from pictures."""

    multimodal_tokens: int


class Usage(BaseModel):
    """Estimated token counts of one exchange."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails


class Answer(BaseModel):
    """What was answered, before it is wrapped for the wire."""

    text: str
    finish_reason: Literal["stop", "length"]
    usage: Usage


def completion(answer: Answer, answer_id: str, model: str, created: int) -> dict[str, Any]:
    """Wrap an answer as a `chat.completion` object; `created` is in Unix seconds."""
    message = {"role": "assistant", "content": answer.text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": answer.usage.model_dump(),
    }


def completion_chunks(
    answer: Answer, answer_id: str, model: str, created: int, *, include_usage: bool
) -> list[dict[str, Any]]:
    """Wrap an answer as `chat.completion.chunk` objects: role, pieces of text, finish reason, usage."""
    head = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model}
    pieces = [answer.text[i : i + 64] for i in range(0, len(answer.text), 64)]
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}, *({"content": p} for p in pieces)]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas
    ]
    end = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
    chunks.append({**head, "choices": [end]})
    if include_usage:
        chunks.append({**head, "choices": [], "usage": answer.usage.model_dump()})
    return chunks


def error_body(message: str, kind: str, param: str | None, code: int) -> dict[str, Any]:
    """Return vLLM's error body."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
