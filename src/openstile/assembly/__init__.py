"""Wires the real clock, disk, camera and keys to the rooms. Nothing else does."""
