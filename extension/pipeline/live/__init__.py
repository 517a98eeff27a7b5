"""Live cameras: windows over recorded segments, looked at as they come, judged and told."""
