"""How answers are judged: against the clock of this receiver, and against each other."""
