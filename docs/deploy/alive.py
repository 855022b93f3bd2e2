"""For a container's health check: ends with status 0 when the pages answer under the portal's own name."""

import http.client
import os
import sys
from urllib.parse import urlsplit

connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
connection.request("GET", "/healthz", headers={"Host": urlsplit(os.environ["PORTAL_BASE_URL"]).netloc})
sys.exit(connection.getresponse().status != 200)
