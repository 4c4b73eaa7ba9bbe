"""`python -m healthbook`."""

from healthbook.cli import main

if __name__ == "__main__":
    main()
