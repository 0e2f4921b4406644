"""`python -m lane` is the `lane` command."""

from lane._cli import main

main()
