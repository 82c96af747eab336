"""What a sandbox is: its records, clock, options, saved states; and several sandboxes."""
