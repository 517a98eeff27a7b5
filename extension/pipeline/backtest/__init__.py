"""Judges footage or stored answers again under other rules, on the media clock, and tells nobody."""
