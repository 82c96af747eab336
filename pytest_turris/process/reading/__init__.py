"""Files and documents of users: read within limits, and refused in one sentence."""
