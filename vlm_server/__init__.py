"""The VLM endpoint: launch profiles for vLLM, and a reference server that answers on a CPU."""
