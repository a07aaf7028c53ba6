# Two stages: the tools that build stay behind.
#   docker build -t cml-reconciler:0.1.0 .
#   docker run --read-only --cap-drop=all -e CML_HOST=https://ml-1234.example.cloudera.site \
#     -e CML_API_KEY_FILE=/run/secrets/api_key -v "$PWD/api_key:/run/secrets/api_key:ro" \
#     -v "$PWD/config:/etc/cml-reconciler:ro" -p 127.0.0.1:9464:9464 cml-reconciler:0.1.0
# The key file must be readable by the user 65532.
ARG BASE=debian:bookworm-slim
# Where the tools that build are there already, another one saves fetching them.
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      ca-certificates ccache cmake g++ ninja-build pkg-config python3 \
      libboost-json1.81-dev libboost-url1.81-dev libboost1.81-dev \
      libcli11-dev libspdlog-dev libssl-dev libsystemd-dev libyaml-cpp-dev prometheus-cpp-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF \
 && cmake --build --preset release --target cml-reconciler \
 && strip build/release/daemon/cml-reconciler

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cml-reconciler" \
      org.opencontainers.image.description="Makes a Cloudera Machine Learning workspace look like a file" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      ca-certificates libboost-json1.81.0 libboost-url1.81.0 libprometheus-cpp-core1.0 \
      libspdlog1.10 libssl3 libsystemd0 libyaml-cpp0.7 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 65532 reconciler \
 && useradd --system --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin reconciler \
 && install -d -o reconciler -g reconciler -m 0700 /var/lib/cml-reconciler
COPY --from=build /source/build/release/daemon/cml-reconciler /usr/bin/cml-reconciler
USER 65532:65532
WORKDIR /etc/cml-reconciler
# A container's own loopback is reached by nobody, so the settings that are here listen everywhere.
# Settings of your own take their place: name them in this variable, rather than by a flag of `run`,
# and the health check knows them too.
COPY config/container.yaml /usr/share/cml-reconciler/container.yaml
ENV CML_RECONCILER_SETTINGS=/usr/share/cml-reconciler/container.yaml
EXPOSE 9464
VOLUME /var/lib/cml-reconciler
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/usr/bin/cml-reconciler", "health"]
# It takes SIGTERM as process 1 and reaps nobody, having no children: no init is needed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/cml-reconciler"]
CMD ["run"]
