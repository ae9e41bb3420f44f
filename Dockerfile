# One image, two processes: `node dist/worker.js` and `node dist/api.js`; and what is run by hand, such as `node dist/keys.js`.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/build-service.ts ./scripts/
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:20.20.2-bookworm-slim
# The Temporal client is native code and reads the system's certificates, which the slim image lacks.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=node --group=node --mode=700 /var/lib/mimamori-keys \
  && install --directory --owner=node --group=node --mode=700 /var/lib/mimamori \
  && install --directory --owner=node --group=node --mode=700 /var/lib/mimamori-archive
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# customers.yaml and operators.yaml are mounted at /app/config; the audit file is in a volume at /var/lib/mimamori, the keys in one at
# /var/lib/mimamori-keys, the archive in one at /var/lib/mimamori-archive: each takes its owner from the folder here. Nothing else is
# written.
USER node
CMD ["node", "dist/worker.js"]
