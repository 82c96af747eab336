"""What the plugin changes in this process and restores: attributes, the environment, output."""
