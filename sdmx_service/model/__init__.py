"""What SDMX things are: frozen, typed, multilingual, no I/O."""
