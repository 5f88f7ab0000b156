#!/bin/sh
# Starts the worker in its container: on a copy of the checkout, whose own packages may be those of
# another system, with packages of its own that are installed once per lock file.
set -eu

cd /app
rm -rf bin models policies src stack
for part in package.json package-lock.json bin models policies src stack; do
  cp -R "/checkout/$part" .
done
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  # The image brings the pinned Node; the test tools and their scripts are not needed.
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund
  cp package-lock.json node_modules/.installed-lock
fi
exec node src/worker/main.ts
