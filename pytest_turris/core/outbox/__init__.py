"""What is to be delivered to whom, and when: plain data on the sandbox's clock, no sending."""
