"""``python -m e2e.load``: the same as ``codemodel-load``."""

import sys

from e2e.load.cli import main

if __name__ == "__main__":
    sys.exit(main())
