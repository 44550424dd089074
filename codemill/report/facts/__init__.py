"""What a report says, as plain data: computed from a finished run. Nothing here knows HTML or the terminal."""
