#!/bin/sh
# Compile all Bicep with the real compiler, `az bicep`; anything that it prints is a failure.
# It exits with 0 on a property that there is not, and only says so (BCP037).
# By hand: az bicep install; sh infra/validate.sh
set -u
cd "$(dirname "$0")" || exit 1
# Parameter files read these from the environment.
export AZURE_ENV_NAME="${AZURE_ENV_NAME:-validate}" AZURE_LOCATION="${AZURE_LOCATION:-westeurope}" WATCH_EMAILS="${WATCH_EMAILS:-[]}"
# That there is a newer compiler is no finding.
export AZURE_BICEP_CHECK_VERSION=False
failed=0

check() {
  if ! said=$("$@" 2>&1 >/dev/null) || [ -n "$said" ]; then
    printf '%s\n%s\n' "$*" "$said" >&2
    failed=1
  fi
}

for file in main.bicep azd.bicep; do
  check az bicep build --file "$file" --stdout
  check az bicep lint --file "$file"
done
for file in *.bicepparam; do
  check az bicep build-params --file "$file" --stdout
done
[ "$failed" = 0 ] && echo "Bicep: no error and no warning."
exit "$failed"
