"""NLU graph components: Vietnamese tokens, entities, and the ranking of topics."""
