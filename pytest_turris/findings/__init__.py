"""What a check found: one verdict, one text, one way to ignore a finding with a reason."""
