"""`python -m fileserver`."""

from fileserver.cli import app

if __name__ == "__main__":
    app()
