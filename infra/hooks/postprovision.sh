#!/bin/sh
# After `azd provision`: wait until the new roles count, and give the component the workspace's daily cap.
# The Functions host ends its process when its queue refuses it once, so nothing is deployed before.
# Runs by hand too, with the environment of azd: set -a; . .azure/NAME/.env; set +a; sh infra/hooks/postprovision.sh
set -eu
if ! command -v az >/dev/null; then
  echo "az is not installed (https://aka.ms/azcli): wait ten minutes for the roles before you deploy." >&2
  exit 0
fi
account=${AzureWebJobsStorage__queueServiceUri#https://}
account=${account%%.*}

peek() {
  az storage message peek --queue-name usage-events --account-name "$account" --auth-mode login -o none 2>"$1"
}

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
if [ "$(az storage account show -n "$account" -g "$AZURE_RESOURCE_GROUP" --query publicNetworkAccess -o tsv)" = Disabled ]; then
  echo "Only the virtual network reaches the storage account: its roles cannot be tried from here. Wait ten minutes before you deploy."
else
  tries=0
  until peek "$errors"; do
    tries=$((tries + 1))
    if [ "$tries" -ge "${ROLE_TRIES:-60}" ]; then
      cat "$errors" >&2
      echo "The queue usage-events still refuses you after ten minutes. You need the role Storage Queue Data Contributor: azd env set AZURE_PRINCIPAL_ID <your object id>, azd provision." >&2
      exit 1
    fi
    echo "Roles do not count yet; asking again in 10 s ($tries of ${ROLE_TRIES:-60})."
    sleep "${ROLE_WAIT_S:-10}"
  done
  echo "Roles count."
fi

# The component has a daily cap of its own, 100 GB unless said otherwise.
cap=${DAILY_CAP_GB:--1}
[ "$cap" != -1 ] || cap=1000
component=$(az resource list -g "$AZURE_RESOURCE_GROUP" --resource-type Microsoft.Insights/components --query '[0].name' -o tsv)
[ -n "$component" ] || { echo "The component was there before: its daily cap stays as it is."; exit 0; }
AZURE_EXTENSION_USE_DYNAMIC_INSTALL=yes_without_prompt az monitor app-insights component billing update \
  --app "$component" -g "$AZURE_RESOURCE_GROUP" --cap "$cap" --only-show-errors -o none
echo "The daily cap of $component is $cap GB."
