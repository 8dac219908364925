# One image for hub and agent: the command decides. Installed in place, as the settings' defaults
# lie beside the packages.
FROM python:3.12-slim

RUN groupadd --system --gid 10001 gridwarden \
    && useradd --system --uid 10001 --gid 10001 --create-home gridwarden \
    && mkdir -p /app /data /authority /broker /agent \
    && chown gridwarden:gridwarden /data /authority /broker /agent \
    && chmod 700 /authority /broker /agent

WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1

# what changes seldom first: a new line of code does not install everything again
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY gridwarden/__init__.py gridwarden/__init__.py
RUN pip install --constraint constraints.txt --editable .

COPY contract contract
COPY detectors detectors
COPY edge edge
COPY hub hub
COPY gridwarden gridwarden
COPY configs configs
RUN pip install --constraint constraints.txt --no-deps --editable . && python -m gridwarden.assets

USER gridwarden
VOLUME /data
ENTRYPOINT ["gridwarden"]
CMD ["--help"]
