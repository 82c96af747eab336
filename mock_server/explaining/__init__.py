"""What ``turris-sandbox explain`` knows: each check and each option."""
