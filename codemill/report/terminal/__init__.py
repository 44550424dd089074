"""The report in the terminal: what `show`, `explain` and the verbs for tuning print."""
