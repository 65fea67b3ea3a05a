# The image of every production process; docker-compose.yml says which one a container runs.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# the lock first: its layer stays while only our own code changes
COPY requirements.lock ./
RUN pip install --require-hashes --no-deps -r requirements.lock

COPY . .
RUN pip install --no-deps --no-build-isolation -e . && python -m compileall -q connector jobs webhooks

# a fixed number, so that the folder of secrets on the host can be given to it
RUN useradd --uid 10001 --no-create-home connector
USER connector

EXPOSE 8400
CMD ["connector", "--help"]
