"""Motion in recorded video, measured cheaply: little is decoded, and that little is made small."""
