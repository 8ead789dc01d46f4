"""Resumable uploads in both dialects, and digests on requests, as a client on a raw connection meets them."""
