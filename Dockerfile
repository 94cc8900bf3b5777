# The server without the sandbox's renderer, and so without any GPL part; --build-arg EXTRAS=[sandbox] brings it along.
FROM python:3.13-slim AS build
ARG EXTRAS=""
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY veo_mcp ./veo_mcp
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir ".${EXTRAS}"

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home veo && install -d -o veo -g veo /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VEO_TRANSPORT=http \
    VEO_HOST=0.0.0.0 \
    VEO_PORT=8000 \
    VEO_JOURNAL=/data/journal.db \
    VEO_LOG_FORMAT=json
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"VEO_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["veo-mcp"]
CMD ["serve"]
