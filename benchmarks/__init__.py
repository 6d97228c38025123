"""Measurements that chose the pipeline and the shape of a turn: understanding, and a whole turn."""
