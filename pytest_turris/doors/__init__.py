"""Ways into a sandbox, one file each: they only translate."""
