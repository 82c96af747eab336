"""The clock of code that runs in an event loop: of asyncio, or of trio."""
