"""The running service of the journeys, for the client that apps copy from."""

from tests.journeys.conftest import People, api, people, service, sheet

__all__ = ["People", "api", "people", "service", "sheet"]
