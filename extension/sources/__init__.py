"""Where video comes from: files, and replays drawn from trajectory logs."""
