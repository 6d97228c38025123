"""Tests of the call-centre queue and its console."""
