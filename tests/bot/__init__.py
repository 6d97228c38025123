"""Tests of the sealed Rasa project; they run in its own environment."""
