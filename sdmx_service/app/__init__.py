"""The composition root: settings -> store, library -> aiohttp application."""
