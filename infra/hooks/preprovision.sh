#!/bin/sh
# Before `azd provision`: ask who hears when agentmeter is silent, recover a deleted Key Vault, and refuse to drop
# settings that were made by hand.
# Runs by hand too, with the environment of azd: set -a; . .azure/NAME/.env; set +a; sh infra/hooks/preprovision.sh
set -eu
# Azure's alerts about agentmeter are deployed anyhow; WATCH_EMAILS='[]' says that they need no receiver.
if [ -z "${WATCH_EMAILS:-}${WATCH_WEBHOOK_URI:-}" ]; then
  address=""
  if [ -t 0 ] || [ -n "${ASK_ANYHOW:-}" ]; then
    printf "Who gets an e-mail when agentmeter itself is silent or fails? (address; empty: no one): "
    read -r address || address=""
  fi
  if [ -n "$address" ]; then
    azd env set WATCH_EMAILS "[\"$address\"]"
  else
    echo "No one is set to hear when agentmeter itself is silent. Set it: azd env set WATCH_EMAILS '[\"you@example.com\"]'" >&2
  fi
fi
if ! command -v az >/dev/null; then
  echo "az is not installed (https://aka.ms/azcli): a deleted Key Vault and settings made by hand are not looked for." >&2
  exit 0
fi

# Both subnets of a landing zone, or none: through its own the app reaches the endpoints.
if [ "${PRIVATE_NETWORK:-false}" = true ]; then
  case "${APP_SUBNET_ID:+app}${ENDPOINT_SUBNET_ID:+endpoints}" in
    app | endpoints)
      echo "APP_SUBNET_ID and ENDPOINT_SUBNET_ID go together: set both (azd env set), or neither for a network of its own." >&2
      exit 1
      ;;
  esac
fi

# Other projects may use the same name for an environment.
name=$(printf '%s' "${AGENTMETER_NAME:-agentmeter}" | tr '[:upper:]' '[:lower:]')

# Names of all settings of this environment's app; nothing where there is none yet. A pipeline's azd knows no names.
settings() {
  there=$(az functionapp list --subscription "$AZURE_SUBSCRIPTION_ID" -o tsv \
    --query "[?tags.\"azd-env-name\"=='$AZURE_ENV_NAME' && tags.application=='$name'].[resourceGroup, name]") || return 1
  [ -n "$there" ] || return 0
  group=$(printf '%s\n' "$there" | cut -f1)
  app=$(printf '%s\n' "$there" | cut -f2)
  names=$(az functionapp config appsettings list --subscription "$AZURE_SUBSCRIPTION_ID" -g "$group" \
    -n "$app" --query '[].name' -o tsv)
}

# A deleted vault keeps its name for 90 days, and a new one of that name is refused.
if ! deleted=$(az keyvault list-deleted --resource-type vault --subscription "$AZURE_SUBSCRIPTION_ID" -o tsv \
  --query "[?properties.tags.\"azd-env-name\"=='$AZURE_ENV_NAME' && properties.tags.application=='$name'].name"); then
  echo "Deleted Key Vaults could not be listed. If the vault's name is refused: azd env set RECOVER_VAULT true" >&2
elif [ -n "$deleted" ]; then
  echo "The Key Vault $deleted of this environment is deleted: it is recovered, with its secrets."
  azd env set RECOVER_VAULT true
elif [ "${RECOVER_VAULT:-false}" = true ]; then
  azd env set RECOVER_VAULT false
fi

# A deployment replaces all application settings: what is not in infra/ or in azd's environment would be gone.
names="" app="" group=""
if ! settings; then
  echo "The settings of the app could not be listed, and a deployment drops those made by hand. Sign in (az login) as one who may read them, and repeat." >&2
  exit 1
fi
infra=$(dirname "$0")/..
known=$(cat "$infra/modules/app.bicep" "$infra/azd.bicepparam"; echo "${AGENTMETER_SETTINGS:-} ${SECRET_SETTINGS:-}")
unknown=""
for setting in $names; do
  printf '%s' "$known" | grep -qw -- "$setting" || unknown="$unknown $setting"
done
if [ -n "$unknown" ]; then
  echo "These settings were made by hand, and this deployment would remove them:$unknown" >&2
  echo "Keep them: azd env set AGENTMETER_SETTINGS '{\"NAME\": \"value\"}' (all of them, as JSON; secrets belong into the Key Vault and SECRET_SETTINGS)." >&2
  echo "Drop them: az functionapp config appsettings delete -g $group -n $app --setting-names$unknown" >&2
  exit 1
fi
