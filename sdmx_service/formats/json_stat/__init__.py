"""JSON-stat 2.0: cubes of figures as statistical offices answer them."""
