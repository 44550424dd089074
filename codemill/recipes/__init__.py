"""Read these first: each file is one complete way of making data, top to bottom, with its reasons."""
