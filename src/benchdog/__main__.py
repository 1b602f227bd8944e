"""`python -m benchdog` is `benchdog`."""

from benchdog.cli import main

if __name__ == "__main__":
    main()
