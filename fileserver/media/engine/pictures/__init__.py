"""Pictures: of films, attached to records, and still ones."""
