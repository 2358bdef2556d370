"""The right request of every route, by its API and name."""

from tests.access import requests, requests_city, requests_residents, requests_sessions

REQUESTS = requests.REQUESTS
MORE = requests_city.__name__, requests_residents.__name__, requests_sessions.__name__
"""Loaded for what it adds."""
