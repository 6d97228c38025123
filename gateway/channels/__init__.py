"""One module per channel: verify, parse, send."""
