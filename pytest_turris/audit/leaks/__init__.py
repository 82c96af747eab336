"""The leak watch: where a secret may show, and whether it would be seen there."""
