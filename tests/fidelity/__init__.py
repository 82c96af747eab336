"""The documented facts as data, and the running sandbox held against them."""
