"""What a test checks of its client: asserted, expected, and what fails it at its end."""
