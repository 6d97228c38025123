"""The sealed Rasa project: components, training data, domain and actions."""
