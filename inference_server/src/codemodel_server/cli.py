"""The command codemodel-server."""

import sys

from codemodel_delivery.termination import write_termination_message
from codemodel_server.engines.selection import build_engine, model_name
from codemodel_server.errors import LoadError
from codemodel_server.listening import PortError
from codemodel_server.server import Server
from codemodel_server.settings import parse_settings

_USAGE_ERROR = 2


def main() -> None:
    """Serves until SIGTERM. Ends with 0 then, and with 3 if the model cannot be loaded.

    A wrong setting ends it with 2 at once; so does a management port that is taken.
    """
    settings = parse_settings(sys.argv[1:])
    try:
        engine = build_engine(settings)
        server = Server(settings, engine, model_name(settings, engine.name))
    except (LoadError, PortError) as error:
        write_termination_message(f"WrongSettings: {error}")
        print(f"codemodel-server: {error}", file=sys.stderr)
        sys.exit(_USAGE_ERROR)
    server.run()


if __name__ == "__main__":
    main()
