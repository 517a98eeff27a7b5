"""An RTSP server of our own: streams for simulated cameras and for drawn replays. It serves; it records nothing."""
