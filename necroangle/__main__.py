"""``python -m necroangle``: the same door as the ``necroangle`` command."""

from necroangle.cli import main

if __name__ == "__main__":
    main()
