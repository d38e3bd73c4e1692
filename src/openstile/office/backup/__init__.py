"""Backups of the office's database: whole, checked, private, short-lived; restored whole or not at all."""

from openstile.office.backup.errors import BackupError
from openstile.office.backup.make import make_backup
from openstile.office.backup.manifest import Manifest
from openstile.office.backup.prune import prune
from openstile.office.backup.restore import restore

__all__ = ["BackupError", "Manifest", "make_backup", "prune", "restore"]
