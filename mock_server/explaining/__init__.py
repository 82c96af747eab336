"""What ``turris-sandbox explain`` knows: each check and each option, as on the pages of the docs."""
