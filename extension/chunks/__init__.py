"""Windows of media time over a source, and handing them to the via-server."""
