"""The dated knowledge base: parameters, topics and calculators, answerable as of any date."""
