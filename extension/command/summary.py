"""Prints the summary of a job of the running service."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from extension.client import ApiClient
from extension.command import lock
from extension.errors import BadInput, NotFound
from extension.settings import Settings
from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import VIDEO
from extension.wire import JobOut


def tell(settings: Settings, console: Console, job_id: str, lang: str) -> None:
    """Print what a job came to, and where its video is.

    Args:
        settings: Say where the service is.
        console: Where people look.
        job_id: The job, or the beginning of its id; empty for the newest.
        lang: "en" or "ko".

    Raises:
        BadInput: The language is not one that we write.
        NotFound: There is no such job.
        Unavailable: The service does not answer.
    """
    try:
        language = Language(lang)
    except ValueError as exc:
        raise BadInput(f"--lang: {lang!r} is not one of {', '.join(Language)}") from exc
    api = ApiClient(lock.running_at(settings.data_dir) or f"http://127.0.0.1:{settings.port}")
    job = _meant(api, job_id)
    page = api.summary(job.id, language)
    console.print(Markdown(page.text))
    names = api.outputs(job.id)
    if VIDEO in names:
        console.print()
        # Not wrapped: an address in two lines cannot be opened.
        console.print(f"{api.base_url}/api/v1/jobs/{job.id}/outputs/{VIDEO}", soft_wrap=True, highlight=False)


def _meant(api: ApiClient, job_id: str) -> JobOut:
    """The job of that id, or the only one whose id begins so, or the newest."""
    jobs = api.jobs()
    if not job_id:
        if not jobs:
            raise NotFound("Nothing has been analysed yet.")
        return jobs[0]
    named = [job for job in jobs if job.id.startswith(job_id)]
    return named[0] if len(named) == 1 else api.job(job_id)
