"""The application in this process, with the mock engine at its fastest."""

from collections.abc import Callable

import pytest
from flask import Flask

from codemodel_server.app import create_app
from codemodel_server.engines.mock import MockEngine
from codemodel_server.metrics import Metrics
from codemodel_server.service import Service
from codemodel_server.settings import parse_settings

MakeApp = Callable[..., Flask]


def make_app(*arguments: str) -> Flask:
    """The application with a model that is loaded."""
    collected = Metrics()
    service = Service(MockEngine(512, 4, 0), "coder", 64, collected)
    service.open()
    return create_app(service, collected, parse_settings(arguments, {}))


@pytest.fixture(scope="session")
def app() -> Flask:
    return make_app()
