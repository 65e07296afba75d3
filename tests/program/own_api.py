"""Calls of Lethe's own interface."""

import base64
import http.client
import json

from support import PATIENCE


def call_own(service, path, body=None, key=None, password=None):
    """Lethe's own interface: the status and the answer."""
    headers = {}
    if key or not password:
        headers['Authorization'] = 'Bearer ' + (key or service.keys['API key'])
    if password:
        headers['Authorization'] = 'Basic ' + base64.b64encode(
            f'console:{password}'.encode()).decode()
    connection = http.client.HTTPConnection(service.address, timeout=PATIENCE)
    try:
        connection.request('GET' if body is None else 'POST', '/lethe/v1/' + path,
                           None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
