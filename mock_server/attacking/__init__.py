"""``turris-sandbox attack``: how it reaches and watches a receiver, and how it reports."""
