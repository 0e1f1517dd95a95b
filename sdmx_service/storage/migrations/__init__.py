"""The tables of the program itself, as numbered steps; a store remembers how many it has taken."""
