# The consumer's suite only runs in the environments of the matrix.
collect_ignore = ["consumer"]
