# Two stages: the first builds the virtual environment from the lock file, the second carries it and nothing else.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/sdmx-service \
    && /opt/sdmx-service/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
RUN /opt/sdmx-service/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sdmx \
    && install -d -o sdmx -g sdmx -m 0750 /data /keys /spool
COPY --from=build /opt/sdmx-service /opt/sdmx-service
ENV PATH=/opt/sdmx-service/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/spool
USER sdmx
WORKDIR /data
VOLUME ["/data", "/keys", "/spool"]
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["sdmx-service"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--data", "/data", "--key-file", "/keys/second-factor.key"]
