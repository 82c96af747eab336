"""The leak watch: the channels in which a secret may appear, and whether it would be seen."""
