"""The routes: each reads a request, calls, and answers."""
