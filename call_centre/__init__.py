"""The call-centre queue: cases, the atomic claim, and the console where agents answer."""
