"""The right request of every route, by its API and name."""

from tests.access import requests, requests_city

REQUESTS = requests.REQUESTS
CITY = requests_city.__name__
"""Loaded for what it adds."""
