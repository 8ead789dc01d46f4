"""The command-line client: resumable `put` and `get` against any server, and long work and the feed of one of ours.

It imports the standard library, urllib3, rich, typer, the pure grammar of `fileserver.http` and the words of
`fileserver.findings`; nothing of the server.
"""
