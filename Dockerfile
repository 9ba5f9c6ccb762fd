# The image: the four programs, their pinned packages and a Mosquitto for the demo, run by a user without any rights.
#
#   docker build -t riser .                         what a site runs (the last stage)
#   docker build -t riser-test --target test .      the same and the tests: docker run --rm riser-test
#
# Nothing here names a processor: the same file builds on amd64 and arm64.

# The Python that the tests run on, on Debian 12. A tag of three numbers does not change its meaning.
FROM python:3.11.13-slim-bookworm AS packages
COPY requirements.txt /build/
# Nothing is compiled by gcc: every pinned package brings a wheel. Bytecode is made below, once, because the image is
# read-only where it runs; with it a Raspberry Pi starts in half the time.
RUN pip install --no-cache-dir --no-compile --disable-pip-version-check --only-binary :all: \
        --prefix /packages --requirement /build/requirements.txt \
    && rm -rf /packages/bin \
    && find /packages -type d \( -name testing -o -name tests -o -name test -o -name docs -o -name examples \) -prune -exec rm -rf {} + \
    && find /packages -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' \) -delete \
    && python -m compileall -q --invalidation-mode unchecked-hash /packages

FROM python:3.11.13-slim-bookworm AS programs
WORKDIR /opt/riser
COPY riser.py LICENSE README.md ./
COPY bridge bridge
COPY edge edge
COPY firmware_sim firmware_sim
COPY host host
COPY panel panel
RUN python -m compileall -q --invalidation-mode unchecked-hash . \
    && printf '#!/bin/sh\nexec python /opt/riser/riser.py "$@"\n' > riser && chmod 755 riser

FROM python:3.11.13-slim-bookworm AS system
# tini is process 1: it hands signals on and collects processes that lost their parent, which Riser is not made for.
RUN apt-get update \
    && apt-get install -y --no-install-recommends mosquitto tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
    && groupadd --system --gid 10001 riser \
    && useradd --system --uid 10001 --gid riser --groups dialout --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin riser \
    && install -d -m 0700 -o riser -g riser /data
COPY --from=packages /packages /usr/local
COPY --from=programs /opt/riser /opt/riser
RUN ln -s /opt/riser/riser /usr/local/bin/riser
# In a container the network around it decides who reaches the panel: publish its port on 127.0.0.1, or behind TLS.
# With `--network host` set RISER_PANEL_LISTEN=127.0.0.1 again.
ENV RISER_DATA=/data \
    RISER_PANEL_LISTEN=0.0.0.0 \
    RISER_UNATTENDED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1
WORKDIR /data

FROM system AS test
WORKDIR /opt/riser
COPY requirements.txt requirements-test.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --requirement requirements-test.txt
COPY . .
RUN chown -R riser:riser /opt/riser
ENV PYTHONDONTWRITEBYTECODE=
USER 10001
ENTRYPOINT ["tini", "-g", "--", "python", "/opt/riser/riser.py"]
CMD ["test"]

FROM system AS run
# By number, so that Kubernetes sees that it is not root; without a group, so that group dialout counts.
USER 10001
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# Well means: every program runs, the panel answers, the gateway is on line and its meters are read.
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 CMD ["riser", "status", "--ready"]
ENTRYPOINT ["tini", "--", "riser"]
CMD ["up"]
