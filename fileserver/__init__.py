"""A server for large files and media, to run alone or inside another FastAPI application."""
