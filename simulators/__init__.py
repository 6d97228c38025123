"""Simulated platforms, on this machine only, to test against and to train agents with."""
