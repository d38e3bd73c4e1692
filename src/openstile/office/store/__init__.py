"""Storage of the office: SQLite in one folder, or PostgreSQL by a URL, through the same SQLAlchemy code."""
