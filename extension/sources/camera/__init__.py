"""Cameras: RTSP in, a ring of short segments on disk out, and an account of every second. Judges nothing."""
