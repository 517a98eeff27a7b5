"""Judges the VLM from both sides: what it said itself, and what became of the clip that went through the via-server. Pure."""

from __future__ import annotations

from extension.command.doctor import clip
from extension.command.doctor.finding import Finding, failed, passed, warned
from extension.command.doctor.targets import Targets
from extension.command.doctor.via import ViaSeen
from extension.command.doctor.vlm import VlmSeen, address_is_the_containers_own

_FLAGS = "start vLLM as scripts/run_qwen3-vl-8b.sh does (docs/deployment.md)"
_SMALL_TOKENS = 4096
_SCHEMAS = {
    "ignored": ("asked for by a schema, but the VLM ignores it", "take a server with structured outputs"),
    "refused": ("the VLM refuses a schema", "take a server with structured outputs"),
    "endless": ("with a schema the VLM writes white space without end", _FLAGS),
}


def findings(targets: Targets, via: ViaSeen | None, vlm: VlmSeen | None) -> list[Finding]:
    """Reachable, model, context length, packing, structured answers, timestamps."""
    shown = via.shown if via else clip.Shown()
    if targets.vlm is None and targets.via is None:
        detail = "the reference program will be started: it reads replays, it is no language model"
        later = "while the service runs, this checks packing, answers and times too"
        return [warned("vlm", detail, f"set VIA_VLM_ENDPOINT for camera footage; {later}")]
    found = [*_reached(targets, shown, vlm)]
    if vlm is not None and vlm.trouble is None:
        found.append(_context(vlm))
    if shown.caption is None and (vlm is None or vlm.trouble is not None):
        return found
    return [*found, _packing(targets, shown, vlm), _structured(shown, vlm), _times(shown, vlm)]


def _reached(targets: Targets, shown: clip.Shown, vlm: VlmSeen | None) -> list[Finding]:
    found: list[Finding] = []
    if targets.vlm is None:
        found.append(passed("vlm", "the via-server's own; set VIA_VLM_ENDPOINT to have it asked directly"))
    elif vlm is None:
        found.append(
            failed("vlm", "does not answer in time", f"see whether it is busy, or {targets.vlm.mend}")
        )
    elif vlm.trouble is not None:
        found.append(failed("vlm", vlm.trouble.detail, vlm.trouble.fix))
    elif vlm.reference:
        detail = "the reference program: it reads replays, it is no language model"
        found.append(warned("vlm", detail, "set VIA_VLM_ENDPOINT for camera footage"))
    else:
        found.append(passed("vlm", f"offers {targets.model}"))
    return [*found, *_through(targets, shown)]


def _through(targets: Targets, shown: clip.Shown) -> list[Finding]:
    """Whether the via-server reaches its VLM."""
    line = address_is_the_containers_own(targets)
    name = "via to vlm"
    failure = shown.caption.failure if shown.caption else None
    if failure is not None:
        fix = (
            f"set {line}"
            if line and failure.code == "Unreachable"
            else "mend what it names; the override's words"
        )
        return [failed(name, f"{failure.code}: {failure.message}", fix)]
    if shown.caption is not None:
        return [passed(name, "the probe clip was answered")]
    found = (
        [failed(name, f"the probe clip was not answered: {shown.trouble}", "see its log")]
        if shown.trouble
        else []
    )
    if line:
        detail = "VIA_VLM_ENDPOINT is this machine's loopback, which inside a container is the container"
        found.append(warned("vlm address", detail, f"where the via-server runs in a container, set {line}"))
    return found


def _context(vlm: VlmSeen) -> Finding:
    if vlm.max_model_len is None:
        return passed("context", "not said; the override sends what it is given")
    detail = f"{vlm.max_model_len} tokens, answer included"
    if vlm.max_model_len < _SMALL_TOKENS:
        return warned("context", f"{detail}: frames will be left out to fit", "raise --max-model-len")
    return passed("context", detail)


def _packing(targets: Targets, shown: clip.Shown, vlm: VlmSeen | None) -> Finding:
    name = "packing"
    used = str(shown.report.get("packing", ""))
    if used and used != "none":
        frames = shown.report.get("frames")
        return passed(name, f"{used}: so the clip's {frames} frames travelled")
    if targets.packing not in ("", "auto"):
        return passed(name, f"{targets.packing}, forced by CHUNK_CAPTION_PACKING")
    if vlm is None or vlm.trouble is not None:
        return warned(name, "not known: no report of the override", "see overrides, above")
    return _packing_by_probe(vlm)


def _packing_by_probe(vlm: VlmSeen) -> Finding:
    name = "packing"
    if vlm.reference:
        return passed(name, "video_jpeg, which the reference program reads")
    if vlm.video.taken is None:
        return warned(
            name, "not known: the VLM was too slow to tell", "run this again; the first answer is the slowest"
        )
    if not vlm.video.taken:
        detail = "images, or mp4 where the via-server can encode it: the VLM takes no list of frames"
        return warned(name, f"{detail}; images cost about twice the tokens", _FLAGS)
    if vlm.video.cut:
        detail = (
            f"video_jpeg up to {2 * len(vlm.video.marks_s)} frames; beyond them the VLM leaves frames out"
        )
        return warned(name, detail, _FLAGS)
    return passed(name, "video_jpeg: one video per chunk, every frame kept")


def _structured(shown: clip.Shown, vlm: VlmSeen | None) -> Finding:
    name = "answers"
    verdict = shown.caption.verdict if shown.caption else None
    if vlm is not None and vlm.schema == "honoured":
        return passed(name, "follow a schema: asked for a word that no model says by itself, and got it")
    if vlm is not None and vlm.schema:
        detail, fix = _SCHEMAS[vlm.schema]
        return warned(name, detail, fix)
    if verdict is not None:
        return passed(name, "the probe clip's answer is a verdict")
    failure = shown.caption.failure if shown.caption else None
    if failure is not None and failure.code == "Garbled":
        return failed(
            name, f"the probe clip's answer is no verdict: {failure.message}", "choose another model"
        )
    if vlm is not None and vlm.reference:
        return passed(name, "are verdicts by construction")
    return warned(name, "structured answers not checked", "mend what failed above, then run this again")


def _times(shown: clip.Shown, vlm: VlmSeen | None) -> Finding:
    name = "timestamps"
    video = vlm.video if vlm else None
    if video is not None and video.true:
        return passed(name, "true to 0.06 s, read back from the VLM's own tokens")
    if shown.caption is not None and shown.caption.verdict is not None:
        wrong = clip.misread(shown.caption)
        if wrong:
            detail = f"the drawn probe clip is misread: {wrong}"
            return warned(name, detail, "a model may misread one clip; score it with `timetravel summarize`")
        return passed(name, "true: a drawn clip's known contact and clock came back")
    if video is not None and video.marks_s:
        detail = (
            "the VLM's tokens show marks of a clock of its own; the override tells the model how to read them"
        )
        return passed(name, detail)
    return warned(
        name,
        "not verified: the VLM shows no tokens, and no clip was answered",
        "run this while the service runs",
    )
