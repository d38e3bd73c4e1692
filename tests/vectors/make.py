"""Writes the vectors of docs/pass-format.md: `python -m tests.vectors.make`. The same bytes each time."""

import json
from pathlib import Path
from typing import Any

from tests.vectors.invalid_claims import invalid_claims
from tests.vectors.invalid_forms import invalid_forms
from tests.vectors.invalid_live import invalid_live
from tests.vectors.status_cases import list_cases, sequence_cases, standing_cases
from tests.vectors.valid_cases import valid_cases
from tests.vectors.vector_keys import ring_as_json, secrets_as_json

FOLDER = Path(__file__).resolve().parent


def vector_files() -> dict[str, str]:
    """The content of every file of vectors, by its name."""
    cases = [*valid_cases(), *invalid_forms(), *invalid_claims(), *invalid_live()]
    passes = {"format": "openstile pass 1", "gate": ring_as_json(), "secrets": secrets_as_json()}
    lists = {"format": "openstile status list 1", "gate": ring_as_json()}
    return {
        "passes.json": _as_text({**passes, "vectors": [case.as_json() for case in cases]}),
        "status-lists.json": _as_text(
            {**lists, "vectors": list_cases(), "standings": standing_cases(), "sequences": sequence_cases()}
        ),
    }


def _as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=True, indent=1) + "\n"


def main() -> None:
    for name, content in vector_files().items():
        (FOLDER / name).write_text(content, encoding="ascii")


if __name__ == "__main__":
    main()
