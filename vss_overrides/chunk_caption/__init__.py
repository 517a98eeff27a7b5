"""Turns the frames of one chunk into one question to an OpenAI-compatible VLM, and its answer into a caption text.

It runs inside NVIDIA's engine and inside the embedded via-server alike, on the standard library, numpy and openai only.
Read in this order: `config`, `frames`, `endpoint`, `packing`, `mp4`, `budget`, `probe`, `request`, `failures`, `client`, `answers`, `knowledge`,
`captioner`; apart from them stands `engine_fixes`.
"""
