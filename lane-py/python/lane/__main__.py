"""`python -m lane` is the `lane` command."""

from lane._cli import main

if __name__ == "__main__":
    main()
