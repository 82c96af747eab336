"""The passive rules: each looks at what the sandbox of one test saw."""
