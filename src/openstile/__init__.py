"""Openstile: passes only their owner can use, gates that remember no one."""

__version__ = "0.1.0.dev0"
