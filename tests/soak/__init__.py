"""The real gateway under simulated load: killed at random moments, and flooded."""
