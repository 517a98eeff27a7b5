"""The service: turns video into incidents and incidents into delivered alerts."""

VERSION = "0.1.0"
