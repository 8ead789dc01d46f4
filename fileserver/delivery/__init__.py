"""Where ASGI meets storage: decisions and readers become bytes on the wire, request bodies become drafts."""
