"""What of a summary crosses our own REST API and is kept beside its pictures. The only place where summaries become wire values."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from extension.model import Basis, Kind, Severity, Span
from extension.timetravel.summary import Coverage, Moment, Summary
from extension.timetravel.summary_text import zone_name
from extension.timetravel.summary_tongues import Language, tongue
from extension.wire import PositionOut, Wire

VIDEO = "summary.mp4"
HEAT_MAP = "heatmap.png"
TIMELINE = "timeline.png"


def text_name(language: Language) -> str:
    """Name of the written summary in a language."""
    return f"summary.{language}.md"


def json_name(language: Language) -> str:
    """Name of the whole summary for programs, its sentences in a language."""
    return f"summary.{language}.json"


class PlaceOut(Wire):
    """A place on the ground, in the log's centimetres."""

    x: float
    z: float


class SpotOut(PlaceOut):
    """A place where several moments happened."""

    count: int


class SpanOut(Wire):
    """A span of media time; its start is in, its end is out."""

    start_s: float
    end_s: float

    @classmethod
    def of(cls, span: Span) -> SpanOut:
        """The wire form of a span."""
        return cls(start_s=span.start_s, end_s=span.end_s)


class MissedOut(SpanOut):
    """A chunk that the VLM was asked about and that has no verdict."""

    code: str
    message: str


class MomentOut(Wire):
    """One incident as the summary tells it, with its sentence."""

    number: int
    start_s: float
    end_s: float
    incident_id: str
    kind: Kind
    severity: Severity
    objects: list[str]
    start_at: dt.datetime | None
    end_at: dt.datetime | None
    clock: str | None
    positions: list[PositionOut]
    basis: Basis
    description: str
    place: PlaceOut | None = Field(description="Middle of the objects when they were closest")
    closest_cm: float | None = Field(description="Smallest distance of two of its objects on the ground")
    closest_at: dt.datetime | None
    sentence: str
    in_video: bool = Field(description="Whether the summary's video shows it")

    @classmethod
    def of(cls, summary: Summary, moment: Moment, language: Language) -> MomentOut:
        """The wire form of a moment."""
        return cls(
            number=moment.number,
            incident_id=moment.incident_id,
            kind=moment.kind,
            severity=moment.severity,
            objects=list(moment.objects),
            start_s=moment.span.start_s,
            end_s=moment.span.end_s,
            start_at=moment.start_at,
            end_at=moment.end_at,
            clock=moment.clock,
            positions=[PositionOut.of(p) for p in moment.positions],
            basis=moment.basis,
            description=moment.description,
            place=PlaceOut(x=moment.place[0], z=moment.place[1]) if moment.place else None,
            closest_cm=moment.closest_cm,
            closest_at=moment.closest_at,
            sentence=tongue(language).sentence(summary, moment),
            in_video=moment.number in summary.shown,
        )


class CoverageOut(Wire):
    """What was looked at: the proof of a summary without moments."""

    ended: bool
    media_s: float | None
    chunks: int | None
    judged: int = Field(description="Chunks that the VLM gave a verdict on")
    failed: list[MissedOut]
    not_asked: int = Field(description="How many chunks the VLM was not asked about")
    not_asked_spans: list[SpanOut]
    log_asked: bool = Field(description="Whether the log's coordinates were searched in every chunk")
    shown_from_at: dt.datetime | None
    shown_to_at: dt.datetime | None
    parts: int = Field(description="How many parts of the time between these the video shows")

    @classmethod
    def of(cls, coverage: Coverage) -> CoverageOut:
        """The wire form of a coverage."""
        return cls(
            ended=coverage.ended,
            media_s=coverage.media_s,
            chunks=coverage.chunks,
            judged=coverage.judged,
            failed=[
                MissedOut(start_s=m.span.start_s, end_s=m.span.end_s, code=m.code, message=m.message)
                for m in coverage.failed
            ],
            not_asked=coverage.not_asked,
            not_asked_spans=[SpanOut.of(span) for span in coverage.not_asked_spans],
            log_asked=coverage.log_asked,
            shown_from_at=coverage.shown_from_at,
            shown_to_at=coverage.shown_to_at,
            parts=coverage.parts,
        )


class CountOut(Wire):
    """In how many moments these objects took part, alone or together."""

    objects: list[str]
    count: int


class BusyOut(Wire):
    """A minute in which several moments began."""

    start_s: float
    start_at: dt.datetime | None
    count: int


class SummaryOut(Wire):
    """What a job came to."""

    job_id: str
    name: str
    model: str | None
    timezone: str
    language: Language
    title: str
    sentences: list[str] = Field(description="What there is to say, the most important first")
    text: str = Field(description="The whole written summary, as Markdown")
    moments: list[MomentOut]
    kinds: dict[Kind, int]
    severities: dict[Severity, int]
    objects: list[CountOut]
    groups: list[CountOut]
    worst: int | None = Field(
        description="Number of the worst moment: highest severity, then smallest distance, then longest, then first"
    )
    hot_spots: list[SpotOut]
    busiest: list[BusyOut]
    coverage: CoverageOut

    @classmethod
    def of(cls, summary: Summary, language: Language) -> SummaryOut:
        """The wire form of a summary."""
        written = tongue(language).write(summary)
        return cls(
            job_id=summary.job_id,
            name=summary.name,
            model=summary.model,
            timezone=zone_name(summary),
            language=language,
            title=written.title,
            sentences=list(written.sentences),
            text=written.markdown(),
            moments=[MomentOut.of(summary, moment, language) for moment in summary.moments],
            kinds=dict(summary.kinds),
            severities=dict(summary.severities),
            objects=[CountOut(objects=[name], count=count) for name, count in summary.objects],
            groups=[CountOut(objects=list(group), count=count) for group, count in summary.groups],
            worst=summary.worst,
            hot_spots=[SpotOut(x=spot.x, z=spot.z, count=spot.count) for spot in summary.hot_spots],
            busiest=[BusyOut(start_s=b.start_s, start_at=b.start_at, count=b.count) for b in summary.busiest],
            coverage=CoverageOut.of(summary.coverage),
        )
