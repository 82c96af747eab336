"""What a test checks about its client: assertions, expected refusals, and failures at its end."""
