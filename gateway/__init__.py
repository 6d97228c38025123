"""The public face: channels, inbox, outbox, conversation ownership and the Rasa client."""
