# One image for every process of Quorate; which one it is, the command says.
FROM node:20.19.5-bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /quorate
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY adapters adapters
COPY audit audit
COPY commands commands
COPY domain domain
COPY http http
COPY parties parties
COPY projections projections
COPY queries queries
COPY scripts scripts
COPY test test
COPY webhooks webhooks
RUN npm run build && npm prune --omit=dev

FROM node:20.19.5-bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends softhsm2 && rm -rf /var/lib/apt/lists/*
WORKDIR /quorate
COPY --from=build /quorate/package.json ./
COPY --from=build /quorate/node_modules node_modules
COPY --from=build /quorate/dist dist
RUN mkdir /data /data-keys && chown node:node /data /data-keys
USER node
ENV NODE_ENV=production QUORATE_DATA_DIR=/data
VOLUME /data
CMD ["node", "dist/http/main.js"]
