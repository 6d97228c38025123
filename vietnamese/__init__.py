"""Pure functions that read Vietnamese as people type it; standard library only, Python 3.10 syntax."""
