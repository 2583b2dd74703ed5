#!/bin/sh
# Before `azd provision`: recover a deleted Key Vault, and refuse to drop settings that were made by hand.
# Runs by hand too, with the environment of azd: set -a; . .azure/NAME/.env; set +a; sh infra/hooks/preprovision.sh
set -eu
if ! command -v az >/dev/null; then
  echo "az is not installed (https://aka.ms/azcli): a deleted Key Vault and settings made by hand are not looked for." >&2
  exit 0
fi

# A deleted vault keeps its name for 90 days, and a new one of that name is refused.
deleted=$(az keyvault list-deleted --resource-type vault --subscription "$AZURE_SUBSCRIPTION_ID" -o tsv \
  --query "[?properties.tags.\"azd-env-name\"=='$AZURE_ENV_NAME'].name" 2>/dev/null || true)
if [ -n "$deleted" ]; then
  echo "The Key Vault $deleted of this environment is deleted: it is recovered, with its secrets."
  azd env set RECOVER_VAULT true
elif [ "${RECOVER_VAULT:-false}" = true ]; then
  azd env set RECOVER_VAULT false
fi

# A deployment replaces all application settings: what is not in infra/ or in azd's environment would be gone.
[ -n "${AZURE_FUNCTION_NAME:-}" ] || exit 0
found=$(az functionapp config appsettings list --subscription "$AZURE_SUBSCRIPTION_ID" -g "$AZURE_RESOURCE_GROUP" \
  -n "$AZURE_FUNCTION_NAME" --query '[].name' -o tsv 2>/dev/null || true)
infra=$(dirname "$0")/..
known=$(cat "$infra/modules/app.bicep" "$infra/azd.bicepparam"; echo "${AGENTMETER_SETTINGS:-} ${SECRET_SETTINGS:-}")
unknown=""
for name in $found; do
  printf '%s' "$known" | grep -qw -- "$name" || unknown="$unknown $name"
done
if [ -n "$unknown" ]; then
  echo "These settings were made by hand, and this deployment would remove them:$unknown" >&2
  echo "Keep them: azd env set AGENTMETER_SETTINGS '{\"NAME\": \"value\"}' (all of them, as JSON; secrets belong into the Key Vault and SECRET_SETTINGS)." >&2
  echo "Drop them: az functionapp config appsettings delete -g $AZURE_RESOURCE_GROUP -n $AZURE_FUNCTION_NAME --setting-names$unknown" >&2
  exit 1
fi
