"""Puts labelled questions to the running stack and scores the replies as citizens would."""
