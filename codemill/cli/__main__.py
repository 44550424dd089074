"""`python -m codemill.cli`."""

from codemill.cli import main

if __name__ == "__main__":
    main()
