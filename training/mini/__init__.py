"""Training of the mini family on synthetic people: autoencoder, generator, its conditions and helpers, and the release of their weights."""
