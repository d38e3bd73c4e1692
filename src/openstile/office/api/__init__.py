"""The office's HTTP API: FastAPI, problem+json for every error, sessions for riders and staff (docs/office.md)."""
