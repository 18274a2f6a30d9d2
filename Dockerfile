# pgsyncer, with the psql and pg_dump that it calls.
#   docker build --tag pgsyncer .
#   docker run --rm pgsyncer diff --maindsn postgres://reader@main/shop --standindsn postgres://owner@standby/shop
# Passwords: --env PGPASSWORD, or --volume ~/.pgpass:/home/node/.pgpass:ro. Reports: --volume "$PWD:/work".

FROM node:20-alpine AS build
WORKDIR /project
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY . .
# What is installed is what npm would publish, with the dependencies that package-lock.json names and no others.
RUN tar -xzf "$(npm pack --silent | tail -n 1)" \
  && cp package-lock.json package/ \
  && cd package \
  && npm ci --omit=dev --no-audit --no-fund --ignore-scripts

FROM node:20-alpine
LABEL org.opencontainers.image.title="pgsyncer" \
  org.opencontainers.image.description="Make one PostgreSQL database the same as another, and prove it" \
  org.opencontainers.image.authors="The pgsyncer authors" \
  org.opencontainers.image.licenses="MIT"
# The newest that this Alpine has: a pg_dump must not be older than the servers. Where it is, structure is read from the catalogs.
RUN apk add --no-cache postgresql-client
COPY --from=build /project/package /opt/pgsyncer
RUN ln -s /opt/pgsyncer/dist/main.js /usr/local/bin/pgsyncer \
  && mkdir /work \
  && chown node:node /work
USER node
WORKDIR /work
ENTRYPOINT ["pgsyncer"]
