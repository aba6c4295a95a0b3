"""``python -m e2e.report RESULTS``: the same as ``codemodel-load report RESULTS``."""

import sys

from e2e.report.cli import main

if __name__ == "__main__":
    sys.exit(main())
