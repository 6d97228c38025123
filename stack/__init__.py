"""Starts the whole product on one machine: train if needed, migrate, three processes, one question."""
