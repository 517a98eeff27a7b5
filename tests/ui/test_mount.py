"""How the page joins the service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_importing_the_page_does_not_import_gradio() -> None:
    """A service without a page starts without paying for it."""
    program = "import sys, extension.ui; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_the_api_does_not_import_gradio() -> None:
    """Nor does the API beside it."""
    program = "import sys, extension.api; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
