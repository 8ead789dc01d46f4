"""The command-line client: resumable `put` and `get` against any server that speaks tus or ranges.

It imports the standard library, urllib3, rich, typer and the pure grammar of `fileserver.http`; nothing of the server.
"""
