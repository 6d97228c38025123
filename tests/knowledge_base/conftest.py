"""Hypothesis never judges by the clock: the machine is shared."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
