"""Clients of resumable uploads that others wrote, against the server as it runs."""
