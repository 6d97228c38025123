"""The pages of the console: handlers parse, call one service, then redirect or render."""
