"""Tests through the whole product: real Rasa, action server, gateway, console and a real browser."""
