"""Training: synthetic people, and what learns from them. Runs from the checkout: `python -m training.people`."""
