"""Evidence of an incident: a clip, the deciding frame, and a manifest that names and hashes what the decision rests on."""
