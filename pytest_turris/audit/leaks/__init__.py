"""The leak watch: where a secret may show, and whether anybody would see it there."""
