# Fil rouge as a service: your folder (config.yaml, rules/, .env, the workbook) is mounted at /data.
#   docker build -t filrouge . && docker run -v "$PWD:/data" -p 127.0.0.1:8080:8080 filrouge
FROM python:3.12-slim AS build
WORKDIR /build
COPY locks/image.txt locks/image.txt
RUN python3 -m venv /opt/filrouge && /opt/filrouge/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY connectors connectors
COPY rules rules
COPY sync sync
RUN /opt/filrouge/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home filrouge && mkdir /data && chown filrouge /data
COPY --from=build /opt/filrouge /opt/filrouge
ENV PATH=/opt/filrouge/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER filrouge
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["filrouge"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
