"""One service of the chain. It answers with its name, version and address, and with what the next service answers.

It knows nothing of lanes. In permissive mode it runs under `opentelemetry-instrument`, which carries the baggage of a
request over to the calls that the request causes; not a line here does.
"""

import os

import requests
from flask import Flask

app = Flask(__name__)
ME = f"-> {os.environ['NAME']}(version: {os.environ['VERSION']}, ip: {os.environ['IP']})"
# A connection for each thread would be kept; one for each call is simpler and the demo is small.
UPSTREAM = os.environ.get("UPSTREAM_URL")


@app.get("/healthz")
def health():
    return "ok"


@app.get("/", defaults={"path": ""})
@app.get("/<path:path>")
def mock(path):
    if not UPSTREAM:
        return ME
    # The sidecar is the proxy of this process (`http_proxy`), so the name needs no DNS.
    answer = requests.get(UPSTREAM, timeout=5)
    if answer.ok:
        return ME + answer.text
    return f"{ME}-> {answer.status_code} from {UPSTREAM}", answer.status_code


if __name__ == "__main__":
    app.run(host=os.environ["IP"], port=int(os.environ["PORT"]), threaded=True)
