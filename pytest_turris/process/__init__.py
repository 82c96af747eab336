"""What the kit changes in this process, and puts back: attributes, the environment, output."""
