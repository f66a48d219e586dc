# docker build --build-arg HERD_COMMIT="$(git describe --always --dirty --abbrev=7)" -t herd .
# docker create --name herd herd && docker cp herd:/usr/local/bin/herd . && docker rm herd

FROM node:22-bookworm-slim AS build
RUN npm install --global deno@2.9.6
WORKDIR /src
# Before the sources, so that a change of them does not fetch the packages again.
COPY deno.json deno.lock ./
RUN deno install --frozen
COPY . .
ARG HERD_COMMIT=unknown
RUN HERD_COMMIT="$HERD_COMMIT" deno task compile --out /out/herd

# The batch script and the launcher want bash, which distroless images lack.
FROM debian:12-slim
COPY --from=build /out/herd /usr/local/bin/herd
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/herd"]
CMD ["help"]
