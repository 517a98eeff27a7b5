"""Reads short printed text from a crop with PP-OCRv6's small recogniser (rapidocr's wheel carries it).

The one place that touches onnxruntime. Answers are restricted to an alphabet; nothing else can be read.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

TALL = 48  # pixels; the height the recogniser was trained at
BLANK = 0  # its first class means "no character"
DIGITS = "0123456789"


@dataclass(frozen=True)
class Reading:
    """What a crop says and how sure the least sure character is, 0 to 1."""

    text: str
    confidence: float


class Reader:
    """One recogniser, safe to share between threads; about 120 MB resident."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # crops vary in width; an arena keeps the largest for ever
        model = _model_path()
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        characters = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._class_of = {character: index + 1 for index, character in enumerate(characters)}

    def read(self, crop: NDArray[np.uint8], alphabet: str = DIGITS) -> Reading:
        """Read one line of text from a grey crop (H x W uint8)."""
        width = max(TALL, round(crop.shape[1] * TALL / crop.shape[0]))
        sized = cv2.resize(crop, (width, TALL), interpolation=cv2.INTER_CUBIC)
        scaled = (sized.astype(np.float32) / 127.5 - 1.0)[None, None]
        scores = self._session.run(None, {self._input: np.repeat(scaled, 3, axis=1)})[0][0]
        known = [character for character in alphabet if character in self._class_of]
        allowed = scores[:, [BLANK, *(self._class_of[character] for character in known)]]
        return _decoded(allowed, known)


def _decoded(scores: NDArray[np.float32], alphabet: list[str]) -> Reading:
    """Collapse repeats and blanks (CTC); confidence is relative to what the alphabet allows."""
    text, confidence, before = "", 1.0, BLANK
    for step in scores:
        best = int(step.argmax())
        if best not in (BLANK, before):
            text += alphabet[best - 1]
            confidence = min(confidence, float(step[best] / max(float(step.sum()), 1e-9)))
        before = best
    return Reading(text, confidence if text else 0.0)


def _model_path() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package rapidocr is not installed")
    return Path(spec.submodule_search_locations[0]) / "models" / "PP-OCRv6_rec_small.onnx"
