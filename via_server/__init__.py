"""The embedded via-server: the part of VSS 2.4's REST contract that captions need, on a CPU.

It stores videos, cuts them into chunks, decodes the frames of each chunk with PyAV, asks the override class in
`vss_overrides/` about them (through the same class contract as NVIDIA's engine), and answers in the engine's shapes.
It does not summarise, chat, watch live streams or review alerts; those routes answer as an engine without these
features does, or 501 `NotImplemented`.

Read in this order: `settings`, `errors`, `wire`, `assets`, `upload`, `probe`, `splitter`, `decoder`, `host`,
`captions`, `query`, the `routes_*` modules, `app`, `__main__`.

Where it differs from the engine on purpose:
- a chunk without a frame gets an answer that names it, where the engine drops it in silence;
- streamed chunk events are sent in order as soon as they are known, where the engine holds all until the last;
- paths given as `filename` must lie in an allowed folder.
"""
